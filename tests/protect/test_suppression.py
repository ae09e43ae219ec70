"""Secondary suppression alone: it meets every need and withholds nothing needless; its exact method is cheapest."""

import itertools
import random
from collections.abc import Collection, Iterator, Sequence

import numpy as np
import pytest

from etl.findings import FuxueError
from etl.proof.attacker import Attacker, broken_promises
from etl.proof.tables import Need, System, SystemCell
from etl.protect import exact
from etl.protect.exact import suppress_exactly
from etl.protect.programme import Programme, task_of
from etl.protect.secondary import loners_of, prices_of, suppress

K = 3
SEEDS = range(12)


def table(seed: int, height: int, width: int) -> tuple[System, list[int], list[Need]]:
    """A random table with its sums: (its system, the value of each cell, a need for each small count)."""
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
    """The quantities whose needs are not met when only the cells in `withheld` are not published."""
    published = {cell.id: (values[at], values[at]) for at, cell in enumerate(system.cells) if at not in withheld}
    return [failure.quantity for failure in broken_promises(Attacker(system, published), needs)]


def cost(system: System, values: Sequence[int], withheld: Collection[int]) -> float:
    prices = prices_of(system, values, b"")
    return float(sum(prices[at] for at in withheld))


def patterns(system: System, values: Sequence[int], needs: Sequence[Need]) -> Iterator[set[int]]:
    """All sets of cells that include every cell with a need, the cheapest first."""
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
    except FuxueError:  # even withholding every cell does not meet the needs
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
        hidden = withheld - {loner}
        others = [need for need in needs if need.cell != loner]
        assert not unmet(system, values, others, hidden), loner


def test_out_of_time_the_best_so_far_is_taken_with_its_bound() -> None:
    system, values, needs = table(3, 6, 5)
    found = suppress_exactly(system, values, needs, seconds=0)
    assert found.withheld == suppress(system, values, needs)
    assert found.bound <= found.cost


class Clock:
    """A clock that shows 0 for the first `stop` readings, and then a time past every deadline."""

    def __init__(self, stop: int) -> None:
        self.left = stop

    def monotonic(self) -> float:
        self.left -= 1
        return 0.0 if self.left >= 0 else 1e9


def counted(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> list[None]:
    """A list that gets one entry for each call of `name` of `owner`, which otherwise works as before."""
    really, calls = getattr(owner, name), list[None]()

    def call(*given: object, **more: object) -> object:
        calls.append(None)
        return really(*given, **more)

    monkeypatch.setattr(owner, name, call)
    return calls


def test_when_time_is_over_no_further_inequality_is_sought_and_no_further_pattern_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    system, values, needs = table(3, 6, 5)
    monkeypatch.setattr(exact, "time", Clock(stop=2))  # time is over once the first solution is found
    cuts, tries = counted(monkeypatch, exact._Separator, "_cut"), counted(monkeypatch, exact, "suppress")
    found = suppress_exactly(system, values, needs)
    assert (len(cuts), len(tries)) == (0, 1)
    assert found.withheld == suppress(system, values, needs)
    assert found.bound <= found.cost


def test_a_solver_that_finds_nothing_in_time_leaves_the_quick_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    system, values, needs = table(3, 6, 5)
    monkeypatch.setattr(exact._Master, "solve", lambda *_, **__: (np.array([]), float("-inf")))
    found = suppress_exactly(system, values, needs)
    assert found.withheld == suppress(system, values, needs)
    assert found.bound == 0


def test_an_inequality_that_tells_a_pattern_nothing_is_left_out() -> None:
    """Cells that are withheld anyway satisfy it already, or it contains no cell that may still be chosen."""
    master = exact._Master(np.array([1.0, 2.0, 3.0]), [1, 2])
    free = np.array([True, False, False])
    assert not master.add(({0: 1.0, 1: 0.5}, 1.0), free)
    assert not master.add(({0: 0.5}, 1.0), free)
    assert master.model.getNumRow() == 0
    assert master.add(({0: 0.5, 2: 1.0}, 1.0), free)
    assert master.solve(whole=True, seconds=1)[0].tolist() == [0, 1]


def test_figures_that_do_not_add_up_are_an_error_not_a_pass() -> None:
    cells = tuple(SystemCell(name, "unit", name, "", 1, False, False) for name in ("whole", "part", "rest", "a", "b"))
    system = System(cells, ((0, (1, 2)), (3, (4,))), ())
    with pytest.raises(ValueError, match="true table does not fit"):
        suppress_exactly(system, [9, 2, 7, 5, 4], [Need(1, 0, K)])


def test_needs_are_met_one_by_one_where_no_table_serves_several(monkeypatch: pytest.MonkeyPatch) -> None:
    system, values, needs = table(3, 6, 5)
    monkeypatch.setattr(Programme, "farthest", lambda *_: None)
    withheld = suppress(system, values, needs)
    assert not unmet(system, values, needs, withheld)
    assert {need.cell for need in needs} <= withheld


def test_a_goal_beyond_what_is_known_of_a_cell_has_no_table() -> None:
    """This holds with and without `exactly`."""
    cells = tuple(SystemCell(name, "unit", name, "", 1, False, False) for name in ("whole", "part", "rest"))
    task = task_of(System(cells, ((0, (1, 2)),), ()), [9, 2, 7], [], [(0, None), (1, 4), (0, None)])
    programme, prices = Programme(task), np.ones(3)
    for goal in (0, 5):
        assert programme.cheapest(prices, {1: goal}, exactly=True) is None
        assert programme.cheapest(prices, {1: goal}) is None
    found = programme.cheapest(prices, {1: 4}, exactly=True)
    assert found is not None
    assert found[1] == 4


def test_what_cannot_be_hidden_is_said() -> None:
    cells = tuple(SystemCell(name, "unit", name, "", 1, False, name == "whole") for name in ("whole", "part", "rest"))
    with pytest.raises(FuxueError) as refused:
        suppress(System(cells, ((0, (1, 2)),), ()), [3, 2, 1], [Need(1, 0, 5)])
    assert refused.value.code == 3
