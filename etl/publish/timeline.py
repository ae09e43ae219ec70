"""A drawing of the city's figures over time: a mark for each exact or rounded figure, a band around the rounded ones.

Horizontal positions are hundredths of a percent of the width, vertical ones pixels, so that the drawing can stretch but
its text does not. An interval has no mark: it is hatched from its low to its high end.
"""

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from etl.exchange.release import CITY, Release
from etl.publish.charts import ShownFigure, past, percent, reach
from etl.publish.source import Source
from etl.publish.views import table_of_kind

#: The measures of each frame: the whole first, then its parts.
FRAMES = (("suspected", "verified", "deducted"), ("to_return", "returned", "still_out"))
HEIGHT = 168
#: The least height of a hatched interval, in pixels, so that it can be seen.
_LEAST = 6
LEFT, RIGHT = 150, 9850


@dataclass(frozen=True)
class Mark:
    """A figure on its day: `x` across; `y` down, None for an interval; it may lie from `top` to `bottom`."""

    x: int
    y: int | None
    top: int
    bottom: int
    release: Release
    figure: ShownFigure

    @property
    def left(self) -> str:
        """`x` as a text for SVG."""
        return percent(self.x)

    @property
    def hatched(self) -> tuple[int, int]:
        """Where the hatching of an interval begins, from the top, and its height."""
        height = max(self.bottom - self.top, _LEAST)
        return min(self.top, HEIGHT - height), height


@dataclass(frozen=True)
class Series:
    """A measure's marks, and the pairs of successive ones: between them goes a line, or a band if one is not exact."""

    measure: str
    marks: tuple[Mark, ...]
    stretches: tuple[tuple[Mark, Mark], ...]


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
    highest = max((reach(one.cell) for row in figures.values() for _, _, one in row), default=0)
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
    )


def _mark(x: int, release: Release, one: ShownFigure, top: int) -> Mark | None:
    if one.low is None or one.high is None:
        return None
    y = None if one.value is None else _down(one.value, top)
    return Mark(x, y, _down(one.high, top), _down(one.low, top), release, one)


def _down(people: int, top: int) -> int:
    return HEIGHT - HEIGHT * people // top


def _step(highest: int) -> int:
    """The smallest round number (1, 2 or 5 times a power of ten) such that four steps of it reach `highest`."""
    steps: Iterator[int] = (base * 10**power for power in range(12) for base in (1, 2, 5))
    return next(step for step in steps if step * 4 >= highest)
