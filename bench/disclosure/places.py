"""Provinces and nations: protected block by block, and audited block by block by code that shares nothing with it."""

import resource
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from bench.disclosure import argus
from bench.disclosure.block_audit import unsafe
from bench.disclosure.blocks import suppress_blocks
from bench.disclosure.cubes import Cube, campaign_cube, linear
from bench.disclosure.geography import Geography

K = 5
COSTS: tuple[argus.Costs, ...] = ("count", "value")
PROCESSES = 2
#: Parts by level: counties and their units; provinces before them.
PROVINCE, NATION = (50, 30), (26, 50, 30)


def geography_of(cube: Cube, k: int, costs: str, *, as_argus: bool = False) -> Geography:
    """The first dimension by rows, the others by columns; columns that are always equal are one.

    `costs` is "count" or "value". As tau-ARGUS has it, every place of a cell counts, zeros are known to everybody, and
    the rule is [0, 2x].
    """
    tree = cube.trees[0]
    row = {code: at for at, code in enumerate(sorted(tree, key=lambda code: (code.count("."), code)))}
    columns = linear(Cube(cube.trees[1:], dict.fromkeys({place[1:] for place in cube.inner}, 0)), "count")
    counts = np.zeros((len(row), len(columns.values)), dtype=np.int64)
    for place, value in cube.inner.items():
        counts[row[place[0]], columns.of[place[1:]]] += value
    for whole, inner in _inner_first(columns.system.equations):
        counts[:, whole] = counts[:, list(inner)].sum(axis=1)
    parts: dict[int, tuple[int, ...]] = {}
    for code, parent in tree.items():
        if parent:
            parts[row[parent]] = (*parts.get(row[parent], ()), row[code])
    for whole in sorted(parts, reverse=True):
        counts[whole] = counts[list(parts[whole])].sum(axis=0)
    is_small = (counts > 0) & (counts < k)
    prices = np.maximum(counts, 1) if costs == "value" else np.ones_like(counts)
    if as_argus:
        times = Counter(columns.of.values())
        prices = prices * np.array([times[column] for column in range(counts.shape[1])]) * (counts > 0)
    goals = np.where(is_small, 2 * counts if as_argus else k, 0)
    return Geography(parts, counts, columns.system.equations, goals, prices)


def _inner_first(sums: Iterable[tuple[int, tuple[int, ...]]]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Sums in an order in which parts are known before their whole; one way to each whole is enough."""
    left = dict[int, tuple[int, ...]]()
    for whole, parts in sums:
        left.setdefault(whole, parts)
    while left:
        ready = [whole for whole, parts in left.items() if not any(part in left for part in parts)]
        for whole in ready:
            yield whole, left.pop(whole)


@dataclass(frozen=True)
class Whole:
    """A geography protected. Costs are of all that is withheld, small counts included; cells are distinct ones.

    `rule` is "k" (0 and k are reached) or tau-ARGUS' (zeros known, 0 and twice the count). Megabytes are the most that
    the largest process held.
    """

    name: str
    seed: int
    rule: str
    costs: str
    sparing: bool
    cells: int
    small: int
    withheld: int
    cost: int
    cost_of_small: int
    share: float
    unsafe: int
    seconds: float
    audit_seconds: float
    megabytes: int


def protected(
    name: str, seed: int, widths: Sequence[int], costs: str, *, as_argus: bool = False, sparing: bool = False
) -> Whole:
    """Protect a made-up geography in a pool of processes, and audit it."""
    geography = geography_of(campaign_cube(seed, *widths), K, costs, as_argus=as_argus)
    began = time.perf_counter()
    with ProcessPoolExecutor(PROCESSES) as pool:
        blocks = list(suppress_blocks(geography, pool, sparing=sparing))
    seconds = time.perf_counter() - began
    began = time.perf_counter()
    wrong = list(unsafe(geography, blocks))
    audit = time.perf_counter() - began
    withheld = sum(int(block.withheld.sum()) for block in blocks)
    prices = (geography.prices[list(geography.parts[block.place])][block.withheld] for block in blocks)
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return Whole(
        name=name,
        seed=seed,
        rule="argus" if as_argus else "k",
        costs=costs,
        sparing=sparing,
        cells=geography.counts.size,
        small=int((geography.goals > 0).sum()),
        withheld=withheld,
        cost=sum(int(price.sum()) for price in prices),
        cost_of_small=int(geography.prices[geography.goals > 0].sum()),
        share=round(withheld / geography.counts.size, 4),
        unsafe=len(wrong),
        seconds=round(seconds, 1),
        audit_seconds=round(audit, 2),
        megabytes=most // 1024,
    )


def run_province(seeds: int) -> None:
    """A province by both rules, thrifty and quick, and the peer's modular method on the first seed."""
    for seed in range(1, seeds + 1):
        for costs in COSTS:
            for as_argus, sparing in ((False, False), (True, False), (True, True)):
                print(protected("province", seed, PROVINCE, costs, as_argus=as_argus, sparing=sparing), flush=True)
    cube = campaign_cube(1, *PROVINCE)
    for costs in COSTS:
        try:
            theirs = argus.protect(cube.trees, cube.inner, K, "modular", costs=costs)
        except ModuleNotFoundError as error:
            print(error)
            return
        values = cube.totals()
        cost = sum(values[place] if costs == "value" else 1 for place in theirs.cells)
        print(f"tau-ARGUS MOD: {costs} {cost}, {len(theirs.cells)} cells, {theirs.seconds:.1f} s", flush=True)


def run_nation(_seeds: int) -> None:
    """A nation, once."""
    print(protected("nation", 1, NATION, "count"), flush=True)
