"""The audit log (M18): who looked at what in the staff instance, when, from where. Encrypted, and a chain of its own.

Each entry is sealed by an HMAC over itself and the seal before it. Whoever holds the key could make the chain anew, but
not the head that stands on the custodian's signed paper. Two servers write one chain: the head is read and the entry
written in one exclusive transaction.
"""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields, replace
from itertools import takewhile
from pathlib import Path
from urllib.parse import unquote_plus

from etl.findings import FuxueError
from etl.vault.store.chain import is_printed
from etl.vault.store.files import Connection, DatabaseError, connect
from etl.vault.store.keys import Keys
from etl.vault.store.open import statements, unguarded

PURPOSE = "file:audit"
#: The law asks for six months of logs (Cybersecurity Law of 2017, article 21); younger entries are never put away.
KEPT_DAYS = 183
#: The status of a look that was refused because there had been too many.
TOO_MANY = 429
#: So much of a query is kept: a longer one is cut, and ends in an ellipsis.
QUERY_SIGNS = 4000


@dataclass(frozen=True)
class Look:
    """One look: `at` is UTC in seconds, `rows` those of the largest answer, `reason` why a full number was shown."""

    at: str
    actor: str
    address: str
    method: str
    path: str
    query: str
    status: int
    statements: int = 0
    rows: int = 0
    reason: str = ""

    @property
    def asked(self) -> str:
        """The query as it was typed."""
        return unquote_plus(self.query)


@dataclass(frozen=True)
class LogEntry:
    """A look with its number, from 1, and its seal."""

    number: int
    look: Look
    seal: bytes


_COLUMNS = ", ".join(field.name for field in fields(Look))
MARKS = ", ".join("?" for _ in fields(Look))


def log_path(staff: Path) -> Path:
    """The log in use, in the staff instance's folder."""
    return staff / "audit.db"


def rotated_files(staff: Path) -> list[Path]:
    """Files of entries that were put away, oldest first."""
    return sorted(staff.glob("audit-*.db"))


class Log:
    """An open log. Not for two threads at once."""

    def __init__(self, path: Path, keys: Keys, *, create: bool = False) -> None:
        """Open a log; `create` makes one that is not there. FuxueError if it cannot be opened with these keys."""
        self.keys = keys
        self.db: Connection = connect(path, keys.derive(PURPOSE), create=create)
        if create:
            self._make()

    def _make(self) -> None:
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.execute("BEGIN IMMEDIATE")  # of two servers that start at once, one makes it
        if not self.db.execute("SELECT 1 FROM sqlite_master WHERE name = 'entry'").fetchone():
            for statement in statements("audit_log.sql"):
                self.db.execute(statement)
        self.db.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def append(self, look: Look, *, most: int | None = None, since: str = "") -> LogEntry:
        """Write an entry; it is on the disk when this returns. Raises DatabaseError or OSError if it cannot be.

        If the account has had `most` answers for a reason since a moment already, it is entered as refused (429).
        """
        self.db.execute("BEGIN IMMEDIATE")
        try:
            if most is not None and self._reasons(look.actor, since) >= most:
                look = replace(look, status=TOO_MANY)
            last, before = self.head()
            entry = LogEntry(last + 1, look, _seal(self.keys, last + 1, look, before))
            self._insert(entry)
            self.db.execute("COMMIT")
        except BaseException:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise
        return entry

    def _insert(self, entry: LogEntry) -> None:
        self.db.execute(
            f"INSERT INTO entry (number, {_COLUMNS}, seal) VALUES (?, {MARKS}, ?)",
            [entry.number, *astuple(entry.look), entry.seal],
        )

    def start(self) -> tuple[int, bytes]:
        """(number, seal) of the last entry before this log's first; (0, empty) of a whole one."""
        number, seal_before = self.db.execute("SELECT number, seal FROM start").fetchone()
        return int(number), bytes(seal_before)

    def head(self) -> tuple[int, bytes]:
        """(number, seal) of the newest entry."""
        row = self.db.execute("SELECT number, seal FROM entry ORDER BY number DESC LIMIT 1").fetchone()
        return (int(row[0]), bytes(row[1])) if row else self.start()

    def entries(self, since: str = "", *, newest: int | None = None) -> Iterator[LogEntry]:
        """Entries of a moment (UTC, as in `Look.at`) or later, oldest first; or just the `newest`, newest first."""
        order = "number" if newest is None else "number DESC LIMIT ?"
        limit = [] if newest is None else [newest]
        query = f"SELECT number, seal, {_COLUMNS} FROM entry WHERE at >= ? ORDER BY {order}"
        for number, sealed, *look in self.db.execute(query, [since, *limit]):
            yield LogEntry(number, Look(*look), bytes(sealed))

    def _reasons(self, actor: str, since: str) -> int:
        query = "SELECT count(*) FROM entry WHERE actor = ? AND at >= ? AND reason <> '' AND status = 200"
        return int(self.db.execute(query, [actor, since]).fetchone()[0])

    def alarms(self, since: str) -> list[LogEntry]:
        """Entries since a moment of full numbers that were refused because there had been too many, newest first."""
        return [entry for entry in self.entries(since) if entry.look.status == TOO_MANY][::-1]


