"""The databases of the staff instance: all encrypted; the scopes read-only and guarded by SQLite's authorizer.

They override `Database.connect()`, since Datasette's hooks run only later, when opening a file without its key would
already have failed.
"""

import contextlib
import itertools
import os
import re
import sqlite3 as standard  # noqa: TID251 - opens nothing: named so that Datasette's use of it can be replaced
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from datasette.app import Datasette
from datasette.database import Database, Results

from etl.findings import FuxueError
from etl.vault.store.files import Connection, connect, open_scope, scope_path
from etl.vault.store.keys import Keys
from plugins.looks import Seen, seen
from plugins.remembered import Remembered, schema_remembered
from plugins.sql_errors import in_words
from plugins.statement_limits import library, limit_statements

_Result = TypeVar("_Result")

#: Pragmas with which Datasette reads schemas. `schema_version` is also allowed, but not with an argument: that writes.
SCHEMA_PRAGMAS = frozenset(
    ("table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list")
)
#: Functions with effects outside the query: on other files, native code, the log.
FORBIDDEN_FUNCTIONS = frozenset(("load_extension", "sqlcipher_export", "fts3_tokenizer", "sqlite_log"))

#: The memory that SQLite may use in all, and the page cache of one connection (one for each scope and thread). It has
#: room for a whole file: with less, every sort would decrypt the same pages again.
HEAP_BYTES = 512 * 1024 * 1024
CACHE_KB = 64_000
#: After this time no query can still run on a retired connection, since each query is stopped after ten seconds.
QUIET_SECONDS = 30.0

#: How Datasette's statement for the first page of a sorted table ends.
_SORTED = re.compile(r"( order by [^\s,]+(?: desc)?)( limit \d+(?: offset \d+)?)\Z")
_TOO_MANY = "超过 {most} 行，请加上条件分几次导出 / more than {most} rows: export them in parts"
_BLOB = "导出不能有二进制值，请用 hex() / an export has no blobs: use hex()"
_generation = itertools.count(1)


def use_sqlcipher() -> None:
    """Make Datasette's modules use SQLCipher's row and error types instead of the standard library's.

    This replaces the name `sqlite3` in all modules of Datasette that are already loaded.
    """
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "datasette" and getattr(module, "sqlite3", None) is standard:
            module.sqlite3 = library  # type: ignore[attr-defined]


def authorize(action: int, first: str | None, second: str | None, _schema: str | None, _source: str | None) -> int:
    """SQLite's authorizer: it allows reading, and what Datasette needs to inspect a schema; it denies all else."""
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


def _bounded(found: Results, request: Seen) -> Results:
    """The rows of own SQL that an answer has room for: of too many, an export has none. Raises OperationalError."""
    most = request.most_of(len(found.description or ()))
    is_cut = found.truncated or len(found.rows) > most
    if is_cut and request.is_export:
        raise library.OperationalError(_TOO_MANY.format(most=most))
    if request.is_export and any(isinstance(value, bytes) for row in found.rows for value in row):
        raise library.OperationalError(_BLOB)
    request.is_cut |= is_cut
    return Results(found.rows[:most], is_cut, found.description)


class KeyedDatabase(Database):  # type: ignore[misc]
    """A database whose failing statements are never logged, since they may contain a name or an ID number."""

    async def execute(self, sql: str, params: Any = None, *args: Any, **options: Any) -> Any:
        """Run one reading statement and count it for the audit log. Raises the library's errors."""
        try:
            found = await super().execute(sql, params, *args, **(options | {"log_sql_errors": False}))
        except (library.Warning, library.DataError, MemoryError) as error:
            # A second statement after the first, too long a value, too much memory: Datasette handles only other types.
            raise library.OperationalError(in_words(str(error) or "out of memory")) from None
        except library.DatabaseError as error:
            raise type(error)(in_words(str(error))) from None
        self.looked_at(len(found.rows))
        return found

    def looked_at(self, rows: int) -> None:
        """Called after each statement with the number of its rows; does nothing here."""


class InternalDatabase(KeyedDatabase):
    """Datasette's own tables (accounts, sessions, scopes of accounts, catalogue), in an encrypted file."""

    def __init__(self, ds: Datasette, path: Path, keys: Keys) -> None:
        super().__init__(ds, path=str(path), mode="rwc")
        self._file = path
        self._key = keys.derive("file:staff")

    def connect(self, write: bool = False) -> Connection:
        """Open a connection; with `write`, the file is created if it is missing."""
        connection = connect(self._file, self._key, create=write)
        if write:
            connection.isolation_level = "IMMEDIATE"
        self._all_connections.append(connection)
        return connection


