"""Verifying the whole record: pages, links and leaves, sums, releases, the custodian's paper (M19)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from etl.exchange.release_folder import release_digest, release_folders
from etl.rulebook.campaign import Campaign
from etl.vault.record import releases
from etl.vault.scopes.scope_files import differing_scopes
from etl.vault.store import chain
from etl.vault.store.chain import COVERS, EVENTS, LEAF, NONCE, Covers, Link
from etl.vault.store.open import Vault, expected_schema, schema_of

# Workbooks whose tally differs from their answers. Workbooks whose answers were purged are left out: only tallies stay.
TALLIES = """
WITH summed AS (SELECT workbook, category, returned, count(*) AS children FROM answer GROUP BY 1, 2, 3)
SELECT DISTINCT workbook FROM (
  SELECT * FROM (SELECT * FROM summed EXCEPT SELECT * FROM tally)
  UNION ALL
  SELECT * FROM (SELECT * FROM tally WHERE workbook IN (SELECT workbook FROM answer) EXCEPT SELECT * FROM summed)
) ORDER BY workbook
"""


@dataclass(frozen=True)
class Break:
    """A fault of the record: a key in `texts.toml` and its parameters, which contain no personal data."""

    key: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verified:
    """The result of a verification: the number of `links`, the `head`, and the faults (`breaks`) that were found.

    `paper` is the link whose seal is on the custodian's paper, if a paper was given and its seal is in the chain.
    """

    links: int
    head: Link | None
    breaks: tuple[Break, ...]
    paper: Link | None = None


def check_record(vault: Vault, campaign: Campaign, released: Path, scopes: Path, paper: str = "") -> Verified:
    """Recompute every seal and every sum, and compare releases and scope files with the record.

    `released` is the folder of releases, `scopes` the folder of scope files, `paper` a head from the custodian's paper.
    """
    breaks = [*record_breaks(vault, campaign), *_releases(vault, released)]
    breaks += [Break("verify.scope", {"scope": scope}) for scope in differing_scopes(vault, campaign, scopes)]
    found = None
    if paper:
        found = next((link for link in chain.links(vault.connection) if _is_on_paper(paper, link)), None)
        if found is None:
            breaks.append(Break("verify.paper"))
    newest = chain.head(vault.connection)
    return Verified(newest.id if newest else 0, newest, tuple(breaks), found)


def _is_on_paper(paper: str, link: Link) -> bool:
    """True if the paper has this link's seal or, if the link is an upgrade, the head that the chain had before it."""
    before = "".join(link.subject.split()[3:]) if link.kind == "upgrade" else ""
    return chain.is_printed(paper, link.seal) or (bool(before) and chain.is_printed(paper, bytes.fromhex(before)))


def record_breaks(vault: Vault, campaign: Campaign) -> list[Break]:
    """Faults of the record alone, without releases and scope files; used for copies, which have none."""
    return [*_damage(vault), *broken_links(vault), *_unlinked(vault), *_sums(vault, campaign), *_schema(vault)]


def _damage(vault: Vault) -> Iterator[Break]:
    """Faults that SQLite finds: broken pages, a wrong index, a foreign key without its row."""
    found = vault.connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        yield Break("verify.damaged")
    for table, *_ in vault.connection.execute("PRAGMA foreign_key_check"):
        yield Break("verify.orphan", {"table": table})
        return


def _schema(vault: Vault) -> Iterator[Break]:
    """Tables, views, indexes and triggers that differ from this version's, such as a removed guard."""
    own, found = expected_schema(), schema_of(vault.connection)
    for name in sorted(own.keys() | found.keys()):
        if own.get(name) != found.get(name):
            yield Break("verify.schema", {"name": name})


