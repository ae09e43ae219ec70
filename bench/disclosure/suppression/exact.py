"""Exact secondary suppression by cutting planes: the cheapest pattern, or a bound on how far the result is from it.

After Fischetti and Salazar-González (2001, Management Science 47). A pattern is 0 or 1 for each cell that may be
withheld. A linear programme over tables shows whether a pattern meets an end of a need. If not, the dual of this
programme gives an inequality (cut) that every valid pattern satisfies. Cuts are first collected for fractional
patterns, which gives a lower bound on the cost, then for whole ones. Tables may have fractions here; the audit later
requires whole numbers.
"""

import hmac
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import highspy
import numpy as np

from bench.disclosure.suppression.priced import Need, Priced, Range
from bench.disclosure.suppression.programme import EPSILON, Mask, Task, Vector, model_of, task_of
from bench.disclosure.suppression.secondary import prices_of, suppress
from bench.disclosure.suppression.witnesses import HIGH

#: The share of the distance to the goal by which a pattern must fail; if it fails by less, no inequality is made.
WORTH = 1e-3
#: A cell without an upper bound may grow by this many times the distance; the inequality treats it as unbounded.
REACH = 2.0
#: An inequality: factors by cell index, and the least that the weighted sum of the pattern must be.
Cut = tuple[Mapping[int, float], float]


@dataclass(frozen=True)
class Pattern:
    """Cells to withhold, their cost by `prices_of`, and a lower bound on the cost of every valid pattern."""

    withheld: frozenset[int]
    cost: float
    bound: float


@dataclass
class _Separator:
    """Finds inequalities that a pattern violates."""

    task: Task

    def __post_init__(self) -> None:
        self.size = len(self.task.values)
        self.model = model_of(self.task, self.size, 1)
        self.every = np.arange(self.size, dtype=np.int32)
        self.slack = np.array([self.task.values[a] - self.task.values[b] for a, b in self.task.system.links])
        self.goals = np.array([(need.low, need.high) for need in self.task.needs], dtype=float).reshape(-1, 2)
        self.cells = np.array([need.cell for need in self.task.needs], dtype=int)

    def cuts(self, opened: Vector, draw: np.random.Generator, deadline: float) -> Iterator[Cut]:
        """An inequality for each unmet end; `opened` gives the share (0 to 1) of its range that each cell may use."""
        for need, end in self._doubtful(opened, draw):
            if time.monotonic() > deadline:
                return
            if (cut := self._cut(need, end, opened)) is not None:
                yield cut

    def _bounds(self, opened: Vector, distance: float) -> tuple[Vector, Vector]:
        values = self.task.values
        up = np.where(np.isinf(self.task.high), REACH * distance, self.task.high - values)
        return values - (values - self.task.low) * opened, values + up * opened

    def _run(self, lower: Vector, upper: Vector, cost: Vector) -> Vector:
        self.model.changeColsBounds(self.size, self.every, lower, upper)
        self.model.changeColsCost(self.size, self.every, cost)
        self.model.run()
        if self.model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise ValueError("the true table does not fit")
        return np.array(self.model.getSolution().col_value)

    def _doubtful(self, opened: Vector, draw: np.random.Generator) -> list[tuple[int, int]]:
        """The (need, end) pairs that none of a few tables, each made to serve many ends, reaches."""
        ends = np.argwhere(np.abs(self.goals - self.task.values[self.cells][:, None]) > EPSILON)
        for _ in range(12):
            goals = self.goals[ends[:, 0], ends[:, 1]]
            cells = self.cells[ends[:, 0]]
            away = goals - self.task.values[cells]
            lower, upper = self._bounds(opened, float(np.abs(away).max(initial=1.0)))
            chosen = draw.random(len(ends)) < 0.5
            cost = np.zeros(self.size)
            cost[cells[chosen]] = -1 / away[chosen]
            np.minimum.at(upper, cells[chosen & (away > 0)], goals[chosen & (away > 0)])
            np.maximum.at(lower, cells[chosen & (away < 0)], goals[chosen & (away < 0)])
            found = self._run(np.minimum(lower, upper), upper, cost)[cells]
            missed = np.where(away < 0, found > goals + EPSILON, found < goals - EPSILON)
            ends = ends[missed]
            if not len(ends):
                break
        return [(int(need), int(end)) for need, end in ends]

    def _cut(self, need: int, end: int, opened: Vector) -> Cut | None:
        cell, direction = int(self.cells[need]), 1.0 if end == HIGH else -1.0
        distance = abs(float(self.goals[need, end] - self.task.values[cell]))
        lower, upper = self._bounds(opened, distance)
        cost = np.zeros(self.size)
        cost[cell] = -direction
        found = self._run(lower, upper, cost)
        if (found[cell] - self.task.values[cell]) * direction >= distance * (1 - WORTH):
            return None
        solution = self.model.getSolution()
        dual, rows = np.array(solution.col_dual), np.array(solution.row_dual)
        given = float(rows[len(rows) - len(self.slack) :] @ self.slack) if len(self.slack) else 0.0
        up = np.where(np.isinf(self.task.high), np.inf, self.task.high - self.task.values)
        with np.errstate(invalid="ignore"):
            gain = np.where(dual < -EPSILON, -dual * up, 0) + np.where(
                dual > EPSILON, dual * (self.task.values - self.task.low), 0
            )
        factors = np.minimum(gain, distance - given) / (distance - given)
        return {int(at): float(factors[at]) for at in np.flatnonzero(factors > EPSILON)}, 1.0


