"""Every page in a real browser, from the file system: both languages, three widths, three colour schemes.

`make test` checks one page of each template, Chinese and English by turns: with axe in one of the nine states (a
different one for each page), and its measures at each width. `make prove` does both for every page in every state.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browsing import STATES, WIDTHS, faults, visiting
from tests.support.sample_release import made_sample
from tests.support.sample_releases import PAGES, made_stack

EVERY = [language + page for page in PAGES for language in ("", "en/")]
SOME = [("", "en/")[number % 2] + page for number, page in enumerate(PAGES)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the first two of three releases: rounded figures, some units not due."""
    return made_stack(tmp_path_factory, 2) / "site"


@pytest.fixture
def units(browser: Browser, site: Path) -> Iterator[Page]:
    with visiting(browser, site, "units/index.html") as visit:
        yield visit.page


@pytest.mark.parametrize("path", SOME)
def test_a_page_has_no_fault(browser: Browser, site: Path, path: str) -> None:
    one = STATES[SOME.index(path) % len(STATES)]
    with visiting(browser, site, path) as visit:
        assert faults(visit, (one, *((width, "light") for width in WIDTHS if width != one[0])), axes=1) == []


@pytest.mark.prove
@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize("path", EVERY)
def test_a_page_has_no_fault_in_any_state(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory, path: str, most: int
) -> None:
    if "0002" in path and most == 1:
        path = path.replace("0002", "0001")
    site = made_stack(tmp_path_factory, most) / "site"
    with visiting(browser, site, path) as visit:
        assert faults(visit, STATES, axes=len(STATES)) == []


def test_the_policy_lets_the_sheet_and_the_hatching_through(browser: Browser, site: Path) -> None:
    with visiting(browser, site, "index.html") as visit:
        colour = visit.page.evaluate("getComputedStyle(document.querySelector('.masthead .name a')).color")
        assert colour == "rgb(179, 32, 27)"
        assert visit.page.evaluate("getComputedStyle(document.querySelector('.hatch')).fill") == 'url("#hatch")'


