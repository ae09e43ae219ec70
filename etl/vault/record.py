"""The private record: what was issued, what came back, what was found. Accepted versions are never rewritten (M8)."""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from etl.campaign import Campaign
from etl.check.check import Checked
from etl.findings import FuxueError
from etl.vault.files import Connection, DatabaseError, connect
from etl.vault.keys import Keys

SCHEMA_VERSION = "3"


@dataclass(frozen=True)
class Vault:
    """An open record. Use `open_vault`; close it when done."""

    connection: Connection
    keys: Keys

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All or nothing; a second writer waits or is told."""
        try:
            self.connection.execute("BEGIN IMMEDIATE")
        except DatabaseError as error:
            raise FuxueError("vault.busy") from error
        try:
            yield self.connection
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")


def open_vault(path: Path, keys: Keys, campaign: Campaign, *, create: bool = False) -> Vault:
    """The record of a campaign. FuxueError if the key is wrong, the file damaged, or it is another campaign's."""
    if create and not path.exists():
        _create(path, keys, campaign)
    vault = Vault(connect(path, keys.derive("file:vault")), keys)
    about = _about(vault.connection, path)
    if about.get("schema") != SCHEMA_VERSION:
        raise FuxueError("vault.other_schema", found=about.get("schema"), expected=SCHEMA_VERSION)
    if about.get("campaign") != campaign.id:
        raise FuxueError("vault.other_campaign", found=about.get("campaign"), expected=campaign.id)
    return vault


def _create(path: Path, keys: Keys, campaign: Campaign) -> None:
    """Make an empty record under another name first: an interrupted run leaves none, not half of one."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    vault = Vault(connect(fresh, keys.derive("file:vault"), create=True), keys)
    try:
        with vault.transaction() as db:
            for statement in statements("schema.sql"):
                db.execute(statement)
            db.executemany("INSERT INTO meta VALUES (?, ?)", [("schema", SCHEMA_VERSION), ("campaign", campaign.id)])
    finally:
        vault.close()
    fresh.rename(path)


def _about(db: Connection, path: Path) -> dict[str, str]:
    """The record's own description, after every page's seal was checked: one flipped byte is not read over."""
    try:
        damaged = db.execute("PRAGMA cipher_integrity_check").fetchone()
        about = dict(db.execute("SELECT key, value FROM meta").fetchall())
    except DatabaseError as error:
        raise FuxueError("vault.cannot_open", file=path.name) from error
    if damaged:
        raise FuxueError("vault.cannot_open", file=path.name)
    return about


def statements(name: str) -> Iterator[str]:
    """Statements of this room's SQL file, one by one: `executescript` would end the transaction that they run in."""
    statement = ""
    for line in resources.files("etl.vault").joinpath(name).read_text(encoding="utf-8").splitlines():
        code = line.partition("--")[0].rstrip()
        statement += code + "\n" if code.strip() else ""
        if code.endswith(";") and (" BEGIN " not in statement or code.endswith("END;")):
            yield statement
            statement = ""


def is_current(vault: Vault, content: bytes) -> bool:
    """True if this very file is what its unit says now. One that a newer file has replaced is heard again."""
    fingerprint = vault.keys.mac("workbook", content)
    query = "SELECT 1 FROM workbook WHERE fingerprint = ? AND id IN (SELECT id FROM current_workbook)"
    return vault.connection.execute(query, [fingerprint]).fetchone() is not None


def _is_on_record(vault: Vault, content: bytes) -> bool:
    query = "SELECT 1 FROM workbook WHERE fingerprint = ?"
    return vault.connection.execute(query, [vault.keys.mac("workbook", content)]).fetchone() is not None


def record_workbook(vault: Vault, checked: Checked, content: bytes, day: dt.date) -> None:
    """Put one checked workbook on record in one transaction: its findings always, its answers if it is accepted.

    A file that is refused again, unchanged, is on record already.
    """
    footer: Mapping[str, str] = checked.footer
    with vault.transaction() as db:
        if not checked.accepted and _is_on_record(vault, content):
            return
        cursor = db.execute(
            "INSERT INTO workbook (issue, unit, file, fingerprint, received, sealed, status, filler, phone, leader)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                checked.issue or None,
                checked.unit or None,
                checked.file,
                vault.keys.mac("workbook", content),
                day.isoformat(),
                int(checked.sealed),
                "accepted" if checked.accepted else "refused",
                *(footer.get(key, "") for key in ("filler", "phone", "leader")),
            ],
        )
        workbook = int(cursor.lastrowid or 0)
        if checked.accepted:
            db.executemany(
                "INSERT INTO answer VALUES (?, ?, ?, ?, ?, ?)",
                [(workbook, checked.issue, a.serial, a.code, a.returned, a.team) for a in checked.answers],
            )
        db.executemany(
            "INSERT INTO entry VALUES (?, ?, ?, ?)",
            [(workbook, e.reference, key, value) for e in checked.entries for key, value in e.values.items()]
            if checked.accepted
            else [],
        )
        db.executemany(
            "INSERT INTO finding (workbook, rule, severity, sheet, cell, serial, message, message_en)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (workbook, f.rule, f.severity.value, f.sheet, f.cell, f.serial, f.message, f.message_en)
                for f in checked.findings
            ],
        )
