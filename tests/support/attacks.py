"""What a stranger can infer from the released files alone, by trying every table of whole numbers.

This uses no code of the engine: it reads the files by itself, and `attacks_search` finds the tables that fit them.
"""

import csv
import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.attacks_search import MOST, Guess, Puzzle, Rule

CITY = "city"


def read(folders: Sequence[Path], assumed: Mapping[str, Any] | None = None, *, common: bool = False) -> Puzzle:
    """The puzzle of a reader who has these releases (oldest first) and takes `assumed` for granted.

    By default, `assumed` is the assumption that the last release names as its own. With `common`, the reader knows only
    what everybody knows anyway: which units have reported, and the known totals.
    """
    days = [Day(folder) for folder in folders]
    assumed = days[-1].about["assumed"] if assumed is None else assumed
    names, low, high, rules = list[str](), list[int](), list[int](), list[Rule]()
    for number, day in enumerate(days):
        first = len(names)
        names += [f"{day.name}/{cell}" for cell in day.cells]
        for cell in day.cells:
            least, most = day.bounds(cell, common=common)
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
    """One release as its files show it: release.json and the tables."""

    def __init__(self, folder: Path) -> None:
        """Read the release in this folder."""
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

    def bounds(self, cell: str, *, common: bool) -> tuple[int, int]:
        """The least and the greatest value that a cell's published figure allows; 0 and 0 if its unit can have none."""
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
        """Every (whole, parts): within each row, the city as a sum of units, and the city as a sum of categories."""
        units = self.rules["units"]
        for row in (*units, CITY):
            for whole, parts in self.rules["sums"].items():
                yield f"{row}.{whole}", [f"{row}.{part}" for part in parts]
        for name in (*self.rules["sums"], *self.rules["states"]):
            yield f"{CITY}.{name}", [f"{unit}.{name}" for unit in units]
        for name, codes in self.rules["categories"].items():
            yield f"{CITY}.{name}", [f"{code}.verified" for code in codes]

    def groups(self) -> Iterator[tuple[str, str]]:
        """Every (whole, part) for which no reader may infer that all children of the whole are in the part."""
        for row in (*self.rules["units"], CITY):
            for whole, parts in self.rules["groups"]:
                yield from ((f"{row}.{whole}", f"{row}.{part}") for part in parts)
        yield from ((f"{CITY}.verified", f"{code}.verified") for code in self.codes)
        for name, codes in self.rules["categories"].items():
            yield from ((f"{CITY}.{name}", f"{code}.verified") for code in codes)


def _moves(sooner: Day, later: Day, assumed: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Each (cell, True) that does not change and (cell, False) that never falls, as `assumed` says of reported rows."""
    for unit in later.rules["units"]:
        if unit not in sooner.silent | later.silent:
            yield from ((f"{unit}.{name}", True) for name in assumed["fixed"])
            yield from ((f"{unit}.{name}", False) for name in assumed["grows"])
    if "verified" in assumed["grows"]:
        yield from ((f"{code}.verified", False) for code in later.codes)


def secrets_of(folders: Sequence[Path]) -> list[str]:
    """Every cell of any release whose value is not common knowledge."""
    common = read(folders, common=True)
    return [name for name, low, high in zip(common.names, *common.narrowed(), strict=True) if low < high]


def exposed(folders: Sequence[Path], assumed: Mapping[str, Any] | None = None) -> list[str]:
    """The cells and groups for which these releases break the promise of the last one.

    Before the close: cells whose range holds fewer than k values. At the close: cells that must lie in 1 … k-1, and
    groups whose children must all be in one part, as ``whole: part``.
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
    """Cells of the last release that certainly rose or certainly fell by 1 … k-1 since an earlier one."""
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
    """Cells for which a reader who knows the small count `own` can rule out 0, or every value from k up.

    `others` gives k by cell. Whatever that reader can already rule out from common knowledge is not listed.
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
    """The tables for which the engine, run with at least one of these secrets, gives the output `seen`."""
    return [table for table in tables if any(engine(table, secret) == seen for secret in secrets)]


def figures_of(folder: Path) -> Hashable:
    """All that a release publishes: each cell with its status and its value."""
    return tuple(sorted(Day(folder).lines.items()))
