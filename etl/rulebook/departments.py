"""Corrections (M15) and cases (M16–M17) as data: loads and validates `casework.toml`."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from etl.rulebook.datafile import Reader

_TABLES = ("departments", "measures", "schooling", "cases")
DEPARTMENT = ("slug", "name", "name_en", "opened_by", "causes", "outcomes")


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
    get.only("", _TABLES)
    departments = [
        _department(one, key, taken, [c for c in categories if c not in returning])
        for one, key in get.tables("departments", DEPARTMENT)
    ]
    for what in ("slug", "name"):
        values = [getattr(one, what) for one in departments]
        if len(set(values)) < len(values):
            get.fail(f"departments.{what}", "each value once")
    get.only("cases", ("departments",))
    return Casework(
        tuple(departments),
        _by_category(get, "measures", returning),
        _by_category(get, "schooling", returning),
        get.texts("cases.departments"),
    )


def _department(get: Reader, key: str, taken: Collection[str], categories: Sequence[str]) -> Department:
    slug = get.text(f"{key}.slug")
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", slug) or slug in taken:
        get.fail(f"{key}.slug", "[a-z][a-z0-9-]*, at most 40 signs, not a unit's")
    return Department(
        slug=slug,
        name=get.text(f"{key}.name"),
        name_en=get.text(f"{key}.name_en"),
        opened_by=get.texts(f"{key}.opened_by", categories),
        causes=get.texts(f"{key}.causes"),
        outcomes=get.texts(f"{key}.outcomes"),
    )


def _by_category(get: Reader, key: str, returning: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Names by category code, in the file's order; every category that gets a case has at least one."""
    names: dict[str, list[str]] = {code: [] for code in returning}
    for one, at in get.tables(key, ("name", "categories")):
        name = one.text(f"{at}.name", "[^|]+")
        for code in one.texts(f"{at}.categories", returning):
            if name in names[code]:
                get.fail(f"{at}.name", "each value once")
            names[code].append(name)
    for code, given in names.items():
        if not given:
            get.fail(key, f"one for {code}")
    return {code: tuple(given) for code, given in names.items()}
