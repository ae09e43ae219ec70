"""An older record is brought to this version: numbered migrations, then what they cannot know, in one transaction."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from etl.campaign import Campaign
from etl.dates import parse_date
from etl.findings import FuxueError
from etl.vault import chain
from etl.vault.files import connect
from etl.vault.keys import Keys
from etl.vault.open import SCHEMA_VERSION, Vault, all_keys, check_about, describe, statements
from etl.vault.record import open_work

#: The first version with a chain.
CHAINED = 4
#: What an older record holds, in the order in which it came: kind, subject, day.
EARLIER = """
SELECT kind, subject, day FROM (
  SELECT 1 AS rank, 'issue' AS kind, id AS subject, issued_on AS day, rowid_ AS number
  FROM (SELECT *, row_number() OVER (ORDER BY issued_on, id) AS rowid_ FROM issue)
  UNION ALL SELECT 2, 'workbook', id, received, id FROM workbook
  UNION ALL SELECT 3, 'police_ref', id, recorded_on, id FROM police_ref
  UNION ALL SELECT 4, 'base_lock', id, locked_on, id FROM base_lock
  UNION ALL SELECT 5, 'revisit', id, drawn_on, id FROM revisit
) ORDER BY day, rank, number
"""


def upgrade(path: Path, keys: Keys, campaign: Campaign, day: dt.date) -> tuple[int, int]:
    """(version before, version now). FuxueError if it is this version or a newer one, or another campaign's record."""
    connection = connect(path, keys.derive("file:vault"))
    try:
        about = describe(connection, path)
        found = int(about["schema"])
        if found == SCHEMA_VERSION:
            raise FuxueError("vault.same_schema", found=found)
        check_about({**about, "schema": max(found, SCHEMA_VERSION)}, campaign)
        connection.execute("PRAGMA foreign_keys = OFF")  # tables are made anew; what points to them is checked below
        with Vault(connection, keys).transaction() as db:
            for number in range(found + 1, SCHEMA_VERSION + 1):
                for statement in statements(f"migrations/{number:04d}.sql"):
                    db.execute(statement)
            db.execute("UPDATE meta SET value = ? WHERE key = 'schema'", [str(SCHEMA_VERSION)])
            vault = Vault(connection, all_keys(connection, keys))
            chain.append(vault, "upgrade", f"{found} → {SCHEMA_VERSION}", day)
            if found < CHAINED:
                for kind, subject, when in _earlier(vault, campaign):
                    chain.append(vault, kind, subject, when)
            if db.execute("PRAGMA foreign_key_check").fetchone():
                raise FuxueError("vault.cannot_open", file=path.name)
        return found, SCHEMA_VERSION
    finally:
        connection.close()


def _earlier(vault: Vault, campaign: Campaign) -> Iterator[tuple[str, str, dt.date]]:
    """Everything that is on record, in order; sums, corrections and cases are made on the way."""
    for kind, subject, day in vault.connection.execute(EARLIER).fetchall():
        if kind == "workbook":
            open_work(vault.connection, campaign, int(subject))
        yield kind, str(subject), parse_date(day)
