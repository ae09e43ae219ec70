"""The site: both languages whole, all drawn from published figures, every link good, light, and of its own."""

import gzip
import re
import string
import tomllib
from pathlib import Path
from urllib.parse import unquote

import pytest

from etl.exchange.release import interval_cell
from etl.publish.languages import flatten
from etl.rulebook.campaign import load_campaign
from tests.support.sample_release import (
    CAMPAIGN,
    TEMPLATES,
    Reader,
    made_sample,
    publish_sample,
    sample_release,
    tree,
    with_cell,
)

HOMES = ["index.html", "en/index.html"]
UNITS = ["units/index.html", "en/units/index.html"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_sample(tmp_path_factory) / "site"


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


@pytest.mark.parametrize(
    ("page", "texts"),
    [
        ("", ("170", "少于6人", "24–29", "约 84", "尚未报送")),
        ("en/", ("170", "fewer than 6", "24–29", "about 84", "Not yet reported")),
    ],
)
def test_the_four_kinds_of_figures_are_told_apart_by_text_and_by_shape(
    site: Path, page: str, texts: tuple[str, ...]
) -> None:
    html = (site / page / "units/index.html").read_text(encoding="utf-8")
    cells = dict(re.findall(r'<td[^>]*? data-cell="([^"]+)"[^>]*>(.*?)</td>', html, re.S))
    names = ("lingdong.suspected", "xinhua.still_out", "taiyang.returned", "tiedong.suspected")
    looks = [cells[f"units.{name}"] for name in names]
    looks += [cell for name, cell in cells.items() if "units.hongyanhe.returned" in name.split()]
    for text, look in zip(("150", *texts[1:]), looks, strict=True):
        assert text in look
    shapes = [re.findall(r'<(?:rect|line) class="(\w+)', look) for look in looks]
    stretch = ["band", "middle"]
    assert shapes == [
        ["track", "fill"],
        ["track", "hatch"],
        ["track", "fill", "hatch"],
        ["track", "fill", *stretch],
        [],
    ]


@pytest.mark.parametrize(
    ("page", "heard"),
    [
        ("", ("少于6人，不给确切数", "24 到 29 之间，两端在内")),
        ("en/", ("fewer than 6, no exact number given", "from 24 to 29, both included")),
    ],
)
def test_who_hears_the_page_hears_what_an_interval_means(site: Path, page: str, heard: tuple[str, str]) -> None:
    cells = Reader(site / page / "units/index.html").cells
    for name, text in zip(("xinhua.still_out", "taiyang.returned"), heard, strict=True):
        assert cells[f"units.{name}"][0][1].endswith(text)
    html = (site / page / "units/index.html").read_text(encoding="utf-8")
    seen = re.findall(r'<span class="(?:range|fewer)"([^>]*)>', html)
    assert seen
    assert set(seen) == {' aria-hidden="true"'}


def test_a_sensitive_category_has_a_limit_of_its_own(tmp_path: Path) -> None:
    release = with_cell(sample_release(), "categories", "J", "verified", interval_cell(0, 11))
    public = publish_sample(tmp_path, release)
    for page, text in (("", "少于12人"), ("en/", "fewer than 12")):
        cells = Reader(public / "site" / page / "categories/index.html").cells
        assert cells["categories.J.verified"][0][1].startswith(text)


@pytest.mark.parametrize(
    ("page", "said"),
    [("", "由公布的数相加得出：已复学 + 尚未复学"), ("en/", "added up from published figures: Returned + Still out")],
)
def test_a_units_own_page_adds_up_those_to_return_and_says_so(site: Path, page: str, said: str) -> None:
    for slug, figure in (("taiyang", "30–40"), ("xinhua", "17–22"), ("tiedong", "6±10"), ("laohutun", "14–19")):
        html = (site / page / f"units/{slug}/index.html").read_text(encoding="utf-8")
        (line,) = (line for line in re.findall(r'<div class="line.*?</div>', html, re.S) if "data-sum=" in line)
        assert f'data-sum="units.{slug}.to_return"' in line
        assert figure in re.sub(r"<[^>]*>", "", line)
        assert said in line
    waiting = (site / page / "units/hongyanhe/index.html").read_text(encoding="utf-8")
    assert 'data-sum="units.hongyanhe.to_return" data-status="not_due"' in waiting


def test_nothing_is_said_to_be_withheld(site: Path) -> None:
    """No figure is: the words of former releases must not stay behind."""
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"withheld|suppress|隐匿|未公布|因人数少|不公布", text, re.I), path


def test_rows_keep_the_order_of_the_release_whatever_their_figures(site: Path) -> None:
    slugs = re.findall(r'<th scope="row"><a href="([a-z-]+)/', (site / "units/index.html").read_text(encoding="utf-8"))
    assert slugs == list(sample_release().table("units").rows)


def test_a_unit_that_has_not_reported_is_said_so_and_has_no_bars(site: Path) -> None:
    for page, text in (("units/hongyanhe", "红沿河镇尚未报送核查结果"), ("en/units/hongyanhe", "has not reported")):
        html = (site / page / "index.html").read_text(encoding="utf-8")
        assert text in html
        assert 'class="bar"' not in html.partition('class="key"')[0]
    zero = (site / "units/wawo/index.html").read_text(encoding="utf-8")
    assert "尚未报送核查结果" not in zero
    assert zero.count('data-status="interval"') == 8


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
