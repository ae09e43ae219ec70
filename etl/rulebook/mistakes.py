"""Errors for mistakes in the campaign's files: file, key and what was expected, in Chinese and English."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from etl.findings import FuxueError
from etl.rulebook.declared import is_text

#: Lists whose tables are named by one of their values instead of their number: (key of that value, how it is shown).
CALLED = {"rules": ("id", "[{}]"), "tables": ("key", ".{}")}
#: pydantic's error types for an unknown key.
UNKNOWN = ("unexpected_keyword_argument", "extra_forbidden")
#: In a location, pydantic's mark that the error is about the name of a key, not its value.
_NAME = "[key]"

Schema = Mapping[str, Any]


@cache
def _catalogue() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads(Path(__file__).with_name("expected.toml").read_text(encoding="utf-8"))


def in_both(name: str, expected: str, params: Mapping[str, object]) -> dict[str, Any]:
    """A text of `expected.toml` as two parameters of an error: `name` in English, `name`_zh in Chinese."""
    texts: dict[str, Any] = {}
    for key, language, mark in ((name, "en", ", "), (f"{name}_zh", "zh", "、")):
        own = {k: mark.join(map(str, v)) or "—" if isinstance(v, list | tuple) else v for k, v in params.items()}
        texts[key] = _catalogue()[expected][language].format(**own)
    return texts


def bad_value(file: str, key: str, expected: str, **params: object) -> FuxueError:
    """The error with file, key and what was expected: a text of `expected.toml`, filled with `params`."""
    return FuxueError("campaign.bad_value", file=file, key=key, **in_both("expected", expected, params | {"key": key}))


def first_mistake(file: str, data: Mapping[Any, Any], schema: Schema, error: ValidationError) -> FuxueError:
    """The error for the first of pydantic's faults in `data`; `schema` is the JSON Schema of `data`."""
    faults = error.errors(include_url=False, include_input=False)
    # An unknown key comes first: a missing key is most often that key, misspelt.
    if unknown := next(filter(None, map(_unknown, faults)), ()):
        return bad_value(file, _key(unknown, data), "no_such_key", known=_known(schema, unknown))
    wrong = faults[0].get("ctx", {}) if faults[0]["type"] == "wrong" else {}
    loc = (*faults[0]["loc"], *wrong.get("place", ()))
    # A fault of one value in a list of plain values is reported for the list.
    while isinstance(loc[-1], int):
        loc = loc[:-1]
    key = _key(loc, data)
    if wrong.get("expected"):
        return bad_value(file, key, wrong["expected"], **wrong["params"])
    node = _node(schema, loc)
    return bad_value(file, key, node.get("says") or ("enum" if "enum" in node else node["type"]), **node)


def _unknown(fault: ErrorDetails) -> tuple[str | int, ...]:
    """The location of an unknown key, or empty if the fault is another."""
    loc = fault["loc"]
    return loc if fault["type"] in UNKNOWN else loc[:-1] if loc[-1:] == (_NAME,) else ()


def _key(loc: Sequence[str | int], data: Any) -> str:
    """A location as shown in errors: ``flags[2].params.least``, or ``slug:2`` (column and row) for a CSV file."""
    if isinstance(loc[0], int):
        return f"{loc[1]}:{loc[0]}"
    key, called = "", None
    for part in loc:
        is_there = isinstance(part, int) if isinstance(data, list) else isinstance(data, Mapping) and part in data
        data = data[part] if is_there else None
        if isinstance(part, str):
            key, called = f"{key}.{part}" if key else part, CALLED.get(part)
        else:
            own = data.get(called[0]) if called and isinstance(data, Mapping) else None
            key += called[1].format(own) if called and isinstance(own, str) and is_text(own) else f"[{part + 1}]"
    return key


def _node(schema: Schema, loc: Sequence[str | int]) -> Schema:
    """The part of the JSON Schema that describes the value at `loc`."""
    node: Schema = schema
    for part in loc:
        inner = node.get("properties", {}).get(part) or node.get("items") or node["additionalProperties"]
        node = {**schema["$defs"][inner["$ref"].rpartition("/")[2]], **inner} if "$ref" in inner else inner
    return node


def _known(schema: Schema, loc: Sequence[str | int]) -> list[str]:
    """The keys that are allowed where `loc` ends, such as ``place.city`` in the table `place`."""
    table, before = _node(schema, loc[:-1]), re.sub("[^.]*$", "", str(loc[-1]))
    return [
        key for key in table.get("propertyNames", table).get("enum", table.get("properties")) if key.startswith(before)
    ]
