"""From an unsealed workbook to rows with addresses: the form is found by its headings, not by position (M6)."""

import io
import zipfile
from collections.abc import Mapping, Sequence

import python_calamine

from etl.campaign import Limits
from etl.forms import ANNEX4, MANIFEST_SHEET, Grid, find_header, same_heading
from etl.manifest import Manifest, parse_manifest
from etl.read.guard import Refused, formula_cells, open_guarded
from etl.submission import Problem, Submission, Value

WANTED = tuple(column.key for column in ANNEX4.columns)
FOOTER = {same_heading(f"{field.heading}："): field.key for field in ANNEX4.footer}


def parse_workbook(plain: bytes, limits: Limits) -> Submission:
    """The 附件4 sheet, its footer and the manifest of a plain xlsx. Raises Refused if the form is not there."""
    package = open_guarded(plain, limits)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(plain))
        grids = {name: _grid(book, name, limits) for name in book.sheet_names}
    except (python_calamine.CalamineError, ValueError) as error:
        raise Refused(Problem("F01")) from error
    for name, grid in grids.items():
        header = find_header(grid, ANNEX4, wanted=WANTED)
        if header is not None:
            return _submission(package, grids, name, header, limits)
    raise Refused(Problem("F07"))


def _grid(book: python_calamine.CalamineWorkbook, name: str, limits: Limits) -> Grid:
    sheet = book.get_sheet_by_name(name)
    if sheet.total_height * max(sheet.total_width, 1) > limits.rows * 100:
        raise Refused(Problem("F05", sheet=name, params={"limit": f"{limits.rows} 行"}))
    # Empty leading rows must stay, else every address below them is wrong.
    return sheet.to_python(skip_empty_area=False)


def _submission(
    package: zipfile.ZipFile, grids: Mapping[str, Grid], name: str, header: tuple[int, dict[str, int]], limits: Limits
) -> Submission:
    formulas = formula_cells(package, name, limits)
    first, at = header
    rows: list[Mapping[str, Value]] = []
    footer: dict[str, str] = {}
    for number, row in enumerate(grids[name][first + 1 :], start=first + 2):
        if any(_label(value) in FOOTER for value in row):
            footer = _footer(row)
            break
        values = {key: _value(row[column], column, number, formulas) for key, column in at.items()}
        if any(value.text or value.is_formula for value in values.values()):
            rows.append(values)
    return Submission(sheet=name, rows=tuple(rows), footer=footer, manifest=_manifest(grids))


def _value(value: object, column: int, row: int, formulas: set[str]) -> Value:
    cell = f"{chr(ord('A') + column)}{row}" if column < 26 else f"R{row}C{column + 1}"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return Value(text=text, cell=cell, is_number=number, is_formula=cell in formulas)


def _label(value: object) -> str:
    return same_heading(str(value))


def _footer(row: Sequence[object]) -> dict[str, str]:
    found = {}
    for at, value in enumerate(row):
        if (key := FOOTER.get(_label(value))) is not None:
            found[key] = str(row[at + 1]).strip() if at + 1 < len(row) else ""
    return found


def _manifest(grids: Mapping[str, Grid]) -> Manifest | None:
    return parse_manifest(grids[MANIFEST_SHEET]) if MANIFEST_SHEET in grids else None
