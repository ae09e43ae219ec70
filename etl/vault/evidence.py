"""What was seen on paper and is kept with the record: who saw it, and when (M9, M11, M14, M16)."""

import datetime as dt

from etl.findings import FuxueError
from etl.vault import chain
from etl.vault.open import Vault

#: Of which children each act can be signed for: the answers that it follows from.
SIGNED = {
    "verification": "1",
    "return": "a.returned = '是'",
    "case-bureau": "a.returned <> '无'",
    "case-unit": "a.returned <> '无'",
}


def record_police_ref(vault: Vault, issue: str, serial: str, reference: str, by: str, day: dt.date) -> None:
    """The police's reference for a missing child (G). FuxueError if there is no such child."""
    with vault.transaction() as db:
        if not db.execute("SELECT 1 FROM child WHERE issue = ? AND serial = ?", [issue, serial]).fetchone():
            raise FuxueError("record.no_child", issue=issue, serial=serial)
        cursor = db.execute(
            "INSERT OR IGNORE INTO police_ref (issue, serial, reference, recorded_by, recorded_on)"
            " VALUES (?, ?, ?, ?, ?)",
            [issue, serial, reference, by, day.isoformat()],
        )
        if cursor.rowcount:
            chain.append(vault, "police_ref", cursor.lastrowid, day)


def police_refs(vault: Vault) -> set[tuple[str, str]]:
    """(issue, serial) of every child for whom the police's reference is on record."""
    return {(issue, serial) for issue, serial in vault.connection.execute("SELECT issue, serial FROM police_ref")}


def record_signature(vault: Vault, unit: str, act: str, serials: list[str], by: str, day: dt.date) -> int:
    """That the signed paper was seen, for all of a unit's answers that `act` concerns, or for some; how many those are.

    The names that signed are those of the answer as it stands now (M11). FuxueError if a serial is not among them, or
    there are none.
    """
    marks = ", ".join("?" for _ in serials)
    query = f"""SELECT a.issue, a.serial, a.team FROM current_answer a
                JOIN child c ON c.issue = a.issue AND c.serial = a.serial
                WHERE c.unit = ? AND {SIGNED[act]} {f"AND a.serial IN ({marks})" if serials else ""}"""
    with vault.transaction() as db:
        concerned = db.execute(query, [unit, *serials]).fetchall()
        if missing := sorted({*serials} - {serial for _, serial, _ in concerned}):
            raise FuxueError("record.not_signed_for", serials="、".join(missing))
        if not concerned:
            raise FuxueError("record.nobody_to_sign_for", unit=unit)
        cursor = db.execute(
            "INSERT INTO signature (unit, act, recorded_by, recorded_on) VALUES (?, ?, ?, ?)",
            [unit, act, by, day.isoformat()],
        )
        number = int(cursor.lastrowid or 0)
        db.executemany("INSERT INTO signed_child VALUES (?, ?, ?, ?)", [(number, *row) for row in concerned])
        chain.append(vault, "signature", number, day)
    return len(concerned)


def record_deliverable(vault: Vault, unit: str, what: str, medium: str, by: str, day: dt.date, *, signed: bool) -> None:
    """That a unit handed in 附件4, 附件5 or its 工作总结 (M14), on paper, signed and sealed or not, or on a stick."""
    with vault.transaction() as db:
        cursor = db.execute(
            "INSERT INTO deliverable (unit, what, medium, signed, recorded_by, recorded_on) VALUES (?, ?, ?, ?, ?, ?)",
            [unit, what, medium, int(signed), by, day.isoformat()],
        )
        chain.append(vault, "deliverable", cursor.lastrowid, day)


def deliverables(vault: Vault, day: dt.date) -> dict[tuple[str, str, str], tuple[bool, str]]:
    """(signed and sealed, when) by (unit, what, medium) of what had come by a day; the newest record counts."""
    query = """SELECT unit, what, medium, signed, recorded_on FROM deliverable WHERE recorded_on <= ? ORDER BY id"""
    rows = vault.connection.execute(query, [day.isoformat()])
    return {(unit, what, medium): (bool(signed), on) for unit, what, medium, signed, on in rows}
