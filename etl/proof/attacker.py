"""The audit: what a reader can infer from the published figures alone, computed by integer programming.

It shares no code with `etl/protect`. The reader is assumed to know every published figure, every equation, which
units have reported, and that counts are whole and not negative.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import highspy
import numpy as np

from etl.proof.tables import Need, Range, System

#: A solution within this distance of a whole number counts as whole.
_EPSILON = 1e-6


@dataclass(frozen=True)
class Failure:
    """A promise that published figures break: the quantity, the range that was promised, the narrower one inferred."""

    quantity: str
    promised: Range
    inferred: tuple[int | None, int | None]


class Attacker:
    """A reader's model: one whole number per cell, within the bounds that the published figures set.

    A programme is first solved over real numbers, starting from the last solution; only if the result is not whole, it
    is solved again over whole numbers.
    """

    def __init__(self, system: System, published: Mapping[str, Range]) -> None:
        """`published` gives (least, greatest) by cell id, equal for an exact figure; other cells are 0 or more."""
        self.system = system
        self.bounds: list[Range] = [published.get(cell.id, (0, None)) for cell in system.cells]
        self.linear = _model(system, self.bounds)
        self.linear.setOptionValue("presolve", "off")  # presolve cannot distinguish "no bound" from "no solution"

    @cached_property
    def whole(self) -> highspy.Highs:
        """The same model over whole numbers."""
        model = _model(self.system, self.bounds)
        model.changeColsIntegrality(
            len(self.bounds),
            np.arange(len(self.bounds), dtype=np.int32),
            np.full(len(self.bounds), highspy.HighsVarType.kInteger),
        )
        return model

    def infer(self, cell: int) -> Range:
        """The feasibility interval of a cell (by index): its least and greatest value, None for no upper bound.

        Raises ValueError if the figures contradict each other.
        """
        low, high = self.infer_difference(cell, None)
        if low is None:
            raise ValueError("no lower bound")
        return low, high

    def infer_difference(self, cell: int, minus: int | None) -> tuple[int | None, int | None]:
        """The feasibility interval of a cell minus another cell (or minus nothing); None for no bound."""
        terms = {cell: 1} | ({minus: -1} if minus is not None else {})
        low, high = self.extreme(terms, least=True), self.extreme(terms, least=False)
        return tuple(None if table is None else _total(table, terms) for table in (low, high))  # type: ignore[return-value]

    def extreme(self, terms: Mapping[int, int], *, least: bool) -> list[int] | None:
        """A table that minimises (or maximises) a weighted sum of cells; `terms` gives the factors by cell index.

        Returns one value per cell, or None if the sum is unbounded. Raises ValueError if the figures contradict.
        """
        found = _solve(self.linear, terms, least=least)
        if found is not None and any(abs(value - round(value)) > _EPSILON for value in found):
            found = _solve(self.whole, terms, least=least)
            if found is None:
                raise ValueError("public figures contradict each other (no whole numbers fit)")
        return None if found is None else [round(value) for value in found]

    @contextmanager
    def knowing(self, cell: int, *ends: int | None) -> Iterator[None]:
        """Within the context, the reader also knows a cell: its value, or its least and greatest value."""
        before = self.bounds[cell]
        self._bound(cell, ends[0] or 0, ends[-1])
        try:
            yield
        finally:
            self._bound(cell, *before)

    def _bound(self, cell: int, low: int, high: int | None) -> None:
        for model in (self.linear, self.whole):
            model.changeColBounds(cell, float(low), highspy.kHighsInf if high is None else float(high))

    def completed(self, known: Mapping[int, int]) -> list[int]:
        """A table in which the `known` cells (by index) have the given values. Raises ValueError if there is none."""
        try:
            for cell, value in known.items():
                self._bound(cell, value, value)
            table = self.extreme(dict.fromkeys(known, 0), least=True)
        finally:
            for cell in known:
                self._bound(cell, *self.bounds[cell])
        if table is None:
            raise ValueError("no such table")
        return table

    def ends(self, cell: int, k: int) -> list[list[int]]:
        """Two tables: one with the cell at its least, one at its greatest (least + k if it has no upper bound)."""
        low, high = self.extreme({cell: 1}, least=True), self.extreme({cell: 1}, least=False)
        if low is None:
            raise ValueError("no lower bound")
        return [low, high if high is not None else self.at_least(cell, low[cell] + k)]

    def at_least(self, cell: int, value: int) -> list[int]:
        """A table in which a cell that has no upper bound is at least `value`, and no greater than it needs to be."""
        with self.knowing(cell, value, None):
            table = self.extreme({cell: 1}, least=True)
        if table is None:
            raise ValueError("no lower bound")
        return table


def _model(system: System, bounds: Sequence[Range]) -> highspy.Highs:
    model = highspy.Highs()  # type: ignore[no-untyped-call]
    model.setOptionValue("output_flag", False)
    model.setOptionValue("threads", 1)
    for low, high in bounds:
        model.addVar(float(low), highspy.kHighsInf if high is None else float(high))
    for total, parts in system.equations:
        columns = np.array([total, *parts], dtype=np.int32)
        model.addRow(0.0, 0.0, len(columns), columns, np.array([-1.0] + [1.0] * len(parts)))
    for later, sooner in system.links:
        columns = np.array([later, sooner], dtype=np.int32)
        model.addRow(0.0, highspy.kHighsInf, 2, columns, np.array([1.0, -1.0]))
    return model


def _solve(model: highspy.Highs, terms: Mapping[int, int], *, least: bool) -> list[float] | None:
    for column, factor in terms.items():
        model.changeColCost(column, float(factor))
    model.changeObjectiveSense(highspy.ObjSense.kMinimize if least else highspy.ObjSense.kMaximize)
    model.run()
    status, found = model.getModelStatus(), list(model.getSolution().col_value)
    for column in terms:
        model.changeColCost(column, 0.0)
    if status in (highspy.HighsModelStatus.kUnbounded, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return None
    if status != highspy.HighsModelStatus.kOptimal:
        raise ValueError(f"public figures contradict each other ({status.name})")
    return found


def _total(table: Sequence[int], terms: Mapping[int, int]) -> int:
    return sum(factor * table[cell] for cell, factor in terms.items())


def wide(values: Sequence[int], k: int) -> bool:
    """Whether the possible values of a cell span at least k values."""
    return max(values) - min(values) >= k - 1


def free(values: Sequence[int], k: int) -> bool:
    """Whether at least one possible value of a cell is not a small count (1 … k-1)."""
    return any(value == 0 or value >= k for value in values)


#: Programmes over many cells at once, before the remaining cells are tried one by one.
_SHARED = 6


def explore(
    attacker: Attacker, goals: Mapping[int, int], is_met: Callable[[Sequence[int], int], bool]
) -> tuple[list[list[int]], list[int]]:
    """Collect witnesses until every goal is met or shown to be out of reach.

    `goals` gives k by cell index; `is_met` (`wide` or `free`) judges a cell's values in all tables found so far. One
    table can serve many cells, so several programmes over many cells run first; the remaining cells are tried singly.
    Returns the tables and the cells whose goal is out of reach. Raises ValueError if the figures contradict each other.
    """
    seen: list[list[int]] = []

    def is_left(cell: int) -> bool:
        return not seen or not is_met([table[cell] for table in seen], goals[cell])

    for turn in range(_SHARED):
        # First all cells down, then all up; then every second cell up and the others down, then pairs, and so on:
        # where a sum is known, its parts cannot all rise together.
        left = [cell for cell in goals if is_left(cell)]
        terms = {cell: -1 if turn // 2 and at >> (turn // 2 - 1) & 1 else 1 for at, cell in enumerate(left)}
        table = attacker.extreme(terms, least=turn % 2 == 0) if terms else None
        seen += [table] if table is not None else []
    unmet = []
    for cell in filter(is_left, goals):
        seen += attacker.ends(cell, goals[cell])
        if is_left(cell):
            unmet.append(cell)
    return seen, unmet


def infer_ranges(attacker: Attacker, cells: Iterable[int]) -> dict[str, Range]:
    """The feasibility intervals of cells (given by index), by cell id."""
    return {attacker.system.cells[cell].id: attacker.infer(cell) for cell in cells}


def broken_promises(attacker: Attacker, needs: Sequence[Need]) -> list[Failure]:
    """A failure for each need of which the reader can rule out an end."""
    failures = []
    for need in needs:
        low, high = attacker.infer_difference(need.cell, need.minus)
        if (low is not None and low > need.low) or (high is not None and high < need.high):
            failures.append(Failure(_name(attacker, need), (need.low, need.high), (low, high)))
    return failures


def broken_for_loners(
    attacker: Attacker, needs: Sequence[Need], loners: Mapping[int, int], before: Attacker
) -> list[str]:
    """The needs that are not met against a reader who also knows one loner, each as ``quantity, by cell``.

    `loners` gives the loners' counts by cell index; a quantity that contains the loner itself is skipped. `before` is
    a reader of what was public before: an end that was already out of reach for that reader is no failure.
    """
    tables: list[list[int]] = []
    failures = []
    for need in needs:
        terms = {need.cell: 1} | ({need.minus: -1} if need.minus is not None else {})
        for goal, least in ((need.low, True), (need.high, False)):
            for loner in {at: count for at, count in loners.items() if at not in terms}.items():
                if any(table[loner[0]] == loner[1] and _reaches(table, terms, goal, least=least) for table in tables):
                    continue
                table = _extreme_for(attacker, loner, terms, least=least)
                tables += [table] if table else []
                if table and not _reaches(table, terms, goal, least=least):
                    old = _extreme_for(before, loner, terms, least=least)
                    if not old or not _reaches(table, terms, _total(old, terms), least=least):
                        failures.append(f"{_name(attacker, need)}, by {attacker.system.cells[loner[0]].id}")
    return failures


def _reaches(table: Sequence[int], terms: Mapping[int, int], goal: int, *, least: bool) -> bool:
    return _total(table, terms) <= goal if least else _total(table, terms) >= goal


def _extreme_for(
    attacker: Attacker, loner: tuple[int, int], terms: Mapping[int, int], *, least: bool
) -> list[int] | None:
    with attacker.knowing(*loner):
        return attacker.extreme(terms, least=least)


def _name(attacker: Attacker, need: Need) -> str:
    cells = attacker.system.cells
    return cells[need.cell].id + (f" - {cells[need.minus].id}" if need.minus is not None else "")
