"""`publish --check`: each kind of fault is found where it is planted, and nothing is published with one."""

import os
import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from etl.findings import FuxueError
from etl.publish.__main__ import publish_site
from etl.publish.checks import check_public, data_faults, page_faults, proof_faults
from etl.publish.companions import feed_faults
from etl.publish.languages import load_words
from etl.publish.source import Source, load_source
from etl.rulebook.campaign import load_campaign
from etl.workflow import publishing, releasing
from etl.workflow.run import Run
from tests.support.sample_release import CAMPAIGN, TEMPLATES, copied, tree
from tests.support.sample_releases import made_stack

WORDS = load_words(TEMPLATES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_stack(tmp_path_factory).parent


@pytest.fixture(scope="module")
def source(folder: Path) -> Source:
    return load_source(folder / "released", load_campaign(CAMPAIGN))


def test_nothing_is_found_where_nothing_is_wrong(folder: Path, source: Source) -> None:
    assert list(page_faults(folder / "public/site", source, WORDS)) == []
    assert list(data_faults(folder / "public", source)) == []


PAGE_FAULTS = [
    ("index.html", "</main>", "", "html"),
    ("index.html", '<main id="content"', '<main id="content" id="x"', "html"),
    ("index.html", "<h1", "<h1>x</h1><h1", "once"),
    ("index.html", ' lang="zh-CN">', ">", "lang"),
    ("index.html", "default-src 'none'", "default-src *", "policy"),
    ("index.html", "style-src 'self'", "style-src 'self' https://example.org", "policy"),
    ("index.html", "style-src 'self'", "style-src 'self'; frame-src 'self'", "policy"),
    ("index.html", "</main>", '<img alt="" srcset="//example.org/x 2x"></main>', "foreign"),
    ("index.html", "</main>", '<a href="HTTPS://example.org/">x</a></main>', "foreign"),
    ("index.html", "<h1", '<h1 style="color:red"', "inline"),
    ("index.html", "</main>", "<script>1</script></main>", "inline"),
    ("index.html", 'href="units/index.html"', 'href="unit/index.html"', "link"),
    ("index.html", 'href="units/index.html"', 'href="//example.org/"', "foreign"),
    ("index.html", 'href="#content"', 'href="#contents"', "link"),
    ("units/index.html", 'data-cell="units.xinhua.suspected"', 'data-cell="units.xinhua.gone"', "unknown"),
    ("units/index.html", 'data-cell="units.xinhua.suspected"', 'data-cell="units.taiyang.suspected"', "figure"),
    ("units/index.html", 'data-status="interval"', 'data-status="exact"', "status"),
    ("units/index.html", ">少于6人</span><span class", ">0</span><span class", "figure"),
    ("units/index.html", ">168–173</span>", ">168–172</span>", "figure"),
    ("units/index.html", "168 到 173", "168 到 172", "figure"),
    ("units/index.html", 'data-low="168"', 'data-low="169"', "figure"),
    ("units/index.html", '<rect class="hatch suspected" x="97.1', '<rect class="hatch suspected" x="96.1', "drawn"),
    ("units/index.html", 'width="97.1', 'width="95.1', "drawn"),
    (
        "units/index.html",
        '<rect class="hatch returned" x="0%" width="',
        '<rect class="hatch returned" x="0%" width="1',
        "drawn",
    ),
    ("units/index.html", '<rect class="fill returned" width="', '<rect class="fill returned" width="1', "drawn"),
    ("units/index.html", '<rect class="hatch returned"', '<rect class="band returned"', "drawn"),
    ("units/index.html", '<rect class="hatch returned"', '<rect class="fill returned"', "drawn"),
    ("units/index.html", '<rect class="fill suspected"', '<rect class="hatch suspected"', "drawn"),
    ("units/taiyang/index.html", ">30–35</span>", ">30–34</span>", "figure"),
    ("units/taiyang/index.html", 'data-sum="units.taiyang.to_return"', 'data-sum="units.taiyang.verified"', "unknown"),
    ("releases/0002/index.html", 'data-past="0002/', 'data-past="0009/', "unknown"),
    ("units/index.html", '<th scope="row"', "<th", "scope"),
    ("categories/index.html", 'data-share="categories.A', 'data-share="categories.C', "share"),
    ("data/index.html", '"@type": "Dataset"', '"@type": "Thing"', "json-ld"),
    ("data/index.html", '"contentSize": "', '"contentSize": "1', "json-ld"),
    ("data/index.html", '"contentUrl": "../data/', '"contentUrl": "../date/', "json-ld"),
]
#: The same in pages whose content changes with the sample: a pattern, and what replaces its first match.
DRAWN_FAULTS = [
    (
        "units/index.html",
        r'(data-bar="units[.a-z]+"><rect class="track"[^>]*/><rect [^>]*width=")',
        r"\g<1>1",
        "drawn",
    ),
    ("progress/index.html", r'(<circle class="sign suspected" data-mark="[^"]+" cx="[^"]+" cy=")', r"\g<1>1", "drawn"),
    ("progress/index.html", r'(<rect class="sign verified" data-mark="[^"]+" x="[^"]+" y=")', r"\g<1>1", "drawn"),
    ("progress/index.html", r'(<line class="reach [^>]* y2=")', r"\g<1>2", "drawn"),
    ("progress/index.html", r'(<rect class="hatch returned" data-mark=[^>]* y=")', r"\g<1>1", "drawn"),
    ("progress/index.html", r'(<text class="people" y="[^"]+">)1,', r"\g<1>2,", "drawn"),
    ("index.html", r'(data-share="city.city.returned [^"]+">)([^<]*?)[0-9.–]+%', r"\g<1>\g<2>1.5%", "share"),
]


@pytest.fixture(scope="module")
def few(folder: Path, source: Source, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[str, str]]]:
    """A site of a few pages and all data, quickly read, and what is wrong with it: most links lead nowhere."""
    site = tmp_path_factory.mktemp("few") / "site"
    for page in {page for page, *_ in (*PAGE_FAULTS, *DRAWN_FAULTS)}:
        (site / page).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "public/site" / page, site / page)
    shutil.copytree(folder / "public/site/data", site / "data", dirs_exist_ok=True)
    return site, list(page_faults(site, source, WORDS))


