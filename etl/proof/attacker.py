"""The audit: what a reader can infer from the published figures alone, computed by integer programming.

It shares no code with `etl/protect`. The reader is assumed to know every published figure, every equation, which
units have reported, and that counts are whole and not negative.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property

import highspy
import numpy as np
import numpy.typing as npt

from etl.proof.tables import Range, System

#: A solution within this distance of a whole number counts as whole.
_EPSILON = 1e-6


class ContradictionError(ValueError):
    """Public figures, and what is assumed of them, contradict each other: no table fits them all."""


class Attacker:
    """A reader's model: one whole number per cell, within the bounds that the published figures set.

    A programme is first solved over real numbers, starting from the last solution; only if the result is not whole, it
    is solved again over whole numbers.
    """

    def __init__(self, system: System, bounds: Sequence[Range]) -> None:
        """`bounds` are the least and the greatest value of each cell, equal for an exact figure."""
        self.system = system
        self.bounds = bounds
        self.columns = np.array(_columns(system), dtype=np.int32)
        self.ends_of = [(0.0, highspy.kHighsInf)] * (int(self.columns.max(initial=-1)) + 1)
        for cell, ends in enumerate(bounds):
            self.ends_of[self.columns[cell]] = self._both(cell, ends)
        self.linear = _model(system, self.columns, self.ends_of)
        self.linear.setOptionValue("presolve", "off")  # presolve cannot distinguish "no bound" from "no solution"

    def _both(self, cell: int, ends: Range) -> tuple[float, float]:
        """What is known of the column of a cell, and these bounds."""
        low, high = self.ends_of[self.columns[cell]]
        return max(low, float(ends[0])), high if ends[1] is None else min(high, float(ends[1]))

    @cached_property
    def whole(self) -> highspy.Highs:
        """The same model over whole numbers."""
        model, count = _model(self.system, self.columns, self.ends_of), len(self.ends_of)
        model.changeColsIntegrality(
            count, np.arange(count, dtype=np.int32), np.full(count, highspy.HighsVarType.kInteger)
        )
        return model

    def infer(self, cell: int) -> Range:
        """The feasibility interval of a cell (by index): its least and greatest value, None for no upper bound.

        Raises ContradictionError if the figures contradict each other.
        """
        low, high = self.extreme({cell: 1}, least=True), self.extreme({cell: 1}, least=False)
        if low is None:
            raise ValueError("no lower bound")
        return low[cell], None if high is None else high[cell]

    def extreme(self, terms: Mapping[int, int], *, least: bool) -> list[int] | None:
        """A table that minimises (or maximises) a weighted sum of cells; `terms` gives the factors by cell index.

        Returns one value per cell, or None if the sum is unbounded. Raises ContradictionError if figures contradict.
        """
        factors: dict[int, int] = {}
        for cell, factor in terms.items():
            column = int(self.columns[cell])
            factors[column] = factors.get(column, 0) + factor
        found = _solve(self.linear, factors, least=least)
        if found is not None and (np.abs(found - np.rint(found)) > _EPSILON).any():
            found = _solve(self.whole, factors, least=least)
            if found is None:
                raise ContradictionError("no whole numbers fit the public figures")
        return None if found is None else np.rint(found).astype(int)[self.columns].tolist()

    @contextmanager
    def knowing(self, known: Mapping[int, Range]) -> Iterator[None]:
        """Within the context, the reader also knows bounds of some cells, by index."""
        try:
            for cell, ends in known.items():
                self._bound(cell, *self._both(cell, ends))
            yield
        finally:
            for cell in known:
                self._bound(cell, *self.ends_of[self.columns[cell]])

    def _bound(self, cell: int, low: float, high: float) -> None:
        for model in (self.linear, self.__dict__.get("whole")):
            if model is not None:
                model.changeColBounds(int(self.columns[cell]), low, high)

    def ends(self, cell: int, k: int) -> list[list[int]]:
        """Two tables: the cell at its least, and at its greatest (at least k more if it has no upper bound)."""
        low, high = self.extreme({cell: 1}, least=True), self.extreme({cell: 1}, least=False)
        if low is None:
            raise ValueError("no lower bound")
        return [low, high if high is not None else self.at_least(cell, low[cell] + k)]

    def at_least(self, cell: int, value: int) -> list[int]:
        """A table in which a cell that has no upper bound is at least `value`, and no greater than it needs to be."""
        with self.knowing({cell: (value, None)}):
            table = self.extreme({cell: 1}, least=True)
        if table is None:
            raise ValueError("no lower bound")
        return table


def _columns(system: System) -> list[int]:
    """For each cell the column that stands for it: one for cells that are linked both ways, since they are equal."""
    links, same = set(system.links), list(range(len(system.cells)))
    for later, sooner in sorted(links):
        if later > sooner and (sooner, later) in links:
            same[later] = same[sooner]
    number = {cell: at for at, cell in enumerate(sorted(set(same)))}
    return [number[cell] for cell in same]


def _model(system: System, columns: npt.NDArray[np.int32], ends: Sequence[tuple[float, float]]) -> highspy.Highs:
    """The linear programme without an aim; `ends` are the bounds by column."""
    model = highspy.Highs()  # type: ignore[no-untyped-call]
    model.setOptionValue("output_flag", False)
    model.setOptionValue("threads", 1)
    for low, high in ends:
        model.addVar(low, high)
    sums = [columns[[total, *parts]] for total, parts in system.equations]
    for terms in {tuple(one.tolist()): one for one in sums}.values():
        model.addRow(0.0, 0.0, len(terms), terms, np.array([-1.0] + [1.0] * (len(terms) - 1)))
    links = {(int(columns[later]), int(columns[sooner])) for later, sooner in system.links}
    for pair in sorted(links):
        if pair[0] != pair[1]:
            model.addRow(0.0, highspy.kHighsInf, 2, np.array(pair, dtype=np.int32), np.array([1.0, -1.0]))
    return model


def _solve(model: highspy.Highs, terms: Mapping[int, int], *, least: bool) -> npt.NDArray[np.float64] | None:
    for column, factor in terms.items():
        model.changeColCost(column, float(factor))
    model.changeObjectiveSense(highspy.ObjSense.kMinimize if least else highspy.ObjSense.kMaximize)
    model.run()
    status, found = model.getModelStatus(), np.array(model.getSolution().col_value)
    for column in terms:
        model.changeColCost(column, 0.0)
    if status in (highspy.HighsModelStatus.kUnbounded, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return None
    if status == highspy.HighsModelStatus.kInfeasible:
        raise ContradictionError("public figures contradict each other")
    if status != highspy.HighsModelStatus.kOptimal:
        raise ValueError(f"the solver has no result ({status.name})")
    return found


#: Programmes over many cells at once stop when so many in a row served no cell.
_IDLE = 3


class Exploration:
    """The witnesses found so far, and how many values of each cell they show.

    `goals` gives the least number of values (from the least to the greatest found) by cell index.
    """

    def __init__(self, attacker: Attacker, goals: Mapping[int, int]) -> None:
        """No table is found yet."""
        self.attacker = attacker
        self.cells, self.goals = np.array([*goals], dtype=int), np.array([*goals.values()], dtype=int)
        self.low, self.high = np.full(len(goals), np.inf), np.full(len(goals), -np.inf)
        self.tables: list[list[int]] = []

    def add(self, table: list[int] | None) -> None:
        """Add a table; None (no bound) adds nothing."""
        if table is not None:
            self.tables.append(table)
            values = np.array(table)[self.cells]
            self.low, self.high = np.minimum(self.low, values), np.maximum(self.high, values)

    def left(self) -> npt.NDArray[np.intp]:
        """Which cells, as positions in `cells`, have too few values yet."""
        return np.flatnonzero(self.high - self.low < self.goals - 1)

    def share(self) -> None:
        """Find tables that each serve many cells."""
        draw, idle, turn = np.random.default_rng(0), 0, 0
        while idle < _IDLE and len(before := self.left()):
            # First all cells down, then all up; then each at random, since the parts of a known sum cannot all rise.
            signs = draw.choice([-1, 1], len(before)) if turn > 1 else np.ones(len(before), dtype=int)
            terms = dict(zip(self.cells[before].tolist(), signs.tolist(), strict=True))
            self.add(self.attacker.extreme(terms, least=turn % 2 == 0))
            turn += 1
            idle = idle + 1 if turn > 1 and len(self.left()) == len(before) else 0

    def unmet(self) -> Iterator[int]:
        """The cells (by index) whose goal is out of reach; the remaining ones are tried singly."""
        for at in self.left():
            if at in self.left():
                for table in self.attacker.ends(int(self.cells[at]), int(self.goals[at])):
                    self.add(table)
                if at in self.left():
                    yield int(self.cells[at])


def explore(attacker: Attacker, goals: Mapping[int, int]) -> tuple[list[list[int]], list[int]]:
    """Collect witnesses until each cell has as many values as its goal, or is shown to have fewer.

    Returns the tables, and the cells whose goal is out of reach. Raises ContradictionError if the figures contradict.
    """
    if not goals:
        attacker.extreme({}, least=True)  # figures may contradict each other even where nothing is left to hide
    found = Exploration(attacker, goals)
    found.share()
    unmet = [*found.unmet()]
    return found.tables, unmet


def propagate(system: System, bounds: Sequence[Range]) -> list[Range]:
    """Bounds of each cell that follow by adding and subtracting in one equation after another, until nothing changes.

    They are never narrower than what a reader can infer. Raises ContradictionError if the bounds contradict each other.
    """
    low = [least for least, _ in bounds]
    high = [np.inf if most is None else most for _, most in bounds]
    for _ in range(len(system.equations)):
        before = low.copy(), high.copy()
        for whole, parts in system.equations:
            _narrow(low, high, whole, parts)
        for later, sooner in system.links:
            low[later], high[sooner] = max(low[later], low[sooner]), min(high[sooner], high[later])
        if before == (low, high):
            break
        if any(least > most for least, most in zip(low, high, strict=True)):
            raise ContradictionError("public figures contradict each other")
    return [(least, None if most == np.inf else int(most)) for least, most in zip(low, high, strict=True)]


def _narrow(low: list[int], high: list[float], whole: int, parts: Sequence[int]) -> None:
    """Narrow the bounds of a sum and of its parts by each other; a part may have no upper bound."""
    least = sum(low[part] for part in parts)
    endless = sum(high[part] == np.inf for part in parts)
    most = sum(high[part] for part in parts if high[part] < np.inf)
    low[whole], high[whole] = max(low[whole], least), min(high[whole], np.inf if endless else most)
    for part in parts:
        is_endless = high[part] == np.inf
        if endless == is_endless:
            others = most - (0 if is_endless else high[part])
            low[part], high[part] = (
                max(low[part], int(max(low[whole] - others, 0))),
                min(high[part], high[whole] - (least - low[part])),
            )
        else:
            high[part] = min(high[part], high[whole] - (least - low[part]))
