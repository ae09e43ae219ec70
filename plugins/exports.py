"""Exports of what a page shows, as CSV or as a sealed workbook: all of its rows, or a refusal, never a part."""

import asyncio
import datetime as dt
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import xlsxwriter
from datasette import Response
from datasette.utils.asgi import Request
from datasette.views.base import DatasetteError

from etl.system.sealing import seal
from etl.vault.store.keys import Keys
from plugins.describe import heading

#: Extension and media type of each kind of export.
EXPORTS: Mapping[str, str] = {
    ".csv": "text/csv; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
#: The most characters of a cell of a workbook (Excel's own limit).
LONGEST_CELL = 32_767
_TOO_LONG = "有单元格超过 {most} 字，Excel 放不下，请导出 CSV / a text of more than {most} characters: export CSV"
#: Parameters of a page that have no place in an export.
_OF_PAGE = ("_next", "_size", "_facet", "_facet_date", "_facet_size", "_nofacet", "_nocount")


def export_links(request: Request) -> dict[str, str]:
    """The addresses (path and query) that export what a page shows, by the name of the kind."""
    asked = [pair for pair in parse_qsl(request.query_string, keep_blank_values=True) if pair[0] not in _OF_PAGE]
    query = urlencode([*asked, ("_size", "max")])
    return {"CSV": f"{request.path}.csv?{query}", "Excel（加密）": f"{request.path}.xlsx?{query}"}


def password_of(keys: Keys, scope: str) -> str:
    """The password of a scope's exported workbooks; its first page shows it."""
    return keys.password("export", scope)


def attachment(title: str, extension: str) -> str:
    """The header Content-Disposition: a file with a Chinese name and today's date (RFC 6266)."""
    name = f"{title}-{dt.date.today().isoformat()}{extension}"
    return f"attachment; filename=\"export{extension}\"; filename*=UTF-8''{quote(name)}"


async def xlsx_export(datasette: Any, columns: Sequence[str], rows: Iterable[Sequence[Any]], database: str,
                      table: str | None) -> Response:  # fmt: skip
    """The answer with a workbook of these rows, sealed with the password of the scope `database`."""
    described = datasette.rules.columns_of(table)
    headings = [heading(described.get(column), column) for column in columns]
    named = [column in ("unit", "department") and table != "progress" for column in columns]
    names = datasette.printed_names
    texts = [
        [names.get(value, value) if is_named else _of_cell(value) for value, is_named in zip(row, named, strict=True)]
        for row in rows
    ]
    password = password_of(datasette.keys, database)
    # Another thread, since sealing takes about half a second.
    content = await asyncio.get_running_loop().run_in_executor(None, lambda: seal(_workbook(headings, texts), password))
    return Response(content, content_type=EXPORTS[".xlsx"])


def _of_cell(value: Any) -> Any:
    """What a cell of a workbook holds of a value. Raises DatasetteError for a text that no cell has room for."""
    if isinstance(value, dict):  # with `_labels`: value and label
        return value.get("label")
    if isinstance(value, str) and len(value) > LONGEST_CELL:
        raise DatasetteError(_TOO_LONG.format(most=LONGEST_CELL), status=400)
    # A spreadsheet has fifteen digits, and no infinity.
    is_number = isinstance(value, int | float) and math.isfinite(value) and abs(value) < 10**15
    return value if value is None or is_number else str(value)


def _workbook(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """A workbook in memory (temporary files would hold names); no text becomes a formula or a link."""
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    sheet = book.add_worksheet("导出")
    bold = book.add_format({"bold": True})
    for at, text in enumerate(headings):
        sheet.write_string(0, at, text, bold)
    for number, row in enumerate(rows, 1):
        for at, value in enumerate(row):
            if isinstance(value, int | float):
                sheet.write_number(number, at, value)
            elif value is not None:
                sheet.write_string(number, at, value)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(rows), 1), max(len(headings) - 1, 0))
    sheet.set_column(0, max(len(headings) - 1, 0), 16)
    book.close()
    return content.getvalue()
