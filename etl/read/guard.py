"""Before a workbook is parsed: is it small, plain and harmless? Streams, so that a bomb is met before it unfolds."""

import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.parsers import expat

from etl.campaign import Limits
from etl.submission import Problem

CHUNK = 1 << 16
#: Columns and array cells that no form of ours comes near.
COLUMNS = 256
ARRAY_CELLS = 100_000
#: Parts that run, fetch or embed: no form of ours has them.
ACTIVE = re.compile(
    r"vbaProject|macrosheets/|externalLinks/|embeddings/|activeX/|/connections\.xml|dialogsheets/", re.I
)
#: The same by declared type, for a part that was given a harmless name.
ACTIVE_TYPE = re.compile(rb"macroEnabled|vbaProject|macrosheet|externalLink|oleObject|activeX|dialogsheet", re.I)
REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")


class Refused(Exception):
    """The workbook is not read on; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.rule)
        self.problem = problem


@dataclass
class Marks:
    """Cells of a sheet, as (row, column) counted from 1, whose text alone would not tell what they are."""

    formulas: set[tuple[int, int]] = field(default_factory=set)
    errors: set[tuple[int, int]] = field(default_factory=set)


def guard(data: bytes, limits: Limits) -> dict[str, Marks]:
    """The marks of each sheet by name; Refused if the bytes are no workbook, too large, or active."""
    try:
        package = zipfile.ZipFile(io.BytesIO(data))
        names = package.namelist()
        if "xl/workbook.xml" not in names or "[Content_Types].xml" not in names or _doubled(names):
            raise Refused(Problem("F01"))
        if any(ACTIVE.search(name) for name in names):
            raise Refused(Problem("F06"))
        _count(package, limits)
        if ACTIVE_TYPE.search(package.read("[Content_Types].xml").replace(b"\0", b"")):
            raise Refused(Problem("F06"))
        return {name: _Scan(limits).parse(package.read(part)) for name, part in _parts(package).items()}
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, EOFError, OSError,
            ValueError, KeyError) as error:  # fmt: skip
        raise Refused(Problem("F01")) from error


def _doubled(names: Iterable[str]) -> bool:
    """True if two parts share a name: two readers could see two different workbooks in one file."""
    folded = [name.casefold() for name in names]
    return len(set(folded)) != len(folded)


def _count(package: zipfile.ZipFile, limits: Limits) -> None:
    """Read every part once: what the directory says of sizes is the sender's word, not a fact."""
    left = limits.unpacked_bytes
    for info in package.infolist():
        with package.open(info) as part:
            tail = b""
            while chunk := part.read(CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise Refused(Problem("F05", params={"limit": f"{limits.unpacked_bytes // 1_000_000} MB"}))
                # Without its zeros UTF-16 looks like ASCII; the tail catches what two chunks share.
                text = tail + chunk.replace(b"\0", b"")
                if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
                    raise Refused(Problem("F06"))
                tail = text[-8:]


def _parts(package: zipfile.ZipFile) -> dict[str, str]:
    """The part that holds each sheet, by the workbook's relations."""
    relations: dict[str, str] = {}
    targets: dict[str, str] = {}

    def on_sheet(tag: str, attributes: dict[str, str]) -> None:
        if _local(tag) == "sheet":
            name = attributes.get("name", "")
            if name in relations:
                raise Refused(Problem("F01"))
            relations[name] = next((v for k, v in attributes.items() if ":" in k and _local(k) == "id"), "")

    def on_relation(tag: str, attributes: dict[str, str]) -> None:
        if _local(tag) == "Relationship":
            target = attributes.get("Target", "")
            targets[attributes.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"

    _parse(package.read("xl/workbook.xml"), on_sheet)
    _parse(package.read("xl/_rels/workbook.xml.rels"), on_relation)
    return {name: targets[relation] for name, relation in relations.items()}


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _parse(xml: bytes, start: object) -> None:
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.StartElementHandler = start  # type: ignore[assignment]
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise Refused(Problem("F01")) from error


def _no_doctype(*_: object) -> None:
    raise Refused(Problem("F06"))


class _Scan:
    """One pass over a sheet's elements: formulas, error values, and nothing beyond the form's bounds."""

    def __init__(self, limits: Limits) -> None:
        self.limit = limits.rows
        self.count = self.row = self.column = 0
        self.marks = Marks()

    def parse(self, xml: bytes) -> Marks:
        _parse(xml, self._start)
        return self.marks

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = _local(tag)
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

    def _cell(self, attributes: dict[str, str]) -> None:
        # A cell may leave out its address: it then follows the one before it.
        self.column += 1
        if "r" in attributes:
            self.row, self.column = _position(attributes["r"])
        if attributes.get("t") == "e":
            self.marks.errors.add((self.row, self.column))

    def _formula(self, attributes: dict[str, str]) -> None:
        """Mark the cell, and every cell that an array formula fills: those hold a value only."""
        self.marks.formulas.add((self.row, self.column))
        area = attributes.get("ref", "")
        if area and attributes.get("t") in ("array", "dataTable"):
            first, _, last = area.partition(":")
            (top, left), (bottom, right) = _position(first), _position(last or first)
            if (bottom - top + 1) * (right - left + 1) > ARRAY_CELLS:
                raise Refused(Problem("F05", params={"limit": f"{self.limit} 行"}))
            self.marks.formulas |= {(r, c) for r in range(top, bottom + 1) for c in range(left, right + 1)}

    def _bound(self, row: int, column: int) -> None:
        if row > self.limit or column > COLUMNS:
            raise Refused(Problem("F05", params={"limit": f"{self.limit} 行"}))


def _position(reference: str) -> tuple[int, int]:
    """(row, column) of an address such as ``J7``; ValueError if it is none."""
    found = REFERENCE.fullmatch(reference.upper())
    if found is None:
        raise ValueError(reference)
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(found[2]), column
