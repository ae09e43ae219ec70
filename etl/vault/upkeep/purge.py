"""Retention: individuals are deleted; sums and releases stay, and the chain still proves that nothing else is missing.

The random bytes of a leaf are deleted with its row, so that the leaf confirms no guess about a person.
"""

import datetime as dt
import json
from collections.abc import Collection, Iterator, Mapping
from itertools import groupby
from typing import Any

from etl.findings import FuxueError
from etl.vault.store import chain
from etl.vault.store.chain import LEAF, NONCE
from etl.vault.store.files import Connection
from etl.vault.store.open import Vault, unguarded

#: Temporary tables during a purge, in memory: lists whose children are deleted, and workbooks about these children.
CHOSEN = (
    "CREATE TEMP TABLE old_issue AS SELECT id FROM issue WHERE form = 'annex4' AND issued_on < :before"
    " AND id IN (SELECT issue FROM child UNION SELECT issue FROM decision)",
    "CREATE TEMP TABLE old_workbook AS SELECT id FROM workbook WHERE issue IN (SELECT id FROM old_issue)"
    " OR issue IN (SELECT issue FROM handed WHERE child_issue IN (SELECT id FROM old_issue))"
    " OR (issue IS NULL AND received < :before)",
)
#: Rows to delete: a condition by table. Tables that refer to others come before them.
DELETED = {
    "revisit_child": "issue IN (SELECT id FROM old_issue)",
    "signed_child": "issue IN (SELECT id FROM old_issue)",
    "police_ref": "issue IN (SELECT id FROM old_issue)",
    "wrong_value": "issue IN (SELECT id FROM old_issue)",
    "paper": "issue IN (SELECT id FROM old_issue)",
    "correction": "issue IN (SELECT id FROM old_issue)",
    "case_file": "issue IN (SELECT id FROM old_issue)",
    "entry": "(workbook, reference) IN (SELECT w.id, h.reference FROM workbook w JOIN handed h USING (issue, unit)"
             " WHERE h.child_issue IN (SELECT id FROM old_issue))",
    "handed": "child_issue IN (SELECT id FROM old_issue)",
    "answer": "issue IN (SELECT id FROM old_issue)",
    "finding": "workbook IN (SELECT id FROM old_workbook)",
    "file_name": "workbook IN (SELECT id FROM old_workbook)",
    "filler": "workbook IN (SELECT id FROM old_workbook)",
    "decision": "issue IN (SELECT id FROM old_issue)",
    "child": "issue IN (SELECT id FROM old_issue)",
}  # fmt: skip
EXCLUDED = """SELECT count(*) FROM decision d WHERE d.kind = 'excluded' AND d.issue IN (SELECT id FROM old_issue)
              AND NOT EXISTS (SELECT 1 FROM child c WHERE c.serial = d.serial AND c.issue > d.issue)"""


def purge_individuals(
    vault: Vault,
    before: dt.date,
    by: str,
    day: dt.date,
    copies: Collection[str],
    above: int,
    half_made: Collection[str],
) -> Mapping[str, Any]:
    """Delete all individuals of lists issued before a day, in one transaction; return the certificate (counts only).

    `copies` names the copies of the record in this home, which the caller deletes too; the certificate lists them apart
    from copies elsewhere, complete or `half_made`. Its number is greater than `above`, the highest number of any
    certificate written so far. FuxueError if there are no such individuals and there was no earlier purge. (After an
    earlier purge, a restoration may have brought back copies and files about people who were deleted.)
    """
    with vault.transaction() as db:
        try:
            for statement in CHOSEN:
                db.execute(statement, {"before": before.isoformat()})
            if not db.execute("SELECT 1 FROM old_issue UNION SELECT 1 FROM purge").fetchone():
                raise FuxueError("purge.nobody", before=before)
            number = max(chain.next_id(db, "purge"), above + 1)
            certificate = _certificate(db, number, before, by, day, copies) | {"half_made": sorted(half_made)}
            with unguarded(db):
                _delete(vault, certificate)
            chain.append(vault, "purge", certificate["purge"], day)
        finally:
            for table in ("old_issue", "old_workbook"):
                db.execute(f"DROP TABLE IF EXISTS temp.{table}")
    vault.connection.execute("VACUUM")  # freed pages are zeroed already; this makes the file smaller
    return certificate


