"""The site: both languages whole, nothing drawn from a withheld figure, every link good, light, and of its own."""

import gzip
import re
import string
import tomllib
from pathlib import Path
from urllib.parse import unquote

import pytest

from etl.exchange.release import Cell, Status
from etl.publish.charts import BarShape, bar_of, percentage, scale, starts
from etl.publish.languages import flatten
from etl.rulebook.campaign import load_campaign
from tests.support.sample_release import (
    CAMPAIGN,
    TEMPLATES,
    WAITING,
    WITHHELD,
    Reader,
    made_sample,
    sample_release,
    tree,
)

HOMES = ["index.html", "en/index.html"]
UNITS = ["units/index.html", "en/units/index.html"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_sample(tmp_path_factory) / "site"


def people(value: int) -> Cell:
    return Cell(Status.PUBLISHED, value)


def test_both_catalogues_have_the_same_keys_and_blanks() -> None:
    zh, en = (
        flatten(tomllib.loads((TEMPLATES / f"messages.{language}.toml").read_text(encoding="utf-8")))
        for language in ("zh", "en")
    )
    assert sorted(zh) == sorted(en)
    for key in zh:
        blanks = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (zh[key], en[key])]
        assert blanks[0] == blanks[1], key


def test_every_text_of_the_catalogue_is_used_by_a_template_or_the_code() -> None:
    code = "".join(p.read_text(encoding="utf-8") for ending in ("html", "xml") for p in TEMPLATES.glob(f"*.{ending}"))
    code += "".join(p.read_text(encoding="utf-8") for p in (TEMPLATES.parent / "etl/publish").glob("*.py"))
    catalogue = flatten(tomllib.loads((TEMPLATES / "messages.en.toml").read_text(encoding="utf-8")))
    # What is put together at run time stands in the code by its beginning: "measure." ~ key ~ ".name".
    for key in catalogue:
        name = key.removesuffix(".one").removesuffix(".other")
        parts = name.split(".")
        composed = any(f'"{".".join(parts[:n])}."' in code for n in range(1, len(parts)))
        assert f'"{name}"' in code or composed, key


def test_a_bar_is_drawn_from_published_figures_only() -> None:
    assert bar_of(people(631), 1000) == BarShape("0%", "63.1%")
    assert bar_of(people(25), 100, start=75) == BarShape("75%", "25%")
    assert bar_of(WITHHELD, 1000) is None
    assert bar_of(WAITING, 1000) is None
    assert bar_of(people(0), 1000) is None
    assert bar_of(people(3), 0) is None


def test_a_bar_that_is_not_zero_can_be_seen_and_none_leaves_its_track() -> None:
    assert bar_of(people(1), 100_000) == BarShape("0%", "0.6%")
    assert bar_of(people(1), 100_000, start=100_000) == BarShape("99.4%", "0.6%")


def test_a_share_needs_both_figures_and_is_whole_only_when_exact() -> None:
    assert percentage(people(1199), people(1200)) == "99.9%"
    assert percentage(people(1), people(3000)) == "0.1%"
    assert percentage(people(1200), people(1200)) == "100%"
    assert percentage(people(0), people(1200)) == "0%"
    assert percentage(people(1), people(8)) == "12.5%"
    assert percentage(people(0), people(0)) is None
    for part, whole in ((WITHHELD, people(9)), (people(9), WITHHELD), (WAITING, people(9))):
        assert percentage(part, whole) is None


def test_a_scale_is_the_greatest_published_figure_of_its_family() -> None:
    units = sample_release().table("units")
    assert scale([units], "suspected") == 170
    assert scale([units], "verified") == 170
    assert scale([units], "returned") == 17
    nothing = {at: WITHHELD for at in units.cells}
    assert scale([type(units)("u", "unit", units.rows, units.measures, nothing, "", "")], "verified") == 0


def test_parts_lie_side_by_side_unless_the_gap_would_reveal_a_withheld_figure() -> None:
    sums = {"verified": ("deducted", "to_return"), "to_return": ("returned", "still_out")}
    row = {"verified": people(100), "deducted": people(80), "to_return": people(20)}
    row |= {"returned": people(15), "still_out": people(5)}
    assert starts(row, sums) == {"verified": 0, "deducted": 0, "to_return": 80, "returned": 80, "still_out": 95}
    assert starts({**row, "deducted": WITHHELD}, sums)["to_return"] == 0
    assert starts({**row, "returned": WITHHELD}, sums)["still_out"] == 80


@pytest.mark.parametrize("page", UNITS)
def test_all_withheld_cells_look_alike(site: Path, page: str) -> None:
    html = (site / page).read_text(encoding="utf-8")
    table = html[html.index('class="units"') :]
    looks = set(re.findall(r'data-status="suppressed">(.*?)</td>', table, re.S))
    assert len(looks) == 1
    (look,) = looks
    assert re.findall(r'<rect class="([^"]*)" width="100%"', look) == ["hatch"]


