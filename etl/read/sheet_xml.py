"""Scanning one sheet of an xlsx for formulas, error values, and content beyond the limits of rows and columns.

Excel, WPS, LibreOffice and openpyxl write nearly all sheets in the same simple way, for which a few searches of the
bytes suffice (`quick_marks`). Any other sheet is parsed by expat. Both give the same marks.
"""

import re
from collections.abc import Callable
from functools import cache
from xml.parsers import expat

from etl.exchange.submission import Problem
from etl.read.marks import MOST_COLUMNS, Marks, Refused, too_large

REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")
#: The optional XML declaration of a part in UTF-8.
UTF8 = re.compile(rb"""(?:\xef\xbb\xbf)?(?:<\?xml(?:(?!encoding)[^?>])*(?:encoding=["']utf-8["'][^?>]*)?\?>)?""", re.I)
QUOTED = re.compile(rb"=\s*'")
PREFIXED = re.compile(rb":(?:c|f|v|is|row|sheetData)[\s/>]")
CELL = re.compile(rb'<c r="([A-Z]{1,3}[0-9]{1,7})"[^<>&]*>')
#: A row or cell that does not begin with its address in the usual form, so that `_far` cannot judge it. Without an
#: address it follows the one before it, and may lie beyond the limits; lower case and leading zeros are not usual.
UNADDRESSED = re.compile(rb'<(?:c(?! r="[A-Z]{1,3}[1-9][0-9]*")|row(?! r="[1-9][0-9]*"))[\s/>]')
SHORTEST_ROW = len("<row/>")
#: Characters that XML does not allow (XML 1.0, section 2.2), but that lenient parsers accept.
CONTROLS = bytes({*range(32)} - {9, 10, 13})
NO_CHARACTER = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
#: A cell that refers to a shared text by something other than a whole number.
BAD_INDEX = re.compile(rb't="s"[^<>]*><v>(?![0-9]{1,9}</v>)')


def scan_sheet(xml: bytes, rows: int) -> Marks:
    """The marks of a sheet, from its XML. Refused if there are more than `rows` rows or the XML is not valid."""
    quick = quick_marks(xml, rows)
    return _Scan(rows).parse(xml) if quick is None else quick


def check_texts(xml: bytes) -> None:
    """Raise Refused if the XML of the shared texts is not valid, which lenient parsers would accept."""
    if b"&#" in xml or _has_control(xml):
        parse_xml(xml, lambda _tag, _attributes: None)


def _has_control(xml: bytes) -> bool:
    return len(xml.translate(None, CONTROLS)) != len(xml) or (
        NO_CHARACTER[0][:2] in xml and any(sequence in xml for sequence in NO_CHARACTER)
    )


def quick_marks(xml: bytes, rows: int) -> Marks | None:
    """The marks, if the sheet is written in the simple way and within the limits; else None."""
    prolog = UTF8.match(xml)
    first = xml.find(b"<", prolog.end()) if prolog else -1
    if first < 0 or not xml.endswith(b"</worksheet>") or _is_odd(xml[first:]):
        return None
    if _far(len(str(rows))).search(xml) or (len(xml) > rows * SHORTEST_ROW and xml.count(b"<row") > rows):
        return None
    marks = Marks()
    start = xml.find(b"<f")
    while start >= 0:
        if xml[start + 2] in b" \t\r\n/>":  # otherwise another element, whose name begins with f
            at = _formula_at(xml, start)
            if at is None:
                return None
            marks.formulas.add(at)
        start = xml.find(b"<f", start + 2)
    return marks


@cache
def _far(digits: int) -> re.Pattern[bytes]:
    """Matches an address that may be beyond the limits: at least `digits` digits, or a column after IV (256)."""
    return re.compile(rb'r="(?:[A-Z]{0,3}[0-9]{%d}|[A-Z]{3}|I[W-Z]|[J-Z][A-Z])' % digits)


