"""The audit against insiders: readers who are one of the units and know their own row exactly."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import numpy as np
import numpy.typing as npt

from etl.proof.attacker import Attacker, ContradictionError, explore

#: Programmes over many counts at once, each with half of the rows held, before the remaining pairs are tried singly.
_SHARED = 24
#: The share of the rows that are held in each of them.
_HELD = 0.5

_Tables = npt.NDArray[np.int64]


class Insiders:
    """Tables found so far, and which rows each of them leaves as they truly are.

    `rows` gives the true counts of each insider's cells, by cell index; `goals` the least number of values that each
    count must keep for every insider whose row it is not in.
    """

    def __init__(self, attacker: Attacker, rows: Mapping[str, Mapping[int, int]], goals: Mapping[int, int]) -> None:
        """No table is found yet. Rows that are public as they are need no look: such an insider knows nothing more."""
        self.attacker = attacker
        self.rows = {
            name: row
            for name, row in rows.items()
            if any(attacker.bounds[at] != (value, value) for at, value in row.items())
        }
        self.cells, self.least = np.array([*goals], dtype=int), np.array([*goals.values()], dtype=int)
        self.others = np.array([[cell not in row for cell in goals] for row in self.rows.values()], dtype=bool)
        self.tables: _Tables = np.empty((0, len(attacker.bounds)), dtype=np.int64)
        self.held = np.empty((len(self.rows), 0), dtype=bool)
        self.misled: list[str] = []

    def add(self, table: Sequence[int] | None) -> None:
        """Add a table; None (no bound) adds nothing."""
        if table is not None:
            one = np.array(table, dtype=np.int64)
            kept = [all(one[at] == value for at, value in row.items()) for row in self.rows.values()]
            self.tables = np.vstack([self.tables, one])
            self.held = np.hstack([self.held, np.array(kept, dtype=bool)[:, None]])

    def left(self) -> npt.NDArray[np.bool_]:
        """Which counts (columns) have too few values yet for which insiders (rows)."""
        found = self.others.copy()
        for at, held in enumerate(self.held):
            if held.any():
                found[at] &= np.ptp(self.tables[held][:, self.cells], axis=0) < self.least - 1
        return found

    def share(self) -> None:
        """Find tables that each serve many counts and many insiders."""
        draw = np.random.default_rng(0)
        for turn in range(_SHARED):
            left = self.left()
            if not left.any():
                return
            known = {
                at: (value, value)
                for row, waits in zip(self.rows.values(), np.atleast_1d(left.any(axis=1)), strict=True)
                if waits and draw.random() < _HELD
                for at, value in row.items()
            }
            cells = self.cells[left.any(axis=0)]
            terms = dict(zip(cells.tolist(), draw.choice([-1, 1], len(cells)).tolist(), strict=True))
            with self.attacker.knowing(known), suppress(ContradictionError):  # all these rows at once may fit no table
                self.add(self.attacker.extreme(terms, least=bool(turn % 2)))

    def narrow(self) -> list[tuple[str, int]]:
        """(insider, cell index) for each count of which that insider can rule out all but too few values."""
        self.share()
        found = []
        for number, (name, row) in enumerate(self.rows.items()):
            left = self.left()[number]
            goals = dict(zip(self.cells[left].tolist(), self.least[left].tolist(), strict=True))
            with self.attacker.knowing({at: (value, value) for at, value in row.items()}):
                try:
                    tables, unmet = explore(self.attacker, goals)
                except ContradictionError:  # no table has this row
                    self.misled.append(name)
                    continue
            for table in tables:
                self.add(table)
            found += [(name, cell) for cell in unmet]
        return found


def _values(attacker: Attacker, row: Mapping[int, int], cell: int, least: int) -> int:
    """How many values of a cell are left to a reader who knows a row; at most `least`."""
    with attacker.knowing({at: (value, value) for at, value in row.items()}):
        low, high = (table[cell] for table in attacker.ends(cell, least))
    return min(high - low + 1, least)


def readable_by_insiders(
    attacker: Attacker,
    rows: Mapping[str, Mapping[int, int]],
    goals: Mapping[int, int],
    before: Callable[[], Attacker] | None = None,
) -> tuple[list[str], list[str]]:
    """Names such as ``0003/xutun.returned, by wawo`` of counts that an insider can infer too closely; the misled.

    `before` makes a reader of what is public without this release's figures: where an insider has too few values from
    that alone, this release must not leave fewer. The misled are insiders whose own row fits no table, so that they see
    that what readers assume of how counts change is false.
    """
    insiders = Insiders(attacker, rows, goals)
    found = insiders.narrow()
    if found and before is not None:
        without = before()
        found = [
            (name, cell)
            for name, cell in found
            if _values(attacker, rows[name], cell, goals[cell]) < _values(without, rows[name], cell, goals[cell])
        ]
    return [f"{attacker.system.cells[cell].id}, by {name}" for name, cell in found], insiders.misled
