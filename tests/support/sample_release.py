"""A release made by hand, with every kind of cell, for the tests of publishing; and ways to read what came out."""

import csv
import datetime as dt
import html.parser
import shutil
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from etl.exchange.release import (
    CITY,
    Cell,
    Release,
    ReleasedTable,
    Status,
    exact_cell,
    interval_cell,
    rounded_cell,
)
from etl.proof.tables import structure_of
from etl.publish.__main__ import publish_site
from etl.rulebook.campaign import load_campaign
from tests.support.once import made_once
from tests.support.releases import write_release

CAMPAIGN = Path(__file__).parents[2] / "campaign"
TEMPLATES = Path(__file__).parents[2] / "site_templates"

#: A figure that is not due, and one of a small count.
WAITING, FEW = Cell(Status.NOT_DUE), interval_cell(0, 5)

#: The true counts that everything here says: suspected, returned and still out by unit, in the campaign's order.
UNITS = (
    (38, 6, 3), (24, 3, 1), (71, 14, 4), (24, 2, 0), (19, 1, 1), (33, 0, 2),
    (52, 7, 0), (12, 2, 0), (66, 6, 1), (7, 0, 1), (0, 0, 0), (15, 1, 0),
    (29, 2, 1), (41, 3, 0), (8, 0, 1), (22, 1, 1), (17, 0, 0), (36, 4, 0),
    (10, 1, 0), (28, 2, 0), (13, 0, 1), (61, 5, 1), (97, 8, 2), (19, 1, 0),
    (44, 4, 0), (83, 7, 1), (150, 12, 3), (170, 17, 3), (31, 24, 6), (3, 0, 0),
)  # fmt: skip
#: How the deducted are divided among the categories A to H, and those to return among I to M.
_DEDUCTED, _TO_RETURN = (215, 452, 107, 143, 48, 81, 2, 30), (80, 16, 31, 0, 18)

#: The units of the sample whose figures are not just exact or small.
_UNITS: Mapping[str, tuple[Cell, ...]] = {
    "hongyanhe": (WAITING, WAITING, WAITING),
    "yuantai": (WAITING, WAITING, WAITING),
    "taiyang": (interval_cell(30, 35), interval_cell(24, 29), interval_cell(6, 11)),
    "tiedong": (rounded_cell(84, 5), rounded_cell(6, 5), rounded_cell(0, 5)),
}


def city_of(units: Iterable[tuple[int, int, int]]) -> dict[str, int]:
    """The city's true counts by measure, if these units have reported and no others."""
    verified, returned, still_out = (sum(counts) for counts in zip(*units, strict=True))
    return {
        "suspected": sum(listed for listed, *_ in UNITS),
        "verified": verified,
        "deducted": verified - returned - still_out,
        "to_return": returned + still_out,
        "returned": returned,
        "still_out": still_out,
    }