def test_nothing_is_said_of_a_part_or_whole_that_is_withheld(site: Path) -> None:
    html = (site / "index.html").read_text(encoding="utf-8")
    lines = re.findall(r'<div class="line.*?</div>', html, re.S)
    assert len(lines) == 6
    for line in lines:
        if 'data-status="suppressed"' in line:
            assert "%" not in re.sub(r'width="100%"|height="100%"', "", line)
    # Were the start of a bar after a withheld one its true place, it would reveal the withheld figure.
    assert not re.search(r'class="fill to_return" x=', html)


def test_rows_keep_the_order_of_the_release_whatever_their_figures(site: Path) -> None:
    slugs = re.findall(r'<th scope="row"><a href="([a-z-]+)/', (site / "units/index.html").read_text(encoding="utf-8"))
    assert slugs == list(sample_release().table("units").rows)


def test_a_unit_that_has_not_reported_is_said_so_and_has_no_bars(site: Path) -> None:
    for page, text in (("units/hongyanhe", "红沿河镇尚未报送核查结果"), ("en/units/hongyanhe", "has not reported")):
        html = (site / page / "index.html").read_text(encoding="utf-8")
        assert text in html
        assert html.count('class="bar"') == 1
    zero = (site / "units/wawo/index.html").read_text(encoding="utf-8")
    assert "尚未报送核查结果" not in zero
    assert zero.count('data-status="published">0<') == 8


def test_deadlines_are_counted_from_the_day_of_the_figures(site: Path) -> None:
    html = (site / "index.html").read_text(encoding="utf-8")
    assert "距截止 1 天" in html
    assert "距截止 6 天" in html
    assert "1 day left" in (site / "en/index.html").read_text(encoding="utf-8")
    assert "28 / 30" in html


def test_every_page_stands_alone_without_inline_script_or_style(site: Path) -> None:
    for path in site.rglob("*.html"):
        page = Reader(path)
        names = [tag for tag, _ in page.tags]
        assert "style" not in names
        assert names.count("h1") == 1
        scripts = [a for tag, a in page.tags if tag == "script" and a.get("type") != "application/ld+json"]
        assert all(Path(a["src"]).name.endswith(".js") and "defer" in a for a in scripts)
        assert not [a for _, attributes in page.tags for a in attributes if a == "style" or a.startswith("on")]
        metas = [attributes.get("content", "") for tag, attributes in page.tags if tag == "meta"]
        assert any(content.startswith("default-src 'none';") for content in metas)
        language = "en" if "en" in path.relative_to(site).parts else "zh-CN"
        assert next(attributes for tag, attributes in page.tags if tag == "html")["lang"] == language
        assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")


def test_every_link_is_relative_and_leads_to_a_file_and_a_place_in_it(site: Path) -> None:
    pages = {path: Reader(path) for path in site.rglob("*.html")}
    ids = {path: [a["id"] for _, a in page.tags if "id" in a] for path, page in pages.items()}
    for path, page in pages.items():
        assert len(ids[path]) == len(set(ids[path]))
        for tag, attributes in page.tags:
            link = attributes.get("href", attributes.get("src"))
            if link is None or link.startswith("data:"):
                continue
            assert not re.match(r"[a-z]+:|//|/", link), (path, tag, link)
            file, _, place = unquote(link).partition("#")
            target = (path.parent / file).resolve() if file else path.resolve()
            assert target.is_file(), (path, link)
            assert target.is_relative_to(site.resolve())
            assert not place or place in ids[site / target.relative_to(site.resolve())], (path, link)


def test_no_page_or_sheet_names_another_host(site: Path) -> None:
    for name, content in tree(site).items():
        if name.endswith((".html", ".css")):
            # The names of two vocabularies and the licence's address, printed as text: no browser asks for them.
            found = re.sub(rb"http://www\.w3\.org/2000/svg|https://schema\.org", b"", content)
            found = found.replace(load_campaign(CAMPAIGN).licence.url.encode(), b"")
            assert b"http" not in found.replace(b"http-equiv", b""), name
            assert b"url(#hatch)" in found or b"url(" not in found


def packed(*paths: Path) -> int:
    return sum(len(gzip.compress(path.read_bytes(), 9, mtime=0)) for path in paths)


@pytest.mark.parametrize("page", HOMES)
def test_the_home_page_is_light(site: Path, page: str) -> None:
    assert packed(site / page, site / "style.css") <= 20_000


def test_every_page_is_light_with_all_that_it_asks_for_at_once(site: Path) -> None:
    shared = (site / "style.css", site / "tables.js")
    assert packed(site / "tables.js") <= 1_500
    assert {path: size for path in site.rglob("*.html") if (size := packed(path, *shared)) > 30_000} == {}
