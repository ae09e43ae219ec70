"""A full ID number: for a reason, on record, so many an hour, of the own scope alone; and the custodian who sees it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.vault.store.audit_log import Log, Look
from etl.vault.store.files import numbers_path
from plugins import reveal
from plugins.accounts import add_account
from tests.support.staff_home import (
    BUREAU,
    CHIEF,
    CHILD,
    CLERK,
    KEEPER,
    NUMBER,
    OTHER,
    OWN,
    PASSWORD,
    SHOWN,
    add_accounts,
    add_numbers,
    make_home,
)
from tests.support.staff_instance import Instance


def ask_path(scope: str, serial: str = "10001") -> str:
    return f"/{scope}/-/number/20190219-01,{serial}"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    home, keys = make_home(tmp_path_factory.mktemp("numbers") / "var")
    add_numbers(home, keys)
    add_accounts(home, keys)
    add_account(home, keys, KEEPER, "custodian", PASSWORD)
    made = Instance(home, keys)
    yield made
    made.close()


@pytest.fixture(scope="module")
def cookies(instance: Instance) -> dict[str, str]:
    return {name: instance.log_in(name) for name in (CLERK, CHIEF, KEEPER)}


def post(instance: Instance, path: str, cookie: str, reason: str = "家长来电核对号码") -> tuple[int, str]:
    answer = instance.ask(path, cookie, "POST", data={"reason": reason})
    return answer.status_code, answer.text


def newest(instance: Instance, count: int = 1) -> list[Look]:
    return [entry.look for entry in instance.run(instance.datasette.auditor.newest(count))]


def test_a_number_is_shown_for_a_reason_which_is_on_record(instance: Instance, cookies: dict[str, str]) -> None:
    row = instance.ask(f"/{OWN}/children/20190219-01,10001", cookies[CLERK]).text
    assert f'href="{ask_path(OWN)}"' in row
    form = instance.ask(ask_path(OWN), cookies[CLERK])
    assert form.status_code == 200
    assert SHOWN not in form.text
    status, text = post(instance, ask_path(OWN), cookies[CLERK])
    assert status == 200
    assert SHOWN in text
    (look,) = newest(instance)
    assert (look.actor, look.method, look.path, look.status) == (CLERK, "POST", ask_path(OWN), 200)
    assert look.reason == "家长来电核对号码"
    assert sum(one.reason == look.reason for one in newest(instance, 50)) == 1
    assert NUMBER not in repr(newest(instance, 50))


@pytest.mark.parametrize("reason", ["", "  ", "查", "x" * 201])
def test_without_a_reason_nothing_is_shown(instance: Instance, cookies: dict[str, str], reason: str) -> None:
    status, text = post(instance, ask_path(OWN), cookies[CLERK], reason)
    assert status == 400
    assert SHOWN not in text
    assert "请写明理由" in text
    assert newest(instance)[0].reason == ""


@pytest.mark.parametrize(
    "path",
    [
        ask_path(OTHER),
        ask_path(BUREAU),
        ask_path(OWN, "99999"),
        ask_path("nowhere"),
        f"/{OWN}/-/number/20190219-01",
        f"/{OWN}/-/number/..,10001",
        f"/{OWN}/-/number/20190219-01,10001/x",
        f"/{OWN}/-/number/%2e%2e,10001",
    ],
)
def test_of_another_scope_or_nobody_there_is_no_number(instance: Instance, cookies: dict[str, str], path: str) -> None:
    for method in ("GET", "POST"):
        answer = instance.ask(path, cookies[CLERK], method)
        assert answer.status_code in (400, 404)
        assert SHOWN not in answer.text
    assert instance.ask(path).status_code in (302, 400)
    assert instance.ask(path, method="POST").status_code in (400, 403)


def test_another_site_cannot_ask(instance: Instance, cookies: dict[str, str]) -> None:
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        answer = instance.ask(ask_path(OWN), cookies[CLERK], "POST", data={"reason": "stolen click"}, headers=headers)
        assert answer.status_code in (400, 403)
        assert SHOWN not in answer.text


def test_without_a_log_there_is_no_number(
    instance: Instance, cookies: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr(Log, "append", full)
    status, text = post(instance, ask_path(OWN), cookies[CLERK])
    assert status == 503
    assert SHOWN not in text


def test_past_the_limit_nothing_is_shown_and_the_custodian_sees_who_asked(
    instance: Instance, cookies: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reveal, "_MOST", 3)
    asked = [post(instance, ask_path(BUREAU), cookies[CHIEF], f"核对第 {at} 次") for at in range(5)]
    assert [status for status, _ in asked] == [200, 200, 200, 429, 429]
    assert all((SHOWN in text) == (status == 200) for status, text in asked)
    assert [look.status for look in newest(instance, 2)] == [429, 429]
    page = instance.ask("/-/audit", cookies[KEEPER])
    assert page.status_code == 200
    alarms = page.text.partition('id="alarms"')[2].partition("</section>")[0]
    assert alarms.count(CHIEF) == 2
    assert "核对第 4 次" in alarms


def test_the_log_is_the_custodians_alone_and_the_custodian_sees_no_child(
    instance: Instance, cookies: dict[str, str]
) -> None:
    for name in (CLERK, CHIEF):
        assert instance.ask("/-/audit", cookies[name]).status_code == 404
    for path in (f"/{OWN}/children", f"/{BUREAU}/children.json", ask_path(OWN)):
        assert instance.ask(path, cookies[KEEPER]).status_code == 404
    assert instance.ask("/", cookies[KEEPER]).headers["location"] == "/-/audit"
    page = instance.ask("/-/audit", cookies[KEEPER])
    assert (page.status_code, CHILD[OWN] in page.text) == (200, False)
    assert instance.ask("/", cookies[CHIEF]).headers["location"] == f"/{BUREAU}"


def test_what_a_look_says_is_text_on_the_custodians_page(instance: Instance, cookies: dict[str, str]) -> None:
    post(instance, ask_path(OWN), cookies[CLERK], "<script>alert(1)</script>")
    instance.ask(f"/{OWN}/children?name=<img src=x onerror=alert(1)>", cookies[CLERK])
    page = instance.ask("/-/audit", cookies[KEEPER]).text
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_numbers_are_reached_by_no_query(instance: Instance, cookies: dict[str, str]) -> None:
    for sql in ("select * from number", "select * from numbers.number", "attach 'numbers/x.db' as n"):
        answer = instance.ask(f"/{OWN}/-/query.json", cookies[CLERK], params={"sql": sql})
        assert answer.status_code == 400
        assert NUMBER not in answer.text


def test_the_numbers_file_is_opened_anew_each_time(instance: Instance, cookies: dict[str, str], tmp_path: Path) -> None:
    path = numbers_path(instance.home.scopes, OWN)
    moved = tmp_path / "moved.db"
    path.rename(moved)
    answer = instance.ask(ask_path(OWN), cookies[CLERK])
    assert answer.status_code != 200
    moved.rename(path)
    assert instance.ask(ask_path(OWN), cookies[CLERK]).status_code == 200
