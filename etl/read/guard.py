"""Before a workbook is parsed: is it small, plain and harmless? Streams, so that a bomb is met before it unfolds."""

import io
import re
import zipfile
from xml.parsers import expat

from etl.campaign import Limits
from etl.submission import Problem

CHUNK = 1 << 16
#: Parts that run, fetch or embed: no form of ours has them.
ACTIVE = re.compile(
    r"vbaProject|macrosheets/|externalLinks/|embeddings/|activeX/|/connections\.xml|dialogsheets/", re.I
)


class Refused(Exception):
    """The workbook is not read on; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.rule)
        self.problem = problem


def open_guarded(data: bytes, limits: Limits) -> zipfile.ZipFile:
    """The package as a zip, its real unpacked size counted; Refused if it is none, too large, or active."""
    try:
        package = zipfile.ZipFile(io.BytesIO(data))
        names = package.namelist()
        if "xl/workbook.xml" not in names or "[Content_Types].xml" not in names:
            raise Refused(Problem("F01"))
        if any(ACTIVE.search(name) for name in names):
            raise Refused(Problem("F06"))
        _count(package, limits)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise Refused(Problem("F01")) from error
    return package


def _count(package: zipfile.ZipFile, limits: Limits) -> None:
    """Read every part once: what the directory says of sizes is the sender's word, not a fact."""
    left = limits.unpacked_bytes
    for info in package.infolist():
        with package.open(info) as part:
            head = True
            while chunk := part.read(CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise Refused(Problem("F05", params={"limit": f"{limits.unpacked_bytes // 1_000_000} MB"}))
                if head and info.filename.endswith((".xml", ".rels")) and b"<!DOCTYPE" in chunk:
                    raise Refused(Problem("F06"))
                head = False


def formula_cells(package: zipfile.ZipFile, sheet: str, limits: Limits) -> set[str]:
    """Addresses of cells with a formula in the named sheet; Refused if it has more rows than the limit."""
    return _Formulas(limits.rows).parse(package.read(_part_of(package, sheet)))


def _part_of(package: zipfile.ZipFile, sheet: str) -> str:
    """The part that holds a sheet, by the workbook's relations."""
    relation = ""
    targets: dict[str, str] = {}

    def on_sheet(tag: str, attributes: dict[str, str]) -> None:
        nonlocal relation
        if tag.rpartition(":")[2] == "sheet" and attributes.get("name") == sheet:
            relation = next((v for k, v in attributes.items() if k.rpartition(":")[2] == "id" and ":" in k), "")

    def on_relation(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    _parse(package.read("xl/workbook.xml"), on_sheet)
    _parse(package.read("xl/_rels/workbook.xml.rels"), on_relation)
    target = targets.get(relation, "")
    name = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    if not target or name not in package.namelist():
        raise Refused(Problem("F01"))
    return name


def _parse(xml: bytes, start: object) -> None:
    parser = _parser()
    parser.StartElementHandler = start  # type: ignore[assignment]
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise Refused(Problem("F01")) from error


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _no_doctype
    return parser


def _no_doctype(*_: object) -> None:
    raise Refused(Problem("F06"))


class _Formulas:
    """Collects the addresses of cells that hold `<f>`."""

    def __init__(self, rows: int) -> None:
        self.limit, self.rows, self.cell = rows, 0, ""
        self.found: set[str] = set()

    def parse(self, xml: bytes) -> set[str]:
        _parse(xml, self._start)
        return self.found

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "row":
            self.rows += 1
            if self.rows > self.limit:
                raise Refused(Problem("F05", params={"limit": f"{self.limit} 行"}))
        elif name == "c":
            self.cell = attributes.get("r", "")
        elif name == "f":
            self.found.add(self.cell)
