"""A county's 30 units × 13 categories × returned: what must be withheld, by the quick and the exact method, and a peer.

No secret sways the prices here, and nobody is taken to know their own count: the rule is the same for all methods.
"""

import json
import statistics
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from unittest import mock

import numpy as np

from bench.disclosure import argus, argus_audit
from bench.disclosure.cubes import Linear, campaign_cube, linear, needs_of
from etl.proof.attacker import Attacker, explore
from etl.proof.tables import Need, System
from etl.protect import exact, secondary
from etl.protect.programme import FREE, Vector
from etl.protect.secondary import suppress

UNITS = 30
#: Seconds that the exact method is given.
LIMIT = 30.0


@dataclass(frozen=True)
class City:
    """One table by one rule. Costs are of all that is withheld; `above` is the quick one's over the bound."""

    seed: int
    k: int
    costs: str
    cells: int
    primary: int
    quick: int
    exact: int
    bound: int
    above: float
    unsafe: int
    quick_seconds: float
    audit_seconds: float
    exact_seconds: float


def flat_prices(system: System, _values: Sequence[int], _secret: bytes) -> Vector:
    """Prices that are the weights, so that methods can be compared by count or by value alone."""
    return np.array(
        [np.inf if cell.known else FREE if cell.weight is None else cell.weight for cell in system.cells], float
    )


def measured(seed: int, k: int, costs: str) -> City:
    """Protect one table both ways, and audit the quick one's pattern."""
    table = linear(campaign_cube(seed, UNITS), costs)
    needs = needs_of(table.values, k)
    began = time.perf_counter()
    withheld = suppress(table.system, table.values, needs)
    quick = time.perf_counter() - began
    began = time.perf_counter()
    unsafe = unreached(table, needs, withheld)
    audit = time.perf_counter() - began
    began = time.perf_counter()
    best = exact.suppress_exactly(table.system, table.values, needs, seconds=LIMIT)
    exactly = time.perf_counter() - began
    primary = table.cost({need.cell for need in needs})
    bound = primary + int(np.ceil(best.bound - 1e-6))
    return City(
        seed=seed,
        k=k,
        costs=costs,
        cells=len(table.values),
        primary=primary,
        quick=table.cost(withheld),
        exact=table.cost(best.withheld),
        bound=bound,
        above=round(table.cost(withheld) / bound - 1, 4),
        unsafe=len(unsafe) + len(unreached(table, needs, best.withheld)),
        quick_seconds=round(quick, 2),
        audit_seconds=round(audit, 2),
        exact_seconds=round(exactly, 1),
    )


def unreached(table: Linear, needs: Sequence[Need], withheld: Collection[int]) -> list[str]:
    """The audit: counts that a reader of the rest can rule out at one of their ends."""
    cells = enumerate(table.system.cells)
    shown = {cell.id: (table.values[at], table.values[at]) for at, cell in cells if at not in withheld}
    goals = {need.cell: need.high for need in needs}
    _, unmet = explore(Attacker(table.system, shown), goals, lambda values, k: min(values) == 0 and max(values) >= k)
    return [table.system.cells[at].id for at in unmet]


@dataclass(frozen=True)
class Beside:
    """The same table as tau-ARGUS takes it, rule [0, 2x]: zeros known, every place counted.

    Unsafe are those of its modular method, by our audit and by its own.
    """

    seed: int
    costs: str
    primary: int
    ours: int
    ours_exact: int
    optimal: int
    modular: int
    modular_unsafe: int
    modular_unsafe_by_itself: int
    ours_seconds: float
    ours_exact_seconds: float
    optimal_seconds: float
    modular_seconds: float


def beside_argus(seed: int, k: int, costs: argus.Costs) -> Beside:
    """Run both on one table."""
    cube = campaign_cube(seed, UNITS)
    table = linear(cube, costs, as_argus=True)
    needs = needs_of(table.values, k, doubled=True)
    began = time.perf_counter()
    ours = suppress(table.system, table.values, needs)
    quick = time.perf_counter() - began
    began = time.perf_counter()
    best = exact.suppress_exactly(table.system, table.values, needs, seconds=LIMIT)
    exactly = time.perf_counter() - began
    optimal, modular = (argus.protect(cube.trees, cube.inner, k, method, costs=costs) for method in argus.METHODS)
    theirs = {table.of[place] for place in modular.cells}
    intervals = argus_audit.audit(cube.trees, cube.inner, k, modular.cells)
    primary = {need.cell for need in needs}
    return Beside(
        seed=seed,
        costs=costs,
        primary=table.cost(primary),
        ours=table.cost(ours),
        ours_exact=table.cost(best.withheld),
        optimal=table.cost({table.of[place] for place in optimal.cells}),
        modular=table.cost(theirs),
        modular_unsafe=len(unreached(table, needs, theirs)),
        modular_unsafe_by_itself=sum(intervals[place].is_narrow for place in modular.primary),
        ours_seconds=round(quick, 2),
        ours_exact_seconds=round(exactly, 1),
        optimal_seconds=round(optimal.seconds, 1),
        modular_seconds=round(modular.seconds, 1),
    )


def rows(seeds: int) -> Iterator[City]:
    """Each seed, threshold and way of counting."""
    with (
        mock.patch.object(secondary, "prices_of", flat_prices),
        mock.patch.object(exact, "prices_of", flat_prices),
    ):
        for seed in range(1, seeds + 1):
            for k in (5, 10):
                for costs in ("count", "value"):
                    yield measured(seed, k, costs)


def rows_beside(seeds: int) -> Iterator[Beside]:
    """Each seed and way of counting, beside tau-ARGUS; nothing if it is not installed."""
    with (
        mock.patch.object(secondary, "prices_of", flat_prices),
        mock.patch.object(exact, "prices_of", flat_prices),
    ):
        for seed in range(1, seeds + 1):
            for costs in ("count", "value"):
                try:
                    yield beside_argus(seed, 5, costs)
                except ModuleNotFoundError as error:
                    print(error)
                    return


def run(seeds: int) -> None:
    """Print every table's figures, then medians, and all as JSON."""
    cities, besides = list[City](), list[Beside]()
    for row in rows(seeds):
        cities.append(row)
        print(row, flush=True)
    for beside in rows_beside(min(seeds, 3)):
        besides.append(beside)
        print(beside, flush=True)
    for name in ("above", "quick_seconds", "audit_seconds", "exact_seconds"):
        print(f"median {name}: {statistics.median(getattr(row, name) for row in cities):.4g}")
    print(json.dumps([*map(asdict, cities), *map(asdict, besides)]))
