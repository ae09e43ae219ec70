"""Small files that unfold: to two gigabytes, to millions of elements, to texts and trees that no form holds."""

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from io import BytesIO

from tests.support.books import SHEET_PART, repack
from tests.support.hostile.case import (
    MANIFEST_PART,
    STRINGS_PART,
    Case,
    Entry,
    Fate,
    Good,
    Way,
    entry,
    flood,
    in_sheet,
    rules,
    shared,
    swap,
    text_cell,
    with_cells,
)
from tests.support.hostile.packages import RELS, TYPES, entries_of, packed

MB = 1 << 20
LIMITS = rules("F01", "F05", "F06", "F08")
DATA = "</sheetData>"
STYLES = "xl/styles.xml"
#: Just under what a workbook may unfold to.
DENSE = 180


def cases(good: Good) -> Iterator[Case]:
    """Cases that want memory or time."""
    yield from _bombs(good)
    yield from _dense(good)
    yield from _counts(good)
    yield from _far(good)
    yield from _texts(good)


def _put(workbook: bytes, one: Entry) -> bytes:
    """The workbook with an entry in place of the one of its name."""
    return packed([*(other for other in entries_of(workbook) if other.name != one.name), one])


def _bomb(good: Good, part: str, size: int, said: int | None = None) -> bytes:
    block = bytes(MB) if part.endswith((".bin", ".png")) else b" " * MB
    return _put(good.plain, replace(flood(part, b"<a>", block, size, b"</a>"), said=said))


def _bombs(good: Good) -> Iterator[Case]:
    names = [SHEET_PART, STRINGS_PART, STYLES, "xl/drawings/drawing1.xml", "xl/media/image1.png", TYPES,
    "xl/workbook.xml",
             RELS, "docProps/core.xml", "xl/printerSettings/p.bin", MANIFEST_PART, "xl/comments1.xml"]  # fmt: skip
    for at, part in enumerate(names):
        size = (256, 1024, 2047)[at % 3]
        yield Case("bomb", f"{part} {size} MB", partial(_bomb, good, part, size),
                   way=(Way.PLAIN, Way.SEALED)[at % 2], rules=rules("F05"), slow=size > 256)  # fmt: skip
    for said in (0, 10, 0xFFFFFFFE):
        yield Case("bomb", f"said {said}", partial(_bomb, good, 'xl/media/a.png', 300, said), way=Way.PLAIN,
                   rules=rules("F01", "F05"))  # fmt: skip
    yield Case("bomb", "nested", lambda: _nested(good, 3), Fate.EITHER, slow=True)
    yield Case("bomb", "many parts", lambda: packed([*entries_of(good.plain), *(
        replace(flood("", b"", bytes(MB), 4, b""), name=f"xl/media/{n}.png".encode()) for n in range(60))]),
        rules=rules("F05"))  # fmt: skip
    for count in (100, 5_000):
        yield Case("bomb", f"{count} overlapping", partial(_overlapping, good, count), way=Way.PLAIN, rules=LIMITS)


def _nested(good: Good, depth: int) -> bytes:
    inner = flood("0", b"", bytes(MB), 1024, b"")
    for level in range(depth):
        inner = entry(f"{level}.zip", packed(replace(inner, name=str(n).encode()) for n in range(4)))
    return _put(good.plain, replace(inner, name=b"xl/media/a.zip"))


def _overlapping(good: Good, count: int) -> bytes:
    """Many names for one piece of data: the directory lists many times what is stored once."""
    first = flood("xl/media/0.png", b"", bytes(MB), 20, b"")
    archive = bytearray(packed([first, *entries_of(good.plain)]))
    at = archive.index(b"PK\x01\x02")
    one = bytes(archive[at : at + 46 + len(first.name)])
    end = archive.rindex(b"PK\x05\x06")
    more = b"".join(
        one[:46] + f"xl/media/{n}.png".encode().ljust(len(first.name))[: len(first.name)] for n in range(count)
    )
    number = int.from_bytes(archive[end + 8 : end + 10], "little") + count
    size = end - at + len(more)
    archive[end + 8 : end + 12] = number.to_bytes(2, "little") * 2
    archive[end + 12 : end + 16] = size.to_bytes(4, "little")
    archive[end:end] = more
    return bytes(archive)


