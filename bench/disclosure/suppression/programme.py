"""The linear programmes of suppression: they change the true table into other tables that satisfy all equations.

For a reader to consider such a table possible, the cells in which it differs from the true one must be withheld.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import highspy
import numpy as np
import numpy.typing as npt

from bench.disclosure.suppression.priced import Need, Priced, Range

Vector = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
#: The price of a cell that is withheld anyway: tiny, but not 0, so that tables with few changes are preferred.
FREE = 1e-3
#: Numbers that differ by no more than this count as equal.
EPSILON = 1e-6


@dataclass(frozen=True)
class Task:
    """What is to be hidden. Every need concerns a single cell; a difference of two cells has a cell of its own.

    `low` and `high` bound each cell in every table (infinite for no bound). `own` gives the original cells of each
    need.
    """

    system: Priced
    values: Vector
    low: Vector
    high: Vector
    needs: Sequence[Need]
    own: Sequence[frozenset[int]]


def task_of(system: Priced, values: Sequence[int], needs: Sequence[Need], bounds: Sequence[Range]) -> Task:
    """A task in which each difference that a need concerns is an additional, unbounded cell with its own equation."""
    cells, equations, plain = list(system.cells), list(system.equations), []
    for need in needs:
        if need.minus is not None:
            equations.append((need.cell, (need.minus, len(cells))))
            cells.append(replace(cells[need.cell], id=f"{cells[need.cell].id} - {cells[need.minus].id}", weight=None))
            need = replace(need, cell=len(cells) - 1, minus=None)
        plain.append(need)
    ranges = [*(bounds or [(0, None)] * len(values))]
    differences = [values[need.cell] - values[need.minus] for need in needs if need.minus is not None]
    none = [np.inf] * len(differences)
    return Task(
        replace(system, cells=tuple(cells), equations=tuple(equations)),
        np.array([*values, *differences], dtype=float),
        np.array([*(low for low, _ in ranges), *(-end for end in none)], dtype=float),
        np.array([*(np.inf if high is None else high for _, high in ranges), *none], dtype=float),
        plain,
        [frozenset(at for at in (need.cell, need.minus) if at is not None) for need in needs],
    )


class Programme:
    """Finds tables; each search starts from the solution of the last one.

    Values may be fractions unless `whole`; the audit later requires whole numbers.
    """

    def __init__(self, task: Task, *, whole: bool = False) -> None:
        """Set up both programmes: one over tables, one over priced increases and decreases of the true table."""
        self.task = task
        self.whole = whole
        self.size = len(task.system.cells)
        self._free = model_of(task, self.size, 1)
        self._priced = model_of(task, self.size, 2)

    def farthest(self, may_change: Mask, aims: Vector, low: Vector, high: Vector) -> Vector | None:
        """The table that maximises the sum of cells weighted by `aims`; None if no table fits.

        `low` and `high` bound the cells in this search; cells outside `may_change` keep their true values.
        """
        values = self.task.values
        lower, upper = np.where(may_change, low, values), np.where(may_change, high, values)
        return self._solve(self._free, lower, upper, -aims)

    def cheapest(
        self, prices: Vector, goals: Mapping[int, float], held: Sequence[int] = (), *, exactly: bool = False
    ) -> Vector | None:
        """The cheapest table in which cells reach their `goals` (by cell index); None if there is none.

        A unit of change of a cell costs its price. Cells of infinite price and those `held` keep their values, except
        cells with a goal. With `exactly`, a goal must not be exceeded.
        """
        values = self.task.values
        may_change = np.isfinite(prices)
        may_change[list(held)] = False
        cost = np.where(may_change, prices, 0.0)
        may_change[list(goals)] = True
        lower = np.zeros(2 * self.size)
        upper = np.concatenate(
            [np.where(may_change, most, 0.0) for most in (self.task.high - values, values - self.task.low)]
        )
        for cell, goal in goals.items():
            away = goal - values[cell]
            column, other = (cell, cell + self.size) if away > 0 else (cell + self.size, cell)
            upper[other] = 0.0
            if abs(away) > upper[column]:
                return None
            lower[column] = abs(away)
            upper[column] = abs(away) if exactly else upper[column]
        found = self._solve(self._priced, lower, upper, np.concatenate([cost, cost]))
        return None if found is None else values + found[: self.size] - found[self.size :]

    def _solve(self, model: highspy.Highs, lower: Vector, upper: Vector, cost: Vector) -> Vector | None:
        every = np.arange(len(cost), dtype=np.int32)
        model.changeColsBounds(len(cost), every, lower, upper)
        model.changeColsCost(len(cost), every, cost)
        found = _run(model)
        if self.whole and found is not None and (np.abs(found - np.rint(found)) > EPSILON).any():
            model.changeColsIntegrality(len(cost), every, np.full(len(cost), highspy.HighsVarType.kInteger))
            found = _run(model)
            model.changeColsIntegrality(len(cost), every, np.full(len(cost), highspy.HighsVarType.kContinuous))
        return np.rint(found) if self.whole and found is not None else found


def model_of(task: Task, size: int, ways: int) -> highspy.Highs:
    """The constraint rows are the equations, then the links. `size` is the number of cells.

    With 1 way the columns are the cells; with 2 they are each cell's increase, then each cell's decrease.
    """
    directions = (1.0, -1.0)[:ways]
    starts, columns, factors = [0], list[int](), list[float]()
    for terms in (
        *({whole: -1.0} | dict.fromkeys(parts, 1.0) for whole, parts in task.system.equations),
        *({later: 1.0, sooner: -1.0} for later, sooner in task.system.links),
    ):
        columns += [cell + way * size for cell in terms for way in range(ways)]
        factors += [factor * direction for factor in terms.values() for direction in directions]
        starts.append(len(columns))
    model = highspy.Highs()  # type: ignore[no-untyped-call]
    model.setOptionValue("output_flag", False)
    model.setOptionValue("threads", 1)
    programme = highspy.HighsLp()
    programme.num_col_, programme.num_row_ = ways * size, len(starts) - 1
    programme.col_cost_ = programme.col_lower_ = programme.col_upper_ = np.zeros(ways * size)
    linked = [task.values[sooner] - task.values[later] if ways > 1 else 0.0 for later, sooner in task.system.links]
    nothing = [0.0] * len(task.system.equations)
    programme.row_lower_ = np.array([*nothing, *linked])
    programme.row_upper_ = np.array([*nothing, *[highspy.kHighsInf] * len(linked)])
    programme.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    programme.a_matrix_.start_ = np.array(starts, dtype=np.int32)
    programme.a_matrix_.index_ = np.array(columns, dtype=np.int32)
    programme.a_matrix_.value_ = np.array(factors)
    model.passModel(programme)
    return model


def _run(model: highspy.Highs) -> Vector | None:
    model.run()
    if model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return np.array(model.getSolution().col_value)
