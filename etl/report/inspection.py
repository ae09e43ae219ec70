"""The inspectorate's workbook: the flags with their reasons, and the children drawn for a second visit (M4, M19)."""

import io
from collections.abc import Sequence
from typing import Any

import xlsxwriter

from etl.grid import LINE, lines_of

FLAGS, SAMPLE = "疑点", "抽查名单"
FLAG_COLUMNS = (
    ("单位", 14),
    ("编号", 8),
    ("疑点与理由（是要了解的问题，不是结论）", 70),
    ("了解情况", 40),
    ("督导人员、日期", 20),
)
SAMPLE_COLUMNS = (
    ("单位", 14), ("原始序号", 12), ("姓名", 10), ("户籍地", 38), ("上报的核查结果", 18), ("上报的复学情况", 10),
    ("抽查结果（属实、不属实）", 14), ("说明", 26), ("督导人员、日期", 18),
)  # fmt: skip
Line = Sequence[str]


def build_inspection(title: str, flags: Sequence[Line], sample: Sequence[Line], notes: Sequence[str]) -> bytes:
    """The plain workbook. `flags`: (unit, rule, reason); `sample`: the first six columns; `notes`: how it was drawn."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        _sheet(book, FLAGS, title, [], FLAG_COLUMNS, flags or [("—", "—", "没有发现疑点。")])
        if sample:
            _sheet(book, SAMPLE, title, notes, SAMPLE_COLUMNS, sample)
    return out.getvalue()


def _sheet(
    book: Any, name: str, title: str, notes: Sequence[str], columns: Sequence[tuple[str, int]], lines: Sequence[Line]
) -> None:
    sheet = book.add_worksheet(name)
    base = {"font_name": "宋体", "font_size": 11, "valign": "vcenter", "text_wrap": True, "num_format": "@"}
    grid = book.add_format(base | {"border": 1})
    head = book.add_format(base | {"border": 1, "bold": True, "align": "center", "bg_color": "#E7EDF3"})
    sheet.write_string(0, 0, title, book.add_format({"font_name": "宋体", "font_size": 16, "bold": True}))
    for row, note in enumerate(notes, start=1):
        sheet.write_string(row, 0, note, book.add_format({"font_name": "宋体", "font_size": 11}))
    header = len(notes) + 1
    for at, (heading, width) in enumerate(columns):
        sheet.set_column(at, at, width)
        sheet.write_string(header, at, heading, head)
    sheet.set_row(header, 2 * LINE + 4)
    for row, line in enumerate(lines, start=header + 1):
        texts = [*line, *[""] * (len(columns) - len(line))]
        for at, text in enumerate(texts):
            sheet.write_string(row, at, text, grid)
        most = max(lines_of(text, width) for text, (_, width) in zip(texts, columns, strict=True))
        sheet.set_row(row, most * LINE + 6)
    sheet.freeze_panes(header + 1, 0)
    sheet.repeat_rows(header)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&C第 &P 页，共 &N 页")
