"""Reading the campaign's TOML and CSV files as declared types; an error names file, key and what was expected."""

import csv
import io
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError, with_config

from etl.findings import FuxueError
from etl.rulebook.mistakes import bad_value, first_mistake, in_both

T = TypeVar("T")


def load_toml(path: Path, shape: Callable[..., T], **context: object) -> T:
    """Read a TOML file as the dataclass `shape`; `context` is passed to its validators. FuxueError for a mistake."""
    return checked(path.name, read_toml(path), shape, **context)


def load_csv(path: Path, shape: Callable[..., T]) -> T:
    """Read a CSV file as rows by row number; `shape` is ``dict[int, D]``, where the fields of D are the columns.

    FuxueError for a mistake.
    """
    columns = list(next(iter(_declared(shape)[1]["$defs"].values()))["properties"])
    reader = csv.reader(io.StringIO(_read(path), newline=""), strict=True)
    try:
        lines = enumerate(reader, start=1)
        (_, head), *rows = [(number, row) for number, row in lines if row] or [(1, [])]
    except csv.Error as error:
        raise _unreadable(path, "?", "syntax", line=reader.line_num, said=error) from None
    wrong = [name for at, name in enumerate(head) if name not in columns or name in head[:at]]
    wrong += [name for name in columns if name not in head]
    if wrong:
        raise bad_value(path.name, f"1:{wrong[0]}", "columns", columns=columns)
    if not rows:
        raise bad_value(path.name, "2", "no_rows")
    for number, row in rows:
        if len(row) != len(head):
            at = head[min(len(row), len(head) - 1)]
            raise bad_value(path.name, f"{at}:{number}", "row", count=len(head))
    return checked(path.name, {number: dict(zip(head, row, strict=True)) for number, row in rows}, shape)


def checked(file: str, data: Mapping[Any, Any], shape: Callable[..., T], **context: object) -> T:
    """Validate the content of a file as `shape`. FuxueError ``campaign.bad_value`` for the first mistake."""
    adapter, schema = _declared(shape)
    flat = _flat(file, data, {key.partition(".")[0] for key in schema.get("properties", ()) if "." in key})
    try:
        made: T = adapter.validate_python(flat, context=context)
    except ValidationError as error:
        raise first_mistake(file, flat, schema, error) from None
    return made


@cache
def _declared(shape: Any) -> tuple[TypeAdapter[Any], Mapping[str, Any]]:
    """(a validator of a shape that rejects unknown keys, the shape's JSON Schema)."""
    if isinstance(shape, type):
        with_config(extra="forbid")(shape)
    adapter: TypeAdapter[Any] = TypeAdapter(shape)
    return adapter, adapter.json_schema()


def _flat(file: str, data: Mapping[Any, Any], tables: set[str]) -> dict[Any, Any]:
    """The content with the keys of `tables` moved to the top, such as ``place.city``."""
    # A key that contains a dot itself keeps its quotation marks, so that it matches no declared key.
    flat = {f'"{key}"' if "." in str(key) else key: value for key, value in data.items() if key not in tables}
    for table in tables & data.keys():
        if not isinstance(data[table], Mapping):
            raise bad_value(file, table, "object")
        flat |= {f"{table}.{key}": value for key, value in data[table].items()}
    return flat


def read_toml(path: Path) -> Mapping[str, Any]:
    """A TOML file as a mapping. FuxueError if it cannot be read or parsed."""
    content = _read(path)
    try:
        return tomllib.loads(content)
    except RecursionError:
        raise _unreadable(path, "?", "too_deep") from None
    except ValueError as error:  # invalid TOML, or a number with more digits than Python accepts
        at = re.search(r"at line (\d+)", str(error))
        key = _near(content.split("\n")[: int(at[1]) if at else None])
        raise _unreadable(path, key, "syntax", line=at[1] if at else "?", said=error) from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise FuxueError("campaign.missing_file", file=path.name) from None
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8", "replace")
        raise _unreadable(path, _near(before.split("\n")), "encoding", said=error.reason) from None
    except OSError as error:
        raise _unreadable(path, "?", "system", said=error.strerror or "?") from None


def _unreadable(path: Path, key: str, reason: str, **params: object) -> FuxueError:
    return FuxueError("campaign.bad_file", file=path.name, key=key, **in_both("reason", reason, params))


def _near(lines: Sequence[str]) -> str:
    """The last key in these lines, with the table that it belongs to, to show where an error is."""
    key = ""
    for line in reversed(lines):
        if found := re.match(r"\s*(\[\[?[^\[\]]*\]\]?)\s*(#.*)?$", line):
            return f"{found[1]} {key}".strip()
        if not key and (found := re.match(r"\s*([\w.\"'-]+)\s*=", line)):
            key = found[1]
    return key or "?"
