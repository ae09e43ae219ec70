"""The chain (M19): each thing that comes on record is a link, sealed over its rows and the link before.

A leaf is an HMAC of a row and of random bytes of its own: whoever has the leaf alone can confirm no guess about a
child, and once a row and its bytes are deleted (`purge`) not even the holder of the key can. The seal of the newest
link, the head, is printed for the custodian's signed paper: whoever holds the key could make the whole chain anew, but
not that paper. It never stands in a release.
"""

import datetime as dt
import hmac
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from etl.system.dates import parse_date
from etl.vault.store.files import Connection
from etl.vault.store.keys import Keys
from etl.vault.store.open import Vault

LEAF = 32
NONCE = 16
Covers: TypeAlias = Mapping[str, Sequence[tuple[str, str, str]]]
#: The tables whose rows a link of each kind covers, with the column that names its subject and those that order them.
#: The first holds the thing itself.
COVERS: Covers = {
    "issue": [
        ("issue", "id", "id"), ("bundle", "issue", "unit"), ("child", "issue", "serial"), ("decision", "issue", "row"),
        ("handed", "issue", "unit, reference"),
    ],
    "workbook": [
        ("workbook", "id", "id"), ("filler", "workbook", "workbook"), ("answer", "workbook", "serial"),
        ("tally", "workbook", "category, returned"), ("correction", "opened_by", "serial, department, category"),
        ("case_file", "opened_by", "serial"), ("entry", "workbook", "reference, key"), ("finding", "workbook", "id"),
        ("file_name", "workbook", "workbook"),
    ],
    "police_ref": [("police_ref", "id", "id")],
    "wrong_value": [("wrong_value", "id", "id")],
    "signature": [("signature", "id", "id"), ("signed_child", "signature", "issue, serial")],
    "deliverable": [("deliverable", "id", "id")],
    "base_lock": [("base_lock", "id", "id")],
    "revisit": [("revisit", "id", "id"), ("revisit_child", "revisit", "issue, serial")],
    "release": [("release", "number", "number"), ("release_count", "release", "row, state")],
    "key_event": [("key_event", "number", "number")],
    "backup": [("backup", "id", "id")],
    "restoration": [("restoration", "id", "id"), ("taken_back", "restoration", "kind, subject")],
    "purge": [("purge", "id", "id"), ("purged", "purge", "link")],
}  # fmt: skip
#: The same before version 6 of the schema: a file's name stood in its workbook's row.
COVERED_BEFORE_6 = {**COVERS, "workbook": COVERS["workbook"][:-1]}
#: Things that happened to the record as a whole: they have no rows, their subject says all.
EVENTS = ("upgrade", "restore")
#: In `taken_back`, beside a release: its number and the SHA-256 of its folder, by which it is known again.
DIGEST = "release_digest"


@dataclass(frozen=True)
class Link:
    """One link as it stands. `leaves` are `LEAF` bytes a row, `link_seal` the seal of this link."""

    id: int
    day: str
    kind: str
    subject: str
    key: int
    leaves: bytes
    seal: bytes

    @property
    def printed(self) -> str:
        """Its seal as it stands on the custodian's paper."""
        return printed(self.seal)


def append(vault: Vault, kind: str, subject: str | int, day: dt.date) -> None:
    """Seal what has just come on record; within its transaction, as the last thing."""
    db, subject = vault.connection, str(subject)
    leaves, nonces = sealed_leaves(vault, [row for _, row in rows(db, kind, subject)])
    last = head(db)
    fresh = Link(last.id + 1 if last else 1, day.isoformat(), kind, subject, vault.keys.number, leaves, b"")
    sealed = link_seal(vault.keys, fresh, last.seal if last else b"")
    db.execute(
        "INSERT INTO link (id, day, kind, subject, key, leaves, seal) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [fresh.id, fresh.day, kind, subject, fresh.key, leaves, sealed],
    )
    db.execute("INSERT INTO nonce (link, nonces) VALUES (?, ?)", [fresh.id, nonces])


def next_id(db: Connection, kind: str) -> int:
    """A number for a new thing of a numbered kind, above every one that was ever given.

    Also above those that a restored copy took back: they stand on papers and files already.
    """
    table, column, _ = COVERS[kind][0]
    query = f"""SELECT coalesce(max(number), 0) FROM (
                SELECT {column} AS number FROM {table}
                UNION ALL SELECT CAST(subject AS INTEGER) FROM taken_back WHERE kind = ?)"""
    return int(db.execute(query, [kind]).fetchone()[0]) + 1


def rows(db: Connection, kind: str, subject: str, covers: Covers = COVERS) -> Iterator[tuple[str, bytes]]:
    """(table, row as bytes) of everything that a link of this kind covers, in an order that never changes."""
    for table, column, order in covers.get(kind, ()):
        for row in db.execute(f"SELECT * FROM {table} WHERE {column} = ? ORDER BY {order}", [subject]):
            values = list(row)
            while values and values[-1] is None:  # a column that came later leaves earlier leaves as they were
                values.pop()
            yield table, json.dumps([table, *values], default=bytes.hex).encode()


def leaf(keys: Keys, nonce: bytes, row: bytes) -> bytes:
    """What stands in the chain for a row."""
    return keys.mac("leaf", nonce + row)


def sealed_leaves(vault: Vault, encoded: Sequence[bytes]) -> tuple[bytes, bytes]:
    """(leaves, fresh nonces) of rows."""
    nonces = os.urandom(NONCE * len(encoded))
    leaves = (leaf(vault.keys, nonces[NONCE * n : NONCE * (n + 1)], row) for n, row in enumerate(encoded))
    return b"".join(leaves), nonces


def link_seal(keys: Keys, link: Link, before: bytes) -> bytes:
    """The seal of a link that follows the one with the seal `before`."""
    said = json.dumps([link.id, link.day, link.kind, link.subject, link.key]).encode()
    return keys.mac("chain", b"".join((before, len(said).to_bytes(4), said, link.leaves)), link.key)


def gone(db: Connection) -> Mapping[int, frozenset[int]]:
    """Positions of the leaves by link whose rows were purged."""
    found: dict[int, frozenset[int]] = {}
    for link, positions in db.execute("SELECT link, positions FROM purged ORDER BY purge"):
        numbers = {n for first, last in json.loads(positions) for n in range(first, last + 1)}
        found[link] = found.get(link, frozenset()) | numbers
    return found


def links(db: Connection) -> Iterator[Link]:
    """All links, oldest first."""
    for row in db.execute("SELECT id, day, kind, subject, key, leaves, seal FROM link ORDER BY id"):
        yield Link(*row)


def head(db: Connection) -> Link | None:
    """The newest link, None of an empty record."""
    query = "SELECT id, day, kind, subject, key, x'', seal FROM link ORDER BY id DESC LIMIT 1"
    row = db.execute(query).fetchone()
    return None if row is None else Link(*row)


def last_day(db: Connection) -> dt.date | None:
    """The newest day on record, which need not be that of the newest link; None of an empty record."""
    day = db.execute("SELECT max(day) FROM link").fetchone()[0]
    return parse_date(day) if day else None


def printed(seal_of_link: bytes) -> str:
    """A seal as it is printed for the custodian's paper: half of it, 128 bits, in groups that can be read out."""
    half = seal_of_link[:16].hex()
    return " ".join(half[at : at + 4] for at in range(0, len(half), 4))


def is_printed(text: str, seal_of_link: bytes) -> bool:
    """True if the paper says this seal, however it is spaced."""
    said = "".join(text.split()).replace("-", "").lower()
    return hmac.compare_digest(said.encode(), seal_of_link[:16].hex().encode())
