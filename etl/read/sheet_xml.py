"""One sheet of an xlsx: which cells are formulas or error values, and that nothing lies beyond the form's bounds.

Nearly all workbooks are written in the one plain way in which Excel, WPS, LibreOffice and openpyxl write them; there a
few searches of the bytes tell. Whatever looks in any way different is parsed by expat. Both give the same marks.
"""

import re
from collections.abc import Callable
from functools import cache
from xml.parsers import expat

from etl.exchange.submission import Problem
from etl.read.marks import MOST_COLUMNS, Marks, Refused, too_large

REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")
#: The declaration of a part in UTF-8, or none.
UTF8 = re.compile(rb"""(?:\xef\xbb\xbf)?(?:<\?xml(?:(?!encoding)[^?>])*(?:encoding=["']utf-8["'][^?>]*)?\?>)?""", re.I)
QUOTED = re.compile(rb"=\s*'")
PREFIXED = re.compile(rb":(?:c|f|v|is|row|sheetData)[\s/>]")
CELL = re.compile(rb'<c r="([A-Z]{1,3}[0-9]{1,7})"[^<>&]*>')
SHORTEST_ROW = len("<row/>")
#: Signs that no XML may hold (XML 1.0, 2.2), but that lenient readers pass on.
CONTROLS = bytes({*range(32)} - {9, 10, 13})
NO_SIGN = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
#: A cell that names a text of the shared list, by what is no whole number.
BAD_INDEX = re.compile(rb't="s"[^<>]*><v>(?![0-9]{1,9}</v>)')


def scan_sheet(xml: bytes, rows: int) -> Marks:
    """The marks of a sheet's part; Refused beyond so many rows, or if it is no XML."""
    quick = quick_marks(xml, rows)
    return _Scan(rows).parse(xml) if quick is None else quick


def check_texts(xml: bytes) -> None:
    """Refused if the list of shared texts holds what is no XML: lenient readers would pass it on."""
    if b"&#" in xml or _has_control(xml):
        parse_xml(xml, lambda _tag, _attributes: None)


def _has_control(xml: bytes) -> bool:
    return len(xml.translate(None, CONTROLS)) != len(xml) or (
        NO_SIGN[0][:2] in xml and any(sign in xml for sign in NO_SIGN)
    )


def quick_marks(xml: bytes, rows: int) -> Marks | None:
    """The marks if the sheet is written in the plain way, else None."""
    prolog = UTF8.match(xml)
    first = xml.find(b"<", prolog.end()) if prolog else -1
    if first < 0 or not xml.endswith(b"</worksheet>") or _is_odd(xml[first:]):
        return None
    if _far(len(str(rows))).search(xml) or (len(xml) > rows * SHORTEST_ROW and xml.count(b"<row") > rows):
        return None
    marks = Marks()
    start = xml.find(b"<f")
    while start >= 0:
        if xml[start + 2] in b" \t\r\n/>":  # else a longer name
            at = _formula_at(xml, start)
            if at is None:
                return None
            marks.formulas.add(at)
        start = xml.find(b"<f", start + 2)
    return marks


@cache
def _far(digits: int) -> re.Pattern[bytes]:
    """An address that might lie beyond the bounds: so many digits, or a column behind IV (256)."""
    return re.compile(rb'r="(?:[A-Z]{0,3}[0-9]{%d}|[A-Z]{3}|I[W-Z]|[J-Z][A-Z])' % digits)


def _is_odd(body: bytes) -> bool:
    """Anything by which a value could be written otherwise, or hidden: comments, prefixes, references, other quotes."""
    return (
        _has_control(body)
        or (b"#" in body and b"&#" in body)
        or b'"e"' in body
        or (b"!" in body and b"<!" in body)
        or (b"?" in body and b"<?" in body)
        or (b"'" in body and QUOTED.search(body) is not None)
        or PREFIXED.search(body) is not None
        or BAD_INDEX.search(body) is not None
        or body.count(b"<") != 2 * body.count(b"</") + body.count(b"/>")  # an element that does not end
    )


def _formula_at(xml: bytes, start: int) -> tuple[int, int] | None:
    """The place of the cell that a formula stands in, None unless it is one cell's own formula."""
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
    """Every element's qualified name and attributes; Refused if it is no XML or declares a document type."""
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
    """A qualified name without its prefix."""
    return name.rpartition(":")[2]


class _Scan:
    """One pass over a sheet's elements, however they are written."""

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
        """A cell that names a shared text by what is no whole number: lenient readers show some text or other."""
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
        # A cell may leave out its address: it then follows the one before it.
        self.column += 1
        if "r" in attributes:
            self.row, self.column = position(attributes["r"])
        self.is_listed = attributes.get("t") == "s"
        if attributes.get("t") == "e":
            self.marks.errors.add((self.row, self.column))

    def _formula(self, attributes: dict[str, str]) -> None:
        """Mark the cell, and every cell that an array formula fills: those hold a value only."""
        self.marks.formulas.add((self.row, self.column))
        area = attributes.get("ref", "")
        if area and attributes.get("t") in ("array", "dataTable"):
            first, _, last = area.partition(":")
            self.marks.fill(*position(first), *position(last or first), self.limit)

    def _bound(self, row: int, column: int) -> None:
        if row > self.limit or column > MOST_COLUMNS:
            raise too_large(self.limit)


def position(reference: str) -> tuple[int, int]:
    """(row, column) of an address such as ``J7``, from 1; ValueError if it is none."""
    found = REFERENCE.fullmatch(reference.upper())
    if found is None:
        raise ValueError(reference)
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(found[2]), column
