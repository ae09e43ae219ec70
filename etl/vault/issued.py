"""What was handed out (下发): the province's list and its supplements, decisions on its rows, corrections and cases."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from etl.bundle import Bundle, child_row
from etl.campaign import Campaign
from etl.child import Child
from etl.forms import ANNEX4, FORMS, Form
from etl.issue.decisions import Decision
from etl.issue.province import ListRow
from etl.vault.keys import Keys
from etl.vault.record import Vault

CHILD_COLUMNS = tuple(field.name for field in fields(Child))


@dataclass(frozen=True)
class Completeness:
    """不漏一人: every row of the lists was issued or excluded by a person."""

    issued: int = 0
    excluded: int = 0

    @property
    def listed(self) -> int:
        """Rows of all lists, each child once."""
        return self.issued + self.excluded


def next_issue(vault: Vault, day: dt.date) -> str:
    """The id of the next issue: the day and a running number, such as ``20190219-01``."""
    count = vault.connection.execute("SELECT count(*) FROM issue").fetchone()[0]
    return f"{day:%Y%m%d}-{count + 1:02d}"


def bundles_fingerprint(keys: Keys, bundles: Sequence[Bundle]) -> bytes:
    """A keyed fingerprint of what one issue hands out."""
    content = [(b.issue, b.form.key, b.recipient, [sorted(row.items()) for row in b.rows]) for b in bundles]
    return keys.mac("issue", json.dumps(content, ensure_ascii=False).encode())


def row_fingerprint(keys: Keys, texts: Mapping[str, str]) -> bytes:
    """A keyed fingerprint of a row of a list."""
    return keys.mac("list-row", json.dumps(sorted(texts.items()), ensure_ascii=False).encode())


def split_known(vault: Vault, rows: Sequence[ListRow]) -> tuple[list[ListRow], list[tuple[ListRow, str]], int]:
    """Rows not seen before; rows of children issued before with another value, with its column; how many are known.

    Known is a child whose ID number was issued, and a row that was excluded, unchanged.
    """
    query = f"SELECT id_number, {', '.join(column.key for column in ANNEX4.issued)} FROM child ORDER BY issue, serial"
    known = {row[0]: dict(zip((c.key for c in ANNEX4.issued), row[1:], strict=True))
             for row in vault.connection.execute(query)}  # fmt: skip
    query = "SELECT fingerprint FROM decision WHERE kind = 'excluded'"
    excluded = {bytes(row[0]) for row in vault.connection.execute(query)}
    new, changed = [], []
    for row in rows:
        before = known.get(row.texts["id_number"])
        if before is None:
            if row_fingerprint(vault.keys, row.texts) not in excluded:
                new.append(row)
            continue
        changed += [(row, key) for key in before if before[key] != row.texts[key]]
    return new, changed, len(rows) - len(new)


def record_issue(
    vault: Vault,
    day: dt.date,
    bundles: Sequence[Bundle],
    fingerprints: Mapping[str, bytes],
    children: Sequence[Child] = (),
    decisions: Sequence[tuple[Decision, Mapping[str, str]]] = (),
) -> None:
    """Put an issue on record in one transaction; its workbooks stand already, marked by `fingerprints`.

    `children` are those of a list, `decisions` what was decided on its rows, each with the row's texts.
    """
    issue, form = bundles[0].issue, bundles[0].form.key
    with vault.transaction() as db:
        first = db.execute("SELECT id FROM issue WHERE form = ? ORDER BY issued_on, id", [form]).fetchone()
        db.execute(
            "INSERT INTO issue (id, issued_on, form, extends, fingerprint) VALUES (?, ?, ?, ?, ?)",
            [issue, day.isoformat(), form, first and first[0], bundles_fingerprint(vault.keys, bundles)],
        )
        db.executemany(
            "INSERT INTO bundle (issue, unit, children, fingerprint) VALUES (?, ?, ?, ?)",
            [(issue, b.recipient, len(b.rows), fingerprints[b.recipient]) for b in bundles],
        )
        marks = ", ".join("?" for _ in range(len(CHILD_COLUMNS) + 1))
        db.executemany(
            f"INSERT INTO child (issue, {', '.join(CHILD_COLUMNS)}) VALUES ({marks})",
            [(issue, *(getattr(child, name) for name in CHILD_COLUMNS)) for child in children],
        )
        if form != ANNEX4.key:
            db.executemany(
                "INSERT INTO handed (issue, unit, reference, child_issue, serial, texts) VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (issue, b.recipient, row["reference"], row["reference"].removesuffix(f"-{row['serial']}"),
                     row["serial"], json.dumps(dict(row), ensure_ascii=False))
                    for b in bundles
                    for row in b.rows
                ],
            )  # fmt: skip
        db.executemany(
            "INSERT INTO decision (issue, row, serial, kind, value, officer, decided_on, fingerprint)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    issue,
                    d.row,
                    d.serial,
                    d.kind,
                    d.value,
                    d.officer,
                    day.isoformat(),
                    row_fingerprint(vault.keys, texts),
                )
                for d, texts in decisions
            ],
        )


def issues(vault: Vault, form: str | None = None) -> list[str]:
    """Ids of all issues on record, oldest first, or of those of one form."""
    query = "SELECT id FROM issue WHERE form = ? OR ? IS NULL ORDER BY issued_on, id"
    return [row[0] for row in vault.connection.execute(query, [form, form])]


def newest(vault: Vault, campaign: Campaign, form: Form) -> Mapping[str, Bundle]:
    """What each receiver was last handed of a form."""
    return {unit: bundle for (_, unit), bundle in sorted(issued(vault, campaign).items()) if bundle.form == form}


def fingerprints(vault: Vault) -> Mapping[bytes, tuple[str, str]]:
    """(issue, receiver) by the keyed fingerprint of the file that was handed out."""
    query = "SELECT fingerprint, issue, unit FROM bundle"
    return {bytes(mark): (issue, unit) for mark, issue, unit in vault.connection.execute(query)}


def completeness(vault: Vault) -> Completeness:
    """How many children were issued, and how many rows excluded."""
    issued = vault.connection.execute("SELECT count(*) FROM child").fetchone()[0]
    excluded = vault.connection.execute("SELECT count(*) FROM decision WHERE kind = 'excluded'").fetchone()[0]
    return Completeness(issued, excluded)


def issued_children(vault: Vault) -> Mapping[tuple[str, str], list[Child]]:
    """Issued children by (issue, unit), sorted by serial; units without children have an empty list."""
    by_bundle: dict[tuple[str, str], list[Child]] = {
        (issue, unit): []
        for issue, unit in vault.connection.execute(
            "SELECT b.issue, b.unit FROM bundle b JOIN issue i ON i.id = b.issue AND i.form = ? ORDER BY 1, 2",
            [ANNEX4.key],
        )
    }
    query = f"SELECT issue, {', '.join(CHILD_COLUMNS)} FROM child ORDER BY issue, serial"
    for row in vault.connection.execute(query):
        child = Child(*row[1:])
        by_bundle[row[0], child.unit].append(child)
    return by_bundle


def issued(vault: Vault, campaign: Campaign) -> dict[tuple[str, str], Bundle]:
    """Everything that was handed out, of every form, by (issue, receiver)."""
    bundles = {
        (issue, unit): Bundle(ANNEX4, issue, unit, campaign.recipient_name(unit), tuple(map(child_row, children)))
        for (issue, unit), children in issued_children(vault).items()
    }
    query = """SELECT i.form, h.issue, h.unit, h.texts FROM handed h JOIN issue i ON i.id = h.issue
               ORDER BY h.issue, h.unit, h.reference"""
    rows: dict[tuple[str, str, str], list[Mapping[str, str]]] = {}
    for form, issue, unit, texts in vault.connection.execute(query):
        rows.setdefault((form, issue, unit), []).append(json.loads(texts))
    for (form, issue, unit), given in rows.items():
        bundles[issue, unit] = Bundle(FORMS[form], issue, unit, campaign.recipient_name(unit), tuple(given))
    return bundles
