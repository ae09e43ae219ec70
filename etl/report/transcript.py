"""Copying, value by value, a workbook that openpyxl cannot load: an .xls, an .ods, or an unusual .xlsx."""

import datetime as dt
import io

import python_calamine
from openpyxl.utils import get_column_letter
from openpyxl.workbook.workbook import Workbook

from etl.forms.definitions import MANIFEST_SHEET, Form


def transcribe(plain: bytes, form: Form) -> Workbook:
    """A new workbook with the same values at the same addresses, without formulas, formats and macros.

    The manifest's sheet stays hidden. Raises python_calamine.CalamineError or ValueError if the file cannot be read.
    """
    source = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(plain))
    book = Workbook()
    book.remove(book.worksheets[0])
    for name in source.sheet_names:
        sheet = book.create_sheet(name)
        if name == MANIFEST_SHEET:
            sheet.sheet_state = "veryHidden"
        for column, widths in enumerate(form.columns, start=1):
            sheet.column_dimensions[get_column_letter(column)].width = widths.width
        for row, cells in enumerate(source.get_sheet_by_name(name).to_python(skip_empty_area=False), start=1):
            for column, value in enumerate(cells, start=1):
                if value != "":
                    cell = sheet.cell(row, column)
                    cell.value = _shown(value)
                    cell.data_type = "n" if isinstance(value, float) else "s"  # a text that begins with = stays text
    return book


def _shown(value: object) -> float | str:
    if isinstance(value, float):
        return value
    return value.date().isoformat() if isinstance(value, dt.datetime) and value.time() == dt.time() else str(value)
