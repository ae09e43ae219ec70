"""The layout of a workbook's first sheet: rows, columns, addresses and row heights."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from etl.forms.definitions import Column, Form
from etl.forms.sheet import LINE, column_letters, lines_of

#: Zero-based rows: title, progress line, header, then the data.
TITLE, PROGRESS, HEADER, FIRST = 0, 1, 2, 3
TALLEST = 409.0  # points: the greatest row height in Excel
LEAST = 2  # lines: room for typed text, since rows of a protected sheet do not grow by themselves


@dataclass(frozen=True)
class Layout:
    """The table of a form with `count` rows of data. Dates that are typed in must not be before `first_day`."""

    form: Form
    count: int
    first_day: dt.date = dt.date(1900, 3, 1)

    @property
    def first_serial(self) -> int:
        """`first_day` as a spreadsheet's serial number of a date."""
        return (self.first_day - dt.date(1899, 12, 30)).days

    @property
    def last(self) -> int:
        """The zero-based last row of data."""
        return FIRST + self.count - 1

    @property
    def footer(self) -> int:
        """The zero-based row of the footer."""
        return FIRST + self.count

    @property
    def right(self) -> int:
        """The zero-based last column."""
        return len(self.form.columns) - 1

    def at(self, key: str) -> int:
        """The zero-based index of a column by its key."""
        return self.form.columns.index(self.form.column(key))

    def cell(self, key: str) -> str:
        """A reference to the column's cell in the first row of data, relative by row, such as ``$J4``."""
        return f"${column_letters(self.at(key))}{FIRST + 1}"

    def area(self, key: str) -> str:
        """A reference to all data cells of a column, such as ``$J$4:$J$9``."""
        letters = column_letters(self.at(key))
        return f"${letters}${FIRST + 1}:${letters}${self.last + 1}"

    def footer_cells(self) -> list[tuple[int, int, Column]]:
        """(column index of the label, of the blank, field) of each footer field, spread over the table's width."""
        step = max(2, (self.right + 1 + 1) // len(self.form.footer))
        return [(number * step, number * step + 1, field) for number, field in enumerate(self.form.footer)]


def row_height(row: Mapping[str, str], form: Form) -> float:
    """The height in points that a row of data needs so that wrapped text is not cut off."""
    lines = [lines_of(text, form.column(key).width) for key, text in row.items()]
    return min(max(LEAST, *lines) * LINE + 3, TALLEST)
