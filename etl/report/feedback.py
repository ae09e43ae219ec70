"""Feedback: a copy of a returned workbook with faulty cells marked, and a page that says what to mend (M8, M19)."""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import openpyxl
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.workbook.workbook import Workbook

from etl.findings import Finding, Severity
from etl.forms.definitions import Form
from etl.forms.sheet import LINE, find_header, lines_of
from etl.report.transcript import transcribe

PAGE, DETAILS = "请先看这里", "逐格清单"
#: The most cells that the page names for one kind of fault; the sheet of details lists all.
NAMED = 24
FILLS = {Severity.ERROR: "FFE0464E", Severity.WARNING: "FFFFC000", Severity.NOTE: "FFBDD7EE"}
_SEVERITY_TEXTS = {
    Severity.ERROR: "错误（必须改）",
    Severity.WARNING: "提示（请核实）",
    Severity.NOTE: "备注（已记录）",
}
#: The request for a warning or a note, which may need no change.
CONFIRM = "核实无误的可不改"
#: The author of comments, which Excel shows.
AUTHOR = "市教育局"


@dataclass(frozen=True)
class _Group:
    """The findings of one rule in one column: message, cells, number, and an example of a valid value."""

    column: str
    rule: str
    severity: Severity
    message: str
    cells: tuple[str, ...]
    count: int
    example: str


def build_feedback(plain: bytes | None, form: Form, title: str, findings: Sequence[Finding]) -> bytes:
    """The workbook `plain` with faulty cells coloured and commented, after a page and a list of all findings.

    A workbook that openpyxl cannot load is copied value by value first. If `plain` is None (a file that could not be
    read), the result has only the page and the list.
    """
    book = _opened(plain, form)
    headings = _headings(book, form)
    _mark(book, findings)
    _page(book, title, group_findings(findings, headings, form))
    _details(book, findings, headings)
    book.active = 0
    for sheet in book.worksheets[1:]:
        sheet.sheet_view.tabSelected = False
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _opened(plain: bytes | None, form: Form) -> Workbook:
    if plain is None:
        book = Workbook()
        book.remove(book.worksheets[0])
        return book
    try:
        return openpyxl.load_workbook(io.BytesIO(plain))
    except Exception:  # noqa: BLE001 - an unusual file can make the library raise any error
        return transcribe(plain, form)


def group_findings(findings: Sequence[Finding], headings: Mapping[str, str], form: Form) -> list[_Group]:
    """Group findings by column and rule; errors first, then in the order of the columns.

    `headings` are the form's headings by column letters.
    """
    examples = {column.heading: column.example for column in form.columns}
    kinds: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        kinds.setdefault((finding.sheet, _letters(finding.cell), finding.rule), []).append(finding)
    groups = []
    for (_, letters, rule), own in kinds.items():
        heading = headings.get(letters, "")
        example = examples.get(heading) or ("与下发的原样一致" if heading else "")
        if own[0].severity is not Severity.ERROR:
            example = CONFIRM if heading else ""  # the value may be right, so no example is given
        cells = tuple(cell_ranges([finding.cell for finding in own if finding.cell]))
        where = cells or tuple(f"序号 {finding.serial}" for finding in own if finding.serial)
        groups.append(_Group(heading or "整个文件", rule, own[0].severity, own[0].message, where, len(own), example))
    order = list(Severity)
    places = {heading: at for at, heading in enumerate(headings.values())}
    return sorted(groups, key=lambda group: (order.index(group.severity), places.get(group.column, -1), group.rule))


def cell_ranges(cells: Sequence[str]) -> list[str]:
    """Cell addresses, sorted, with runs in one column as ranges: J4, J5, J6, J9 → J4:J6, J9."""
    rows = sorted(
        {(_letters(cell), int(cell[len(_letters(cell)) :])) for cell in cells}, key=lambda at: (len(at[0]), at)
    )
    found: list[list[Any]] = []
    for letters, row in rows:
        if found and found[-1][0] == letters and found[-1][2] == row - 1:
            found[-1][2] = row
        else:
            found.append([letters, row, row])
    return [f"{c}{first}" if first == last else f"{c}{first}:{c}{last}" for c, first, last in found]


def _letters(cell: str) -> str:
    return cell.rstrip("0123456789")


