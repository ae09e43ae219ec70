"""Secondary suppression: which further cells must be withheld so that every need has witnesses.

After Fischetti and Salazar-González (2001, Management Science 47, "Solving the cell suppression problem on tabular data
with linear constraints"), heuristically. First, tables are sought that each serve as many needs as possible by changing
only cells that are withheld already. For a need that none of them serves, the cheapest table is found; the published
cells that it changes are withheld, and later tables may change them freely. Finally, every withheld cell that no need
requires is published again, the most expensive first.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.disclosure.suppression.priced import Need, Priced, Range
from bench.disclosure.suppression.programme import EPSILON, FREE, Mask, Programme, Vector, task_of
from bench.disclosure.suppression.witnesses import HIGH, LOW, Left, Witnesses
from etl.findings import FuxueError

#: A count of at most this many may be known to the family that is counted (a loner).
LONER = 2
#: The share by which the secret can raise a price, so that a rerun without it does not show which cell was cheaper.
SECRET_SHARE = 0.25
#: The search for shared tables stops when this many in a row serve nothing new.
_PATIENCE = 2


def loners_of(system: Priced, values: Sequence[int]) -> list[int]:
    """Indices of the loners: counts of 1 or 2 in the system's own release that are not known to everybody."""
    cells = enumerate(system.cells)
    return [at for at, cell in cells if at >= system.own and 0 < values[at] <= LONER and not cell.known]


def prices_of(system: Priced, values: Sequence[int], secret: bytes) -> Vector:
    """The price of withholding each cell: tiny if no table shows it, infinite if it is known.

    Small counts are cheaper, since a reader loses less with them.
    """
    return np.array([_price(system, at, value, secret) for at, value in enumerate(values)])


def _price(system: Priced, at: int, value: int, secret: bytes) -> float:
    cell = system.cells[at]
    if cell.known:
        return float("inf")
    if cell.weight is None:
        return FREE
    draw = int.from_bytes(hmac.digest(secret, f"price:{cell.id}".encode(), "sha256")[:4]) / 2**32
    return cell.weight * (1.0 + float(np.log1p(value))) * (1.0 + SECRET_SHARE * draw)


