"""A sheet of texts to print and write on: title, notes, and a table whose header is repeated on every page."""

from collections.abc import Sequence
from typing import Any

from etl.forms.sheet import LINE, lines_of

Line = Sequence[str]
#: xlsxwriter options that keep texts as texts, even if they look like a formula, a link or a number.
AS_TEXT = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def add_sheet(
    book: Any, name: str, title: str, notes: Sequence[str], columns: Sequence[tuple[str, int]], lines: Sequence[Line]
) -> None:
    """Add a sheet to an xlsxwriter workbook. `columns` are (heading, width in characters).

    A line with fewer texts than columns leaves the last columns empty, to be filled in by hand.
    """
    sheet = book.add_worksheet(name)
    base = {"font_name": "宋体", "font_size": 11, "valign": "vcenter", "text_wrap": True, "num_format": "@"}
    grid = book.add_format(base | {"border": 1})
    head = book.add_format(base | {"border": 1, "bold": True, "align": "center", "bg_color": "#E7EDF3"})
    sheet.write_string(0, 0, title, book.add_format({"font_name": "宋体", "font_size": 16, "bold": True}))
    for row, note in enumerate(notes, start=1):
        sheet.write_string(row, 0, note, book.add_format({"font_name": "宋体", "font_size": 11}))
    header = len(notes) + 1
    for at, (heading, width) in enumerate(columns):
        sheet.set_column(at, at, width)
        sheet.write_string(header, at, heading, head)
    sheet.set_row(header, 2 * LINE + 4)
    for row, line in enumerate(lines, start=header + 1):
        texts = [*line, *[""] * (len(columns) - len(line))]
        for at, text in enumerate(texts):
            sheet.write_string(row, at, text, grid)
        most = max(lines_of(text, width) for text, (_, width) in zip(texts, columns, strict=True))
        sheet.set_row(row, most * LINE + 6)
    sheet.freeze_panes(header + 1, 0)
    sheet.repeat_rows(header)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&C第 &P 页，共 &N 页")
