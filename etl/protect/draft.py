"""What every release shares, before and at the close: the day's counts, putting tables together, and the audit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from etl.exchange.counts import Counts
from etl.exchange.release import CITY, NOTHING, Cell, Release, ReleasedTable, Status, cell_id, exact_cell, interval_cell
from etl.findings import FuxueError
from etl.proof.attacker import Attacker
from etl.proof.history import place, reader_of
from etl.proof.insiders import readable_by_insiders
from etl.proof.reader import goals_of, readable, unreached
from etl.proof.tables import System, build_system, structure_of
from etl.protect.truth import true_values
from etl.rulebook.campaign import Campaign
from etl.rulebook.publication import Assumption, Table

#: The greatest value of a figure of which nothing is published yet.
OPEN_END = 10**8


@dataclass(frozen=True)
class ReleaseDay:
    """What a release is made from: the campaign, the day's counts, and all releases before it (oldest first).

    `secret` determines the draws.
    """

    campaign: Campaign
    counts: Counts
    earlier: Sequence[Release] = ()
    secret: bytes = b""

    @cached_property
    def reported(self) -> Mapping[str, bool]:
        """For each unit, whether it has reported."""
        return {unit.unit: unit.reported for unit in self.counts.units}

    @cached_property
    def system(self) -> System:
        """The system of the day's tables."""
        return build_system(self.campaign, self.reported)

    @cached_property
    def values(self) -> Mapping[str, int]:
        """The true counts of the day by cell id."""
        return true_values(self.campaign, self.counts, self.system)

    @property
    def number(self) -> int:
        """The number of the release to be made."""
        return 1 + (self.earlier[-1].number if self.earlier else 0)

    def is_silent(self, row: str) -> bool:
        """Whether a row is not due: a unit that has not reported, or an area without any unit that has."""
        cells = (cell for cell in self.system.cells if cell.row == row and cell.kind in ("area", "unit"))
        return any(cell.measure == "verified" and cell.is_zero for cell in cells)

    def release(self, cell: Callable[[str], Cell], *, closing: bool) -> Release:
        """The release of the day; `cell` gives each cell that is due and not public anyway, by cell id."""
        known = {one.id for one in self.system.cells if one.known}
        silent = {row for row in (*structure_of(self.campaign).areas, *self.reported) if self.is_silent(row)}

        def cell_of(row: str, name: str) -> Cell:
            at = cell_id(row, name)
            if row in silent:
                return Cell(Status.NOT_DUE)
            return exact_cell(self.values[at]) if at in known else cell(at)

        publication = self.campaign.publication
        return Release(
            number=self.number,
            campaign=self.campaign.id,
            as_of=self.counts.as_of,
            closing=closing,
            k=publication.k,
            category_k=publication.category_k,
            known=publication.known,
            structure=structure_of(self.campaign),
            tables=tuple(_table(self.campaign, table, cell_of) for table in publication.tables),
        )


def _table(campaign: Campaign, table: Table, cell: Callable[[str, str], Cell]) -> ReleasedTable:
    rows = {
        "city": [CITY],
        "area": [area.key for area in campaign.publication.areas],
        "unit": [unit.slug for unit in campaign.units],
        "category": [category.code for category in campaign.categories],
    }[table.rows]
    cells = {(row, name): cell(row, name) for row in rows for name in table.measures}
    return ReleasedTable(table.key, table.rows, tuple(rows), table.measures, cells, table.title, table.title_en)


@dataclass(frozen=True)
class Draft:
    """A release that may still change, and the reader of it and all before it against whom it was audited.

    `readable` names the counts that such a reader, or one who is a unit and knows its own row, can infer too closely,
    and the intervals that are wider than they seem.
    """

    release: Release
    attacker: Attacker
    readable: Sequence[str]


def judge(day: ReleaseDay, release: Release, assumed: Assumption) -> Draft:
    """Audit a release under one assumption. Raises ContradictionError if the figures contradict it."""
    release = replace(release, assumed=assumed)
    releases = [*day.earlier, release]
    attacker = reader_of(releases, assumed)
    found = readable(attacker, releases)
    if not found and not open_cells(release):
        found = unreached(release)
    if not found and day.campaign.publication.insiders:
        found = _by_insiders(day, release, attacker)
    return Draft(release, attacker, found)


def _by_insiders(day: ReleaseDay, release: Release, attacker: Attacker) -> list[str]:
    """Counts of the day that a unit can infer from its own row of the day and all releases so far.

    A unit that sees by its own row that the assumption is false assumes nothing, and has the day's release alone.
    """
    rows: dict[str, dict[int, int]] = {}
    for at, cell in enumerate(day.system.cells, attacker.system.own):
        if cell.kind == "unit" and not cell.known:
            rows.setdefault(cell.row, {})[at] = day.values[cell.id]
    found, misled = _by_rows(day, attacker, rows, day.earlier, release)
    if misled:
        own, alone = attacker.system.own, replace(release, assumed=NOTHING)
        theirs = {name: {at - own: value for at, value in rows[name].items()} for name in misled}
        found += _by_rows(day, reader_of([alone], NOTHING), theirs, (), alone)[0]
    return found


def _by_rows(
    day: ReleaseDay,
    attacker: Attacker,
    rows: Mapping[str, Mapping[int, int]],
    earlier: Sequence[Release],
    release: Release,
) -> tuple[list[str], list[str]]:
    cells, own = attacker.system.cells, attacker.system.own
    small = {
        at: least
        for at, least in goals_of(attacker, [*earlier, release]).items()
        if at >= own and day.values[day.system.cells[at - own].id] <= release.top(cells[at].row)
    }

    def before() -> Attacker:
        silent = day.release(lambda _: Cell(Status.INTERVAL, 0, OPEN_END), closing=release.closing)
        return reader_of([*earlier, silent], release.assumed)

    return readable_by_insiders(attacker, rows, small, before)


def rows_of_counts(names: Iterable[str]) -> set[str]:
    """The rows of counts such as ``0003/xiling.returned``, also in ``0003/xiling.returned, by wawo``."""
    return {name.partition(",")[0].rpartition("/")[2].rpartition(".")[0] for name in names}


def with_inferred(release: Release, cells: Iterable[tuple[str, str]]) -> Release:
    """The release with what its other figures leave possible in place of the intervals at these (row, measure).

    Nothing is assumed of how counts change: an assumption may be false, and what follows from it then is not the truth.
    """
    every = {at: cell for table in release.tables for at, cell in table.cells.items()}
    reader, found = reader_of([release], NOTHING), {}
    for at in cells:
        if every[at].status is Status.INTERVAL:
            low, high = reader.infer(reader.system.at[place(release, cell_id(*at))])
            found[at] = interval_cell(low, OPEN_END if high is None else high, every[at].rounded)
    return release.with_cells(found)


def open_cells(release: Release) -> list[tuple[str, str]]:
    """(row, measure) of each figure that has no upper end: nothing is published of it, nor follows from others."""
    return [at for table in release.tables for at, cell in table.cells.items() if cell.high == OPEN_END]


def complete(release: Release) -> Release:
    """The same release. Raises FuxueError (exit code 3) if a figure has no upper end; never where a total is known."""
    if found := open_cells(release):
        raise FuxueError("protect.open", cells=", ".join(cell_id(*at) for at in found[:5]), code=3)
    return release


def unsafe_error(draft: Draft) -> FuxueError:
    """The error for a draft that cannot be released: only names of quantities, since ranges would reveal counts."""
    return FuxueError("protect.unsafe", cells=", ".join(draft.readable[:5]), code=3)
