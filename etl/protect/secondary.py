"""Secondary suppression: for each need, the cheapest other table that a reader must be left to believe in.

After Fischetti and Salazar (2001), heuristically: for each end of each need a linear programme finds the cheapest
change of the true table that reaches it; the printed cells that it changes are withheld, and free for later needs.
Then every withheld cell that no need requires is printed again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import highspy
import numpy as np

from etl.findings import FuxueError
from etl.protect.tables import Need, System

#: A change of a cell that is withheld anyway costs next to nothing, but not nothing: short ways are found first.
FREE = 1e-3
EPSILON = 1e-6


@dataclass
class _Model:
    """The programme over changes d = up − down of every cell; one row per equation, then one per need."""

    system: System
    values: Sequence[int]
    needs: Sequence[Need]
    highs: highspy.Highs = field(init=False)

    def __post_init__(self) -> None:
        n, self.highs = len(self.system.cells), highspy.Highs()  # type: ignore[no-untyped-call]
        self.highs.setOptionValue("output_flag", False)
        self.highs.setOptionValue("threads", 1)
        self.infinite = highspy.kHighsInf
        for _ in range(2 * n):
            self.highs.addVar(0.0, 0.0)
        for total, parts in self.system.equations:
            self._row({total: -1.0} | dict.fromkeys(parts, 1.0), 0.0, 0.0)
        self.first_need = len(self.system.equations)
        for need in self.needs:
            terms = {need.cell: 1.0} | ({need.minus: -1.0} if need.minus is not None else {})
            self._row(terms, -self.infinite, self.infinite)

    def _row(self, terms: dict[int, float], low: float, high: float) -> None:
        n = len(self.system.cells)
        columns = [*terms, *(index + n for index in terms)]
        factors = [*terms.values(), *(-factor for factor in terms.values())]
        self.highs.addRow(low, high, len(columns), np.array(columns, dtype=np.int32), np.array(factors))

    def open(self, cell: int, cost: float) -> None:
        """Let a cell change, at a cost per unit of change."""
        n = len(self.system.cells)
        for column, bound in ((cell, self.infinite), (cell + n, float(self.values[cell]))):
            self.highs.changeColBounds(column, 0.0, bound)
            self.highs.changeColCost(column, cost)

    def close(self, cell: int) -> None:
        """Hold a cell at its true value."""
        n = len(self.system.cells)
        self.highs.changeColBounds(cell, 0.0, 0.0)
        self.highs.changeColBounds(cell + n, 0.0, 0.0)

    def solve(self, need: int, end: str) -> list[int] | None:
        """Indices of the cells that the cheapest other table changes, or None if there is none."""
        wanted = self.needs[need]
        value = self.values[wanted.cell] - (self.values[wanted.minus] if wanted.minus is not None else 0)
        low, high = (-self.infinite, wanted.low - value) if end == "low" else (wanted.high - value, self.infinite)
        row = self.first_need + need
        self.highs.changeRowBounds(row, low, high)
        self.highs.run()
        solved = self.highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
        solution = np.array(self.highs.getSolution().col_value) if solved else None
        self.highs.changeRowBounds(row, -self.infinite, self.infinite)
        if solution is None:
            return None
        n = len(self.system.cells)
        return [int(index) for index in np.flatnonzero(np.abs(solution[:n] - solution[n:]) > EPSILON)]


def suppress(system: System, values: Sequence[int], needs: Sequence[Need]) -> set[int]:
    """Indices of the printed cells to withhold. FuxueError if a need cannot be met at all (too few to hide among)."""
    model = _Model(system, values, needs)
    printed = {index for index, cell in enumerate(system.cells) if cell.weight is not None and not cell.known}
    for index, found in enumerate(system.cells):
        if not found.known:
            # Small cells cost little: the reader loses least, and the fewer cells move, the more stay printed.
            model.open(index, FREE if found.weight is None else found.weight * (1.0 + np.log1p(values[index])))
    withheld: set[int] = set()
    supports: dict[tuple[int, str], list[int]] = {}
    # The widest needs first: what they withhold often serves the others.
    for need in sorted(range(len(needs)), key=lambda at: (-needs[at].high, at)):
        for end in ("low", "high"):
            support = model.solve(need, end)
            if support is None:
                raise FuxueError("protect.impossible", cell=system.cells[needs[need].cell].id, code=3)
            supports[need, end] = support
            for cell in printed.intersection(support) - withheld:
                withheld.add(cell)
                model.open(cell, FREE)
    for cell in printed - withheld:
        model.close(cell)
    return _prune(model, withheld, supports)


def _prune(model: _Model, withheld: set[int], supports: dict[tuple[int, str], list[int]]) -> set[int]:
    """Print again, dearest first, what no need requires."""
    cells, values = model.system.cells, model.values
    for cell in sorted(withheld, key=lambda at: (-(cells[at].weight or 0), -values[at], at)):
        using = [key for key, support in supports.items() if cell in support]
        model.close(cell)
        others: dict[tuple[int, str], list[int]] = {}
        for need, end in using:
            support = model.solve(need, end)
            if support is None:
                model.open(cell, FREE)
                break
            others[need, end] = support
        else:
            supports.update(others)
            withheld = withheld - {cell}
    return withheld