def _seal(keys: Keys, number: int, look: Look, before: bytes) -> bytes:
    """The seal of an entry that follows the one with the seal `before`."""
    said = json.dumps([number, *astuple(look)], ensure_ascii=False).encode()
    return keys.mac("audit", len(before).to_bytes(1) + before + said)


def log_breaks(log: Log, paper: str = "") -> Iterator[tuple[str, int]]:
    """What is wrong with a log: (key of a text, number of the entry).

    With the head from the custodian's paper it must stand in this log, or be the one before its first entry.
    """
    last = 0
    try:
        last, before = log.start()
        on_paper = not paper or (bool(before) and is_printed(paper, before))
        for entry in log.entries():
            if entry.number != last + 1:
                yield "audit.gap", last + 1
            elif entry.seal != _seal(log.keys, entry.number, entry.look, before):
                yield "audit.seal", entry.number
            last, before = entry.number, entry.seal
            on_paper = on_paper or is_printed(paper, entry.seal)
    except DatabaseError:
        yield "audit.damaged", last
    else:
        if not on_paper:
            yield "audit.paper", last


def rotate(staff: Path, keys: Keys, before: dt.date, today: dt.date) -> Path | None:
    """Put entries of before a day away into a file of their own, which proves itself; None if there are none.

    FuxueError for a day that is too young, or if the log does not hold together.
    """
    if (today - before).days < KEPT_DAYS:
        raise FuxueError("audit.too_young", days=KEPT_DAYS)
    log = Log(log_path(staff), keys)
    try:
        if found := next(log_breaks(log), None):
            raise FuxueError("audit.broken", number=found[1])
        # A prefix, even if a clock was put back: numbers go on without a gap.
        old = list(takewhile(lambda entry: entry.look.at < before.isoformat(), log.entries()))
        if not old:
            return None
        path = staff / f"audit-{old[0].number:08d}-{old[-1].number:08d}.db"
        _copy(path, keys, log.start(), old)
        log.db.execute("BEGIN IMMEDIATE")
        with unguarded(log.db):
            log.db.execute("DELETE FROM entry WHERE number <= ?", [old[-1].number])
            log.db.execute("UPDATE start SET number = ?, seal = ?", [old[-1].number, old[-1].seal])
        log.db.execute("COMMIT")
        return path
    finally:
        log.close()


def _copy(path: Path, keys: Keys, start: tuple[int, bytes], entries: list[LogEntry]) -> None:
    """Under another name first: what an interrupted run leaves is not taken for a file of entries."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    away = Log(fresh, keys, create=True)
    try:
        away.db.execute("PRAGMA journal_mode = DELETE")
        away.db.execute("BEGIN IMMEDIATE")
        away.db.execute("UPDATE start SET number = ?, seal = ?", start)
        for entry in entries:
            away._insert(entry)
        away.db.execute("COMMIT")
    finally:
        away.close()
    fresh.replace(path)
