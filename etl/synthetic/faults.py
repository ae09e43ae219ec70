"""Typical faults of returned workbooks: each function puts one into a filled sheet, and the check must find it."""

from collections.abc import Callable, Mapping

from openpyxl.worksheet.worksheet import Worksheet

from etl.forms.definitions import ANNEX4

COLUMN = {column.key: at for at, column in enumerate(ANNEX4.columns, start=1)}
_Fault = Callable[[Worksheet, list[int]], None]
#: A fault of the file, not of the sheet: it is sealed with another password.
RESEALED = "resealed"


def _set(sheet: Worksheet, row: int, key: str, value: object) -> None:
    sheet.cell(row, COLUMN[key]).value = value


def _contradiction(sheet: Worksheet, rows: list[int]) -> None:
    returned = "无" if str(sheet.cell(rows[0], COLUMN["category"]).value)[0] >= "I" else "是"
    _set(sheet, rows[0], "returned", returned)


def _shift_up(sheet: Worksheet, rows: list[int]) -> None:
    sheet.delete_rows(rows[-1])


def _changed_name(sheet: Worksheet, rows: list[int]) -> None:
    _set(sheet, rows[0], "name", f"{sheet.cell(rows[0], COLUMN['name']).value}改")


def _number(sheet: Worksheet, rows: list[int]) -> None:
    cell = sheet.cell(rows[0], COLUMN["id_number"])
    cell.number_format = "0"
    cell.value = float(str(cell.value)[:17] + "0")


#: The functions by kind of fault. The tests say which rule must find each.
FAULTS: Mapping[str, _Fault] = {
    "blank-category": lambda sheet, rows: _set(sheet, rows[0], "category", None),
    "unlisted-category": lambda sheet, rows: _set(sheet, rows[0], "category", "N.不清楚"),
    "contradiction": _contradiction,
    "blank-team": lambda sheet, rows: _set(sheet, rows[0], "team", None),
    "missing-row": _shift_up,
    "changed-name": _changed_name,
    "numeric-id": _number,
    "formula": lambda sheet, rows: _set(sheet, rows[0], "category", '="B.在校有学籍"'),
}
