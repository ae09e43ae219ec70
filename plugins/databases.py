"""Databases of the staff instance: keyed, and the scopes read-only behind an authorizer. Nothing here knows SQL text.

Datasette opens a database in `Database.connect()`; its hooks run later, when an unkeyed file has already been refused.
"""

import itertools
import os
import sqlite3 as standard  # noqa: TID251 - opens nothing: named so that Datasette's use of it can be replaced
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from datasette.app import Datasette
from datasette.database import Database

from etl.findings import FuxueError
from etl.vault.store.files import Connection, connect, open_scope, scope_path
from etl.vault.store.keys import Keys
from plugins.looks import seen

_Result = TypeVar("_Result")

#: The library with which `etl.vault.store.files`, its one door, opens files: codes, rows and errors of connections.
library: Any = sys.modules["sqlcipher3.dbapi2"]

#: Pragmas that Datasette reads schemas with. With an argument `schema_version` would write, so it gets none.
SCHEMA_PRAGMAS = frozenset(
    ("table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list")
)
#: Functions that reach outside the query: other files, native code, the log.
FORBIDDEN_FUNCTIONS = frozenset(("load_extension", "sqlcipher_export", "fts3_tokenizer", "sqlite_log"))

#: What SQLite may use in all, and of it the page cache of one connection: there is one a scope and thread.
HEAP_BYTES = 512 * 1024 * 1024
CACHE_KB = 2000
#: After so long no query is running on a connection any more: each is stopped after a second.
QUIET_SECONDS = 30.0

_generation = itertools.count(1)


def use_sqlcipher() -> None:
    """Let Datasette's modules speak SQLCipher's row and error types instead of the standard library's.

    They import the name `sqlite3` from one module at different times, so those already loaded are put right too.
    """
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "datasette" and getattr(module, "sqlite3", None) is standard:
            module.sqlite3 = library  # type: ignore[attr-defined]


def authorize(action: int, first: str | None, second: str | None, _schema: str | None, _source: str | None) -> int:
    """SQLite's authorizer: reading is allowed, and what Datasette needs to know of a schema. All else is denied."""
    if action in (library.SQLITE_SELECT, library.SQLITE_READ, library.SQLITE_RECURSIVE):
        allowed = True
    elif action == library.SQLITE_FUNCTION:
        allowed = (second or "").lower() not in FORBIDDEN_FUNCTIONS
    elif action == library.SQLITE_PRAGMA:
        pragma = (first or "").lower()
        allowed = pragma in SCHEMA_PRAGMAS or (pragma == "schema_version" and second is None)
    else:
        allowed = False
    return int(library.SQLITE_OK if allowed else library.SQLITE_DENY)


class KeyedDatabase(Database):  # type: ignore[misc]
    """A database whose failing statements are never written to the log: they may hold a name or an ID number."""

    async def execute(self, sql: str, params: Any = None, *args: Any, **options: Any) -> Any:
        """Run one reading statement, and count it for the log."""
        try:
            found = await super().execute(sql, params, *args, **(options | {"log_sql_errors": False}))
        except (library.Warning, MemoryError) as error:
            # A second statement after the first, or too much memory: Datasette knows errors, but not these.
            raise library.OperationalError(str(error) or "out of memory") from None
        self.looked_at(len(found.rows))
        return found

    def looked_at(self, rows: int) -> None:
        """A statement gave so many rows."""


class InternalDatabase(KeyedDatabase):
    """Datasette's own tables: accounts, sessions, scopes of accounts, the catalogue. Encrypted like the rest."""

    def __init__(self, ds: Datasette, path: Path, keys: Keys) -> None:
        super().__init__(ds, path=str(path), mode="rwc")
        self._file = path
        self._key = keys.derive("file:staff")

    def connect(self, write: bool = False) -> Connection:
        """An open connection; made on first use."""
        connection = connect(self._file, self._key, create=write)
        if write:
            connection.isolation_level = "IMMEDIATE"
        self._all_connections.append(connection)
        return connection


class ScopeDatabase(KeyedDatabase):
    """One scope's file. Read-only twice over: by how it is opened and by the authorizer.

    A load puts a new file in the old one's place; the next query opens it. Connections to the old file are closed
    when a later load comes and no query can still be running on them.
    """

    def __init__(self, ds: Datasette, scopes: Path, scope: str, keys: Keys) -> None:
        super().__init__(ds, path=str(scope_path(scopes, scope)), is_mutable=True)
        self._scopes, self._scope, self._keys = scopes, scope, keys
        self._identity: tuple[int, int] | None = None
        self._retired: list[tuple[float, Connection]] = []

    def connect(self, write: bool = False) -> Connection:  # noqa: ARG002 - Datasette asks; there is no writing
        """An open, guarded, read-only connection."""
        connection = open_scope(self._scopes, self._scope, self._keys)
        # Holds for all connections of the process together: a query that asks for more memory fails.
        connection.execute(f"PRAGMA hard_heap_limit = {HEAP_BYTES}")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")
        connection.set_authorizer(authorize)
        self._all_connections.append(connection)
        return connection

    def looked_at(self, rows: int) -> None:
        """Of a scope: that goes on record with the request."""
        if (request := seen.get()) is not None:
            request.add(rows)

    def close(self) -> None:
        """Close every connection, of earlier files too."""
        self._all_connections.extend(connection for _, connection in self._retired)
        self._retired.clear()
        super().close()

    async def execute_isolated_fn(self, fn: Callable[[Connection], _Result]) -> _Result:
        """Run `fn` on a connection of its own. Datasette would ask a writing thread, which logs what fails."""

        def isolated(_shared: Connection) -> _Result:
            connection = self.connect()
            try:
                return fn(connection)
            finally:
                connection.close()
                self._all_connections.remove(connection)

        return await self.execute_fn(isolated)  # type: ignore[no-any-return]

    async def attached_databases(self) -> list[Any]:
        """None, ever; asking SQLite would tell the file's path."""
        return []

    async def _execute_write_fn(self, *_args: Any, **_options: Any) -> Any:
        raise FuxueError("serve.read_only", scope=self._scope)

    async def _execute_fn(self, fn: Callable[[Connection], _Result]) -> _Result:
        self._follow_file()
        return await super()._execute_fn(fn)  # type: ignore[no-any-return]

    def _follow_file(self) -> None:
        found = os.stat(self.path)  # noqa: PTH116 - the path is Datasette's, a str
        identity = (found.st_ino, found.st_mtime_ns)
        if identity == self._identity:
            return
        now = time.monotonic()
        done = [connection for since, connection in self._retired if now - since > QUIET_SECONDS]
        self._retired = [pair for pair in self._retired if now - pair[0] <= QUIET_SECONDS]
        self._retired += [(now, connection) for connection in self._all_connections]
        self._all_connections.clear()
        # Threads keep their connection under this name: a new name makes each open the new file.
        self._thread_local_id = f"scope{next(_generation)}"
        self._identity = identity
        for connection in done:
            connection.close()
