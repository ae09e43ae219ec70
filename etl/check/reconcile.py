"""What came back against what was issued (M8): every serial exactly once, every issued column unchanged."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from etl.campaign import Campaign
from etl.child import Child
from etl.findings import Finding
from etl.forms import ANNEX4
from etl.submission import Submission, Value

#: Zero-width characters and byte-order marks that pasting brings along.
INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))


def tidy(text: str) -> str:
    """NFKC, invisible characters out, outer spaces off: for the three editable columns only (design, Normalising)."""
    return unicodedata.normalize("NFKC", text.translate(INVISIBLE)).strip()


def match_rows(
    submission: Submission, issued: Sequence[Child], campaign: Campaign, file: str
) -> tuple[list[tuple[Child, Mapping[str, Value]]], list[Finding]]:
    """Rows that belong to an issued child, in the order issued, and every difference as a finding."""
    children = {child.serial: child for child in issued}
    seen: dict[str, Mapping[str, Value]] = {}
    findings = []

    def find(rule: str, value: Value | None, serial: str | None, **params: object) -> None:
        cell = value.cell if value else ""
        findings.append(campaign.finding(rule, file, sheet=submission.sheet, cell=cell, serial=serial, **params))

    for row in submission.rows:
        serial = row["serial"].text
        if serial not in children:
            find("R03", row["serial"], None)
        elif serial in seen:
            find("R02", row["serial"], serial)
        else:
            seen[serial] = row
            for rule, value, heading in _differences(children[serial], row):
                find(rule, value, serial, column=heading)
    for serial in children:
        if serial not in seen:
            find("R01", None, serial)
    return [(children[serial], seen[serial]) for serial in children if serial in seen], findings


def _differences(child: Child, row: Mapping[str, Value]) -> Iterator[tuple[str, Value, str]]:
    for column in ANNEX4.columns:
        value = row[column.key]
        if value.is_formula:
            yield "R06", value, column.heading
        elif value.is_other:
            yield "R08", value, column.heading
        elif column.editable:
            if tidy(value.text) != value.text:
                yield "R07", value, column.heading
        elif column.key == "id_number" and value.is_number:
            yield "R05", value, column.heading
        elif value.text != getattr(child, column.key):
            yield "R04", value, column.heading
