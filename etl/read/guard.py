"""Checks before a workbook is parsed: its size when unpacked, active content, and structure."""

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

#: Names of parts that run code, embed files or fetch data. Our forms have none; such a workbook is always refused.
ACTIVE = re.compile(
    r"macrosheets/|externalLinks/|embeddings/|activeX/|/connections\.xml|dialogsheets/|^Object |^MBD[0-9A-F]",
    re.I | re.M,
)
#: Names of parts with macros: Office's Visual Basic, LibreOffice's Basic, and scripts.
MACRO = re.compile(r"vbaProject|vbaData|_VBA_PROJECT|^(?:Basic|Scripts)/.", re.I | re.M)
#: The same as declared content types, in case a part has a harmless name.
ACTIVE_TYPE = re.compile(rb"macrosheet|externalLink|oleObject|activeX|dialogsheet", re.I)
MACRO_TYPE = re.compile(rb"macroEnabled|vbaProject", re.I)
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, NotImplementedError, RuntimeError, EOFError,
           OSError, ValueError, LookupError)  # fmt: skip

#: zlib's message when it has no memory left; then the memory limit was reached and the file is not damaged.
NO_MEMORY = "Error -4 "


def look_before_parsing(data: bytes, limits: Limits) -> Guarded:
    """The marks of each sheet and notes on the file. Raises Refused if it is no workbook, too large, or active.

    Raises MemoryError if the memory limit of the process is reached.
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
    """The note on a workbook with macros; Refused unless the campaign allows them. They are never run or read."""
    if has_macros and not limits.allow_macros:
        raise Refused(Problem("F06"))
    return (Problem("F19"),) if has_macros else ()


def _unpack(package: zipfile.ZipFile, limits: Limits) -> dict[str, bytes]:
    """The content of every part, by name. The limit is enforced on the unpacked bytes, not on the sizes declared."""
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
        if len(content) != info.file_size:  # different programs could read different content
            raise Refused(Problem("F01"))
        # Zeros are removed, so that UTF-16 is searched like ASCII.
        text = content.replace(b"\0", b"")
        if b"!" in text and (b"<!DOCTYPE" in text or b"<!ENTITY" in text):
            raise Refused(Problem("F06"))
        parts[info.filename] = content
    return parts


def _names(pattern: re.Pattern[str], names: Iterable[str]) -> bool:
    """True if the pattern is found in one of the names."""
    return pattern.search("\n".join(names)) is not None


def _doubled(names: Iterable[str]) -> bool:
    """True if two parts have the same name; different programs could then read different workbooks."""
    folded = [name.casefold().replace("\\", "/") for name in names]
    return len(set(folded)) != len(folded)


def _sheets(parts: dict[str, bytes]) -> dict[str, str]:
    """The name of each sheet's part, by sheet name, from the workbook's relations."""
    relations: dict[str, str] = {}
    targets: dict[str, str] = {}

    def on_sheet(tag: str, attributes: dict[str, str]) -> None:
        if local(tag) == "sheet":
            name = attributes.get("name", "")
            if name in relations:
                raise Refused(Problem("F01"))
            given = [value for key, value in attributes.items() if ":" in key and local(key) == "id"]
            if len(given) != 1:  # different programs could read different sheets
                raise Refused(Problem("F01"))
            relations[name] = given[0]

    def on_relation(tag: str, attributes: dict[str, str]) -> None:
        if local(tag) == "Relationship":
            target = attributes.get("Target", "")
            targets[attributes.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"

    parse_xml(parts["xl/workbook.xml"], on_sheet)
    parse_xml(parts["xl/_rels/workbook.xml.rels"], on_relation)
    return {name: targets[relation] for name, relation in relations.items()}
