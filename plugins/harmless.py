"""CSV as a spreadsheet can open it: no cell of it is taken for a formula, and its signs are read rightly."""

import csv
import io
import re

from etl.system.file_names import FORMULA_STARTS

#: What may stand before a formula and is not seen: spaces and signs without width.
BEFORE = re.compile(r"[\s\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]*")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
#: By which Excel knows UTF-8.
BOM = b"\xef\xbb\xbf"


def harmless(content: bytes) -> bytes:
    """The same cells; one that would be a formula is made text by an apostrophe before it. Numbers stay numbers."""
    out = io.StringIO()
    rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
    # All in quotes: where a spreadsheet splits at semicolons or tabs, half a cell must not become a formula.
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
