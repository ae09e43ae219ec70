"""`python -m tests.support.staff_screens FOLDER HOME`: pictures of a demo's staff instance, for docs/staff.md."""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from etl.system.home import Home
from etl.vault.store.keys import read_key
from tests.support.chromium import CHROMIUM, QUIET
from tests.support.staff_served import served

#: Name, account, page ("row": the first row of the table before it), width, height.
SHOTS = (
    ("staff-bureau", "bureau", "", 1280, 1100),
    ("staff-unit", "santai", "", 390, 1100),
    ("staff-row", "santai", "cases row", 1280, 800),
    ("staff-table", "santai", "children", 1280, 700),
)


def main(folder: Path, root: Path) -> None:
    """Write every picture."""
    keys = read_key(Home(root).demo_key)
    with served(root) as (address, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET.split())
        for name, account, path, width, height in SHOTS:
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(f"{address}/-/login")
            page.fill("input[name=username]", account)
            page.fill("input[name=password]", keys.demo_password(account))
            page.click("button[type=submit]")
            page.wait_for_url(lambda url: "/-/login" not in url)
            page.goto(f"{address}/{account}/{path.partition(' ')[0]}".rstrip("/"))
            if path.endswith(" row"):
                page.locator("td.open a").first.click()
                page.wait_for_selector("dl.row")
            page.screenshot(path=folder / f"{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
