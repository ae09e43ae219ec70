"""The peer of building a workbook: openpyxl, which writes what our workbook holds; and how the two are compared."""

import io
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

import openpyxl
from openpyxl.styles import NamedStyle


@dataclass(frozen=True)
class Plan:
    """All that a workbook holds, read once, outside the time that is measured."""

    source: Any
    sheets: tuple[Any, ...]
    cells: tuple[tuple[tuple[int, int, Any, int], ...], ...]
    styles: Mapping[int, tuple[Any, ...]]


STYLE = ("font", "fill", "border", "alignment", "number_format", "protection")


def plan_of(plain: bytes) -> Plan:
    """Read a workbook: its cells by place, value and style, each style's parts once."""
    source = openpyxl.load_workbook(io.BytesIO(plain))
    styles: dict[int, tuple[Any, ...]] = {}
    cells = []
    for sheet in source.worksheets:
        for cell in (cell for row in sheet.iter_rows() for cell in row):
            if cell.style_id not in styles:
                styles[cell.style_id] = tuple(copy(getattr(cell, part)) for part in STYLE)
        cells.append(
            tuple(
                (cell.row, cell.column, cell.value, cell.style_id)
                for row in sheet.iter_rows()
                for cell in row
                if cell.value is not None or cell.has_style
            )
        )
    return Plan(source, tuple(source.worksheets), tuple(cells), styles)


def write_with_openpyxl(plan: Plan, *, is_named: bool = False) -> bytes:
    """The same workbook, cell by cell: each cell is given its font, fill and so on, or (quicker) a named style."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    if is_named:
        for number, style in plan.styles.items():
            book.add_named_style(NamedStyle(f"style{number}", **dict(zip(STYLE, style, strict=True))))
    for old, cells in zip(plan.sheets, plan.cells, strict=True):
        sheet = book.create_sheet(old.title)
        for row, column, value, number in cells:
            cell = sheet.cell(row, column)
            cell.value = value
            if number and is_named:
                cell.style = f"style{number}"
            elif number:
                _dress(cell, plan.styles[number])
        _furnish(sheet, old)
        _lay_out(sheet, old)
    for name, defined in plan.source.defined_names.items():
        book.defined_names[name] = copy(defined)
    book.properties.title = plan.source.properties.title
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _dress(cell: Any, style: tuple[Any, ...]) -> None:
    cell.font, cell.fill, cell.border, cell.alignment, cell.number_format, cell.protection = style


def _furnish(sheet: Any, old: Any) -> None:
    """Sizes, merged cells, lists, colours."""
    for letter, column in old.column_dimensions.items():
        sheet.column_dimensions[letter].width = column.width
    for number, row in old.row_dimensions.items():
        if row.height is not None:
            sheet.row_dimensions[number].height = row.height
    for area in old.merged_cells.ranges:
        sheet.merged_cells.add(area.coord)
    for rule in old.data_validations.dataValidation:
        sheet.add_data_validation(copy(rule))
    for area in old.conditional_formatting:
        for rule in area.rules:
            sheet.conditional_formatting.add(str(area.sqref), copy(rule))


def _lay_out(sheet: Any, old: Any) -> None:
    """Lock and print layout."""
    sheet.freeze_panes = old.freeze_panes
    sheet.sheet_state = old.sheet_state
    sheet.protection = copy(old.protection)
    sheet.page_setup = copy(old.page_setup)
    sheet.page_margins = copy(old.page_margins)
    sheet.print_options = copy(old.print_options)
    sheet.sheet_properties.pageSetUpPr = copy(old.sheet_properties.pageSetUpPr)
    sheet.oddFooter.left.text, sheet.oddFooter.right.text = old.oddFooter.left.text, old.oddFooter.right.text
    if old.print_title_rows:
        sheet.print_title_rows = old.print_title_rows
    if old.print_area:
        sheet.print_area = old.print_area


def content(plain: bytes) -> list[Any]:
    """What a workbook holds, to be compared: every cell with its format, and all that lies over the cells."""
    book = openpyxl.load_workbook(io.BytesIO(plain))
    found: list[Any] = [sorted((name, defined.value) for name, defined in book.defined_names.items())]
    for sheet in book.worksheets:
        cells = [
            (cell.coordinate, cell.value or None, *(repr(getattr(cell, part)) for part in STYLE if cell.has_style))
            for row in sheet.iter_rows()
            for cell in row
        ]
        rules = [(str(area.sqref), rule.formula, repr(rule.dxf)) for area in sheet.conditional_formatting
                 for rule in area.rules]  # fmt: skip
        lists = [(str(one.sqref), one.type, one.formula1, one.prompt) for one in sheet.data_validations.dataValidation]
        found.append((sheet.title, sheet.sheet_state, cells, sorted(map(str, sheet.merged_cells.ranges)), rules, lists,
                      sheet.protection.sheet, sheet.freeze_panes, sheet.print_area, sheet.print_title_rows,
                      {number: row.height for number, row in sheet.row_dimensions.items()}))  # fmt: skip
    return found
