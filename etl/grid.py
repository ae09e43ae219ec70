"""Sheets as parsers give them: addresses, headings as people spell them, and where a form's header stands (M6)."""

import unicodedata
from collections.abc import Sequence

from etl.forms import Form

#: Cells of a sheet, row by row.
Grid = Sequence[Sequence[object]]


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
    return "".join(unicodedata.normalize("NFKC", text).split())


def headings(form: Form) -> dict[str, str]:
    """Column key by every known spelling of its heading, normalised."""
    return {same_heading(h): column.key for column in form.columns for h in (column.heading, *column.aliases)}


def find_header(
    rows: Grid, form: Form, *, wanted: tuple[str, ...], within: int = 30
) -> tuple[int, dict[str, int]] | None:
    """The row index of a form's header and the column index of each key, or None.

    A row is the header if it names every `wanted` column exactly once; its place does not matter.
    """
    known = headings(form)
    for index, row in enumerate(rows[:within]):
        keys = [known.get(same_heading(str(value))) for value in row]
        if all(keys.count(key) == 1 for key in wanted):
            return index, {key: at for at, key in enumerate(keys) if key is not None}
    return None
