"""What is published and how it is protected, as data: how `publication.toml` is declared."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, model_validator

from etl.rulebook.declared import GROUP_OF, Is, ReadAs, Text, Texts, at, hold, is_once, matching, one_of
from etl.rulebook.limits import whole

_ROWS = ("city", "unit", "category")
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


#: A text that may stand in a release: no character in it is one that Python would escape.
Title = Annotated[Text, Is(lambda text: len(text) <= MOST_TITLE and text.isprintable(), "title", most=MOST_TITLE)]
#: What names a file, beside `ranges.csv`, and a view.
TABLE_KEY = re.compile("(?!sqlite_|ranges$)[a-z][a-z_]{0,39}")


@dataclass(frozen=True)
class Table:
    """A public table: one row per city, unit or category; the measures that it prints; the price of withholding."""

    key: Annotated[str, Is(TABLE_KEY.fullmatch, "table_key")]
    rows: Annotated[str, one_of(_ROWS)]
    measures: Texts
    weight: Annotated[int, whole(1, 1_000_000)]
    title: Title
    title_en: Title


@dataclass(frozen=True)
class _Group:
    """A group whose members must not all be seen to fall into one part."""

    whole: Text
    parts: Texts


@dataclass(frozen=True)
class Assumption:
    """What a reader of several releases may take for granted of a row that has reported: measures by how they move."""

    key: Title
    fixed: Texts = ()
    grows: Texts = ()


@dataclass(frozen=True)
class _Sum:
    key: Annotated[str, matching(_NAME)]
    equals: Texts


def _sums(given: tuple[_Sum, ...]) -> Mapping[str, tuple[str, ...]]:
    """The parts of each sum: each sum once, no state twice in it; those of `MEANINGS` as they are meant."""
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
    """The states that a measure adds up; empty where sums go in circles."""
    if key not in sums:
        return [key] if key in ATOMS else []
    return [state for part in sums[key] for state in _states(sums, part, depth - 1)] if depth else []


#: As many tables of a list as the program that checks a release reads.
FEW = Is(lambda rows: 1 <= len(rows) <= _MOST_SUMS, "tables", most=_MOST_SUMS)
K = Annotated[int, whole(LEAST_K, MOST_K)]


@dataclass(frozen=True)
class Publication:
    """Public tables, their sums, and the thresholds below which a count is never readable.

    `assumptions` are those of readers who combine releases, the strongest first. `seconds` is how long the cheapest
    pattern of withheld cells may be looked for.
    """

    k: Annotated[K, at("threshold.k")]
    category_k: Annotated[
        Mapping[Annotated[str, one_of(GROUP_OF)], K], Field(alias="threshold.category", default_factory=dict)
    ]
    groups: Annotated[tuple[_Group, ...], FEW]
    sums: Annotated[Mapping[str, tuple[str, ...]], ReadAs(Annotated[tuple[_Sum, ...], FEW], _sums), at("measures")]
    tables: Annotated[tuple[Table, ...], Field(min_length=1)]
    known: Annotated[tuple[str, ...], Is(is_once, "cells"), at("known.cells")]
    assumptions: Annotated[tuple[Assumption, ...], Field(min_length=1)]
    seconds: Annotated[int, whole(1, 86_400), at("suppression.seconds")]

    @property
    def measures(self) -> tuple[str, ...]:
        """Every measure, sums first."""
        return (*self.sums, *ATOMS)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self._check_groups()
        self._check_tables()
        # Totals of the whole city alone: what everybody knows of a unit would be no secret of it.
        hold(set(self.known) <= {f"city.{name}" for name in self.measures}, ("known.cells",))
        self._check_assumptions()
        return self

    def _check_measures(self, place: tuple[str | int, ...], measures: tuple[str, ...]) -> None:
        hold(set(measures) <= set(self.measures), place, "some_of", enum=self.measures)

    def _check_groups(self) -> None:
        """Each once; its parts are the whole, divided; those of `_GROUPS` are among them."""

        def states(*parts: str) -> list[str]:
            return sorted(state for part in parts for state in _states(self.sums, part, len(self.measures)))

        made = [(group.whole, sorted(group.parts)) for group in self.groups]
        for number, group in enumerate(self.groups):
            place = ("groups", number)
            hold(group.whole in self.measures, (*place, "whole"), "enum", enum=self.measures)
            self._check_measures((*place, "parts"), group.parts)
            is_divided = len(group.parts) > 1 and states(*group.parts) == states(group.whole)
            hold(is_divided, (*place, "parts"), "parts", whole=group.whole)
            hold(group.whole not in dict(made[:number]), (*place, "whole"), "once")
        for first, parts in _GROUPS.items():
            hold((first, sorted(parts)) in made, ("groups",), "group", whole=first, parts=parts)

    def _check_tables(self) -> None:
        """Each with its own key; one of each kind, since the pages show the city, the units and the categories."""
        keys, kinds = ([getattr(table, name) for table in self.tables] for name in ("key", "rows"))
        for number, table in enumerate(self.tables):
            self._check_measures(("tables", number, "measures"), table.measures)
            is_fit = table.rows != "category" or table.measures == ("verified",)
            hold(is_fit, ("tables", number, "measures"), "verified_only")
            hold(keys.count(table.key) == 1, ("tables", table.key), "once")
        for rows in _ROWS:
            hold(kinds.count(rows) == 1, ("tables", "rows"), "one_table", rows=rows)

    def _check_assumptions(self) -> None:
        """Each key once; the last takes nothing for granted, since every release must be safe against some reader."""
        keys = [one.key for one in self.assumptions]
        for number, one in enumerate(self.assumptions):
            self._check_measures(("assumptions", number, "fixed"), one.fixed)
            self._check_measures(("assumptions", number, "grows"), one.grows)
            hold(one.key not in keys[:number], ("assumptions", number, "key"), "once")
        hold(not one.fixed and not one.grows, ("assumptions",), "last_assumption")
