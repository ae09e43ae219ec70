"""From an unsealed workbook to rows with addresses: the form is found by its headings, not by position (M6)."""

import datetime as dt
import io
from collections.abc import Collection, Mapping, Sequence

import python_calamine

from etl.campaign import Limits
from etl.forms import ANNEX4, FORMS, MANIFEST_SHEET, Form
from etl.grid import Grid, cell_address, find_header, same_heading
from etl.manifest import Manifest, parse_manifest
from etl.read.annex5 import read_annex5
from etl.read.guard import Marks, Refused, guard
from etl.submission import Problem, Submission, Value

#: So many of the form's columns filled make a row below the footer one of the table, not a remark.
ROW_LIKE = 4


def parse_workbook(plain: bytes, limits: Limits) -> Submission:
    """The form's sheet, its footer and the manifest of a plain xlsx. Raises Refused if the form is not there once.

    The manifest says which form; whether the manifest is genuine is not asked here.
    """
    marks = guard(plain, limits)
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
    rows, footer = _Table(form, grids[name], first, at, marks.get(name, Marks()), keys).read()
    # A sheet's own name is anybody's text: only ours is ever shown.
    shown = name if name == form.sheet else f"第{list(grids).index(name) + 1}张表"
    return Submission(sheet=shown, rows=rows, footer=footer, manifest=manifest, summary=read_annex5(grids))


def _grid(book: python_calamine.CalamineWorkbook, name: str, limits: Limits) -> Grid:
    sheet = book.get_sheet_by_name(name)
    if sheet.total_height * max(sheet.total_width, 1) > limits.rows * 100:
        raise Refused(Problem("F05", params={"limit": f"{limits.rows} 行"}))
    # Empty leading rows must stay, else every address below them is wrong.
    return sheet.to_python(skip_empty_area=False)


def _manifest(grids: Mapping[str, Grid]) -> Manifest | None:
    return parse_manifest(grids[MANIFEST_SHEET]) if MANIFEST_SHEET in grids else None


class _Table:
    """The rows below the header at index `first`, and the footer among them; a row with one of `keys` is none."""

    def __init__(
        self, form: Form, grid: Grid, first: int, at: Mapping[str, int], marks: Marks, keys: Collection[str]
    ) -> None:
        self.keys, self.key_at = keys, at[form.row_key]
        self.fields = {same_heading(field.heading): field.key for field in form.footer}
        self.grid, self.first, self.at, self.marks = grid, first, at, marks

    def read(self) -> tuple[tuple[Mapping[str, Value], ...], Mapping[str, str]]:
        rows: list[Mapping[str, Value]] = []
        footer: Mapping[str, str] = {}
        for index, row in enumerate(self.grid[self.first + 1 :], start=self.first + 1):
            labels = _footer(row, self.fields)
            if len(labels) >= 2 and _text(row[self.key_at]) not in self.keys:
                footer = footer or labels
                continue
            values = {key: self._value(row[column], index, column) for key, column in self.at.items()}
            filled = sum(bool(value.text or value.is_formula or value.is_other) for value in values.values())
            # Below the footer stand dates and remarks, but a row of the table there must not be lost.
            if filled >= (ROW_LIKE if footer else 1):
                rows.append(values)
        return tuple(rows), footer

    def _value(self, value: object, row: int, column: int) -> Value:
        place = (row + 1, column + 1)
        return Value(
            text=_text(value),
            cell=cell_address(row, column),
            is_number=isinstance(value, int | float) and not isinstance(value, bool),
            is_formula=place in self.marks.formulas,
            is_other=isinstance(value, bool | dt.date | dt.time | dt.timedelta) or place in self.marks.errors,
            is_date=isinstance(value, dt.date),
        )


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
