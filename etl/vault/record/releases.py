"""Releases on record (M19): each with the sums that it was made from, and tracing a published cell to workbooks."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from etl.exchange.counts import Counts, measure
from etl.exchange.release import Release
from etl.findings import FuxueError
from etl.rulebook.campaign import Campaign
from etl.rulebook.publication import ATOMS
from etl.system.dates import parse_date
from etl.vault.record.count import CURRENT, count, moment, state_of
from etl.vault.store import chain
from etl.vault.store.chain import DIGEST
from etl.vault.store.open import Vault

#: The state of a category's row in `release_count`.
VERIFIED = "verified"
# The tally of each unit's current workbook of each issue, by category and return; `w.id` is NULL if none was accepted.
SAID = f"""
{CURRENT}
SELECT b.unit, b.issue, b.children, w.id, n.name, w.received, l.id, l.seal, t.category, t.returned, t.children
FROM bundle b JOIN issue i ON i.id = b.issue AND i.form = 'annex4' AND i.issued_on <= :day
  AND i.id IN (SELECT subject FROM link WHERE kind = 'issue' AND id <= :upto)
LEFT JOIN current USING (issue, unit)
LEFT JOIN workbook w ON w.id = current.id
LEFT JOIN file_name n ON n.workbook = w.id
LEFT JOIN link l ON l.kind = 'workbook' AND l.subject = CAST(w.id AS TEXT)
LEFT JOIN tally t ON t.workbook = w.id
ORDER BY b.unit, b.issue
"""


@dataclass(frozen=True)
class _Source:
    """What one workbook contributes to a figure: `children`.

    `workbook` and `link` are None if no workbook of the unit and issue had been accepted. `seal` is the link's.
    """

    unit: str
    issue: str
    workbook: int | None
    file: str
    received: str
    link: int | None
    seal: bytes
    children: int

    @property
    def printed(self) -> str:
        """The link's seal as printed for the custodian's paper."""
        return chain.printed(self.seal)


@dataclass(frozen=True)
class Trace:
    """The origin of a published figure: the sum recorded with its release, and the workbooks that add up to it."""

    release: str
    as_of: dt.date
    link: int
    recorded: int
    sources: tuple[_Source, ...]

    @property
    def is_whole(self) -> bool:
        """True if the workbooks add up to the recorded sum."""
        return self.recorded == sum(one.children for one in self.sources)


def insert_release(vault: Vault, release: Release, digest: str, counts: Counts, day: dt.date) -> None:
    """Record a release with its confidential sums, in one transaction, before its draft folder is put in place.

    `digest` is the digest of its folder (`release_digest`).
    """
    with vault.transaction() as db:
        last = chain.head(db)
        db.execute(
            "INSERT INTO release (number, as_of, made_on, digest, last_link) VALUES (?, ?, ?, ?, ?)",
            [release.name, release.as_of.isoformat(), day.isoformat(), digest, last.id if last else 0],
        )
        rows = [(release.name, *row) for row in _sums(counts)]
        db.executemany("INSERT INTO release_count (release, row, state, children) VALUES (?, ?, ?, ?)", rows)
        chain.append(vault, "release", release.name, day)


def insert_known_release(vault: Vault, release: Release, digest: str, day: dt.date) -> None:
    """Record a release whose folder exists, but which a restored copy of the record does not know.

    It has no sums on record and 0 as its last link, so its figures cannot be traced to workbooks.
    """
    with vault.transaction() as db:
        row = [release.name, release.as_of.isoformat(), day.isoformat(), digest]
        db.execute("INSERT INTO release (number, as_of, made_on, digest, last_link) VALUES (?, ?, ?, ?, 0)", row)
        chain.append(vault, "release", release.name, day)


def _sums(counts: Counts) -> Iterator[tuple[str, str, int]]:
    for unit in counts.units:
        for state, children in unit.atoms.items():
            yield unit.unit, state, children
    for category, children in counts.categories.items():
        yield category, VERIFIED, children


def releases(vault: Vault) -> dict[str, str]:
    """The digest of each release on record, by its number."""
    return dict(vault.connection.execute("SELECT number, digest FROM release ORDER BY number").fetchall())


def lost_releases(vault: Vault) -> dict[str, set[str]]:
    """Releases that a restored copy took back and that are not on record again. The public may have them.

    By number: the digests of their folders, as far as they are known.
    """
    query = """SELECT t.subject, substr(d.subject, 6) FROM taken_back t LEFT JOIN taken_back d
                 ON d.kind = ? AND substr(d.subject, 1, 5) = t.subject || ' '
               WHERE t.kind = 'release' AND t.subject NOT IN (SELECT number FROM release)"""
    found: dict[str, set[str]] = {}
    for number, digest in vault.connection.execute(query, [DIGEST]):
        found.setdefault(number, set()).update([digest] if digest else [])
    return found


def is_recounted(vault: Vault, campaign: Campaign, number: str) -> bool:
    """True if counting the record as of a release gives the sums that were recorded with it.

    Also True of an adopted release, which has no sums to compare.
    """
    as_of, last = _made_from(vault, number)
    return not last or has_sums(vault, number, count(vault, campaign, as_of, last))


def has_sums(vault: Vault, number: str, counts: Counts) -> bool:
    """True if the sums recorded with a release equal `counts`."""
    query = "SELECT row, state, children FROM release_count WHERE release = ?"
    return set(vault.connection.execute(query, [number]).fetchall()) == set(_sums(counts))


def _made_from(vault: Vault, number: str) -> tuple[dt.date, int]:
    found = vault.connection.execute("SELECT as_of, last_link FROM release WHERE number = ?", [number]).fetchone()
    if found is None:
        raise FuxueError("trace.no_release", release=number, known="、".join(releases(vault)) or "—")
    return parse_date(found[0]), int(found[1])


def trace_cell(vault: Vault, campaign: Campaign, number: str, table: str, cell: str) -> Trace:
    """Trace a published cell, such as ``city.returned``, to the workbooks that it counts.

    FuxueError if there is no such release, table or cell, or if the release was adopted.
    """
    as_of, last = _made_from(vault, number)
    if not last:
        raise FuxueError("trace.adopted", release=number)
    row, _, key = cell.rpartition(".")
    _check_cell(campaign, table, row, key)
    sums: dict[tuple[str, str], int] = {}
    query = "SELECT row, state, children FROM release_count WHERE release = ?"
    for at, state, children in vault.connection.execute(query, [number]):
        sums[at, state] = children
    if row in campaign.category:
        recorded = sums[row, VERIFIED]
    else:
        units = _units_of(campaign, row)
        recorded = sum(measure({a: sums[unit, a] for a in ATOMS}, campaign.publication, key) for unit in units)
    query = "SELECT id FROM link WHERE kind = 'release' AND subject = ?"
    link = vault.connection.execute(query, [number]).fetchone()[0]
    return Trace(number, as_of, link, recorded, tuple(_sources(vault, campaign, as_of, last, row, key)))


def _check_cell(campaign: Campaign, table: str, row: str, key: str) -> None:
    shown = next((one for one in campaign.publication.tables if one.key == table), None)
    if shown is None:
        raise FuxueError("trace.no_table", table=table, known="、".join(t.key for t in campaign.publication.tables))
    areas = [area.key for area in campaign.publication.areas]
    rows = {"city": ["city"], "area": areas, "unit": [*campaign.unit], "category": [*campaign.category]}[shown.rows]
    if row not in rows or key not in shown.measures:
        example = f"{rows[0]}.{shown.measures[0]}"
        raise FuxueError("trace.no_cell", cell=f"{row}.{key}", table=table, example=example)


def _sources(vault: Vault, campaign: Campaign, as_of: dt.date, last: int, row: str, key: str) -> list[_Source]:
    """Every workbook that contributes to the figure, sorted by unit and issue."""
    given: dict[tuple[str, str], list[tuple[str | None, str | None, int]]] = {}
    about: dict[tuple[str, str], tuple[int, tuple[Any, ...]]] = {}
    for unit, issue, issued, *book, category, returned, children in vault.connection.execute(
        SAID, moment(vault, as_of, last)
    ):
        about[unit, issue] = issued, tuple(book)
        given.setdefault((unit, issue), []).append((category, returned, children or 0))
    incomplete = {unit for (unit, _), (_, book) in about.items() if book[0] is None}
    found = []
    for (unit, issue), tallies in given.items():
        issued, (workbook, file, received, link, sealed) = about[unit, issue]
        if unit in incomplete:  # until a unit has reported all issues, all its children count as unverified
            tallies = [(None, None, issued)]
        number = sum(children for category, returned, children in tallies
                     if _counts(campaign, row, key, unit, category, returned))  # fmt: skip
        if number:
            found.append(_Source(unit, issue, workbook, file or "", received or "", link, sealed or b"", number))
    return found


def _counts(campaign: Campaign, row: str, key: str, unit: str, category: str | None, returned: str | None) -> bool:
    """True if a unit's children with this answer count in the cell (`row`, `key`)."""
    if row in campaign.category:
        return row == category
    state = state_of(campaign, category, returned)
    atoms = {atom: int(atom == state) for atom in ATOMS}
    return unit in _units_of(campaign, row) and measure(atoms, campaign.publication, key) > 0


def _units_of(campaign: Campaign, row: str) -> list[str]:
    """The units that a row of a table counts: one, those of an area, or all."""
    areas = {area.key: area.parts for area in campaign.publication.areas}
    if row in areas:
        return [unit for part in areas[row] for unit in _units_of(campaign, part)]
    return [row] if row in campaign.unit else [*campaign.unit]
