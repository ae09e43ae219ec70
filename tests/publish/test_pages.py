"""What the pages say of several releases: what is new, how figures moved, a feed, bands where figures are rounded."""

import re
import tomllib
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from etl.exchange.release import Cell, exact_cell, rounded_cell
from etl.publish.__main__ import publish_site
from etl.publish.charts import Band, BarShape, bar_of
from etl.publish.database import ask
from etl.publish.languages import load_words
from etl.publish.news import notes
from etl.publish.questions import load_questions
from etl.publish.source import load_source
from etl.publish.timeline import HEIGHT, timeline
from etl.rulebook.campaign import load_campaign
from tests.support.markup import written
from tests.support.sample_release import (
    CAMPAIGN,
    FEW,
    TEMPLATES,
    WAITING,
    Reader,
    figures,
    publish_sample,
    sample_release,
    tree,
    with_cell,
)
from tests.support.sample_releases import PAGES, after_the_close, made_stack, publish_stack, stack
from tests.support.site_identity import filled

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_stack(tmp_path_factory).parent


def rounded(value: int) -> Cell:
    return rounded_cell(value, 5)


def test_a_rounded_bar_is_solid_as_far_as_it_is_sure_and_shows_where_it_may_end() -> None:
    assert bar_of(rounded(24), 100) == BarShape("0%", "19%", Band("19%", "10%", "24%"))
    assert bar_of(rounded(24), 100, start=50) == BarShape("50%", "19%", Band("69%", "10%", "74%"))
    assert bar_of(rounded(0), 100) == BarShape("0%", "0%", Band("0%", "5%", "0%"))
    assert bar_of(rounded(98), 100) == BarShape("0%", "93%", Band("93%", "7%", "98%"))


def test_every_template_has_a_page_in_both_languages(folder: Path) -> None:
    site = folder / "public" / "site"
    assert [page for page in PAGES for way in ("", "en/") if not (site / way / page).is_file()] == []


def test_what_is_new_is_counted_from_the_releases_alone(folder: Path) -> None:
    third, second, first = notes(load_source(folder / "released", load_campaign(CAMPAIGN)))
    assert [len(note.reported) for note in (first, second, third)] == [13, 26, 30]
    assert [len(note.newly) for note in (first, second, third)] == [13, 13, 4]
    assert (first.before, first.revisions, first.changes) == (None, (), 0)
    for note, two in ((second, stack()[:2]), (third, stack()[1:])):
        # At the close every figure becomes exact or an interval; what has changed is told by the rounded ones.
        before, after = (figures(release) for release in two)
        moved = {name for name, cell in after.items() if before[name].rounded != cell.rounded}
        assert note.changes == len(moved) > 0
        rows = {row for revision in note.revisions for row, line in revision.rows if any(one.changed for one in line)}
        assert rows == {name.split(".")[1] for name in moved}


@pytest.mark.parametrize("language", ["", "en/"])
def test_every_earlier_figure_agrees_with_its_release(folder: Path, language: str) -> None:
    releases = {release.name: figures(release) for release in stack()}
    seen = set()
    for path in (folder / "public/site" / language).rglob("*.html"):
        html = path.read_text(encoding="utf-8")
        for name, at, status, text in re.findall(
            r'data-past="(\d{4})/([^"]+)" data-status="(\w+)">(.*?)</span>(?=</td>|</del>|</ins>)', html, re.S
        ):
            cell = releases[name][at]
            seen.add((name, at))
            assert status == cell.status.value
            assert re.sub(r"<[^>]*>", "", text) in written(cell), (path, at)
    # On its own page a release is shown beside the one before it, with all rows that changed.
    assert {name for name, _ in seen} == {"0001", "0002", "0003"}


