"""What a hostile file is: how it is made, how it is handed in, and what must become of it."""

import io
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from html import escape

from msoffcrypto.method.ecma376_agile import ECMA376Agile

from tests.support.books import SHEET_PART, repack

MANIFEST_PART = "xl/worksheets/sheet5.xml"
STRINGS_PART = "xl/sharedStrings.xml"
FIRST_ROW = 4
#: A row's answers: code, returned, team.
Given = tuple[str | None, str, str]


class Way(StrEnum):
    """How a file comes in: sealed by the harness under its unit's password, plain on record, or as it is."""

    SEALED = "sealed"
    PLAIN = "plain"
    RAW = "raw"


class Fate(StrEnum):
    """REFUSED: never accepted. HARMLESS: accepted with the expected answers. EITHER: refused, or those answers."""

    REFUSED = "refused"
    HARMLESS = "harmless"
    EITHER = "either"


@dataclass(frozen=True)
class Good:
    """A unit's good workbook, and its accepted answers by serial.

    `plain` and `sealed` are the workbook as returned, `handed` (plain) as issued; `other` is another unit's, plain.
    """

    plain: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    handed: bytes = field(repr=False)
    other: bytes = field(repr=False)
    password: str = field(repr=False)
    other_password: str = field(repr=False)
    answers: Mapping[str, Given]

    @property
    def serials(self) -> list[str]:
        """The serials in the order of the rows, which begin at row 4."""
        return list(self.answers)

    @property
    def footer_row(self) -> int:
        """The row below the last child."""
        return FIRST_ROW + len(self.answers)


@dataclass(frozen=True)
class Case:
    """One hostile file, handed in under the name `file`.

    `changed` lists alternatives; each gives the rows whose accepted answers differ from the good workbook's. If `rules`
    is not empty and the file is refused, at least one of these rules must be among its findings.
    """

    kind: str
    name: str
    make: Callable[[], bytes] = field(repr=False)
    fate: Fate = Fate.REFUSED
    way: Way = Way.SEALED
    rules: frozenset[str] = frozenset()
    changed: tuple[Mapping[str, Given], ...] = ({},)
    file: str = "{number}-donggang.xlsx"
    slow: bool = False


def rules(*names: str) -> frozenset[str]:
    """A value for `Case.rules`: at least one of these rules must be among the findings."""
    return frozenset(names)


def encrypted(payload: bytes, password: str) -> bytes:
    """The payload encrypted under the password, without any check of either."""
    return bytes(ECMA376Agile.encrypt(password, io.BytesIO(payload)))


def in_part(workbook: bytes, part: str, change: Callable[[str], str]) -> bytes:
    """The workbook with one part's text changed; AssertionError if the text stays the same."""

    def apply(parts: dict[str, bytes]) -> None:
        before = parts[part].decode()
        after = change(before)
        assert after != before, part
        # UTF-8 has no surrogates; a program that writes them anyway writes these bytes.
        parts[part] = after.encode("utf-8", "surrogatepass")

    return repack(workbook, apply)


def in_sheet(workbook: bytes, change: Callable[[str], str]) -> bytes:
    """The workbook with the text of 附件4's sheet changed, as by `in_part`."""
    return in_part(workbook, SHEET_PART, change)


def swap(old: str, new: str) -> Callable[[str], str]:
    """A change that replaces the first `old` with `new`; AssertionError if there is none."""

    def change(xml: str) -> str:
        assert old in xml, old
        return xml.replace(old, new, 1)

    return change


def then(change: Callable[..., str], *arguments: object) -> Callable[[str], str]:
    """A change that calls `change` with the text and these further arguments."""
    return lambda xml: change(xml, *arguments)


def cell_of(xml: str, address: str) -> str:
    """A cell's element in a sheet."""
    found = re.search(rf'<c r="{address}"[^>]*?(?:/>|>.*?</c>)', xml, re.DOTALL)
    assert found is not None, address
    return found[0]


def row_of(xml: str, row: int) -> str:
    """A row's element in a sheet."""
    found = re.search(rf'<row r="{row}".*?</row>', xml, re.DOTALL)
    assert found is not None, row
    return found[0]


def text_in(xml: str, address: str) -> str:
    """The text of a cell of inline text."""
    found = re.search(r"<t[^>]*>(.*?)</t>", cell_of(xml, address), re.DOTALL)
    return found[1] if found else ""


def text_cell(address: str, text: str) -> str:
    """A cell of inline text."""
    return f'<c r="{address}" t="inlineStr"><is><t xml:space="preserve">{escape(text, quote=False)}</t></is></c>'


def with_cells(workbook: bytes, cells: Mapping[str, str], *, part: str = SHEET_PART) -> bytes:
    """The workbook with these cells' elements in place of its own."""

    def change(xml: str) -> str:
        for address, element in cells.items():
            xml = xml.replace(cell_of(xml, address), element, 1)
        return xml

    return in_part(workbook, part, change)


def with_texts(workbook: bytes, **texts: str) -> bytes:
    """The workbook with these texts in its cells."""
    return with_cells(workbook, {address: text_cell(address, text) for address, text in texts.items()})


def shared(workbook: bytes) -> bytes:
    """The workbook with the texts of 附件4 in a shared list, as Excel stores them."""
    texts: dict[str, int] = {}

    def move(found: re.Match[str]) -> str:
        return f't="s"><v>{texts.setdefault(found[1], len(texts))}</v>'

    def change(parts: dict[str, bytes]) -> None:
        sheet = parts[SHEET_PART].decode()
        parts[SHEET_PART] = re.sub(r't="inlineStr"><is><t[^>]*>(.*?)</t></is>', move, sheet).encode()
        items = "".join(f"<si><t>{text}</t></si>" for text in texts)
        main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        parts[STRINGS_PART] = f'<sst xmlns="{main}" count="{len(texts)}">{items}</sst>'.encode()
        relation = (
            '<Relationship Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"'
            ' Target="sharedStrings.xml" Id="rId99" /></Relationships>'
        )
        rels = "xl/_rels/workbook.xml.rels"
        parts[rels] = parts[rels].replace(b"</Relationships>", relation.encode())

    return repack(workbook, change)


@dataclass(frozen=True)
class Entry:
    """A zip entry as raw bytes. Its headers claim the size `said` (None: `size`); its local header the name `local`."""

    name: bytes
    data: bytes
    size: int
    crc: int
    method: int = 8
    flags: int = 0x800
    local: bytes | None = None
    said: int | None = None


def entry(name: str, content: bytes) -> Entry:
    """An honest deflated entry."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return Entry(name.encode(), packer.compress(content) + packer.flush(), len(content), zlib.crc32(content))


def flood(name: str, head: bytes, block: bytes, times: int, tail: bytes) -> Entry:
    """An entry that unpacks to head, `times` blocks and tail; it repeats the bytes of one packed block."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    last = packer.compress(tail) + packer.flush()
    crc = zlib.crc32(head)
    for _ in range(times):
        crc = zlib.crc32(block, crc)
    size = len(head) + times * len(block) + len(tail)
    return Entry(name.encode(), first + packed * times + last, size, zlib.crc32(tail, crc))
