"""Issues (下发) on record: the province's list with decisions on its rows, supplements, corrections and cases."""

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from etl.exchange.bundle import Bundle, child_row
from etl.exchange.child import Child
from etl.exchange.list_rows import Decision, ListRow
from etl.forms.definitions import ANNEX4, FORMS, Form
from etl.rulebook.campaign import Campaign
from etl.vault.store import chain
from etl.vault.store.files import Connection
from etl.vault.store.keys import Keys
from etl.vault.store.open import Vault

#: The id of an issue: the day and a running number, such as ``20190219-01``.
ISSUE = re.compile(r"[0-9]{8}-([0-9]{2,9})")
CHILD_COLUMNS = tuple(field.name for field in fields(Child))


@dataclass(frozen=True)
class Completeness:
    """不漏一人: the rows of the lists that were issued, and those that an officer excluded; there are no others."""

    issued: int = 0
    excluded: int = 0

    @property
    def listed(self) -> int:
        """The rows of all lists, each child counted once."""
        return self.issued + self.excluded


def next_issue(vault: Vault, day: dt.date, handed_out: Iterable[str]) -> str:
    """The id of the next issue: the day and a running number, such as ``20190219-01``.

    Passwords are derived from the id, so it must never be used twice. The number is above those of all issues on
    record, of issues that a restored copy took back, and of the folders `handed_out`.
    """
    query = "SELECT id FROM issue UNION SELECT subject FROM taken_back WHERE kind = 'issue'"
    used = {*handed_out, *(row[0] for row in vault.connection.execute(query))}
    numbers = [int(found[1]) for name in used if (found := ISSUE.fullmatch(name))]
    return f"{day:%Y%m%d}-{max(numbers, default=0) + 1:02d}"


def row_fingerprint(keys: Keys, texts: Mapping[str, str]) -> bytes:
    """A keyed fingerprint of all texts of a list's row (`texts`: text by column key)."""
    return keys.mac("list-row", json.dumps(sorted(texts.items()), ensure_ascii=False).encode())


def marks_of_row(keys: Keys, texts: Mapping[str, str]) -> set[bytes]:
    """Keyed marks that recognise a list's row after it was excluded, or after its child was issued from another list.

    A child is recognised by its serial together with its name or its ID number; a corrected list may change one.
    """
    who = (json.dumps([key, texts["serial"], texts[key]]).encode() for key in ("id_number", "name"))
    return {row_fingerprint(keys, texts), *(keys.mac("listed-child", one) for one in who)}


def marks_on_record(vault: Vault) -> set[bytes]:
    """The marks (`marks_of_row`) of every child that was issued, and the fingerprints of rows with a decision."""
    found = {bytes(row[0]) for row in vault.connection.execute("SELECT fingerprint FROM decision")}
    for number, serial, name in vault.connection.execute("SELECT id_number, serial, name FROM child"):
        found |= marks_of_row(vault.keys, {"id_number": number, "serial": serial, "name": name})
    return found


@dataclass(frozen=True)
class Known:
    """A list compared with the record.

    `new` are rows that are not known; `changed` are rows of issued children that differ, with the key of the column.
    `taken` are the ID numbers and `people` the (原始序号, 姓名) of all issued children; `count` counts known rows.
    """

    new: tuple[ListRow, ...]
    changed: tuple[tuple[ListRow, str], ...]
    taken: frozenset[str]
    people: frozenset[tuple[str, str]]
    count: int


def split_known(vault: Vault, rows: Sequence[ListRow]) -> Known:
    """Split a list into known and new rows.

    Known are rows that were excluded and are unchanged, and one row of each issued child. A second row with the same ID
    number counts as new, so that checking finds the duplicate.
    """
    keys = [column.key for column in ANNEX4.issued]
    query = f"SELECT {', '.join(keys)} FROM child ORDER BY issue, serial"
    issued_rows = [dict(zip(keys, row, strict=True)) for row in vault.connection.execute(query)]
    before = {texts["id_number"]: texts for texts in issued_rows}
    query = "SELECT fingerprint FROM decision WHERE kind = 'excluded'"
    excluded = {bytes(row[0]) for row in vault.connection.execute(query)}
    rest = [row for row in rows if row_fingerprint(vault.keys, row.texts) not in excluded]
    mine: dict[str, ListRow] = {}
    for row in rest:
        number = row.texts["id_number"]
        if number in before and (number not in mine or row.texts["serial"] == before[number]["serial"]):
            mine[number] = row
    known = {row.number for row in mine.values()}
    changed = [(row, key) for number, row in mine.items() for key in keys if before[number][key] != row.texts[key]]
    new = tuple(row for row in rest if row.number not in known)
    people = frozenset((texts["serial"], texts["name"]) for texts in issued_rows)
    return Known(new, tuple(changed), frozenset(before), people, len(rows) - len(new))