def _headings(book: Any, form: Form) -> Mapping[str, str]:
    """The form's headings by column letters, from the first sheet with the form's header; empty if there is none."""
    for sheet in book.worksheets:
        grid = [["" if v is None else v for v in row] for row in sheet.iter_rows(max_row=30, values_only=True)]
        if (found := find_header(grid, form, wanted=form.wanted)) is not None:
            return {get_column_letter(at + 1): form.column(key).heading for key, at in found[1].items()}
    return {}


def _mark(book: Any, findings: Sequence[Finding]) -> None:
    """Colour and comment every cell that a finding names; the most severe finding gives the colour."""
    named: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        sheet = _sheet_of(book, finding)
        if finding.cell and sheet:
            named.setdefault((sheet, _shown_at(book[sheet], finding.cell)), []).append(finding)
    order = list(Severity)
    for (sheet, address), own in named.items():
        cell = book[sheet][address]
        worst = min((finding.severity for finding in own), key=order.index)
        cell.fill = PatternFill("solid", fgColor=FILLS[worst])
        cell.comment = Comment("\n".join(finding.message for finding in own), AUTHOR, width=320, height=120)


def _sheet_of(book: Any, finding: Finding) -> str:
    """The name of a finding's sheet, or empty. For a renamed sheet the finding only has its number (第2张表)."""
    numbered = re.fullmatch(r"第(\d+)张表", finding.sheet)
    if finding.sheet in book.sheetnames or not numbered:
        return finding.sheet if finding.sheet in book.sheetnames else ""
    at = int(numbered[1]) - 1
    return str(book.sheetnames[at]) if 0 <= at < len(book.sheetnames) else ""


def _shown_at(sheet: Any, address: str) -> str:
    """The address where a cell is visible: of merged cells, the first."""
    for area in sheet.merged_cells.ranges:
        if address in area:
            return str(area.start_cell.coordinate)
    return address


def _page(book: Any, title: str, groups: Sequence[_Group]) -> None:
    sheet = book.create_sheet(PAGE, 0)
    rows: list[tuple[object, ...]] = [(title,), (), ("要改什么", "列", "处数", "在哪里", "说明与改法", "正确的样子")]
    for group in groups:
        where = "、".join(group.cells[:NAMED]) + (f" 等（见“{DETAILS}”）" if len(group.cells) > NAMED else "")
        rows.append((_SEVERITY_TEXTS[group.severity], group.column, group.count, where, group.message, group.example))
    if not groups:
        rows.append(("没有发现问题。",))
    _write(sheet, rows, (16, 22, 7, 36, 60, 26), header=3)
    for at, group in enumerate(groups, start=4):
        sheet.cell(at, 1).fill = PatternFill("solid", fgColor=FILLS[group.severity])


def _details(book: Any, findings: Sequence[Finding], headings: Mapping[str, str]) -> None:
    sheet = book.create_sheet(DETAILS, 1)
    rows: list[tuple[object, ...]] = [("工作表", "单元格", "列", "序号", "程度", "规则", "说明与改法")]
    for f in findings:
        heading = headings.get(_letters(f.cell), "")
        rows.append((f.sheet, f.cell, heading, f.serial or "", _SEVERITY_TEXTS[f.severity], f.rule, f.message))
    _write(sheet, rows, (14, 10, 22, 10, 16, 8, 80), header=1)
    sheet.auto_filter.ref = f"A1:G{len(rows)}"


def _write(sheet: Any, rows: Sequence[tuple[object, ...]], widths: Sequence[int], *, header: int) -> None:
    for row in rows:
        sheet.append(row)
    for at, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(at)].width = width
    for number, row in enumerate(sheet.iter_rows(), start=1):
        texts = [str(cell.value or "") for cell in row]
        lines = max(lines_of(text, width) for text, width in zip(texts, widths, strict=False)) if number > 1 else 1
        sheet.row_dimensions[number].height = lines * LINE + 5
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.data_type = "n" if isinstance(cell.value, int) else "s"  # a text that begins with = stays text
    for cell in sheet[header]:
        cell.font = Font(bold=True)
    sheet["A1"].font = Font(bold=True, size=14 if header > 1 else 11)
    sheet["A1"].alignment = Alignment(wrap_text=header == 1)
    sheet.freeze_panes = f"A{header + 1}"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9
    sheet.sheet_properties.pageSetUpPr = openpyxl.worksheet.properties.PageSetupProperties(fitToPage=True)
    sheet.page_setup.fitToHeight = 0
    sheet.print_title_rows = f"{header}:{header}"
