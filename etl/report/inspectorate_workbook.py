"""The inspectorate's workbook: flags with their reasons, and the sample of children for second visits (M4, M19)."""

import io
from collections.abc import Sequence

import xlsxwriter

from etl.report.sheets import AS_TEXT, Line, add_sheet

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


def build_inspection(title: str, flags: Sequence[Line], sample: Sequence[Line], notes: Sequence[str]) -> bytes:
    """The workbook, unencrypted.

    `flags` are (unit, rule, reason); `sample` are the first six of `SAMPLE_COLUMNS`; `notes` say how it was drawn.
    """
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, AS_TEXT) as book:
        add_sheet(book, FLAGS, title, [], FLAG_COLUMNS, flags or [("—", "—", "没有发现疑点。")])
        if sample:
            add_sheet(book, SAMPLE, title, notes, SAMPLE_COLUMNS, sample)
    return out.getvalue()
