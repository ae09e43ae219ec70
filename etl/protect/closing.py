"""The closing release: one table of exact figures and intervals, inside the day's rounded figures."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from etl.exchange.release import CITY, NOTHING, Release, cell_id, interval_cell
from etl.findings import FuxueError
from etl.proof.attacker import ContradictionError, propagate
from etl.proof.history import place, reader_of
from etl.proof.reader import goals_of, intervals_of
from etl.protect.coding import CodingTask, code_table
from etl.protect.draft import OPEN_END, Draft, ReleaseDay, complete, judge, rows_of_counts, unsafe_error, with_inferred
from etl.protect.interim import round_until_safe
from etl.protect.rerun import not_reproduced
from etl.protect.room import Span

#: How often intervals are made wider, with more room, where a count could be inferred, before rows become opaque.
COARSER = 3
#: How often rows by which a reader of all releases could infer a count become opaque.
HIDING = 2


def closing_release(day: ReleaseDay) -> Release:
    """The closing release of a day: every figure exact or an interval, beside the rounded figure of the day.

    Raises FuxueError if there was a closing release before or no unit has reported, and with exit code 3 if a count
    could be inferred even from rounded figures, or a figure has no upper end.
    """
    for release in day.earlier:
        if release.closing:
            raise FuxueError("release.closed", release=release.name, as_of=release.as_of)
    if not any(day.reported.values()):
        raise FuxueError("release.none_reported")
    rounded = round_until_safe(day, lambda release: narrow_within_rows(day, release))
    task = table_of(day, rounded.release)
    for turn in range(COARSER + 5):
        draft = _coded_and_judged(day, rounded, task)
        if not draft.readable:
            return complete(_under_strongest(day, rounded, task, draft).release)
        task = _coarser(day, task, draft.readable, turn)
    raise unsafe_error(draft)


def _coded_and_judged(day: ReleaseDay, rounded: Draft, task: CodingTask) -> Draft:
    """The table coded beside its rounded figures; `readable` names also what other tables would not repeat."""
    if task.opaque:
        task = replace(task, bounds=_inferred(rounded, task))
    spans = code_table(task)
    coded = _coded(replace(rounded.release, closing=True), spans)
    coded = with_inferred(coded, [at for table in coded.tables for at in table.cells if at[0] in task.opaque])
    draft = judge(day, coded, day.campaign.publication.assumptions[-1])
    return draft if draft.readable else replace(draft, readable=not_reproduced(day, task, spans))


def narrow_within_rows(day: ReleaseDay, rounded: Release) -> list[str]:
    """Counts of units that the figures of their own row alone, rounded and coded, would make too narrow at the close.

    Also figures published as an interval of which an end would be out of reach. Wider intervals elsewhere would not
    help: the row must be rounded otherwise.
    """
    coded = _coded(replace(rounded, closing=True), code_table(table_of(day, rounded)))
    cells = day.system.cells
    units = {at for at, cell in enumerate(cells) if cell.kind == "unit"}
    inside = tuple((whole, parts) for whole, parts in day.system.equations if units.issuperset((whole, *parts)))
    reader = reader_of([coded], NOTHING)
    bounds = propagate(replace(day.system, equations=inside), reader.bounds)
    goals, shown = goals_of(reader, [coded]), {at for at, _ in intervals_of(reader, coded)}
    return [
        place(rounded, cells[at].id)
        for at, (low, high) in enumerate(bounds)
        if at in units
        and high is not None
        and (high - low + 1 < goals.get(at, 0) or (at in shown and (low, high) != reader.bounds[at]))
    ]


def _coarser(day: ReleaseDay, task: CodingTask, failures: Sequence[str], turn: int) -> CodingTask:
    """The task with less to be published: wider intervals, then nothing but rounded figures in more and more rows.

    These are, in turn, the rows that fail, with all categories of their group; the city's; all in the same sums; all.
    """
    rows = rows_of_counts(failures)
    columns = {_column(day, row) for row in rows}
    if turn < COARSER:
        return replace(task, coarse=task.coarse | {one: task.coarse.get(one, 0) + 1 for one in columns})
    every = {cell.row for cell in day.system.cells}
    alike = {row for row in every if _column(day, row) in columns}
    stages = [_with_groups(day, rows), {CITY}, alike, every]
    return replace(task, opaque={*task.opaque, *stages[min(turn - COARSER, len(stages) - 1)]})


def _with_groups(day: ReleaseDay, rows: set[str]) -> set[str]:
    """These rows, with all categories of the groups of those among them that are categories."""
    category = day.campaign.category
    groups = {category[row].group for row in rows if row in category}
    return rows | {code for code, one in category.items() if one.group in groups}


def _inferred(rounded: Draft, task: CodingTask) -> dict[str, Span]:
    """What a reader infers of each figure from the day's rounded figures alone.

    Nothing is assumed of how counts change: an assumption may be false, and what follows from it then is not the truth.
    """
    reader = reader_of([rounded.release], NOTHING)
    ranges = {name: reader.infer(reader.system.at[place(rounded.release, name)]) for name in task.bounds}
    return {name: (low, OPEN_END if high is None else high) for name, (low, high) in ranges.items()}


def _column(day: ReleaseDay, row: str) -> str:
    """The sums in which a row needs room: those over a group of categories, or those over units."""
    return day.campaign.category[row].group if row in day.campaign.category else CITY


def table_of(day: ReleaseDay, rounded: Release) -> CodingTask:
    """The day's table, to be coded inside the intervals around its rounded figures."""
    publication = day.campaign.publication
    cells = {cell_id(*at): cell for table in rounded.tables for at, cell in table.cells.items()}
    bounds = {
        name: (cell.low, cell.high)
        for name, cell in cells.items()
        if cell.low is not None and cell.high is not None and cell.exact is None
    }
    printed = {table.rows: table.measures for table in publication.tables}
    return CodingTask(rounded.structure, publication, day.values, day.reported, printed, bounds)


def _coded(rounded: Release, spans: Mapping[str, Span]) -> Release:
    cells = {at: cell for table in rounded.tables for at, cell in table.cells.items()}
    known = {at for at, cell in cells.items() if cell.exact is not None}
    return rounded.with_cells(
        {
            at: interval_cell(*spans[cell_id(*at)], cell.rounded)
            for at, cell in cells.items()
            if at not in known and cell_id(*at) in spans
        }
    )


def _under_strongest(day: ReleaseDay, rounded: Draft, task: CodingTask, draft: Draft) -> Draft:
    """The same release, under the strongest assumption against which it is protected, too.

    If it is protected against none that tells anything, more rows show no more than their rounded figures, if that
    protects it against the weakest of these.
    """
    found: Draft | None = None
    for assumed in day.campaign.publication.assumptions[:-1] if day.earlier else ():
        try:
            found = judge(day, draft.release, assumed)
        except ContradictionError:
            continue
        if not found.readable:
            return found
    for turn in range(HIDING):
        if found is None:
            break
        rows = rows_of_counts(found.readable)
        task = replace(task, opaque={*task.opaque, *(_with_groups(day, rows) if turn else rows)})
        hidden = _coded_and_judged(day, rounded, task)
        if hidden.readable:
            break
        found = judge(day, hidden.release, found.release.assumed)
        if not found.readable:
            return found
    return draft
