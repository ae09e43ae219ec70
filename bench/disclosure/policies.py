"""Ways to publish fifteen days and the close: ours, and four that are in use elsewhere.

Of a policy we keep, for each day, the figures by cell, and what a reader has of each cell: its least and greatest
value, by what everybody knows of the policy.
"""

import hmac
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from etl.exchange.counts import Counts
from etl.exchange.release import NOTHING, Cell, Release, Status, cell_id
from etl.proof.history import place, published_bounds, reader_of, system_in
from etl.proof.tables import Range, build_system
from etl.protect.closing import closing_release
from etl.protect.interim import interim_release
from etl.protect.primary import threshold, true_values
from etl.rulebook.campaign import Campaign

SECRET = b"made-up people, no secret"
#: Noise of the cell key method; step of rounding to base 5.
NOISE, BASE = 2, 5


@dataclass(frozen=True)
class Published:
    """`releases` give the structure of each day; `ranges` are by the names of `place`."""

    policy: str
    releases: Sequence[Release]
    figures: Sequence[Mapping[str, int]]
    ranges: Mapping[str, Range]
    seconds: Sequence[float] = ()


def values_of(campaign: Campaign, counts: Counts) -> dict[str, int]:
    """The true value of each cell of a day."""
    system = build_system(campaign, {unit.unit: unit.reported for unit in counts.units})
    return dict(zip(system.at, true_values(system, counts, campaign.publication), strict=True))


def ours(campaign: Campaign, truth: Sequence[Counts]) -> Published:
    """Rounded and held before the close, exact at the close."""
    releases, seconds = list[Release](), list[float]()
    for day, counts in enumerate(truth, 1):
        began = time.perf_counter()
        make = closing_release if day == len(truth) else interim_release
        releases.append(make(campaign, counts, releases, SECRET))
        seconds.append(time.perf_counter() - began)
    figures = [
        {at: cell.value for at, cell in printed(release).items() if cell.value is not None} for release in releases
    ]
    reader = reader_of(releases, NOTHING)
    ranges = {cell.id: ends for cell, ends in zip(reader.system.cells, reader.bounds, strict=True)}
    return Published("ours", releases, figures, ranges, seconds)


def printed(release: Release) -> dict[str, Cell]:
    """Cells of rows that had reported, known totals apart."""
    cells = {cell_id(row, name): cell for table in release.tables for (row, name), cell in table.cells.items()}
    return {at: cell for at, cell in cells.items() if cell.status is not Status.NOT_DUE and at not in release.known}


@dataclass(frozen=True)
class Question:
    """A cell on a day: its true value and threshold, whether the day alone would withhold it, its last figure."""

    day: int
    cell: str
    value: int
    k: int
    is_withheld: bool
    last: int | None


Answer = tuple[int, Range] | None


def independent(asked: Question) -> Answer:
    """Each day protected as if it were the only one."""
    return None if asked.is_withheld else (asked.value, (asked.value, asked.value))


def carried_forward(asked: Question) -> Answer:
    """The same, and a figure that has changed by less than k is not renewed."""
    if asked.is_withheld or asked.last is None or not 0 < abs(asked.value - asked.last) < asked.k:
        return independent(asked)
    return asked.last, (max(asked.last - asked.k + 1, 0), asked.last + asked.k - 1)


def cell_key(asked: Question) -> Answer:
    """Nothing withheld; each count with its own noise, the same for the same count (as the Australian bureau's)."""
    sign = hmac.digest(SECRET, f"{asked.cell}:{asked.value}".encode(), "sha256")[0]
    figure = max(asked.value + sign % (2 * NOISE + 1) - NOISE, 0)
    return figure, (max(figure - NOISE, 0), figure + NOISE)


def to_base_5(asked: Question) -> Answer:
    """Nothing withheld; each count rounded up or down at random, anew each day."""
    whole, rest = divmod(asked.value, BASE)
    sign = hmac.digest(SECRET, f"{asked.day}:{asked.cell}".encode(), "sha256")[0]
    figure = (whole + (sign * BASE < rest * 256)) * BASE
    return figure, (max(figure - BASE + 1, 0), figure + BASE - 1)


def cellwise(campaign: Campaign, truth: Sequence[Counts], publish: Callable[[Question], Answer]) -> Published:
    """A policy that looks at each cell by itself, given what independent suppression of the day would withhold."""
    releases, figures, ranges = list[Release](), list[dict[str, int]](), dict[str, Range]()
    last: dict[str, int] = {}
    for day, counts in enumerate(truth):
        release = replace(closing_release(campaign, counts, (), SECRET), number=day + 1)
        exact, answers = values_of(campaign, counts), dict[str, tuple[int, Range]]()
        for at, cell in printed(release).items():
            k = threshold(campaign.publication, at.rsplit(".", 1)[0])
            answer = publish(Question(day, at, exact[at], k, cell.value is None, last.get(at)))
            answers |= {at: answer} if answer else {}
        known = {
            at: ends for at, ends in published_bounds(release, system_in(release)).items() if at not in printed(release)
        }
        known |= {at: ends for at, (_, ends) in answers.items()}
        ranges |= {place(release, at): ends for at, ends in known.items()}
        figures.append({at: figure for at, (figure, _) in answers.items()})
        last |= figures[-1]
        releases.append(release)
    return Published(publish.__name__, releases, figures, ranges)


def everybody(campaign: Campaign, truth: Sequence[Counts]) -> Iterator[Published]:
    """Every policy on the same campaign, ours first."""
    yield ours(campaign, truth)
    for publish in (independent, carried_forward, cell_key, to_base_5):
        yield cellwise(campaign, truth, publish)
