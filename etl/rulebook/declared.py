"""What the campaign's files are declared with: an annotation says what a key holds, and what a mistake there is told.

pydantic reads the annotations of ordinary frozen dataclasses (`etl/rulebook/datafile.py` asks it to). They hold only
while a file is read: whoever makes such an object in code may fill it as he likes.
"""

import datetime as dt
import re
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from etl.rulebook.limits import Core
from etl.system.file_names import FORMULA_STARTS, visible

#: Characters of a text, and years of a date: what lies beyond is a slip, and spreadsheets cannot hold it.
TEXT, YEARS = 1_000, range(1950, 2200)
#: How units and departments are called in files, folders and addresses.
SLUG = re.compile("[a-z][a-z0-9-]{0,39}")
#: The categories of 核查结果 (M9, annex 2) in their order, with their groups: forms, sums and pages are made for these.
GROUP_OF = {**dict.fromkeys("ABCDEFGH", "deducted"), **dict.fromkeys("IJKLM", "to_return")}
DEDUCTED, TO_RETURN = (tuple(c for c, g in GROUP_OF.items() if g == group) for group in ("deducted", "to_return"))


class Is:
    """A condition on a field. `expected` names the text of `expected.toml` that says it, `params` fill that text."""

    def __init__(self, check: Callable[[Any], object], expected: str, **params: object) -> None:
        self.check, self.says = check, {"says": expected, **params}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """For pydantic: whatever else the annotation says, then this."""
        return core_schema.no_info_after_validator_function(self._held, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """For pydantic: the description of the field says what is expected."""
        return {**handler(schema), **self.says}

    def _held(self, value: Any) -> Any:
        if not self.check(value):
            raise ValueError
        return value


class ReadAs:
    """A field that stands in the file as the type `source`, and is kept as `make` gives it."""

    def __init__(self, source: Any, make: Callable[[Any], object]) -> None:
        self.source, self.make = source, make

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """For pydantic: read the one, keep the other."""
        return core_schema.no_info_after_validator_function(self.make, handler.generate_schema(self.source))


def hold(is_fit: object, place: Sequence[str | int], expected: str = "", **params: object) -> None:
    """A check over several fields: raises unless `is_fit`.

    `place` leads from where the check stands to the wrong key, through lists by positions from 0. `expected` is as of
    `Is`; without it, what the field there is declared to be is told.
    """
    if not is_fit:
        raise PydanticCustomError("wrong", "wrong", {"place": tuple(place), "expected": expected, "params": params})


def at(key: str) -> Any:
    """The field stands in the file at `key`, such as ``threshold.k``: the key `k` of the table `threshold`."""
    return Field(alias=key)


def matching(pattern: str) -> Is:
    """A text that matches all of `pattern`."""
    return Is(lambda value: is_text(value) and re.fullmatch(pattern, value), "pattern", pattern=pattern)


def one_of(names: Collection[str]) -> Is:
    """One of these texts."""
    return Is(lambda value: value in names, "enum", enum=tuple(names))


def some_of(names: Collection[str]) -> Is:
    """A list of at least one of these texts, each once."""
    return Is(lambda values: values and set(values) <= set(names) and is_once(values), "some_of", enum=tuple(names))


def no_two(*names: str) -> Is:
    """Of a list of tables: no two have the same value in one of these fields."""

    def check(rows: Sequence[object]) -> bool:
        for name in names:
            hold(is_once([getattr(row, name) for row in rows]), (name,), "once")
        return bool(rows)

    return Is(check, "array")


def is_text(value: str) -> bool:
    """True for a text that can be shown, kept in a cell, and is no formula there."""
    is_plain = visible(value) == value.strip() == value
    return bool(value) and is_plain and len(value) <= TEXT and not value.startswith(FORMULA_STARTS)


def is_once(values: Collection[Hashable]) -> bool:
    """True if no value occurs twice."""
    return len(set(values)) == len(values)


def check_keys(params: Mapping[str, object], names: Sequence[str]) -> None:
    """Holds that the table `params`, of the row that is checked, has just the keys `names`."""
    for name in (*params, *names):
        hold(name in names, ("params", name), "no_such_key", known=names)
        hold(name in params, ("params", name))


def check_template(place: str, message: str, allowed: Iterable[str]) -> None:
    """Holds that ``{names}`` of those `allowed` stand in the text at `place`, and no other brace."""
    names = [f"{{{name}}}" for name in sorted(allowed)]
    is_fit = re.fullmatch(f"(?:[^{{}}]|{'|'.join(map(re.escape, ('{{', '}}', *names)))})*", message)
    hold(is_fit, (place,), "braces" if names else "no_braces", names=names)


Text = Annotated[str, Is(is_text, "text", most=TEXT)]
#: A bar separates the two halves of a pair in the workbook's own lists.
Item = Annotated[str, Is(lambda value: is_text(value) and "|" not in value, "item", most=TEXT)]
Texts = Annotated[tuple[Item, ...], Is(lambda values: values and is_once(values), "texts")]
Day = Annotated[dt.date, Core("date"), Is(lambda day: day.year in YEARS, "day", first=YEARS[0], last=YEARS[-1])]
#: Between 0 and 1, neither of them.
Share = Annotated[float, Core("float", gt=0, lt=1)]
