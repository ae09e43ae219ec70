"""Upgrading an older record in one transaction: numbered SQL migrations, then the steps that SQL cannot do."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from etl.findings import FuxueError
from etl.rulebook.campaign import Campaign
from etl.system.dates import parse_date
from etl.vault.record.submissions import open_work
from etl.vault.store import chain
from etl.vault.store.chain import COVERED_BEFORE_6, COVERS, LEAF, NONCE, Covers
from etl.vault.store.files import connect
from etl.vault.store.keys import Keys
from etl.vault.store.open import SCHEMA_VERSION, Vault, all_keys, check_about, describe_record, statements, unguarded
from etl.vault.upkeep.verify import broken_links

#: The first schema version with a chain, and the first whose leaves are computed as they are now.
CHAINED, _RESEALED = 4, 6
#: Everything in a record without a chain, in the order in which it was recorded: kind, subject, day.
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


def upgrade_record(path: Path, keys: Keys, campaign: Campaign, day: dt.date) -> tuple[int, int]:
    """Upgrade the record at `path` to this version; return (version before, version now).

    FuxueError if it has this version or a newer one, is another campaign's record, or its chain has a fault.
    """
    connection = connect(path, keys.derive("file:vault"))
    try:
        about = describe_record(connection, path)
        found = int(about["schema"])
        if found == SCHEMA_VERSION:
            raise FuxueError("vault.same_schema", found=found)
        check_about({**about, "schema": max(found, SCHEMA_VERSION)}, campaign)
        before = _proven_head(Vault(connection, keys), path) if CHAINED <= found < _RESEALED else ""
        connection.execute("PRAGMA foreign_keys = OFF")  # tables are rebuilt; foreign keys are checked below
        with Vault(connection, keys).transaction() as db:
            for number in range(found + 1, SCHEMA_VERSION + 1):
                for statement in statements(f"migrations/{number:04d}.sql"):
                    db.execute(statement)
            db.execute("UPDATE meta SET value = ? WHERE key = 'schema'", [str(SCHEMA_VERSION)])
            vault = Vault(connection, all_keys(connection, keys))
            if before:
                reseal(vault)
            # The custodian's paper has the head before the upgrade: keep it, so that `vault verify --head` accepts it.
            chain.append(vault, "upgrade", f"{found} → {SCHEMA_VERSION} {before}".strip(), day)
            if found < CHAINED:
                for kind, subject, when in _earlier(vault, campaign):
                    chain.append(vault, kind, subject, when)
            if db.execute("PRAGMA foreign_key_check").fetchone():
                raise FuxueError("vault.cannot_open", file=path.name)
        return found, SCHEMA_VERSION
    finally:
        connection.close()


def _proven_head(vault: Vault, path: Path) -> str:
    """The head of an older record's chain, as printed on paper. FuxueError if that chain has a fault."""
    vault = Vault(vault.connection, all_keys(vault.connection, vault.keys))
    newest = chain.head(vault.connection)
    if newest is None or list(broken_links(vault, COVERED_BEFORE_6)):
        raise FuxueError("backup.broken", file=path.name, count=1)
    return chain.printed(newest.seal)


def reseal(vault: Vault, covers: Covers = COVERS) -> None:
    """Compute every leaf and seal again from the current rows, each link with the key that it was sealed with.

    The leaf of a purged row stays unchanged, because it cannot be computed without the row.
    """
    db, gone, before = vault.connection, chain.gone(vault.connection), b""
    with unguarded(db):
        for link in list(chain.links(db)):
            leaves, nonces = chain.sealed_leaves(
                vault, [row for _, row in chain.rows(db, link.kind, link.subject, covers)]
            )
            for at in sorted(gone.get(link.id, ())):
                leaves = leaves[: LEAF * at] + link.leaves[LEAF * at : LEAF * (at + 1)] + leaves[LEAF * at :]
                nonces = nonces[: NONCE * at] + bytes(NONCE) + nonces[NONCE * at :]
            before = chain.link_seal(vault.keys, replace(link, leaves=leaves), before)
            db.execute("UPDATE link SET leaves = ?, seal = ? WHERE id = ?", [leaves, before, link.id])
            db.execute("UPDATE nonce SET nonces = ? WHERE link = ?", [nonces, link.id])


def _earlier(vault: Vault, campaign: Campaign) -> Iterator[tuple[str, str, dt.date]]:
    """(kind, subject, day) of everything on record, in order; tallies, corrections and cases are made on the way."""
    for kind, subject, day in vault.connection.execute(EARLIER).fetchall():
        if kind == "workbook":
            open_work(vault.connection, campaign, int(subject))
        yield kind, str(subject), parse_date(day)
