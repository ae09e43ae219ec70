"""Where everything stands on a workbook's first sheet: rows, columns, addresses, and how high a row must be."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from etl.forms import Column, Form
from etl.grid import column_letters

#: Zero-based rows: title, progress line, header, then the data.
TITLE, PROGRESS, HEADER, FIRST = 0, 1, 2, 3
LINE = 15.0  # points that one line of an 11-point font needs
LEAST = 2  # lines: room for what is typed by hand, since a protected row does not grow by itself


@dataclass(frozen=True)
class Layout:
    """The table of a form with `count` rows of data."""

    form: Form
    count: int

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
    return max(LEAST, *lines) * LINE + 3


def lines_of(text: str, width: float) -> int:
    """Lines that a text takes in a column of so many characters; a Chinese character is two wide."""
    room = max(width - 1.5, 2)
    return sum(max(1, _ceil(_wide(line) / room)) for line in text.split("\n"))


def _wide(text: str) -> float:
    # A line breaks before a wide sign that does not fit: at most one half-width place is lost on each.
    return sum(2.1 if unicodedata.east_asian_width(sign) in "WFA" else 1.15 for sign in text)


def _ceil(value: float) -> int:
    return -int(-value // 1)
