"""Attacks on pages and on the open database: naive ones are read, ours are not."""

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from etl.exchange.counts import Counts
from etl.exchange.release import Release, Status
from etl.findings import FuxueError
from etl.protect.closing import closing_release
from etl.protect.draft import ReleaseDay
from etl.protect.interim import interim_release
from etl.publish import source
from etl.publish.__main__ import publish_site
from etl.rulebook.campaign import Campaign
from tests.support import naive
from tests.support.attacks_files import deleted_rows, invert, invert_site
from tests.support.homes import ROOT
from tests.support.small_counts import make_counts

SECRET = b"a secret of the tests"


@pytest.fixture(scope="module")
def counts(campaign: Campaign) -> Counts:
    draw = random.Random(6)
    rows = [(0, draw.randrange(60), draw.randrange(15), draw.randrange(9)) for _ in campaign.units]
    made = make_counts(campaign, rows, draw)
    few = {"J": 3, "K": made.categories["K"] + made.categories["J"] - 3}
    return replace(made, categories=dict(made.categories) | few)


@pytest.fixture(scope="module")
def release(campaign: Campaign, counts: Counts) -> Release:
    return closing_release(ReleaseDay(campaign, counts, (), SECRET))


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory, release: Release) -> Path:
    folder = tmp_path_factory.mktemp("ours")
    naive.written(folder / "released", [release])
    publish_site(folder / "released", folder / "public", ROOT / "campaign")
    return folder / "public"


@pytest.fixture(scope="module")
def spans(release: Release) -> Mapping[str, tuple[int, int]]:
    """The ends of all figures that are published as intervals, by the names that pages give them."""
    return {
        f"{table.key}.{row}.{name}": (cell.low or 0, cell.high or 0)
        for table in release.tables
        for (row, name), cell in table.cells.items()
        if cell.status is Status.INTERVAL
    }


@pytest.fixture(scope="module")
def hidden(campaign: Campaign, counts: Counts, spans: Mapping[str, tuple[int, int]]) -> Mapping[str, int]:
    """Their true counts."""
    exact = ReleaseDay(campaign, counts).values
    return {at: exact[at.split(".", 1)[1]] for at in spans}


@pytest.fixture(scope="module")
def careless(
    tmp_path_factory: pytest.TempPathFactory, campaign: Campaign, counts: Counts, spans: Mapping[str, tuple[int, int]]
) -> Path:
    """Pages of exact figures in which only the numbers were replaced with intervals; such figures are not published."""
    folder = tmp_path_factory.mktemp("careless")
    naive.written(folder / "released", [naive.unprotected(ReleaseDay(campaign, counts))])
    with pytest.raises(FuxueError, match=r"publish\.readable"):
        publish_site(folder / "released", folder / "public", ROOT / "campaign")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(source, "_says_too_much", lambda _: None)
        publish_site(folder / "released", folder / "public", ROOT / "campaign")
    for page in sorted((folder / "public" / "site").rglob("*.html")):
        page.write_text(naive.blanked(page.read_text(encoding="utf-8"), spans), encoding="utf-8")
    return folder / "public" / "site"


def page_with(site: Path, text: str) -> Path:
    """The first page that holds a text."""
    return next(page for page in sorted(site.rglob("*.html")) if text in page.read_text(encoding="utf-8"))


def test_bars_and_percentages_of_blanked_figures_reveal_them_and_ours_are_not_drawn(
    public: Path, careless: Path, hidden: Mapping[str, int]
) -> None:
    inferred = invert_site(careless)
    right = [at for at, (low, high) in inferred.items() if at in hidden and low <= hidden[at] <= high < low + 4]
    assert len(right) >= len(hidden) // 2
    assert {at.split(".")[0] for at in right} >= {"units", "categories"}
    assert invert_site(public / "site") == {}


@pytest.fixture(scope="module")
def rounded(tmp_path_factory: pytest.TempPathFactory, campaign: Campaign, counts: Counts) -> Path:
    """Pages of a rounded release."""
    folder = tmp_path_factory.mktemp("rounded")
    naive.written(folder / "released", [interim_release(ReleaseDay(campaign, counts, (), SECRET))])
    publish_site(folder / "released", folder / "public", ROOT / "campaign")
    return folder / "public" / "site"


def test_rows_sorted_by_a_figure_narrow_it_and_ours_keep_their_order(
    rounded: Path, tmp_path: Path, campaign: Campaign, counts: Counts
) -> None:
    """Where the bands of rounded figures overlap, the order of rows rules out more than half of their values."""
    exact = ReleaseDay(campaign, counts).values
    ours = page_with(rounded, 'data-cell="units.xinhua.returned')
    page = tmp_path / "index.html"
    page.write_text(naive.in_order(ours.read_text("utf-8"), lambda unit: exact[f"{unit}.returned"]), encoding="utf-8")
    inferred = {at: ends for at, ends in invert(page).items() if at.endswith(".returned")}
    assert all(low <= exact[at.split(".", 1)[1]] <= high for at, (low, high) in inferred.items())
    assert len([at for at, (low, high) in inferred.items() if high - low + 1 <= 5]) >= 3
    assert invert(ours) == {}


@pytest.mark.parametrize("attribute", ["title", "data-value", "aria-label"])
def test_a_figure_in_an_attribute_is_found(
    public: Path, hidden: Mapping[str, int], spans: Mapping[str, tuple[int, int]], tmp_path: Path, attribute: str
) -> None:
    at = next(at for at, (low, high) in spans.items() if low < hidden[at] < high)
    ours, page = page_with(public / "site", f'data-cell="{at}"'), tmp_path / "index.html"
    leaked = f'data-cell="{at}" {attribute}="{hidden[at]}"'
    page.write_text(ours.read_text("utf-8").replace(f'data-cell="{at}"', leaked, 1), encoding="utf-8")
    assert invert(page)[at] == (hidden[at], hidden[at])


def test_rounded_pages_say_no_more_than_their_figures(rounded: Path) -> None:
    assert invert_site(rounded) == {}


def test_the_open_database_holds_no_deleted_row(public: Path) -> None:
    assert deleted_rows(public / "fuxue.db") == set()
