"""A home with scope files of made-up people for the staff tests; and accounts as the command line makes them."""

import pytest

from etl.findings import FuxueError
from etl.system.home import Home
from etl.vault.store.keys import Keys
from plugins.accounts import add_account, disable_account, list_accounts
from tests.support.staff_home import (
    BUREAU,
    OTHER,
    OWN,
    PASSWORD,
    make_home,
)


@pytest.fixture(scope="module")
def home_and_keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Keys]:
    return make_home(tmp_path_factory.mktemp("staff") / "var")


def test_an_account_has_its_scope_and_a_password_shown_once(home_and_keys: tuple[Home, Keys]) -> None:
    home, keys = home_and_keys
    password = add_account(home, keys, "li.wei", OWN)
    assert len(password) == 14
    assert add_account(home, keys, "demo", BUREAU, PASSWORD) == PASSWORD
    assert [(a.username, a.scopes, a.disabled) for a in list_accounts(home, keys)] == [
        ("demo", (BUREAU,), False),
        ("li.wei", (OWN,), False),
    ]
    disable_account(home, keys, "li.wei")
    assert [a.username for a in list_accounts(home, keys) if a.disabled] == ["li.wei"]


def test_accounts_are_kept_encrypted_and_closed_to_others(home_and_keys: tuple[Home, Keys]) -> None:
    home, keys = home_and_keys
    add_account(home, keys, "wang.fang", OWN)
    files = [path for path in home.staff.rglob("*") if path.is_file()]
    assert files == [home.staff / "staff.db"]
    content = files[0].read_bytes()
    assert not content.startswith(b"SQLite format 3")
    assert b"wang.fang" not in content
    assert b"fuxue_scopes" not in content
    assert files[0].stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("username", "scope", "password", "key"),
    [
        ("zhao", "nowhere", None, "staff.unknown_scope"),
        ("zhao", "../vault", None, "staff.unknown_scope"),
        ("赵", OWN, None, "staff.bad_name"),
        ("root", OWN, None, "staff.bad_name"),
        ("zhao", OWN, "short", "staff.short_password"),
    ],
)
def test_an_account_that_cannot_be(
    home_and_keys: tuple[Home, Keys], username: str, scope: str, password: str | None, key: str
) -> None:
    with pytest.raises(FuxueError) as caught:
        add_account(*home_and_keys, username, scope, password)
    assert caught.value.key == key


def test_a_name_is_given_once_and_an_unknown_one_cannot_be_disabled(home_and_keys: tuple[Home, Keys]) -> None:
    add_account(*home_and_keys, "twice", OWN, PASSWORD)
    with pytest.raises(FuxueError, match=r"staff\.name_taken"):
        add_account(*home_and_keys, "twice", OTHER, PASSWORD)
    with pytest.raises(FuxueError, match=r"staff\.no_account"):
        disable_account(*home_and_keys, "nobody")


def test_a_name_that_another_command_takes_in_the_meantime_stays_with_its_holder(
    home_and_keys: tuple[Home, Keys], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_account(*home_and_keys, "first.come", OWN, PASSWORD)

    async def nobody_yet(_: object) -> list[object]:
        return []

    with monkeypatch.context() as patched:
        patched.setattr("datasette_accounts.db.list_users", nobody_yet)
        with pytest.raises(FuxueError, match=r"staff\.name_taken") as caught:
            add_account(*home_and_keys, "first.come", BUREAU, PASSWORD)
    assert caught.value.params["username"] == "first.come"
    assert [a.scopes for a in list_accounts(*home_and_keys) if a.username == "first.come"] == [(OWN,)]
