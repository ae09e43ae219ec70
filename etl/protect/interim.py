"""A rounded release: each unit that has reported has its row published, every count rounded."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from etl.exchange.release import CITY, NOTHING, Cell, Release, Status, cell_id, rounded_cell
from etl.proof.attacker import ContradictionError
from etl.proof.history import reader_of
from etl.protect import rounding
from etl.protect.draft import (
    OPEN_END,
    Draft,
    ReleaseDay,
    complete,
    judge,
    open_cells,
    rows_of_counts,
    unsafe_error,
    with_inferred,
)
from etl.protect.rounding import RoundedRow
from etl.rulebook.publication import Assumption

#: Gives names such as ``0003/xiling.returned`` of counts for which a release must not be made as it is.
Objections = Callable[[Release], Sequence[str]]


@dataclass
class Rows:
    """The rounded rows of a release, by name.

    `rows` are the rows with their true counts; `before` are the figures last published and `published` those published
    now, by cell id (none while only what follows from other figures is published). `turns` counts how often a row was
    drawn again, at most `rounding.DRAWS` times.
    """

    day: ReleaseDay
    rows: Mapping[str, RoundedRow]
    before: Mapping[str, Mapping[str, int]]
    published: dict[str, Mapping[str, int]] = field(default_factory=dict)
    turns: dict[str, int] = field(default_factory=dict)

    def publish(self, name: str) -> None:
        """Publish a row with its earlier figures if they hold, else rounded again; each further call draws again."""
        turn = self.turns[name] = self.turns.get(name, -1) + 1
        row, before = self.rows[name], self.before[name]
        least = self._least(name)
        figures: Mapping[str, int] | None = None
        is_whole = before.keys() == row.counts.keys()
        if is_whole and not turn and row.holds(before) and all(before.get(at, low) >= low for at, low in least.items()):
            figures = before
        elif turn < rounding.DRAWS:
            figures = (
                rounding.round_again(row, before, self.day.secret, turn, least)
                if before
                else rounding.round_first(row, self.day.secret, turn, least)
            )
        self.published[name] = figures or {}

    def leave_out(self, name: str) -> None:
        """Publish nothing of a row but what follows from the others."""
        self.published[name] = {}

    def is_held(self, name: str) -> bool:
        """Whether a row is published with the same figures as before."""
        return self.published[name] == self.before[name]

    def _least(self, name: str) -> dict[str, int]:
        parts = {cell: figure for row in self.published.values() for cell, figure in row.items()}
        steps = {cell: step for row in self.rows.values() for cell, step in row.steps.items()}
        return rounding.least_of_area(self.day.system, name, parts, steps)

    def guilty(self, names: Iterable[str]) -> set[str]:
        """The rows of counts such as ``0003/xiling.returned``; categories are in the city's row."""
        return {CITY if row in self.day.campaign.category else row for row in rows_of_counts(names)}

    def figures(self) -> dict[str, int]:
        """All rounded figures by cell id."""
        return {cell: figure for row in self.published.values() for cell, figure in row.items()}


def _rows_for(day: ReleaseDay) -> Rows:
    """The rows of a release: the city, its areas, and each unit that has reported; none is published yet."""
    rows = rounding.rows_of(day.system, day.values, day.campaign.publication.top)
    rows = {name: row for name, row in rows.items() if not day.is_silent(name)}
    return Rows(day, rows, {name: last_published(day.earlier, row) for name, row in rows.items()})


def last_published(earlier: Iterable[Release], row: RoundedRow) -> dict[str, int]:
    """The rounded figures of a row, by cell id, in the last release that published them; empty if none did."""
    for release in reversed([*earlier]):
        figures = {
            cell_id(*at): cell.rounded
            for table in release.tables
            for at, cell in table.cells.items()
            if cell.rounded is not None and cell_id(*at) in row.counts
        }
        if figures:
            return figures
    return {}


def interim_release(day: ReleaseDay) -> Release:
    """The release of a day, with every count rounded.

    Raises FuxueError with exit code 3 if a count can be inferred however the rows are drawn, or has no upper end.
    """
    return complete(round_until_safe(day).release)


