"""What came back goes on record: each workbook in one transaction, with all that follows from its answers (M8)."""

import datetime as dt

from etl.campaign import Campaign
from etl.check.check import Checked
from etl.vault import chain
from etl.vault.files import Connection
from etl.vault.open import Vault


def is_current(vault: Vault, content: bytes) -> bool:
    """True if this very file is what its unit says now. One that a newer file has replaced is heard again."""
    fingerprint = vault.keys.mac("workbook", content)
    query = "SELECT 1 FROM workbook WHERE fingerprint = ? AND id IN (SELECT id FROM current_workbook)"
    return vault.connection.execute(query, [fingerprint]).fetchone() is not None


def is_on_record(vault: Vault, content: bytes) -> bool:
    """True if this very file was recorded, accepted or refused."""
    query = "SELECT 1 FROM workbook WHERE fingerprint = ?"
    return vault.connection.execute(query, [vault.keys.mac("workbook", content)]).fetchone() is not None


def issue_of(vault: Vault, content: bytes) -> str | None:
    """The issue that this very file was found to belong to, None if to none."""
    query = "SELECT issue FROM workbook WHERE fingerprint = ? ORDER BY id DESC"
    row = vault.connection.execute(query, [vault.keys.mac("workbook", content)]).fetchone()
    return None if row is None else row[0]


def record_workbook(vault: Vault, campaign: Campaign, checked: Checked, content: bytes, day: dt.date) -> None:
    """Put one checked workbook on record in one transaction: its findings always, its answers if it is accepted.

    A file that is refused again, unchanged, is on record already.
    """
    with vault.transaction() as db:
        if not checked.accepted and is_on_record(vault, content):
            return
        cursor = db.execute(
            "INSERT INTO workbook (issue, unit, file, fingerprint, received, sealed, status)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                checked.issue or None,
                checked.unit or None,
                checked.file,
                vault.keys.mac("workbook", content),
                day.isoformat(),
                int(checked.sealed),
                "accepted" if checked.accepted else "refused",
            ],
        )
        workbook = int(cursor.lastrowid or 0)
        if checked.accepted:
            _record_accepted(db, checked, workbook)
            open_work(db, campaign, workbook)
        db.executemany(
            "INSERT INTO finding (workbook, rule, severity, sheet, cell, serial, message, message_en)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (workbook, f.rule, f.severity.value, f.sheet, f.cell, f.serial, f.message, f.message_en)
                for f in checked.findings
            ],
        )
        chain.append(vault, "workbook", workbook, day)


def _record_accepted(db: Connection, checked: Checked, workbook: int) -> None:
    footer = [checked.footer.get(key, "") for key in ("filler", "phone", "leader")]
    db.execute("INSERT INTO filler VALUES (?, ?, ?, ?)", [workbook, *footer])
    db.executemany(
        "INSERT INTO answer VALUES (?, ?, ?, ?, ?, ?)",
        [(workbook, checked.issue, a.serial, a.code, a.returned, a.team) for a in checked.answers],
    )
    db.executemany(
        "INSERT INTO entry VALUES (?, ?, ?, ?)",
        [(workbook, e.reference, key, value) for e in checked.entries for key, value in e.values.items()],
    )


def open_work(db: Connection, campaign: Campaign, workbook: int) -> None:
    """What follows from the answers of a workbook: its sums, corrections for departments (M15), case files (M16).

    A correction or case that was open or closed before stays the same one.
    """
    db.execute(
        "INSERT INTO tally SELECT workbook, category, returned, count(*) FROM answer"
        " WHERE workbook = ? GROUP BY 1, 2, 3",
        [workbook],
    )
    for department in campaign.casework.departments:
        marks = ", ".join("?" for _ in department.opened_by)
        db.execute(
            f"""INSERT OR IGNORE INTO correction SELECT issue, serial, ?, category, workbook FROM answer
                WHERE workbook = ? AND category IN ({marks})""",
            [department.slug, workbook, *department.opened_by],
        )
    db.execute(
        """INSERT OR IGNORE INTO case_file SELECT a.issue, a.serial, c.unit, a.workbook
           FROM answer a JOIN child c ON c.issue = a.issue AND c.serial = a.serial
           WHERE a.workbook = ? AND a.returned <> '无'""",  # said of I–M alone (M10)
        [workbook],
    )