@dataclass
class _Master:
    """The programme over patterns: the cheapest one that satisfies all inequalities so far."""

    prices: Vector
    choices: Sequence[int]

    def __post_init__(self) -> None:
        self.at = {cell: column for column, cell in enumerate(self.choices)}
        self.model = highspy.Highs()  # type: ignore[no-untyped-call]
        self.model.setOptionValue("output_flag", False)
        self.model.setOptionValue("threads", 1)
        for cell in self.choices:
            self.model.addCol(float(self.prices[cell]), 0.0, 1.0, 0, np.array([], dtype=np.int32), np.array([]))

    def add(self, cut: Cut, free: Mask) -> bool:
        """Add an inequality, unless `free` cells satisfy it or no choice is in it; return whether it was added."""
        factors, least = cut
        least -= sum(factor for cell, factor in factors.items() if free[cell])
        terms = {self.at[cell]: factor for cell, factor in factors.items() if cell in self.at}
        if least <= EPSILON or not terms:
            return False
        columns = np.array(list(terms), dtype=np.int32)
        self.model.addRow(least, highspy.kHighsInf, len(terms), columns, np.array(list(terms.values())))
        return True

    def solve(self, *, whole: bool, seconds: float) -> tuple[Vector, float]:
        """The best pattern found in `seconds` (a share by column, 0 or 1 if `whole`), and a lower bound on the cost."""
        kind = highspy.HighsVarType.kInteger if whole else highspy.HighsVarType.kContinuous
        columns = np.arange(len(self.choices), dtype=np.int32)
        self.model.changeColsIntegrality(len(columns), columns, np.full(len(columns), kind))
        self.model.setOptionValue("time_limit", self.model.getRunTime() + max(seconds, 0.1))
        self.model.run()
        info = self.model.getInfo()
        found = np.array(self.model.getSolution().col_value)
        return found, float(info.mip_dual_bound if whole else info.objective_function_value)


@dataclass
class _Search:
    """Collects inequalities, first for fractional patterns, then for whole ones."""

    separator: _Separator
    master: _Master
    free: Mask
    deadline: float
    draw: np.random.Generator
    bound: float = 0.0

    def patterns(self) -> Iterator[list[int]]:
        """Patterns (cell indices), each satisfying more cuts than the last; the final one is valid if time suffices."""
        opened, whole = self._solve(whole=False), False
        while opened is not None:
            found = [self.master.add(cut, self.free) for cut in self.separator.cuts(opened, self.draw, self.deadline)]
            if time.monotonic() > self.deadline:
                return
            if whole or not any(found):
                yield np.flatnonzero((opened > 0.5) & ~self.free).tolist()
                if whole and not any(found):
                    return
                whole = True
            opened = self._solve(whole=whole)

    def _solve(self, *, whole: bool) -> Vector | None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            return None
        found, bound = self.master.solve(whole=whole, seconds=left)
        self.bound = max(self.bound, bound)
        if len(found) != len(self.master.choices):
            return None
        opened = self.free.astype(float)
        opened[self.master.choices] = np.clip(np.round(found) if whole else found, 0, 1)
        return opened


def suppress_exactly(
    system: Priced,
    values: Sequence[int],
    needs: Sequence[Need],
    bounds: Sequence[Range] = (),
    secret: bytes = b"",
    seconds: float = 30.0,
) -> Pattern:
    """The cheapest pattern that meets all needs, or the best one found in `seconds`; loners are not considered.

    The other parameters are those of `secondary.suppress`. Raises FuxueError if a need cannot be met at all.
    """
    deadline = time.monotonic() + seconds
    task = task_of(system, values, needs, bounds)
    prices = prices_of(task.system, [int(value) for value in task.values], secret)
    printed = np.array([cell.weight is not None and not cell.known for cell in task.system.cells])
    must = np.zeros(len(printed), dtype=bool)
    must[[need.cell for need in task.needs]] = True

    def cost(pattern: Iterable[int]) -> float:
        return sum(float(prices[cell]) for cell in sorted(pattern) if not must[cell])

    best = suppress(system, values, needs, bounds, secret)
    master = _Master(prices, np.flatnonzero(printed & ~must).tolist())
    draw = np.random.default_rng(list(hmac.digest(secret, b"exact", "sha256")))
    search = _Search(_Separator(task), master, np.isfinite(prices) & (~printed | must), deadline, draw)
    for start in search.patterns():
        best = min(best, suppress(system, values, needs, bounds, secret, start=start), key=cost)
    return Pattern(frozenset(best), cost(best), min(search.bound, cost(best)))
