"""Handover receipts (M18, 单线传送): one printable page per workbook, signed by the custodian and the recipient.

They contain no child's data and no counts. The fingerprint is keyed, so it reveals nothing to outsiders; `check` shows
it for a file that is exactly the one handed out.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import xlsxwriter

from etl.exchange.bundle import Bundle
from etl.rulebook.campaign import Campaign

RECEIPTS = "receipts.xlsx"
#: Below the table of facts: the lines to sign at the handover and at the return.
_SIGNED = (
    ("交出", ("保管人（交出）签字：", "领取人签字：", "领取日期：", "口令已另行告知（签字）：")),
    ("交回", ("交回人签字：", "保管人（收回）签字：", "交回日期：", "介质已清除（签字）：")),
)
RULES = (
    "一、本件由专人单线传送，不得使用公共邮箱、网盘或聊天工具；存放、使用、交回均由领取人负责。",
    "二、口令与介质分开交付，不得写在介质或本单上。",
    "三、本单一式两份，市教育局与领取单位各存一份；不含任何儿童信息。",
)


def shown(fingerprint: bytes) -> str:
    """A fingerprint as shown to people: its first 16 hex digits in groups of four."""
    text = fingerprint.hex()[:16]
    return "-".join(text[at : at + 4] for at in range(0, 16, 4))


def build_receipts(campaign: Campaign, bundles: Sequence[Bundle], fingerprints: Mapping[str, bytes], day: str) -> bytes:
    """An xlsx with one A4 page per recipient. `fingerprints` are by recipient, `day` is in ISO form."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        base = {"font_name": "宋体", "font_size": 12, "valign": "vcenter", "text_wrap": True}
        styles = {
            "title": book.add_format(base | {"bold": True, "font_size": 18, "align": "center"}),
            "label": book.add_format(base | {"border": 1, "bg_color": "#E7EDF3"}),
            "value": book.add_format(base | {"border": 1}),
            "part": book.add_format(base | {"bold": True}),
            "line": book.add_format(base | {"bottom": 1}),
            "note": book.add_format(base | {"font_size": 11, "valign": "top"}),
        }
        for number, bundle in enumerate(bundles, start=1):
            facts = {
                "交接编号": f"{bundle.issue}/{bundle.recipient}",
                "领取单位": bundle.name,
                "内容": f"加密工作簿《{bundle.form.sheet}》1 份",
                "文件名": bundle.file,
                "下发日期": day,
                "文件指纹（加密校验码）": shown(fingerprints[bundle.recipient]),
            }
            _page(book.add_worksheet(f"{number}-{bundle.recipient}"[:31]), campaign, facts, styles)
    return out.getvalue()


def _page(sheet: Any, campaign: Campaign, facts: Mapping[str, str], styles: Mapping[str, Any]) -> None:
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 52)
    sheet.merge_range(0, 0, 0, 1, f"{campaign.organiser['name']}数据介质交接单", styles["title"])
    sheet.set_row(0, 44)
    row = 1
    for label, value in facts.items():
        sheet.write_string(row, 0, label, styles["label"])
        sheet.write_string(row, 1, value, styles["value"])
        sheet.set_row(row, 26)
        row += 1
    for part, labels in _SIGNED:
        sheet.set_row(row, 34)
        sheet.write_string(row, 0, part, styles["part"])
        for label in labels:
            row += 1
            sheet.set_row(row, 34)
            sheet.write_string(row, 0, label, styles["note"])
            sheet.write_blank(row, 1, None, styles["line"])
        row += 1
    row += 1
    for text in RULES:
        sheet.merge_range(row, 0, row, 1, text, styles["note"])
        sheet.set_row(row, 34)
        row += 1
    sheet.set_paper(9)
    sheet.set_portrait()
    sheet.fit_to_pages(1, 1)
    sheet.print_area(0, 0, row - 1, 1)
    sheet.set_footer("&R&9第 &P 页，共 &N 页")