def test_every_figure_can_be_read_without_scripts(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> None:
    site = made_sample(tmp_path_factory) / "site"
    with visiting(browser, site, "units/index.html", java_script_enabled=False) as visit:
        table = visit.page.locator("table.units")
        assert table.locator("tbody tr").count() == 30
        assert table.locator("[data-cell='units.xinhua.suspected']").inner_text().strip() == "170"
        few = table.locator("[data-cell='units.xinhua.still_out'] .fewer")
        assert few.inner_text().strip() == "少于6人"
        assert table.locator("[data-cell='units.taiyang.returned'] .range").inner_text().strip() == "24–29"
        assert table.locator("[data-cell~='units.hongyanhe.returned']").inner_text().strip() == "尚未报送"
        assert visit.page.locator("input, button").count() == 0


def column(page: Page, measure: int) -> list[str]:
    """What is seen in a column of the units' table, visible rows only."""
    script = """cells => cells.map(cell => {
      const copy = cell.cloneNode(true);
      for (const heard of copy.querySelectorAll('.away')) heard.remove();
      return copy.textContent;
    })"""
    cells = page.locator(f"table.units tbody tr:visible td:nth-child({measure + 1}) .n")
    return list(cells.evaluate_all(script))


def middle(text: str) -> float:
    """Twice the middle of where the figure with this text may lie."""
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    if text.startswith("约"):
        return max(numbers[0] - numbers[1], 0) + numbers[0] + numbers[1]
    return numbers[0] - 1 if text.startswith("少于") else numbers[0] + numbers[-1]


@pytest.mark.parametrize(("most", "measure"), [(2, 1), (2, 2), (3, 1), (3, 2)])
def test_sorting_goes_by_the_middle_of_what_is_published_and_puts_what_is_not_due_last(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory, most: int, measure: int
) -> None:
    with visiting(browser, made_stack(tmp_path_factory, most) / "site", "units/index.html") as visit:
        page, head = visit.page, visit.page.locator("table.units th.number").nth(measure - 1)
        before = page.locator("table.units tbody th").all_inner_texts()
        waiting = before[26:] if most == 2 else []
        for way in ("descending", "ascending"):
            head.locator("button").click()
            assert head.get_attribute("aria-sort") == way
            shown = [middle(text) for text in column(page, measure) if text != "尚未报送"]
            assert len(shown) == 30 - len(waiting)
            assert shown == sorted(shown, reverse=way == "descending")
            # Rows that are alike, and those that are not due, keep the order of the release.
            names = page.locator("table.units tbody th").all_inner_texts()
            assert names[len(shown) :] == waiting
            alike = [before.index(name) for name, at in zip(names, shown, strict=False) if at == shown[-1]]
            assert alike == sorted(alike)
        head.locator("button").click()
        assert head.get_attribute("aria-sort") is None
        assert page.locator("table.units tbody th").all_inner_texts() == before
        assert page.locator("table.units tbody").count() == 3


def test_filtering_says_how_many_are_left(units: Page) -> None:
    units.get_by_label("筛选单位").fill("尚未报送")
    assert column(units, 1) == ["尚未报送"] * 4
    assert units.locator("output").inner_text() == "显示 4 / 30"
    units.get_by_label("筛选单位").fill("")
    assert len(column(units, 1)) == 30
    assert units.locator("output").inner_text() == ""


STOPS = "a, summary, button, input, [tabindex='0']"


def test_a_keyboard_alone_reaches_everything_and_shows_where_it_is(browser: Browser, site: Path) -> None:
    with visiting(browser, site, "units/index.html", unfold=False) as visit:
        page, shown = visit.page, []
        for _ in range(page.locator(STOPS).count()):
            page.keyboard.press("Tab")
            shown.append(
                page.evaluate("""() => {
              const at = document.activeElement, box = at.getBoundingClientRect();
              const style = getComputedStyle(at);
              const seen = box.bottom > 0 && box.top < innerHeight && box.width > 0;
              return seen && style.outlineStyle != 'none' && parseFloat(style.outlineWidth) >= 2;
            }""")
            )
        assert all(shown)
        assert page.evaluate("document.activeElement.textContent") == "订阅更新"


def test_the_first_stop_leads_past_the_menu_and_enter_does_what_a_tap_does(browser: Browser, site: Path) -> None:
    with visiting(browser, site, "units/index.html", unfold=False) as visit:
        page = visit.page
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.url.endswith("#content")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.localName") == "summary"
        page.keyboard.press("Enter")
        assert page.locator("details").get_attribute("open") is not None
        page.locator("table.units button").first.focus()
        page.keyboard.press("Enter")
        assert page.locator("th[aria-sort]").count() == 1


def test_paper_bears_the_release_on_each_sheet_and_repeats_the_heads(browser: Browser, site: Path) -> None:
    with visiting(browser, site, "units/index.html") as visit:
        visit.page.emulate_media(media="print")
        look = (
            "name => { const s = getComputedStyle(document.querySelector(name)); return [s.display, s.breakInside]; }"
        )
        assert visit.page.evaluate(look, ".stamp") == ["table-footer-group", "avoid"]
        assert visit.page.evaluate(look, "body")[0] == "table"
        assert visit.page.evaluate(look, "thead")[0] == "table-header-group"
        # A table's heading is never at the bottom of a sheet without a row below it.
        for name, way in (("h2", "breakAfter"), ("caption", "breakAfter"), ("tbody tr", "breakBefore")):
            script = "([name, way]) => getComputedStyle(document.querySelector(name))[way]"
            assert visit.page.evaluate(script, [name, way]) == "avoid"
        assert visit.page.locator(".stamp").inner_text() == "瓦房店市教育局 · 第 0002 次公布 · 数据截至2019年2月26日"
        assert not visit.page.locator(".menu, .filter, footer .links").first.is_visible()
        assert visit.page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") == 4


def test_what_a_wide_table_is_about_is_seen_without_scrolling(browser: Browser, site: Path) -> None:
    with visiting(browser, site, "en/progress/index.html") as visit:
        visit.state(320, "light")
        table, caption = (f"document.querySelector('.scroll {name}')" for name in ("table", "caption"))
        assert visit.page.evaluate(f"{table}.offsetWidth > {table}.closest('.scroll').clientWidth")
        assert visit.page.evaluate(f"{caption}.getBoundingClientRect().right") <= 320


def test_both_colour_schemes_have_enough_contrast(browser: Browser, site: Path) -> None:
    luminance = """name => {
      const probe = document.body.appendChild(document.createElement('i'));
      probe.style.color = `var(${name})`;
      const rgb = getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255);
      probe.remove();
      const [r, g, b] = rgb.map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    }"""
    with visiting(browser, site, "index.html") as visit:
        for scheme in ("light", "dark"):
            visit.state(1280, scheme)
            for name, least in (("--ink", 7), ("--soft", 4.5), ("--red", 4.5), ("--link", 4.5), ("--bar", 3),
                                ("--pale", 3), ("--green", 3), ("--orange", 3)):  # fmt: skip
                for ground in ("--paper", "--sheet"):
                    shades = sorted((visit.page.evaluate(luminance, name), visit.page.evaluate(luminance, ground)))
                    assert (shades[1] + 0.05) / (shades[0] + 0.05) >= least, (scheme, name, ground)
