"""A clerk's visit in a real browser, under the real content security policy, against the real server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from plugins.accounts import add_account
from tests.support.staff_home import (
    BUREAU,
    CHIEF,
    CHILD,
    CLERK,
    KEEPER,
    OTHER,
    OWN,
    PASSWORD,
    SECRETS,
    SHOWN,
    add_accounts,
    add_numbers,
    make_home,
)
from tests.support.staff_served import served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    home, keys = make_home(tmp_path_factory.mktemp("browser") / "var")
    add_numbers(home, keys)
    add_accounts(home, keys)
    add_account(home, keys, KEEPER, "custodian", PASSWORD)
    with served(home.root) as found:
        yield found


def visit(browser: Browser, width: int = 1280) -> tuple[Page, list[str]]:
    """A page, and what the browser complains of: blocked scripts and styles, errors in scripts."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page, complaints


def log_in(page: Page, address: str, username: str, password: str = PASSWORD) -> None:
    page.goto(f"{address}/-/login")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", password)
    page.click("button[type=submit]")


def shot(page: Page, folder: Path, name: str) -> None:
    page.screenshot(path=folder / f"staff-{name}.png", full_page=True)


@pytest.mark.parametrize("width", [390, pytest.param(1280, marks=pytest.mark.prove)])
def test_a_clerks_visit(server: tuple[str, Path], browser: Browser, tmp_path: Path, width: int) -> None:
    address, _ = server
    page, complaints = visit(browser, width)
    page.goto(f"{address}/{OWN}/children")
    assert page.url == f"{address}/-/login?next=/{OWN}/children"
    assert "复学·工作人员" in page.title()
    shot(page, tmp_path, f"login-{width}")
    page.fill("input[name=username]", CLERK)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{address}/{OWN}/children")
    assert "疑似失学儿童" in page.inner_text("h1")
    assert page.locator("th").all_inner_texts()[1:4] != ["serial", "issue", "unit"]
    shot(page, tmp_path, f"children-{width}")
    page.select_option("select[name=_filter_column]", "name")
    page.fill("input[name=_filter_value]", CHILD[OWN])
    page.click("form.filters button")
    page.wait_for_url("**name__contains**")
    assert page.locator("tbody tr").count() == 1
    page.click("tbody a")
    assert CHILD[OWN] in page.inner_text("dl.row")
    shot(page, tmp_path, f"row-{width}")
    page.goto(f"{address}/{OWN}")
    page.fill("input[name=_search]", CHILD[OWN][:2])
    page.click("text=找孩子")
    page.wait_for_url("**/children?_search=**")
    assert page.locator("tbody tr").count() == 1
    assert page.input_value("input[name=_search]") == CHILD[OWN][:2]
    shot(page, tmp_path, f"search-{width}")
    for path, name in (
        ("/", "home"),
        (f"/{OWN}", "scope"),
        (f"/{OWN}/findings", "findings"),
        ("/-/account", "account"),
    ):
        assert page.goto(f"{address}{path}").status == 200  # type: ignore[union-attr]
        shot(page, tmp_path, f"{name}-{width}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []
    refused = page.goto(f"{address}/{OTHER}/children")
    assert refused is not None
    assert refused.status == 404
    assert not any(secret in page.content() for secret in SECRETS if secret != OTHER)
    shot(page, tmp_path, f"refused-{width}")
    page.goto(address)
    page.click("header button")
    page.wait_for_url(f"{address}/-/login")
    page.goto(f"{address}/{OWN}/children")
    assert "/-/login" in page.url
    page.close()


@pytest.mark.parametrize("width", [390, pytest.param(1280, marks=pytest.mark.prove)])
def test_a_number_is_asked_for_and_the_custodian_sees_by_whom(
    server: tuple[str, Path], browser: Browser, tmp_path: Path, width: int
) -> None:
    address, _ = server
    page, complaints = visit(browser, width)
    log_in(page, address, CLERK)
    page.wait_for_url(f"{address}/{OWN}")
    page.goto(f"{address}/{OWN}/children/20190219-01,10001")
    page.click("text=查看完整身份证号")
    reason = f"家长来电，核对号码（{width}）"
    page.fill("textarea[name=reason]", reason)
    shot(page, tmp_path, f"reason-{width}")
    page.click("main button")
    assert page.inner_text("#number") == SHOWN
    shot(page, tmp_path, f"number-{width}")
    page.goto(address)
    page.click("header button")
    page.wait_for_url(f"{address}/-/login")
    log_in(page, address, KEEPER)
    page.wait_for_url(f"{address}/-/audit")
    row = page.locator("tr", has_text=reason)
    assert row.count() == 1
    assert CLERK in row.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot(page, tmp_path, f"audit-{width}")
    assert complaints == []
    page.close()


def test_own_sql_and_the_bureaus_home(server: tuple[str, Path], browser: Browser, tmp_path: Path) -> None:
    address, _ = server
    page, complaints = visit(browser)
    log_in(page, address, CHIEF)
    page.wait_for_url(f"{address}/{BUREAU}")
    assert page.locator("#units").count() == 1
    shot(page, tmp_path, "bureau")
    page.click("summary")
    page.click("details button")
    assert "打工务农" in page.inner_text("table")
    shot(page, tmp_path, "sql")
    assert complaints == []
    page.close()


def test_a_wrong_password_says_so_in_chinese(server: tuple[str, Path], browser: Browser) -> None:
    address, _ = server
    page, _ = visit(browser)
    log_in(page, address, CLERK, "wrong-horse-staple")
    page.wait_for_selector(".error:not([hidden])")
    assert "用户名或密码不对" in page.inner_text(".error:not([hidden])")
    page.close()
