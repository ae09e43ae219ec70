"""Sheets as parsers give them: addresses, headings as people spell them, and where a form's header stands (M6)."""

import unicodedata
from collections.abc import Sequence

from etl.forms.definitions import Form

#: Cells of a sheet, row by row.
Grid = Sequence[Sequence[object]]
LINE = 16.0  # points that one line of an 11-point font needs (Noto Sans CJK: 15.7; 宋体 less)


def column_letters(column: int) -> str:
    """The letters of a column such as ``J``; `column` counts from 0."""
    letters = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def cell_address(row: int, column: int) -> str:
    """The address of a cell such as ``J7``; `row` and `column` count from 0."""
    return f"{column_letters(column)}{row + 1}"


def same_heading(text: str) -> str:
    """A heading without what people and programs change: width of brackets, spaces, line breaks."""
    return "".join(unicodedata.normalize("NFKC", text).split()) if text else ""


def headings(form: Form) -> dict[str, str]:
    """Column key by every known spelling of its heading, normalised."""
    return {same_heading(h): column.key for column in form.columns for h in (column.heading, *column.aliases)}


def find_header(
    rows: Grid, form: Form, *, wanted: tuple[str, ...], within: int = 30
) -> tuple[int, dict[str, int]] | None:
    """The row index of a form's header and the column index of each key, or None.

    A row is the header if it names every `wanted` column exactly once; its place does not matter.
    """
    known: dict[str, str] = {}
    for index, row in enumerate(rows[:within]):
        if len(row) < len(wanted):
            continue
        known = known or headings(form)
        keys = [known.get(same_heading(str(value))) for value in row]
        if all(keys.count(key) == 1 for key in wanted):
            return index, {key: at for at, key in enumerate(keys) if key is not None}
    return None


def lines_of(text: str, width: float) -> int:
    """Lines that a text takes in a column of so many characters; a Chinese character is two wide."""
    room = max(width - 1.5, 2)
    return sum(max(1, _ceil(_wide(line) / room)) for line in text.split("\n"))


def _wide(text: str) -> float:
    # A line breaks before a wide sign that does not fit: at most one half-width place is lost on each.
    return sum(2.1 if unicodedata.east_asian_width(sign) in "WFA" else 1.15 for sign in text)


def _ceil(value: float) -> int:
    return -int(-value // 1)
