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
#: What a reader knows exactly of some counts, by names such as ``0001/u0.returned``.
Known = Mapping[str, int]
NOTHING: Known = {}


class Day:
    """One release as its files show it: release.json and the tables."""

    def __init__(self, folder: Path) -> None:
        """Read the release in this folder."""
        self.about = json.loads((folder / "release.json").read_text(encoding="utf-8"))
        self.name: str = self.about["release"]
        self.lines: dict[str, dict[str, str]] = {}
        for table in self.about["tables"]:
            with (folder / f"{table['key']}.csv").open(encoding="utf-8", newline="") as lines:
                self.lines |= {f"{line['row']}.{line['measure']}": line for line in csv.DictReader(lines)}
        self.rules = self.about["structure"]
        self.silent = {cell.split(".")[0] for cell, line in self.lines.items() if line["status"] == "not_due"}
        measures = [*self.rules["sums"], *self.rules["states"]]
        self.codes = [code for codes in self.rules["categories"].values() for code in codes]
        self.cells = [f"{row}.{name}" for row in (*self.rules["units"], *self.rules["areas"]) for name in measures]
        self.cells += [f"{code}.verified" for code in self.codes]

    def k(self, cell: str) -> int:
        """The threshold of a cell."""
        return int(self.about["category_k"].get(cell.split(".")[0], self.about["k"]))

    def top(self, cell: str) -> int:
        """The end of the step of k + 1 in which the threshold of a cell lies: no count up to it may be exact."""
        step = int(self.about["k"]) + 1
        return max(self.k(cell), step - 1) // step * step + step - 1

    def bounds(self, cell: str, *, common: bool) -> tuple[int, int]:
        """The least and the greatest value that a cell's published figure allows; 0 and 0 if its unit can have none."""
        row, name = cell.split(".")
        nobody = name not in ("suspected", "unverified") if row in self.silent else name == "unverified"
        if nobody and row in self.rules["units"]:
            return 0, 0
        line = self.lines.get(cell, {})
        if not line.get("low") or (common and cell not in self.about["known"]):
            return 0, MOST
        low, high = int(line["low"]), int(line["high"])
        if line["rounded"]:
            low, high = (
                max(low, int(line["rounded"]) - self.top(cell)),
                min(high, int(line["rounded"]) + self.top(cell)),
            )
        return low, min(high, MOST)

    def sums(self) -> Iterator[tuple[str, list[str]]]:
        """Every (whole, parts): within each row, each area as a sum of its parts, the city as a sum of categories."""
        measures = (*self.rules["sums"], *self.rules["states"])
        for row in (*self.rules["units"], *self.rules["areas"]):
            for whole, parts in self.rules["sums"].items():
                yield f"{row}.{whole}", [f"{row}.{part}" for part in parts]
        for area, inner in self.rules["areas"].items():
            yield from ((f"{area}.{name}", [f"{row}.{name}" for row in inner]) for name in measures)
        for name, codes in self.rules["categories"].items():
            yield f"{CITY}.{name}", [f"{code}.verified" for code in codes]


def read(folders: Sequence[Path], assumed: Mapping[str, Any] | None = None, *, without: Sequence[Path] = ()) -> Puzzle:
    """The puzzle of a reader who has these releases (oldest first) and takes `assumed` for granted.

    By default, `assumed` is the assumption that the last release names as its own. Of the releases in `without`, the
    reader knows only what everybody knows anyway: which units have reported, and the known totals.
    """
    days = [Day(folder) for folder in folders]
    assumed = days[-1].about["assumed"] if assumed is None else assumed
    names, low, high, rules = list[str](), list[int](), list[int](), list[Rule]()
    for number, (day, folder) in enumerate(zip(days, folders, strict=True)):
        first = len(names)
        names += [f"{day.name}/{cell}" for cell in day.cells]
        for cell in day.cells:
            least, most = day.bounds(cell, common=folder in without)
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