def record_issue(
    vault: Vault,
    day: dt.date,
    issue: str,
    bundles: Sequence[Bundle],
    fingerprints: Mapping[str, bytes],
    children: Sequence[Child] = (),
    decisions: Sequence[tuple[Decision, Mapping[str, str]]] = (),
) -> None:
    """Record an issue in one transaction; its workbooks have been written, with `fingerprints` by recipient.

    `children` are those of a list; `decisions` are the decisions on its rows, each with the row's texts. `bundles` is
    empty for a supplement all of whose rows were excluded.
    """
    form = bundles[0].form.key if bundles else ANNEX4.key
    with vault.transaction() as db:
        first = db.execute("SELECT id FROM issue WHERE form = ? ORDER BY issued_on, id", [form]).fetchone()
        db.execute(
            "INSERT INTO issue (id, issued_on, form, extends, key) VALUES (?, ?, ?, ?, ?)",
            [issue, day.isoformat(), form, first and first[0], vault.keys.number],
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
            _record_rows(db, bundles)
        _record_decisions(vault, issue, day, decisions)
        chain.append(vault, "issue", issue, day)


def _record_rows(db: Connection, bundles: Sequence[Bundle]) -> None:
    rows = [
        (b.issue, b.recipient, row["reference"], row["reference"].removesuffix(f"-{row['serial']}"), row["serial"],
         json.dumps(dict(row), ensure_ascii=False))
        for b in bundles
        for row in b.rows
    ]  # fmt: skip
    query = "INSERT INTO handed (issue, unit, reference, child_issue, serial, texts) VALUES (?, ?, ?, ?, ?, ?)"
    db.executemany(query, rows)


def _record_decisions(
    vault: Vault, issue: str, day: dt.date, decisions: Sequence[tuple[Decision, Mapping[str, str]]]
) -> None:
    rows = [
        (issue, d.row, d.serial, d.kind, d.value, d.officer, day.isoformat(), row_fingerprint(vault.keys, texts))
        for d, texts in decisions
    ]
    vault.connection.executemany(
        "INSERT INTO decision (issue, row, serial, kind, value, officer, decided_on, fingerprint)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


def issues(vault: Vault, form: str | None = None) -> list[str]:
    """Ids of all issues on record, or of those of one form (its key), oldest first."""
    query = "SELECT id FROM issue WHERE form = ? OR ? IS NULL ORDER BY issued_on, id"
    return [row[0] for row in vault.connection.execute(query, [form, form])]


def newest(vault: Vault, campaign: Campaign, form: Form) -> Mapping[str, Bundle]:
    """The newest bundle of a form that each recipient was handed, by recipient."""
    return {unit: bundle for (_, unit), bundle in sorted(issued(vault, campaign).items()) if bundle.form == form}


def fingerprints(vault: Vault) -> Mapping[bytes, tuple[str, str]]:
    """(issue, recipient) by the keyed fingerprint of the file that was handed out."""
    query = "SELECT fingerprint, issue, unit FROM bundle"
    return {bytes(mark): (issue, unit) for mark, issue, unit in vault.connection.execute(query)}


def completeness(vault: Vault) -> Completeness:
    """How many children were issued and how many rows excluded, purged ones included."""
    query = "SELECT sum(b.children) FROM bundle b JOIN issue i ON i.id = b.issue WHERE i.form = ?"
    issued = vault.connection.execute(query, [ANNEX4.key]).fetchone()[0] or 0
    # A row that was excluded, then corrected and issued later with the same serial, counts as one child.
    query = """SELECT count(*) FROM decision d WHERE d.kind = 'excluded'
               AND NOT EXISTS (SELECT 1 FROM child c WHERE c.serial = d.serial AND c.issue > d.issue)"""
    excluded = vault.connection.execute(query).fetchone()[0]
    query = "SELECT coalesce(sum(json_extract(certificate, '$.excluded')), 0) FROM purge"
    return Completeness(issued, excluded + vault.connection.execute(query).fetchone()[0])


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
    """Every bundle that was handed out, of every form, by (issue, recipient)."""
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
