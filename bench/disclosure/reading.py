"""What a reader of one table can infer, whatever the method that protected it; and how many results are summed up."""

import statistics
from collections.abc import Mapping, Sequence

import numpy as np

from etl.proof.attacker import Attacker, explore
from etl.proof.insiders import readable_by_insiders
from etl.protect.draft import ReleaseDay
from etl.protect.room import Span


def reader_of_table(day: ReleaseDay, figures: Mapping[str, Span | None]) -> Attacker:
    """The reader of a day's table who has `figures` (by cell id, None if withheld) and knows what is public anyway."""
    known = {cell.id: (day.values[cell.id],) * 2 for cell in day.system.cells if cell.known}
    return Attacker(day.system, [known.get(cell.id, figures.get(cell.id) or (0, None)) for cell in day.system.cells])


def small_counts(day: ReleaseDay) -> dict[int, int]:
    """The small counts of a day by cell index, each with the number of values that it must keep: 0 to `top`."""
    top = day.campaign.publication.top
    return {
        at: top(cell.row) + 1
        for at, cell in enumerate(day.system.cells)
        if not cell.known and day.values[cell.id] <= top(cell.row)
    }


def broken(day: ReleaseDay, reader: Attacker) -> list[str]:
    """Small counts that a reader does not have to take for anything from 0 to `top`."""
    small = small_counts(day)
    tables, unmet = explore(reader, small)
    least = np.array(tables).min(axis=0, initial=10**9) if tables else np.full(len(day.system.cells), 10**9)
    return [day.system.cells[at].id for at in small if at in unmet or (least[at] > 0 and reader.infer(at)[0] > 0)]


def broken_for_insiders(day: ReleaseDay, reader: Attacker) -> list[str]:
    """Small counts that one of the units, knowing its own row, can infer more closely than 0 to `top`."""
    rows: dict[str, dict[int, int]] = {}
    for at, cell in enumerate(day.system.cells):
        if cell.kind == "unit" and not cell.known:
            rows.setdefault(cell.row, {})[at] = day.values[cell.id]
    return readable_by_insiders(reader, rows, small_counts(day))[0]


def widths(day: ReleaseDay, reader: Attacker) -> dict[str, int]:
    """How far each count of the day can move for a reader, by cell id."""
    ranges = {cell.id: reader.infer(at) for at, cell in enumerate(day.system.cells)}
    return {cell: (10**6 if high is None else high) - low for cell, (low, high) in ranges.items()}


def of_interest(day: ReleaseDay) -> list[str]:
    """The counts that the tables print, and each unit's to return, which follows from them; none of them twice."""
    return [cell.id for cell in day.system.cells if cell.printed or (cell.kind, cell.measure) == ("unit", "to_return")]


def spread(values: Sequence[float]) -> str:
    """Median, least and greatest of measured values, in words."""
    return f"median {statistics.median(values):.4g}, {min(values):.4g} to {max(values):.4g}"
