"""Adds, disables and lists accounts of the staff instance, each with the scopes that it may see (command line)."""

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
#: The name recorded as the author of changes made from the command line.
ACTOR = "cli"


@dataclass(frozen=True)
class Account:
    """An account in the list; `last_login` is a time as text, None if it never logged in."""

    username: str
    scopes: tuple[str, ...]
    disabled: bool
    last_login: str | None


def add_account(home: Home, keys: Keys, username: str, scope: str, password: str | None = None) -> str:
    """Add an account for one scope and return its password, to be shown once.

    If no `password` is given, a random one is made, which must be changed at the first login. Raises FuxueError if the
    scope does not exist, the name is taken or not valid, or the password is too short.
    """
    check_account(home, username, scope)
    minimum = int(ACCOUNTS["password_min_length"])
    if password is not None and len(password) < minimum:
        raise FuxueError("staff.short_password", minimum=minimum)
    given = password or typeable()
    add_accounts(home, keys, [(username, scope, given)], must_change=password is None)
    return given


def check_account(home: Home, username: str, scope: str) -> None:
    """Raise FuxueError if the scope does not exist or the name is not valid."""
    if scope not in (CUSTODIAN, *scope_names(home.scopes)):
        raise FuxueError("staff.unknown_scope", scope=scope)
    if security.validate_username(username):
        raise FuxueError("staff.bad_name", username=username)


def add_accounts(home: Home, keys: Keys, accounts: Sequence[tuple[str, str, str]], *, must_change: bool = True) -> None:
    """Add accounts (name, scope, password) that were checked; FuxueError if a name is taken, and then none is added."""

    async def add(internal: Any) -> None:
        taken = {str(user["username"]).lower() for user in await db.list_users(internal)}
        for username, _, _ in accounts:
            if username.lower() in taken:
                raise FuxueError("staff.name_taken", username=username)
        for username, scope, password in accounts:
            hashed = passwords.hash_password(password)
            try:
                actor = await db.create_user(internal, ACTOR, username, hashed, False, must_change)
            except db.UsernameTakenError:  # taken by another command in the meantime
                raise FuxueError("staff.name_taken", username=username) from None
            await internal.execute_write("INSERT INTO fuxue_scopes (actor_id, scope) VALUES (?, ?)", [actor, scope])

    _with_accounts(home, keys, add)


def disable_account(home: Home, keys: Keys, username: str) -> None:
    """Disable an account; its sessions end with the next request. Raises FuxueError if there is no such account."""
    _with_account(home, keys, username, lambda internal, user: db.disable_user(internal, ACTOR, user))


def enable_account(home: Home, keys: Keys, username: str) -> None:
    """Let a disabled account log in again, with its former password. Raises FuxueError if there is no such account."""
    _with_account(home, keys, username, lambda internal, user: db.enable_user(internal, ACTOR, user))


def reset_account(home: Home, keys: Keys, username: str) -> str:
    """Give an account a new one-time password and return it; its sessions end with the next request.

    Raises FuxueError if there is no such account.
    """
    password = typeable()
    hashed = passwords.hash_password(password)
    _with_account(home, keys, username, lambda internal, user: db.reset_password(internal, ACTOR, user, hashed))
    return password


def _with_account(home: Home, keys: Keys, username: str, work: Callable[[Any, str], Awaitable[None]]) -> None:
    """Run `work` with the internal database and an account's id. Raises FuxueError if there is no such account."""

    async def run(internal: Any) -> None:
        user = await db.get_user_by_username(internal, username)
        if user is None:
            raise FuxueError("staff.no_account", username=username)
        await work(internal, user["id"])

    _with_accounts(home, keys, run)


def list_accounts(home: Home, keys: Keys) -> list[Account]:
    """All accounts, sorted by name, without anything secret."""

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
    """A random password of 12 characters (59 bits) that is easy to read out and to type from paper."""
    characters = "".join(secrets.choice(TYPEABLE) for _ in range(12))
    return "-".join(characters[i : i + 4] for i in range(0, 12, 4))


def _with_accounts(home: Home, keys: Keys, work: Callable[[Any], Awaitable[_Result]]) -> _Result:
    """Run `work` on the internal database, after the plugins' migrations; a server may be running at the same time."""

    async def run() -> _Result:
        datasette = StaffDatasette(home, keys, Rules({}, frozenset()), [], config={})
        try:
            await datasette.invoke_startup()
            return await work(datasette.get_internal_database())
        finally:
            datasette.close()

    home.prepare()
    return asyncio.run(run())
