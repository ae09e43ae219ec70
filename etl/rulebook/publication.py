"""Public tables and their protection: how `publication.toml` is declared."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, model_validator

from etl.rulebook.declared import GROUP_OF, Is, ReadAs, Text, Texts, at, hold, is_once, matching, one_of
from etl.rulebook.limits import Core, whole

_ROWS = ("city", "area", "unit", "category")
#: Of these kinds of rows there must be one table, since the pages show all three.
_ALWAYS = ("city", "unit", "category")
#: The range of thresholds: with a lower one "fewer than k" would mean one child; a higher one leaves nothing exact.
LEAST_K, MOST_K = 3, 100
#: Limits of `verify_release.py`: the most sums or groups, the pattern of names, the most characters of a title.
_MOST_SUMS, _NAME, MOST_TITLE = 12, "[a-z][a-z_]{0,59}", 200
#: The four states; every listed child is in exactly one of them, and every measure is a sum of them (M13).
ATOMS = ("unverified", "deducted", "returned", "still_out")
#: Sums that every campaign has (M13), with their states; others can be configured.
MEANINGS = {
    "suspected": ATOMS,
    "verified": ("deducted", "returned", "still_out"),
    "to_return": ("returned", "still_out"),
}
#: The state that a unit's children leave, all at once, when it reports; every other state counts a reported unit.
UNREPORTED = "unverified"

#: A text for a release: not too long, with printable characters only.
Title = Annotated[Text, Is(lambda text: len(text) <= MOST_TITLE and text.isprintable(), "title", most=MOST_TITLE)]
#: The pattern of a table's key, which names a file and a view in the database.
TABLE_KEY = re.compile("(?!sqlite_)[a-z][a-z_]{0,39}")


@dataclass(frozen=True)
class Table:
    """A public table: what its rows are, and its measures."""

    key: Annotated[str, Is(TABLE_KEY.fullmatch, "table_key")]
    rows: Annotated[str, one_of(_ROWS)]
    measures: Texts
    title: Title
    title_en: Title


@dataclass(frozen=True)
class Area:
    """A part of the county with a row of its own: its `parts` are units, or areas declared before it."""

    key: Annotated[str, matching(_NAME)]
    title: Title
    title_en: Title
    parts: Texts


@dataclass(frozen=True)
class Assumption:
    """What a reader of several releases may assume of a row that has reported.

    Measures in `fixed` do not change, measures in `grows` do not fall.
    """

    key: Title
    fixed: Texts = ()
    grows: Texts = ()


@dataclass(frozen=True)
class _Sum:
    key: Annotated[str, matching(_NAME)]
    equals: Texts


def _sums(given: tuple[_Sum, ...]) -> Mapping[str, tuple[str, ...]]:
    """The parts by sum, checked: every sum once, no state twice in a sum, and `MEANINGS` with the right states."""
    sums: dict[str, tuple[str, ...]] = {}
    for number, one in enumerate(given):
        hold(one.key not in (*sums, *ATOMS), (number, "key"), "new_measure", atoms=ATOMS)
        sums[one.key] = one.equals
    names = [*sums, *ATOMS]
    for key, parts in sums.items():
        states = _states(sums, key, len(names))
        is_fit = set(parts) <= set(names) and states and is_once(states)
        hold(is_fit, (key, "equals"), "no_state_twice", names=names)
    for key, meant in MEANINGS.items():
        hold(sorted(_states(sums, key, len(names))) == sorted(meant), (key, "equals"), "states", meant=meant)
    return sums


def _states(sums: Mapping[str, tuple[str, ...]], key: str, depth: int) -> list[str]:
    """The states that a measure adds up, with at most `depth` nested sums; empty if sums are circular."""
    if key not in sums:
        return [key] if key in ATOMS else []
    return [state for part in sums[key] for state in _states(sums, part, depth - 1)] if depth else []


def top_of(k: int, own: int) -> int:
    """The greatest count of a row that is never published exactly, if the row's own threshold is `own`.

    Figures lie on a grid of steps of k + 1, and the lowest steps that hold `own` or less are one.
    """
    return -(-(max(own, k) + 1) // (k + 1)) * (k + 1) - 1


#: A list with at least one table, and no more than `verify_release.py` reads.
FEW = Is(lambda rows: 1 <= len(rows) <= _MOST_SUMS, "tables", most=_MOST_SUMS)
K = Annotated[int, whole(LEAST_K, MOST_K)]


@dataclass(frozen=True)
class Publication:
    """Public tables, their sums, and the thresholds below which no count may be inferred.

    `areas` lie between the city and its units, each after its own parts. `known` are cells that are public anyway.
    `insiders`: whether each unit is a reader, too, who knows its own row. `assumptions` are those of readers who
    combine releases, the strongest first.
    """

    k: Annotated[K, at("threshold.k")]
    category_k: Annotated[
        Mapping[Annotated[str, one_of(GROUP_OF)], K], Field(alias="threshold.category", default_factory=dict)
    ]
    sums: Annotated[Mapping[str, tuple[str, ...]], ReadAs(Annotated[tuple[_Sum, ...], FEW], _sums), at("measures")]
    tables: Annotated[tuple[Table, ...], Field(min_length=1)]
    known: Annotated[tuple[str, ...], Is(is_once, "cells"), at("known.cells")]
    insiders: Annotated[bool, Core("bool"), at("known.own_row")]
    assumptions: Annotated[tuple[Assumption, ...], Field(min_length=1)]
    areas: tuple[Area, ...] = ()

    @property
    def measures(self) -> tuple[str, ...]:
        """Every measure, sums first."""
        return (*self.sums, *ATOMS)

    def states(self, measure: str) -> tuple[str, ...]:
        """The states that a measure adds up."""
        return tuple(_states(self.sums, measure, len(self.measures)))

    def top(self, row: str) -> int:
        """The greatest count of a row that is never published exactly."""
        return top_of(self.k, self.category_k.get(row, self.k))

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self._check_areas()
        self._check_tables()
        self._check_nested()
        # Only printed totals of the whole city: a unit's figures must not be declared public.
        printed = [f"city.{name}" for table in self.tables if table.rows == "city" for name in table.measures]
        hold(set(self.known) <= {*printed}, ("known.cells",), "some_of", enum=printed)
        self._check_assumptions()
        return self

    def _check_measures(self, place: tuple[str | int, ...], measures: tuple[str, ...]) -> None:
        hold(set(measures) <= set(self.measures), place, "some_of", enum=self.measures)

    def _check_areas(self) -> None:
        """Each key occurs once, and nothing is a part of two areas."""
        keys, seen = [area.key for area in self.areas], set[str]()
        for number, area in enumerate(self.areas):
            hold(area.key != "city" and area.key not in keys[:number], ("areas", number, "key"), "once")
            hold(not seen & set(area.parts), ("areas", number, "parts"), "one_area")
            hold(not set(area.parts) & set(keys[number:]), ("areas", number, "parts"), "area_before")
            seen |= set(area.parts)

    def _check_tables(self) -> None:
        """Each table has its own key, and there is one of each kind, since the pages show all three."""
        keys, kinds = ([getattr(table, name) for table in self.tables] for name in ("key", "rows"))
        for number, table in enumerate(self.tables):
            self._check_measures(("tables", number, "measures"), table.measures)
            is_fit = table.rows != "category" or table.measures == ("verified",)
            hold(is_fit, ("tables", number, "measures"), "verified_only")
            hold(keys.count(table.key) == 1, ("tables", table.key), "once")
        for rows in _ROWS:
            is_fit = kinds.count(rows) == 1 or (rows not in _ALWAYS and not kinds.count(rows))
            hold(is_fit, ("tables", "rows"), "one_table", rows=rows)

    def _check_nested(self) -> None:
        """Of two measures in a table, one is part of the other or they have no state in common."""
        for number, table in enumerate(self.tables):
            held = [set(self.states(name)) for name in table.measures]
            is_fit = all(one <= other or other <= one or not one & other for one in held for other in held)
            hold(is_fit, ("tables", number, "measures"), "nested")

    def _check_assumptions(self) -> None:
        """Each key occurs once; the last assumption is empty, so that every release can be protected against one."""
        keys = [one.key for one in self.assumptions]
        for number, one in enumerate(self.assumptions):
            self._check_measures(("assumptions", number, "fixed"), one.fixed)
            self._check_measures(("assumptions", number, "grows"), one.grows)
            hold(one.key not in keys[:number], ("assumptions", number, "key"), "once")
        hold(not one.fixed and not one.grows, ("assumptions",), "last_assumption")
