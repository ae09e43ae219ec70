"""Releases that are not published: of another campaign, with unknown rows, or saying too much of a small count."""

from dataclasses import replace
from pathlib import Path

import pytest

from etl.exchange.release import Cell, Release, Status, exact_cell, interval_cell, rounded_cell
from etl.findings import FuxueError
from tests.support.sample_release import Reader, publish_sample, sample_release, with_cell


def _without_city(release: Release) -> Release:
    return replace(release, tables=tuple(t for t in release.tables if t.kind != "city"))


def _with_strange_unit(release: Release) -> Release:
    units = release.table("units")
    cells = {**units.cells, **{("nowhere", m): Cell(Status.NOT_DUE) for m in units.measures}}
    strange = replace(units, rows=(*units.rows, "nowhere"), cells=cells)
    return replace(release, tables=tuple(strange if t.key == "units" else t for t in release.tables))


def _of_another_campaign(release: Release) -> Release:
    return replace(release, campaign="elsewhere-2019")


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (_without_city, "publish.no_table"),
        (_with_strange_unit, "publish.unknown_row"),
        (_of_another_campaign, "publish.other_campaign"),
    ],
)
def test_a_release_that_does_not_fit_is_not_published(tmp_path: Path, change: object, key: str) -> None:
    assert callable(change)
    with pytest.raises(FuxueError) as error:
        publish_sample(tmp_path, change(sample_release()))
    assert error.value.key == key
    assert not (tmp_path / "public").exists()


UNFIT = {
    "a small count": ("units", "xinhua", "returned", exact_cell(5)),
    "none": ("units", "xinhua", "returned", exact_cell(0)),
    "a small count of a sensitive category": ("categories", "J", "verified", exact_cell(11)),
    "an interval of small counts only": ("units", "xinhua", "returned", interval_cell(2, 5)),
    "an interval that is too narrow": ("units", "xinhua", "returned", interval_cell(5, 8)),
    "an interval too narrow for a sensitive category": ("categories", "J", "verified", interval_cell(6, 14)),
    "a rounded figure that is nearly exact": ("units", "xinhua", "returned", rounded_cell(6, 1)),
    "none of the city": ("city", "city", "returned", exact_cell(0)),
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_figure_that_says_too_much_is_not_published(tmp_path: Path, name: str) -> None:
    table, row, measure, cell = UNFIT[name]
    with pytest.raises(FuxueError) as error:
        publish_sample(tmp_path, with_cell(sample_release(), table, row, measure, cell))
    assert error.value.key == "publish.readable"
    assert error.value.params == {"release": "0001", "cell": f"{row}.{measure}"}
    assert not (tmp_path / "public").exists()


def test_what_is_public_anyway_may_be_small(tmp_path: Path) -> None:
    """Known totals, and the zeros of a city of which no unit has reported."""
    release = with_cell(sample_release(), "city", "city", "suspected", exact_cell(3))
    units = release.table("units")
    release = replace(
        release,
        tables=tuple(
            replace(t, cells={**dict.fromkeys(t.cells, exact_cell(0)), ("city", "suspected"): exact_cell(3)})
            if t.kind == "city"
            else replace(t, cells=dict.fromkeys(t.cells, Cell(Status.NOT_DUE) if t is units else exact_cell(0)))
            for t in release.tables
        ),
    )
    cells = Reader(publish_sample(tmp_path, release) / "site/index.html").cells
    assert cells["city.city.suspected"][0] == ("exact", "3")
    assert cells["city.city.returned"][0] == ("exact", "0")
