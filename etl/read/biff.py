"""Scanning the records of an old .xls (MS-XLS) for formulas, error values, macro sheets and external references."""

import struct
from collections.abc import Iterator

from etl.exchange.submission import Problem
from etl.read.marks import MOST_COLUMNS, Marks, Refused, too_large

EOF, BOF, SHEET, SUPPLIER = 0x000A, 0x0809, 0x0085, 0x01AE
FORMULA_RECORD, ARRAY, _TABLE, ERROR = 0x0006, 0x0221, 0x0236, 0x0205
#: Records that put a value into a cell: LABELSST, LABEL, RSTRING, NUMBER, RK, MULRK.
VALUES = (0x00FD, 0x0204, 0x00D6, 0x0203, 0x027E, 0x00BD, FORMULA_RECORD, ERROR)
BIFF8, WORKSHEET = 0x0600, 0
#: Bytes in a SUPBOOK record that refers to no other file, but to this workbook or to add-in functions.
INTERNAL = (b"\x01\x04", b"\x01\x3a")


def scan_stream(stream: bytes, rows: int) -> dict[str, Marks]:
    """The marks of each sheet, by name. `rows` is the most rows allowed.

    Raises Refused if the workbook has macro sheets or external references or is too large; struct.error if damaged.
    """
    if struct.unpack_from("<HHH", stream)[0::2] != (BOF, BIFF8):
        raise Refused(Problem("F01"))
    sheets: dict[str, Marks] = {}
    for kind, body in _records(stream, 0):
        if kind == SUPPLIER and body[2:4] not in INTERNAL:
            raise Refused(Problem("F06"))
        if kind == SHEET:
            offset, _, is_what, length, is_wide = struct.unpack_from("<IBBBB", body)
            name = body[8 : 8 + length * (1 + (is_wide & 1))].decode("utf-16-le" if is_wide & 1 else "latin-1")
            if is_what == 1:  # a macro sheet
                raise Refused(Problem("F06"))
            if name in sheets:
                raise Refused(Problem("F01"))
            sheets[name] = _sheet(stream, offset, rows) if is_what == WORKSHEET else Marks()
    return sheets


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """(kind, body) of the records from the BOF at `at` to its EOF, without those of nested parts such as charts."""
    depth = 0
    while True:
        kind, length = struct.unpack_from("<HH", stream, at)
        body = stream[at + 4 : at + 4 + length]
        if len(body) < length:
            raise struct.error("a record is cut off")
        depth += (kind == BOF) - (kind == EOF)
        if depth == 0:
            return
        if depth == 1:
            yield kind, body
        at += 4 + length


def _sheet(stream: bytes, offset: int, rows: int) -> Marks:
    marks = Marks()
    for kind, body in _records(stream, offset):
        if kind in VALUES:
            row, column = struct.unpack_from("<HH", body)
            if row >= rows or column >= MOST_COLUMNS:
                raise too_large(rows)
            if kind == FORMULA_RECORD:
                marks.formulas.add((row + 1, column + 1))
            elif kind == ERROR and body[7]:
                marks.errors.add((row + 1, column + 1))
        elif kind in (ARRAY, _TABLE):
            top, bottom, left, right = struct.unpack_from("<HHBB", body)
            marks.fill(top + 1, left + 1, bottom + 1, right + 1, rows)
    return marks
