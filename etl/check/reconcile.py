"""Comparing a submission with its bundle (M8): every row exactly once, every issued column unchanged."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import takewhile

from etl.exchange.bundle import Bundle
from etl.exchange.submission import Row, Submission, Value
from etl.findings import Finding
from etl.forms.definitions import Column, Form
from etl.rulebook.campaign import Campaign

#: Zero-width characters, soft hyphens and byte-order marks, which pasted text often contains.
INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
#: How many results of `tidy` are cached, since the same teams and categories occur many times.
CACHED = 1024
#: An issued row (text by column key) and the returned row (value by column key).
Pair = tuple[Mapping[str, str], Mapping[str, Value]]


@lru_cache(CACHED)
def tidy(text: str) -> str:
    """A text in NFKC, without invisible characters and outer spaces. Only for editable columns, not issued ones."""
    return unicodedata.normalize("NFKC", text.translate(INVISIBLE)).strip()


def match_rows(
    submission: Submission, bundle: Bundle, campaign: Campaign, file: str
) -> tuple[list[Pair], list[Finding]]:
    """(pairs of an issued row and its returned row, in the order issued; a finding for each difference)."""
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
            find(_unknown_row_rule(row[row_key]), row[row_key], None, column=heading)
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


def _unknown_row_rule(value: Value) -> str:
    """The rule for a row whose key was not issued; `value` is the key's cell, which may be a formula or an error."""
    if value.is_formula:
        return "R06"
    return "R08" if value.is_other else "R03"


def _key(value: Value, issued: Mapping[str, object]) -> str:
    """The key that a cell means. If 0008 was retyped as the number 8, it is still that row; R04 reports the change."""
    if value.is_number and value.text not in issued:
        same = [key for key in issued if (key.lstrip("0") or "0") == value.text]
        if len(same) == 1:
            return same.pop()
    return value.text


Difference = tuple[str, Value, Mapping[str, object]]


def _compare(form: Form, issued: Mapping[str, str], row: Mapping[str, Value]) -> Iterable[Difference]:
    return () if _is_as_issued(form, issued, row) else _differences(form, issued, row)


def _differences(form: Form, issued: Mapping[str, str], row: Mapping[str, Value]) -> Iterator[Difference]:
    for column in _present(form, row):
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
    """True if a row needs no closer look, as nearly all: only texts, issued ones unchanged, filled ones tidy."""
    texts = row.texts_alone if isinstance(row, Row) else None
    return texts is not None and all(
        tidy(texts[column.key]) == texts[column.key] if column.editable else texts[column.key] == issued[column.key]
        for column in _present(form, row)
    )


def _present(form: Form, row: Mapping[str, Value]) -> Iterable[Column]:
    return (column for column in form.columns if not column.may_lack or column.key in row)


def _how(was: str, found: str) -> dict[str, object]:
    """Where two texts begin to differ and how long they are. The texts are left out: they may be personal."""
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(was, found, strict=False)))
    return {"at": same + 1, "was": len(was), "found": len(found)}