def broken_links(vault: Vault, covers: Covers = COVERS) -> Iterator[Break]:
    """Gaps in the chain, links whose seal is wrong, and links with a row that differs from what was sealed."""
    before = b""
    purged = chain.gone(vault.connection)
    for expected, link in enumerate(chain.links(vault.connection), 1):
        about = {"link": link.id, "kind": link.kind, "subject": link.subject, "day": link.day}
        if link.id != expected:
            yield Break("verify.gap", {"expected": expected, "found": link.id})
            return
        is_known_key = 0 <= link.key <= vault.keys.number
        if not is_known_key or chain.link_seal(vault.keys, link, before) != link.seal:
            yield Break("verify.seal", about)
        elif (found := _leaves(vault, link, purged.get(link.id, frozenset()), covers)) is not None:
            yield Break("verify.row", about | found)
        before = link.seal


def _leaves(vault: Vault, link: Link, gone: frozenset[int], covers: Covers) -> dict[str, Any] | None:
    """None if every row is as sealed, else the first that is not: its `table`, and its number among the link's rows.

    `gone` are the positions of purged leaves; no other row may be missing and none may have been added.
    """
    found = vault.connection.execute("SELECT nonces FROM nonce WHERE link = ?", [link.id]).fetchone()
    nonces = bytes(found[0]) if found else b""
    total = len(link.leaves) // LEAF
    if len(nonces) != NONCE * total:
        return {"table": "nonce", "row": 0}
    left = (n for n in range(total) if n not in gone)
    table, row = COVERS[link.kind][0][0] if link.kind in COVERS else "", 0
    for name, encoded in chain.rows(vault.connection, link.kind, link.subject, covers):
        table, row = name, row + 1 if name == table else 1
        at = next(left, None)
        if at is None:
            return {"table": table, "row": row}
        leaf = link.leaves[LEAF * at : LEAF * (at + 1)]
        if chain.leaf(vault.keys, nonces[NONCE * at : NONCE * (at + 1)], encoded) != leaf:
            return {"table": table, "row": row}
    return None if next(left, None) is None else {"table": table, "row": row + 1}


def _unlinked(vault: Vault) -> Iterator[Break]:
    """Things on record without a link, links of an unknown kind, and things with more than one link."""
    for kind, tables in COVERS.items():
        table, column, _ = tables[0]
        query = f"""SELECT {column} FROM {table}
                    WHERE CAST({column} AS TEXT) NOT IN (SELECT subject FROM link WHERE kind = ?)"""
        for (subject,) in vault.connection.execute(query, [kind]):
            yield Break("verify.unlinked", {"kind": kind, "subject": subject})
    kinds = {kind for (kind,) in vault.connection.execute("SELECT DISTINCT kind FROM link")}
    for kind in sorted(kinds - {*COVERS, *EVENTS}):
        yield Break("verify.unknown_kind", {"kind": kind})
    query = "SELECT kind, subject FROM link WHERE kind NOT IN (?, ?) GROUP BY 1, 2 HAVING count(*) > 1"
    for kind, subject in vault.connection.execute(query, EVENTS):
        yield Break("verify.twice", {"kind": kind, "subject": subject})


def _sums(vault: Vault, campaign: Campaign) -> Iterator[Break]:
    for (workbook,) in vault.connection.execute(TALLIES):
        yield Break("verify.tally", {"workbook": workbook})
    for number in releases.releases(vault):
        if not releases.is_recounted(vault, campaign, number):
            yield Break("verify.recount", {"release": number})


def _releases(vault: Vault, released: Path) -> Iterator[Break]:
    """Release folders that are missing, changed or unknown to the record. A draft of a recorded release counts."""
    recorded = releases.releases(vault)
    for number, recorded_digest in recorded.items():
        found = {release_digest(released / number), release_digest(released / f".{number}.new")} - {""}
        if not found:
            yield Break("verify.release_missing", {"release": number})
        elif recorded_digest not in found:
            yield Break("verify.release_changed", {"release": number})
    known = {folder.name for folder in release_folders(released)}
    for number in sorted(known - {*recorded}):
        yield Break("verify.release_unknown", {"release": number})
