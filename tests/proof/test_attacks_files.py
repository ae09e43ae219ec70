"""Attacks on pages, on the open database and on the verifier: naive ones are read, ours are not, leaks are caught."""

import random
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from etl.exchange.counts import Counts
from etl.exchange.release import Release, Status
from etl.protect.closing import closing_release
from etl.protect.interim import interim_release
from etl.publish.__main__ import publish_site
from etl.rulebook.campaign import Campaign
from tests.support import naive
from tests.support.attacks_files import deleted_rows, free_bytes, invert, invert_site
from tests.support.sample_release import CAMPAIGN
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
    return closing_release(campaign, counts, (), SECRET)


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory, release: Release) -> Path:
    folder = tmp_path_factory.mktemp("ours")
    naive.written(folder / "released", [release])
    publish_site(folder / "released", folder / "public", CAMPAIGN)
    return folder / "public"


@pytest.fixture(scope="module")
def hidden(campaign: Campaign, counts: Counts, release: Release) -> Mapping[str, int]:
    """The withheld cells, as pages name them, with their true counts."""
    exact = naive.exact_values(campaign, counts)
    return {
        f"{table.key}.{row}.{name}": exact[f"{row}.{name}"]
        for table in release.tables
        for (row, name), cell in table.cells.items()
        if cell.status is Status.SUPPRESSED
    }


@pytest.fixture(scope="module")
def careless(
    tmp_path_factory: pytest.TempPathFactory, campaign: Campaign, counts: Counts, hidden: Mapping[str, int]
) -> Path:
    """Pages of exact figures of which only the numbers were taken out; units sorted by who has returned."""
    folder = tmp_path_factory.mktemp("careless")
    naive.written(folder / "released", [naive.unprotected(campaign, counts)])
    publish_site(folder / "released", folder / "public", CAMPAIGN)
    for page in sorted((folder / "public" / "site").rglob("*.html")):
        page.write_text(naive.blanked(page.read_text(encoding="utf-8"), hidden), encoding="utf-8")
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


def test_rows_sorted_by_a_figure_reveal_it_and_ours_keep_their_order(
    public: Path, hidden: Mapping[str, int], tmp_path: Path, campaign: Campaign, counts: Counts
) -> None:
    exact = naive.exact_values(campaign, counts)
    ours = page_with(public / "site", 'data-cell="units.xinhua.returned')
    page = tmp_path / "index.html"
    page.write_text(naive.in_order(ours.read_text("utf-8"), lambda unit: exact[f"{unit}.returned"]), encoding="utf-8")
    inferred = {at: ends for at, ends in invert(page).items() if at.endswith(".returned")}
    assert sum(low <= hidden[at] <= high < low + 4 for at, (low, high) in inferred.items()) >= 3
    assert invert(ours) == {}


@pytest.mark.parametrize("attribute", ["title", "data-value", "aria-label"])
def test_a_figure_in_an_attribute_is_found(
    public: Path, hidden: Mapping[str, int], tmp_path: Path, attribute: str
) -> None:
    at = next(iter(hidden))
    ours, page = page_with(public / "site", f'data-cell="{at}"'), tmp_path / "index.html"
    leaked = f'data-cell="{at}" {attribute}="{hidden[at]}"'
    page.write_text(ours.read_text("utf-8").replace(f'data-cell="{at}"', leaked, 1), encoding="utf-8")
    assert invert(page)[at] == (hidden[at], hidden[at])


def test_rounded_pages_narrow_nothing_that_they_withhold(campaign: Campaign, counts: Counts, tmp_path: Path) -> None:
    naive.written(tmp_path / "released", [interim_release(campaign, counts, (), SECRET)])
    publish_site(tmp_path / "released", tmp_path / "public", CAMPAIGN)
    assert invert_site(tmp_path / "public" / "site") == {}


@pytest.mark.parametrize("how", ["DROP TABLE draft", "DELETE FROM draft"])
def test_deleted_rows_are_read_from_a_file_that_was_not_rebuilt(
    public: Path, hidden: Mapping[str, int], tmp_path: Path, how: str
) -> None:
    careless = Path(shutil.copy(public / "fuxue.db", tmp_path))
    naive.deleted_from(careless, hidden, how)
    found = {row for row in deleted_rows(careless) if row[:1] == ("private",)}
    assert found
    assert found <= {("private", cell, value) for cell, value in hidden.items()}


def test_of_rows_that_were_deleted_one_by_one_all_but_their_heads_stays(
    public: Path, hidden: Mapping[str, int], tmp_path: Path
) -> None:
    careless = Path(shutil.copy(public / "fuxue.db", tmp_path))
    naive.deleted_from(careless, hidden, "DELETE FROM draft WHERE value < 5")
    free = b"".join(free_bytes(careless))
    gone = [cell for cell, value in hidden.items() if value < 5]
    assert gone
    assert all(f"private{cell}".encode() in free for cell in gone)


def test_the_open_database_holds_no_deleted_row(public: Path) -> None:
    assert deleted_rows(public / "fuxue.db") == set()
