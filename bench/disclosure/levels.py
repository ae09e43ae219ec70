"""A province: units under areas, themselves under areas, protected and audited at once; and how that grows."""

import itertools
import json
import math
import random
import resource
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from bench.common import campaign_here
from bench.disclosure.campaigns import REALISTIC, days
from bench.disclosure.closing import printed, task_of
from bench.disclosure.reading import broken, reader_of_table, small_counts, spread
from etl.proof.attacker import Attacker
from etl.proof.insiders import readable_by_insiders
from etl.protect.coding import code_table
from etl.protect.draft import ReleaseDay
from etl.rulebook.campaign import Campaign, Unit
from etl.rulebook.publication import Area, Table

UNITS = (30, 150, 500, 1500)
#: About how many parts an area has: units, then areas.
WIDE, UPPER = 30, 10
#: Repetitions, with other made-up counts each, and units in each whose knowledge is tried.
SEEDS, INSIDERS = 3, 20


@dataclass(frozen=True)
class Levels:
    """One size and draw: `figures` printed; counts `broken` for a plain reader, and for `insiders`, a sample of units.

    `exact` is the share of figures above `top` that is exact. `megabytes` is the most memory of the process so far.
    """

    units: int
    areas: int
    seed: int
    figures: int
    small: int
    exact: float
    broken: int
    insiders: int
    broken_for_insiders: int
    protect_seconds: float
    audit_seconds: float
    insiders_seconds: float
    megabytes: int


def province(campaign: Campaign, units: int) -> Campaign:
    """So many units under areas of about thirty, and those, if they are more than ten, under areas of about ten."""
    every = tuple(Unit(f"u{at}", f"单位{at}", "镇", f"Unit {at}", ()) for at in range(units))
    lower = _over([unit.slug for unit in every], "a", max(2, round(units / WIDE)))
    upper = _over([area.key for area in lower], "b", round(len(lower) / UPPER)) if len(lower) > UPPER else []
    table = Table("areas", "area", ("suspected", "returned", "still_out"), "片区", "Areas")
    publication = campaign.publication
    changed = replace(publication, areas=(*lower, *upper), tables=(*publication.tables, table))
    return replace(campaign, units=every, publication=changed)


def _over(parts: Sequence[str], key: str, number: int) -> list[Area]:
    """So many areas, as even as can be."""
    ends = [round(at * len(parts) / number) for at in range(number + 1)]
    return [
        Area(f"{key}{at}", f"片{key}{at}", f"Area {key}{at}", tuple(parts[ends[at] : ends[at + 1]]))
        for at in range(number)
    ]


def broken_for_sample(day: ReleaseDay, reader: Attacker, seed: int) -> int:
    """Small counts that some of a sample of units, each knowing its own row, can infer more closely than 0 to `top`."""
    draw = random.Random(seed)  # noqa: S311 - which units are tried
    sample = set(draw.sample(list(day.reported), INSIDERS))
    rows: dict[str, dict[int, int]] = {}
    for at, cell in enumerate(day.system.cells):
        if cell.row in sample and not cell.known:
            rows.setdefault(cell.row, {})[at] = day.values[cell.id]
    return len(readable_by_insiders(reader, rows, small_counts(day))[0])


def measured(campaign: Campaign, units: int, seed: int) -> Levels:
    """One draw of a size."""
    whole = province(campaign, units)
    day = ReleaseDay(whole, list(days(whole, REALISTIC, seed))[-1])
    task, top = task_of(day), whole.publication.top
    times = [time.process_time()]
    figures = printed(day, code_table(task))
    times.append(time.process_time())
    reader = reader_of_table(day, figures)
    found = broken(day, reader)
    times.append(time.process_time())
    inside = broken_for_sample(day, reader, seed)
    times.append(time.process_time())
    large = [cell for cell in figures if day.values[cell] > top(cell.partition(".")[0])]
    protect, audit, insiders = (round(after - before, 3) for before, after in itertools.pairwise(times))
    return Levels(
        units=units,
        areas=len(whole.publication.areas),
        seed=seed,
        figures=len(figures),
        small=len(figures) - len(large),
        exact=round(sum(figures[cell] == (day.values[cell],) * 2 for cell in large) / len(large), 3),
        broken=len(found),
        insiders=INSIDERS,
        broken_for_insiders=inside,
        protect_seconds=protect,
        audit_seconds=audit,
        insiders_seconds=insiders,
        megabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )


def growth(found: Sequence[Levels], name: str) -> float:
    """The exponent of units by which seconds grow, fitted on logarithms."""
    sizes = [math.log(one.units) for one in found]
    seconds = [math.log(max(getattr(one, name), 1e-3)) for one in found]
    return round(statistics.linear_regression(sizes, seconds).slope, 2)


def run(seeds: int) -> None:
    """All sizes, smallest first, since memory is that of the process so far; growth; all as JSON."""
    campaign, found = campaign_here(), list[Levels]()
    for units in UNITS:
        for seed in range(1, min(seeds, SEEDS) + 1):
            found.append(measured(campaign, units, seed))
            print(found[-1], flush=True)
    most = [one for one in found if one.units == UNITS[-1]]
    for name in ("exact", "broken", "broken_for_insiders", "protect_seconds", "audit_seconds", "megabytes"):
        print(f"{UNITS[-1]} units, {name}: {spread([getattr(one, name) for one in most])}")
    grown = {name: growth(found, name) for name in ("protect_seconds", "audit_seconds")}
    for name, exponent in grown.items():
        print(f"{name} grow with units to the power of {exponent}")
    print(json.dumps([*map(asdict, found), grown]))