def test_a_release_s_own_page_is_the_same_ever_after(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    page = "site/releases/0002/index.html"
    assert (made_stack(tmp_path_factory, 2) / page).read_bytes() == (folder / "public" / page).read_bytes()


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site with a fourth release, made after the close."""
    return publish_sample(tmp_path_factory.mktemp("later"), *stack(), after_the_close()) / "site"


def test_a_release_after_the_close_is_an_ordinary_one_and_leaves_the_closing_figures_as_they_are(later: Path) -> None:
    for page in ("index.html", "releases/index.html", "releases/0004/index.html", "feed.xml"):
        assert "结束时（第 0003 次）公布的数不再改动" in (later / page).read_text(encoding="utf-8"), page
        english = (later / "en" / page).read_text(encoding="utf-8")
        assert "the figures of the closing release (0003) stay as they are" in english, page
    for name in ("0001", "0002", "0003"):
        assert "不再改动，此后" not in (later / f"releases/{name}/index.html").read_text(encoding="utf-8")
    html = (later / "releases/0004/index.html").read_text(encoding="utf-8")
    assert "约数都没有变" in html
    assert "没有任何数不同" not in html, "the figures are written in another way"
    assert "按每次都有的约数比，变了的有 0 个" in (later / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("most", [2, 3, 4])
def test_the_ready_made_question_finds_just_the_changes_that_the_pages_count(tmp_path: Path, most: int) -> None:
    releases = (*stack(), after_the_close())[:most]
    public = publish_sample(tmp_path, *releases)
    (question,) = [one for one in load_questions(TEMPLATES) if one.key == "changes"]
    rows = ask(public / "fuxue.db", question.sql(load_words(TEMPLATES)[0]))[1]
    note = notes(load_source(tmp_path / "released", load_campaign(CAMPAIGN)))[0]
    assert len(rows) == note.changes
    assert (note.changes > 0) is (most < 4)


@pytest.mark.parametrize("earlier", [0, 2])
def test_the_page_of_the_close_lists_every_figure_for_ever(tmp_path: Path, earlier: int) -> None:
    close = replace(stack()[-1], number=earlier + 1)
    after = replace(after_the_close(), number=earlier + 2)
    site = publish_sample(tmp_path, *stack()[:earlier], close, after) / "site"
    for language in ("", "en/"):
        html = (site / language / f"releases/{close.name}/index.html").read_text(encoding="utf-8")
        shown = set(re.findall(rf'data-past="{close.name}/([^"]+)"', html))
        assert shown == figures(close).keys()
        home = (site / language / "index.html").read_text(encoding="utf-8")
        assert re.search(rf'<p class="notice">.*releases/{close.name}/index.html', home)


def test_the_close_says_what_it_is(folder: Path) -> None:
    for page, text in (("index.html", "能给确切数的给确切数，其余给区间"), ("en/index.html", "otherwise intervals")):
        assert text in (folder / "public/site" / page).read_text(encoding="utf-8")


def test_releases_of_one_day_are_told_apart_by_their_numbers(tmp_path: Path) -> None:
    releases = stack()
    fourth = with_cell(
        replace(releases[-1], number=4, closing=False), "units", "lingdong", "suspected", exact_cell(151)
    )
    site = publish_sample(tmp_path, *releases, with_cell(fourth, "city", "city", "still_out", exact_cell(34))) / "site"
    for page in ("index.html", "releases/0004/index.html", "progress/index.html", "units/lingdong/index.html"):
        html = (site / page).read_text(encoding="utf-8")
        assert "3月4日（第 0003 次）" in html, page
        assert "3月4日（第 0004 次）" in html, page
    assert "（第 0002 次）" not in (site / "progress/index.html").read_text(encoding="utf-8")
    html = (site / "releases/0004/index.html").read_text(encoding="utf-8")
    assert re.findall(r'<tr><th scope="row">(.*?)</th>', html) == ["全市", "岭东街道"]
    assert re.search(r"<del>.*150.*</del> <ins>.*151.*</ins>", html)


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


def test_the_time_line_marks_exact_figures_draws_bands_and_hatches_intervals(folder: Path) -> None:
    drawn = timeline(load_source(folder / "released", load_campaign(CAMPAIGN)))
    suspected, verified, deducted = drawn.frames[0].series
    to_return, returned, still_out = drawn.frames[1].series
    every = (suspected, verified, deducted, to_return, returned, still_out)
    assert [len(series.marks) for series in every] == [3] * 6
    for mark in to_return.marks[:2]:
        assert mark.y is not None
        assert mark.top < mark.y < mark.bottom
    for mark in suspected.marks:
        assert mark.top == mark.y == mark.bottom
    last = returned.marks[2]  # 132–137 of 200
    assert (last.y, last.top, last.bottom) == (None, HEIGHT - HEIGHT * 137 // 200, HEIGHT - HEIGHT * 132 // 200)
    assert last.hatched == (last.top, 6)  # high enough to be seen
    html = (folder / "public/site/progress/index.html").read_text(encoding="utf-8")
    assert (
        f'<rect class="hatch returned" data-mark="{last.figure.at}" x="{last.left}" y="{last.top}" width="8" height="6"'
        in html
    )
    assert len(re.findall(r'<path class="band returned"', html)) == 2
    assert len(re.findall(r'<line class="way returned" x1', html)) == 1  # no line to an interval
    assert len(re.findall(r'<rect class="sign returned" data-mark=', html)) == 2
    assert drawn.frames[0].ticks == ((HEIGHT, 0), (HEIGHT * 2 // 3, 500), (HEIGHT // 3, 1000), (0, 1500))


def test_a_mark_is_seen_where_another_lies_on_it(folder: Path) -> None:
    html = (folder / "public/site/progress/index.html").read_text(encoding="utf-8")
    ring, disc = sorted(float(radius) for radius in set(re.findall(r'<circle [^>]* r="([\d.]+)"', html)))
    (side,) = set(re.findall(r'sign [^>]* width="(\d+)"', html))
    corner = int(side) / 2**0.5
    assert ring + 1 < corner < disc, "the ring, with half of its stroke, lies on the square, and that on the disc"


@pytest.mark.parametrize(("cell", "hatched"), [(FEW, 6), (WAITING, 0)])
def test_a_city_of_which_little_or_nothing_is_known_is_drawn_too(tmp_path: Path, cell: Cell, hatched: int) -> None:
    release = sample_release()
    tables = tuple(replace(t, cells=dict.fromkeys(t.cells, cell)) for t in release.tables)
    public = publish_sample(tmp_path, replace(release, tables=tables, category_k={}))
    drawn = (public / "site/progress/index.html").read_text(encoding="utf-8")
    frames = drawn.partition('role="img"')[2].partition("</figure>")[0]
    assert frames.count('class="hatch ') == hatched
    assert 'class="way suspected" x1=' not in frames


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
