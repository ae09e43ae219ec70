"""Controlled rounding before the close: each figure of a row becomes a multiple of a step (M19).

The step of a count is b = k + 1, or several such steps for a sensitive category; a rounded figure lies less than a step
from the true one. However often a row is published,
a count that does not change lies in at most two rounding intervals, and these share k values; with a step of k they
would share one less. Rounding is random, but a row keeps its figures as long as each lies within k of the truth, so
that averaging releases reveals nothing. It is controlled: figures add up as the true ones do (after Salazar-González
2005, Computers & Operations Research 32, "A unified mathematical programming framework for different statistical
disclosure limitation methods").
"""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import highspy
import numpy as np

from etl.exchange.release import CITY
from etl.proof.tables import System

#: The cost of changing an earlier figure that still holds, and one that does not, when a row is rounded again.
HELD, MOVED = 1000, 20
#: The cost of deviating from the draw, by turn: first none, then above MOVED, in the end above HELD.
LEAN = (0, 30, 300, 3000)
#: The number of draws before a row is left out for the day.
DRAWS = 16
#: A draw is a whole number below this.
_DRAW_RANGE = 2**64


@dataclass(frozen=True)
class RoundedRow:
    """Cells that are rounded together: true counts and steps by cell id; sums (total, parts) that rounding keeps.

    `near` are sums that rounding cannot keep, each with bounds on its weighted figures: (factors by cell id, least,
    greatest). The larger the deviation, the more a total and its parts would narrow each other's intervals.
    """

    counts: Mapping[str, int]
    steps: Mapping[str, int]
    sums: tuple[tuple[str, tuple[str, ...]], ...]
    near: tuple[tuple[Mapping[str, int], int | None, int], ...] = ()

    def holds(self, rounded: Mapping[str, int]) -> bool:
        """Whether each rounded figure (by cell id) still lies less than a step from the true count."""
        return all(abs(value - self.counts[cell]) < self.steps[cell] for cell, value in rounded.items())


def rows_of(system: System, values: Mapping[str, int], top: Callable[[str], int]) -> dict[str, RoundedRow]:
    """The rows of a system by name: the city with its categories, areas, units; without known cells except zeros.

    `values` are the true counts by cell id, `top` the greatest error by row. Only printed cells are rounded: a reader
    must not be able to infer any bound of others. A sum is not kept if its cells have different steps (a sensitive
    category is rounded more coarsely) or one of them is known (an exact total is usually no multiple).
    """
    names = dict.fromkeys(CITY if cell.kind == "category" else cell.row for cell in system.cells)
    return {name: _row(system, values, top, name) for name in names}


def _row(system: System, values: Mapping[str, int], top: Callable[[str], int], name: str) -> RoundedRow:
    cells = system.cells
    ours = {
        at: top(cell.row) + 1
        for at, cell in enumerate(cells)
        if name in (cell.row, CITY if cell.kind == "category" else "")
        and cell.printed
        and not (cell.known and not cell.is_zero)
    }
    own = [
        (whole, parts)
        for whole, parts in system.equations
        if cells[whole].row == name and not _over_rows(system, whole, parts) and _is_shown(system, ours, whole, parts)
    ]
    sums = [(whole, parts) for whole, parts in own if _is_kept(ours, whole, parts)]
    near = [(whole, parts) for whole, parts in own if not _is_kept(ours, whole, parts)]
    return RoundedRow(
        {cells[at].id: values[cells[at].id] for at in ours},
        {cells[at].id: step for at, step in ours.items()},
        tuple((cells[whole].id, tuple(cells[part].id for part in parts)) for whole, parts in sums),
        tuple(_near(system, values, ours, whole, parts) for whole, parts in near),
    )


def _is_shown(system: System, ours: Mapping[int, int], whole: int, parts: Sequence[int]) -> bool:
    """Whether a sum restricts the printed figures of a row: its whole is printed or known."""
    return (whole in ours or system.cells[whole].known) and any(part in ours for part in parts)


def _over_rows(system: System, whole: int, parts: Sequence[int]) -> bool:
    """Whether a sum is one over other rows."""
    row = system.cells[whole].row
    return any(system.cells[part].kind in ("area", "unit") and system.cells[part].row != row for part in parts)


def _is_kept(ours: Mapping[int, int], whole: int, parts: Sequence[int]) -> bool:
    return {whole, *parts} <= set(ours) and len({ours[at] for at in (whole, *parts)}) == 1


