"""One encrypted file per scope, derived from the vault after each load: a unit's own rows, or all for the bureau."""

import datetime as dt
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from etl.campaign import BUREAU, Campaign
from etl.counts import measure
from etl.disk import sync
from etl.identity import birth_of, mask
from etl.vault.count import count
from etl.vault.files import Connection, open_scope, scope_path
from etl.vault.open import Vault, statements

#: There as long as the scopes may be older than the record.
STALE = ".stale"
PROGRESS = ("suspected", "verified", "deducted", "to_return", "returned", "still_out")

CHILDREN = """
SELECT c.serial, c.issue, c.unit, c.name, c.sex, c.id_number, c.household, a.category, a.returned, a.team
FROM child c LEFT JOIN current_answer a ON a.issue = c.issue AND a.serial = c.serial
"""
WORKBOOKS = """
SELECT w.id, w.unit, w.file, w.received, CASE w.status WHEN 'accepted' THEN '收下' ELSE '退回' END,
       coalesce(sum(f.severity = 'error'), 0), coalesce(sum(f.severity = 'warning'), 0),
       coalesce(sum(f.severity = 'note'), 0)
FROM workbook w LEFT JOIN finding f ON f.workbook = w.id WHERE w.unit IS NOT NULL GROUP BY w.id
"""
FINDINGS = """
SELECT w.unit, f.id, f.workbook,
       CASE f.severity WHEN 'error' THEN '错误' WHEN 'warning' THEN '提示' ELSE '备注' END,
       f.rule, f.sheet, f.cell, f.serial, f.message
FROM finding f JOIN workbook w ON w.id = f.workbook WHERE w.unit IS NOT NULL
"""


def build_scopes(vault: Vault, campaign: Campaign, folder: Path, done: Callable[[], None] = lambda: None) -> None:
    """Write every scope's file afresh and put each in place in one step, under the eyes of a running server."""
    rows = _rows(vault, campaign)
    for left in folder.glob(".*.new.db*"):  # of an interrupted run, with its journal
        left.unlink()
    for scope in (*(unit.slug for unit in campaign.units), BUREAU):
        own = {table: units.get(scope, []) for table, units in rows.items()}
        fresh = f".{scope}.new"
        path = scope_path(folder, fresh)
        # The key belongs to the scope, not to the temporary name.
        connection = open_scope(folder, fresh, vault.keys, scope=scope, create=True)
        try:
            # Nobody reads it before it is whole and in place: no journal, and one sync of the finished file.
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            _fill(connection, own)
        finally:
            connection.close()
        sync(path)
        path.replace(scope_path(folder, scope))
        done()
    (folder / STALE).unlink(missing_ok=True)


def mark_stale(folder: Path) -> None:
    """Say that the scopes are about to differ from the record, until they are built again."""
    (folder / STALE).touch(mode=0o600)


def are_stale(folder: Path) -> bool:
    """True if a run was interrupted between a change of the record and the scopes that show it."""
    return (folder / STALE).exists()


def _fill(connection: Connection, own: dict[str, list[tuple[object, ...]]]) -> None:
    connection.execute("BEGIN")
    for statement in statements("scope.sql"):
        connection.execute(statement)
    for table, rows in own.items():
        if rows:
            marks = ", ".join("?" for _ in rows[0])
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
    connection.execute("COMMIT")


def _rows(vault: Vault, campaign: Campaign) -> dict[str, dict[str, list[tuple[object, ...]]]]:
    """Rows of every table by the scope that sees them."""
    db = vault.connection
    children: list[tuple[object, ...]] = []
    for serial, issue, unit, name, sex, number, household, category, returned, team in db.execute(CHILDREN):
        label = campaign.category[category].name if category else None
        birth = birth_of(number)
        shown = (serial, issue, unit, name, sex, mask(number), str(birth), household, category, label, returned, team)
        children.append((unit, *shown))
    workbooks = [(row[1], *row) for row in db.execute(WORKBOOKS)]
    return {
        "children": _by_scope(children),
        "progress": _by_scope(_progress(vault, campaign)),
        "workbooks": _by_scope(workbooks),
        "findings": _by_scope(db.execute(FINDINGS)),
    }


def _by_scope(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[tuple[object, ...]]]:
    """Rows without the unit that each is led by: under that unit, and under the bureau, which sees all."""
    own: dict[str, list[tuple[object, ...]]] = {BUREAU: []}
    for unit, *row in rows:
        own.setdefault(unit, []).append(tuple(row))
        own[BUREAU].append(tuple(row))
    return own


def _progress(vault: Vault, campaign: Campaign) -> list[tuple[object, ...]]:
    counts = count(vault, campaign, dt.date.max)
    rows: list[tuple[object, ...]] = []
    for unit, sums in zip(campaign.units, counts.units, strict=True):
        reported = "已报送" if sums.reported else "未报送"
        numbers = [measure(sums.atoms, campaign.publication, key) for key in PROGRESS]
        rows.append((unit.slug, unit.slug, unit.name, reported, *numbers))
    return rows