@pytest.mark.parametrize(("page", "old", "new", "kind"), PAGE_FAULTS)
def test_a_fault_in_a_page_is_found(
    few: tuple[Path, list[tuple[str, str]]], source: Source, page: str, old: str, new: str, kind: str
) -> None:
    site, known = few
    text = (site / page).read_text(encoding="utf-8")
    assert old in text
    (site / page).write_text(text.replace(old, new, 1), encoding="utf-8")
    found = list(page_faults(site, source, WORDS))
    (site / page).write_text(text, encoding="utf-8")
    for fault in known:
        if fault in found:
            found.remove(fault)
    assert kind in [name for name, what in found if what.startswith(f"{page}: ")]


@pytest.mark.parametrize(("page", "old", "new", "kind"), DRAWN_FAULTS)
def test_a_drawing_or_share_that_does_not_fit_its_figure_is_found(
    few: tuple[Path, list[tuple[str, str]]], source: Source, page: str, old: str, new: str, kind: str
) -> None:
    site, known = few
    text = (site / page).read_text(encoding="utf-8")
    changed = re.sub(old, new, text, count=1)
    assert changed != text
    (site / page).write_text(changed, encoding="utf-8")
    found = list(page_faults(site, source, WORDS))
    (site / page).write_text(text, encoding="utf-8")
    assert kind in [name for name, what in found if what.startswith(f"{page}: ") and (name, what) not in known]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("</feed>", ""),
        ("releases/0002/", "release/0002/"),
        ("<id>urn:uuid:", "<id>urn:uuid:x"),
        ("<entry>", "<entries>"),
        ("0003", "0002"),
    ],
)
def test_a_fault_in_the_feed_is_found(folder: Path, tmp_path: Path, old: str, new: str) -> None:
    site = shutil.copytree(folder / "public/site", tmp_path / "site", copy_function=os.link)
    assert list(feed_faults(site / "feed.xml", 3)) == list(feed_faults(site / "en/feed.xml", 3)) == []
    text = (site / "feed.xml").read_text(encoding="utf-8")
    (site / "feed.xml").unlink()
    names = re.findall("<id>([^<]+)</id>", text)
    changed = text.replace(names[1], names[2]) if old == "0003" else text.replace(old, new, 1)
    assert changed != text
    (site / "feed.xml").write_text(changed, encoding="utf-8")
    assert list(feed_faults(site / "feed.xml", 3))


