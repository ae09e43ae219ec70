"""The 附件4 workbook of one unit: title, eleven columns, drop-downs, footer, notes, hidden manifest (M6–M11)."""

import io
from collections.abc import Sequence
from typing import Any

import xlsxwriter

from etl.campaign import Campaign, Unit
from etl.child import Child
from etl.forms import ANNEX4, FILLING_NOTES, MANIFEST_SHEET, NOT_ASKED, RETURNED
from etl.manifest import Manifest

#: First data row, zero-based: title and header stand above.
FIRST = 2


def build_workbook(campaign: Campaign, unit: Unit, children: Sequence[Child], manifest: Manifest) -> bytes:
    """The plain xlsx, not yet sealed. Everything is locked but the last three columns and the footer's blanks."""
    out = io.BytesIO()
    # strings_to_*: a cell that begins with = or http is text here, never a formula or a link.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"title": ANNEX4.title.format(county=campaign.county)})
        formats = _formats(book)
        sheet = book.add_worksheet(ANNEX4.sheet)
        _table(sheet, formats, campaign, children)
        _drop_downs(sheet, campaign, len(children))
        _footer(sheet, formats, unit, FIRST + len(children))
        _print_layout(sheet, FIRST + len(children))
        _notes(book, formats, campaign)
        _manifest(book, manifest)
    return out.getvalue()


def _formats(book: Any) -> dict[str, Any]:
    base = {"font_name": "宋体", "font_size": 11, "valign": "vcenter"}
    grid = base | {"border": 1, "text_wrap": True, "num_format": "@"}
    return {
        "title": book.add_format(base | {"bold": True, "font_size": 18, "align": "center"}),
        "header": book.add_format(grid | {"bold": True, "align": "center", "bg_color": "#E7EDF3"}),
        "issued": book.add_format(grid | {"locked": True}),
        "editable": book.add_format(grid | {"locked": False, "bg_color": "#FFFBE6"}),
        "label": book.add_format(base | {"align": "right"}),
        "blank": book.add_format(base | {"bottom": 1, "locked": False, "num_format": "@"}),
        "note": book.add_format(base | {"text_wrap": True, "valign": "top"}),
    }


def _table(sheet: Any, formats: dict[str, Any], campaign: Campaign, children: Sequence[Child]) -> None:
    last = len(ANNEX4.columns) - 1
    sheet.merge_range(0, 0, 0, last, ANNEX4.title.format(county=campaign.county), formats["title"])
    sheet.set_row(0, 36)
    sheet.set_row(1, 36)
    for at, column in enumerate(ANNEX4.columns):
        sheet.set_column(at, at, column.width)
        sheet.write_string(1, at, column.heading, formats["header"])
    for row, child in enumerate(children, start=FIRST):
        # Two lines of household or team fit; Excel does not grow rows of a protected sheet by itself.
        sheet.set_row(row, 32)
        for at, column in enumerate(ANNEX4.columns):
            if column.editable:
                sheet.write_blank(row, at, None, formats["editable"])
            else:
                sheet.write_string(row, at, getattr(child, column.key), formats["issued"])
    sheet.freeze_panes(FIRST, 0)
    sheet.protect("", {"format_columns": True, "format_rows": True, "sort": True, "autofilter": True})


def _drop_downs(sheet: Any, campaign: Campaign, count: int) -> None:
    if not count:
        return
    at = {column.key: index for index, column in enumerate(ANNEX4.columns)}
    labels = [category.label for category in campaign.categories]
    lists = {
        "category": (labels, "核查结果", "请从下拉框中选择十三项之一。"),
        "returned": ([*RETURNED, NOT_ASKED], "复学情况", "核查结果为 I–M 的选“是”或“否”，A–H 的选“无”。"),
    }
    for key, (values, title, message) in lists.items():
        sheet.data_validation(
            FIRST,
            at[key],
            FIRST + count - 1,
            at[key],
            {
                "validate": "list",
                "source": values,
                "input_title": title,
                "input_message": message,
                "error_title": title,
                "error_message": message,
            },
        )


def _footer(sheet: Any, formats: dict[str, Any], unit: Unit, row: int) -> None:
    sheet.set_row(row, 30)
    for number, field in enumerate(ANNEX4.footer):
        at = number * 3
        sheet.write_string(row, at, f"{field.heading}：", formats["label"])
        sheet.write_string(row, at + 1, unit.name if field.key == "unit" else "", formats["blank"])


def _print_layout(sheet: Any, last: int) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0, 1)
    sheet.set_footer("&C第 &P 页，共 &N 页")
    sheet.print_area(0, 0, last, len(ANNEX4.columns) - 1)


def _notes(book: Any, formats: dict[str, Any], campaign: Campaign) -> None:
    sheet = book.add_worksheet("填表说明")
    sheet.set_column(0, 0, 100)
    row = 0
    for line in FILLING_NOTES:
        lines = [f"{c.label}：{c.definition}" for c in campaign.categories] if line == "{categories}" else [line]
        for text in lines:
            sheet.write_string(row, 0, text, formats["note"])
            row += 1
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.protect()


def _manifest(book: Any, manifest: Manifest) -> None:
    sheet = book.add_worksheet(MANIFEST_SHEET)
    for row, pair in enumerate(manifest.rows()):
        for at, text in enumerate(pair):
            sheet.write_string(row, at, text)
    sheet.protect()
    sheet.very_hidden()
