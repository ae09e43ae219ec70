"""Corrections (M15) and cases (M16–M17) as data: loads and validates `casework.toml`."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from etl.datafile import Reader

TABLES = ("departments", "measures", "schooling", "cases")


@dataclass(frozen=True)
class Department:
    """Who corrects an error. A child whose category is in `opened_by` is a row of its workbook."""

    slug: str
    name: str
    name_en: str
    opened_by: tuple[str, ...]
    causes: tuple[str, ...]
    outcomes: tuple[str, ...]


@dataclass(frozen=True)
class Casework:
    """`measures` and `schooling` give what can be chosen by category code; `responsible` who answers for a measure."""

    departments: tuple[Department, ...]
    measures: Mapping[str, tuple[str, ...]]
    schooling: Mapping[str, tuple[str, ...]]
    responsible: tuple[str, ...]

    def department(self, slug: str) -> Department | None:
        """The department of a slug, or None."""
        return next((one for one in self.departments if one.slug == slug), None)


def load_casework(get: Reader, taken: Collection[str], categories: Sequence[str], returning: Sequence[str]) -> Casework:
    """Validate the file. `taken` are slugs that departments may not have; `returning` the codes that get a case."""
    for key in get.data:
        if key not in TABLES:
            get.fail(key, "|".join(TABLES))
    departments = [
        _department(one, key, taken, [c for c in categories if c not in returning])
        for one, key in _tables(get, "departments")
    ]
    for what in ("slug", "name"):
        values = [getattr(one, what) for one in departments]
        if len(set(values)) < len(values):
            get.fail(f"departments.{what}", "each value once")
    return Casework(
        tuple(departments),
        _by_category(get, "measures", returning),
        _by_category(get, "schooling", returning),
        _texts(get, "cases.departments"),
    )


def _tables(get: Reader, key: str) -> list[tuple[Reader, str]]:
    tables = get.value(key, f"[[{key}]] …")
    if not isinstance(tables, list) or not tables or not all(isinstance(table, Mapping) for table in tables):
        get.fail(key, f"[[{key}]] …")
    names = [f"{key}[{number}]" for number in range(1, len(tables) + 1)]
    return [(Reader(get.path, {name: table}), name) for name, table in zip(names, tables, strict=True)]


def _department(get: Reader, key: str, taken: Collection[str], categories: Sequence[str]) -> Department:
    slug = get.text(f"{key}.slug")
    if not re.fullmatch(r"[a-z][a-z0-9-]*", slug) or slug in taken:
        get.fail(f"{key}.slug", "[a-z][a-z0-9-]*, not a unit's")
    return Department(
        slug=slug,
        name=get.text(f"{key}.name"),
        name_en=get.text(f"{key}.name_en"),
        opened_by=_texts(get, f"{key}.opened_by", categories),
        causes=_texts(get, f"{key}.causes"),
        outcomes=_texts(get, f"{key}.outcomes"),
    )


def _texts(get: Reader, key: str, among: Sequence[str] = ()) -> tuple[str, ...]:
    values: Any = get.value(key, "a list of texts")
    is_fit = isinstance(values, list) and values and len(set(map(str, values))) == len(values)
    # A bar separates the two halves of a pair in the workbook's own lists.
    if not is_fit or any(not isinstance(v, str) or not v.strip() or v != v.strip() or "|" in v for v in values):
        get.fail(key, "a list of different texts, without “|” or outer spaces")
    if among and not set(values) <= set(among):
        get.fail(key, "|".join(among))
    return tuple(values)


def _by_category(get: Reader, key: str, returning: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Names by category code, in the file's order; every category that gets a case has at least one."""
    names: dict[str, list[str]] = {code: [] for code in returning}
    for one, at in _tables(get, key):
        name = one.text(f"{at}.name", r"[^|]*[^|\s][^|]*")
        for code in _texts(one, f"{at}.categories", returning):
            if name in names[code]:
                get.fail(f"{at}.name", "each value once")
            names[code].append(name)
    for code, given in names.items():
        if not given:
            get.fail(key, f"one for {code}")
    return {code: tuple(given) for code, given in names.items()}
