"""Who someone is: only a session of an account that may still enter, looked up at every request."""

import datetime as dt
import re
from collections.abc import Callable, Iterator

import pytest
from itsdangerous import URLSafeSerializer

from etl.findings import FuxueError
from plugins.accounts import add_account, disable_account, enable_account, reset_account
from tests.support.staff_home import BUREAU, CHIEF, CLERK, OTHER, OWN, PASSWORD, STRANGER, add_accounts, make_home
from tests.support.staff_instance import COOKIE, Instance

PAGE = f"/{OWN}/children.json"
CLERKS = "UPDATE datasette_accounts_users SET {} WHERE username = 'temp'"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    home, keys = make_home(tmp_path_factory.mktemp("sessions") / "var")
    add_accounts(home, keys)
    add_account(home, keys, "temp", OWN, PASSWORD)
    made = Instance(home, keys)
    yield made
    made.close()


def write(instance: Instance, sql: str) -> None:
    instance.run(instance.datasette.get_internal_database().execute_write(sql))


def actor_id(instance: Instance, username: str) -> str:
    sql = "SELECT id FROM datasette_accounts_users WHERE username = ?"
    return str(instance.run(instance.datasette.get_internal_database().execute(sql, [username])).single_value())


def test_forged_and_foreign_cookies_give_nothing(instance: Instance) -> None:
    chief = actor_id(instance, CHIEF)
    sign = instance.datasette.sign
    own = instance.log_in(CLERK)
    stolen = URLSafeSerializer("another secret", "datasette-accounts").dumps("token")
    forged = [
        {COOKIE: "x"},
        {COOKIE: stolen},
        {COOKIE: sign("no such token", "datasette-accounts")},
        {COOKIE: sign(chief, "datasette-accounts")},
        {COOKIE: own[:-5] + ("A" if own[-5] != "A" else "B") + own[-4:]},  # the last character carries unused bits
        {COOKIE: own.partition(".")[0]},
        {"ds_actor": sign({"a": {"id": chief}}, "actor")},
        {"ds_actor": sign({"a": {"id": "root"}}, "actor")},
    ]
    for cookies in forged:
        for path in (PAGE, f"/{BUREAU}/children.json"):
            assert instance.ask(path, cookies=cookies).status_code == 403
    mixed = {COOKIE: own, "ds_actor": sign({"a": {"id": chief}}, "actor")}
    assert instance.ask(PAGE, cookies=mixed).status_code == 200
    assert instance.ask(f"/{BUREAU}/children.json", cookies=mixed).status_code == 404


def test_tokens_and_headers_make_nobody(instance: Instance) -> None:
    token = "dstok_" + instance.datasette.sign({"a": actor_id(instance, CHIEF), "t": 1}, "token")
    for headers in ({"authorization": f"Bearer {token}"}, {"x-forwarded-user": CHIEF}, {"authorization": "Basic eDp5"}):
        assert instance.ask(PAGE, headers=headers).status_code == 403


def test_a_session_ends_with_its_logout(instance: Instance) -> None:
    cookie = instance.log_in(CLERK)
    assert instance.ask(PAGE, cookie).status_code == 200
    assert instance.ask("/-/logout", cookie).status_code == 200
    assert instance.ask(PAGE, cookie).status_code == 200, "a link alone must not log anyone out"
    assert instance.ask("/-/logout/perform", cookie, "POST", json={}).status_code == 200
    assert instance.ask(PAGE, cookie).status_code == 403


@pytest.mark.parametrize(
    ("change", "back"),
    [
        (CLERKS.format("disabled = 1"), CLERKS.format("disabled = 0")),
        (CLERKS.format("expires_at = '2019-01-01T00:00:00.000+00:00'"), CLERKS.format("expires_at = NULL")),
        (CLERKS.format("pending_approval = 1"), CLERKS.format("pending_approval = 0")),
        ("UPDATE datasette_accounts_sessions SET expires_at = '2019'", ""),
    ],
)
def test_a_change_of_the_account_holds_from_the_next_request(instance: Instance, change: str, back: str) -> None:
    cookie = instance.log_in("temp")
    assert instance.ask(PAGE, cookie).status_code == 200
    write(instance, change)
    assert instance.ask(PAGE, cookie).status_code == 403
    if back:
        write(instance, back)