def test_a_figure_that_no_page_shows_is_found(folder: Path, source: Source, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    shutil.copy(folder / "public/site/index.html", tmp_path / "site")
    missing = [what for kind, what in page_faults(tmp_path / "site", source, WORDS) if kind == "missing"]
    assert "zh: units.xinhua.suspected" in missing
    assert "en: city.city.suspected" in missing
    assert "zh: city.city.suspected" not in missing


DATA_FAULTS = [
    ("site/data/0002/city.csv", b",rounded,", b",exact,", "csv"),
    ("site/data/0003/units.csv", b",exact,17,17,17,", b",exact,18,17,17,", "csv"),
    ("site/data/0003/units.csv", b",interval,,0,5,", b",interval,,1,5,", "csv"),
    ("site/data/0003/units.csv", b",interval,,0,5,", b",interval,,0,6,", "csv"),
    ("site/data/0003/units.csv", b",interval,,0,5,", b",interval,0,0,5,", "csv"),
    ("site/data/0003/units.csv", b",17,17,17,12", b",17,17,17,18", "csv"),
    ("site/data/0003/units.csv", b"xinhua", b"nowhere", "csv"),
    ("site/data/0003/excel/units.csv", b",17,17,17,", b",18,18,18,", "copy"),
    ("site/data/0001/datapackage.json", b'"bytes": ', b'"bytes": 1', "package"),
    ("site/data/0002/csv-metadata.json", b'"base": "integer"', b'"base": "string"', "csvw"),
    ("site/data/0002/csv-metadata.json", b'"base": "date"', b'"base": "integer"', "csvw"),
    ("site/data/0002/csv-metadata.json", b'"titles": "measure"', b'"titles": "measures"', "csvw"),
    ("site/data/0002/csv-metadata.json", b"exact|", b"", "csvw"),
    ("site/data/0002/csv-metadata.json", b"city.csv", b"town.csv", "csvw"),
    ("site/data/latest/city.csv", b"1223", b"1224", "latest"),
    ("site/sql/data.js", b"U1FMaXRl", b"U1FMaXRm", "copy"),
    ("datasette/fuxue.db", b"SQLite", b"SQLitf", "copy"),
]


@pytest.mark.parametrize(("file", "old", "new", "kind"), DATA_FAULTS)
def test_a_fault_in_the_data_is_found(
    folder: Path, source: Source, tmp_path: Path, file: str, old: bytes, new: bytes, kind: str
) -> None:
    public = shutil.copytree(folder / "public", tmp_path / "public", copy_function=os.link)
    content = (public / file).read_bytes()
    assert old in content
    (public / file).unlink()  # files with several names are one file
    (public / file).write_bytes(content.replace(old, new, 1))
    assert kind in [name for name, _ in data_faults(public, source)]


def test_a_figure_in_the_database_that_was_not_released_is_found(folder: Path, source: Source, tmp_path: Path) -> None:
    public = shutil.copytree(folder / "public", tmp_path / "public")
    connection = sqlite3.connect(public / "fuxue.db")
    connection.execute("UPDATE cell SET high = 6 WHERE release = '0003' AND row = 'wawo' AND measure = 'suspected'")
    connection.commit()
    connection.close()
    assert ("database", "0003/units.wawo.suspected") in list(data_faults(public, source))


def test_a_release_is_checked_with_its_proof_and_one_without_is_not_published(loaded: Run) -> None:
    releasing.release_figures(loaded)
    publishing.publish(loaded.home, loaded.campaign_folder, check=True)
    before = tree(loaded.home.public)
    source = load_source(loaded.home.released, load_campaign(loaded.campaign_folder))
    check_public(loaded.home.public, source, WORDS)
    (loaded.home.released / "0001/proof.json").unlink()
    with pytest.raises(FuxueError, match=r"release\.missing_file .*'proof\.json'"):
        publish_site(loaded.home.released, loaded.home.public, loaded.campaign_folder, check=True)
    assert tree(loaded.home.public) == before
    assert list(proof_faults(loaded.home.public, source)) == []


def test_templates_that_make_bad_pages_publish_nothing(folder: Path, tmp_path: Path) -> None:
    templates = tmp_path / "templates"
    shutil.copytree(TEMPLATES, templates)
    public = copied(folder / "public", tmp_path)
    before = tree(public)
    (templates / "help.html").write_text(
        (templates / "help.html").read_text(encoding="utf-8").replace("<h1>", '<h1><a href="gone.html">x</a>'), "utf-8"
    )
    with pytest.raises(FuxueError, match=r"publish\.check"):
        publish_site(tmp_path / "released", public, CAMPAIGN, templates, check=True)
    assert tree(public) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["public", "released", "templates"]
