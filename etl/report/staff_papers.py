"""Documents of the staff instance: its audit log for the custodian (M18), and passwords of new accounts."""

import io
from collections.abc import Iterable

import xlsxwriter

from etl.report.sheets import AS_TEXT, Line, add_sheet

_COLUMNS = (
    ("序号", 8), ("时间（UTC）", 21), ("账号", 14), ("来自", 16), ("方式", 7), ("页面", 30), ("条件或语句", 40),
    ("结果", 6), ("查询数", 7), ("行数", 7), ("理由", 24),
)  # fmt: skip
_ACCOUNTS = (("账号", 20), ("范围", 24), ("初始密码", 22), ("领取人签字", 20))


def build_looks(title: str, lines: Iterable[Line], head: str) -> bytes:
    """The workbook of the audit log, unencrypted; `head` is the printed seal of the newest entry."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, AS_TEXT) as book:
        add_sheet(
            book,
            "查阅日志",
            title,
            [f"日志链首：{head}", "保管人签字：＿＿＿＿＿＿＿＿　日期：＿＿＿＿＿＿"],
            _COLUMNS,
            list(lines),
        )
    return out.getvalue()


def build_accounts(title: str, accounts: Iterable[Line]) -> bytes:
    """The workbook of new accounts, unencrypted: (name, scope, password) each, to be cut apart and handed over."""
    out = io.BytesIO()
    notes = ["逐行裁开，当面交给本人；初始密码只用一次，首次登录须更改。交完即删除本文件。"]
    with xlsxwriter.Workbook(out, AS_TEXT) as book:
        add_sheet(
            book,
            "账号",
            title,
            notes,
            _ACCOUNTS,
            list(accounts),
        )
    return out.getvalue()