@schema_remembered
class ScopeDatabase(KeyedDatabase):
    """A scope's file, read-only in two ways: it is opened so, and the authorizer denies writing.

    Loading data replaces the file; the next query opens the new one. Connections to the old file are closed at a later
    replacement, when no query can still be running on them.
    """

    #: Up to this number Datasette counts rows exactly; the largest county has fewer.
    count_limit = 1_000_000

    def __init__(self, ds: Datasette, scopes: Path, scope: str, keys: Keys) -> None:
        super().__init__(ds, path=str(scope_path(scopes, scope)), is_mutable=True)
        self._scopes, self._scope, self._keys = scopes, scope, keys
        self._identity: tuple[int, int] | None = None
        self._retired: list[tuple[float, Connection]] = []
        self._remembered = Remembered()
        #: What is remembered of the file's schema.
        self.schema: dict[Any, Any] = {}

    def connect(self, write: bool = False) -> Connection:  # noqa: ARG002 - Datasette passes it; writing is not possible
        """An open, guarded, read-only connection."""
        connection = open_scope(self._scopes, self._scope, self._keys)
        # The limit applies to all connections of the process together; a query that needs more memory fails.
        connection.execute(f"PRAGMA hard_heap_limit = {HEAP_BYTES}")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")
        limit_statements(connection)
        connection.set_authorizer(authorize)
        self._all_connections.append(connection)
        return connection

    async def execute(self, sql: str, params: Any = None, *args: Any, **options: Any) -> Any:
        """As above; counts about the same file are answered from memory.

        Of too many rows, an export refuses all, and a page has the first and says that there are more.
        """
        request = seen.get()
        key = None if args else self._remembered.key(self.state(), sql, params, options)
        if (known := self._remembered.get(key)) is not None:
            self.looked_at(len(known.rows))
            return known
        try:
            found = await super().execute(await self._in_order(sql), params, *args, **options)
            self._remembered.put(key, found)
            return _bounded(found, request) if request and options.get("truncate") else found
        except library.DatabaseError:
            if request and options.get("truncate"):
                request.has_failed = True
            raise

    async def _in_order(self, sql: str) -> str:
        """The statement for the first page of a sorted table, with the table's key after the column.

        Datasette adds the key from the second page on; rows that are alike in the column would be lost between the two.
        """
        request = seen.get()
        if request is None or not request.table or not (ordered := _SORTED.search(sql)):
            return sql
        key = ", ".join(await self.primary_keys(request.table)) or "rowid"
        return f"{sql[: ordered.start()]}{ordered[1]}, {key}{ordered[2]}"

    def looked_at(self, rows: int) -> None:
        """Add the statement to what is logged for the request."""
        if (request := seen.get()) is not None:
            request.add(rows)

    def close(self) -> None:
        """Close every connection, also those to earlier files."""
        self._all_connections.extend(connection for _, connection in self._retired)
        self._retired.clear()
        super().close()

    def state(self) -> tuple[int, int] | None:
        """Identifies the file as it is now; it changes when the file is replaced."""
        self._follow_file()
        return self._identity

    async def execute_isolated_fn(self, fn: Callable[[Connection], _Result]) -> _Result:
        """Run `fn` on its own connection. Datasette would use its writing thread, which logs failing statements."""

        def isolated(_shared: Connection) -> _Result:
            connection = self.connect()
            try:
                return fn(connection)
            finally:
                connection.close()
                with contextlib.suppress(ValueError):  # retired with the others, if the file was replaced meanwhile
                    self._all_connections.remove(connection)

        return await self.execute_fn(isolated)  # type: ignore[no-any-return]

    async def table_names(self) -> list[str]:
        """The names of its tables; unlike Datasette's own statement, this one is not counted as a look."""
        query = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        return await self.execute_fn(lambda connection: [row[0] for row in connection.execute(query)])  # type: ignore[no-any-return]

    async def attached_databases(self) -> list[Any]:
        """Always empty: SQLite's own answer would reveal the file's path."""
        return []

    async def _execute_write_fn(self, *_args: Any, **_options: Any) -> Any:
        raise FuxueError("serve.read_only", scope=self._scope)

    async def _execute_fn(self, fn: Callable[[Connection], _Result]) -> _Result:
        self._follow_file()
        return await super()._execute_fn(fn)  # type: ignore[no-any-return]

    @property
    def is_there(self) -> bool:
        """Whether the file exists; that of a scope that the campaign no longer has is removed."""
        return Path(self.path).exists()

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
        # Each thread stores its connection under this name, so a new name makes it open the new file.
        self._thread_local_id = f"scope{next(_generation)}"
        self._identity = identity
        self.schema.clear()
        for connection in done:
            connection.close()
