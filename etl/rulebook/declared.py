"""Annotations that declare the campaign's files: what a key may contain, and what its error message asks for.

`etl/rulebook/datafile.py` lets pydantic validate ordinary frozen dataclasses by these annotations. They are checked
only when a file is read, not when such an object is made in code.
"""

import datetime as dt
import re
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from etl.rulebook.limits import Core
from etl.system.file_names import FORMULA_STARTS, visible

#: The most characters of a text, and the years allowed in a date; anything else is a mistake.
TEXT, YEARS = 1_000, range(1950, 2200)
#: The pattern of slugs, which name units and departments in files, folders and addresses.
SLUG = re.compile("[a-z][a-z0-9-]{0,39}")
#: The categories of 核查结果 (M9, annex 2) in order, with their groups. Forms, sums and pages depend on these.
GROUP_OF = {**dict.fromkeys("ABCDEFGH", "deducted"), **dict.fromkeys("IJKLM", "to_return")}
DEDUCTED, TO_RETURN = (tuple(c for c, g in GROUP_OF.items() if g == group) for group in ("deducted", "to_return"))


class Is:
    """A condition on a field's value. `expected` is the key of its text in `expected.toml`, `params` fill that text."""

    def __init__(self, check: Callable[[Any], object], expected: str, **params: object) -> None:
        self.check, self.says = check, {"says": expected, **params}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """For pydantic: check the condition after the type."""
        return core_schema.no_info_after_validator_function(self._held, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """For pydantic: add what is expected to the field's JSON Schema, where `first_mistake` finds it."""
        return {**handler(schema), **self.says}

    def _held(self, value: Any) -> Any:
        if not self.check(value):
            raise ValueError
        return value


class ReadAs:
    """A field that is read from the file as the type `source` and converted by `make`."""

    def __init__(self, source: Any, make: Callable[[Any], object]) -> None:
        self.source, self.make = source, make

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """For pydantic: validate as `source`, then call `make`."""
        return core_schema.no_info_after_validator_function(self.make, handler.generate_schema(self.source))


def hold(is_fit: object, place: Sequence[str | int], expected: str = "", **params: object) -> None:
    """Check a condition on several fields: raises an error for pydantic unless `is_fit`.

    `place` is the path from the object being validated to the wrong key, with list indices from 0. `expected` and
    `params` are as for `Is`; without them the error says what the field is declared as.
    """
    if not is_fit:
        raise PydanticCustomError("wrong", "wrong", {"place": tuple(place), "expected": expected, "params": params})


def at(key: str) -> Any:
    """Declare a field's key in the file, such as ``threshold.k`` for the key `k` of the table `threshold`."""
    return Field(alias=key)


def matching(pattern: str) -> Is:
    """A text that `pattern` matches completely."""
    return Is(lambda value: is_text(value) and re.fullmatch(pattern, value), "pattern", pattern=pattern)


def one_of(names: Collection[str]) -> Is:
    """A value that is one of `names`."""
    return Is(lambda value: value in names, "enum", enum=tuple(names))


def some_of(names: Collection[str]) -> Is:
    """A non-empty list of texts from `names`, without repetition."""
    return Is(lambda values: values and set(values) <= set(names) and is_once(values), "some_of", enum=tuple(names))


def no_two(*names: str) -> Is:
    """A non-empty list of tables in which no two have the same value in any of these fields."""

    def check(rows: Sequence[object]) -> bool:
        for name in names:
            hold(is_once([getattr(row, name) for row in rows]), (name,), "once")
        return bool(rows)

    return Is(check, "array")


def is_text(value: str) -> bool:
    """True if a text is not empty, visible, without outer spaces, not too long, and no formula in a spreadsheet."""
    is_plain = visible(value) == value.strip() == value
    return bool(value) and is_plain and len(value) <= TEXT and not value.startswith(FORMULA_STARTS)


def is_once(values: Collection[Hashable]) -> bool:
    """True if no value occurs twice."""
    return len(set(values)) == len(values)


def check_keys(params: Mapping[str, object], names: Sequence[str]) -> None:
    """Check that the table `params` of the row being validated has exactly the keys `names`."""
    for name in (*params, *names):
        hold(name in names, ("params", name), "no_such_key", known=names)
        hold(name in params, ("params", name))


def check_template(place: str, message: str, allowed: Iterable[str]) -> None:
    """Check that the text at the key `place` has no braces other than ``{name}`` for the names `allowed`."""
    names = [f"{{{name}}}" for name in sorted(allowed)]
    is_fit = re.fullmatch(f"(?:[^{{}}]|{'|'.join(map(re.escape, ('{{', '}}', *names)))})*", message)
    hold(is_fit, (place,), "braces" if names else "no_braces", names=names)


Text = Annotated[str, Is(is_text, "text", most=TEXT)]
#: A text without a bar, which separates the two values of a pair in the workbook's lists.
Item = Annotated[str, Is(lambda value: is_text(value) and "|" not in value, "item", most=TEXT)]
Texts = Annotated[tuple[Item, ...], Is(lambda values: values and is_once(values), "texts")]
Day = Annotated[dt.date, Core("date"), Is(lambda day: day.year in YEARS, "day", first=YEARS[0], last=YEARS[-1])]
#: A number greater than 0 and less than 1.
Share = Annotated[float, Core("float", gt=0, lt=1)]
