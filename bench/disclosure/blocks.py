"""Secondary suppression of geographies that are too large for one programme: block by block, from the top.

A block is a place with its parts. A block's own tables leave the row of the place unchanged, so blocks can be solved
separately. Where cells of a row are withheld, tables of the block above change that row; the place's own block must
carry each of these changes, i.e. have a table in which the parts add up to the changed row. Blocks below different
places are independent and can run in parallel. After HITAS (de Wolf 2002, "HiTaS: a heuristic approach to cell
suppression in hierarchical tables").
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from itertools import repeat

import numpy as np

from bench.disclosure.geography import Block, CountMatrix, Geography, Mask
from etl.findings import FuxueError
from etl.proof.tables import Need, System, SystemCell
from etl.protect.programme import EPSILON, FREE, Programme, Vector, task_of
from etl.protect.secondary import Search
from etl.protect.witnesses import Left, Witnesses


def suppress_blocks(geography: Geography, pool: Executor | None = None, *, sparing: bool = False) -> Iterator[Block]:
    """Suppress a geography; yield each block after the block that contains it.

    With `sparing`, each cell that no need requires is published again: a few per cent fewer are withheld, at several
    times the work. Raises FuxueError if a count cannot be hidden in its block.
    """
    whole = protect_block(geography, 0, np.empty((0, geography.counts.shape[1]), dtype=np.int64), sparing=sparing)
    yield whole
    below = dict(_demanded(geography, whole))
    jobs = (_subtree, repeat(geography), below, below.values(), repeat(sparing))
    for blocks in pool.map(*jobs) if pool else map(*jobs):
        yield from blocks


def _subtree(geography: Geography, place: int, demands: CountMatrix, sparing: bool) -> list[Block]:
    blocks, left = list[Block](), {place: demands}
    while left:
        blocks.append(protect_block(geography, *left.popitem(), sparing=sparing))
        left |= _demanded(geography, blocks[-1])
    return blocks


def _demanded(geography: Geography, block: Block) -> Iterator[tuple[int, CountMatrix]]:
    for row, part in enumerate(geography.parts[block.place], 1):
        if part in geography.parts:
            yield part, block.demands(row)


def protect_block(geography: Geography, place: int, demands: CountMatrix, *, sparing: bool = False) -> Block:
    """Hide the small counts of a place's parts in a block that also carries each demanded change of the place's row.

    `demands` are these changes (changes × columns). Raises FuxueError if a count cannot be hidden.
    """
    rows = [place, *geography.parts[place]]
    counts, goals, prices = geography.counts[rows], geography.goals[rows], geography.prices[rows].astype(float)
    prices[prices == 0] = np.inf
    prices[0], goals[0] = np.inf, 0
    system, must = _system(rows, counts, prices, geography.sums), goals.reshape(-1) > 0
    needs = [Need(int(at), 0, int(goals.flat[at])) for at in np.flatnonzero(must)]
    programme = Programme(task_of(system, counts.reshape(-1).tolist(), needs, ()), whole=True)
    dear: Vector = prices.reshape(-1).copy()
    witnesses, draw = Witnesses(programme.task, ()), np.random.default_rng(place)
    search = Search(programme, witnesses, np.where(must, FREE, dear), must.copy(), draw)
    carrier = Carrier(search, demands)
    carrier.carry_all()
    search.meet_all(carrier.meet)
    for table in carrier.tables:
        must |= carrier.changed(table)
    if sparing:
        search.prices[~search.free] = np.inf
        search.print_again(sorted(np.flatnonzero(search.free & ~must).tolist(), key=lambda at: (-dear[at], at)))
    dear[must | ~np.isfinite(dear)] = 0
    own = [table for table in _fewest(witnesses, dear) if (table[: counts.shape[1]] == counts[0]).all()]
    for table in own:
        must |= carrier.changed(table)
    return Block(place, must.reshape(counts.shape)[1:], _changes(own, counts), _changes(carrier.tables, counts))


def _fewest(witnesses: Witnesses, prices: Vector) -> list[Vector]:
    """Few tables that together reach every end that is reached at all, not considering loners.

    They are chosen greedily: most new ends for the least price of newly changed cells.
    """
    if not witnesses.found:
        return []
    reached = np.array([one.reached.reshape(-1) for one in witnesses.found])
    moves = np.array([np.abs(one.table - witnesses.task.values) > EPSILON for one in witnesses.found])
    left, chosen = reached.any(axis=0), list[int]()
    while left.any():
        new = moves & ~moves[chosen].any(axis=0)
        gain = (reached & left).sum(axis=1) / (1 + np.where(new, prices, 0).sum(axis=1))
        chosen.append(int(np.argmax(gain)))
        left &= ~reached[chosen[-1]]
    return [witnesses.found[at].table for at in chosen]


@dataclass
class Carrier:
    """Finds tables that change the place's row as the block above demands; withholds the cells that they change."""

    search: Search
    demands: CountMatrix
    tables: list[Vector] = field(default_factory=list)

    def carry_all(self) -> None:
        """Find the cheapest table for each demand. Raises FuxueError if a demand cannot be carried."""
        for change in self.demands:
            table = self._carried(change, {})
            if table is None:
                raise FuxueError("protect.impossible", cell="", code=3)
            self._take(table)

    def meet(self, left: Left) -> Vector | None:
        """The cheapest table that meets a need with a demanded change of the place's row; None if there is none."""
        need = {int(self.search.witnesses.cells[left[0]]): self.search.witnesses.goal(left)}
        found = (self._carried(change, need) for change in self.demands)
        tables = [table for table in found if table is not None]
        if not tables:
            return None
        self._take(min(tables, key=lambda table: float(self.search.prices[self.changed(table)].sum())))
        return self.tables[-1]

    def changed(self, table: Vector) -> Mask:
        """A mask of the cells that a table changes, without those of the place's own row."""
        changed: Mask = np.abs(table - self.search.programme.task.values) > EPSILON
        changed[: self.demands.shape[1]] = False
        return changed

    def _carried(self, change: CountMatrix, need: Mapping[int, float]) -> Vector | None:
        values = self.search.programme.task.values
        row = {int(at): float(values[at] + change[at]) for at in np.flatnonzero(change)}
        return self.search.programme.cheapest(self.search.prices, {**row, **need}, exactly=True)

    def _take(self, table: Vector) -> None:
        self.tables.append(table)
        self.search.witnesses.add(table)
        self.search.withhold(self.changed(table))


def _system(
    places: Sequence[int], counts: CountMatrix, prices: Vector, sums: Sequence[tuple[int, tuple[int, ...]]]
) -> System:
    """The linear system of a block: cells row by row, the place first; row sums, then column sums."""
    rows, width = counts.shape
    cells = [
        SystemCell(f"{place}.{column}", "unit", "", "", 1, False, bool(np.isinf(prices[row, column])))
        for row, place in enumerate(places)
        for column in range(width)
    ]
    equations = [
        (row * width + whole, tuple(row * width + part for part in parts))
        for row in range(rows)
        for whole, parts in sums
    ]
    equations += [(column, tuple(range(column + width, rows * width, width))) for column in range(width)]
    return System(tuple(cells), tuple(equations), ())


def _changes(tables: Sequence[Vector], counts: CountMatrix) -> CountMatrix:
    whole: CountMatrix = np.rint(np.array(tables, dtype=float)).astype(np.int64)
    return whole.reshape(-1, *counts.shape) - counts
