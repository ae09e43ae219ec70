"""The zip and its parts: lying directories, doubled and wandering names, parts that run or fetch, entities."""

import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from io import BytesIO

from tests.support.books import SHEET_PART, repack
from tests.support.hostile.case import (
    MANIFEST_PART,
    Case,
    Entry,
    Fate,
    Good,
    Way,
    entry,
    in_part,
    rules,
    swap,
    with_cells,
)

RELS = "xl/_rels/workbook.xml.rels"
TYPES = "[Content_Types].xml"
#: What a formula leaves behind: read without the formula it would be an answer.
FORMULA = '<c r="K4" t="str"><f>A1</f><v>某某、某某</v></c>'


def cases(good: Good) -> Iterator[Case]:
    """Cases of the package."""
    yield from _entities(good)
    yield from _active(good)
    yield from _directories(good)
    yield from _two_readers(good)


def packed(entries: Iterable[Entry]) -> bytes:
    """A zip of these entries, whatever they say."""
    data, directory, count = b"", b"", 0
    for one in entries:
        said = one.size if one.said is None else one.said
        sizes = struct.pack("<HHIII", 0, 33, one.crc, len(one.data), said)
        head = struct.pack("<HHH", 20, one.flags, one.method) + sizes
        local = one.name if one.local is None else one.local
        directory += b"PK\x01\x02\x14\x00" + head + struct.pack("<HHHHHII", len(one.name), 0, 0, 0, 0, 0, len(data))
        directory += one.name
        data += b"PK\x03\x04" + head + struct.pack("<HH", len(local), 0) + local + one.data
        count += 1
    return data + directory + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(directory), len(data), 0)


def entries_of(workbook: bytes) -> list[Entry]:
    """The workbook's parts as entries."""
    with zipfile.ZipFile(BytesIO(workbook)) as package:
        return [entry(name, package.read(name)) for name in package.namelist()]


def _with(workbook: bytes, *more: Entry, without: str = "") -> bytes:
    return packed([*(one for one in entries_of(workbook) if one.name.decode() != without), *more])


def _entities(good: Good) -> Iterator[Case]:
    """Document types in every part that is read, in three encodings."""
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    kinds = {
        "laughs": f'<!DOCTYPE x [<!ENTITY l0 "哈">{laughs}]>',
        "quadratic": f'<!DOCTYPE x [<!ENTITY l0 "{"哈" * 50_000}">]>',
        "file": '<!DOCTYPE x [<!ENTITY l0 SYSTEM "file:///etc/hostname">]>',
        "http": '<!DOCTYPE x [<!ENTITY l0 SYSTEM "http://a.invalid/x">]>',
        "parameter": '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://a.invalid/x.dtd"> %p;]>',
        "system": '<!DOCTYPE x SYSTEM "http://a.invalid/x.dtd">',
    }
    names = (SHEET_PART, MANIFEST_PART, "xl/workbook.xml", RELS, "xl/styles.xml", "xl/theme/theme1.xml", TYPES,
             "docProps/core.xml")  # fmt: skip
    for at, part in enumerate(names):
        for kind, declaration in kinds.items():
            for encoding in ("utf-8", "utf-16", "utf-16-be") if kind in ("laughs", "file") else ("utf-8",):
                yield Case("entities", f"{part} {kind} {encoding}",
                           partial(_declared, good, part, declaration, encoding),
                           way=(Way.SEALED, Way.PLAIN)[at % 2], rules=rules("F06"))  # fmt: skip


def _declared(good: Good, part: str, declaration: str, encoding: str) -> bytes:
    def change(parts: dict[str, bytes]) -> None:
        name, bom = ("UTF-16", "\ufeff") if encoding == "utf-16-be" else (encoding, "")
        text = parts[part].decode().partition("?>")[2] or parts[part].decode()
        root = text.index(">") + 1
        text = text[:root] + ("&l0;" if "l0" in declaration else "") + text[root:]
        document = f'{bom}<?xml version="1.0" encoding="{name}"?>{declaration}{text}'
        parts[part] = document.encode(encoding)

    return repack(good.plain, change)


