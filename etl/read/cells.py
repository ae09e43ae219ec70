"""From an unsealed workbook to rows with addresses: the form is found by its headings, not by position (M6)."""

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

#: So many of the form's columns filled make a row below the footer one of the table, not a remark.
ROW_LIKE = 4


def parse_workbook(plain: bytes, limits: Limits) -> Submission:
    """The form's sheet, its footer and the manifest of a plain xlsx, xls or ods.

    Raises Refused if the form is not there once. The manifest says which form; whether it is genuine is not asked here.
    """
    guarded = look_before_parsing(plain, limits)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(plain))
        grids = {name: _grid(book, name, limits) for name in book.sheet_names}
    except (python_calamine.CalamineError, ValueError) as error:
        raise Refused(Problem("F01")) from error
    manifest = _manifest(grids)
    form = FORMS.get(manifest.form, ANNEX4) if manifest else ANNEX4
    wanted = tuple(column.key for column in form.columns)
    headers = {name: find_header(grid, form, wanted=wanted) for name, grid in grids.items()}
    found = [(name, header) for name, header in headers.items() if header is not None]
    if not found:
        raise Refused(Problem("F07"))
    if len(found) > 1:
        raise Refused(Problem("F14"))
    ((name, (first, at)),) = found
    keys = frozenset(manifest.serials) if manifest else frozenset()
    # A sheet's own name is anybody's text: only ours is ever shown.
    shown = name if name == form.sheet else f"第{list(grids).index(name) + 1}张表"
    _bound_texts(grids[name], shown, limits.cell_characters)
    rows, footer = _Table(form, grids[name], first, at, guarded.sheets[name], keys).read()
    return Submission(shown, rows, footer, manifest, read_annex5(grids), problems=guarded.notes)


def _grid(book: python_calamine.CalamineWorkbook, name: str, limits: Limits) -> Grid:
    sheet = book.get_sheet_by_name(name)
    if sheet.total_height * max(sheet.total_width, 1) > limits.rows * 100:
        raise too_large(limits.rows)
    # Empty leading rows must stay, else every address below them is wrong.
    return sheet.to_python(skip_empty_area=False)


def _bound_texts(grid: Grid, sheet: str, most: int) -> None:
    """Refused at the first text that is too long: tidying and comparing it would take the one who asked its time."""
    for row, cells in enumerate(grid):
        for column, value in enumerate(cells):
            if type(value) is str and len(value) > most:
                cell = cell_address(row, column)
                raise Refused(Problem("F20", sheet=sheet, cell=cell, params={"most": most}))


def _manifest(grids: Mapping[str, Grid]) -> Manifest | None:
    return parse_manifest(grids[MANIFEST_SHEET]) if MANIFEST_SHEET in grids else None


class _Table:
    """The rows below the header at index `first`, and the footer among them; a row with one of `keys` is none."""

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
    """True if so many cells are filled: below the footer stand dates and remarks, but no row must be lost there."""
    return sum(bool(value.text or value.is_formula or value.is_other) for value in values.values()) >= least


def _text(value: object) -> str:
    if isinstance(value, dt.datetime):  # a date is a datetime at midnight to some programs
        return value.date().isoformat() if value.time() == dt.time() else str(value)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _footer(row: Sequence[object], fields: Mapping[str, str]) -> dict[str, str]:
    """What stands behind each of the footer's labels in a row, in the next cell or in the label's own."""
    found = {}
    for at, value in enumerate(row):
        label, colon, own = str(value).replace("：", ":").partition(":")
        key = fields.get(same_heading(label))
        if key is not None and (colon or not own):
            found[key] = own.strip() or (_text(row[at + 1]).strip() if at + 1 < len(row) else "")
    return found
