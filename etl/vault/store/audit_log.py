"""The audit log (M18): who looked at what in the staff instance, when, from where. Encrypted, and chained.

Each entry is sealed by an HMAC over itself and the seal before it. The key would suffice to forge a new chain, but its
head would differ from the one on the custodian's signed paper. Two servers may write to one log, so the head is read
and the entry written in one exclusive transaction.
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
#: Younger entries are not moved out of the log: the law requires six months (Cybersecurity Law of 2017, article 21).
KEPT_DAYS = 183
#: The HTTP status of a request for a full ID number that was refused because there had been too many.
TOO_MANY = 429
#: The most characters of a query that are kept; a longer one is cut and ends in an ellipsis.
QUERY_CHARACTERS = 4000


@dataclass(frozen=True)
class Look:
    """One request to the staff instance.

    `at` is UTC in ISO form, to the second; `statements` counts SQL statements, `rows` is the size of their largest
    result; `reason` is why a full ID number was asked for.
    """

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
        """The query, URL-decoded."""
        return unquote_plus(self.query)


@dataclass(frozen=True)
class LogEntry:
    """A look with its number (from 1) and its seal."""

    number: int
    look: Look
    seal: bytes


_COLUMNS = ", ".join(field.name for field in fields(Look))
MARKS = ", ".join("?" for _ in fields(Look))


def log_path(staff: Path) -> Path:
    """The log in use, in the staff instance's folder `staff`."""
    return staff / "audit.db"


def rotated_files(staff: Path) -> list[Path]:
    """Files with older entries (`rotate`), oldest first."""
    return sorted(staff.glob("audit-*.db"))


class Log:
    """An open log. Two threads must not use one at the same time."""

    def __init__(self, path: Path, keys: Keys, *, create: bool = False) -> None:
        """Open a log; with `create`, make a missing one. FuxueError if it cannot be opened with these keys."""
        self.keys = keys
        self.db: Connection = connect(path, keys.derive(PURPOSE), create=create)
        if create:
            self._make()

    def _make(self) -> None:
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.execute("BEGIN IMMEDIATE")  # if two servers start at the same time, only one creates the tables
        if not self.db.execute("SELECT 1 FROM sqlite_master WHERE name = 'entry'").fetchone():
            for statement in statements("audit_log.sql"):
                self.db.execute(statement)
        self.db.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def append(self, look: Look, *, most: int | None = None, since: str = "") -> LogEntry:
        """Write an entry; it is on the disk when this returns. Raises DatabaseError or OSError if that fails.

        If the account has had `most` full ID numbers since the moment `since`, the entry says refused (429).
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
        """(number, seal) of the entry before this log's first one; (0, empty) if nothing was moved out of it."""
        number, seal_before = self.db.execute("SELECT number, seal FROM start").fetchone()
        return int(number), bytes(seal_before)

    def head(self) -> tuple[int, bytes]:
        """(number, seal) of the newest entry, or `start()` if there is none."""
        row = self.db.execute("SELECT number, seal FROM entry ORDER BY number DESC LIMIT 1").fetchone()
        return (int(row[0]), bytes(row[1])) if row else self.start()

    def entries(self, since: str = "", *, newest: int | None = None) -> Iterator[LogEntry]:
        """Entries from a moment on (in the form of `Look.at`), oldest first; or only the `newest` n, newest first."""
        order = "number" if newest is None else "number DESC LIMIT ?"
        limit = [] if newest is None else [newest]
        query = f"SELECT number, seal, {_COLUMNS} FROM entry WHERE at >= ? ORDER BY {order}"
        for number, sealed, *look in self.db.execute(query, [since, *limit]):
            yield LogEntry(number, Look(*look), bytes(sealed))

    def _reasons(self, actor: str, since: str) -> int:
        query = "SELECT count(*) FROM entry WHERE actor = ? AND at >= ? AND reason <> '' AND status = 200"
        return int(self.db.execute(query, [actor, since]).fetchone()[0])

    def alarms(self, since: str) -> list[LogEntry]:
        """Entries since a moment for full ID numbers that were refused as too many (429), newest first."""
        return [entry for entry in self.entries(since) if entry.look.status == TOO_MANY][::-1]


def _seal(keys: Keys, number: int, look: Look, before: bytes) -> bytes:
    """The seal of an entry; `before` is the seal of the previous entry."""
    content = json.dumps([number, *astuple(look)], ensure_ascii=False).encode()
    return keys.mac("audit", len(before).to_bytes(1) + before + content)


def log_breaks(log: Log, paper: str = "") -> Iterator[tuple[str, int]]:
    """Faults of a log, each as (key of a text, number of the entry).

    `paper` is a head from the custodian's paper; if it is given, it must be the seal of an entry of this log or of the
    entry before its first one.
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
    """Move the entries before a day into a file of their own, which can be verified by itself; return its path.

    None if there are no such entries. FuxueError if `before` is less than `KEPT_DAYS` ago, or the log has a fault.
    """
    if (today - before).days < KEPT_DAYS:
        raise FuxueError("audit.too_young", days=KEPT_DAYS)
    log = Log(log_path(staff), keys)
    try:
        if found := next(log_breaks(log), None):
            raise FuxueError("audit.broken", number=found[1])
        # Always the first entries, even if the clock was once set back, so that the numbers have no gap.
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
    """Write entries to a new log at `path`, under a temporary name first, so that `path` is never incomplete."""
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
