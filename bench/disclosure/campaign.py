"""Whole made-up campaigns: fourteen rounded releases and the closing one, each on top of those before."""

import json
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.common import campaign_here
from bench.disclosure.campaigns import DAYS, REALISTIC, STRESS, Style, days
from bench.disclosure.reading import spread
from etl.exchange.release import Cell, Release, Status, cell_id
from etl.findings import FuxueError
from etl.proof.attacker import Attacker, ContradictionError
from etl.proof.history import place, reader_of
from etl.proof.insiders import readable_by_insiders
from etl.proof.reader import goals_of, readable
from etl.protect.closing import closing_release
from etl.protect.draft import ReleaseDay
from etl.protect.interim import interim_release
from etl.rulebook.campaign import Campaign
from etl.rulebook.publication import Assumption

#: The secret that sways the draws of made-up campaigns.
SECRET = b"bench"


@dataclass(frozen=True)
class Course:
    """One campaign from the first day to the close.

    `rounded` counts the figures that were published rounded before the close; `fallback` those for which only an
    interval was published, on `fallback_days`. `mean_error` and `greatest_error` are those of rounded figures with the
    usual threshold, the `sensitive` ones apart. `exact` is the share of the closing figures above `top`; `median` and
    `widest` are of the values in its intervals. `refused` are days without a release. `untrue` are figures whose
    interval misses the count; `narrowed` counts of any day of which a reader of all releases rules out too much, under
    the assumption of the closing release, `narrowed_before` under that of the last one before it;
    `narrowed_for_insiders` those of the last day, for a reader who knows a unit's row of that day. `narrowed_if_grows`
    are those of any day for a reader who assumes that verified and returned never fall; None if the figures contradict.
    """

    style: str
    seed: int
    rounded: int
    fallback: int
    fallback_days: int
    mean_error: float
    greatest_error: int
    sensitive_mean_error: float
    sensitive_greatest_error: int
    interim_assumed: str
    assumed: str
    exact: float
    median: float
    widest: int
    refused: int
    untrue: int
    narrowed: int
    narrowed_before: int
    narrowed_for_insiders: int
    narrowed_if_grows: int | None
    interim_seconds: float
    interim_seconds_most: float
    closing_seconds: float


@dataclass(frozen=True)
class Made:
    """A day with the release made of it, and how long that took."""

    day: ReleaseDay
    release: Release
    seconds: float

    def cells(self) -> Iterator[tuple[str, Cell, int]]:
        """Each printed figure that is not public anyway, nor of a unit that has not reported, with the true count."""
        known = {cell.id for cell in self.day.system.cells if cell.known}
        for table in self.release.tables:
            for at, cell in table.cells.items():
                if cell.status is not Status.NOT_DUE and cell_id(*at) not in known:
                    yield cell_id(*at), cell, self.day.values[cell_id(*at)]


def made(campaign: Campaign, style: Style, seed: int) -> list[Made]:
    """All releases of a campaign; days on which a release was refused are left out."""
    found: list[Made] = []
    for number, counts in enumerate(days(campaign, style, seed), 1):
        day = ReleaseDay(campaign, counts, tuple(one.release for one in found), SECRET)
        began = time.process_time()
        try:
            release = (closing_release if number == DAYS else interim_release)(day)
        except FuxueError as error:
            print(f"{style.name} {seed}, day {number}: refused, {error}", flush=True)
            continue
        found.append(Made(day, release, time.process_time() - began))
    return found


def narrowed_for_insiders(close: Made, reader: Attacker, goals: Mapping[int, int]) -> list[str]:
    """Small counts of the last day that a unit, knowing its row of that day, can infer too closely."""
    values = {place(close.release, cell): value for cell, value in close.day.values.items()}
    rows: dict[str, dict[int, int]] = {}
    small = {}
    for at, cell in enumerate(reader.system.cells):
        if cell.id in values and cell.kind == "unit" and not cell.known:
            rows.setdefault(cell.row, {})[at] = values[cell.id]
        if cell.id in values and at in goals and values[cell.id] <= close.release.top(cell.row):
            small[at] = goals[at]
    return readable_by_insiders(reader, rows, small)[0]