def _active(good: Good) -> Iterator[Case]:
    names = ["xl/vbaProject.bin", "xl/vbaProjectSignature.bin", "xl/macrosheets/sheet1.xml",
    "xl/dialogsheets/sheet1.xml",
             "xl/externalLinks/externalLink1.xml", "xl/embeddings/oleObject1.bin", "xl/embeddings/book.xlsx",
             "xl/activeX/activeX1.xml", "xl/activeX/activeX1.bin", "xl/connections.xml", "XL/VBAPROJECT.BIN",
             "other/vbaProject.bin", "xl/EMBEDDINGS/a.bin"]  # fmt: skip
    for at, name in enumerate(names):
        yield Case("active", name, partial(_with, good.plain, entry(name, b'<a/>')),
                   way=(Way.SEALED, Way.PLAIN)[at % 2], rules=rules("F06"))  # fmt: skip
    main = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    office, own = "application/vnd.openxmlformats-officedocument.", "application/vnd.ms-"
    kinds = [f"{own}excel.sheet.macroEnabled.main+xml", f"{own}office.vbaProject", f"{own}excel.macrosheet+xml",
             f"{office}spreadsheetml.externalLink+xml", f"{office}oleObject", f"{own}office.activeX+xml",
             f"{office}spreadsheetml.dialogsheet+xml"]  # fmt: skip
    for at, kind in enumerate(kinds):
        yield Case("active", kind, partial(in_part, good.plain, TYPES, swap(main, kind)),
                   way=(Way.SEALED, Way.PLAIN)[at % 2], rules=rules("F06"))  # fmt: skip
    idle = ["xl/queryTables/queryTable1.xml", "customUI/customUI.xml", "xl/webextensions/webextension1.xml",
            "xl/ctrlProps/ctrlProp1.xml", "customXml/item1.xml", "xl/printerSettings/printerSettings1.bin",
            "xl/calcChain.xml", "xl/comments1.xml", "xl/media/image1.png", "xl/threadedComments/a.xml"]  # fmt: skip
    for name in idle:
        yield Case("active", name, partial(_with, good.plain, entry(name, b"<a/>")), Fate.EITHER)
    for kind in ("hyperlink", "image", "externalLink", "attachedTemplate", "oleObject"):
        yield Case("active", f"external {kind}", partial(_external, good, kind), Fate.EITHER)


