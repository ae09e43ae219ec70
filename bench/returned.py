"""Returned workbooks, filled as a township fills them; some are spoiled, so that findings can be compared."""

import datetime as dt
import io
import random
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import openpyxl

from bench.common import KEYS, SEED, Handed, processes
from etl.check.annex5_sums import summarise
from etl.forms.definitions import ANNEX4, ANNEX5, MANIFEST_SHEET
from etl.forms.manifest import Manifest
from etl.forms.sheet import column_letters
from etl.issue.workbook import build_workbook
from etl.rulebook.campaign import Campaign
from etl.synthetic.faults import COLUMN, FAULTS, RESEALED
from etl.synthetic.fill import fill_workbook
from etl.system.sealing import seal

#: A formula that nobody has calculated, as openpyxl leaves it, in the two rows of figures of 附件5.
EMPTY = re.compile(r'(<c r="([A-Z]+)([45])"[^>]*><f>[^<]*</f>)<v ?/>')
Spoil = Callable[[Any, list[int]], None]


def _put(key: str, value: object) -> Spoil:
    def spoil(book: Any, rows: list[int]) -> None:
        book[ANNEX4.sheet].cell(rows[0], COLUMN[key]).value = value

    return spoil


def _copy_serial(book: Any, rows: list[int]) -> None:
    sheet = book[ANNEX4.sheet]
    sheet.cell(rows[1], 1).value = sheet.cell(rows[0], 1).value


def _own_name(book: Any, rows: list[int]) -> None:
    sheet = book[ANNEX4.sheet]
    sheet.cell(rows[0], COLUMN["team"]).value = sheet.cell(rows[0], COLUMN["name"]).value


def _ill(book: Any, rows: list[int]) -> None:
    sheet = book[ANNEX4.sheet]
    sheet.cell(rows[0], COLUMN["category"]).value, sheet.cell(rows[0], COLUMN["returned"]).value = "I.因病因残", "无"


def _over_age(book: Any, rows: list[int]) -> None:
    sheet = book[ANNEX4.sheet]
    for row in rows:
        sheet.cell(row, COLUMN["category"]).value, sheet.cell(row, COLUMN["returned"]).value = "F.超龄离校", "无"


def _other_unit(book: Any, _: list[int]) -> None:
    book[MANIFEST_SHEET].cell(3, 2).value = "unit-9999"


def _heading(book: Any, rows: list[int]) -> None:
    book[ANNEX4.sheet].cell(rows[0] - 1, COLUMN["sex"]).value = "男女"


def _two_sheets(book: Any, _: list[int]) -> None:
    book.copy_worksheet(book[ANNEX4.sheet])


#: Further faults besides those of `etl/synthetic/faults.py`.
SPOILED: Mapping[str, Spoil] = {
    "same-as-above": _put("team", "同上"),
    "digit-team": _put("team", "3"),
    "own-name": _own_name,
    "wide-category": _put("category", "Ｂ.在校有学籍 "),
    "blank-returned": _put("returned", None),
    "ill-not-asked": _ill,
    "all-over-age": _over_age,
    "date-team": _put("team", dt.datetime(2019, 2, 26)),
    "truth-returned": _put("returned", True),
    "error-category": _put("category", "#N/A"),
    "number-serial": _put("serial", 1),
    "other-household": _put("household", "某处"),
    "foreign-serial": _put("serial", "999999"),
    "twice": _copy_serial,
    "other-unit": _other_unit,
    "other-heading": _heading,
    "two-sheets": _two_sheets,
}
#: 附件5: a figure changed, or none calculated.
MISCOUNTED, UNCALCULATED = "miscounted", "uncalculated"
#: Half of the file is missing.
CUT = "cut"
KINDS = (*FAULTS, *SPOILED, MISCOUNTED, UNCALCULATED, CUT)


def returned(campaign: Campaign, handed: Sequence[Handed], faults: Sequence[str] = ()) -> list[bytes]:
    """The plain workbooks as they come back; the first ones each with one of `faults`."""
    jobs = [(one, fault) for one, fault in zip(handed, [*faults, *[""] * len(handed)], strict=False)]
    with processes() as pool:
        return list(pool.map(partial(_fill, campaign), jobs, chunksize=5))


def _fill(campaign: Campaign, job: tuple[Handed, str]) -> bytes:
    handed, fault = job
    bundle = handed.bundle
    manifest = Manifest(ANNEX4.key, bundle.issue, bundle.recipient, bundle.keys).signed(partial(KEYS.mac, "manifest"))
    truth = {person.child.serial: person for person in handed.people}
    random_ = random.Random(f"bench:{SEED}:{bundle.recipient}")  # noqa: S311 - made-up people need a seed, not secrecy
    plain = fill_workbook(campaign, build_workbook(campaign, bundle, manifest), truth, random_, fault=fault)
    if fault in SPOILED:
        plain = _spoil(plain, SPOILED[fault], set(bundle.keys))
    return plain if fault == UNCALCULATED else calculate(campaign, handed, plain, is_wrong=fault == MISCOUNTED)


def _spoil(plain: bytes, spoil: Spoil, serials: set[str]) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(plain))
    sheet = book[ANNEX4.sheet]
    spoil(book, [row for row in range(1, sheet.max_row) if sheet.cell(row, 1).value in serials])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def calculate(campaign: Campaign, handed: Handed, plain: bytes, *, is_wrong: bool = False) -> bytes:
    """The workbook with the figures of 附件5 that Excel would have stored beside its formulas."""
    sums = summarise(campaign, ((p.category, "是" if p.is_back else "否") for p in handed.people))
    values = {column_letters(at): sums[column.key] for at, column in enumerate(ANNEX5.columns) if column.key in sums}
    values["D"] += is_wrong
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            text = old.read(info)
            if info.filename == "xl/worksheets/sheet2.xml":
                text = EMPTY.sub(lambda found: f"{found[1]}<v>{values[found[2]]}</v>", text.decode()).encode()
            new.writestr(info.filename, text)
    return out.getvalue()


def sealed(handed: Sequence[Handed], plain: Sequence[bytes], faults: Sequence[str] = ()) -> list[bytes]:
    """The workbooks under their passwords; one whose fault is RESEALED under its clerk's own."""
    kinds = [*faults, *[""] * len(plain)]
    passwords = [
        "123456" if kind == RESEALED else KEYS.password(one.bundle.issue, one.bundle.recipient)
        for one, kind in zip(handed, kinds, strict=False)
    ]
    with processes() as pool:
        return list(pool.map(seal, plain, passwords, chunksize=5))


def cut(files: Sequence[bytes], faults: Sequence[str]) -> list[bytes]:
    """The files as sent, those with the fault CUT halved."""
    kinds = [*faults, *[""] * len(files)]
    return [file[: len(file) // 2] if kind == CUT else file for file, kind in zip(files, kinds, strict=False)]
