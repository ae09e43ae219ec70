"""Writing a synthetic population as the province's list, an Excel workbook."""

from collections.abc import Sequence
from pathlib import Path

import xlsxwriter

from etl.forms.definitions import ANNEX4
from etl.synthetic.population import Person


def write_list(path: Path, people: Sequence[Person]) -> None:
    """Write the list: a title, the eight issued columns, and one row per child; all cells are text."""
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_numbers": False}) as book:
        sheet = book.add_worksheet("名单")
        text = book.add_format({"num_format": "@"})
        sheet.write_string(0, 0, "疑似失学儿童名单（合成数据，非真实个人）")
        for at, column in enumerate(ANNEX4.issued):
            sheet.set_column(at, at, column.width)
            sheet.write_string(1, at, column.heading)
            for row, person in enumerate(people, start=2):
                sheet.write_string(row, at, getattr(person.child, column.key), text)
