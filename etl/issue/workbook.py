"""The workbook of one recipient: a printable form that checks itself, with a hidden manifest (M6–M11)."""

import io
from collections.abc import Mapping
from typing import Any

import xlsxwriter

from etl.exchange.bundle import Bundle
from etl.forms.definitions import ANNEX4, MANIFEST_SHEET
from etl.forms.layout import FIRST, HEADER, PROGRESS, TITLE, Layout, row_height
from etl.forms.manifest import Manifest
from etl.forms.print_style import make_styles, set_up_pages
from etl.forms.sheet import LINE, lines_of
from etl.issue.annex5_sheet import write_summary
from etl.issue.selfcheck import add_formats, add_lists, write_options, write_progress
from etl.rulebook.campaign import Campaign
from etl.rulebook.choices import Choices, choices_of

NOTES_WIDTH = 66  # characters: the width of an A4 page in portrait


def build_workbook(campaign: Campaign, bundle: Bundle, manifest: Manifest) -> bytes:
    """The xlsx, not sealed yet. All cells are locked except the editable columns and the blanks of the footer."""
    out = io.BytesIO()
    # strings_to_*: a text that begins with = or http stays text and becomes no formula or link.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    layout = Layout(bundle.form, len(bundle.rows), campaign.noticed)
    choices = {c.key: choices_of(campaign, bundle.recipient, c) for c in bundle.form.editable if c.choices}
    with xlsxwriter.Workbook(out, options) as book:
        title = bundle.form.title.format(county=campaign.county, recipient=bundle.name)
        book.set_properties({"title": title})
        styles = make_styles(book)
        sheet = book.add_worksheet(bundle.form.sheet)
        _table(sheet, layout, styles, bundle, title)
        if layout.count:
            add_lists(sheet, layout, choices)
            add_formats(sheet, layout, choices, styles["wrong"], styles["due"])
        write_progress(sheet, layout, choices, styles["progress"], styles["wrong"], styles["done"])
        _footer(sheet, layout, styles, bundle)
        set_up_pages(sheet, layout)
        if bundle.form == ANNEX4:
            write_summary(book, campaign, bundle, layout, styles)
        _notes(book, styles, campaign, bundle, choices)
        write_options(book, bundle.form, choices, styles["note"])
        _manifest(book, manifest)
    return out.getvalue()


def _table(sheet: Any, layout: Layout, styles: Mapping[str, Any], bundle: Bundle, title: str) -> None:
    columns = layout.form.columns
    sheet.merge_range(TITLE, 0, TITLE, layout.right, title, styles["title"])
    sheet.set_row(TITLE, 36)
    sheet.set_row(PROGRESS, 22)
    sheet.set_row(HEADER, max(lines_of(column.heading, column.width) for column in columns) * LINE + 6)
    for at, column in enumerate(columns):
        sheet.set_column(at, at, column.width)
        sheet.write_string(HEADER, at, column.heading, styles["header"])
    for number, row in enumerate(bundle.rows, start=FIRST):
        sheet.set_row(number, row_height(row, layout.form))
        for at, column in enumerate(columns):
            if column.editable:
                sheet.write_blank(number, at, None, styles[column.kind])
            else:
                sheet.write_string(number, at, row[column.key], styles["issued"])
    sheet.freeze_panes(FIRST, 0)
    sheet.protect("", {"format_columns": True, "format_rows": True, "sort": True, "autofilter": True})


def _footer(sheet: Any, layout: Layout, styles: Mapping[str, Any], bundle: Bundle) -> None:
    sheet.set_row(layout.footer, 30)
    for label, blank, field in layout.footer_cells():
        sheet.write_string(layout.footer, label, f"{field.heading}：", styles["label"])
        sheet.write_string(layout.footer, blank, bundle.name if field.key == "unit" else "", styles["blank"])


def _notes(
    book: Any, styles: Mapping[str, Any], campaign: Campaign, bundle: Bundle, choices: Mapping[str, Choices]
) -> None:
    """The sheet of notes: how to fill in the form, and the allowed values with their meaning."""
    sheet = book.add_worksheet("填表说明")
    sheet.set_column(0, 0, NOTES_WIDTH)
    lines: list[str] = []
    for line in bundle.form.notes:
        lines += [f"{c.label}：{c.definition}" for c in campaign.categories] if line == "{categories}" else [line]
    for key, allowed in choices.items():
        if bundle.form != ANNEX4:
            name = bundle.form.column(key).heading.split("（")[0]
            by = allowed.by or {"": allowed.values}
            lines += [f"{name}{f'（{other}）' if other else ''}：{'、'.join(values)}" for other, values in by.items()]
    for number, text in enumerate(lines):
        sheet.set_row(number, lines_of(text, NOTES_WIDTH) * LINE + 3)
        sheet.write_string(number, 0, text, styles["note"])
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.print_area(0, 0, len(lines) - 1, 0)
    sheet.protect()


def _manifest(book: Any, manifest: Manifest) -> None:
    sheet = book.add_worksheet(MANIFEST_SHEET)
    for row, pair in enumerate(manifest.rows()):
        for at, text in enumerate(pair):
            sheet.write_string(row, at, text)
    sheet.protect()
    sheet.very_hidden()
