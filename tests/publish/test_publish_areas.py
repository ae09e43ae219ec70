"""A campaign with areas between the city and its units: their figures are on the pages and in all files, too."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from etl.exchange.release import Cell, Release, ReleasedTable, Status, exact_cell, interval_cell
from etl.findings import FuxueError
from etl.proof.tables import structure_of
from etl.publish.__main__ import publish_site
from etl.publish.checks import data_faults, page_faults
from etl.publish.languages import load_words
from etl.publish.source import load_source
from etl.rulebook.campaign import Campaign, load_campaign
from tests.support.releases import write_release
from tests.support.sample_release import CAMPAIGN, TEMPLATES, Reader, query, read_csv, sample_release

AREAS = """
[[areas]]
key = "north"
title = "北片"
title_en = "The north"
parts = ["fuzhoucheng", "xianyuwan", "laohutun"]

[[areas]]
key = "waiting"
title = "南片"
title_en = "The south"
parts = ["hongyanhe", "yuantai"]

[[tables]]
key = "areas"
rows = "area"
measures = ["suspected", "returned"]
title = "各片区进展"
title_en = "Progress by area"
"""
CELLS = {
    ("north", "suspected"): exact_cell(133),
    ("north", "returned"): interval_cell(18, 23),
    ("waiting", "suspected"): exact_cell(39),
    ("waiting", "returned"): exact_cell(0),
}


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = shutil.copytree(CAMPAIGN, tmp_path_factory.mktemp("areas") / "campaign")
    with (folder / "publication.toml").open("a", encoding="utf-8") as handle:
        handle.write(AREAS)
    return folder


def release_of(campaign: Campaign, cells: dict[tuple[str, str], Cell], number: int = 1) -> Release:
    release = sample_release(number)
    rows = tuple(dict.fromkeys(row for row, _ in cells))
    table = ReleasedTable("areas", "area", rows, ("suspected", "returned"), cells, "各片区进展", "Progress by area")
    return replace(release, structure=structure_of(campaign), tables=(*release.tables, table))


@pytest.fixture(scope="module")
def public(campaign: Path) -> Path:
    folder, known = campaign.parent, load_campaign(campaign)
    write_release(folder / "released", release_of(known, CELLS))
    write_release(folder / "released", release_of(known, CELLS | {("north", "returned"): interval_cell(24, 29)}, 2))
    publish_site(folder / "released", folder / "public", campaign)
    return folder / "public"


def test_areas_are_on_the_pages_and_nothing_is_found_wrong(campaign: Path, public: Path) -> None:
    source, words = load_source(campaign.parent / "released", load_campaign(campaign)), load_words(TEMPLATES)
    assert list(page_faults(public / "site", source, words)) == []
    assert list(data_faults(public, source)) == []
    for language, name in (("", "北片"), ("en/", "The north")):
        page = public / "site" / language / "units/index.html"
        assert page.read_text(encoding="utf-8").index(name) < page.read_text(encoding="utf-8").index("data-filter")
        assert Reader(page).cells["areas.north.returned"][0][1].startswith("24–29")
        log = (public / "site" / language / "releases/0002/index.html").read_text(encoding="utf-8")
        assert f'<th scope="row">{name}</th>' in log


def test_areas_are_in_the_database_and_the_csv_files(public: Path) -> None:
    assert query(public, "SELECT key, name, name_en FROM area ORDER BY position") == [
        ("north", "北片", "The north"),
        ("waiting", "南片", "The south"),
    ]
    assert query(
        public, "SELECT DISTINCT area, unit, category FROM cell WHERE table_key = 'areas' AND row = 'north'"
    ) == [("north", None, None)]
    wide = "SELECT name, returned, returned_low, returned_high, returned_status FROM areas_wide WHERE release = '0002'"
    assert query(public, wide) == [("北片", None, 24, 29, "interval"), ("南片", 0, 0, 0, "exact")]
    lines = read_csv(public / "site/data/latest/areas.csv")
    assert [line["row_name"] for line in lines] == ["北片", "北片", "南片", "南片"]
    about = json.loads((public / "site/data/latest/datapackage.json").read_text(encoding="utf-8"))
    assert [one["path"] for one in about["resources"]] == ["city.csv", "units.csv", "categories.csv", "areas.csv"]
    changed = Path(public / "datasette/datasette.yml").read_text(encoding="utf-8")
    assert "areas_wide" in changed


@pytest.mark.parametrize(
    ("row", "cell", "key"),
    [
        ("north", exact_cell(0), "publish.readable"),
        ("waiting", exact_cell(3), "publish.readable"),
        ("nowhere", Cell(Status.NOT_DUE), "publish.unknown_row"),
    ],
)
def test_an_area_is_protected_like_a_unit(campaign: Path, tmp_path: Path, row: str, cell: Cell, key: str) -> None:
    cells = CELLS | {(row, measure): cell for measure in ("suspected", "returned")}
    write_release(tmp_path / "released", release_of(load_campaign(campaign), cells))
    with pytest.raises(FuxueError) as error:
        publish_site(tmp_path / "released", tmp_path / "public", campaign)
    assert error.value.key == key