def narrowed_if(assumed: Assumption, releases: Sequence[Release]) -> int | None:
    """How many counts a reader of all releases narrows too much under an assumption; None if they contradict it."""
    try:
        return len(readable(reader_of(releases, assumed), releases))
    except ContradictionError:
        return None


def errors(interim: Sequence[Made], *, sensitive: bool) -> list[int]:
    """How far rounded figures are from the truth, of rows with a threshold of their own or of all others."""
    return [
        abs(cell.rounded - value)
        for one in interim
        for name, cell, value in one.cells()
        if cell.rounded is not None and (name.partition(".")[0] in one.release.category_k) == sensitive
    ]


def before_the_close(interim: Sequence[Made]) -> dict[str, Any]:
    """The part of `Course` that tells of rounded releases."""
    usual, sensitive = errors(interim, sensitive=False), errors(interim, sensitive=True)
    fallback = [sum(cell.rounded is None for _, cell, _ in one.cells()) for one in interim]
    return {
        "rounded": len(usual) + len(sensitive),
        "fallback": sum(fallback),
        "fallback_days": sum(count > 0 for count in fallback),
        "mean_error": round(statistics.fmean(usual), 3),
        "greatest_error": max(usual),
        "sensitive_mean_error": round(statistics.fmean(sensitive), 3),
        "sensitive_greatest_error": max(sensitive),
        "interim_assumed": interim[-1].release.assumed.key,
        "interim_seconds": round(statistics.median(one.seconds for one in interim), 2),
        "interim_seconds_most": round(max(one.seconds for one in interim), 2),
    }


def at_the_close(close: Made) -> dict[str, Any]:
    """The part of `Course` that tells of the closing release by itself."""
    shown = [*close.cells()]
    large = [cell for name, cell, value in shown if value > close.release.top(name.partition(".")[0])]
    ends = [(cell.low, cell.high) for _, cell, _ in shown if cell.exact is None]
    open_ = [high - low + 1 for low, high in ends if low is not None and high is not None] or [1]
    return {
        "assumed": close.release.assumed.key,
        "exact": round(sum(cell.exact is not None for cell in large) / len(large), 3),
        "median": statistics.median(open_),
        "widest": max(open_),
        "closing_seconds": round(close.seconds, 2),
    }


def measured(campaign: Campaign, style: Style, seed: int) -> Course | None:
    """One campaign; None if its closing release was refused."""
    found = made(campaign, style, seed)
    close, interim = found[-1], found[:-1]
    if not close.release.closing:
        return None
    releases = [one.release for one in found]
    reader = reader_of(releases, close.release.assumed)
    return Course(
        style=style.name,
        seed=seed,
        refused=DAYS - len(found),
        untrue=sum(not _is_true(cell, value) for one in found for _, cell, value in one.cells()),
        narrowed=len(readable(reader, releases)),
        narrowed_before=len(readable(reader_of(releases[:-1], releases[-2].assumed), releases[:-1])),
        narrowed_for_insiders=len(narrowed_for_insiders(close, reader, goals_of(reader, releases))),
        narrowed_if_grows=narrowed_if(campaign.publication.assumptions[1], releases),
        **before_the_close(interim),
        **at_the_close(close),
    )


def _is_true(cell: Cell, value: int) -> bool:
    return cell.low is not None and cell.high is not None and cell.low <= value <= cell.high


def run(seeds: int) -> None:
    """Campaigns of both styles; medians and spread of each style, then all as JSON."""
    campaign, found = campaign_here(), list[Course]()
    for style in (REALISTIC, STRESS):
        for seed in range(1, seeds + 1):
            if course := measured(campaign, style, seed):
                found.append(course)
                print(course, flush=True)
    for name in dict.fromkeys(one.style for one in found):
        rows = [asdict(one) for one in found if one.style == name]
        for key in rows[0]:
            values = [row[key] for row in rows if row[key] is not None]
            if key != "seed" and values and isinstance(values[0], int | float):
                print(f"{name} {key}: {spread(values)}")
            elif key in ("interim_assumed", "assumed"):
                print(f"{name} {key}: " + ", ".join(f"{one} {values.count(one)}" for one in dict.fromkeys(values)))
    print(json.dumps([*map(asdict, found)]))
