"""Every kind of staff page in a real browser, on a phone and on a desk: axe finds nothing, nothing is too small."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from etl.rulebook.campaign import BUREAU, INSPECTORATE, Campaign
from etl.workflow import loading
from plugins.access import CUSTODIAN
from plugins.accounts import add_account
from tests.support.browsing import AXE, MEASURE, RUN
from tests.support.homes import at_due
from tests.support.staff_home import PASSWORD
from tests.support.staff_served import served

UNIT = "xiling"
#: Who looks, and at what; `{row}` is the first child of the unit.
LOOKS = {
    UNIT: ("", "/children", "/children/{row}", "/children?_search=1", "/deliverables", "/findings", "/-/number/{row}",
           "/-/query?sql=select+serial+from+children"),
    BUREAU: ("", "/progress", "/corrections"),
    INSPECTORATE: ("", "/flags", "/visits"),
    "department": ("", "/corrections"),
}  # fmt: skip


@pytest.fixture(scope="module")
def address(
    tmp_path_factory: pytest.TempPathFactory, issued_once: Path, small: Campaign, small_folder: Path
) -> Iterator[str]:
    root = tmp_path_factory.mktemp("accessible") / "var"
    shutil.copytree(issued_once, root)
    run = at_due(root, small, small_folder)
    loading.load_files(run, sorted(run.home.inbox.iterdir()))
    for name, scope in (*((name, name) for name in LOOKS), ("custodian", CUSTODIAN)):
        scope = small.casework.departments[0].slug if scope == "department" else scope
        add_account(run.home, run.keys, name, scope, PASSWORD)
    with served(root, small_folder) as (found, _):
        yield found


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("who", [*LOOKS, "custodian"])
def test_a_page_is_for_everybody(address: str, browser: Browser, small: Campaign, who: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{address}/-/login")
    faults = list(_faults(page, width))
    page.fill("input[name=username]", who)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "/-/login" not in url)
    scope = small.casework.departments[0].slug if who == "department" else who
    paths = [f"/{scope}{path}" for path in LOOKS.get(who, ())] or ["/-/audit", "/-/account"]
    row = ""
    for path in paths:
        if "{row}" in path and not row:
            page.goto(f"{address}/{scope}/children")
            row = str(page.locator("td.open a").first.get_attribute("href")).rpartition("/")[2]
        answer = page.goto(address + path.format(row=row))
        assert answer is not None
        assert answer.status == 200, path
        for summary in page.query_selector_all("summary"):
            summary.click()
        faults += [(path, *fault) for fault in _faults(page, width)]
    assert faults == []
    assert said == []
    page.close()


def _faults(page: object, width: int) -> Iterator[tuple[str, ...]]:
    page.evaluate(AXE)  # type: ignore[attr-defined]
    # axe's own rule for targets allows links that stand far enough apart, as those in tables do.
    yield from (tuple(one) for one in page.evaluate(MEASURE, width) if one[0] != "target")  # type: ignore[attr-defined]
    yield from map(tuple, page.evaluate(RUN, ".scroll *"))  # type: ignore[attr-defined]