def _moves(sooner: Day, later: Day, assumed: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Each (cell, True) that does not change and (cell, False) that never falls, as `assumed` says of reported rows."""
    for unit in later.rules["units"]:
        if unit not in sooner.silent | later.silent:
            yield from ((f"{unit}.{name}", True) for name in assumed["fixed"])
            yield from ((f"{unit}.{name}", False) for name in assumed["grows"])
    if "verified" in assumed["grows"]:
        yield from ((f"{code}.verified", False) for code in later.codes)


def secrets_of(folders: Sequence[Path]) -> list[str]:
    """Every count of any release, printed or not, whose value is not common knowledge."""
    common = read(folders, without=folders)
    return [name for name, low, high in zip(common.names, *common.narrowed(), strict=True) if low < high]


def exposed(folders: Sequence[Path], assumed: Mapping[str, Any] | None = None, own: Known = NOTHING) -> list[str]:
    """The secrets of any of these releases of which a reader who knows `own` is left with too few values.

    Too few are fewer than k; once one of the releases is the closing one, only if one of them is up to its top. To
    whoever knows `own`, there were enough without the last release; `narrowed_further` names the others.
    """
    return [name for name, goal, before, _ in _too_narrow(folders, assumed, own) if not own or before >= goal]


def narrowed_further(folders: Sequence[Path], own: Known, assumed: Mapping[str, Any] | None = None) -> list[str]:
    """Secrets of which too few values were left before the last release to whoever knows `own`, and fewer after it."""
    return [name for name, goal, before, now in _too_narrow(folders, assumed, own) if now < before < goal]


def _too_narrow(
    folders: Sequence[Path], assumed: Mapping[str, Any] | None, own: Known
) -> list[tuple[str, int, int, int]]:
    """Each secret with too few values: how far apart these must lie, did without the last release, and do."""
    wise, days = Guess(knowing(read(folders, assumed), own)), {day.name: day for day in map(Day, folders)}
    found = [name for name in secrets_of(folders) if name not in own and _is_too_narrow(wise, name, days)]
    if not found:
        return []
    before = Guess(knowing(read(folders, assumed, without=folders[-1:]), own))
    goals = {name: days[name.split("/")[0]].k(name.split("/")[1]) - 1 for name in found}
    return [(name, goal, before.width(name), wise.width(name)) for name, goal in goals.items()]


def _is_too_narrow(guess: Guess, name: str, days: Mapping[str, Day]) -> bool:
    day, cell = days[name.split("/")[0]], name.split("/")[1]
    low, high = guess.ends(guess.puzzle.at(name))
    is_closed = any(one.about["closing"] for one in days.values())
    return high - low < day.k(cell) - 1 and (not is_closed or low <= day.top(cell))


def knowing(puzzle: Puzzle, own: Known) -> Puzzle:
    """The puzzle of a reader who knows some counts exactly."""
    for name, value in own.items():
        puzzle = puzzle.knowing(puzzle.at(name), value, value)
    return puzzle


def unreached(folder: Path) -> list[str]:
    """Figures published as an interval of which a reader of this release alone can rule out an end."""
    guess, last = Guess(read([folder])), Day(folder)
    return [
        f"{last.name}/{cell}"
        for cell, line in last.lines.items()
        if line["status"] == "interval"
        and guess.ends(guess.puzzle.at(f"{last.name}/{cell}")) != last.bounds(cell, common=False)
    ]


def exact_small_ones(folders: Sequence[Path]) -> list[str]:
    """Secrets up to their top that the last release publishes exactly."""
    last, secret = Day(folders[-1]), set(secrets_of(folders))
    return [
        f"{last.name}/{cell}"
        for cell, line in last.lines.items()
        if line["status"] == "exact" and int(line["value"]) <= last.top(cell) and f"{last.name}/{cell}" in secret
    ]


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


def rerun(
    tables: Iterable[Mapping[str, int]], engine: Callable[[Mapping[str, int]], Hashable], seen: Hashable
) -> list[Mapping[str, int]]:
    """The tables for which the engine gives the output `seen`."""
    return [table for table in tables if engine(table) == seen]