def _is_odd(body: bytes) -> bool:
    """True if the XML has anything that `quick_marks` cannot handle, such as comments, prefixes or references."""
    return (
        _has_control(body)
        or (b"#" in body and b"&#" in body)
        or b'"e"' in body
        or (b"!" in body and b"<!" in body)
        or (b"?" in body and b"<?" in body)
        or (b"'" in body and QUOTED.search(body) is not None)
        or PREFIXED.search(body) is not None
        or UNADDRESSED.search(body) is not None
        or BAD_INDEX.search(body) is not None
        or body.count(b"<") != 2 * body.count(b"</") + body.count(b"/>")  # an element without its end
    )


def _formula_at(xml: bytes, start: int) -> tuple[int, int] | None:
    """(row, column) of the cell with the formula at `start`; None if the formula fills several cells."""
    tag = xml[start : xml.find(b">", start)]
    cell = CELL.match(xml, max(xml.rfind(b"<c", 0, start), 0))
    if cell is None or cell.end() != start or b"array" in tag or b"dataTable" in tag:
        return None
    return position(cell[1].decode())


def parse_xml(
    xml: bytes,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Parse XML and call `start` (qualified name, attributes), `end` and `text` as expat does.

    Refused if it is not valid XML or declares a document type.
    """
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise Refused(Problem("F01")) from error


def _no_doctype(*_: object) -> None:
    raise Refused(Problem("F06"))


def local(name: str) -> str:
    """The local part of a qualified name, without its prefix."""
    return name.rpartition(":")[2]


class _Scan:
    """Collects the marks of a sheet by parsing it with expat."""

    def __init__(self, rows: int) -> None:
        self.limit = rows
        self.count = self.row = self.column = 0
        self.marks = Marks()
        self.index: list[str] | None = None
        self.is_listed = False

    def parse(self, xml: bytes) -> Marks:
        parse_xml(xml, self._start, self._end, self._text)
        return self.marks

    def _text(self, text: str) -> None:
        if self.index is not None:
            self.index.append(text)

    def _end(self, _tag: str) -> None:
        """Refuse a cell whose index of a shared text is no whole number; lenient parsers would show some text."""
        if self.index is not None and not re.fullmatch("[0-9]{1,9}", "".join(self.index)):
            raise Refused(Problem("F01"))
        self.index = None

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local(tag)
        if name == "row":
            self.count += 1
            self._bound(self.count, 1)
            self.row, self.column = int(attributes.get("r", self.row + 1)), 0
        elif name == "c":
            self._cell(attributes)
        elif name in ("v", "is", "f"):
            self._bound(self.row, self.column)
            if name == "f":
                self._formula(attributes)
            self.index = [] if name == "v" and self.is_listed else None

    def _cell(self, attributes: dict[str, str]) -> None:
        # A cell without an address follows the cell before it.
        self.column += 1
        if "r" in attributes:
            self.row, self.column = position(attributes["r"])
        self.is_listed = attributes.get("t") == "s"
        if attributes.get("t") == "e":
            self.marks.errors.add((self.row, self.column))

    def _formula(self, attributes: dict[str, str]) -> None:
        """Mark the cell of a formula, and every other cell that an array formula fills."""
        self.marks.formulas.add((self.row, self.column))
        area = attributes.get("ref", "")
        if area and attributes.get("t") in ("array", "dataTable"):
            first, _, last = area.partition(":")
            self.marks.fill(*position(first), *position(last or first), self.limit)

    def _bound(self, row: int, column: int) -> None:
        if row > self.limit or column > MOST_COLUMNS:
            raise too_large(self.limit)


def position(reference: str) -> tuple[int, int]:
    """(row, column) of an address such as ``J7``, counted from 1. ValueError if it is not an address."""
    found = REFERENCE.fullmatch(reference.upper())
    if found is None:
        raise ValueError(reference)
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(found[2]), column
