"""The last check of a closing table: would other tables that fit it have been published in the same way?

The program is public. A reader may run it on every table that fits the published figures and drop those that would
have been published otherwise. So each small count must keep several values in tables that are published alike.
"""

from collections.abc import Mapping

import numpy as np

from etl.proof.attacker import Attacker, ContradictionError
from etl.proof.reader import public_values
from etl.protect.coding import CodingTask, code_table
from etl.protect.draft import ReleaseDay
from etl.protect.room import Span

#: How many values of each small count must be published alike.
LEAST_VALUES = 3
#: Tables that are tried for all counts at once.
_SHARED = 12


def not_reproduced(day: ReleaseDay, table: CodingTask, spans: Mapping[str, Span]) -> list[str]:
    """The ids of small counts of which tables with too few of their values would be published alike."""
    public = [(day.values[cell.id],) * 2 for cell in day.system.cells]
    most = dict(zip(day.system.at, public_values(day.system, public), strict=True))
    found = reproduced(day, table, spans)
    return [cell for cell, values in found.items() if len(values) < min(LEAST_VALUES, most[cell])]


def reproduced(day: ReleaseDay, table: CodingTask, spans: Mapping[str, Span]) -> dict[str, set[int]]:
    """For each small count, by cell id, values that it has in tables that would be published alike."""
    others = _Others(day, table, spans)
    for _ in range(_SHARED if others.values else 0):
        others.try_one({})
    for at, values in others.values.items():
        for value in range(day.campaign.publication.top(day.system.cells[at].row) + 1):
            if len(values) < LEAST_VALUES and value not in values:
                others.try_one({at: (value, value)})
    return {day.system.cells[at].id: values for at, values in others.values.items()}


class _Others:
    """Tables that fit the published figures; `values` are those of each small count in tables published alike."""

    def __init__(self, day: ReleaseDay, table: CodingTask, spans: Mapping[str, Span]) -> None:
        self.day, self.table, cells = day, table, day.system.cells
        public = {cell.id for cell in cells if cell.known}
        self.spans = {cell: span for cell, span in spans.items() if cell not in public}
        top = day.campaign.publication.top
        self.values = {
            at: {day.values[cell.id]}
            for at, cell in enumerate(cells)
            if not cell.known and day.values[cell.id] <= top(cell.row)
        }
        bounds = _bounds(day, table, spans)
        self.reader = Attacker(day.system, [bounds.get(cell.id, (0, None)) for cell in cells])
        self.draw = np.random.default_rng(0)

    def try_one(self, known: Mapping[int, Span]) -> None:
        """Take a random table in which the `known` cells lie within these bounds, and see how it would be published."""
        terms = dict(zip(self.values, self.draw.choice([-1, 1], len(self.values)).tolist(), strict=True))
        with self.reader.knowing(known):
            try:
                found = self.reader.extreme(terms, least=True)
            except ContradictionError:  # there is no such table
                return
        if found is not None and self.spans.items() <= code_table(_like(self.table, self.day, found)).items():
            for at, values in self.values.items():
                values.add(found[at])


def _bounds(day: ReleaseDay, table: CodingTask, spans: Mapping[str, Span]) -> dict[str, Span]:
    found = {cell.id: (day.values[cell.id],) * 2 for cell in day.system.cells if cell.known}
    for cell, (low, high) in [*table.bounds.items(), *spans.items()]:
        least, most = found.get(cell, (low, high))
        found[cell] = max(least, low), min(most, high)
    return found


def _like(table: CodingTask, day: ReleaseDay, found: list[int]) -> CodingTask:
    """The same task for another table."""
    values = {cell.id: found[at] for at, cell in enumerate(day.system.cells)}
    return CodingTask(**{**vars(table), "values": values})
