"""What the pages say of several releases: what is new, how figures moved, a feed, bands where figures are rounded."""

import re
import tomllib
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from etl.exchange.release import Cell, Status, cell_id
from etl.publish.__main__ import publish_site
from etl.publish.charts import Band, BarShape, bar_of
from etl.publish.news import notes
from etl.publish.source import load_source
from etl.publish.timeline import HEIGHT, timeline
from etl.rulebook.campaign import load_campaign
from tests.support.sample_release import (
    CAMPAIGN,
    WITHHELD,
    Reader,
    figures,
    publish_sample,
    sample_release,
    tree,
    with_cell,
)
from tests.support.sample_releases import PAGES, made_stack, publish_stack, stack
from tests.support.site_identity import filled

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_stack(tmp_path_factory).parent


def rounded(value: int) -> Cell:
    return Cell(Status.ROUNDED, value)


def test_a_rounded_bar_is_solid_as_far_as_it_is_sure_and_shows_where_it_may_end() -> None:
    assert bar_of(rounded(24), 100, slack=5) == BarShape("0%", "19%", Band("19%", "10%", "24%"))
    assert bar_of(rounded(24), 100, start=50, slack=5) == BarShape("50%", "19%", Band("69%", "10%", "74%"))
    assert bar_of(rounded(0), 100, slack=5) == BarShape("0%", "0%", Band("0%", "5%", "0%"))
    assert bar_of(rounded(98), 100, slack=5) == BarShape("0%", "93%", Band("93%", "7%", "98%"))


def test_every_template_has_a_page_in_both_languages(folder: Path) -> None:
    site = folder / "public" / "site"
    assert [page for page in PAGES for way in ("", "en/") if not (site / way / page).is_file()] == []


def test_what_is_new_is_counted_from_the_releases_alone(folder: Path) -> None:
    third, second, first = notes(load_source(folder / "released", load_campaign(CAMPAIGN)))
    assert [len(note.reported) for note in (first, second, third)] == [13, 26, 30]
    assert [len(note.newly) for note in (first, second, third)] == [13, 13, 4]
    assert (first.before, first.revisions, first.changes) == (None, (), 0)
    before, after = (figures(release) for release in stack()[1:])
    assert third.changes == sum(before[name] != cell for name, cell in after.items())
    rows = {row for revision in third.revisions for row, line in revision.rows if any(one.changed for one in line)}
    assert rows == {name.split(".")[1] for name, cell in after.items() if before[name] != cell}


@pytest.mark.parametrize("language", ["", "en/"])
def test_every_earlier_figure_agrees_with_its_release(folder: Path, language: str) -> None:
    releases = {release.name: figures(release) for release in stack()}
    seen = set()
    for path in (folder / "public/site" / language).rglob("*.html"):
        html = path.read_text(encoding="utf-8")
        for name, at, status, text in re.findall(
            r'data-past="(\d{4})/([^"]+)" data-status="(\w+)">(.*?)</span>', html, re.S
        ):
            cell = releases[name][at]
            seen.add((name, at))
            assert status == cell.status.value
            number = re.sub(r"<span.*|[约a-z, ]", "", text)
            assert number == ("" if cell.value is None else str(cell.value)), (path, at)
    # On its own page a release is shown beside the one before it, with all rows that changed.
    assert {name for name, _ in seen} == {"0001", "0002", "0003"}


