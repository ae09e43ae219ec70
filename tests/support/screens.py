"""`python -m tests.support.screens FOLDER`: pictures of the made-up sample, for docs/site.md."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.support.browsing import visiting
from tests.support.chromium import CHROMIUM, QUIET
from tests.support.sample_releases import publish_stack

#: Name, page, width, colours, how many of the three releases, height (0: the whole page).
SHOTS = (
    ("phone-home", "index.html", 360, "light", 2, 1500),
    ("desktop-home", "index.html", 1280, "light", 3, 1280),
    ("desktop-units-dark", "units/index.html", 1280, "dark", 2, 1280),
    ("phone-progress", "progress/index.html", 360, "light", 3, 1400),
    ("forced-colours", "units/index.html", 360, "forced", 3, 1400),
)
PRINTED = ("print-units", "units/index.html", 3)


def main(folder: Path) -> None:
    """Write every picture, and the printed page as PDF."""
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        sites = {most: publish_stack(Path(made) / str(most), most) / "site" for most in (2, 3)}
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET.split())
        for name, page, width, scheme, most, height in SHOTS:
            with visiting(browser, sites[most], page, unfold=False) as visit:
                visit.state(width, scheme)
                visit.page.set_viewport_size({"width": width, "height": height})
                visit.page.screenshot(path=folder / f"{name}.png")
        name, page, most = PRINTED
        with visiting(browser, sites[most], page, unfold=False) as visit:
            visit.page.pdf(path=folder / f"{name}.pdf", prefer_css_page_size=True)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
