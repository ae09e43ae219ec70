"""Three releases made by hand: two rounded ones while units report, then the closing one.

All three say one story: what a reader could add up of one agrees with the true counts on its day.
"""

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from etl.exchange.release import CITY, Cell, Release, ReleasedTable, exact_cell, interval_cell, rounded_cell
from tests.support.once import made_once
from tests.support.sample_release import (
    TEMPLATES,
    UNITS,
    WAITING,
    categories_of,
    city_of,
    publish_sample,
    rounded_down,
    sample_release,
    stepped,
)

#: Where a template's page lies, unless in a folder of its name.
ADDRESS = {
    "home": "index.html",
    "unit": "units/xinhua/index.html",
    "release": "releases/0002/index.html",
}


#: A page of each template, below its language's folder: whoever adds a template has it checked.
PAGES = tuple(
    ADDRESS.get(path.stem, f"{path.stem}/index.html")
    for path in sorted(TEMPLATES.glob("*.html"))
    if path.stem not in ("base", "figures", "macros", "shell")
)


DAYS = (dt.date(2019, 2, 23), dt.date(2019, 2, 26), dt.date(2019, 3, 4))
#: How many units have reported on each of these days.
REPORTED = (13, 26, 30)
#: Figures of the close that are intervals although their counts are great enough: G and L are small.
STEPPED = {("city", "deducted"), ("city", "to_return"), ("city", "returned"), ("F", "verified"), ("M", "verified")}
STEPPED |= {("xinhua", "suspected"), ("taiyang", "returned")}


def true(table: ReleasedTable, reported: int) -> dict[tuple[str, str], int]:
    """The true counts of a table, once so many units have reported."""
    city = city_of(UNITS[:reported])
    if table.kind == "city":
        return {(CITY, measure): city[measure] for measure in table.measures}
    if table.kind == "category":
        return dict(zip(table.cells, categories_of(city), strict=True))
    return dict(zip(table.cells, itertools.chain(*UNITS), strict=True))


def rounded_city(city: Mapping[str, int]) -> dict[str, int]:
    """Rounded figures that add up as the counts do, each less than six from its count."""
    for steps in itertools.product((0, 6), repeat=3):
        parts = ("deducted", "returned", "still_out")
        found = {part: city[part] // 6 * 6 + step for part, step in zip(parts, steps, strict=True)}
        found["to_return"] = found["returned"] + found["still_out"]
        found["verified"] = found["deducted"] + found["to_return"]
        if all(abs(found[name] - city[name]) < 6 for name in found):
            return found
    raise AssertionError


def _rounded(table: ReleasedTable, release: Release, reported: int) -> Iterator[tuple[tuple[str, str], Cell]]:
    counts = true(table, reported)
    for number, (row, measure) in enumerate(counts):
        if table.kind == "city" and measure == "suspected":
            yield (row, measure), exact_cell(counts[row, measure])
        elif table.kind == "city":
            yield (row, measure), rounded_cell(rounded_city(city_of(UNITS[:reported]))[measure], release.top(row))
        elif table.kind == "unit" and number // len(table.measures) >= reported:
            yield (row, measure), WAITING
        else:
            yield (row, measure), rounded_down(counts[row, measure], release.top(row))


def _closing(table: ReleasedTable, release: Release) -> Iterator[tuple[tuple[str, str], Cell]]:
    """What the rounded figures carry on stands beside each exact figure and each interval."""
    for at, rounded in _rounded(table, release, REPORTED[-1]):
        count, top = true(table, REPORTED[-1])[at], release.top(at[0])
        if count <= top:
            yield at, interval_cell(0, top, rounded.rounded)
        else:
            yield at, replace(stepped(count) if at in STEPPED else exact_cell(count), rounded=rounded.rounded)


def stack() -> list[Release]:
    """The three releases, oldest first."""
    base = sample_release(3, DAYS[2])
    made = []
    for number, (day, reported) in enumerate(zip(DAYS, REPORTED, strict=True), start=1):
        closing = day == DAYS[-1]
        cells = [dict(_closing(t, base) if closing else _rounded(t, base, reported)) for t in base.tables]
        tables = tuple(replace(t, cells=found) for t, found in zip(base.tables, cells, strict=True))
        made.append(replace(base, number=number, as_of=day, closing=closing, tables=tables))
    return made


def after_the_close() -> Release:
    """A fourth release, made later: rounded again."""
    base = sample_release(4, DAYS[-1] + dt.timedelta(days=30))
    tables = tuple(replace(t, cells=dict(_rounded(t, base, REPORTED[-1]))) for t in base.tables)
    return replace(base, tables=tables)


def publish_stack(folder: Path, most: int = 3) -> Path:
    """Publish the first `most` of the three below `folder` and give the public folder."""
    return publish_sample(folder, *stack()[:most])


def made_stack(factory: pytest.TempPathFactory, most: int = 3) -> Path:
    """The public folder of the first `most` of the three, made once: whoever changes it takes a copy."""
    return made_once(factory, f"stack-{most}", lambda folder: publish_stack(folder, most)) / "public"
