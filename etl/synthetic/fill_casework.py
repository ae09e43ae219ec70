"""Filling in corrections and case workbooks as departments and units would: most rows, while some stay open."""

import datetime as dt
import io
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from etl.exchange.bundle import Bundle
from etl.forms.definitions import Column
from etl.forms.sheet import find_header
from etl.rulebook.campaign import Campaign
from etl.rulebook.choices import choices_of
from etl.synthetic.fill import fill_footer, made_up_name
from etl.system.sealing import seal, unseal

#: Share of rows that are filled in; the others stay open.
DONE = 0.8
#: Columns of a case that are filled in only for a returned child.
AFTER_RETURN = ("schooling", "date", "carer", "school")


def fill_casework(
    campaign: Campaign,
    bundles: Sequence[Bundle],
    folder: Path,
    inbox: Path,
    *,
    password_of: Callable[[str], str],
    seed: int,
    day: dt.date,
    done: Callable[[], None] = lambda: None,
) -> list[Path]:
    """Fill in the workbooks of `bundles` from an outbox folder and put them into `inbox`; return their paths."""
    written = []
    for bundle in bundles:
        password = password_of(bundle.recipient)
        plain = unseal((folder / bundle.file).read_bytes(), [password]).plain
        target = inbox / bundle.file
        target.write_bytes(seal(fill_bundle(campaign, bundle, plain, seed, day), password))
        written.append(target)
        done()
    return written


def fill_bundle(campaign: Campaign, bundle: Bundle, plain: bytes, seed: int, day: dt.date) -> bytes:
    """The unsealed workbook `plain`, filled in with allowed values; the same seed gives the same answers."""
    book = openpyxl.load_workbook(io.BytesIO(plain))
    sheet = book[bundle.form.sheet]
    random_ = random.Random(f"casework:{seed}:{bundle.issue}:{bundle.recipient}")
    at, first = _header(sheet, bundle)
    rows = {row[bundle.form.row_key]: row for row in bundle.rows}
    for number in range(first, first + len(bundle.rows)):
        issued = rows[str(sheet.cell(number, 1).value)]
        if random_.random() < DONE:
            for column in bundle.form.editable:
                if column.key not in AFTER_RETURN or issued.get("returned", "是") == "是":
                    sheet.cell(number, at[column.key]).value = _value(campaign, bundle, column, issued, random_, day)
    fill_footer(sheet, random_)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _header(sheet: Worksheet, bundle: Bundle) -> tuple[dict[str, int], int]:
    """(column number by key, number of the first row of data), counted from 1."""
    grid = [["" if cell is None else cell for cell in row] for row in sheet.iter_rows(max_row=10, values_only=True)]
    found = find_header(grid, bundle.form, wanted=bundle.form.wanted)
    if found is None:
        raise ValueError("the workbook has no header")
    return {key: at + 1 for key, at in found[1].items()}, found[0] + 2


def _value(
    campaign: Campaign, bundle: Bundle, column: Column, issued: Mapping[str, str], random_: random.Random, day: dt.date
) -> object:
    if column.choices:
        choices = choices_of(campaign, bundle.recipient, column)
        return random_.choice(choices.values if choices.by is None else choices.by[issued[column.depends]])
    if column.kind == "date":
        return max(campaign.noticed, day - dt.timedelta(days=random_.randrange(0, 5)))
    if column.key == "school":
        return f"第{random_.choice('一二三四五')}小学{random_.choice('三四五六')}年级{random_.choice('一二三')}班"
    return made_up_name(random_) if column.kind == "names" else None
