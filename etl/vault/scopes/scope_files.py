"""Building each scope's two encrypted files from the record: the tables that it sees, and the full ID numbers."""

import os
import re
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path

from etl.findings import FuxueError
from etl.rulebook.campaign import Campaign
from etl.system.disk import sync
from etl.vault.scopes.contents import FindFlags, Tables, rows_by_scope, scopes
from etl.vault.store import chain
from etl.vault.store.files import Connection, DatabaseError, connect, numbers_key, numbers_path, scope_key, scope_path
from etl.vault.store.open import Vault, statements

#: A marker file that exists while the scope files may be older than the record.
STALE = ".stale"


def build_scopes(
    vault: Vault, campaign: Campaign, folder: Path, find_flags: FindFlags, done: Callable[[], None] = lambda: None
) -> None:
    """Write every scope's two files anew; each replaces the old one in one step, even while a server is running.

    `find_flags` finds the inspectorate's flags in all answers. `done` is called after each of `contents.scopes`. Files
    of scopes that no longer exist are removed.
    """
    seen, state = rows_by_scope(vault, campaign, find_flags), _state(vault)
    apart = numbers_path(folder, "").parent
    apart.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as opened:
        empty: dict[tuple[str, ...], Connection] = {}
        for scope, (tables, numbers) in seen.items():
            for at, key, content in (
                (scope_path(folder, scope), scope_key(vault.keys, scope), tables),
                (numbers_path(folder, scope), numbers_key(vault.keys, scope), numbers),
            ):
                kinds = tuple(content)
                if kinds not in empty:
                    empty[kinds] = opened.enter_context(closing(_empty(folder / f".{len(empty)}.new.db", kinds)))
                _write(at, key, content, state, empty[kinds])
            done()
    for path in [found for at in (folder, apart) for found in at.iterdir() if ".db" in found.name]:
        if path.name not in {f"{scope}.db" for scope in seen}:  # from an interrupted run, or of a former department
            path.unlink()
    (folder / STALE).unlink(missing_ok=True)


def mark_stale(folder: Path) -> None:
    """Mark the scope files as possibly older than the record, until they are built again."""
    (folder / STALE).touch(mode=0o600)


def are_stale(folder: Path) -> bool:
    """True if a run was interrupted between changing the record and building the scope files."""
    return (folder / STALE).exists()


def mark_current(folder: Path) -> None:
    """Remove the mark: the scope files match the record."""
    (folder / STALE).unlink(missing_ok=True)


def differing_scopes(vault: Vault, campaign: Campaign, folder: Path) -> list[str]:
    """Scopes with a file that is missing, does not open, or was built from another state of the record."""
    state = _state(vault)
    files = {
        scope: ((scope_path(folder, scope), scope_key(vault.keys, scope)),
                (numbers_path(folder, scope), numbers_key(vault.keys, scope)))
        for scope in scopes(campaign)
    }  # fmt: skip
    return [scope for scope, both in files.items() if any(_state_of(path, key) != state for path, key in both)]


def _state(vault: Vault) -> tuple[int, int]:
    """Identifies the state of the record: (number of the newest link, 31 bits of its seal); (0, 0) if it is empty."""
    newest = chain.head(vault.connection)
    return (newest.id, int.from_bytes(newest.seal[:4]) >> 1) if newest else (0, 0)


def _state_of(path: Path, key: bytes) -> tuple[int, int] | None:
    try:
        with closing(connect(path, key, readonly=True)) as db:
            return tuple(db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "application_id"))
    except (FuxueError, DatabaseError):
        return None


@cache
def _definitions() -> dict[str, list[str]]:
    """The statements that create each table and its indexes, by table."""
    made: dict[str, list[str]] = {}
    for statement in (*statements("scope.sql"), *statements("numbers.sql")):
        named = re.match(r"CREATE (?:TABLE|INDEX \w+ ON) (\w+)", statement)
        assert named is not None
        made.setdefault(named[1], []).append(statement)
    return made


def _empty(path: Path, kinds: Iterable[str]) -> Connection:
    """An open template file with these tables and no rows; copying its pages is much faster than creating tables.

    Its random key is not kept. `build_scopes` removes the file at the end.
    """
    path.unlink(missing_ok=True)
    connection = connect(path, os.urandom(32), create=True)
    _never_synced(connection)
    connection.execute("BEGIN")
    for kind in kinds:
        for statement in _definitions()[kind]:
            connection.execute(statement)
    connection.execute("COMMIT")
    return connection


def _never_synced(connection: Connection) -> None:
    """Turn off journal and disk syncs, which a file does not need that is read only once it is complete."""
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")


def _write(path: Path, key: bytes, tables: Tables, state: tuple[int, int], empty: Connection) -> None:
    """Write a file with these tables at `path`, in one step: a reader finds the old file or the complete new one.

    `state` (`_state`) is stored in the file; `empty` is the template to copy (`_empty`).
    """
    fresh = path.with_name(f".{path.stem}.new.db")
    for left in path.parent.glob(f"{fresh.name}*"):  # from an interrupted run, with its journal
        left.unlink()
    connection = connect(fresh, key, create=True)
    try:
        _never_synced(connection)
        empty.backup(connection)
        connection.execute("BEGIN")
        for table, rows in tables.items():
            if rows:
                marks = ", ".join("?" for _ in rows[0])
                connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        connection.execute(f"PRAGMA user_version = {state[0]}")
        connection.execute(f"PRAGMA application_id = {state[1]}")
        connection.execute("COMMIT")
    finally:
        connection.close()
    sync(fresh)
    fresh.replace(path)