@dataclass
class Search:
    """The state of a search: current prices (FREE if withheld), a mask of the cells that may change freely, tables."""

    programme: Programme
    witnesses: Witnesses
    prices: Vector
    free: Mask
    draw: np.random.Generator

    def share(self) -> None:
        """Find tables that each serve many needs and change only cells that are `free`."""
        idle = 0
        while idle < _PATIENCE and self.witnesses.open_ends().any():
            before = self.witnesses.left()
            table = self._shared()
            if table is not None:
                self.witnesses.add(table)
            idle = idle + 1 if self.witnesses.left() == before else 0

    def _shared(self) -> Vector | None:
        """A table that brings many needs to an open end, and leaves a random half of the open loners unchanged."""
        task, witnesses = self.programme.task, self.witnesses
        ends = witnesses.open_ends()
        up = np.where(ends.all(axis=1), self.draw.random(len(ends)) < 0.5, ends[:, HIGH])
        needs = np.flatnonzero(ends.any(axis=1))
        aims, low, high = np.full(len(self.free), -FREE / 10), task.low.copy(), task.high.copy()
        cells = witnesses.cells[needs]
        goals = witnesses.goals[needs, up[needs].astype(int)]
        away = goals - task.values[cells]
        aims[cells] = np.where(away != 0, 1 / np.where(away != 0, away, 1), 0)
        np.minimum.at(high, cells[away > 0], goals[away > 0])
        np.maximum.at(low, cells[away < 0], goals[away < 0])
        may_change = self.free.copy()
        left = np.flatnonzero(witnesses.loners_left())
        held = [witnesses.loners[int(loner)] for loner in left if self.draw.random() < 0.5]
        may_change[held] = False
        return self.programme.farthest(may_change, aims, low, high)

    def meet(self, left: Left) -> Vector | None:
        """The cheapest table that reaches an open end without changing its loner; None if there is none."""
        need, _, loner = left
        held = [] if loner is None else [self.witnesses.loners[loner]]
        return self.programme.cheapest(self.prices, {int(self.witnesses.cells[need]): self.witnesses.goal(left)}, held)

    def meet_all(self, otherwise: Callable[[Left], Vector | None] = lambda _: None) -> None:
        """Withhold more cells until all needs are met; `otherwise` may find a table where `meet` finds none.

        Raises FuxueError if there is none at all (too few counts to hide among).
        """
        self.share()
        while (left := self.witnesses.first_left()) is not None:
            table = self.meet(left)
            if table is None:
                table = otherwise(left)
            if table is None:
                table = self._as_far_as_possible(left)
            self.witnesses.add(table)
            changed = np.abs(table - self.programme.task.values) > EPSILON
            if self.withhold(changed & np.isfinite(self.prices)):
                self.share()

    def withhold(self, cells: Mask) -> bool:
        """Withhold cells, so that they may change freely; return whether any of them was not free before."""
        is_new = bool((cells & ~self.free).any())
        self.free |= cells
        self.prices[cells] = FREE
        return is_new

    def _as_far_as_possible(self, left: Left) -> Vector:
        """The table for an end that cannot be reached without changing its loner, even if all other cells may change.

        The goal is lowered to the farthest value that can be reached. Raises FuxueError if no loner is involved.
        """
        need, end, loner = left
        task, cell = self.programme.task, int(self.witnesses.cells[need])
        if loner is None:
            raise FuxueError("protect.impossible", cell=task.system.cells[cell].id, code=3)
        may_change = np.isfinite(self.prices)
        may_change[self.witnesses.loners[loner]] = False
        aims = np.zeros(len(self.free))
        aims[cell] = -1.0 if end == LOW else 1.0
        table = self.programme.farthest(may_change, aims, task.low, task.high)
        found = task.values[cell] if table is None else table[cell]
        self.witnesses.lower(
            need, end, loner, float(np.ceil(found - EPSILON) if end == LOW else np.floor(found + EPSILON))
        )
        return task.values if (again := self.meet(left)) is None else again

    def print_again(self, withheld: Sequence[int]) -> None:
        """Publish again each of the withheld cells, in this order, that no need requires."""
        for cell in withheld:
            before, price = self.witnesses.found, self.prices[cell]
            self.free[cell], self.prices[cell] = False, np.inf
            self.witnesses.start_over(self.witnesses.without(cell))
            if not self._can_meet():
                self.free[cell], self.prices[cell] = True, price
                self.witnesses.start_over(before)

    def _can_meet(self) -> bool:
        """Whether all needs can be met by changing only cells that may change now."""
        while (left := self.witnesses.first_left()) is not None:
            table = self.meet(left)
            if table is None:
                return False
            self.witnesses.add(table)
            self.share()
        return True


def suppress(
    system: Priced,
    values: Sequence[int],
    needs: Sequence[Need],
    bounds: Sequence[Range] = (),
    secret: bytes = b"",
    *,
    loners: Sequence[int] = (),
    start: Sequence[int] = (),
) -> set[int]:
    """The indices of the cells to withhold, out of those that the tables show.

    `bounds` are the ranges of all cells that a reader knows anyway; every table stays within them. `secret` varies the
    prices. Each need must also be met without changing any one of `loners`. `start` are cells withheld from the outset.
    Raises FuxueError if a need cannot be met at all (too few counts to hide among).
    """
    task = task_of(system, values, needs, bounds)
    prices = prices_of(task.system, [int(value) for value in task.values], secret)
    printed = np.array([cell.weight is not None and not cell.known for cell in task.system.cells])
    must = np.zeros(len(printed), dtype=bool)
    must[[need.cell for need in task.needs]] = True
    free = np.isfinite(prices) & (~printed | must)
    free[list(start)] = True
    prices[free] = FREE
    seed = np.random.default_rng(list(hmac.digest(secret, b"search", "sha256")))
    search = Search(Programme(task), Witnesses(task, loners), prices, free, seed)
    search.meet_all()
    dear = prices_of(task.system, [int(value) for value in task.values], secret)
    search.prices[printed & ~search.free] = np.inf
    withheld = np.flatnonzero(printed & search.free & ~must)
    search.print_again(sorted(withheld.tolist(), key=lambda at: (-dear[at], at)))
    return {int(at) for at in np.flatnonzero(printed & search.free)}
