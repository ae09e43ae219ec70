"""Evidence on record, with the person and the day: police references, wrong values, signed papers, deliverables.

See M9, M11, M14, M15 and M16.
"""

import datetime as dt

from etl.findings import FuxueError
from etl.vault.store import chain
from etl.vault.store.open import Vault

#: SQL conditions by act: the answers (`a`) for which it can be signed.
_SIGNED = {
    "verification": "1",
    "return": "a.returned = '是'",
    "case-bureau": "a.returned <> '无'",
    "case-unit": "a.returned <> '无'",
}


def issue_of(vault: Vault, serial: str, issue: str | None) -> str:
    """The issue in which a child has this serial: `issue` if it is given, otherwise the only one.

    FuxueError if there is none, or if a supplement used the serial again and `issue` is None.
    """
    rows = vault.connection.execute("SELECT issue FROM child WHERE serial = ? ORDER BY issue", [serial])
    found = [row[0] for row in rows]
    if issue is not None and issue not in found:
        raise FuxueError("record.no_child", issue=issue, serial=serial)
    if not found:
        raise FuxueError("record.no_serial", serial=serial)
    if issue is None and len(found) > 1:
        raise FuxueError("record.which_issue", serials=serial, issues="、".join(found))
    return issue or found[0]


def insert_police_ref(vault: Vault, issue: str | None, serial: str, reference: str, by: str, day: dt.date) -> None:
    """Record the police's reference for a missing child (G). A reference that is on record is not added again.

    `by` is the person who records it. FuxueError as from `issue_of`.
    """
    with vault.transaction() as db:
        row = [issue_of(vault, serial, issue), serial, reference]
        if db.execute("SELECT 1 FROM police_ref WHERE (issue, serial, reference) = (?, ?, ?)", row).fetchone():
            return
        number = chain.next_id(db, "police_ref")
        db.execute("INSERT INTO police_ref VALUES (?, ?, ?, ?, ?, ?)", [number, *row, by, day.isoformat()])
        chain.append(vault, "police_ref", number, day)


def insert_wrong_value(vault: Vault, issue: str | None, serial: str, key: str, value: str, department: str, by: str,
                       day: dt.date) -> None:  # fmt: skip
    """Record that an issued value of a child is wrong, with the right `value` (M15): a correction for a department.

    `key` is the column, one of `ISSUED_VALUES`. The issued value itself stays. FuxueError as from `issue_of`, or if
    `value` is the issued one or the newest one on record for this department.
    """
    with vault.transaction() as db:
        issue = issue_of(vault, serial, issue)
        known = db.execute(f"SELECT {key} FROM child WHERE issue = ? AND serial = ?", [issue, serial]).fetchone()[0]
        if known == value:
            raise FuxueError("record.same_value", serial=serial)
        row = [issue, serial, key, value, department]
        query = """SELECT value, recorded_on FROM wrong_value WHERE (issue, serial, key, department) = (?, ?, ?, ?)
                   ORDER BY id DESC"""
        before = db.execute(query, [issue, serial, key, department]).fetchone()
        if before is not None and before[0] == value:
            raise FuxueError("record.known_value", serial=serial, day=before[1])
        number = chain.next_id(db, "wrong_value")
        db.execute(
            "INSERT INTO wrong_value VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [number, *row, by, day.isoformat()],
        )
        chain.append(vault, "wrong_value", number, day)


def insert_paper(vault: Vault, issue: str | None, serial: str, kind: str, about: str, place: str, dated: dt.date,
                 by: str, day: dt.date) -> None:  # fmt: skip
    """Record a paper in a child's case file: its `kind` (one of `PAPERS`), what it is, where it lies, its own date.

    FuxueError as from `issue_of`.
    """
    with vault.transaction() as db:
        row = [issue_of(vault, serial, issue), serial, kind, about, place, dated.isoformat(), by, day.isoformat()]
        number = chain.next_id(db, "paper")
        db.execute("INSERT INTO paper VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [number, *row])
        chain.append(vault, "paper", number, day)


def police_refs(vault: Vault) -> set[tuple[str, str]]:
    """(issue, serial) of every child for whom the police's reference is on record."""
    return {(issue, serial) for issue, serial in vault.connection.execute("SELECT issue, serial FROM police_ref")}


def insert_signature(vault: Vault, unit: str, act: str, serials: list[str], by: str, day: dt.date,
                     issue: str | None = None) -> int:  # fmt: skip
    """Record that a signed paper was seen, for all of a unit's answers that `act` applies to, or for `serials`.

    Returns the number of children. The names of those who signed are taken from the current answers (M11). `issue`
    limits it to one list. FuxueError if it applies to no child, or if a serial is not among the children or is in more
    than one list.
    """
    marks = ", ".join("?" for _ in serials)
    query = f"""SELECT a.issue, a.serial, a.team FROM current_answer a
                JOIN child c ON c.issue = a.issue AND c.serial = a.serial
                WHERE c.unit = ? AND (? IS NULL OR a.issue = ?) AND {_SIGNED[act]}
                {f"AND a.serial IN ({marks})" if serials else ""}"""
    with vault.transaction() as db:
        concerned = db.execute(query, [unit, issue, issue, *serials]).fetchall()
        if missing := sorted({*serials} - {serial for _, serial, _ in concerned}):
            raise FuxueError("record.not_signed_for", serials="、".join(missing))
        if not concerned:
            raise FuxueError("record.nobody_to_sign_for", unit=unit)
        named = [serial for _, serial, _ in concerned]
        if serials and (twice := sorted({serial for serial in named if named.count(serial) > 1})):
            issues = sorted({one for one, serial, _ in concerned if serial in twice})
            raise FuxueError("record.which_issue", serials="、".join(twice), issues="、".join(issues))
        number = chain.next_id(db, "signature")
        db.execute("INSERT INTO signature VALUES (?, ?, ?, ?, ?)", [number, unit, act, by, day.isoformat()])
        db.executemany("INSERT INTO signed_child VALUES (?, ?, ?, ?)", [(number, *row) for row in concerned])
        chain.append(vault, "signature", number, day)
    return len(concerned)


def insert_deliverable(vault: Vault, unit: str, what: str, medium: str, by: str, day: dt.date, *, signed: bool) -> None:
    """Record that a unit handed in 附件4, 附件5 or its 工作总结 (M14).

    `what` is ``annex4``, ``annex5`` or ``summary``; `medium` is ``paper`` or ``stick``; `signed` says of paper that it
    bears the signature and the seal.
    """
    with vault.transaction() as db:
        number = chain.next_id(db, "deliverable")
        row = [number, unit, what, medium, int(signed), by, day.isoformat()]
        db.execute("INSERT INTO deliverable VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        chain.append(vault, "deliverable", number, day)
