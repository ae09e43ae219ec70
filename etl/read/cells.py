"""Parsing an unsealed workbook into rows with cell addresses; the form is found by its headings (M6)."""

import datetime as dt
import io
import math
from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter

import python_calamine

from etl.exchange.submission import Problem, Row, Submission, Value
from etl.forms.definitions import ANNEX4, FORMS, MANIFEST_SHEET, Form
from etl.forms.manifest import Manifest, parse_manifest
from etl.forms.sheet import Grid, cell_address, column_letters, find_header, same_heading
from etl.read.annex5 import read_annex5
from etl.read.guard import look_before_parsing
from etl.read.marks import Marks, Refused, too_large
from etl.rulebook.limits import Limits

#: A row below the footer counts as a row of the table, not as a remark, if this many of the form's columns are filled.
ROW_LIKE = 4


def parse_workbook(plain: bytes, limits: Limits) -> Submission:
    """The rows, footer and manifest of an unsealed xlsx, xls or ods.

    The manifest says which form it is; its signature is checked later. Raises Refused if no sheet or more than one has
    the form's header, or if the file is damaged, too large or active.
    """
    guarded = look_before_parsing(plain, limits)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(plain))
        grids = {name: _grid(book, name, limits) for name in book.sheet_names}
    except (python_calamine.CalamineError, ValueError) as error:
        raise Refused(Problem("F01")) from error
    manifest = _manifest(grids)
    form = FORMS.get(manifest.form, ANNEX4) if manifest else ANNEX4
    headers = {name: find_header(grid, form, wanted=form.wanted) for name, grid in grids.items()}
    found = [(name, header) for name, header in headers.items() if header is not None]
    if not found:
        raise Refused(Problem("F07"))
    if len(found) > 1:
        raise Refused(Problem("F14"))
    ((name, (first, at)),) = found
    keys = frozenset(manifest.serials) if manifest else frozenset()
    # A sheet's name may contain any text, such as a child's name, so only the form's own name is shown.
    shown = name if name == form.sheet else f"第{list(grids).index(name) + 1}张表"
    _bound_texts(grids[name], shown, limits.cell_characters)
    rows, footer = _Table(form, grids[name], first, at, guarded.sheets[name], keys).read()
    return Submission(shown, rows, footer, manifest, read_annex5(grids), problems=guarded.notes)


def _grid(book: python_calamine.CalamineWorkbook, name: str, limits: Limits) -> Grid:
    sheet = book.get_sheet_by_name(name)
    if sheet.total_height * max(sheet.total_width, 1) > limits.rows * 100:
        raise too_large(limits.rows)
    # Leading empty rows are kept; otherwise the addresses below them would be wrong.
    return sheet.to_python(skip_empty_area=False)


def _bound_texts(grid: Grid, sheet: str, most: int) -> None:
    """Raise Refused at the first text longer than `most` characters, which would be slow to normalise and compare."""
    for row, cells in enumerate(grid):
        for column, value in enumerate(cells):
            if type(value) is str and len(value) > most:
                cell = cell_address(row, column)
                raise Refused(Problem("F20", sheet=sheet, cell=cell, params={"most": most}))


def _manifest(grids: Mapping[str, Grid]) -> Manifest | None:
    return parse_manifest(grids[MANIFEST_SHEET]) if MANIFEST_SHEET in grids else None


class _Table:
    """Reads the rows and the footer below the header at row index `first`.

    `at` gives the column index of each key. A row whose key is among `keys` (of the manifest) is never the footer.
    """

    def __init__(
        self, form: Form, grid: Grid, first: int, at: Mapping[str, int], marks: Marks, keys: Collection[str]
    ) -> None:
        self.keys, self.key_at = keys, at[form.row_key]
        self.fields = {same_heading(field.heading): field.key for field in form.footer}
        self.at = at
        self.letters = {key: column_letters(column) for key, column in at.items()}
        self.texts = itemgetter(*at.values())
        self.grid, self.first = grid, first
        self.formulas, self.errors = marks.formulas, marks.errors
        self.marked = {row for row, _ in marks.formulas | marks.errors}

    def read(self) -> tuple[tuple[Mapping[str, Value], ...], Mapping[str, str]]:
        rows: list[Mapping[str, Value]] = []
        footer: Mapping[str, str] = {}
        for number, cells in enumerate(self.grid[self.first + 1 :], start=self.first + 2):
            is_ours = _text(cells[self.key_at]) in self.keys
            labels = {} if is_ours else _footer(cells, self.fields)
            if len(labels) >= 2:
                footer = footer or labels
                continue
            row = self._row(number, cells)
            if (is_ours and not footer) or _is_row(row, ROW_LIKE if footer else 1):
                rows.append(row)
        return tuple(rows), footer

    def _row(self, number: int, cells: Sequence[object]) -> Row:
        if number not in self.marked and {str}.issuperset(map(type, cells)):
            return Row(self.letters, number, self.texts(cells), {})
        values = {key: self._value(cells[at], number, at, f"{self.letters[key]}{number}")
                  for key, at in self.at.items()}  # fmt: skip
        return Row(self.letters, number, [value.text for value in values.values()], values)

    def _value(self, value: object, row: int, column: int, cell: str) -> Value:
        is_truth, place = isinstance(value, bool), (row, column + 1)
        return Value(
            text=_text(value),
            cell=cell,
            is_number=isinstance(value, int | float) and not is_truth,
            is_formula=place in self.formulas,
            is_other=is_truth
            or place in self.errors
            or isinstance(value, dt.date | dt.time | dt.timedelta)
            or (isinstance(value, float) and not math.isfinite(value)),
            is_date=isinstance(value, dt.date),
        )


def _is_row(values: Mapping[str, Value], least: int) -> bool:
    """True if at least `least` cells are filled; this separates table rows from dates and remarks below the footer."""
    return sum(bool(value.text or value.is_formula or value.is_other) for value in values.values()) >= least


def _text(value: object) -> str:
    if isinstance(value, dt.datetime):  # some programs store a date as a datetime at midnight
        return value.date().isoformat() if value.time() == dt.time() else str(value)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _footer(row: Sequence[object], fields: Mapping[str, str]) -> dict[str, str]:
    """The values of the footer's fields in a row, by key: after the label's colon, or in the next cell."""
    found = {}
    for at, value in enumerate(row):
        label, colon, own = str(value).replace("：", ":").partition(":")
        key = fields.get(same_heading(label))
        if key is not None and (colon or not own):
            found[key] = own.strip() or (_text(row[at + 1]).strip() if at + 1 < len(row) else "")
    return found
