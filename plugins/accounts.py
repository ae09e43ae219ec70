"""Accounts of the staff instance, from the command line: made, disabled, listed; each with the scopes it may see."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from datasette_accounts import db, passwords, security

from etl.findings import FuxueError
from etl.system.home import Home
from etl.vault.store.files import scope_names
from etl.vault.store.keys import TYPEABLE, Keys
from plugins.access import CUSTODIAN
from plugins.describe import ACCOUNTS
from plugins.gate import Rules
from plugins.staff import StaffDatasette

_Result = TypeVar("_Result")
#: Who the account book names as the author of what the command line does.
ACTOR = "cli"


@dataclass(frozen=True)
class Account:
    """One line of the account list."""

    username: str
    scopes: tuple[str, ...]
    disabled: bool
    last_login: str | None


def add_account(home: Home, keys: Keys, username: str, scope: str, password: str | None = None) -> str:
    """Make an account for one scope and return its password, to be shown once.

    Without `password` one is made up, and must be changed at the first login. FuxueError if the scope does not exist,
    the name is taken or not fit for one, or the password is too short.
    """
    check_account(home, username, scope)
    minimum = int(ACCOUNTS["password_min_length"])
    if password is not None and len(password) < minimum:
        raise FuxueError("staff.short_password", minimum=minimum)
    given = password or typeable()
    add_accounts(home, keys, [(username, scope, given)], must_change=password is None)
    return given


def check_account(home: Home, username: str, scope: str) -> None:
    """FuxueError if the scope does not exist, or the name is not fit for one."""
    if scope not in (CUSTODIAN, *scope_names(home.scopes)):
        raise FuxueError("staff.unknown_scope", scope=scope)
    if security.validate_username(username):
        raise FuxueError("staff.bad_name", username=username)


def add_accounts(home: Home, keys: Keys, accounts: Sequence[tuple[str, str, str]], *, must_change: bool = True) -> None:
    """Make accounts (name, scope, password) that were checked: all of them, or none if a name is taken (FuxueError)."""

    async def add(internal: Any) -> None:
        taken = {str(user["username"]).lower() for user in await db.list_users(internal)}
        for username, _, _ in accounts:
            if username.lower() in taken:
                raise FuxueError("staff.name_taken", username=username)
        for username, scope, password in accounts:
            hashed = passwords.hash_password(password)
            try:
                actor = await db.create_user(internal, ACTOR, username, hashed, False, must_change)
            except db.UsernameTakenError:  # by another command, meanwhile
                raise FuxueError("staff.name_taken", username=username) from None
            await internal.execute_write("INSERT INTO fuxue_scopes (actor_id, scope) VALUES (?, ?)", [actor, scope])

    _with_accounts(home, keys, add)


def disable_account(home: Home, keys: Keys, username: str) -> None:
    """Shut an account out: its sessions end with its next request. FuxueError if there is none of that name."""

    async def disable(internal: Any) -> None:
        user = await db.get_user_by_username(internal, username)
        if user is None:
            raise FuxueError("staff.no_account", username=username)
        await db.disable_user(internal, ACTOR, user["id"])

    _with_accounts(home, keys, disable)


def list_accounts(home: Home, keys: Keys) -> list[Account]:
    """All accounts by name, without anything secret."""

    async def read(internal: Any) -> list[Account]:
        scopes = await internal.execute("SELECT actor_id, scope FROM fuxue_scopes ORDER BY scope")
        users = sorted(await db.list_users(internal), key=lambda user: str(user["username"]))
        return [
            Account(
                user["username"],
                tuple(row["scope"] for row in scopes if row["actor_id"] == user["id"]),
                bool(user["disabled"]),
                user["last_login_at"],
            )
            for user in users
        ]

    return _with_accounts(home, keys, read)


def typeable() -> str:
    """A random password of 12 signs, 59 bits, that can be read out and typed from paper."""
    signs = "".join(secrets.choice(TYPEABLE) for _ in range(12))
    return "-".join(signs[i : i + 4] for i in range(0, 12, 4))


def _with_accounts(home: Home, keys: Keys, work: Callable[[Any], Awaitable[_Result]]) -> _Result:
    """Run `work` on the internal database, set up by the plugins' own migrations; a server may be running."""

    async def run() -> _Result:
        datasette = StaffDatasette(home, keys, Rules((), frozenset()), [], config={})
        try:
            await datasette.invoke_startup()
            return await work(datasette.get_internal_database())
        finally:
            datasette.close()

    home.prepare()
    return asyncio.run(run())
