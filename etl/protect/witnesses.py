"""Which tables show what: for each need, whether its ends are reached, and reached without moving each loner.

A loner is a count of one or two: whoever is counted there may know it. An end of a need is met if one table reaches it
and, for each loner, one of the tables that reach it leaves that loner as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from etl.proof.geography import Mask
from etl.protect.programme import EPSILON, Task, Vector

#: The two ends of a need, as indices.
LOW, HIGH = 0, 1
#: Tables that are looked at together: few enough to stay in the processor's cache.
CHUNK = 32
#: An end that is not met: (need, end, loner by its number or None).
Left = tuple[int, int, int | None]


@dataclass(frozen=True)
class Witness:
    """A table; its values of the needs' cells and the ends that these reach; the loners that it moves, packed."""

    table: Vector
    values: Vector
    reached: Mask
    moved: npt.NDArray[np.uint8]


@dataclass
class Witnesses:
    """Tables found so far. `loners` are cells by index.

    `lowered` are goals, by what is left, of ends that no table reaches that leaves a loner alone, though all cells may
    change: what was told before tells as much.
    """

    task: Task
    loners: Sequence[int]
    found: list[Witness] = field(default_factory=list)
    lowered: dict[tuple[int, int, int], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Look up cells and goals once."""
        self.cells = np.array([need.cell for need in self.task.needs], dtype=int)
        self.goals = np.array([(need.low, need.high) for need in self.task.needs], dtype=float).reshape(-1, 2)
        others = [[loner not in own for loner in self.loners] for own in self.task.own]
        once = np.packbits(np.array(others, dtype=bool).reshape(len(self.cells), len(self.loners)), axis=1)
        self.others = np.stack([once, once], axis=1)
        self.start_over([])

    def start_over(self, found: Sequence[Witness]) -> None:
        """Forget all tables but these."""
        self.found = []
        self.unreached: Mask = np.ones((len(self.cells), 2), dtype=bool)
        self.always = self.others.copy()
        for at in range(0, len(found), CHUNK):
            self._take(found[at : at + CHUNK])

    def left(self) -> int:
        """How much is not met."""
        return int(self.unreached.sum()) + int(np.bitwise_count(self.always).sum())

    def add(self, table: Vector) -> None:
        """Take in a table."""
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
        """A loner's goal is nearer than the need's."""
        self.lowered[need, end, loner] = goal

    def goal(self, left: Left) -> float:
        """The value that a need's cell must reach."""
        need, end, loner = left
        usual = float(self.goals[need, end])
        return usual if loner is None else self.lowered.get((need, end, loner), usual)

    def without(self, cell: int) -> list[Witness]:
        """The tables that leave a cell as it is."""
        return [one for one in self.found if abs(one.table[cell] - self.task.values[cell]) <= EPSILON]

    def open_ends(self) -> Mask:
        """Needs by end: whether anything is left."""
        return self.unreached | self.always.any(axis=2)

    def first_left(self) -> Left | None:
        """Something that is not met, the farthest goal first; None if all is."""
        ends = np.argwhere(self.open_ends())
        if not len(ends):
            return None
        away = np.abs(self.goals[ends[:, 0], ends[:, 1]] - self.task.values[self.cells[ends[:, 0]]])
        need, end = (int(number) for number in ends[np.argmax(away)])
        if self.unreached[need, end]:
            return need, end, None
        return need, end, int(np.flatnonzero(np.unpackbits(self.always[need, end]))[0])

    def fewest(self, prices: Vector) -> list[Vector]:
        """Tables that meet all needs (those of loners apart), chosen one by one: most needs for the least new price."""
        if not self.found:
            return []
        reached = np.array([one.reached.reshape(-1) for one in self.found])
        moves = np.array([np.abs(one.table - self.task.values) > EPSILON for one in self.found])
        left, chosen = reached.any(axis=0), list[int]()
        while left.any():
            new = moves & ~moves[chosen].any(axis=0)
            gain = (reached & left).sum(axis=1) / (1 + np.where(new, prices, 0).sum(axis=1))
            chosen.append(int(np.argmax(gain)))
            left &= ~reached[chosen[-1]]
        return [self.found[at].table for at in chosen]

    def loners_left(self) -> Mask:
        """Loners for whom something is left."""
        bits = np.bitwise_or.reduce(self.always, axis=(0, 1))
        return np.unpackbits(bits)[: len(self.loners)].astype(bool)
