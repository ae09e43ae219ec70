"""The campaign's TOML and CSV files, read typed: every failure names the file, the key and what was expected."""

import csv
import datetime as dt
import io
import re
import string
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from etl.findings import FuxueError
from etl.system.file_names import FORMULA_STARTS, visible

#: Characters of a text, and years of a date: what lies beyond is a slip, and spreadsheets cannot hold it.
TEXT, YEARS = 1_000, range(1950, 2200)
_WORDS = f"text: at most {TEXT} signs, all to be seen, no outer spaces, not beginning like a formula"
_DAY = f"a date, such as 2019-02-19, from {YEARS[0]} to {YEARS[-1]}"


@dataclass(frozen=True)
class Reader:
    """Typed look-ups in one TOML file; every failure names file, key and what was expected."""

    path: Path
    data: Mapping[str, Any]

    def fail(self, key: str, expected: str) -> NoReturn:
        """Raise the error that names this file and `key`."""
        raise FuxueError("campaign.bad_value", file=self.path.name, key=key, expected=expected)

    def value(self, key: str, expected: str) -> Any:
        """The value at a dotted key."""
        node: Any = self.data
        for part in key.split("."):
            if not isinstance(node, Mapping) or part not in node:
                self.fail(key, expected)
            node = node[part]
        return node

    def only(self, key: str, names: Iterable[str]) -> None:
        """The table at `key` (the whole file for an empty one) has no other keys: a slip is never passed over."""
        wanted = list(names)
        table = self.value(key, "a table") if key else self.data
        if not isinstance(table, Mapping):
            self.fail(key, "a table")
        for name in table:
            if name not in wanted:
                self.fail(f"{key}.{name}" if key else name, f"no such key; known: {', '.join(wanted)}")

    def tables(self, key: str, names: Iterable[str]) -> list[tuple["Reader", str]]:
        """The tables of a list of tables, at least one: each as a reader and its own key, such as ``flags[2]``."""
        wanted, given = list(names), self.value(key, f"[[{key}]] …")
        if not isinstance(given, list) or not given or not all(isinstance(one, Mapping) for one in given):
            self.fail(key, f"[[{key}]] …")
        made = [(Reader(self.path, {f"{key}[{at}]": one}), f"{key}[{at}]") for at, one in enumerate(given, start=1)]
        for reader, name in made:
            reader.only(name, wanted)
        return made

    def text(self, key: str, pattern: str = "") -> str:
        """A text that can be shown and written into a cell; if there is a `pattern`, one that matches it."""
        expected = f"text matching {pattern}" if pattern else _WORDS
        value = self.value(key, expected)
        if not isinstance(value, str) or not is_text(value) or (pattern and not re.fullmatch(pattern, value)):
            self.fail(key, expected)
        return value

    def texts(self, key: str, among: Collection[str] = ()) -> tuple[str, ...]:
        """A list of at least one text, each once; of those `among` which they must be, if any."""
        expected = "some of " + ", ".join(among) if among else "a list of different texts, without “|”"
        values: Any = self.value(key, expected)
        # A bar separates the two halves of a pair in the workbook's own lists.
        if not isinstance(values, list) or not values or not all(_is_item(one) for one in values):
            self.fail(key, expected)
        if len(set(values)) < len(values) or (among and not set(values) <= set(among)):
            self.fail(key, f"{expected}, each once")
        return tuple(values)

    def template(self, key: str, allowed: Collection[str]) -> str:
        """A text in which ``{names}`` of those `allowed` stand, and no other sign of a format."""
        message, expected = self.text(key), " ".join(f"{{{name}}}" for name in sorted(allowed)) or "no braces"
        try:
            parts = list(string.Formatter().parse(message))
        except ValueError:
            self.fail(key, expected)
        for _, name, form, conversion in parts:
            if name is not None and (name not in allowed or form or conversion):
                self.fail(key, expected)
        return message

    def date(self, key: str) -> dt.date:
        """A TOML date such as 2019-02-19."""
        value = self.value(key, _DAY)
        if type(value) is not dt.date or value.year not in YEARS:
            self.fail(key, _DAY)
        return value

    def count(self, key: str, most: int, least: int = 1) -> int:
        """A whole number from `least` to `most`."""
        expected = f"a whole number from {least} to {most}"
        value = self.value(key, expected)
        if type(value) is not int or not least <= value <= most:
            self.fail(key, expected)
        return value

    def share(self, key: str) -> float:
        """A number between 0 and 1, neither of them."""
        value = self.value(key, "a number between 0 and 1")
        if type(value) not in (int, float) or not 0 < value < 1:
            self.fail(key, "a number between 0 and 1")
        return float(value)

    def flag(self, key: str) -> bool:
        """Either true or false."""
        value = self.value(key, "true or false")
        if not isinstance(value, bool):
            self.fail(key, "true or false")
        return value


