"""What came back against what was issued (M8): every row exactly once, every issued column unchanged."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import takewhile

from etl.exchange.bundle import Bundle
from etl.exchange.submission import Row, Submission, Value
from etl.findings import Finding
from etl.forms.definitions import Form
from etl.rulebook.campaign import Campaign

#: Zero-width characters and byte-order marks that pasting brings along.
INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
#: Texts kept tidied: the same teams and categories come over and over.
CACHED = 1024
Pair = tuple[Mapping[str, str], Mapping[str, Value]]


@lru_cache(CACHED)
def tidy(text: str) -> str:
    """NFKC, invisible characters out, outer spaces off: for the editable columns only (design, Normalising)."""
    return unicodedata.normalize("NFKC", text.translate(INVISIBLE)).strip()


def match_rows(
    submission: Submission, bundle: Bundle, campaign: Campaign, file: str
) -> tuple[list[Pair], list[Finding]]:
    """Pairs of an issued row and what came back of it, in the order issued, and every difference as a finding."""
    issued = dict(zip(bundle.keys, bundle.rows, strict=True))
    row_key = bundle.form.row_key
    seen: dict[str, Mapping[str, Value]] = {}
    findings = []

    def find(rule: str, value: Value | None, serial: str | None, **params: object) -> None:
        cell = value.cell if value else ""
        findings.append(campaign.finding(rule, file, sheet=submission.sheet, cell=cell, serial=serial, **params))

    for row in submission.rows:
        key = _key(row[row_key], issued)
        if key not in issued:
            heading = bundle.form.column(row_key).heading
            find(_stranger(row[row_key]), row[row_key], None, column=heading)
        elif key in seen:
            find("R02", row[row_key], key)
        else:
            seen[key] = row
            for rule, value, params in _compare(bundle.form, issued[key], row):
                find(rule, value, key, **params)
    for key in issued:
        if key not in seen:
            find("R01", None, key)
    return [(issued[key], seen[key]) for key in issued if key in seen], findings


def _stranger(value: Value) -> str:
    """The rule for a row whose key was not issued: a formula or an error there says nothing of the row's child."""
    if value.is_formula:
        return "R06"
    return "R08" if value.is_other else "R03"


def _key(value: Value, issued: Mapping[str, object]) -> str:
    """The key that a cell stands for: typed as a number, 0008 has become 8, and is still that row; R04 tells."""
    if value.is_number and value.text not in issued:
        same = [key for key in issued if (key.lstrip("0") or "0") == value.text]
        if len(same) == 1:
            return same.pop()
    return value.text


Difference = tuple[str, Value, Mapping[str, object]]


def _compare(form: Form, issued: Mapping[str, str], row: Mapping[str, Value]) -> Iterable[Difference]:
    return () if _is_as_issued(form, issued, row) else _differences(form, issued, row)


def _differences(form: Form, issued: Mapping[str, str], row: Mapping[str, Value]) -> Iterator[Difference]:
    for column in form.columns:
        value, params = row[column.key], {"column": column.heading}
        if value.is_formula:
            yield "R06", value, params
        elif value.is_other and not (column.kind == "date" and value.is_date):
            yield "R08", value, params
        elif column.editable:
            if tidy(value.text) != value.text:
                yield "R07", value, params
        elif column.key == "id_number" and value.is_number:
            yield "R05", value, params
        elif value.text != issued[column.key]:
            yield "R04", value, params | _how(issued[column.key], value.text)


def _is_as_issued(form: Form, issued: Mapping[str, str], row: Mapping[str, Value]) -> bool:
    """True of nearly every row: texts alone, what was issued unchanged, nothing filled in that needs tidying."""
    texts = row.texts_alone if isinstance(row, Row) else None
    return texts is not None and all(
        tidy(texts[column.key]) == texts[column.key] if column.editable else texts[column.key] == issued[column.key]
        for column in form.columns
    )


def _how(was: str, found: str) -> dict[str, object]:
    """How two texts differ, told without either of them: they may be personal."""
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(was, found, strict=False)))
    return {"at": same + 1, "was": len(was), "found": len(found)}
