"""Attacks of a stranger who has the released files alone: what can be told by trying every table of whole numbers.

Nothing of the engine is used here: the files are read as they lie there, and what they say is searched through by
`attacks_search`.
"""

import csv
import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.attacks_search import MOST, Guess, Puzzle, Rule

CITY = "city"


def read(folders: Sequence[Path], assumed: Mapping[str, Any] | None = None, *, common: bool = False) -> Puzzle:
    """What somebody knows who has these releases, oldest first, and takes `assumed` for granted.

    By default that is what the last one says it was made safe against. With `common`, only what everybody knows anyway:
    who has reported, and public totals.
    """
    days = [Day(folder) for folder in folders]
    assumed = days[-1].about["assumed"] if assumed is None else assumed
    names, low, high, rules = list[str](), list[int](), list[int](), list[Rule]()
    for number, day in enumerate(days):
        first = len(names)
        names += [f"{day.name}/{cell}" for cell in day.cells]
        for cell in day.cells:
            least, most = day.told(cell, common=common)
            low.append(least)
            high.append(most)
        at = {cell: first + place for place, cell in enumerate(day.cells)}
        rules += [(((at[whole], -1), *((at[part], 1) for part in parts)), 0, 0) for whole, parts in day.sums()]
        if number:
            sooner = {name: place for place, name in enumerate(names)}
            for cell, is_fixed in _moves(days[number - 1], day, assumed):
                before = sooner[f"{days[number - 1].name}/{cell}"]
                rules.append((((at[cell], 1), (before, -1)), 0, 0 if is_fixed else MOST * len(days)))
    return Puzzle(tuple(names), tuple(low), tuple(high), tuple(rules), [1] * len(names))


class Day:
    """One release as it lies there: release.json and its tables."""

    def __init__(self, folder: Path) -> None:
        """Read it."""
        self.about = json.loads((folder / "release.json").read_text(encoding="utf-8"))
        self.name: str = self.about["release"]
        self.lines: dict[str, tuple[str, str]] = {}
        for table in self.about["tables"]:
            with (folder / f"{table['key']}.csv").open(encoding="utf-8", newline="") as lines:
                for line in csv.DictReader(lines):
                    self.lines[f"{line['row']}.{line['measure']}"] = line["status"], line["value"]
        self.rules = self.about["structure"]
        self.silent = {cell.split(".")[0] for cell, (status, _) in self.lines.items() if status == "not_due"}
        measures = [*self.rules["sums"], *self.rules["states"]]
        self.codes = [code for codes in self.rules["categories"].values() for code in codes]
        self.cells = [f"{row}.{name}" for row in (*self.rules["units"], CITY) for name in measures]
        self.cells += [f"{code}.verified" for code in self.codes]

    def k(self, cell: str) -> int:
        """The threshold of a cell."""
        return int(self.about["category_k"].get(cell.split(".")[0], self.about["k"]))

    def told(self, cell: str, *, common: bool) -> tuple[int, int]:
        """The least and the greatest that a cell may be by what was told of it, and of whether its unit reported."""
        row, name = cell.split(".")
        nobody = name not in ("suspected", "unverified") if row in self.silent else name == "unverified"
        if nobody and row in self.rules["units"]:
            return 0, 0
        status, value = self.lines.get(cell, ("", ""))
        if not value or (common and cell not in self.about["known"]):
            return 0, MOST
        slack = self.k(cell) if status == "rounded" else 0
        return max(int(value) - slack, 0), int(value) + slack

    def sums(self) -> Iterator[tuple[str, list[str]]]:
        """Every (whole, parts): of each row, of the city over its units, of the city over its categories."""
        units = self.rules["units"]
        for row in (*units, CITY):
            for whole, parts in self.rules["sums"].items():
                yield f"{row}.{whole}", [f"{row}.{part}" for part in parts]
        for name in (*self.rules["sums"], *self.rules["states"]):
            yield f"{CITY}.{name}", [f"{unit}.{name}" for unit in units]
        for name, codes in self.rules["categories"].items():
            yield f"{CITY}.{name}", [f"{code}.verified" for code in codes]

    def groups(self) -> Iterator[tuple[str, str]]:
        """Every (whole, part) of which not all of the whole may be seen to be in the part."""
        for row in (*self.rules["units"], CITY):
            for whole, parts in self.rules["groups"]:
                yield from ((f"{row}.{whole}", f"{row}.{part}") for part in parts)
        yield from ((f"{CITY}.verified", f"{code}.verified") for code in self.codes)
        for name, codes in self.rules["categories"].items():
            yield from ((f"{CITY}.{name}", f"{code}.verified") for code in codes)


