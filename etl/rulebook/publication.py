"""What is published and how it is protected, as data (`publication.toml`): measures, tables, thresholds, groups."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from etl.rulebook.datafile import Reader

_ROWS = ("city", "unit", "category")
_TABLE = ("key", "rows", "measures", "weight", "title", "title_en")
#: No threshold is lower, or "fewer than k" would mean one child, nor higher: nothing would be left to tell.
LEAST_K, MOST_K = 3, 100
#: The program that checks a release reads no more sums or groups, and no longer name or title.
_MOST_SUMS, _NAME, MOST_TITLE = 12, "[a-z][a-z_]{0,59}", 200
#: The four states that a listed child is in, exactly one at a time; every measure is a sum of them (M13).
ATOMS = ("unverified", "deducted", "returned", "still_out")
#: The sums that the campaign is about (M13), whatever further ones are configured, as sets of states.
MEANINGS = {
    "suspected": ATOMS,
    "verified": ("deducted", "returned", "still_out"),
    "to_return": ("returned", "still_out"),
}
#: Groups that are always protected, whatever further ones are configured.
_GROUPS = {"verified": ("deducted", "to_return"), "to_return": ("returned", "still_out")}


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
class _Group:
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
    groups: tuple[_Group, ...]
    sums: Mapping[str, tuple[str, ...]]
    tables: tuple[Table, ...]
    known: tuple[str, ...]
    assumptions: tuple[Assumption, ...]
    seconds: int

    @property
    def measures(self) -> tuple[str, ...]:
        """Every measure, sums first."""
        return (*self.sums, *ATOMS)


def load_publication(get: Reader, categories: list[str]) -> Publication:
    """Validate `publication.toml`; every measure that is named must exist, and a proof take every threshold."""
    get.only("", ("threshold", "groups", "measures", "tables", "known", "suppression", "assumptions"))
    get.only("threshold", ("k", "category"))
    for table, key in (("known", "cells"), ("suppression", "seconds")):
        get.only(table, (key,))
    sums = _sums(get)
    return Publication(
        k=get.count("threshold.k", MOST_K, LEAST_K),
        category_k=_category_k(get, categories),
        groups=_groups(get, sums),
        sums=sums,
        tables=_all_tables(get, [_table(one, key, {*sums, *ATOMS}) for one, key in get.tables("tables", _TABLE)]),
        known=_known(get, {*sums, *ATOMS}),
        assumptions=_assumptions(get, {*sums, *ATOMS}),
        seconds=get.count("suppression.seconds", 86_400),
    )


def _category_k(get: Reader, categories: list[str]) -> dict[str, int]:
    if "category" not in get.value("threshold", "[threshold]"):
        return {}
    get.only("threshold.category", categories)
    given = get.value("threshold.category", "[threshold.category]")
    return {code: get.count(f"threshold.category.{code}", MOST_K, LEAST_K) for code in given}


def _sums(get: Reader) -> dict[str, tuple[str, ...]]:
    sums: dict[str, tuple[str, ...]] = {}
    tables = get.tables("measures", ("key", "equals"))
    for one, at in tables:
        key = one.text(f"{at}.key", _NAME)
        if key in (*sums, *ATOMS):
            get.fail(f"{at}.key", f"each measure once, and none of {', '.join(ATOMS)}")
        sums[key] = one.texts(f"{at}.equals")
    _at_most(get, "measures", sums)
    names = [*sums, *ATOMS]
    for key, parts in sums.items():
        states = _states(sums, key, len(names))
        if not set(parts) <= set(names) or not states or len(set(states)) < len(states):
            get.fail(f"measures.{key}.equals", f"some of {names}, no state of a child twice")
    for key, meant in MEANINGS.items():
        if sorted(_states(sums, key, len(names))) != sorted(meant):
            get.fail(f"measures.{key}.equals", f"measures that make {', '.join(meant)}, each once")
    return sums


def _states(sums: Mapping[str, tuple[str, ...]], key: str, depth: int) -> list[str]:
    """The states that a measure adds up; empty where sums go in circles."""
    if key not in sums:
        return [key] if key in ATOMS else []
    return [state for part in sums[key] for state in _states(sums, part, depth - 1)] if depth else []


def _groups(get: Reader, sums: Mapping[str, tuple[str, ...]]) -> tuple[_Group, ...]:
    """Each once; its parts are the whole, divided."""
    names = [*sums, *ATOMS]
    groups: list[_Group] = []
    for one, at in get.tables("groups", ("whole", "parts")):
        group = _Group(one.text(f"{at}.whole", "|".join(names)), one.texts(f"{at}.parts", names))
        states = [state for part in group.parts for state in _states(sums, part, len(names))]
        if len(group.parts) < 2 or sorted(states) != sorted(_states(sums, group.whole, len(names))):
            get.fail(f"{at}.parts", f"two measures or more that make {group.whole}")
        if group.whole in {other.whole for other in groups}:
            get.fail(f"{at}.whole", "each whole once")
        groups.append(group)
    _at_most(get, "groups", groups)
    for whole, parts in _GROUPS.items():
        if not any(group.whole == whole and sorted(group.parts) == sorted(parts) for group in groups):
            get.fail("groups", f"a group {whole} with the parts {', '.join(parts)}")
    return tuple(groups)


def _title(get: Reader, key: str) -> str:
    """A text that may stand in a release: no character in it is one that Python would escape."""
    title = get.text(key)
    if len(title) > MOST_TITLE or not title.isprintable():
        get.fail(key, f"a text of at most {MOST_TITLE}, with plain spaces only")
    return title


def _at_most(get: Reader, key: str, found: Collection[object]) -> None:
    if len(found) > _MOST_SUMS:
        get.fail(key, f"at most {_MOST_SUMS}")


def _all_tables(get: Reader, tables: list[Table]) -> tuple[Table, ...]:
    """Each with its own key; one of each kind, since the pages show the city, the units and the categories."""
    keys = [table.key for table in tables]
    for key in keys:
        if keys.count(key) > 1:
            get.fail(f"tables.{key}", "each key once")
    for rows in _ROWS:
        if sum(table.rows == rows for table in tables) != 1:
            get.fail("tables.rows", f'one table with rows = "{rows}"')
    return tuple(tables)


def _table(get: Reader, at: str, names: set[str]) -> Table:
    key = get.text(f"{at}.key")
    # It names a file, beside `ranges.csv`, and a view.
    if not re.fullmatch("[a-z][a-z_]{0,39}", key) or key.startswith("sqlite_") or key == "ranges":
        get.fail(f"tables.{key}.key", "[a-z][a-z_]*, at most 40, not ranges, not sqlite_…")
    get = Reader(get.path, {"tables": {key: get.value(at, "[[tables]] …")}})
    at = f"tables.{key}"
    rows = get.text(f"{at}.rows", "|".join(_ROWS))
    measures = get.texts(f"{at}.measures", sorted(names))
    if rows == "category" and measures != ("verified",):
        get.fail(f"{at}.measures", "verified: a category has no other")
    weight = get.count(f"{at}.weight", 1_000_000)
    return Table(key, rows, measures, weight, _title(get, f"{at}.title"), _title(get, f"{at}.title_en"))


def _assumptions(get: Reader, names: set[str]) -> tuple[Assumption, ...]:
    """Each key once; the last takes nothing for granted, since every release must be safe against some reader."""
    made: list[Assumption] = []
    for one, at in get.tables("assumptions", ("key", "fixed", "grows")):
        table = one.value(at, "[[assumptions]] …")
        fixed, grows = (one.texts(f"{at}.{how}", sorted(names)) if how in table else () for how in ("fixed", "grows"))
        made.append(Assumption(_title(one, f"{at}.key"), fixed, grows))
        if made[-1].key in {other.key for other in made[:-1]}:
            get.fail(f"{at}.key", "each key once")
    if made[-1].fixed or made[-1].grows:
        get.fail("assumptions", "a last one without fixed and grows")
    return tuple(made)


def _known(get: Reader, names: set[str]) -> tuple[str, ...]:
    """Totals of the whole city alone: what everybody knows of a unit would be no secret of it."""
    possible = {f"city.{name}" for name in names}
    cells = get.value("known.cells", "a list of cells, such as city.suspected")
    is_fit = isinstance(cells, list) and all(isinstance(cell, str) and cell in possible for cell in cells)
    if not is_fit or len(set(cells)) < len(cells):
        get.fail("known.cells", "cells such as city.suspected, each once")
    return tuple(cells)
