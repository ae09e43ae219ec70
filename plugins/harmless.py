"""CSV as a spreadsheet can open it: no cell of it is taken for a formula, and its signs are read rightly."""

import csv
import io
import re

#: What a spreadsheet takes for the beginning of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
#: By which Excel knows UTF-8.
BOM = b"\xef\xbb\xbf"


def harmless(content: bytes) -> bytes:
    """The same cells; one that would be a formula is made text by an apostrophe before it. Numbers stay numbers."""
    out = io.StringIO()
    rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
    csv.writer(out, lineterminator="\r\n").writerows([[_as_text(cell) for cell in row] for row in rows])
    return BOM + out.getvalue().encode("utf-8")


def _as_text(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) and not NUMBER.fullmatch(cell) else cell