def test_a_release_s_own_page_is_the_same_ever_after(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    page = "site/releases/0002/index.html"
    assert (made_stack(tmp_path_factory, 2) / page).read_bytes() == (folder / "public" / page).read_bytes()


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site after a fourth release, which corrects two figures of the third for the same day."""
    releases = stack()
    fourth = replace(releases[-1], number=4)
    for at in (("units", "xinhua", "suspected"), ("city", "city", "returned")):
        fourth = with_cell(fourth, *at, Cell(Status.PUBLISHED, 171))
    return publish_sample(tmp_path_factory.mktemp("corrected"), *releases, fourth) / "site"


def test_a_correction_says_which_release_it_corrects_and_which_rows_differ(corrected: Path) -> None:
    html = (corrected / "releases/0004/index.html").read_text(encoding="utf-8")
    assert "本次更正第 0003 次公布" in html
    assert re.findall(r'<tr><th scope="row">(.*?)</th>', html) == ["全市", "新华街道"]
    assert re.search(r"<del>.*170.*</del> <ins>.*171.*</ins>", html)
    for page in ("en/index.html", "en/releases/index.html", "en/releases/0004/index.html", "en/feed.xml"):
        assert "This release corrects release 0003." in (corrected / page).read_text(encoding="utf-8"), page
    assert "更正第" not in (corrected / "releases/0003/index.html").read_text(encoding="utf-8")


def test_releases_of_one_day_are_told_apart_by_their_numbers(corrected: Path) -> None:
    for page in ("index.html", "releases/0004/index.html", "timeline/index.html", "units/xinhua/index.html"):
        html = (corrected / page).read_text(encoding="utf-8")
        assert "3月4日（第 0003 次）" in html, page
        assert "3月4日（第 0004 次）" in html, page
    assert "（第 0002 次）" not in (corrected / "timeline/index.html").read_text(encoding="utf-8")


def test_the_feed_has_every_release_with_a_name_that_stays(folder: Path, tmp_path: Path) -> None:
    for language in ("", "en/"):
        feed = ET.parse(folder / f"public/site/{language}feed.xml").getroot()  # noqa: S314 - our own
        entries = feed.findall(f"{ATOM}entry")
        assert [entry.findtext(f"{ATOM}updated", "")[:10] for entry in entries] == [
            "2019-03-04",
            "2019-02-26",
            "2019-02-23",
        ]
        for entry in entries:
            link = entry.find(f"{ATOM}link")
            assert link is not None
            assert (folder / "public/site" / language / link.attrib["href"]).is_file()
            assert entry.findtext(f"{ATOM}summary")
    names = {entry.findtext(f"{ATOM}id") for entry in entries}
    assert len(names) == 3
    publish_site(folder / "released", tmp_path / "public", filled(tmp_path / "campaign"), production=True)
    text = (tmp_path / "public/site/feed.xml").read_text(encoding="utf-8")
    assert all(str(name) in text for name in names)
    assert 'href="https://www.example.gov.cn/releases/0003/index.html"' in text


def test_a_site_that_is_filled_in_says_so_everywhere(folder: Path, tmp_path: Path) -> None:
    for path in (folder / "public/site").rglob("*.html"):
        assert "待填" in path.read_text(encoding="utf-8")
    publish_site(folder / "released", tmp_path / "public", filled(tmp_path / "campaign"), production=True)
    for path in (tmp_path / "public/site").rglob("*.html"):
        html = path.read_text(encoding="utf-8")
        assert "待填" not in html
        assert '<meta name="SiteIDCode" content="2102810001">' in html
        assert "辽公网安备 21028100000000号" in html


def test_the_time_line_draws_bands_and_hatches_the_day_of_a_withheld_figure(folder: Path) -> None:
    drawn = timeline(load_source(folder / "released", load_campaign(CAMPAIGN)))
    suspected, verified = drawn.frames[0].series
    to_return, returned = drawn.frames[1].series
    assert [len(series.marks) for series in (suspected, verified, to_return, returned)] == [3, 3, 3, 2]
    assert returned.withheld == (drawn.frames[1].series[0].marks[1].left,)
    assert returned.stretches == ()  # nothing is drawn across a day whose figure is not published
    for mark in to_return.marks[:2]:
        assert mark.top < mark.y < mark.bottom
    assert to_return.marks[2].top == to_return.marks[2].y == to_return.marks[2].bottom
    assert drawn.frames[0].ticks == ((HEIGHT, 0), (HEIGHT * 2 // 3, 500), (HEIGHT // 3, 1000), (0, 1500))


def test_a_mark_is_seen_where_another_lies_on_it(folder: Path) -> None:
    html = (folder / "public/site/timeline/index.html").read_text(encoding="utf-8")
    (radius,), (side,) = (set(re.findall(p, html)) for p in (r'<circle [^>]* r="(\d+)"', r'sign [^>]* width="(\d+)"'))
    assert 2 * int(radius) > int(side) * 2**0.5


def test_a_city_of_which_nothing_is_published_is_drawn_too(tmp_path: Path) -> None:
    release = sample_release()
    tables = tuple(replace(t, cells=dict.fromkeys(t.cells, WITHHELD)) for t in release.tables)
    ranges = {cell_id(*at): (0, None) for table in tables for at in table.cells}
    public = publish_sample(tmp_path, replace(release, tables=tables, ranges=ranges))
    drawn = (public / "site/timeline/index.html").read_text(encoding="utf-8")
    assert drawn.count('class="hatch" x=') == 4
    assert 'class="way suspected" x1=' not in drawn


def test_what_follows_each_category_is_on_its_page(folder: Path) -> None:
    follows = tomllib.loads((CAMPAIGN / "site.toml").read_text(encoding="utf-8"))["follows"]
    for language, page in enumerate(("categories/index.html", "en/categories/index.html")):
        html = (folder / "public/site" / page).read_text(encoding="utf-8")
        for code, texts in follows.items():
            assert f'<div id="{code}">' in html
            assert texts[language] in html


def test_the_site_map_leads_to_every_page(folder: Path) -> None:
    site = folder / "public/site"
    links = {a["href"] for tag, a in Reader(site / "sitemap/index.html").tags if tag == "a"}
    reached = {(site / "sitemap" / link.partition("#")[0]).resolve() for link in links}
    pages = {path.resolve() for path in site.rglob("*.html") if "en" not in path.relative_to(site).parts}
    assert pages - reached == {(site / "sitemap/index.html").resolve()} - reached


def test_several_releases_give_the_same_bytes_again(folder: Path, tmp_path: Path) -> None:
    assert tree(publish_stack(tmp_path)) == tree(folder / "public")
