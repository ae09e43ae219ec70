"""How many figures of a closing table could be exact at best, and how far ours is from that.

The bound is of an integer programme (`suppression/exact.py`): which figures must be other than exact so that every
small count can still be 0 and `top` for a plain reader. Tables may have fractions in it, units are no readers, and
nothing is asked of a rerun: whatever meets our promise meets this, so that no choice of figures can have more exact
ones. How far below it ours is can be told apart: what could be exact though units are readers is tried one by one.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from unittest import mock

import numpy as np

from bench.common import campaign_here
from bench.disclosure.closing import Figures, county, printed, task_of
from bench.disclosure.reading import broken, broken_for_insiders, reader_of_table, small_counts, spread
from bench.disclosure.suppression import exact, secondary
from bench.disclosure.suppression.priced import Need, Priced, PricedCell
from bench.disclosure.suppression.programme import FREE, Vector
from etl.findings import FuxueError
from etl.proof.tables import Range
from etl.protect.coding import code_table
from etl.protect.draft import ReleaseDay
from etl.rulebook.campaign import Campaign

#: Counties, and seconds that a programme may take.
COUNTIES, SECONDS = 5, 60.0


@dataclass(frozen=True)
class Optimum:
    """One county: of `large` figures, those above `top`, `ours` are exact.

    At most `most_in_steps` could be if the others were no wider than the step of the grid that holds them (None: even
    with no exact figure a small count could be narrowed), `most_of_all` if they could be as wide as one likes;
    `found_…` is what the programme found. `singly` of ours that are intervals could be exact, one alone, without
    breaking a promise to plain readers, `singly_with_insiders` to all; `greedily` so many one after another.
    """

    seed: int
    large: int
    ours: int
    most_in_steps: int | None
    found_in_steps: int | None
    most_of_all: int | None
    found_of_all: int | None
    singly: int
    singly_with_insiders: int
    greedily: int


def flat(system: Priced, _values: Sequence[int], _secret: bytes) -> Vector:
    """Prices that count figures."""
    return np.array([np.inf if cell.known else FREE if cell.weight is None else 1.0 for cell in system.cells], float)


def bound(day: ReleaseDay, *, in_steps: bool) -> tuple[int | None, int | None]:
    """The most figures above `top` that can be exact, and how many are in the choice that was found; None if none."""
    cells, k = day.system.cells, day.campaign.publication.k
    values, small = [day.values[cell.id] for cell in cells], small_counts(day)
    system = Priced(
        tuple(PricedCell(cell.id, 1 if cell.printed else None, cell.known) for cell in cells), day.system.equations
    )
    needs = [Need(at, 0, most - 1) for at, most in small.items()]
    large = [at for at, cell in enumerate(cells) if cell.printed and not cell.known and at not in small]
    bounds: list[Range] = [(0, None)] * len(cells)
    for at, most in small.items():
        bounds[at] = (0, most - 1) if cells[at].printed else (0, None)
    for at in large if in_steps else ():
        low = values[at] // (k + 1) * (k + 1)
        bounds[at] = (low, low + k)
    for at, cell in enumerate(cells):
        bounds[at] = (values[at], values[at]) if cell.known else bounds[at]
    with mock.patch.object(secondary, "prices_of", flat), mock.patch.object(exact, "prices_of", flat):
        try:
            found = exact.suppress_exactly(system, values, needs, bounds, seconds=SECONDS)
        except FuxueError:
            return None, None
    return len(large) - ceil(found.bound - 1e-3), len(large) - len(found.withheld.intersection(large))


def is_safe(day: ReleaseDay, figures: Figures, *, insiders: bool) -> bool:
    """Whether no promise is broken."""
    reader = reader_of_table(day, figures)
    return not broken(day, reader) and not (insiders and broken_for_insiders(day, reader))


def freed(day: ReleaseDay, figures: Figures, cells: Iterable[str], *, insiders: bool) -> list[str]:
    """The cells of which each alone could be exact."""
    return [cell for cell in cells if is_safe(day, {**figures, cell: (day.values[cell],) * 2}, insiders=insiders)]


def greedily(day: ReleaseDay, figures: Figures, cells: Iterable[str]) -> int:
    """How many of the cells can be exact together, each being taken if it still can."""
    taken: Mapping[str, tuple[int, int]] = {}
    for cell in cells:
        more = {**taken, cell: (day.values[cell],) * 2}
        taken = more if is_safe(day, {**figures, **more}, insiders=True) else taken
    return len(taken)


def measured(campaign: Campaign, seed: int) -> Optimum:
    """One county."""
    day = county(campaign, seed)
    figures, top = printed(day, code_table(task_of(day))), campaign.publication.top
    large = [cell for cell in figures if day.values[cell] > top(cell.partition(".")[0])]
    open_ = [cell for cell in large if figures[cell] != (day.values[cell],) * 2]
    singly = freed(day, figures, open_, insiders=False)
    both = freed(day, figures, singly, insiders=True)
    in_steps, of_all = bound(day, in_steps=True), bound(day, in_steps=False)
    return Optimum(
        seed=seed,
        large=len(large),
        ours=len(large) - len(open_),
        most_in_steps=in_steps[0],
        found_in_steps=in_steps[1],
        most_of_all=of_all[0],
        found_of_all=of_all[1],
        singly=len(singly),
        singly_with_insiders=len(both),
        greedily=greedily(day, figures, both),
    )


def run(seeds: int) -> None:
    """A few counties; shares of exact figures, and all as JSON."""
    campaign, found = campaign_here(), list[Optimum]()
    for seed in range(1, min(seeds, COUNTIES) + 1):
        found.append(measured(campaign, seed))
        print(found[-1], flush=True)
    for name in ("ours", "most_in_steps", "found_in_steps", "most_of_all", "found_of_all"):
        shares = [getattr(one, name) / one.large for one in found if getattr(one, name) is not None]
        print(f"share exact, {name}: {spread(shares) if shares else 'none'}")
    for name in ("singly", "singly_with_insiders", "greedily"):
        print(f"{name}: {spread([getattr(one, name) for one in found])}")
    print(json.dumps([*map(asdict, found)]))
