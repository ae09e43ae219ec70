"""Sheets as parsed: cell addresses, spellings of headings, where a form's header is (M6), and line heights."""

import unicodedata
from collections.abc import Sequence

from etl.forms.definitions import Form

#: Cells of a sheet, row by row.
Grid = Sequence[Sequence[object]]
LINE = 16.0  # height in points of one line of an 11-point font (Noto Sans CJK: 15.7; 宋体 less)


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
    """A heading normalised, so that spaces, line breaks and full-width brackets make no difference."""
    return "".join(unicodedata.normalize("NFKC", text).split()) if text else ""


def headings(form: Form) -> dict[str, str]:
    """Every known spelling of a heading, normalised, with the key of its column."""
    return {same_heading(h): column.key for column in form.columns for h in (column.heading, *column.aliases)}


def find_header(
    rows: Grid, form: Form, *, wanted: tuple[str, ...], within: int = 30
) -> tuple[int, dict[str, int]] | None:
    """(row index of a form's header, column index by key), or None if no header is found.

    The header is the first of the first `within` rows that names every `wanted` column exactly once, in any order.
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
    """How many lines a text takes in a column that is `width` characters wide; a Chinese character counts as two."""
    room = max(width - 1.5, 2)
    return sum(max(1, _ceil(_wide(line) / room)) for line in text.split("\n"))


def _wide(text: str) -> float:
    # A line breaks before a wide character that does not fit, so each line loses at most one half-width place.
    return sum(2.1 if unicodedata.east_asian_width(character) in "WFA" else 1.15 for character in text)


def _ceil(value: float) -> int:
    return -int(-value // 1)
