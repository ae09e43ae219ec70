"""The audit log of the staff instance: each request is recorded before it is answered; no log, no data (M18)."""

import asyncio
from collections.abc import MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from etl.system.home import Home
from etl.vault.store.audit_log import QUERY_CHARACTERS, Log, LogEntry, Look, log_path
from etl.vault.store.keys import Keys


@dataclass
class Seen:
    """The queries of scopes that a request has made so far, in any of its tasks.

    `rows` is the largest number of rows of one statement; `reason` is the reason given, if any. If `is_recorded`, the
    handler has written the entry itself, and the gate writes none. `most_rows` and `most_cells` (0: any) are how much
    one statement may give; an export (`is_export`) with more is refused, anything else is cut (`is_cut`) and says so.
    `table` is the table whose rows are asked for, if any; `has_failed` says that own SQL has failed.
    """

    statements: int = 0
    rows: int = 0
    reason: str = ""
    is_recorded: bool = False
    is_export: bool = False
    is_cut: bool = False
    has_failed: bool = False
    most_rows: int = 0
    most_cells: int = 0
    table: str = ""

    def add(self, rows: int) -> None:
        """Count one more statement and its rows."""
        self.statements += 1
        self.rows = max(self.rows, rows)

    def most_of(self, columns: int) -> int:
        """The most rows of so many columns that one statement may give."""
        return min(self.most_rows, self.most_cells // max(columns, 1)) if self.most_cells else self.most_rows


#: The queries of the current request; None outside of a request, for example while Datasette reads schemas.
seen: ContextVar[Seen | None] = ContextVar("seen", default=None)


class Auditor:
    """Writes the audit log in its own thread, one entry at a time; the first entry opens the file."""

    def __init__(self, home: Home, keys: Keys) -> None:
        self._path, self._keys = log_path(home.staff), keys
        self._log: Log | None = None
        self._thread = ThreadPoolExecutor(1, "audit")
        self._closed = False

    async def write(self, look: Look) -> LogEntry:
        """Record a look. Any error is raised, so that the request is not answered."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._write, look)

    async def write_limited(self, look: Look, most: int, since: str) -> LogEntry:
        """Record a look; as refused (429) if the account had `most` answers with a reason since the time `since`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._write_limited, look, most, since)

    async def newest(self, count: int) -> list[LogEntry]:
        """The newest `count` entries, newest first."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._newest, count)

    async def alarms(self, since: str) -> list[LogEntry]:
        """Refused requests for full numbers since a time, newest first."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._alarms, since)

    def close(self) -> None:
        """Close the file; further calls do nothing."""
        if not self._closed:
            self._closed = True
            self._thread.submit(self._close).result()
            self._thread.shutdown()

    def _open(self) -> Log:
        self._log = self._log or Log(self._path, self._keys, create=True)
        return self._log

    def _write(self, look: Look) -> LogEntry:
        return self._open().append(look)

    def _write_limited(self, look: Look, most: int, since: str) -> LogEntry:
        return self._open().append(look, most=most, since=since)

    def _alarms(self, since: str) -> list[LogEntry]:
        return self._open().alarms(since)

    def _newest(self, count: int) -> list[LogEntry]:
        return list(self._open().entries(newest=count))

    def _close(self) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None


def now(ago: timedelta = timedelta()) -> str:
    """The time now, or `ago` before now, in the form of log entries (UTC)."""
    return (datetime.now(UTC) - ago).strftime("%Y-%m-%dT%H:%M:%SZ")


def look_of(scope: MutableMapping[str, Any], actor: str, status: int, what: Seen) -> Look:
    """The log entry of a request (`scope` in the sense of ASGI) that is about to be answered with `status`."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    query = bytes(scope.get("query_string") or b"").decode("utf-8", "replace")
    return Look(
        at=now(),
        actor=actor,
        address=str((scope.get("client") or ("",))[0]),
        method=scope["method"],
        path=raw.decode("ascii", "replace").partition("?")[0][:QUERY_CHARACTERS],
        query=query if len(query) <= QUERY_CHARACTERS else f"{query[:QUERY_CHARACTERS]}…",
        status=status,
        statements=what.statements,
        rows=what.rows,
        reason=what.reason,
    )
