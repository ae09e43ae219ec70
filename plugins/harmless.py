"""Makes CSV safe for spreadsheets: no cell is taken for a formula, and the encoding is recognised."""

import csv
import io
import re

from etl.system.file_names import FORMULA_STARTS

#: Invisible characters that may precede a formula: spaces and characters without width.
BEFORE = re.compile(r"[\s\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]*")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
#: The byte-order mark, by which Excel recognises UTF-8.
BOM = b"\xef\xbb\xbf"


def harmless(content: bytes) -> bytes:
    """The same CSV (UTF-8), with an apostrophe before each cell that would be a formula. Numbers stay numbers."""
    out = io.StringIO()
    rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
    # All cells are quoted: if a spreadsheet splits at semicolons or tabs, a part of a cell must not become a formula.
    csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows(
        [[_as_text(c) for c in row] for row in rows]
    )
    return BOM + out.getvalue().encode("utf-8")


def _as_text(cell: str) -> str:
    if _NUMBER.fullmatch(cell):
        return cell
    return (
        f"'{cell}"
        if cell.startswith(FORMULA_STARTS) or BEFORE.sub("", cell, count=1).startswith(FORMULA_STARTS)
        else cell
    )
