"""A drawing of the city's figures over time: a mark for each figure at each release, a band if it was rounded.

Horizontal positions are hundredths of a percent of the width, vertical ones pixels, so that the drawing can stretch but
its text does not. The day of a withheld figure is hatched from top to bottom.
"""

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from etl.exchange.release import CITY, Release
from etl.publish.charts import ShownFigure, past, percent, reach
from etl.publish.source import Source
from etl.publish.views import table_of_kind

#: The measures of each frame: the whole first, then its part.
FRAMES = (("suspected", "verified"), ("to_return", "returned"))
HEIGHT = 168
LEFT, RIGHT = 150, 9850


@dataclass(frozen=True)
class Mark:
    """A figure on its day: `x` across; `y` down, and the ends of its rounding interval (`top`, `bottom`)."""

    x: int
    y: int
    top: int
    bottom: int
    release: Release
    figure: ShownFigure

    @property
    def left(self) -> str:
        """`x` as a text for SVG."""
        return percent(self.x)


@dataclass(frozen=True)
class Series:
    """A measure's marks, the lines between successive published figures, and the positions where it was withheld."""

    measure: str
    marks: tuple[Mark, ...]
    stretches: tuple[tuple[Mark, Mark], ...]
    withheld: tuple[str, ...]


@dataclass(frozen=True)
class Frame:
    """Measures on one scale; `ticks` are its horizontal lines: (pixels from the top, number of people)."""

    series: tuple[Series, ...]
    ticks: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class _Day:
    """A day that is labelled on the drawing. `key` names its label, which is right of the day if `early`."""

    key: str
    date: dt.date
    left: str
    early: bool


@dataclass(frozen=True)
class Timeline:
    """The drawing: its frames, the deadlines, and the first and last day."""

    frames: tuple[Frame, ...]
    deadlines: tuple[_Day, ...]
    ends: tuple[_Day, _Day]


def timeline(source: Source) -> Timeline:
    """The drawing of all releases; if several have the same day, only the last is drawn."""
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
    top = step * max(-(-highest // step), 1)  # at least one step, so that an empty frame can be drawn too
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
    """The smallest round number (1, 2 or 5 times a power of ten) such that four steps of it reach `highest`."""
    steps: Iterator[int] = (base * 10**power for power in range(12) for base in (1, 2, 5))
    return next(step for step in steps if step * 4 >= highest)
