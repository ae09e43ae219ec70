"""The data of the pages, prepared before any HTML: ledgers, deadlines, table rows."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from etl.exchange.release import CITY, Cell, Release, ReleasedTable, Status, exact_cell
from etl.findings import FuxueError
from etl.publish.charts import (
    BarShape,
    ShownFigure,
    bar_of,
    figure,
    past,
    reach,
    scale,
    share_of,
    starts,
    sums_of,
)
from etl.publish.source import Source
from etl.rulebook.campaign import Category


@dataclass(frozen=True)
class _Line:
    """A line of a ledger: a measure, its depth below the top-level measure, and its share of the measure `whole`.

    `added` are the measures of the row that it adds up, if it is not published itself.
    """

    measure: str
    depth: int
    figure: ShownFigure
    bar: BarShape | None
    whole: str
    share: str | None
    added: tuple[str, ...] = ()


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
class PlaceRow:
    """A unit or an area and its line in the table."""

    place: Any
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class CategoryRow:
    """A category, its figure, and its share of the `whole`, all verified children."""

    category: Category
    figure: ShownFigure
    whole: ShownFigure
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
    sums = source.campaign.publication.sums
    cells = {measure: table[row, measure] for measure in table.measures}
    derived = sums_of(cells, sums)
    cells = _in_order(cells, derived, sums)
    wholes = {measure: whole for measure in cells if (whole := _whole(measure, cells, sums))}
    top = max((reach(cell) for cell in cells.values()), default=0)
    start = starts(cells, sums)
    return tuple(
        _Line(
            measure=measure,
            depth=_depth(measure, wholes),
            figure=ShownFigure(f"{table.key}.{row}.{measure}", cell),
            bar=bar_of(cell, top, start[measure]),
            whole=wholes.get(measure, ""),
            share=share_of(cell, cells[wholes[measure]]) if measure in wholes else None,
            added=sums[measure] if measure in derived else (),
        )
        for measure, cell in cells.items()
    )


def _in_order(
    cells: Mapping[str, Cell], derived: Mapping[str, Cell], sums: Mapping[str, tuple[str, ...]]
) -> dict[str, Cell]:
    """Cells by measure, each derived sum just before the first of its parts."""
    found: dict[str, Cell] = {}
    for measure, cell in cells.items():
        found |= {whole: sum_ for whole, sum_ in derived.items() if measure in sums[whole] and whole not in found}
        found[measure] = cell
    return found


def _whole(measure: str, cells: Mapping[str, Cell], sums: Mapping[str, tuple[str, ...]]) -> str:
    """The smallest sum among the cells that has the measure as a part, directly or as a part of a part; else empty."""
    above = next((whole for whole, parts in sums.items() if measure in parts), "")
    return above if above in cells or not above else _whole(above, cells, sums)


def _depth(measure: str, wholes: dict[str, str]) -> int:
    return 1 + _depth(wholes[measure], wholes) if measure in wholes else 0


def deadlines(source: Source) -> tuple[Deadline, ...]:
    """The campaign's two deadlines (M5), each with the progress of what is due by then."""
    campaign, release = source.campaign, source.latest
    city = table_of_kind(release, "city")
    visits = [
        _progress(part, figure(city, CITY, part), figure(city, CITY, whole))
        for part, whole in (("verified", "suspected"), ("returned", "to_return"))
        if {part, whole} <= set(city.measures)
    ]
    dates = (
        ("verification", campaign.verification_due, tuple(visits)),
        ("reports", campaign.reports_due, (_reported(table_of_kind(release, "unit")),)),
    )
    return tuple(Deadline(key, due, (due - release.as_of).days, progress) for key, due, progress in dates)


def _progress(key: str, part: ShownFigure, whole: ShownFigure) -> Progress:
    return Progress(key, part, whole, bar_of(part.cell, reach(whole.cell)), share_of(part.cell, whole.cell))


def _reported(units: ReleasedTable) -> Progress:
    """The share of units that have reported. Whether a unit has reported is public, whatever its figures."""
    done = [row for row in units.rows if has_reported(units, row)]
    counts = [ShownFigure("", exact_cell(len(rows))) for rows in (done, units.rows)]
    return _progress("reported", *counts)


def has_reported(units: ReleasedTable, row: str) -> bool:
    """Whether a unit (a row of the units' table) has reported."""
    return all(units[row, measure].status is not Status.NOT_DUE for measure in units.measures)


def unit_groups(source: Source) -> tuple[tuple[PlaceRow, ...], ...]:
    """The units' table in the release's order (never sorted by a figure), grouped by consecutive units of one kind."""
    table = table_of_kind(source.latest, "unit")
    scales = _scales(table)
    groups: list[list[PlaceRow]] = []
    for row in table.rows:
        unit = source.campaign.unit[row]
        if not groups or groups[-1][0].place.kind != unit.kind:
            groups.append([])
        groups[-1].append(PlaceRow(unit, tuple(_slots(table, row, scales))))
    return tuple(tuple(group) for group in groups)


def area_rows(source: Source) -> tuple[tuple[str, ...], tuple[PlaceRow, ...]]:
    """The measures and lines of the areas' table; both empty if there is none."""
    for table in source.latest.tables:
        if table.kind == "area":
            areas, scales = source.rows("area"), _scales(table)
            rows = (PlaceRow(areas[row], tuple(_slots(table, row, scales))) for row in table.rows)
            return table.measures, tuple(rows)
    return (), ()


def _scales(table: ReleasedTable) -> dict[str, int]:
    """The number of people at full bar width, for each measure of a table."""
    return {measure: scale([table], measure) for measure in table.measures}


def _slots(table: ReleasedTable, row: str, scales: dict[str, int]) -> Iterator[Slot]:
    waiting: list[ShownFigure] = []
    for measure in table.measures:
        one = figure(table, row, measure)
        if one.cell.status is Status.NOT_DUE:
            waiting.append(one)
            continue
        if waiting:
            yield Slot("", tuple(waiting), None)
            waiting = []
        yield Slot(measure, (one,), bar_of(one.cell, scales[measure]))
    if waiting:
        yield Slot("", tuple(waiting), None)


def category_groups(source: Source) -> tuple[tuple[str, tuple[CategoryRow, ...]], ...]:
    """The categories' table by group (deducted, to return), in the campaign's order."""
    table, city = (table_of_kind(source.latest, kind) for kind in ("category", "city"))
    measure = table.measures[0]
    whole = ShownFigure(f"{city.key}.{CITY}.{measure}", city.cells.get((CITY, measure), Cell(Status.NOT_DUE)))
    figures = {code: figure(table, code, measure) for code in table.rows}
    top = max((reach(one.cell) for one in figures.values()), default=0)
    groups: dict[str, list[CategoryRow]] = {}
    for code in table.rows:
        category, one = source.campaign.category[code], figures[code]
        line = CategoryRow(category, one, whole, bar_of(one.cell, top), share_of(one.cell, whole.cell))
        groups.setdefault(category.group, []).append(line)
    return tuple((group, tuple(lines)) for group, lines in groups.items())


def city_shares(source: Source, row: str) -> Iterator[tuple[str, ShownFigure, ShownFigure | None, str | None]]:
    """Each (measure, figure of the unit, of the city or None if not shown, the unit's share of it) of a unit's row."""
    units, city = (table_of_kind(source.latest, kind) for kind in ("unit", "city"))
    for measure in units.measures:
        one = figure(units, row, measure)
        whole = figure(city, CITY, measure) if measure in city.measures else None
        yield measure, one, whole, share_of(one.cell, whole.cell) if whole else None


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