def _flooded(workbook: bytes, part: str, before: str, piece: str, size: int = DENSE) -> bytes:
    """A part with `piece` again and again, `size` MB of it, in front of `before`; a sheet's cells stand in rows."""
    with zipfile.ZipFile(BytesIO(workbook)) as package:
        head, found, tail = package.read(part).partition(before.encode())
    assert found
    block = piece.encode() * (MB // len(piece.encode()))
    return _put(workbook, flood(part, head, block, size, found + tail))


def _dense(good: Good) -> Iterator[Case]:
    """Under the limit on bytes, and yet far too much."""
    inside = in_sheet(good.plain, swap(DATA, f'<row r="40"><!--x--></row>{DATA}'))
    listed = shared(good.plain)
    floods: dict[str, tuple[bytes, str, str, str]] = {
        "blanks": (good.plain, SHEET_PART, DATA, " "), "comments": (good.plain, SHEET_PART, DATA, "<!--x-->"),
        "instructions": (good.plain, SHEET_PART, DATA, "<?x y?>"), "rows": (good.plain, SHEET_PART, DATA, "<row/>"),
        "cells": (inside, SHEET_PART, "<!--x-->", "<c/>"),
        "error cells": (inside, SHEET_PART, "<!--x-->", '<c t="e"/>'),
        "styled cells": (inside, SHEET_PART, "<!--x-->", '<c s="1"/>'),
        "values": (inside, SHEET_PART, "<!--x-->", "<c><v>1</v></c>"),
        "same cell": (inside, SHEET_PART, "<!--x-->", '<c r="M40"><v>1</v></c>'),
        "same formula": (inside, SHEET_PART, "<!--x-->", '<c r="M40"><f>A1</f><v>1</v></c>'),
        "merges": (good.plain, SHEET_PART, "</mergeCells>", '<mergeCell ref="M1:N2"/>'),
        "unknown": (good.plain, SHEET_PART, "<sheetData>", "<x/>"),
        "extensions": (good.plain, SHEET_PART, "</worksheet>", "<extLst/>"),
        "strings": (listed, STRINGS_PART, "</sst>", "<si><t/></si>"),
        "long strings": (listed, STRINGS_PART, "</sst>", f"<si><t>{'长' * 300}</t></si>"),
        "readings": (listed, STRINGS_PART, "</si>", '<rPh sb="0" eb="1"><t>du</t></rPh>'),
        "runs": (listed, STRINGS_PART, "</sst>", "<si><r><t>x</t></r></si>"),
        "one string": (listed, STRINGS_PART, "</t>", "长"), "string blanks": (listed, STRINGS_PART, "</sst>", " "),
        "styles": (good.plain, STYLES, "</cellXfs>", '<xf numFmtId="0"/>'),
        "formats": (good.plain, STYLES, "</styleSheet>", '<numFmts><numFmt numFmtId="9" formatCode="0"/></numFmts>'),
        "names": (good.plain, "xl/workbook.xml", "</definedNames>", '<definedName name="a">1</definedName>'),
        "sheets": (good.plain, "xl/workbook.xml", "</sheets>", '<sheet name="x" sheetId="9" r:id="rId1"/>'),
        "relations": (good.plain, RELS, "</Relationships>", '<Relationship Id="x" Target="y"/>'),
        "types": (good.plain, TYPES, "</Types>", '<Override PartName="/x" ContentType="y"/>'),
        "manifest rows": (good.plain, MANIFEST_PART, DATA, "<row><c><v>1</v></c></row>"),
    }  # fmt: skip
    for at, (name, given) in enumerate(floods.items()):
        yield Case("flood", name, partial(_flooded, *given), Fate.EITHER, (Way.PLAIN, Way.SEALED)[at % 2], slow=True)


def _counts(good: Good) -> Iterator[Case]:
    """Many elements, deeply nested ones, or a count that only claims many."""

    def attributes(count: int) -> str:
        return "".join(f' a{n}="{n}"' for n in range(count))

    def nest(depth: int) -> str:
        return "<a>" * depth + "</a>" * depth

    main = "xl/workbook.xml"
    listed = shared(good.plain)
    edits: dict[str, tuple[bytes, str, str, Callable[[], str], Fate]] = {
        "attributes of a row": (good.plain, SHEET_PART, "<row ", lambda: f"<row{attributes(1_000_000)} ", Fate.EITHER),
        "attributes of a cell": (good.plain, SHEET_PART, '<c r="K4"', lambda: f'<c{attributes(1_000_000)} r="K4"',
        Fate.EITHER),
        "attributes of the list": (listed, STRINGS_PART, "<sst ", lambda: f"<sst{attributes(1_000_000)} ", Fate.EITHER),
        "depth of a sheet": (good.plain, SHEET_PART, "<sheetData>", lambda: nest(100_000) + "<sheetData>", Fate.EITHER),
        "depth of a cell": (good.plain, SHEET_PART, '<c r="K4"', lambda: nest(100_000) + '<c r="K4"', Fate.EITHER),
        "depth of the workbook": (good.plain, main, "</workbook>", lambda: nest(100_000) + "</workbook>", Fate.EITHER),
        "depth of the styles": (good.plain, STYLES, "</styleSheet>", lambda: nest(100_000) + "</styleSheet>",
        Fate.EITHER),
        "depth of the list": (listed, STRINGS_PART, "</sst>", lambda: nest(1_000_000) + "</sst>", Fate.EITHER),
        "depth unclosed": (good.plain, SHEET_PART, "<sheetData>", lambda: "<a>" * 1_000_000 + "<sheetData>",
        Fate.REFUSED),
        "100,000 sheets": (good.plain, main, "</sheets>", lambda: _sheets(100_000), Fate.REFUSED),
        "2,000 sheets": (good.plain, main, "</sheets>", lambda: _sheets(2_000), Fate.EITHER),
        "strings said": (listed, STRINGS_PART, "<sst ", lambda: '<sst uniqueCount="4294967295" ', Fate.EITHER),
        "strings said far": (listed, STRINGS_PART, "<sst ", lambda: f'<sst uniqueCount="{1 << 63}" ', Fate.EITHER),
        "merge of all": (good.plain, SHEET_PART, "</mergeCells>",
        lambda: '<mergeCell ref="M1:XFD1048576"/></mergeCells>', Fate.EITHER),
        "format of all": (good.plain, STYLES, "</cellXfs>", lambda: '<xf numFmtId="4294967296"/></cellXfs>',
        Fate.EITHER),
    }  # fmt: skip
    for at, (name, (workbook, part, old, new, fate)) in enumerate(edits.items()):
        yield Case("count", name, partial(_replaced, workbook, part, old, new), fate,
                   (Way.PLAIN, Way.SEALED)[at % 2], slow="said" not in name and "of all" not in name)  # fmt: skip


def _replaced(workbook: bytes, part: str, old: str, new: Callable[[], str]) -> bytes:
    def change(parts: dict[str, bytes]) -> None:
        assert old.encode() in parts[part]
        parts[part] = parts[part].replace(old.encode(), new().encode(), 1)

    return repack(workbook, change)


def _sheets(count: int) -> str:
    return "".join(f'<sheet name="s{n}" sheetId="{n + 9}" r:id="rId1"/>' for n in range(count)) + "</sheets>"


def _far(good: Good) -> Iterator[Case]:
    """Cells far from the form."""
    for address in ("XFD1048576", "A1048576", "XFD4", "IW4", "A20001", "A1048577", "ZZZ1", "A99999999999", "XFE1"):
        cell = f'<row><c r="{address}"><v>1</v></c></row>{DATA}'
        yield Case("far", address, partial(in_sheet, good.plain, swap(DATA, cell)), way=Way.PLAIN, rules=LIMITS)
    for address in ("XFD4", "A20000", "IV30"):
        empty = f'<row><c r="{address}" s="1"/></row>{DATA}'
        yield Case("far", f"{address} styled", partial(in_sheet, good.plain, swap(DATA, empty)), Fate.EITHER)

    def styled(count: int) -> str:
        return "".join(f'<row r="{n}" s="1" customFormat="1"/>' for n in range(23, 23 + count)) + DATA

    for count, fate in ((1_000, Fate.HARMLESS), (15_000, Fate.HARMLESS), (1_048_554, Fate.REFUSED)):
        yield Case("far", f"{count} styled rows",
        partial(_replaced, good.plain, SHEET_PART, DATA, partial(styled, count)), fate,
                   rules=rules("F05"), slow=count > 1_000_000)  # fmt: skip
    columns = '<col min="12" max="16384" width="9" style="1"/></cols>'
    yield Case("far", "styled columns", lambda: in_sheet(good.plain, swap("</cols>", columns)), Fate.HARMLESS)
    grid = "".join(f"<row>{'<c><v>1</v></c>' * 256}</row>" for _ in range(15_000))
    yield Case(
        "far", "all cells within bounds", lambda: in_sheet(good.plain, swap(DATA, grid + DATA)), rules=LIMITS, slow=True
    )


def _texts(good: Good) -> Iterator[Case]:
    """Texts that grow when they are read, tidied, compared or sent on."""
    for size, fate in ((32_767, Fate.EITHER), (32_768, Fate.REFUSED), (1_000_000, Fate.REFUSED)):
        serial, text = good.serials[0], "甲" * size
        answer = (*good.answers[serial][:2], text)
        yield Case("long text", f"K4 {size}", partial(with_cells, good.plain, {'K4': text_cell('K4', text)}), fate,
                   changed=({serial: answer},))  # fmt: skip
    # Normalising sorts runs of marks by exchanging neighbours, and unfolds one character to eighteen.
    marks = ":甲乙" + "\u0301" * 30_000 + "\u0323" * 30_000
    yield Case("long text", "marks", lambda: with_cells(good.plain, {"K4": text_cell("K4", marks)}), slow=True)
    wide = ":甲乙" + "\ufdfa" * 300_000
    yield Case("long text", "unfolding", lambda: with_cells(good.plain, {"K4": text_cell("K4", wide)}), slow=True)
    for column in "AEGI":
        text = "甲" * 1_000_000
        yield Case(
            "long text", f"{column}5", partial(with_cells, good.plain, {f"{column}5": text_cell(f"{column}5", text)})
        )
    # A short file in which every cell of many is one long text.
    for times in (60, 300, 5_000):
        yield Case("long text", f"shared {times} times", partial(_amplified, good, times), slow=True)


def _amplified(good: Good, times: int) -> bytes:
    """So many cells that name one long text of the shared list, in rows that look like rows of the table."""
    listed = shared(good.plain)

    def change(parts: dict[str, bytes]) -> None:
        number = parts[STRINGS_PART].count(b"<si>")
        cell = f'<c t="s"><v>{number}</v></c>'
        row = f"<row>{cell * 4}</row>" * (times // 4)
        item = f"<si><t>{'长' * MB}</t></si></sst>"
        parts[STRINGS_PART] = parts[STRINGS_PART].replace(b"</sst>", item.encode())
        parts[SHEET_PART] = parts[SHEET_PART].replace(DATA.encode(), (row + DATA).encode())

    return repack(listed, change)
