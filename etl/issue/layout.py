"""Where everything stands on a workbook's first sheet: rows, columns, addresses, and how high a row must be."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from etl.forms.definitions import Column, Form
from etl.forms.sheet import LINE, column_letters, lines_of

#: Zero-based rows: title, progress line, header, then the data.
TITLE, PROGRESS, HEADER, FIRST = 0, 1, 2, 3
TALLEST = 409.0  # points: Excel knows no higher row
LEAST = 2  # lines: room for what is typed by hand, since a protected row does not grow by itself


@dataclass(frozen=True)
class Layout:
    """The table of a form with `count` rows of data; what is typed as a date is not before `first_day`."""

    form: Form
    count: int
    first_day: dt.date = dt.date(1900, 3, 1)

    @property
    def first_serial(self) -> int:
        """The number by which a spreadsheet knows the first day."""
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
        """The zero-based column of a key."""
        return self.form.columns.index(self.form.column(key))

    def cell(self, key: str) -> str:
        """A reference to the column's cell in the first row of data, for formulas that move down with the row."""
        return f"${column_letters(self.at(key))}{FIRST + 1}"

    def area(self, key: str) -> str:
        """A reference to all of the column's cells."""
        letters = column_letters(self.at(key))
        return f"${letters}${FIRST + 1}:${letters}${self.last + 1}"

    def footer_cells(self) -> list[tuple[int, int, Column]]:
        """(column of the label, column of the blank, field) of the footer's fields, spread over the table's width."""
        step = max(2, (self.right + 1 + 1) // len(self.form.footer))
        return [(number * step, number * step + 1, field) for number, field in enumerate(self.form.footer)]


def row_height(row: Mapping[str, str], form: Form) -> float:
    """Points that a row of data needs, so that no wrapped text is cut off."""
    lines = [lines_of(text, form.column(key).width) for key, text in row.items()]
    return min(max(LEAST, *lines) * LINE + 3, TALLEST)