def is_text(value: str) -> bool:
    """True for a text that can be shown, kept in a cell, and is no formula there."""
    is_plain = visible(value) == value.strip() == value
    return bool(value) and is_plain and len(value) <= TEXT and not value.startswith(FORMULA_STARTS)


def _is_item(value: object) -> bool:
    return isinstance(value, str) and is_text(value) and "|" not in value


def read_toml(path: Path) -> Mapping[str, Any]:
    """A TOML file of the campaign as a mapping."""
    content = _read(path)
    try:
        return tomllib.loads(content)
    except RecursionError:
        raise FuxueError("campaign.bad_file", file=path.name, key="?", reason="nested too deep") from None
    except ValueError as error:  # of TOML, or of a number with more digits than Python reads
        at = re.search(r"at line (\d+)", str(error))
        key = _near(content.splitlines()[: int(at[1]) if at else None])
        raise FuxueError("campaign.bad_file", file=path.name, key=key, reason=str(error)) from None


def read_csv(path: Path, columns: Sequence[str], optional: Collection[str] = ()) -> list[dict[str, str]]:
    """The rows of a CSV file that has just these columns; those of `optional` may be blank. A key is column:row."""
    try:
        lines = enumerate(csv.reader(io.StringIO(_read(path), newline=""), strict=True), start=1)
        (_, head), *rows = [(number, row) for number, row in lines if row] or [(1, [])]
    except csv.Error as error:
        raise FuxueError("campaign.bad_file", file=path.name, key="?", reason=str(error)) from None
    wrong = [name for at, name in enumerate(head) if name not in columns or name in head[:at]]
    wrong += [name for name in columns if name not in head]
    if wrong or not rows:
        at = f"1:{wrong[0]}" if wrong else "2"
        raise FuxueError("campaign.bad_value", file=path.name, key=at, expected=",".join(columns))
    for number, row in rows:
        _check_row(path, head, number, row, optional)
    return [dict(zip(head, row, strict=True)) for _, row in rows]


def _check_row(path: Path, head: Sequence[str], number: int, row: Sequence[str], optional: Collection[str]) -> None:
    wrong, expected = "", _WORDS
    if len(row) != len(head):
        wrong, expected = head[min(len(row), len(head) - 1)], f"{len(head)} values, as many as there are columns"
    for column, value in zip(head, row, strict=False):
        if not wrong and not (is_text(value) or (not value and column in optional)):
            wrong = column
    if wrong:
        raise FuxueError("campaign.bad_value", file=path.name, key=f"{wrong}:{number}", expected=expected)


def check_once(path: Path, key: str, values: Iterable[str]) -> None:
    """FuxueError if a value occurs more than once."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise FuxueError("campaign.bad_value", file=path.name, key=f"{key} {value}", expected="each value once")
        seen.add(value)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise FuxueError("campaign.missing_file", file=path.name) from None
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8", "replace")
        key = _near([*before.splitlines(), ""])
        raise FuxueError("campaign.bad_file", file=path.name, key=key, reason=f"no UTF-8: {error.reason}") from None
    except OSError as error:
        raise FuxueError("campaign.bad_file", file=path.name, key="?", reason=error.strerror or "?") from None


def _near(lines: Sequence[str]) -> str:
    """The key in the last of these lines that has one, with the table that it stands in."""
    key = ""
    for line in reversed(lines):
        if found := re.match(r"\s*(\[\[?[^\[\]]*\]\]?)\s*(#.*)?$", line):
            return f"{found[1]} {key}".strip()
        if not key and (found := re.match(r"\s*([\w.\"'-]+)\s*=", line)):
            key = found[1]
    return key or "?"