def _external(good: Good, kind: str) -> bytes:
    """A relation of the sheet to somewhere else."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relation = f'<Relationship Id="rId1" Type="{office}/{kind}" Target="http://a.invalid/x" TargetMode="External"/>'
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    xml = f'<Relationships xmlns="{package}">{relation}</Relationships>'
    return _with(good.plain, entry("xl/worksheets/_rels/sheet1.xml.rels", xml.encode()))


def _directories(good: Good) -> Iterator[Case]:
    """Names that wander, directories that lie. What still reads must read as the good workbook does."""
    wander = ["../../evil.xml", "/etc/cron.d/x", "C:\\evil.xml", "xl/../../x.xml", "xl/nul\0.xml", "xl/con.xml",
              "x" * 60_000, "xl/", "", ".", "xl//styles.xml", "./xl/styles.xml", "xl/sheet\u202e.xml"]  # fmt: skip
    for at, name in enumerate(wander):
        yield Case("zip names", f"{name[:20]!r}", partial(_with, good.plain, entry(name, b'x')), Fate.EITHER,
                   (Way.SEALED, Way.PLAIN)[at % 2])  # fmt: skip
    sheet = next(one for one in entries_of(good.plain) if one.name.decode() == SHEET_PART)
    lies = {
        "crc": replace(sheet, crc=sheet.crc ^ 1), "small size": replace(sheet, said=10),
        "size 0": replace(sheet, said=0),
        "large size": replace(sheet, said=sheet.size + 9), "4 GB": replace(sheet, said=0xFFFFFFFE),
        "encrypted": replace(sheet, flags=0x801), "strong": replace(sheet, flags=0x841),
        "method 99": replace(sheet, method=99),
        "stored": replace(sheet, method=0), "deflate64": replace(sheet, method=9), "lzma": replace(sheet, method=14),
        "bzip2": replace(sheet, method=12), "local name": replace(sheet, local=b"xl/worksheets/other1.xml"),
        "cut data": replace(sheet, data=sheet.data[:-20]), "no data": replace(sheet, data=b""),
    }  # fmt: skip
    for at, (name, lying) in enumerate(lies.items()):
        yield Case("zip lies", name, partial(_with, good.plain, lying, without=SHEET_PART),
                   way=(Way.SEALED, Way.PLAIN)[at % 2], rules=rules("F01", "F05"))  # fmt: skip
    again = entry(SHEET_PART, zlib.decompress(sheet.data, -15).replace("某".encode(), b""))
    for name in (SHEET_PART, SHEET_PART.upper(), "xl/worksheets/Sheet1.xml", "XL/workbook.xml", TYPES):
        yield Case("zip twice", name, partial(_with, good.plain, replace(again, name=name.encode())),
                   rules=rules("F01"))  # fmt: skip
    for name in (SHEET_PART, MANIFEST_PART, "xl/workbook.xml", RELS, TYPES):
        yield Case("zip gap", name, partial(_with, good.plain, without=name), way=Way.PLAIN)
        yield Case("zip gap", f"{name} empty", partial(_with, good.plain, entry(name, b''), without=name),
                   Fate.EITHER if name == TYPES else Fate.REFUSED, Way.PLAIN)  # fmt: skip


def _two_readers(good: Good) -> Iterator[Case]:
    """A clean sheet for the guard to look at, and beside it one with a formula for the reader: never taken for good."""
    evil = with_cells(good.plain, {"K4": FORMULA})
    dirty = next(one for one in entries_of(evil) if one.name.decode() == SHEET_PART)
    clean = next(one for one in entries_of(good.plain) if one.name.decode() == SHEET_PART)
    targets = {
        "xl/worksheets/sheet1.xml": "xl/xl/worksheets/sheet1.xml", "/xl/worksheets/./sheet1.xml": SHEET_PART,
        "../xl/worksheets/sheet1.xml": "xl/../xl/worksheets/sheet1.xml", "//xl/worksheets/sheet1.xml": SHEET_PART,
        "worksheets\\sheet1.xml": "xl/worksheets\\sheet1.xml", "/xl/worksheets/SHEET9.xml": "xl/worksheets/SHEET9.xml",
        "/xl/worksheets/sheet1.xml?x": "xl/worksheets/sheet1.xml?x", "%2Fxl/worksheets/sheet1.xml": SHEET_PART,
        "/xl/worksheets/sheet1.xml#a": "xl/worksheets/sheet1.xml#a",
    }  # fmt: skip
    for target, decoy in targets.items():
        for name, first, second in (("guard", clean, dirty), ("reader", dirty, clean)):
            yield Case(
                "two readers",
                f"{target} {name}",
                partial(_aimed, good, target, decoy, first, second),
                Fate.EITHER,
                Way.PLAIN,
            )
    for other in ("xl\\worksheets\\sheet1.xml", "/xl/worksheets/sheet1.xml", "xl/worksheets/sheet1.xml/",
    "xl//worksheets/sheet1.xml"):  # fmt: skip
        yield Case("two readers", f"beside {other}", partial(_with, good.plain, replace(dirty, name=other.encode())),
                   Fate.EITHER, Way.PLAIN)  # fmt: skip
    for name, made in (("appended", good.plain + evil), ("prepended", evil + good.plain)):
        yield Case("two readers", name, partial(bytes, made), Fate.EITHER, Way.PLAIN)
        # The first as the comment of nobody: two ends of directory in one file.
        length = struct.pack("<H", len(evil))
        yield Case("two readers", f"{name} as comment", partial(_commented, made, len(good.plain), length),
                   Fate.EITHER, Way.PLAIN)  # fmt: skip
    doubled = in_part(good.plain, RELS, lambda xml: xml.replace("<Relationship ", _also(), 1))
    yield Case("two readers", "relation twice", lambda: _with(doubled, replace(dirty, name=b"xl/worksheets/s9.xml")),
               Fate.EITHER, Way.PLAIN)  # fmt: skip
    last = in_part(good.plain, RELS, lambda xml: xml.replace("</Relationships>", _also() + 'Id="x" /></Relationships>'))
    yield Case("two readers", "relation twice, last", lambda: _with(last, replace(dirty, name=b"xl/worksheets/s9.xml")),
               Fate.EITHER, Way.PLAIN)  # fmt: skip


def _commented(two: bytes, first: int, length: bytes) -> bytes:
    return two[: first - 2] + length + two[first:]


def _also() -> str:
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
    return f'<Relationship Type="{kind}" Target="/xl/worksheets/s9.xml" Id="rId1" /><Relationship '


def _aimed(good: Good, target: str, decoy: str, first: Entry, second: Entry) -> bytes:
    """The sheet's relation aimed at `target`, one sheet under `decoy`, the other in its old place."""
    aimed = in_part(good.plain, RELS, swap('Target="/xl/worksheets/sheet1.xml"', f'Target="{target}"'))
    one = [] if decoy == SHEET_PART else [replace(first, name=decoy.encode())]
    return _with(aimed, *one, second, without=SHEET_PART)
