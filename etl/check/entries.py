"""Checking rows of forms other than 附件4 by the definitions of their columns (M15–M17)."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from etl.check.predicates import is_named
from etl.check.reconcile import Pair, tidy
from etl.exchange.bundle import Bundle
from etl.exchange.checked import Entry
from etl.exchange.submission import Value
from etl.findings import Finding
from etl.forms.definitions import Column
from etl.rulebook.campaign import Campaign
from etl.rulebook.choices import choices_of
from etl.system.dates import parse_date, parse_written


def check_entries(
    pairs: Sequence[Pair], bundle: Bundle, campaign: Campaign, file: str, sheet: str, day: dt.date
) -> tuple[list[Entry], list[Finding]]:
    """(entries, findings) of a submission's rows.

    Dates must lie between the campaign's notice and `day`, the day of loading.
    """
    form = bundle.form
    entries, findings = [], []
    for issued, row in pairs:
        values: dict[str, str] = {}
        for column in form.editable:
            if column.may_lack and column.key not in row:
                continue
            values[column.key] = _value(bundle, campaign, column, row[column.key], {**issued, **values})
        key = issued[form.row_key]
        entries.append(Entry(key, values))
        for rule, column in _faults(bundle, campaign, {**issued, **values}, day):
            value = row[column.key]
            if not (value.is_formula or (value.is_other and not value.is_date)):  # these have findings of their own
                params = {"column": column.heading.split("（")[0], "first": campaign.noticed, "last": day}
                findings.append(campaign.finding(rule, file, sheet=sheet, cell=value.cell, serial=key, **params))
    return entries, findings


def _value(bundle: Bundle, campaign: Campaign, column: Column, value: Value, texts: Mapping[str, str]) -> str:
    text = tidy(value.text)
    if column.choices:
        return _find(bundle, campaign, column, text, texts) or text
    if column.kind != "date":
        return text
    try:
        return parse_written(text).isoformat()
    except ValueError:
        return text


def _find(bundle: Bundle, campaign: Campaign, column: Column, text: str, texts: Mapping[str, str]) -> str | None:
    """The listed value that a text means, or None."""
    return choices_of(campaign, bundle.recipient, column).find(tidy(text), texts.get(column.depends, ""))


def _faults(bundle: Bundle, campaign: Campaign, texts: Mapping[str, str], day: dt.date) -> Iterator[tuple[str, Column]]:
    present = [column for column in bundle.form.editable if column.key in texts]
    for column in present:
        if not texts[column.key]:
            if any(column.key in other.needs and texts[other.key] for other in present):
                yield "E02", column
        elif rule := _fault(bundle, campaign, column, texts, day):
            yield rule, column
    if texts.get("returned") == "否" and texts.get("schooling"):
        yield "E06", bundle.form.column("schooling")


def _fault(bundle: Bundle, campaign: Campaign, column: Column, texts: Mapping[str, str], day: dt.date) -> str:
    """The rule that a filled column breaks, or an empty text."""
    text = texts[column.key]
    if column.choices:
        return "" if _find(bundle, campaign, column, text, texts) else "E01"
    if column.kind == "date":
        return _date_fault(text, campaign, day)
    return "E05" if column.kind == "names" and not is_named(text) else ""


def _date_fault(text: str, campaign: Campaign, day: dt.date) -> str:
    try:
        date = parse_date(text)
    except ValueError:
        return "E03"
    return "" if campaign.noticed <= date <= day else "E04"