def _certificate(
    db: Connection, number: int, before: dt.date, by: str, day: dt.date, copies: Collection[str]
) -> dict[str, Any]:
    deleted = {
        table: db.execute(f"SELECT count(*) FROM {table} WHERE {which}").fetchone()[0]
        for table, which in DELETED.items()
    }
    gone = {
        name for (text,) in db.execute("SELECT certificate FROM purge") for name in json.loads(text).get("copies", ())
    }
    backups = db.execute("SELECT file, made_on FROM backup ORDER BY id").fetchall()
    return {
        "purge": number,
        "before": before.isoformat(),
        "purged_on": day.isoformat(),
        "purged_by": by,
        "issues": [row[0] for row in db.execute("SELECT id FROM old_issue ORDER BY id")],
        "deleted": deleted,
        "excluded": db.execute(EXCLUDED).fetchone()[0],
        "copies": sorted(copies),
        "copies_elsewhere": [{"file": file, "made_on": made} for file, made in backups if file not in {*copies, *gone}],
    }


def _delete(vault: Vault, certificate: Mapping[str, Any]) -> None:
    """Delete the rows and the random bytes of their leaves, and record the positions of these leaves."""
    db = vault.connection
    links, gone = list(chain.links(db)), chain.gone(db)
    before = {link.id: [row for _, row in chain.rows(db, link.kind, link.subject)] for link in links}
    for table, which in DELETED.items():
        db.execute(f"DELETE FROM {table} WHERE {which}")
    number = certificate["purge"]
    db.execute(
        "INSERT INTO purge (id, before, purged_on, purged_by, certificate) VALUES (?, ?, ?, ?, ?)",
        [number, *(certificate[key] for key in ("before", "purged_on", "purged_by")),
         json.dumps(certificate, ensure_ascii=False)],
    )  # fmt: skip
    for link in links:
        left = {row for _, row in chain.rows(db, link.kind, link.subject)}
        standing = (n for n in range(len(link.leaves) // LEAF) if n not in gone.get(link.id, ()))
        now = [n for n, row in zip(standing, before[link.id], strict=True) if row not in left]
        if now:
            _forget(db, link.id, now)
            positions = json.dumps(list(_ranges(now)))
            db.execute("INSERT INTO purged (purge, link, positions) VALUES (?, ?, ?)", [number, link.id, positions])


def _forget(db: Connection, link: int, positions: list[int]) -> None:
    nonces = bytearray(db.execute("SELECT nonces FROM nonce WHERE link = ?", [link]).fetchone()[0])
    for n in positions:
        nonces[NONCE * n : NONCE * (n + 1)] = bytes(NONCE)
    db.execute("UPDATE nonce SET nonces = ? WHERE link = ?", [bytes(nonces), link])


def _ranges(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """(first, last) of each run of consecutive numbers."""
    for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        own = [number for _, number in run]
        yield own[0], own[-1]


def certificates(vault: Vault) -> list[tuple[int, Mapping[str, Any]]]:
    """(number, certificate) of every purge on record."""
    rows = vault.connection.execute("SELECT id, certificate FROM purge ORDER BY id")
    return [(number, json.loads(text)) for number, text in rows]


def purged_workbooks(vault: Vault) -> set[int]:
    """Workbooks that named no issue and whose file names a purge deleted."""
    query = """SELECT w.id FROM workbook w JOIN purge p ON w.received < p.before
               WHERE w.issue IS NULL AND w.id NOT IN (SELECT workbook FROM file_name)"""
    return {row[0] for row in vault.connection.execute(query)}


def purged_issues(vault: Vault) -> set[str]:
    """Issues of lists whose children were purged, and issues of corrections or cases that have no rows left."""
    query = """SELECT value FROM purge, json_each(purge.certificate, '$.issues')
               UNION SELECT i.id FROM issue i WHERE i.form <> 'annex4' AND EXISTS (SELECT 1 FROM purge)
               AND NOT EXISTS (SELECT 1 FROM handed h WHERE h.issue = i.id)"""
    return {row[0] for row in vault.connection.execute(query)}
