"""Three releases made by hand: two rounded ones while units report, then one at the close with withheld figures."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from etl.exchange.release import Cell, Release, ReleasedTable, Status, cell_id
from tests.support.once import made_once
from tests.support.sample_release import TEMPLATES, WAITING, WITHHELD, publish_sample, sample_release

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


CITY = (1198, 1198, 1080, 118, 92, 26)


UNITS = (
    38,
    24,
    71,
    24,
    19,
    33,
    52,
    12,
    66,
    7,
    0,
    15,
    29,
    41,
    8,
    22,
    17,
    36,
    10,
    28,
    13,
    61,
    97,
    19,
    44,
    83,
    150,
    170,
    31,
    3,
)


DAYS = (dt.date(2019, 2, 23), dt.date(2019, 2, 26), dt.date(2019, 3, 4))


def true(table: ReleasedTable) -> dict[tuple[str, str], int]:
    """What the table would be if everything were published."""
    if table.kind == "city":
        return dict(zip(table.cells, CITY, strict=True))
    if table.kind == "category":
        return {at: 8 if cell.value is None else cell.value for at, cell in table.cells.items()}
    lines = [(n, n, n // 9, n // 11) for n in UNITS]
    return dict(zip(table.cells, (figure for line in lines for figure in line), strict=True))


def _interim(table: ReleasedTable, number: int, release: Release) -> ReleasedTable:
    cells = {}
    for at, ((row, measure), people) in enumerate(true(table).items()):
        part = {1: 0.4, 2: 0.8}[number] if table.kind != "unit" and measure != "suspected" else 1
        base = release.threshold(row) + 1
        cells[row, measure] = Cell(Status.ROUNDED, int(people * part) // base * base)
        if table.kind == "unit" and at // 4 >= number * 13:
            cells[row, measure] = WAITING
    if table.kind == "city":
        cells["city", "suspected"] = Cell(Status.PUBLISHED, CITY[0])
        if number == 2:
            cells |= {("city", "returned"): WITHHELD, ("city", "still_out"): WITHHELD}
    return replace(table, cells=cells)


def _closing(table: ReleasedTable, release: Release) -> ReleasedTable:
    cells = {at: _exact(at, people, release) for at, people in true(table).items()}
    return replace(table, cells=cells)


def _exact(at: tuple[str, str], people: int, release: Release) -> Cell:
    return WITHHELD if 0 < people < release.threshold(at[0]) else Cell(Status.PUBLISHED, people)


def stack() -> list[Release]:
    """The three releases, oldest first."""
    base = sample_release(3, DAYS[2])
    made = []
    for number, day in enumerate(DAYS, start=1):
        closing = day == DAYS[-1]
        tables = tuple(_closing(t, base) if closing else _interim(t, number, base) for t in base.tables)
        withheld = [cell_id(*at) for t in tables for at, cell in t.cells.items() if cell.status is Status.SUPPRESSED]
        ranges = dict.fromkeys(withheld, (0, None))
        made.append(replace(base, number=number, as_of=day, closing=closing, tables=tables, ranges=ranges))
    return made


def publish_stack(folder: Path, most: int = 3) -> Path:
    """Publish the first `most` of the three below `folder` and give the public folder."""
    return publish_sample(folder, *stack()[:most])


def made_stack(factory: pytest.TempPathFactory, most: int = 3) -> Path:
    """The public folder of the first `most` of the three, made once: whoever changes it takes a copy."""
    return made_once(factory, f"stack-{most}", lambda folder: publish_stack(folder, most)) / "public"