def round_until_safe(day: ReleaseDay, also: Objections = lambda _: []) -> Draft:
    """Round all counts so that none can be inferred: first the units' rows, then the areas' and the city's.

    `also` gives the counts of a release for which the rows must be drawn again, too. This is tried for a reader who
    combines releases under the strongest assumption that the figures do not contradict, then under weaker ones, and at
    last with rows of units left out. Raises FuxueError with exit code 3 if a count can be inferred even then.
    """
    assumptions = day.campaign.publication.assumptions
    for assumed in assumptions:
        with suppress(ContradictionError):
            draft = _round_under(day, assumed, also)
            if not draft.readable:
                return draft
    draft = _round_under(day, assumptions[-1], also, may_leave_out=True)
    if draft.readable:
        raise unsafe_error(draft)
    return draft


def _round_under(day: ReleaseDay, assumed: Assumption, also: Objections, *, may_leave_out: bool = False) -> Draft:
    rows = _rows_for(day)
    upper = [name for name in reversed([*_areas(day)]) if name in rows.rows]
    units = [name for name in rows.rows if name not in upper]

    def judged() -> Draft:
        release = rounded(day, rows.figures())
        if found := also(release):
            return Draft(release, reader_of([release], NOTHING), found)
        return judge(day, release, assumed)

    for name in units:
        rows.publish(name)
    draft = _draw_until_safe(rows, judged, units)
    if may_leave_out:
        draft = _leave_out_until_safe(rows, judged, units, draft)
    for name in upper if not draft.readable else ():
        draft = _with_area(rows, judged, name, units, draft)
    if rows.figures().keys() == {cell for row in rows.rows.values() for cell in row.counts}:
        return draft
    return judge(day, with_inferred(draft.release, open_cells(draft.release)), assumed)


def _areas(day: ReleaseDay) -> Iterable[str]:
    """The city, then the areas, each before its parts."""
    areas = {area.key: area.parts for area in day.campaign.publication.areas}
    return [CITY, *reversed(areas)]


def _with_area(rows: Rows, judged: Callable[[], Draft], name: str, units: list[str], safe: Draft) -> Draft:
    """Publish the row of an area or the city, too; it and the units whose figures changed may be drawn again.

    If a count can still be inferred, the row is left out again: only what follows from the others is published of it.
    """
    published = dict(rows.published)
    rows.publish(name)
    draft = _draw_until_safe(rows, judged, [name, *(unit for unit in units if not rows.is_held(unit))])
    if not draft.readable and rows.published[name]:
        return draft
    rows.published = published
    return safe


def _draw_until_safe(rows: Rows, judged: Callable[[], Draft], names: list[str]) -> Draft:
    """Among the named rows, draw again those of which a count can be inferred, until none can, or `rounding.DRAWS`.

    From half of the draws on all are drawn again, since what betrays a row may be another.
    """
    draft = judged()
    for turn in range(rounding.DRAWS - 1):
        ours = [name for name in draft.readable if name.startswith(f"{draft.release.name}/")]
        guilty = rows.guilty(ours).intersection(names) or set(names[:1])
        if turn >= rounding.DRAWS // 2:
            guilty = set(names)
        if not ours or any(rows.turns[name] + 1 >= rounding.DRAWS for name in guilty):
            break
        for name in sorted(guilty):
            rows.publish(name)
        draft = judged()
    return draft


def _leave_out_until_safe(rows: Rows, judged: Callable[[], Draft], names: list[str], draft: Draft) -> Draft:
    """Leave out the named rows of which a count can be inferred; if that is not enough, all of them.

    Chance alone seldom leads here: where only one unit has reported, and it has no child, no draw of its row is safe.
    """
    for guilty in (rows.guilty(draft.readable).intersection(names), names):
        if draft.readable and guilty:
            for name in guilty:
                rows.leave_out(name)
            draft = judged()
    return draft


def rounded(day: ReleaseDay, figures: Mapping[str, int]) -> Release:
    """The release with these rounded figures; of others, nothing is published."""
    top = day.campaign.publication.top

    def cell(at: str) -> Cell:
        if at not in figures:
            return Cell(Status.INTERVAL, 0, OPEN_END)
        return rounded_cell(figures[at], top(at.rpartition(".")[0]))

    return day.release(cell, closing=False)
