"""The whole city over time, as one drawing: where each figure stood at each release, bands where it was rounded.

Across, positions are hundredths of a percent of the width; down, pixels: so the drawing stretches and its text does
not. What was withheld has no place: its day is hatched from top to bottom.
"""

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from etl.exchange.release import CITY, Release
from etl.publish.charts import ShownFigure, past, percent, reach
from etl.publish.source import Source
from etl.publish.views import table_of_kind

#: What is drawn, a frame for each line: the whole first, then its part.
FRAMES = (("suspected", "verified"), ("to_return", "returned"))
HEIGHT = 168
LEFT, RIGHT = 150, 9850


@dataclass(frozen=True)
class Mark:
    """A figure on its day: `x` of the width, and how far down it stands and may stand."""

    x: int
    y: int
    top: int
    bottom: int
    release: Release
    figure: ShownFigure

    @property
    def left(self) -> str:
        """`x` as SVG writes it."""
        return percent(self.x)


@dataclass(frozen=True)
class Series:
    """A measure's marks, the stretches between neighbours that both are told, and the days on which it was withheld."""

    measure: str
    marks: tuple[Mark, ...]
    stretches: tuple[tuple[Mark, Mark], ...]
    withheld: tuple[str, ...]


@dataclass(frozen=True)
class Frame:
    """Measures on one scale, with the lines that help to read it: how far down, and how many people."""

    series: tuple[Series, ...]
    ticks: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class _Day:
    """A day that is written on the drawing; `key` says why; `early` in the left half, where words go to its right."""

    key: str
    date: dt.date
    left: str
    early: bool


@dataclass(frozen=True)
class Timeline:
    """The drawing: its frames, the deadlines, and its first and last day."""

    frames: tuple[Frame, ...]
    deadlines: tuple[_Day, ...]
    ends: tuple[_Day, _Day]


def timeline(source: Source) -> Timeline:
    """The city's figures of every release; of several on one day the last is drawn."""
    campaign = source.campaign
    first = min(campaign.noticed, source.releases[0].as_of)
    last = max(campaign.reports_due, source.latest.as_of)
    days = max((last - first).days, 1)

    def across(day: dt.date) -> int:
        return LEFT + (RIGHT - LEFT) * (day - first).days // days

    releases = list({release.as_of: release for release in source.releases}.values())
    at = [(across(release.as_of), release) for release in releases]
    measures = table_of_kind(source.latest, "city").measures
    frames = [_frame([m for m in names if m in measures], at) for names in FRAMES]
    due = (("verification", campaign.verification_due), ("reports", campaign.reports_due))
    return Timeline(
        tuple(frame for frame in frames if frame.series),
        tuple(_Day(key, day, percent(across(day)), across(day) < (LEFT + RIGHT) // 2) for key, day in due),
        (_Day("first", first, percent(LEFT), True), _Day("last", last, percent(RIGHT), False)),
    )


def _frame(measures: list[str], at: list[tuple[int, Release]]) -> Frame:
    figures = {m: [(x, r, past(r, table_of_kind(r, "city"), CITY, m)) for x, r in at] for m in measures}
    highest = max((reach(one.cell, one.slack) for row in figures.values() for _, _, one in row), default=0)
    step = _step(highest)
    top = step * max(-(-highest // step), 1)  # with nothing told, a frame all the same
    series = tuple(_series(measure, row, top) for measure, row in figures.items())
    return Frame(series, tuple((_down(people, top), people) for people in range(0, top + 1, step)))


def _series(measure: str, row: list[tuple[int, Release, ShownFigure]], top: int) -> Series:
    places = [_mark(x, release, one, top) for x, release, one in row]
    return Series(
        measure,
        tuple(mark for mark in places if mark),
        tuple((one, other) for one, other in itertools.pairwise(places) if one and other),
        tuple(percent(x) for x, _, one in row if one.status == "suppressed"),
    )


def _mark(x: int, release: Release, one: ShownFigure, top: int) -> Mark | None:
    if one.value is None:
        return None
    ends = (one.value, one.value + one.slack, max(one.value - one.slack, 0))
    y, high, low = (_down(people, top) for people in ends)
    return Mark(x, y, high, low, release, one)


def _down(people: int, top: int) -> int:
    return HEIGHT - HEIGHT * people // top


def _step(highest: int) -> int:
    """A round number of which at most four reach `highest`."""
    steps: Iterator[int] = (base * 10**power for power in range(12) for base in (1, 2, 5))
    return next(step for step in steps if step * 4 >= highest)