def test_a_change_of_scope_holds_from_the_next_request(instance: Instance) -> None:
    cookie, who = instance.log_in("temp"), actor_id(instance, "temp")
    write(instance, f"UPDATE fuxue_scopes SET scope = '{OTHER}' WHERE actor_id = '{who}'")
    assert instance.ask(PAGE, cookie).status_code == 404
    assert instance.ask(f"/{OTHER}/children.json", cookie).status_code == 200
    write(instance, f"DELETE FROM fuxue_scopes WHERE actor_id = '{who}'")
    assert instance.ask(f"/{OTHER}/children.json", cookie).status_code == 404
    assert instance.ask("/", cookie).status_code == 403
    write(instance, f"INSERT INTO fuxue_scopes VALUES ('{who}', '{OWN}')")


def test_disabling_from_the_command_line_beside_a_running_server(instance: Instance) -> None:
    add_account(instance.home, instance.keys, "leaving", OWN, PASSWORD)
    cookie = instance.log_in("leaving")
    assert instance.ask(PAGE, cookie).status_code == 200
    disable_account(instance.home, instance.keys, "leaving")
    assert instance.ask(PAGE, cookie).status_code == 403
    body = {"username": "leaving", "password": PASSWORD}
    assert instance.ask("/-/login/api/authenticate", method="POST", json=body).status_code == 401
    assert instance.ask(PAGE, instance.log_in(CLERK)).status_code == 200, "others are not touched"


def test_a_first_password_must_be_changed_and_then_opens_the_scope(instance: Instance) -> None:
    first = add_account(instance.home, instance.keys, "novice", OWN)
    cookie = instance.log_in("novice", first)
    refused = instance.ask(f"/{OWN}/children", cookie)
    assert (refused.status_code, refused.headers["location"]) == (302, "/-/account")
    assert "初始密码" in instance.ask("/-/account", cookie).text
    changed = {"new_password": "another-long-one"}
    assert instance.ask("/-/account/api/change-password", cookie, "POST", json=changed).status_code == 200
    assert instance.ask(f"/{OWN}/children", cookie).status_code == 200


@pytest.mark.parametrize(
    "weak", ["aaaaaaaaaa", "1234567890", "password123", "qwertyuiop", "20190304wfd", "abcabcabcabc", "fuxue12345", "短"]
)
def test_a_password_that_is_easily_guessed_is_refused_in_chinese(instance: Instance, weak: str) -> None:
    cookie = instance.log_in(CLERK)
    body = {"current_password": PASSWORD, "new_password": weak}
    answer = instance.ask("/-/account/api/change-password", cookie, "POST", json=body)
    assert (answer.status_code, "密码" in answer.json()["error"]) == (400, True)
    assert weak not in answer.text.replace("密码", "")
    assert instance.log_in(CLERK), "the former one still holds"


def test_an_account_that_is_reset_or_enabled_again(instance: Instance) -> None:
    add_account(instance.home, instance.keys, "wavering", OWN, PASSWORD)
    cookie = instance.log_in("wavering")
    fresh = reset_account(instance.home, instance.keys, "wavering")
    assert instance.ask(PAGE, cookie).status_code == 403
    assert "初始密码" in instance.ask("/-/account", instance.log_in("wavering", fresh)).text
    disable_account(instance.home, instance.keys, "wavering")
    body = {"username": "wavering", "password": fresh}
    assert instance.ask("/-/login/api/authenticate", method="POST", json=body).status_code == 401
    enable_account(instance.home, instance.keys, "wavering")
    assert instance.log_in("wavering", fresh)
    for change in (reset_account, enable_account):
        with pytest.raises(FuxueError, match=r"staff\.no_account"):
            change(instance.home, instance.keys, "nobody")


