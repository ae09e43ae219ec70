"""The chain (M19): everything that comes on record adds a link, sealed over its rows and the link before.

A leaf is an HMAC of one row and of random bytes that belong to it. A leaf alone therefore confirms no guess about a
child; once the row and its random bytes are deleted (`purge`), not even the key does. The seal of the newest link, the
head, is printed for the custodian's signed paper: the key would suffice to forge a new chain, but its head would differ
from the one on paper. The head is never in a release.
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

#: Length in bytes of a leaf, and of the random bytes (nonce) that go into it.
LEAF = 32
NONCE = 16
Covers: TypeAlias = Mapping[str, Sequence[tuple[str, str, str]]]
#: By kind of link: the tables whose rows it covers, each with the column that names the link's subject and the columns
#: that order the rows. The first table holds the recorded thing itself.
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
    "paper": [("paper", "id", "id")],
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
#: The same before version 6 of the schema, when a file's name was in its workbook's row.
COVERED_BEFORE_6 = {**COVERS, "workbook": COVERS["workbook"][:-1]}
#: Kinds of links about the record as a whole: they cover no rows and have only a subject.
EVENTS = ("upgrade", "restore")
#: A kind in the table `taken_back`: its subject is a release's number and the SHA-256 that identifies its folder.
DIGEST = "release_digest"


@dataclass(frozen=True)
class Link:
    """One link of the chain. `leaves` has `LEAF` bytes for each row; `key` is the number of the master key it used."""

    id: int
    day: str
    kind: str
    subject: str
    key: int
    leaves: bytes
    seal: bytes

    @property
    def printed(self) -> str:
        """The seal as printed for the custodian's paper."""
        return printed(self.seal)


def append(vault: Vault, kind: str, subject: str | int, day: dt.date) -> None:
    """Add the link for what was just recorded. It must be the last step of the same transaction."""
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
    """The number for a new thing of a numbered kind: one more than the highest that was ever given.

    This includes numbers that a restoration removed from the record, because papers and files may still bear them.
    """
    table, column, _ = COVERS[kind][0]
    query = f"""SELECT coalesce(max(number), 0) FROM (
                SELECT {column} AS number FROM {table}
                UNION ALL SELECT CAST(subject AS INTEGER) FROM taken_back WHERE kind = ?)"""
    return int(db.execute(query, [kind]).fetchone()[0]) + 1


def rows(db: Connection, kind: str, subject: str, covers: Covers = COVERS) -> Iterator[tuple[str, bytes]]:
    """(table, row encoded as bytes) of every row that a link of this kind covers, in a fixed order."""
    for table, column, order in covers.get(kind, ()):
        for row in db.execute(f"SELECT * FROM {table} WHERE {column} = ? ORDER BY {order}", [subject]):
            values = list(row)
            while values and values[-1] is None:  # so a column that is added later does not change earlier leaves
                values.pop()
            yield table, json.dumps([table, *values], default=bytes.hex).encode()


def leaf(keys: Keys, nonce: bytes, row: bytes) -> bytes:
    """The leaf of an encoded row."""
    return keys.mac("leaf", nonce + row)


def sealed_leaves(vault: Vault, encoded: Sequence[bytes]) -> tuple[bytes, bytes]:
    """(leaves, new nonces) of encoded rows, each joined into one byte string."""
    nonces = os.urandom(NONCE * len(encoded))
    leaves = (leaf(vault.keys, nonces[NONCE * n : NONCE * (n + 1)], row) for n, row in enumerate(encoded))
    return b"".join(leaves), nonces


def link_seal(keys: Keys, link: Link, before: bytes) -> bytes:
    """The seal of a link; `before` is the seal of the previous link, empty for the first."""
    about = json.dumps([link.id, link.day, link.kind, link.subject, link.key]).encode()
    return keys.mac("chain", b"".join((before, len(about).to_bytes(4), about, link.leaves)), link.key)


def gone(db: Connection) -> Mapping[int, frozenset[int]]:
    """By link: the positions (from 0) of the leaves whose rows were purged."""
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
    """The newest link, without its leaves; None if the record is empty."""
    query = "SELECT id, day, kind, subject, key, x'', seal FROM link ORDER BY id DESC LIMIT 1"
    row = db.execute(query).fetchone()
    return None if row is None else Link(*row)


def last_day(db: Connection) -> dt.date | None:
    """The latest day of any link, which may be later than that of the newest link; None if the record is empty."""
    day = db.execute("SELECT max(day) FROM link").fetchone()[0]
    return parse_date(day) if day else None


def printed(seal_of_link: bytes) -> str:
    """A seal as printed for the custodian's paper: its first half (128 bits) in groups of four hex digits."""
    half = seal_of_link[:16].hex()
    return " ".join(half[at : at + 4] for at in range(0, len(half), 4))


def is_printed(text: str, seal_of_link: bytes) -> bool:
    """True if a text typed from the paper is this seal; spaces, hyphens and case are ignored."""
    typed = "".join(text.split()).replace("-", "").lower()
    return hmac.compare_digest(typed.encode(), seal_of_link[:16].hex().encode())
