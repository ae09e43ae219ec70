"""The witnesses found so far, and which ends of which needs they meet.

A loner is a count of one or two, which may be known to the family that is counted. An end of a need is met if a table
reaches it and if, for each loner, one of the tables that reach it leaves that loner unchanged.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bench.disclosure.suppression.programme import EPSILON, Mask, Task, Vector

#: The two ends of a need, as indices.
LOW, HIGH = 0, 1
#: The number of tables evaluated together: few enough to fit into the processor's cache.
CHUNK = 32
#: An unmet end: (index of the need, end, index in `loners` or None if no table reaches the end at all).
Left = tuple[int, int, int | None]


@dataclass(frozen=True)
class Witness:
    """A table (one value per cell).

    `values` are those of the needs' cells; `reached` (needs × 2) says which ends they reach; `moved` are the loners
    that the table changes, as packed bits.
    """

    table: Vector
    values: Vector
    reached: Mask
    moved: npt.NDArray[np.uint8]


@dataclass
class Witnesses:
    """The tables found so far; `loners` are cell indices.

    `lowered` are goals by (need, end, loner) where no table that leaves the loner unchanged reaches the end, even if
    all other cells change: what was published before already rules it out.
    """

    task: Task
    loners: Sequence[int]
    found: list[Witness] = field(default_factory=list)
    lowered: dict[tuple[int, int, int], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Prepare arrays of the needs' cells and goals, and of which loners matter for which need."""
        self.cells = np.array([need.cell for need in self.task.needs], dtype=int)
        self.goals = np.array([(need.low, need.high) for need in self.task.needs], dtype=float).reshape(-1, 2)
        others = [[loner not in own for loner in self.loners] for own in self.task.own]
        once = np.packbits(np.array(others, dtype=bool).reshape(len(self.cells), len(self.loners)), axis=1)
        self.others = np.stack([once, once], axis=1)
        self.start_over([])

    def start_over(self, found: Sequence[Witness]) -> None:
        """Forget all tables except these."""
        self.found = []
        self.unreached: Mask = np.ones((len(self.cells), 2), dtype=bool)
        self.always = self.others.copy()
        for at in range(0, len(found), CHUNK):
            self._take(found[at : at + CHUNK])

    def left(self) -> int:
        """The number of unmet ends, with and without loners."""
        return int(self.unreached.sum()) + int(np.bitwise_count(self.always).sum())

    def add(self, table: Vector) -> None:
        """Add a table (one value per cell)."""
        at = table[self.cells]
        reached = np.stack([at <= self.goals[:, LOW] + EPSILON, at >= self.goals[:, HIGH] - EPSILON], axis=1)
        moved = np.abs(table[list(self.loners)] - self.task.values[list(self.loners)]) > EPSILON
        self._take([Witness(table, at, reached, np.packbits(moved))])

    def _take(self, found: Sequence[Witness]) -> None:
        self.found += found
        reached = np.stack([witness.reached for witness in found])
        moved = np.stack([witness.moved for witness in found])
        self.unreached &= ~reached.any(axis=0)
        self.always &= np.bitwise_and.reduce(np.where(reached[..., None], moved[:, None, None], np.uint8(255)), axis=0)
        if self.lowered:
            need, end, loner = np.array(list(self.lowered), dtype=int).T
            values = np.stack([witness.values for witness in found])[:, need]
            away = (np.array(list(self.lowered.values())) - values) * (1 - 2 * end)
            byte, bit = loner // 8, (128 >> loner % 8).astype(np.uint8)
            served = ((away >= -EPSILON) & (moved[:, byte] & bit == 0)).any(axis=0)
            np.bitwise_and.at(self.always, (need[served], end[served], byte[served]), ~bit[served])

    def lower(self, need: int, end: int, loner: int, goal: float) -> None:
        """Set a goal for an end and a loner that is nearer than the need's own."""
        self.lowered[need, end, loner] = goal

    def goal(self, left: Left) -> float:
        """The value that the need's cell must reach for an unmet end."""
        need, end, loner = left
        usual = float(self.goals[need, end])
        return usual if loner is None else self.lowered.get((need, end, loner), usual)

    def without(self, cell: int) -> list[Witness]:
        """The tables that leave a cell unchanged."""
        return [one for one in self.found if abs(one.table[cell] - self.task.values[cell]) <= EPSILON]

    def open_ends(self) -> Mask:
        """Which ends of which needs (needs × 2) are unmet, for any loner or without."""
        return self.unreached | self.always.any(axis=2)

    def first_left(self) -> Left | None:
        """The unmet end whose goal is farthest from the true value; None if all ends are met."""
        ends = np.argwhere(self.open_ends())
        if not len(ends):
            return None
        away = np.abs(self.goals[ends[:, 0], ends[:, 1]] - self.task.values[self.cells[ends[:, 0]]])
        need, end = (int(number) for number in ends[np.argmax(away)])
        if self.unreached[need, end]:
            return need, end, None
        return need, end, int(np.flatnonzero(np.unpackbits(self.always[need, end]))[0])

    def loners_left(self) -> Mask:
        """A mask of the loners that have an unmet end."""
        bits = np.bitwise_or.reduce(self.always, axis=(0, 1))
        return np.unpackbits(bits)[: len(self.loners)].astype(bool)