def _moves(sooner: Day, later: Day, assumed: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Cells that do not change (True) or never fall, by what is taken for granted of rows that had reported before."""
    for unit in later.rules["units"]:
        if unit not in sooner.silent | later.silent:
            yield from ((f"{unit}.{name}", True) for name in assumed["fixed"])
            yield from ((f"{unit}.{name}", False) for name in assumed["grows"])
    if "verified" in assumed["grows"]:
        yield from ((f"{code}.verified", False) for code in later.codes)


def secrets_of(folders: Sequence[Path]) -> list[str]:
    """Every cell of any release that not everybody knows anyway."""
    common = read(folders, common=True)
    return [name for name, low, high in zip(common.names, *common.narrowed(), strict=True) if low < high]


def exposed(folders: Sequence[Path], assumed: Mapping[str, Any] | None = None) -> list[str]:
    """What these releases tell though they must not, by the promise of the last one.

    Before the close: counts of fewer than k values. At the close: counts that must be one of 1 … k-1, and groups that
    must all be in one part, as ``whole: part``.
    """
    guess, days = Guess(read(folders, assumed)), {day.name: day for day in map(Day, folders)}
    is_close = days[folders[-1].name].about["closing"]
    found = []
    for name in secrets_of(folders):
        cell, k = guess.puzzle.at(name), days[name.split("/")[0]].k(name.split("/")[1])
        if not (guess.is_free(cell, k) if is_close else guess.is_wide(cell, k)):
            found.append(name)
    return found + [group for day in days.values() if day.about["closing"] for group in _one_sided(guess, day)]


def _one_sided(guess: Guess, day: Day) -> Iterator[str]:
    for whole, part in day.groups():
        every, some = (guess.puzzle.at(f"{day.name}/{name}") for name in (whole, part))
        if not guess.may_be(every, 0, 0) and not guess.differs(every, some, 1, MOST):
            yield f"{day.name}/{whole}: {part}"


def corrections(folders: Sequence[Path], assumed: Mapping[str, Any] | None = None) -> list[str]:
    """Cells of the last release that must have risen, or fallen, by 1 … k-1 since an earlier one."""
    guess, last, found = Guess(read(folders, assumed)), Day(folders[-1]), []
    for sooner in folders[:-1]:
        for cell in last.cells:
            k = last.k(cell)
            new, old = (guess.puzzle.at(f"{folder.name}/{cell}") for folder in (folders[-1], sooner))
            if any(
                not guess.differs(*pair, -MOST, 0) and not guess.differs(*pair, k, MOST)
                for pair in ((new, old), (old, new))
            ):
                found.append(f"{folders[-1].name}/{cell}")
    return found


def ruled_out(folders: Sequence[Path], own: tuple[str, int], others: Mapping[str, int]) -> list[str]:
    """Small counts whose one end, 0 or k, somebody can rule out who is of a small count and knows it.

    `others` gives k by cell. What such a reader could rule out if nothing at all had been told is left out.
    """
    wise, before = (Guess(_of(read(folders, common=common), own)) for common in (False, True))
    return [
        name
        for name, k in others.items()
        for ends in ((0, 0), (k, MOST))
        if before.may_be(before.puzzle.at(name), *ends) and not wise.may_be(wise.puzzle.at(name), *ends)
    ]


def _of(puzzle: Puzzle, own: tuple[str, int]) -> Puzzle:
    return puzzle.knowing(puzzle.at(own[0]), own[1], own[1])


def rerun(
    tables: Iterable[Mapping[str, int]],
    engine: Callable[[Mapping[str, int], bytes], Hashable],
    seen: Hashable,
    secrets: Sequence[bytes],
) -> list[Mapping[str, int]]:
    """The tables of which the engine, run again, makes what was seen with one of these secrets."""
    return [table for table in tables if any(engine(table, secret) == seen for secret in secrets)]


def figures_of(folder: Path) -> Hashable:
    """All that a release tells: each cell with its status and its value."""
    return tuple(sorted(Day(folder).lines.items()))
