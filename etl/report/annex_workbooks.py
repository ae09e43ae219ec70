"""附件4 and 附件5 as workbooks of the bureau's own, ready to print and sign (M12, M14)."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import xlsxwriter

from etl.forms.annex5_layout import (
    FIRST_CATEGORY,
    FIRST_UNIT,
    LAST_COLUMN,
    Groups,
    set_up_annex5_page,
    write_annex5_head,
)
from etl.forms.definitions import ANNEX4, ANNEX5, Form
from etl.forms.layout import FIRST, HEADER, PROGRESS, TITLE, Layout, row_height
from etl.forms.print_style import make_styles, set_up_pages
from etl.forms.sheet import LINE, column_letters, lines_of
from etl.report.sheets import AS_TEXT

#: A row of 附件5: 地市, 区县, the thirteen categories in the order of the form, 复学人数.
Annex5Row = tuple[str, str, Sequence[int], int]


def build_annex4(title: str, note: str, rows: Sequence[Mapping[str, str]], footer: Mapping[str, str]) -> bytes:
    """附件4, unencrypted: `rows` are texts by column key, `note` is the line below the title.

    `footer` are texts by the key of the footer's fields; a blank is left to be written on.
    """
    out, layout = io.BytesIO(), Layout(ANNEX4, len(rows))
    with xlsxwriter.Workbook(out, AS_TEXT) as book:
        book.set_properties({"title": title})
        styles = make_styles(book)
        sheet = book.add_worksheet(ANNEX4.sheet)
        sheet.merge_range(TITLE, 0, TITLE, layout.right, title, styles["title"])
        sheet.set_row(TITLE, 36)
        sheet.write_string(PROGRESS, 0, note, styles["progress"])
        sheet.set_row(HEADER, max(lines_of(column.heading, column.width) for column in ANNEX4.columns) * LINE + 6)
        for at, column in enumerate(ANNEX4.columns):
            sheet.set_column(at, at, column.width)
            sheet.write_string(HEADER, at, column.heading, styles["header"])
        for number, row in enumerate(rows, start=FIRST):
            sheet.set_row(number, row_height(row, ANNEX4))
            for at, column in enumerate(ANNEX4.columns):
                sheet.write_string(number, at, row[column.key], styles["issued"])
        for label, blank, field in layout.footer_cells():
            sheet.write_string(layout.footer, label, f"{field.heading}：", styles["label"])
            sheet.write_string(layout.footer, blank, footer.get(field.key, ""), styles["linked"])
        sheet.set_row(layout.footer, 30)
        sheet.freeze_panes(FIRST, 0)
        set_up_pages(sheet, layout)
    return out.getvalue()


@dataclass(frozen=True)
class Annex5Sheet:
    """One table of 附件5: its sheet's name, title, the line below the table, and its rows."""

    name: str
    title: str
    note: str
    rows: Sequence[Annex5Row]


def build_annex5(sheets: Sequence[Annex5Sheet], groups: Groups, footer: Mapping[str, str]) -> bytes:
    """附件5, unencrypted, once or several times; 合计 and 总计 are formulas with their values."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, AS_TEXT) as book:
        book.set_properties({"title": sheets[0].title})
        styles = make_styles(book)
        for one in sheets:
            _write_annex5(book, one, groups, footer, styles)
    return out.getvalue()


def _write_annex5(
    book: Any, one: Annex5Sheet, groups: Groups, footer: Mapping[str, str], styles: Mapping[str, Any]
) -> None:
    sheet, rows, note = book.add_worksheet(one.name), one.rows, one.note
    write_annex5_head(sheet, one.title, groups, styles)
    for number, (city, county, categories, returned) in enumerate(rows, start=FIRST_UNIT):
        sheet.set_row(number, 24)
        sheet.write_string(number, 0, city, styles["issued"])
        sheet.write_string(number, 1, county, styles["issued"])
        sum_of = f"=SUM({column_letters(FIRST_CATEGORY)}{number + 1}:{column_letters(LAST_COLUMN - 1)}{number + 1})"
        sheet.write_formula(number, FIRST_CATEGORY - 1, sum_of, styles["number"], sum(categories))
        for at, value in enumerate((*categories, returned), start=FIRST_CATEGORY):
            sheet.write_number(number, at, value, styles["number"])
    last = FIRST_UNIT + len(rows)
    _write_total(sheet, last, rows, styles)
    sheet.merge_range(last + 1, 0, last + 1, LAST_COLUMN, note, styles["progress"])
    _write_footer(sheet, last + 2, ANNEX5, footer, styles)
    sheet.repeat_rows(0, FIRST_UNIT - 1)
    set_up_annex5_page(sheet, last + 2)
    sheet.fit_to_pages(1, 0)


def _write_total(sheet: Any, at_row: int, rows: Sequence[Annex5Row], styles: Mapping[str, Any]) -> None:
    sheet.set_row(at_row, 28)
    sheet.merge_range(at_row, 0, at_row, FIRST_CATEGORY - 2, "总计", styles["header"])
    for at, value in enumerate(annex5_total(rows), start=FIRST_CATEGORY - 1):
        letters = column_letters(at)
        formula = f"=SUM({letters}{FIRST_UNIT + 1}:{letters}{at_row})"
        sheet.write_formula(at_row, at, formula, styles["number"], value)


def annex5_total(rows: Sequence[Annex5Row]) -> list[int]:
    """The figures of the row 总计: 合计, the thirteen categories, 复学人数."""
    categories = [sum(column) for column in zip(*(row[2] for row in rows), strict=True)]
    return [sum(categories), *categories, sum(row[3] for row in rows)]


def _write_footer(sheet: Any, at_row: int, form: Form, footer: Mapping[str, str], styles: Mapping[str, Any]) -> None:
    sheet.set_row(at_row, 30)
    for number, field in enumerate(form.footer):
        at = number * 3
        sheet.write_string(at_row, at, f"{field.heading}：", styles["label"])
        sheet.merge_range(at_row, at + 1, at_row, at + 2, footer.get(field.key, ""), styles["linked"])
