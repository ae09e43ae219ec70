"""The linear programmes of suppression: other tables that fit, found from the true one by changing what may change.

A table is what a reader must be left to believe in; the cells in which it differs from the true one must be withheld.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import highspy
import numpy as np
import numpy.typing as npt

from etl.proof.geography import Mask
from etl.proof.tables import Need, Range, System

Vector = npt.NDArray[np.float64]
#: A change of a cell that is withheld anyway costs next to nothing, but not nothing: short ways are found first.
FREE = 1e-3
EPSILON = 1e-6


@dataclass(frozen=True)
class Task:
    """What is to be hidden: all needs are of single cells.

    `low` and `high` bound each cell in every table (infinite for no bound). `own` are the cells that a need is of.
    """

    system: System
    values: Vector
    low: Vector
    high: Vector
    needs: Sequence[Need]
    own: Sequence[frozenset[int]]


def task_of(system: System, values: Sequence[int], needs: Sequence[Need], bounds: Sequence[Range]) -> Task:
    """Give the difference of two cells, where a need is of one, a cell of its own: any number, as far as both allow."""
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
    """Finds tables. Each is solved from where the last one ended.

    Numbers need not be whole, which is left to the audit, unless `whole` demands it.
    """

    def __init__(self, task: Task, *, whole: bool = False) -> None:
        """Set up both programmes: over tables, and over priced changes up and down of the true one."""
        self.task = task
        self.whole = whole
        self.size = len(task.system.cells)
        self._free = model_of(task, self.size, 1)
        self._priced = model_of(task, self.size, 2)

    def farthest(self, may_change: Mask, aims: Vector, low: Vector, high: Vector) -> Vector | None:
        """The table in which the sum of cells, each times its aim, is the greatest; None if no table fits.

        `low` and `high` are bounds for this time; cells that may not change stay as they are.
        """
        values = self.task.values
        lower, upper = np.where(may_change, low, values), np.where(may_change, high, values)
        return self._solve(self._free, lower, upper, -aims)

    def cheapest(
        self, prices: Vector, goals: Mapping[int, float], held: Sequence[int] = (), *, exactly: bool = False
    ) -> Vector | None:
        """The table in which some cells reach their goals that costs least by the price of each unit of change.

        Cells of infinite price, and those `held`, stay as they are; goals are met whatever the price, and with
        `exactly` not surpassed. None if there is no such table.
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
    """Rows: equations, then links. Columns: cells; with two ways, their changes up, then their changes down."""
    signs = (1.0, -1.0)[:ways]
    starts, columns, factors = [0], list[int](), list[float]()
    for terms in (
        *({whole: -1.0} | dict.fromkeys(parts, 1.0) for whole, parts in task.system.equations),
        *({later: 1.0, sooner: -1.0} for later, sooner in task.system.links),
    ):
        columns += [cell + way * size for cell in terms for way in range(ways)]
        factors += [factor * sign for factor in terms.values() for sign in signs]
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
