"""What is published and how it is protected, as data (`publication.toml`): measures, tables, thresholds, groups."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from etl.datafile import Reader

ROWS = ("city", "unit", "category")
#: The four states that a listed child is in, exactly one at a time; every measure is a sum of them (M13).
ATOMS = ("unverified", "deducted", "returned", "still_out")
#: The sums that the campaign is about (M13), whatever further ones are configured, as sets of states.
MEANINGS = {
    "suspected": ATOMS,
    "verified": ("deducted", "returned", "still_out"),
    "to_return": ("returned", "still_out"),
}


@dataclass(frozen=True)
class Table:
    """A public table: one row per city, unit or category; the measures that it prints; the price of withholding."""

    key: str
    rows: str
    measures: tuple[str, ...]
    weight: int
    title: str
    title_en: str


@dataclass(frozen=True)
class Group:
    """A group whose members must not all be seen to fall into one part."""

    whole: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Assumption:
    """What a reader of several releases may take for granted of a row that has reported: measures by how they move."""

    key: str
    fixed: tuple[str, ...]
    grows: tuple[str, ...]


@dataclass(frozen=True)
class Publication:
    """Public tables, their sums, and the thresholds below which a count is never readable.

    `assumptions` are those of readers who combine releases, the strongest first. `seconds` is how long the cheapest
    pattern of withheld cells may be looked for.
    """

    k: int
    category_k: Mapping[str, int]
    groups: tuple[Group, ...]
    sums: Mapping[str, tuple[str, ...]]
    tables: tuple[Table, ...]
    known: tuple[str, ...]
    assumptions: tuple[Assumption, ...]
    seconds: int

    @property
    def measures(self) -> tuple[str, ...]:
        """Every measure, sums first."""
        return (*self.sums, *ATOMS)


def load_publication(get: Reader, units: list[str], categories: list[str]) -> Publication:
    """Validate `publication.toml`; every measure that is named must exist and every threshold exceed 1."""
    sums = _sums(get)
    names = {*sums, *ATOMS}
    category_k = dict(get.data.get("threshold", {}).get("category", {}))
    for code, k in category_k.items():
        if code not in categories or type(k) is not int or k < 2:
            get.fail(f"threshold.category.{code}", "a category's code = a whole number ≥ 2")
    k = get.count("threshold.k")
    if k < 2:
        get.fail("threshold.k", "a whole number ≥ 2")
    return Publication(
        k=k,
        category_k=category_k,
        groups=tuple(_group(get, table, names) for table in _tables(get, "groups")),
        sums=sums,
        tables=_all_tables(get, [_table(get, table, names) for table in _tables(get, "tables")]),
        known=_known(get, units, names),
        assumptions=tuple(_assumption(get, table, names) for table in _tables(get, "assumptions")),
        seconds=get.count("suppression.seconds"),
    )


def _sums(get: Reader) -> dict[str, tuple[str, ...]]:
    sums = {}
    for table in _tables(get, "measures"):
        sums[_text(get, "measures", table, "key")] = tuple(_texts(get, "measures", table, "equals"))
    names = {*sums, *ATOMS}
    for key, parts in sums.items():
        if not set(parts) <= names:
            get.fail(f"measures.{key}.equals", f"some of {sorted(names)}")
    for key, states in MEANINGS.items():
        if sorted(_states(sums, key, len(names))) != sorted(states):
            get.fail(f"measures.{key}.equals", f"measures that make {', '.join(states)}, each once")
    return sums


def _states(sums: Mapping[str, tuple[str, ...]], key: str, depth: int) -> list[str]:
    """The states that a measure adds up; empty where sums go in circles."""
    if key not in sums:
        return [key] if key in ATOMS else []
    return [state for part in sums[key] for state in _states(sums, part, depth - 1)] if depth else []


def _all_tables(get: Reader, tables: list[Table]) -> tuple[Table, ...]:
    """Each with its own key; one is of units: whether a unit has reported is a figure that every reader must see."""
    keys = [table.key for table in tables]
    if not any(table.rows == "unit" for table in tables):
        get.fail("tables", 'one of them with rows = "unit"')
    for key in keys:
        if keys.count(key) > 1:
            get.fail(f"tables.{key}", "each key once")
    return tuple(tables)


def _tables(get: Reader, key: str) -> list[Mapping[str, Any]]:
    value = get.value(key, f"[[{key}]] …")
    if not isinstance(value, list) or not value or not all(isinstance(item, Mapping) for item in value):
        get.fail(key, f"[[{key}]] …")
    return value


def _text(get: Reader, where: str, table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        get.fail(f"{where}.{key}", "text")
    return value


def _texts(get: Reader, where: str, table: Mapping[str, Any], key: str) -> list[str]:
    value = table.get(key)
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        get.fail(f"{where}.{key}", "a list of texts")
    return value


def _group(get: Reader, table: Mapping[str, Any], names: set[str]) -> Group:
    group = Group(_text(get, "groups", table, "whole"), tuple(_texts(get, "groups", table, "parts")))
    if not {group.whole, *group.parts} <= names:
        get.fail("groups", f"some of {sorted(names)}")
    return group


def _table(get: Reader, table: Mapping[str, Any], names: set[str]) -> Table:
    key = _text(get, "tables", table, "key")
    measures = tuple(_texts(get, f"tables.{key}", table, "measures"))
    rows = _text(get, f"tables.{key}", table, "rows")
    weight = table.get("weight")
    if not re.fullmatch("[a-z_]+", key):  # it becomes a file's name
        get.fail(f"tables.{key}.key", "[a-z_]+")
    if rows == "category" and measures != ("verified",):
        get.fail(f"tables.{key}.measures", "verified: a category has no other")
    if rows not in ROWS:
        get.fail(f"tables.{key}.rows", f"one of {ROWS}")
    if not set(measures) <= names:
        get.fail(f"tables.{key}.measures", f"some of {sorted(names)}")
    if type(weight) is not int or weight <= 0:
        get.fail(f"tables.{key}.weight", "a whole number > 0")
    title, title_en = (_text(get, f"tables.{key}", table, name) for name in ("title", "title_en"))
    return Table(key, rows, measures, weight, title, title_en)


def _assumption(get: Reader, table: Mapping[str, Any], names: set[str]) -> Assumption:
    key = _text(get, "assumptions", table, "key")
    fixed, grows = (tuple(table.get(how, ())) for how in ("fixed", "grows"))
    if not {*fixed, *grows} <= names:
        get.fail(f"assumptions.{key}", f"some of {sorted(names)}")
    return Assumption(key, fixed, grows)


def _known(get: Reader, units: list[str], names: set[str]) -> tuple[str, ...]:
    cells = get.value("known.cells", "a list of cells, such as city.suspected")
    possible = {f"{row}.{name}" for row in ("city", *units) for name in names}
    if not isinstance(cells, list) or not all(isinstance(cell, str) and cell in possible for cell in cells):
        get.fail("known.cells", "cells such as city.suspected")
    return tuple(cells)
