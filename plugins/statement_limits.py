"""What one statement may cost, beyond its time, and how many requests of an account are worked on at once.

SQLite looks at the time limit between two steps of a statement. A single step, such as `instr` over a text of 100 MB,
cannot be interrupted, so that values must be short. The library has no `setlimit`; SQLite's own function is called.
"""

import asyncio
import contextlib
import ctypes
import sys
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from etl.findings import FuxueError

#: Limits by SQLite's number for them (https://sqlite.org/c3ref/c_limit_attached.html): bytes of a value or row and of a
#: statement; columns; depth of an expression; terms of a compound SELECT; attached databases; bytes of a LIKE pattern.
LIMITS = {0: 100_000, 1: 20_000, 2: 200, 3: 200, 4: 50, 7: 0, 8: 200}
#: The most bytes of one answer: its texts and blobs, and so many for each other value.
ANSWER_BYTES, NUMBER_BYTES = 16 * 1024 * 1024, 16
_TOO_LARGE = "超过 16 MB，请加上条件分几次查询 / more than 16 MB: ask in parts"
#: The most requests of an account that wait for their turn, and the most heavy ones of all accounts at work.
WAITING, HEAVY = 20, 1

#: The library with which `etl.vault.store.files` opens files; needed for its codes, row and error types.
library: Any = sys.modules["sqlcipher3.dbapi2"]


@cache
def _sqlite() -> ctypes.CDLL:
    """The library's compiled module, which has SQLite in it."""
    found = ctypes.CDLL(sys.modules["sqlcipher3._sqlite3"].__file__)
    found.sqlite3_limit.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_int)
    return found


def limit_statements(connection: Any) -> None:
    """Set `LIMITS` for a connection. Raises FuxueError if they do not hold afterwards."""
    # The handle of the database is the first member of the connection, after what Python keeps of any object.
    handle = ctypes.c_void_p.from_address(id(connection) + object.__basicsize__).value
    for number, most in LIMITS.items():
        _sqlite().sqlite3_limit(handle, number, most)
    with contextlib.suppress(library.DataError):
        connection.execute("SELECT zeroblob(?)", (LIMITS[0] + 1,)).fetchone()
        raise FuxueError("serve.no_limits")


def rows_of_bounded_answers() -> Callable[[Any, tuple[Any, ...]], Any]:
    """A row factory for one connection: it raises OperationalError when an answer exceeds `ANSWER_BYTES`."""
    reading: weakref.ref[Any] | None = None
    size = 0

    def row(cursor: Any, values: tuple[Any, ...]) -> Any:
        nonlocal reading, size
        if reading is None or reading() is not cursor:
            reading, size = weakref.ref(cursor), 0
        size += sum(len(value) if isinstance(value, str | bytes) else NUMBER_BYTES for value in values)
        if size > ANSWER_BYTES:
            raise library.OperationalError(_TOO_LARGE)
        return library.Row(cursor, values)

    return row


class TooManyError(Exception):
    """An account has too many requests that wait."""


class Turns:
    """Lets one request of an account be worked on after the other, and few heavy ones of all: threads stay free."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._waiting: Counter[str] = Counter()
        self._heavy = asyncio.Semaphore(HEAVY)

    @asynccontextmanager
    async def turn(self, account: str, *, is_heavy: bool = False) -> AsyncIterator[None]:
        """Wait for the account's turn. Raises TooManyError if more than `WAITING` of its requests wait already."""
        if self._waiting[account] > WAITING:
            raise TooManyError
        self._waiting[account] += 1
        try:
            async with self._locks.setdefault(account, asyncio.Lock()):
                if is_heavy:
                    async with self._heavy:
                        yield
                else:
                    yield
        finally:
            self._waiting[account] -= 1
            if not self._waiting[account]:
                del self._locks[account], self._waiting[account]
