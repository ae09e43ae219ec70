"""A release made by hand, with every kind of cell, for the tests of publishing; and ways to read what came out."""

import csv
import datetime as dt
import html.parser
import shutil
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from etl.exchange.release import Cell, Release, ReleasedTable, Status, cell_id
from etl.proof.tables import structure_of
from etl.publish.__main__ import publish_site
from etl.rulebook.campaign import load_campaign
from tests.support.once import made_once
from tests.support.releases import write_release

CAMPAIGN = Path(__file__).parents[2] / "campaign"


TEMPLATES = Path(__file__).parents[2] / "site_templates"


WITHHELD, WAITING = Cell(Status.SUPPRESSED), Cell(Status.NOT_DUE)


CITY = (1198, 1190, WITHHELD, 110, 93, WITHHELD)


UNITS: Mapping[str, tuple[int | Cell, ...]] = {
    "wawo": (0, 0, 0, 0),
    "hongyanhe": (24, WAITING, WAITING, WAITING),
    "xinhua": (170, 169, 17, WITHHELD),
    "taiyang": (WITHHELD, 31, WITHHELD, 0),
    "delisi": (WITHHELD, WITHHELD, WITHHELD, WITHHELD),
    "yuantai": (WITHHELD, WAITING, WAITING, WAITING),
}


CATEGORIES: tuple[int | Cell, ...] = (215, 452, 107, 143, 48, 83, WITHHELD, 30, 54, WITHHELD, 18, 0, 30)


def sample_release(number: int = 1, as_of: dt.date = dt.date(2019, 2, 26)) -> Release:
    """Thirty units, of which six are given above and the others are unlike each other."""
    campaign = load_campaign(CAMPAIGN)
    units = {u.slug: UNITS.get(u.slug, (i + 11, i + 10, 5 + i % 3, WITHHELD)) for i, u in enumerate(campaign.units)}
    content: Mapping[str, Mapping[str, tuple[int | Cell, ...]]] = {
        "city": {"city": CITY},
        "units": units,
        "categories": _categories([c.code for c in campaign.categories]),
    }
    tables = tuple(
        ReleasedTable(
            key=table.key,
            kind=table.rows,
            rows=tuple(content[table.key]),
            measures=table.measures,
            cells={
                (row, measure): figure if isinstance(figure, Cell) else Cell(Status.PUBLISHED, figure)
                for row, figures in content[table.key].items()
                for measure, figure in zip(table.measures, figures, strict=True)
            },
            title=table.title,
            title_en=table.title_en,
        )
        for table in campaign.publication.tables
    )
    withheld = [cell_id(*at) for t in tables for at, cell in t.cells.items() if cell.status is Status.SUPPRESSED]
    return Release(
        number=number,
        campaign=campaign.id,
        as_of=as_of,
        closing=False,
        k=campaign.publication.k,
        category_k=campaign.publication.category_k,
        known=campaign.publication.known,
        structure=structure_of(campaign),
        tables=tables,
        ranges={name: (0, None if name == "delisi.suspected" else 1017) for name in withheld},
    )


def _categories(codes: list[str]) -> dict[str, tuple[int | Cell, ...]]:
    return {code: (figure,) for code, figure in zip(codes, CATEGORIES, strict=True)}


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