def _near(
    system: System, values: Mapping[str, int], steps: Mapping[int, int], whole: int, parts: Sequence[int]
) -> tuple[Mapping[str, int], int | None, int]:
    """An entry of `RoundedRow.near`: how far the figures of a sum that is not kept may be from adding up.

    At most by the smallest step: rounding intervals that overlap this far share k values. If a cell of the sum is
    not printed, the printed parts exceed the whole by at most one: then that cell can have k values from 0 on.
    """
    terms = {whole: -1} | dict.fromkeys(parts, 1)
    fixed = -sum(factor * values[system.cells[at].id] for at, factor in terms.items() if system.cells[at].known)
    figures = {system.cells[at].id: factor for at, factor in terms.items() if at in steps}
    slack = min((steps[at] for at in terms if at in steps), default=0)
    silent = any(at not in steps and not system.cells[at].known for at in terms)
    return figures, None if silent else fixed - slack, fixed + (1 if silent else slack)


def draw_multiples(row: RoundedRow, secret: bytes, turn: int) -> dict[str, int]:
    """Draw for each count (by cell id) one of the two adjacent multiples, the nearer with the higher probability.

    The draw is unbiased, and the same for the same secret and turn.
    """
    drawn = {}
    for cell, count in row.counts.items():
        whole, rest = divmod(count, row.steps[cell])
        draw = int.from_bytes(hmac.digest(secret, f"{turn}:{cell}".encode(), "sha256")[:8])
        drawn[cell] = (whole + (draw * row.steps[cell] < rest * _DRAW_RANGE)) * row.steps[cell]
    return drawn


def round_first(row: RoundedRow, secret: bytes, turn: int, least: Mapping[str, int]) -> dict[str, int] | None:
    """A row's first figures: as near to `draw_multiples` as its sums allow, none below `least`; None if impossible."""
    drawn = draw_multiples(row, secret, turn)
    return _solve(row, least, lambda cell, figure: abs(figure - drawn[cell]))


def round_again(
    row: RoundedRow, before: Mapping[str, int], secret: bytes, turn: int, least: Mapping[str, int]
) -> dict[str, int] | None:
    """New figures for a row: as near to those `before` as its sums allow, none below `least`; None if impossible.

    With each `turn` the draw weighs more, in the end more than the earlier figures.
    """
    drawn = draw_multiples(row, secret, turn)

    def cost(cell: str, figure: int) -> int:
        away = abs(figure - drawn[cell]) * LEAN[min(turn, len(LEAN) - 1)]
        if cell in before:
            held = abs(before[cell] - row.counts[cell]) < row.steps[cell]
            away += abs(figure - before[cell]) * (HELD if held else MOVED)
        return away

    return _solve(row, least, cost)


def _solve(row: RoundedRow, least: Mapping[str, int], cost: Callable[[str, int], int]) -> dict[str, int] | None:
    """The cheapest figures, each less than a step from the true count, that add up; None if there are none.

    The choice for each count is only between the multiples below and above it (or itself), so its cost is linear in
    the multiple. `cost` gives the cost of a figure by cell id and figure; `least` the least figure by cell id.
    """
    model = highspy.Highs()  # type: ignore[no-untyped-call]
    model.setOptionValue("output_flag", False)
    model.setOptionValue("threads", 1)
    at = {cell: number for number, cell in enumerate(row.counts)}
    for cell, count in row.counts.items():
        step = row.steps[cell]
        low, high = count // step, -(-count // step)
        low = max(low, -(-least.get(cell, 0) // step))
        if low > high:
            return None
        model.addVar(float(low), float(high))
        model.changeColCost(at[cell], float(cost(cell, high * step) - cost(cell, low * step)) if high > low else 0.0)
        model.changeColIntegrality(at[cell], highspy.HighsVarType.kInteger)
    for whole, parts in row.sums:
        columns = np.array([at[whole], *(at[part] for part in parts)], dtype=np.int32)
        model.addRow(0.0, 0.0, len(columns), columns, np.array([-1.0] + [1.0] * len(parts)))
    for terms, least_sum, most in row.near:
        columns = np.array([at[cell] for cell in terms], dtype=np.int32)
        factors = np.array([float(factor * row.steps[cell]) for cell, factor in terms.items()])
        model.addRow(
            -highspy.kHighsInf if least_sum is None else float(least_sum), float(most), len(columns), columns, factors
        )
    model.run()
    if model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    found = model.getSolution().col_value
    return {cell: round(found[number]) * row.steps[cell] for cell, number in at.items()}


def least_of_area(system: System, area: str, figures: Mapping[str, int], steps: Mapping[str, int]) -> dict[str, int]:
    """The least figure by cell id of an area: the sum of the lower ends of its parts' rounding intervals.

    A smaller figure would reveal that all parts lie near the lower end. `figures` are those of the parts, by cell id.
    """
    found = {}
    for whole, parts in system.equations:
        cells = [system.cells[part] for part in parts]
        if system.cells[whole].row == area and all(cell.row != area and cell.kind != "category" for cell in cells):
            lows = [max(figures[cell.id] - steps[cell.id] + 1, 0) for cell in cells if cell.id in figures]
            found[system.cells[whole].id] = sum(lows)
    return found
