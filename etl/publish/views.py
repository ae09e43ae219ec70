"""The data of the pages, prepared before any HTML: ledgers, deadlines, table rows, ranges."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from etl.exchange.release import CITY, Cell, Release, ReleasedTable, Status
from etl.findings import FuxueError
from etl.publish.charts import BarShape, ShownFigure, bar_of, figure, past, percentage, reach, scale, starts
from etl.publish.source import Source
from etl.rulebook.campaign import Category, Unit


@dataclass(frozen=True)
class _Line:
    """A line of a ledger: a measure, its depth below the top-level measure, and its share of the measure `whole`."""

    measure: str
    depth: int
    figure: ShownFigure
    bar: BarShape | None
    whole: str
    share: str | None


@dataclass(frozen=True)
class Progress:
    """The progress of a task: `part` of `whole`."""

    key: str
    part: ShownFigure
    whole: ShownFigure
    bar: BarShape | None
    share: str | None


@dataclass(frozen=True)
class Deadline:
    """A deadline of the campaign; `days` are those left at the release's date, negative once it has passed."""

    key: str
    due: dt.date
    days: int
    progress: tuple[Progress, ...]


@dataclass(frozen=True)
class Slot:
    """A table cell: one figure with its bar, or several adjacent figures that are all not due."""

    measure: str
    figures: tuple[ShownFigure, ...]
    bar: BarShape | None


@dataclass(frozen=True)
class UnitRow:
    """A unit and its line in the table."""

    unit: Unit
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class CategoryRow:
    """A category, its figure, and its share of all verified children."""

    category: Category
    figure: ShownFigure
    bar: BarShape | None
    share: str | None


def table_of_kind(release: Release, kind: str) -> ReleasedTable:
    """The first table whose rows are of `kind`; FuxueError ``publish.no_table`` if the release has none."""
    for table in release.tables:
        if table.kind == kind:
            return table
    raise FuxueError("publish.no_table", release=release.name, rows=kind)


def ledger(source: Source, table: ReleasedTable, row: str) -> tuple[_Line, ...]:
    """A row of a table of the newest release as lines, each part below its whole; all bars share the row's scale."""
    release, sums = source.latest, source.campaign.publication.sums
    slack = release.threshold(row)
    cells = {measure: table[row, measure] for measure in table.measures}
    wholes = {part: whole for whole in cells for part in sums.get(whole, ()) if part in cells}
    top = max((reach(cell, slack) for cell in cells.values()), default=0)
    start = starts(cells, sums)
    return tuple(
        _Line(
            measure=measure,
            depth=_depth(measure, wholes),
            figure=figure(release, table, row, measure),
            bar=bar_of(cell, top, start[measure], slack),
            whole=wholes.get(measure, ""),
            share=percentage(cell, cells[wholes[measure]]) if measure in wholes else None,
        )
        for measure, cell in cells.items()
    )


def _depth(measure: str, wholes: dict[str, str]) -> int:
    return 1 + _depth(wholes[measure], wholes) if measure in wholes else 0


def deadlines(source: Source) -> tuple[Deadline, ...]:
    """The campaign's two deadlines (M5), each with the progress of what is due by then."""
    campaign, release = source.campaign, source.latest
    city = table_of_kind(release, "city")
    visits = [
        _progress(part, figure(release, city, CITY, part), figure(release, city, CITY, whole))
        for part, whole in (("verified", "suspected"), ("returned", "to_return"))
        if {part, whole} <= set(city.measures)
    ]
    dates = (
        ("verification", campaign.verification_due, tuple(visits)),
        ("reports", campaign.reports_due, (_reported(table_of_kind(release, "unit")),)),
    )
    return tuple(Deadline(key, due, (due - release.as_of).days, progress) for key, due, progress in dates)


def _progress(key: str, part: ShownFigure, whole: ShownFigure) -> Progress:
    drawn = bar_of(part.cell, reach(whole.cell, whole.slack), slack=part.slack)
    return Progress(key, part, whole, drawn, percentage(part.cell, whole.cell))


def _reported(units: ReleasedTable) -> Progress:
    """The share of units that have reported. Whether a unit has reported is public, whatever its figures."""
    done = [row for row in units.rows if has_reported(units, row)]
    counts = [ShownFigure("", Cell(Status.PUBLISHED, len(rows))) for rows in (done, units.rows)]
    return _progress("reported", *counts)


