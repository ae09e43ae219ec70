"""A release before the close: a unit's row once its results are in, every count rounded, nothing small told."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from etl.exchange.counts import Counts
from etl.exchange.release import CITY, Cell, Release, Status, cell_id
from etl.findings import FuxueError
from etl.proof.tables import System, build_system
from etl.protect import rounding
from etl.protect.draft import Draft, judge, make_release
from etl.protect.primary import threshold, true_values
from etl.protect.rounding import RoundedRow
from etl.rulebook.campaign import Campaign


@dataclass
class Rows:
    """The rounded rows of a day, by name: their true counts, what was told of them last, what is told now.

    `turns` counts how often a row was drawn anew; after `rounding.DRAWS` nothing is told of it.
    """

    system: System
    rows: Mapping[str, RoundedRow]
    before: Mapping[str, Mapping[str, int]]
    secret: bytes
    told: dict[str, Mapping[str, int]] = field(default_factory=dict)
    turns: dict[str, int] = field(default_factory=dict)

    def tell(self, name: str) -> None:
        """Tell a row: as before while that holds, else rounded; after a first time, by another draw."""
        turn = self.turns[name] = self.turns.get(name, -1) + 1
        row, before = self.rows[name], completed(self.rows[name], self.before.get(name, {}))
        least = self._least() if name == CITY else {}
        figures: Mapping[str, int] | None = None
        if before and not turn and row.holds(before) and all(before.get(at, low) >= low for at, low in least.items()):
            figures = before
        elif turn < rounding.DRAWS:
            figures = (
                rounding.round_again(row, before, self.secret, turn, least)
                if before
                else rounding.round_first(row, self.secret, turn, least)
            )
        self.told[name] = figures or {}

    def is_held(self, name: str) -> bool:
        """Whether a row is told as it was before."""
        return self.told[name] == completed(self.rows[name], self.before.get(name, {}))

    def withhold(self, names: Iterable[str]) -> None:
        """Tell nothing of some rows."""
        self.told |= {name: {} for name in names}

    def _least(self) -> dict[str, int]:
        units = {cell: figure for name, row in self.told.items() if name != CITY for cell, figure in row.items()}
        steps = {cell: step for row in self.rows.values() for cell, step in row.steps.items()}
        return rounding.least_of_city(self.system, units, steps)

    def figures(self) -> dict[str, int]:
        """All rounded figures by cell id."""
        return {cell: figure for row in self.told.values() for cell, figure in row.items()}


def completed(row: RoundedRow, told: Mapping[str, int]) -> dict[str, int]:
    """What was told of a row, with what follows by subtraction."""
    figures = {cell: figure for cell, figure in told.items() if cell in row.counts}
    if not figures:
        return {}
    for _ in row.sums:
        for whole, parts in row.sums:
            unknown = [cell for cell in (whole, *parts) if cell not in figures]
            if unknown == [whole]:
                figures[whole] = sum(figures[part] for part in parts)
            elif len(unknown) == 1:
                figures[unknown[0]] = figures[whole] - sum(figures[part] for part in parts if part in figures)
    return figures


def rows_for(
    campaign: Campaign, counts: Counts, system: System, values: Sequence[int], earlier: Sequence[Release], secret: bytes
) -> Rows:
    """The rows of a day: the city, and each unit whose results are in."""
    silent = {unit.unit for unit in counts.units if not unit.reported}
    rows = rounding.rows_of(system, values, lambda row: threshold(campaign.publication, row))
    before = {name: last_told(earlier, row) for name, row in rows.items()}
    return Rows(system, {name: row for name, row in rows.items() if name not in silent}, before, secret)


def last_told(earlier: Sequence[Release], row: RoundedRow) -> dict[str, int]:
    """The rounded figures of a row in the last release that told them."""
    for release in reversed(earlier):
        figures = {
            cell_id(name, measure): cell.value
            for table in release.tables
            for (name, measure), cell in table.cells.items()
            if cell.status is Status.ROUNDED and cell.value is not None and cell_id(name, measure) in row.counts
        }
        if figures:
            return figures
    return {}


def interim_release(
    campaign: Campaign, counts: Counts, earlier: Sequence[Release] = (), secret: bytes = b""
) -> Release:
    """The next release before the close: every count rounded.

    FuxueError with exit code 3 if something can be read all the same, or after the close.
    """
    if any(release.closing for release in earlier):
        raise FuxueError("release.closed", release=earlier[-1].name, code=3)
    system = build_system(campaign, {unit.unit: unit.reported for unit in counts.units})
    values = true_values(system, counts, campaign.publication)
    return round_until_safe(campaign, counts, system, values, earlier, secret).finished()


def round_until_safe(
    campaign: Campaign,
    counts: Counts,
    system: System,
    values: Sequence[int],
    earlier: Sequence[Release],
    secret: bytes,
) -> Draft:
    """All counts rounded so that nothing can be read. Units first, then the city: else drawn anew, at last withheld.

    FuxueError with exit code 3 if something can be read all the same.
    """
    rows = rows_for(campaign, counts, system, values, earlier, secret)

    def judged() -> Draft:
        return judge(campaign, _release(campaign, counts, system, values, rows, earlier), earlier)

    units = [name for name in rows.rows if name != CITY]
    for name in units:
        rows.tell(name)
    draft, guilty = _settle(rows, judged, units)
    if guilty:
        rows.withhold(guilty)
        draft = judged()
    if not draft.readable:
        draft = _with_city(rows, judged, units)
    if draft.readable:
        raise FuxueError("protect.unsafe", cells=", ".join(draft.readable[:5]), code=3)
    return draft


def _with_city(rows: Rows, judged: Callable[[], Draft], units: Sequence[str]) -> Draft:
    """The city told beside the units, of which those that are not told as before may be drawn anew; else withheld."""
    told = dict(rows.told)
    rows.tell(CITY)
    draft, guilty = _settle(rows, judged, [CITY, *(name for name in units if not rows.is_held(name))])
    if guilty or any(told[name] and not rows.told[name] for name in units):
        rows.told = told
        rows.withhold([CITY])
        draft = judged()
    return draft


def _settle(rows: Rows, judged: Callable[[], Draft], names: Sequence[str]) -> tuple[Draft, set[str]]:
    """Draw those of some rows anew by which something can be read, until nothing can; those still guilty at the end."""
    for _ in range(rounding.DRAWS):
        draft = judged()
        guilty = set(names).intersection(_rows_in(draft.readable, rows.system)) or {CITY}.intersection(names)
        if not draft.readable or not guilty:
            return draft, set()
        for name in sorted(guilty):
            rows.tell(name)
    return draft, guilty


def _rows_in(cells: Iterable[str], system: System) -> set[str]:
    """The rows of cells such as ``0003/xiling.returned``."""
    found = {cell.rpartition("/")[2] for cell in cells}
    return {cell.row for cell in system.cells if cell.id in found}


def _release(
    campaign: Campaign,
    counts: Counts,
    system: System,
    values: Sequence[int],
    rows: Rows,
    earlier: Sequence[Release],
) -> Release:
    silent = {unit.unit for unit in counts.units if not unit.reported}
    figures = rows.figures()

    def cell(row: str, name: str) -> Cell:
        at = cell_id(row, name)
        if row in silent:
            return Cell(Status.NOT_DUE)
        if system.cells[system.at[at]].known:
            return Cell(Status.PUBLISHED, values[system.at[at]])
        return Cell(Status.ROUNDED, figures[at]) if at in figures else Cell(Status.SUPPRESSED)

    return make_release(campaign, counts, earlier, cell, closing=False)
