"""Recording returned workbooks: each in one transaction, with everything that follows from its answers (M8)."""

import datetime as dt
from dataclasses import dataclass

from etl.exchange.checked import Checked
from etl.forms.definitions import ANNEX4
from etl.rulebook.campaign import Campaign
from etl.vault.store import chain
from etl.vault.store.files import Connection
from etl.vault.store.open import Vault

#: SQL condition on a refused workbook `w`: a later one of the unit was accepted in its place, of the same issue; of
#: any, if the refused one names none, or if the form is handed out anew each time with all that is still open.
REPLACED = f"""
EXISTS (SELECT 1 FROM workbook l JOIN issue j ON j.id = l.issue LEFT JOIN issue i ON i.id = w.issue
        WHERE l.unit = w.unit AND l.id > w.id AND l.status = 'accepted'
          AND (w.issue IS NULL OR l.issue = w.issue OR (j.form = i.form AND j.form <> '{ANNEX4.key}')))
"""


@dataclass(frozen=True)
class Recorded:
    """A workbook on record; `issue` and `unit` are empty if unknown, `is_current` says that its answers are current."""

    id: int
    issue: str
    unit: str
    received: str
    is_accepted: bool
    is_current: bool


def recorded(vault: Vault, content: bytes) -> Recorded | None:
    """The newest record of a file with exactly this content, or None."""
    query = """SELECT id, coalesce(issue, ''), coalesce(unit, ''), received, status = 'accepted',
                      id IN (SELECT id FROM current_workbook)
               FROM workbook WHERE fingerprint = ? ORDER BY id DESC"""
    row = vault.connection.execute(query, [vault.keys.mac("workbook", content)]).fetchone()
    return None if row is None else Recorded(row[0], row[1], row[2], row[3], bool(row[4]), bool(row[5]))


def newest_workbooks(vault: Vault) -> list[tuple[Recorded, str]]:
    """The newest workbook of each issue and recipient, accepted or refused, with its original file name.

    Also each refused workbook that named no issue.
    """
    query = """SELECT w.id, w.issue, w.unit, w.received, w.status = 'accepted',
                      w.id IN (SELECT id FROM current_workbook), coalesce(n.name, '')
               FROM workbook w LEFT JOIN file_name n ON n.workbook = w.id
               WHERE w.id IN (SELECT max(id) FROM workbook WHERE issue IS NOT NULL GROUP BY issue, unit)
                  OR (w.issue IS NULL AND w.id IN (SELECT max(id) FROM workbook GROUP BY fingerprint)) ORDER BY w.id"""
    rows = vault.connection.execute(query)
    return [
        (Recorded(number, issue or "", unit or "", day, bool(accepted), bool(current)), name)
        for number, issue, unit, day, accepted, current, name in rows
    ]


def record_workbook(
    vault: Vault, campaign: Campaign, checked: Checked, content: bytes, day: dt.date, above: int
) -> None:
    """Record one checked workbook in one transaction: its findings always, its answers if it is accepted.

    A refused file that is on record already is not recorded again. The workbook's number is greater than `above`.
    """
    with vault.transaction() as db:
        if not checked.accepted and recorded(vault, content) is not None:
            return
        workbook = max(chain.next_id(db, "workbook"), above + 1)
        db.execute(
            "INSERT INTO workbook (id, issue, unit, fingerprint, received, sealed, status)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                workbook,
                checked.issue or None,
                checked.unit or None,
                vault.keys.mac("workbook", content),
                day.isoformat(),
                int(checked.sealed),
                "accepted" if checked.accepted else "refused",
            ],
        )
        db.execute("INSERT INTO file_name VALUES (?, ?)", [workbook, checked.file])
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
    """Record what follows from a workbook's answers: its tally, corrections for departments (M15), case files (M16).

    A correction or case that exists already is not made again.
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
           WHERE a.workbook = ? AND a.returned <> '无'""",  # 是 or 否 occurs with I–M only (M10)
        [workbook],
    )


def refused_and_not_replaced(vault: Vault) -> list[str]:
    """The unit of each refused workbook whose place no later one has taken (one entry a workbook)."""
    query = f"SELECT w.unit FROM workbook w WHERE w.status = 'refused' AND w.unit IS NOT NULL AND NOT {REPLACED}"
    return [unit for (unit,) in vault.connection.execute(query)]