def test_the_own_sessions_are_listed_and_ended_but_nobody_elses(instance: Instance) -> None:
    add_account(instance.home, instance.keys, "at.two.desks", OWN, PASSWORD)
    here, there, third = (instance.log_in("at.two.desks") for _ in range(3))
    stranger = instance.log_in(STRANGER)
    page = instance.ask("/-/account", here).text
    tokens = re.findall(r"""data-body='{"token_sha256": "([0-9a-f]{64})"}'""", page)
    assert (len(tokens), page.count("本机")) == (2, 1)
    end = "/-/account/api/revoke-session"
    for token in tokens:
        assert instance.ask(end, stranger, "POST", json={"token_sha256": token}).status_code == 200
    assert [instance.ask(PAGE, cookie).status_code for cookie in (there, third)] == [200, 200], "ended by a stranger"
    assert instance.ask(end, here, "POST", json={"token_sha256": tokens[0]}).status_code == 200
    assert sorted(instance.ask(PAGE, cookie).status_code for cookie in (there, third)) == [200, 403]
    assert instance.ask("/-/account/api/logout-others", here, "POST", json={}).status_code == 200
    assert [instance.ask(PAGE, cookie).status_code for cookie in (here, there, third)] == [200, 403, 403]
    assert instance.ask(f"/{OTHER}/children", stranger).status_code == 200


def test_posting_from_elsewhere_is_refused(instance: Instance) -> None:
    body = {"username": CLERK, "password": PASSWORD}
    login = "/-/login/api/authenticate"
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "http://evil.example"}):
        assert instance.ask(login, method="POST", json=body, headers=headers).status_code == 403
    form = instance.ask(login, method="POST", data=body)
    assert form.status_code == 400
    assert "set-cookie" not in form.headers


TRIED = "INSERT INTO datasette_accounts_login_audit (username, ip, timestamp, success) VALUES (?, ?, ?, ?)"


@pytest.fixture
def tries(instance: Instance) -> Iterator[Callable[..., None]]:
    """Writes down tries to log in, from some address a while ago; they are gone afterwards, with all others."""
    internal = instance.datasette.get_internal_database()

    def add(address: str, count: int, minutes: float = 1, *, success: bool = False) -> None:
        at = (dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes)).isoformat(timespec="milliseconds")
        for _ in range(count):
            instance.run(internal.execute_write(TRIED, [CLERK, address, at, success]))

    write(instance, "DELETE FROM datasette_accounts_login_audit")
    yield add
    write(instance, "DELETE FROM datasette_accounts_login_audit")


def try_to_log_in(instance: Instance, password: str = PASSWORD) -> int:
    body = {"username": CLERK, "password": password}
    return int(instance.ask("/-/login/api/authenticate", method="POST", json=body).status_code)


def test_an_address_that_guesses_must_wait_and_its_tries_cost_no_hash(
    instance: Instance, tries: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = [try_to_log_in(instance, "wrong-password") for _ in range(11)]
    assert codes == [401] * 10 + [429]
    monkeypatch.setattr("datasette_accounts.routes.api.averify_password", None)
    answer = instance.ask("/-/login/api/authenticate", method="POST", json={"username": CLERK, "password": PASSWORD})
    assert answer.status_code == 429
    assert "一刻钟" in answer.json()["error"]


def test_nobody_can_lock_another_out(instance: Instance, tries: Callable[..., None]) -> None:
    """Whatever was tried with the account's name from elsewhere."""
    tries("10.0.0.66", 90)
    assert try_to_log_in(instance) == 200


def test_a_wait_ends(instance: Instance, tries: Callable[..., None]) -> None:
    tries("127.0.0.1", 10, minutes=16)
    assert try_to_log_in(instance) == 200
    tries("127.0.0.1", 10, minutes=14)
    assert try_to_log_in(instance) == 429


def test_under_attack_from_many_addresses_only_known_ones_may_try(
    instance: Instance, tries: Callable[..., None]
) -> None:
    for at in range(20):
        tries(f"10.0.1.{at}", 5)
    assert try_to_log_in(instance) == 429
    tries("127.0.0.1", 1, minutes=60 * 24 * 3, success=True)
    assert try_to_log_in(instance) == 200


def test_a_session_that_is_not_used_ends(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = instance.log_in(CLERK)
    for minutes, status in ((29, 200), (31, 403)):
        at = (dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes)).isoformat(timespec="milliseconds")
        write(instance, f"UPDATE datasette_accounts_sessions SET last_seen_at = '{at}'")
        monkeypatch.setattr(instance.datasette.idle_sessions, "looked", float("-inf"))
        assert instance.ask(PAGE, cookie).status_code == status
    assert instance.ask(PAGE, instance.log_in(CLERK)).status_code == 200


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(instance: Instance) -> None:
    body = {"username": CLERK, "password": PASSWORD}
    cookie = instance.ask("/-/login/api/authenticate", method="POST", json=body).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