def has_reported(units: ReleasedTable, row: str) -> bool:
    """Whether a unit (a row of the units' table) has reported."""
    return all(units[row, measure].status is not Status.NOT_DUE for measure in units.measures)


def unit_groups(source: Source) -> tuple[tuple[UnitRow, ...], ...]:
    """The units' table in the release's order (never sorted by a figure), grouped by consecutive units of one kind."""
    table = table_of_kind(source.latest, "unit")
    scales = unit_scales(source)
    groups: list[list[UnitRow]] = []
    for row in table.rows:
        unit = source.campaign.unit[row]
        if not groups or groups[-1][0].unit.kind != unit.kind:
            groups.append([])
        groups[-1].append(UnitRow(unit, tuple(_slots(source.latest, table, row, scales))))
    return tuple(tuple(group) for group in groups)


def unit_scales(source: Source) -> dict[str, int]:
    """The number of people at full bar width, for each measure of the units' table."""
    table = table_of_kind(source.latest, "unit")
    return {measure: scale([table], measure, source.latest.k) for measure in table.measures}


def _slots(release: Release, table: ReleasedTable, row: str, scales: dict[str, int]) -> Iterator[Slot]:
    waiting: list[ShownFigure] = []
    for measure in table.measures:
        one = figure(release, table, row, measure)
        if one.cell.status is Status.NOT_DUE:
            waiting.append(one)
            continue
        if waiting:
            yield Slot("", tuple(waiting), None)
            waiting = []
        yield Slot(measure, (one,), bar_of(one.cell, scales[measure], slack=one.slack))
    if waiting:
        yield Slot("", tuple(waiting), None)


def category_groups(source: Source) -> tuple[tuple[str, tuple[CategoryRow, ...]], ...]:
    """The categories' table by group (deducted, to return), in the campaign's order."""
    table, city = (table_of_kind(source.latest, kind) for kind in ("category", "city"))
    measure = table.measures[0]
    whole = city.cells.get((CITY, measure), Cell(Status.SUPPRESSED))
    figures = {code: figure(source.latest, table, code, measure) for code in table.rows}
    top = max((reach(one.cell, one.slack) for one in figures.values()), default=0)
    groups: dict[str, list[CategoryRow]] = {}
    for code in table.rows:
        category, one = source.campaign.category[code], figures[code]
        line = CategoryRow(category, one, bar_of(one.cell, top, slack=one.slack), percentage(one.cell, whole))
        groups.setdefault(category.group, []).append(line)
    return tuple((group, tuple(lines)) for group, lines in groups.items())


def city_shares(source: Source, row: str) -> Iterator[tuple[str, ShownFigure, ShownFigure | None, str | None]]:
    """Each (measure, figure of the unit, of the city or None if not shown, the unit's share of it) of a unit's row."""
    units, city = (table_of_kind(source.latest, kind) for kind in ("unit", "city"))
    for measure in units.measures:
        one = figure(source.latest, units, row, measure)
        whole = figure(source.latest, city, CITY, measure) if measure in city.measures else None
        yield measure, one, whole, percentage(one.cell, whole.cell) if whole else None


def figures_over_time(
    source: Source, kind: str, row: str, most: int
) -> tuple[tuple[Release, tuple[ShownFigure, ...]], ...]:
    """The figures of a table row in the last `most` releases, newest first."""
    found = []
    for release in source.releases[: -most - 1 : -1]:
        table = table_of_kind(release, kind)
        if (row, table.measures[0]) in table.cells:
            found.append((release, tuple(past(release, table, row, measure) for measure in table.measures)))
    return tuple(found)


def withheld_ranges(source: Source) -> Iterator[tuple[str, str, int, int | None]]:
    """(row, measure, least, greatest) of every withheld cell, each once, in the order of the tables."""
    seen: dict[str, None] = {}
    for table in source.latest.tables:
        for row in table.rows:
            for measure in table.measures:
                if table[row, measure].status is Status.SUPPRESSED:
                    seen[f"{row}.{measure}"] = None
    for cell in seen:
        row, measure = cell.rsplit(".", 1)
        yield row, measure, *source.latest.ranges[cell]
