"""Secondary suppression: what else must be withheld so that a reader is left with other tables to believe in.

After Fischetti and Salazar-González (2001, Management Science 47, "Solving the cell suppression problem on tabular data
with linear constraints"), heuristically. Tables are shared: each is made to serve as many needs as it can with what is
withheld already. For a need that none serves, the cheapest table is found; the printed cells that it changes are
withheld, and free for later needs. Then every withheld cell that no need requires is printed again, dearest first.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from etl.findings import FuxueError
from etl.proof.geography import Mask
from etl.proof.tables import Need, Range, System
from etl.protect.programme import EPSILON, FREE, Programme, Vector, task_of
from etl.protect.witnesses import HIGH, LOW, Left, Witnesses

#: A count of at most this many may be known to the family that it is of.
LONER = 2
#: How much of a price is secret: who runs the programme again does not know which of two cells was the cheaper.
SECRET_SHARE = 0.25
#: Shared tables are looked for until this many in a row serve nothing new.
_PATIENCE = 2


def loners_of(system: System, values: Sequence[int]) -> list[int]:
    """Counts that someone may know because they are of them, by index: those of the system's own release."""
    cells = enumerate(system.cells)
    return [at for at, cell in cells if at >= system.own and 0 < values[at] <= LONER and not cell.known]


def prices_of(system: System, values: Sequence[int], secret: bytes) -> Vector:
    """What withholding each cell costs; next to nothing for cells that are printed nowhere, infinite for known ones.

    Small cells cost little: the reader loses least, and the fewer cells move, the more stay printed.
    """
    return np.array([_price(system, at, value, secret) for at, value in enumerate(values)])


def _price(system: System, at: int, value: int, secret: bytes) -> float:
    cell = system.cells[at]
    if cell.known:
        return float("inf")
    if cell.weight is None:
        return FREE
    sign = int.from_bytes(hmac.digest(secret, f"price:{cell.id}".encode(), "sha256")[:4]) / 2**32
    return cell.weight * (1.0 + float(np.log1p(value))) * (1.0 + SECRET_SHARE * sign)


@dataclass
class Search:
    """The state of a search: prices now (FREE for what is withheld), what may change at no loss, the tables so far."""

    programme: Programme
    witnesses: Witnesses
    prices: Vector
    free: Mask
    draw: np.random.Generator

    def share(self) -> None:
        """Find tables that each serve many needs with what may change anyway."""
        idle = 0
        while idle < _PATIENCE and self.witnesses.open_ends().any():
            before = self.witnesses.left()
            table = self._shared()
            if table is not None:
                self.witnesses.add(table)
            idle = idle + 1 if self.witnesses.left() == before else 0

    def _shared(self) -> Vector | None:
        """A table that brings as many needs as possible to an end that is left, and leaves half of the loners alone."""
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
        """The cheapest table for what is left of a need, without moving its loner; None if there is none."""
        need, _, loner = left
        held = [] if loner is None else [self.witnesses.loners[loner]]
        return self.programme.cheapest(self.prices, {int(self.witnesses.cells[need]): self.witnesses.goal(left)}, held)

    def meet_all(self, otherwise: Callable[[Left], Vector | None] = lambda _: None) -> None:
        """Withhold more until all needs are met; `otherwise` has the last word on one that cannot be met.

        FuxueError if it has no table either (too few to hide among).
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
        """Let some cells change; whether that is new of any."""
        is_new = bool((cells & ~self.free).any())
        self.free |= cells
        self.prices[cells] = FREE
        return is_new

    def _as_far_as_possible(self, left: Left) -> Vector:
        """For a loner for whom a need cannot be met though all may change: the farthest goal that can."""
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
        """Print what no need requires, in the order given."""
        for cell in withheld:
            before, price = self.witnesses.found, self.prices[cell]
            self.free[cell], self.prices[cell] = False, np.inf
            self.witnesses.start_over(self.witnesses.without(cell))
            if not self._can_meet():
                self.free[cell], self.prices[cell] = True, price
                self.witnesses.start_over(before)

    def _can_meet(self) -> bool:
        """Whether all needs can be met with what may change now."""
        while (left := self.witnesses.first_left()) is not None:
            table = self.meet(left)
            if table is None:
                return False
            self.witnesses.add(table)
            self.share()
        return True


def suppress(
    system: System,
    values: Sequence[int],
    needs: Sequence[Need],
    bounds: Sequence[Range] = (),
    secret: bytes = b"",
    *,
    loners: Sequence[int] = (),
    start: Sequence[int] = (),
) -> set[int]:
    """Indices of the printed cells to withhold. FuxueError if a need cannot be met at all (too few to hide among).

    `bounds` are ranges that a reader has of all cells anyway: other tables stay within them. `secret` sways the prices.
    `loners` are to be met one by one; `start` are cells to begin with.
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
