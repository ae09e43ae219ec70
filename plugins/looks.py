"""Every look is on record before it is answered: no log, no data (M18). What is logged, and by whom, is said here."""

import asyncio
from collections.abc import MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from etl.system.home import Home
from etl.vault.store.audit_log import QUERY_SIGNS, Log, LogEntry, Look, log_path
from etl.vault.store.keys import Keys


@dataclass
class Seen:
    """What a request has asked of scopes so far, whichever task of it asks; why, where a reason was given.

    `is_recorded` says that the entry was written by whoever answers; the gate writes no other.
    """

    statements: int = 0
    rows: int = 0
    reason: str = ""
    is_recorded: bool = False

    def add(self, rows: int) -> None:
        """One statement more, and how many rows it gave."""
        self.statements += 1
        self.rows = max(self.rows, rows)


#: Of the request that is being answered; None outside of one, as while Datasette reads schemas.
seen: ContextVar[Seen | None] = ContextVar("seen", default=None)


class Auditor:
    """Writes the log, one entry at a time, in a thread of its own; the file is opened with the first."""

    def __init__(self, home: Home, keys: Keys) -> None:
        self._path, self._keys = log_path(home.staff), keys
        self._log: Log | None = None
        self._thread = ThreadPoolExecutor(1, "audit")
        self._closed = False

    async def write(self, look: Look) -> LogEntry:
        """Put a look on record. Whatever goes wrong is raised: then there is no answer."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._write, look)

    async def write_limited(self, look: Look, most: int, since: str) -> LogEntry:
        """The same, refused (429) if the account has had `most` answers for a reason since a moment."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._write_limited, look, most, since)

    async def newest(self, count: int) -> list[LogEntry]:
        """The newest entries, newest first."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._newest, count)

    async def alarms(self, since: str) -> list[LogEntry]:
        """Full numbers that were refused since a moment, newest first."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._alarms, since)

    def close(self) -> None:
        """Close the file; a second time does nothing."""
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
    """This moment, or one some time ago, as entries have it."""
    return (datetime.now(UTC) - ago).strftime("%Y-%m-%dT%H:%M:%SZ")


def look_of(scope: MutableMapping[str, Any], actor: str, status: int, what: Seen) -> Look:
    """The entry of a request that is about to be answered."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    query = bytes(scope.get("query_string") or b"").decode("utf-8", "replace")
    return Look(
        at=now(),
        actor=actor,
        address=str((scope.get("client") or ("",))[0]),
        method=scope["method"],
        path=raw.decode("ascii", "replace").partition("?")[0][:QUERY_SIGNS],
        query=query if len(query) <= QUERY_SIGNS else f"{query[:QUERY_SIGNS]}…",
        status=status,
        statements=what.statements,
        rows=what.rows,
        reason=what.reason,
    )
