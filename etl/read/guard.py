"""Before a workbook is parsed: is it small, plain and harmless? A bomb is met before it unfolds."""

import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable

import olefile

from etl.exchange.submission import Problem
from etl.read.biff import scan_stream
from etl.read.kinds import kind_of
from etl.read.marks import Guarded, Refused
from etl.read.open_document import scan_content
from etl.read.sheet_xml import check_texts, local, parse_xml, scan_sheet
from etl.rulebook.limits import Limits

#: Parts that fetch, embed or run in a way that no setting allows: no form of ours has them.
ACTIVE = re.compile(
    r"macrosheets/|externalLinks/|embeddings/|activeX/|/connections\.xml|dialogsheets/|^Object |^MBD[0-9A-F]",
    re.I | re.M,
)
#: Macros: parts of Office's Visual Basic, LibreOffice's Basic and scripts.
MACRO = re.compile(r"vbaProject|vbaData|_VBA_PROJECT|^(?:Basic|Scripts)/.", re.I | re.M)
#: The same by declared type, for a part that was given a harmless name.
ACTIVE_TYPE = re.compile(rb"macrosheet|externalLink|oleObject|activeX|dialogsheet", re.I)
MACRO_TYPE = re.compile(rb"macroEnabled|vbaProject", re.I)
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, NotImplementedError, RuntimeError, EOFError,
           OSError, ValueError, LookupError)  # fmt: skip

#: How zlib says that it has no memory left, which is the limit's doing and no fault of the file.
NO_MEMORY = "Error -4 "


def look_before_parsing(data: bytes, limits: Limits) -> Guarded:
    """The marks of each sheet; Refused if the bytes are no workbook that we read, too large, or active.

    MemoryError if what the process may take does not suffice.
    """
    kind, container = kind_of(data)
    try:
        if isinstance(container, zipfile.ZipFile) and kind == "xlsx":
            return _office(container, limits)
        if isinstance(container, zipfile.ZipFile) and kind == "ods":
            return _open_document(container, limits)
        if isinstance(container, olefile.OleFileIO) and kind == "xls":
            return _old_excel(container, limits)
    except DAMAGED as error:
        if isinstance(error, zlib.error) and str(error).startswith(NO_MEMORY):
            raise MemoryError from error
        raise Refused(Problem("F01")) from error
    raise Refused(Problem("F17", params={"kind": kind}) if kind else Problem("F01"))


def _office(package: zipfile.ZipFile, limits: Limits) -> Guarded:
    parts = _unpack(package, limits)
    types = parts["[Content_Types].xml"].replace(b"\0", b"")
    if ACTIVE_TYPE.search(types):
        raise Refused(Problem("F06"))
    notes = _macros(_names(MACRO, parts) or MACRO_TYPE.search(types) is not None, limits)
    sheets = {name: scan_sheet(parts[part], limits.rows) for name, part in _sheets(parts).items()}
    check_texts(parts.get("xl/sharedStrings.xml", b""))
    return Guarded(sheets, notes)


def _open_document(package: zipfile.ZipFile, limits: Limits) -> Guarded:
    parts = _unpack(package, limits)
    notes = _macros(_names(MACRO, parts), limits)
    return Guarded(scan_content(parts["content.xml"], limits.rows), (*notes, _other_format(".ods")))


def _old_excel(ole: olefile.OleFileIO, limits: Limits) -> Guarded:
    names = ["/".join(path) for path in ole.listdir(streams=True, storages=True)]
    if _names(ACTIVE, names):
        raise Refused(Problem("F06"))
    notes = _macros(_names(MACRO, names), limits)
    return Guarded(scan_stream(ole.openstream("Workbook").read(), limits.rows), (*notes, _other_format(".xls")))


def _other_format(kind: str) -> Problem:
    return Problem("F18", params={"kind": kind})


def _macros(has_macros: bool, limits: Limits) -> tuple[Problem, ...]:
    """Macros are never run or read; whether a workbook with them is read at all is the campaign's choice."""
    if has_macros and not limits.allow_macros:
        raise Refused(Problem("F06"))
    return (Problem("F19"),) if has_macros else ()


def _unpack(package: zipfile.ZipFile, limits: Limits) -> dict[str, bytes]:
    """Every part, read once and never beyond the limit: what the directory says of sizes is the sender's word."""
    names = package.namelist()
    if _doubled(names):
        raise Refused(Problem("F01"))
    if _names(ACTIVE, names):
        raise Refused(Problem("F06"))
    left = limits.unpacked_bytes
    parts: dict[str, bytes] = {}
    for info in package.infolist():
        with package.open(info) as part:
            content = part.read(left + 1)
        left -= len(content)
        if left < 0:
            raise Refused(Problem("F05", params={"limit": f"{limits.unpacked_bytes // 1_000_000} MB"}))
        if len(content) != info.file_size:  # two readers could see two different files
            raise Refused(Problem("F01"))
        # Without its zeros UTF-16 looks like ASCII.
        text = content.replace(b"\0", b"")
        if b"!" in text and (b"<!DOCTYPE" in text or b"<!ENTITY" in text):
            raise Refused(Problem("F06"))
        parts[info.filename] = content
    return parts


def _names(pattern: re.Pattern[str], names: Iterable[str]) -> bool:
    """True if a part's name is one of those."""
    return pattern.search("\n".join(names)) is not None


def _doubled(names: Iterable[str]) -> bool:
    """True if two parts share a name: two readers could see two different workbooks in one file."""
    folded = [name.casefold().replace("\\", "/") for name in names]
    return len(set(folded)) != len(folded)


def _sheets(parts: dict[str, bytes]) -> dict[str, str]:
    """The part that holds each sheet, by the workbook's relations."""
    relations: dict[str, str] = {}
    targets: dict[str, str] = {}

    def on_sheet(tag: str, attributes: dict[str, str]) -> None:
        if local(tag) == "sheet":
            name = attributes.get("name", "")
            if name in relations:
                raise Refused(Problem("F01"))
            given = [value for key, value in attributes.items() if ":" in key and local(key) == "id"]
            if len(given) != 1:  # two readers could see two different sheets
                raise Refused(Problem("F01"))
            relations[name] = given[0]

    def on_relation(tag: str, attributes: dict[str, str]) -> None:
        if local(tag) == "Relationship":
            target = attributes.get("Target", "")
            targets[attributes.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"

    parse_xml(parts["xl/workbook.xml"], on_sheet)
    parse_xml(parts["xl/_rels/workbook.xml.rels"], on_relation)
    return {name: targets[relation] for name, relation in relations.items()}
