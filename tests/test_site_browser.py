"""The site in a real browser, from the file system: silent, its own, readable, without sideways scroll."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.test_publish_sample import publish_sample

CHROMIUM = shutil.which("chromium") or ""
QUIET = "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync"
PAGES = ["index.html", "units/xinhua/index.html", "units/hongyanhe/index.html", "method/index.html", "data/index.html"]
WIDTHS = [320, 360, 1280]

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")

#: Text smaller than 12 px, and links and summaries that a thumb would miss.
FAULTS = """() => {
  const faults = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    if (text && parseFloat(getComputedStyle(walker.currentNode.parentElement).fontSize) < 12) faults.push(text);
  }
  for (const target of document.querySelectorAll('a:not(.skip), summary')) {
    const box = target.getBoundingClientRect();
    if (box.width < 24 || box.height < 24) faults.push(`${target.textContent} ${box.width} × ${box.height}`);
  }
  return faults;
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish_sample(tmp_path_factory.mktemp("browser")) / "site"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET.split(), "--no-first-run"])
        yield started
        started.close()


def open_page(browser: Browser, address: str, **options: Any) -> tuple[Page, list[str], list[str]]:
    """The page, with everything that it said on the console and asked for."""
    page = browser.new_page(**options)
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    return page, said, asked


@pytest.mark.parametrize("language", ["", "en/"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_silent_and_fits_every_screen(browser: Browser, site: Path, language: str, path: str) -> None:
    page, said, asked = open_page(browser, (site / (language + path)).as_uri())
    try:
        for details in page.query_selector_all("summary"):
            details.click()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (scheme, width)
                assert page.evaluate(FAULTS) == [], (scheme, width)
        assert said == []
        assert len(asked) <= 3
        for address in asked:
            assert address.startswith((site.as_uri(), "data:image/svg+xml")), address
        assert any(address.endswith("/style.css") for address in asked)
    finally:
        page.close()


def test_the_policy_lets_the_sheet_and_the_hatching_through(browser: Browser, site: Path) -> None:
    page, _, _ = open_page(browser, (site / "index.html").as_uri())
    try:
        assert (
            page.evaluate("getComputedStyle(document.querySelector('.masthead .name a')).color") == "rgb(179, 32, 27)"
        )
        assert page.evaluate("getComputedStyle(document.querySelector('.hatch')).fill") == 'url("#hatch")'
    finally:
        page.close()


def test_every_figure_can_be_read_without_scripts(browser: Browser, site: Path) -> None:
    page, _, _ = open_page(browser, (site / "index.html").as_uri(), java_script_enabled=False)
    try:
        table = page.locator("table.units")
        assert table.locator("tbody tr").count() == 30
        assert table.locator("[data-cell='units.xinhua.suspected']").inner_text().strip() == "170"
        assert "※" in table.locator("[data-cell='units.xinhua.returned']").inner_text()
        assert table.locator("[data-cell~='units.hongyanhe.to_return']").inner_text().strip() == "尚未报送"
    finally:
        page.close()


def test_both_colour_schemes_have_enough_contrast(browser: Browser, site: Path) -> None:
    page, _, _ = open_page(browser, (site / "index.html").as_uri())
    luminance = """name => {
      const probe = document.body.appendChild(document.createElement('i'));
      probe.style.color = `var(${name})`;
      const rgb = getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255);
      probe.remove();
      const [r, g, b] = rgb.map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    }"""
    try:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for name, least in (("--ink", 7), ("--soft", 4.5), ("--red", 4.5), ("--link", 4.5), ("--bar", 3),
                                ("--pale", 3), ("--green", 3), ("--orange", 3)):  # fmt: skip
                for ground in ("--paper", "--sheet"):
                    shades = sorted((page.evaluate(luminance, name), page.evaluate(luminance, ground)))
                    assert (shades[1] + 0.05) / (shades[0] + 0.05) >= least, (scheme, name, ground)
    finally:
        page.close()
