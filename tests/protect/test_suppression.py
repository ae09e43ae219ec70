"""Secondary suppression by itself: every need met, nothing to spare, and the exact method cheapest of all patterns."""

import itertools
import random
from collections.abc import Collection, Iterator, Sequence

import pytest

from etl.findings import FuxueError
from etl.proof.attacker import Attacker, broken_promises
from etl.proof.tables import Need, System, SystemCell
from etl.protect.exact import suppress_exactly
from etl.protect.secondary import loners_of, prices_of, suppress

K = 3
SEEDS = range(12)


def table(seed: int, height: int, width: int) -> tuple[System, list[int], list[Need]]:
    """A table with its sums: every cell printed, small counts to be hidden."""
    draw = random.Random(seed)
    inner = [[draw.choice((0, 1, 2, 4, 6, 9)) for _ in range(width)] for _ in range(height)]
    rows = [[*row, sum(row)] for row in inner]
    rows.append([sum(column) for column in zip(*rows, strict=True)])
    values = [value for row in rows for value in row]
    cells = [
        SystemCell(f"{y}.{x}", "unit", str(y), str(x), draw.randint(1, 5), False, (y, x) == (height, width))
        for y in range(height + 1)
        for x in range(width + 1)
    ]
    every = width + 1
    sums = [(y * every + width, tuple(y * every + x for x in range(width))) for y in range(height + 1)]
    sums += [(height * every + x, tuple(y * every + x for y in range(height))) for x in range(every)]
    needs = [Need(at, 0, K) for at, value in enumerate(values) if 0 < value < K and not cells[at].known]
    return System(tuple(cells), tuple(sums), ()), values, needs


def unmet(system: System, values: Sequence[int], needs: Sequence[Need], withheld: Collection[int]) -> list[str]:
    """Needs that a reader of the rest sees through."""
    told = {cell.id: (values[at], values[at]) for at, cell in enumerate(system.cells) if at not in withheld}
    return [failure.quantity for failure in broken_promises(Attacker(system, told), needs)]


def cost(system: System, values: Sequence[int], withheld: Collection[int]) -> float:
    prices = prices_of(system, values, b"")
    return float(sum(prices[at] for at in withheld))


def patterns(system: System, values: Sequence[int], needs: Sequence[Need]) -> Iterator[set[int]]:
    """All patterns that hide what must be hidden, the cheapest first."""
    must = {need.cell for need in needs}
    others = [at for at, cell in enumerate(system.cells) if not cell.known and at not in must]
    chosen = [set(more) | must for n in range(len(others) + 1) for more in itertools.combinations(others, n)]
    return iter(sorted(chosen, key=lambda pattern: cost(system, values, pattern)))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_withheld_meets_every_need_and_none_of_it_is_to_spare(seed: int) -> None:
    system, values, needs = table(seed, 6, 5)
    withheld = suppress(system, values, needs, secret=b"x")
    assert not unmet(system, values, needs, withheld)
    for cell in withheld - {need.cell for need in needs}:
        assert unmet(system, values, needs, withheld - {cell})


@pytest.mark.parametrize("seed", SEEDS)
def test_the_exact_method_finds_the_cheapest_of_all_patterns(seed: int) -> None:
    system, values, needs = table(seed, 2, 3)
    try:
        found = suppress_exactly(system, values, needs)
    except FuxueError:  # too few to hide among, whatever is withheld
        everything = {at for at, cell in enumerate(system.cells) if not cell.known}
        assert unmet(system, values, needs, everything)
        return
    best = next(pattern for pattern in patterns(system, values, needs) if not unmet(system, values, needs, pattern))
    assert not unmet(system, values, needs, found.withheld)
    assert cost(system, values, found.withheld) == pytest.approx(cost(system, values, best))
    assert found.bound == pytest.approx(found.cost)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_quick_method_is_no_cheaper_than_the_bound_and_seldom_dearer(seed: int) -> None:
    system, values, needs = table(seed, 6, 5)
    must = {need.cell for need in needs}
    quick = cost(system, values, suppress(system, values, needs) - must)
    exact = suppress_exactly(system, values, needs)
    assert exact.bound - 1e-6 <= exact.cost <= quick + 1e-6
    assert quick + cost(system, values, must) <= 1.2 * (exact.bound + cost(system, values, must))


@pytest.mark.parametrize("seed", SEEDS)
def test_whoever_knows_one_small_count_is_left_with_as_much(seed: int) -> None:
    system, values, needs = table(seed, 6, 5)
    loners = loners_of(system, values)
    withheld = suppress(system, values, needs, loners=loners)
    for loner in loners:
        told = withheld - {loner}
        others = [need for need in needs if need.cell != loner]
        assert not unmet(system, values, others, told), loner


def test_out_of_time_the_best_so_far_is_taken_with_its_bound() -> None:
    system, values, needs = table(3, 6, 5)
    found = suppress_exactly(system, values, needs, seconds=0)
    assert found.withheld == suppress(system, values, needs)
    assert found.bound <= found.cost


def test_what_cannot_be_hidden_is_said() -> None:
    cells = tuple(SystemCell(name, "unit", name, "", 1, False, name == "whole") for name in ("whole", "part", "rest"))
    with pytest.raises(FuxueError) as refused:
        suppress(System(cells, ((0, (1, 2)),), ()), [3, 2, 1], [Need(1, 0, 5)])
    assert refused.value.code == 3
