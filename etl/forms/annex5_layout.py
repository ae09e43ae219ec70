"""附件5 as a sheet (M12): its title and two rows of headings, and its page; whoever writes it fills the rows below."""

from collections.abc import Sequence
from typing import Any

from etl.forms.definitions import ANNEX5

#: Zero-based rows: title, names of the groups, headings, the first row of figures.
_TITLE, GROUP_ROW, HEADINGS, FIRST_UNIT = range(4)
#: Heights of the rows above the figures, in points.
HEAD_HEIGHTS = {_TITLE: 36, GROUP_ROW: 24, HEADINGS: 64}
GROUP_NAMES = {"deducted": "核减项", "to_return": "应劝返项"}
#: The columns before the categories: 地市, 区县, 疑似失学儿童合计; and the last column of all.
FIRST_CATEGORY, LAST_COLUMN = 3, len(ANNEX5.columns) - 1
#: The line for the signature, at the foot of each page.
SIGN = "单位负责人签字：＿＿＿＿＿＿＿＿（盖章）"

#: (name of a group, labels of its categories).
Groups = Sequence[tuple[str, Sequence[str]]]


def write_annex5_head(sheet: Any, title: str, groups: Groups, styles: Any) -> None:
    """Write the title and the headings; the headings of categories are their labels."""
    sheet.merge_range(_TITLE, 0, _TITLE, LAST_COLUMN, title, styles["title"])
    for row, height in HEAD_HEIGHTS.items():
        sheet.set_row(row, height)
    for at, column in enumerate(ANNEX5.columns):
        sheet.set_column(at, at, column.width)
        if at < FIRST_CATEGORY or at == LAST_COLUMN:
            sheet.merge_range(GROUP_ROW, at, HEADINGS, at, column.heading, styles["header"])
    at = FIRST_CATEGORY
    for name, labels in groups:
        sheet.merge_range(GROUP_ROW, at, GROUP_ROW, at + len(labels) - 1, name, styles["header"])
        for label in labels:
            sheet.write_string(HEADINGS, at, label, styles["header"])
            at += 1


def set_up_annex5_page(sheet: Any, last: int) -> None:
    """Landscape pages of A4 as wide as the table, which ends with the row `last`, ready to sign."""
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.7)
    sheet.center_horizontally()
    sheet.print_area(0, 0, last, LAST_COLUMN)
    sheet.set_footer(f"&L&9{SIGN}&R&9第 &P 页，共 &N 页")
