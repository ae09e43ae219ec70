"""The audit: what can a reader infer? From the public figures alone, with integer programmes, by code of its own.

Nothing here comes from `secondary`. The reader is taken to know every printed figure, every equation, which units have
reported, and that counts are whole and not negative.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import highspy
import numpy as np

from etl.protect.tables import Need, System

Range = tuple[int, int | None]


@dataclass(frozen=True)
class Failure:
    """A promise that a set of public figures breaks: the quantity's name, what was promised, what can be inferred."""

    quantity: str
    promised: Range
    inferred: Range


class Attacker:
    """A reader's model: one whole number per cell, printed figures fixed."""

    def __init__(self, system: System, printed: Mapping[str, int]) -> None:
        """`printed` gives the public figures by cell id; cells without one are anyone's guess."""
        self.system = system
        self.highs = highspy.Highs()  # type: ignore[no-untyped-call]
        self.highs.setOptionValue("output_flag", False)
        self.highs.setOptionValue("threads", 1)
        for cell in system.cells:
            value = printed.get(cell.id)
            self.highs.addVar(0.0 if value is None else value, highspy.kHighsInf if value is None else value)
        integer = np.full(len(system.cells), highspy.HighsVarType.kInteger)
        self.highs.changeColsIntegrality(len(integer), np.arange(len(integer), dtype=np.int32), integer)
        for total, parts in system.equations:
            columns = np.array([total, *parts], dtype=np.int32)
            self.highs.addRow(0.0, 0.0, len(columns), columns, np.array([-1.0] + [1.0] * len(parts)))

    def infer(self, cell: int, minus: int | None = None) -> Range:
        """The least and the greatest value of a cell (less another); None for no upper bound.

        Raises ValueError if the figures contradict each other.
        """
        terms = {cell: 1} | ({minus: -1} if minus is not None else {})
        low, high = self.extreme(terms, least=True), self.extreme(terms, least=False)
        if low is None:
            raise ValueError("no lower bound")
        return _total(low, terms), None if high is None else _total(high, terms)

    def extreme(self, terms: Mapping[int, int], *, least: bool) -> list[int] | None:
        """A table in which the sum of cells, each with its factor, is the least (or the greatest) that is possible.

        None if there is no bound. Raises ValueError if the figures contradict each other.
        """
        for column, factor in terms.items():
            self.highs.changeColCost(column, float(factor))
        self.highs.changeObjectiveSense(highspy.ObjSense.kMinimize if least else highspy.ObjSense.kMaximize)
        self.highs.run()
        status, found = self.highs.getModelStatus(), self.highs.getSolution().col_value
        for column in terms:
            self.highs.changeColCost(column, 0.0)
        if status in (highspy.HighsModelStatus.kUnbounded, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            return None
        if status != highspy.HighsModelStatus.kOptimal:
            raise ValueError(f"public figures contradict each other ({status.name})")
        return [round(value) for value in found]

    def at_least(self, cell: int, value: int) -> list[int]:
        """A table in which a cell that has no upper bound is this great."""
        low, high = self.highs.getLp().col_lower_[cell], self.highs.getLp().col_upper_[cell]
        self.highs.changeColBounds(cell, float(value), high)
        try:
            table = self.extreme({cell: 1}, least=True)
        finally:
            self.highs.changeColBounds(cell, low, high)
        if table is None:
            raise ValueError("no lower bound")
        return table


def _total(table: Sequence[int], terms: Mapping[int, int]) -> int:
    return sum(factor * table[cell] for cell, factor in terms.items())


def infer_ranges(attacker: Attacker, cells: Iterable[int]) -> dict[str, Range]:
    """What a reader can infer of each cell, by its id."""
    return {attacker.system.cells[cell].id: attacker.infer(cell) for cell in cells}


def broken_promises(attacker: Attacker, needs: Sequence[Need]) -> list[Failure]:
    """Needs that the public figures do not meet: an end that the reader can rule out."""
    failures = []
    for need in needs:
        low, high = attacker.infer(need.cell, need.minus)
        if low > need.low or (high is not None and high < need.high):
            name = attacker.system.cells[need.cell].id
            if need.minus is not None:
                name += f" - {attacker.system.cells[need.minus].id}"
            failures.append(Failure(name, (need.low, need.high), (low, high)))
    return failures
