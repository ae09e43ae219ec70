"""What was seen on paper and is kept with the record: who saw it, and when."""

import datetime as dt

from etl.findings import FuxueError
from etl.vault.record import Vault


def record_police_ref(vault: Vault, issue: str, serial: str, reference: str, by: str, day: dt.date) -> None:
    """The police's reference for a missing child (G). FuxueError if there is no such child."""
    with vault.transaction() as db:
        if not db.execute("SELECT 1 FROM child WHERE issue = ? AND serial = ?", [issue, serial]).fetchone():
            raise FuxueError("record.no_child", issue=issue, serial=serial)
        db.execute(
            "INSERT OR IGNORE INTO police_ref (issue, serial, reference, recorded_by, recorded_on)"
            " VALUES (?, ?, ?, ?, ?)",
            [issue, serial, reference, by, day.isoformat()],
        )


def police_refs(vault: Vault) -> set[tuple[str, str]]:
    """(issue, serial) of every child for whom the police's reference is on record."""
    return {(issue, serial) for issue, serial in vault.connection.execute("SELECT issue, serial FROM police_ref")}
