"""A release before the close: each unit that has reported has its row published, every count rounded."""

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
    """The rounded rows of a release, by name.

    `rows` are the rows with their true counts; `before` are the figures last published and `published` those published
    now, by cell id (none if the row is withheld). `turns` counts how often a row was drawn again; after
    `rounding.DRAWS` it is withheld.
    """

    system: System
    rows: Mapping[str, RoundedRow]
    before: Mapping[str, Mapping[str, int]]
    secret: bytes
    published: dict[str, Mapping[str, int]] = field(default_factory=dict)
    turns: dict[str, int] = field(default_factory=dict)

    def publish(self, name: str) -> None:
        """Publish a row with its earlier figures if they hold, else rounded again; each further call draws again."""
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
        self.published[name] = figures or {}

    def is_held(self, name: str) -> bool:
        """Whether a row is published with the same figures as before."""
        return self.published[name] == completed(self.rows[name], self.before.get(name, {}))

    def withhold(self, names: Iterable[str]) -> None:
        """Withhold some rows."""
        self.published |= {name: {} for name in names}

    def _least(self) -> dict[str, int]:
        units = {cell: figure for name, row in self.published.items() if name != CITY for cell, figure in row.items()}
        steps = {cell: step for row in self.rows.values() for cell, step in row.steps.items()}
        return rounding.least_of_city(self.system, units, steps)

    def figures(self) -> dict[str, int]:
        """All rounded figures by cell id."""
        return {cell: figure for row in self.published.values() for cell, figure in row.items()}


def completed(row: RoundedRow, published: Mapping[str, int]) -> dict[str, int]:
    """The published figures of a row (by cell id), with those that follow by addition or subtraction."""
    figures = {cell: figure for cell, figure in published.items() if cell in row.counts}
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
    """The rows of a release: the city, and each unit that has reported; none is published yet."""
    silent = {unit.unit for unit in counts.units if not unit.reported}
    rows = rounding.rows_of(system, values, lambda row: threshold(campaign.publication, row))
    before = {name: last_published(earlier, row) for name, row in rows.items()}
    return Rows(system, {name: row for name, row in rows.items() if name not in silent}, before, secret)


def last_published(earlier: Sequence[Release], row: RoundedRow) -> dict[str, int]:
    """The rounded figures of a row, by cell id, in the last release that published any; empty if none did."""
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
    """The next release before the close, with every count rounded; `earlier` are the releases so far, oldest first.

    `secret` determines the draws. Raises FuxueError with exit code 3 after the close, or if a count can be inferred
    however the rows are drawn.
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
    """Round all counts so that none can be inferred: first the units' rows, then the city's.

    Rows by which a count can be inferred are drawn again, and in the end withheld. Raises FuxueError with exit code 3
    if a count can be inferred nevertheless.
    """
    rows = rows_for(campaign, counts, system, values, earlier, secret)

    def judged() -> Draft:
        return judge(campaign, _release(campaign, counts, system, values, rows, earlier), earlier)

    units = [name for name in rows.rows if name != CITY]
    for name in units:
        rows.publish(name)
    draft, guilty = _draw_until_safe(rows, judged, units)
    if guilty:
        rows.withhold(guilty)
        draft = judged()
    if not draft.readable:
        draft = _with_city(rows, judged, units)
    if draft.readable:
        raise FuxueError("protect.unsafe", cells=", ".join(draft.readable[:5]), code=3)
    return draft


def _with_city(rows: Rows, judged: Callable[[], Draft], units: Sequence[str]) -> Draft:
    """Publish the city's row too; it and the units whose figures changed may be drawn again.

    If a count can still be inferred, or a unit would be withheld for it, the city's row is withheld.
    """
    published = dict(rows.published)
    rows.publish(CITY)
    draft, guilty = _draw_until_safe(rows, judged, [CITY, *(name for name in units if not rows.is_held(name))])
    if guilty or any(published[name] and not rows.published[name] for name in units):
        rows.published = published
        draft = judged()
    return draft


def _draw_until_safe(rows: Rows, judged: Callable[[], Draft], names: Sequence[str]) -> tuple[Draft, set[str]]:
    """Among the named rows, draw again those by which a count can be inferred, until none can.

    Returns the draft and the rows that are still guilty after `rounding.DRAWS` attempts.
    """
    for _ in range(rounding.DRAWS):
        draft = judged()
        guilty = set(names).intersection(_rows_in(draft.readable, rows.system)) or {CITY}.intersection(names)
        if not draft.readable or not guilty:
            return draft, set()
        for name in sorted(guilty):
            rows.publish(name)
    return draft, guilty


def _rows_in(cells: Iterable[str], system: System) -> set[str]:
    """The names of the rows that contain cells such as ``0003/xiling.returned``."""
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