def categories_of(city: Mapping[str, int]) -> tuple[int, ...]:
    """The true counts of the categories A to M that make up a city's."""
    found: list[int] = []
    for total, weights in ((city["deducted"], _DEDUCTED), (city["to_return"], _TO_RETURN)):
        counts = [total * weight // sum(weights) for weight in weights]
        counts[0] += total - sum(counts)
        found += counts
    return tuple(found)


def bottom_coded(count: int, top: int = 5) -> Cell:
    """An exact figure, unless the count is small."""
    return exact_cell(count) if count > top else interval_cell(0, top)


def stepped(count: int) -> Cell:
    """The step of the grid on which a count lies."""
    return interval_cell(count // 6 * 6, count // 6 * 6 + 5)


def rounded_down(count: int, top: int = 5) -> Cell:
    """A count as a rounded figure."""
    return rounded_cell(count // (top + 1) * (top + 1), top)


def sample_release(number: int = 1, as_of: dt.date = dt.date(2019, 2, 26)) -> Release:
    """Every kind of figure at once, which no real release has."""
    campaign = load_campaign(CAMPAIGN)
    true = city_of([c for u, c in zip(campaign.units, UNITS, strict=True) if WAITING not in _UNITS.get(u.slug, ())])
    city = {name: bottom_coded(count) for name, count in true.items()}
    city |= {name: stepped(true[name]) for name in ("deducted", "still_out")}
    categories = dict(zip("ABCDEFGHIJKLM", categories_of(true), strict=True))
    drawn = {code: bottom_coded(count, campaign.publication.top(code)) for code, count in categories.items()}
    drawn |= {"F": stepped(categories["F"]), "H": stepped(categories["H"]), "M": rounded_down(categories["M"])}
    content: dict[str, dict[str, tuple[Cell, ...]]] = {
        "city": {CITY: tuple(city.values())},
        "units": {
            unit.slug: _UNITS.get(unit.slug, tuple(bottom_coded(count) for count in counts))
            for unit, counts in zip(campaign.units, UNITS, strict=True)
        },
        "categories": {code: (cell,) for code, cell in drawn.items()},
    }
    return Release(
        number=number,
        campaign=campaign.id,
        as_of=as_of,
        closing=False,
        k=campaign.publication.k,
        category_k=campaign.publication.category_k,
        known=campaign.publication.known,
        structure=structure_of(campaign),
        tables=tuple(
            ReleasedTable(
                key=table.key,
                kind=table.rows,
                rows=tuple(content[table.key]),
                measures=table.measures,
                cells={
                    (row, measure): cell
                    for row, line in content[table.key].items()
                    for measure, cell in zip(table.measures, line, strict=True)
                },
                title=table.title,
                title_en=table.title_en,
            )
            for table in campaign.publication.tables
        ),
    )


def publish_sample(folder: Path, *releases: Release) -> Path:
    """Publish releases (by default one sample) below `folder` and give the public folder."""
    for release in releases or (sample_release(),):
        write_release(folder / "released", release)
    publish_site(folder / "released", folder / "public", CAMPAIGN)
    return folder / "public"


def made_sample(factory: pytest.TempPathFactory) -> Path:
    """The public folder of the one sample, made once: whoever changes it takes a copy."""
    return made_once(factory, "sample", publish_sample) / "public"


def copied(public: Path, folder: Path) -> Path:
    """A copy in `folder` of a public folder and of the releases that it was made from."""
    shutil.copytree(public.parent, folder, dirs_exist_ok=True)
    return folder / public.name


def with_cell(release: Release, table: str, row: str, measure: str, cell: Cell) -> Release:
    """The release with one cell changed and nothing else."""
    tables = tuple(replace(t, cells={**t.cells, (row, measure): cell}) if t.key == table else t for t in release.tables)
    return replace(release, tables=tables)


def figures(release: Release) -> dict[str, Cell]:
    """Every cell by its address ``table.row.measure``."""
    return {f"{t.key}.{row}.{measure}": cell for t in release.tables for (row, measure), cell in t.cells.items()}


class Reader(html.parser.HTMLParser):
    """Every start tag with its attributes, and the text inside each element that carries `data-cell`."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.cells: dict[str, list[tuple[str, str]]] = {}
        self._open: list[tuple[int, str, str, list[str]]] = []
        self._depth = 0
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        if tag in ("meta", "link", "br"):
            return
        self._depth += 1
        if "data-cell" in attributes:
            self._open.append((self._depth, attributes["data-cell"], attributes["data-status"], []))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        for _, _, _, text in self._open:
            text.append(data)

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 (the parser names it)
        if self._open and self._open[-1][0] == self._depth:
            _, names, status, text = self._open.pop()
            for name in names.split():
                self.cells.setdefault(name, []).append((status, "".join(text).strip()))
        self._depth -= 1


def read_csv(path: Path) -> list[dict[str, str]]:
    """A published CSV as Excel reads it."""
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def query(public: Path, sql: str) -> list[tuple[object, ...]]:
    """Ask the open database."""
    connection = sqlite3.connect(f"file:{public / 'fuxue.db'}?mode=ro", uri=True)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` by its path."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
