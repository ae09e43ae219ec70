"""The hidden sheet that says whose a workbook is: altered, exchanged, moved, taken from another workbook."""

import re
from collections.abc import Callable, Iterator
from functools import partial

from tests.support.books import SHEET_PART, repack
from tests.support.hostile.case import (
    MANIFEST_PART,
    Case,
    Fate,
    Good,
    cell_of,
    in_part,
    row_of,
    rules,
    text_cell,
    with_cells,
)
from tests.support.hostile.sheets import LOST, exchange, insert


def cases(good: Good) -> Iterator[Case]:
    """Cases of the manifest, field by field and row by row."""

    def put(**texts: str) -> bytes:
        return with_cells(good.plain, {a: text_cell(a, t) for a, t in texts.items()}, part=MANIFEST_PART)

    owned = rules("F09", "F10", "F07")
    edits: dict[str, dict[str, str]] = {}
    for row, field in enumerate(("form", "issue", "unit", "mac"), start=1):
        for name, text in (
            ("blank", ""),
            ("spaced", " x "),
            ("other", "xiling"),
            ("odd", "é\u202e"),
            ("long", "0" * 40_000),
        ):
            edits[f"{field} {name}"] = {f"B{row}": text}
        edits[f"{field} key"] = {f"A{row}": f"{field}s"}
        edits[f"{field} key blank"] = {f"A{row}": ""}
    edits |= {
        "form cases": {"B1": "cases"}, "form unassigned": {"B1": "unassigned"}, "issue next": {"B2": "20200302-02"},
        "mac zeros": {"B4": "0" * 64}, "mac upper": {"B4": "A" * 64}, "serial other": {"B5": "9999"},
        "serial number": {"B5": "2"}, "serial key": {"A5": "x"}, "serial as mac": {"A5": "mac"},
        "serial as unit": {"A5": "unit"},
        "serial blank": {"B5": ""}, "last serial": {"B22": "0046"},
    }  # fmt: skip
    for name, texts in edits.items():
        yield Case("manifest", name, partial(put, **texts), rules=owned)
    xml: dict[str, tuple[Callable[[str], str], Fate]] = {
        "serial gone": (lambda x: x.replace(row_of(x, 22), "", 1), Fate.REFUSED),
        "serials swapped": (lambda x: exchange(x, "B", 5, 6), Fate.REFUSED),
        "serial twice": (lambda x: insert(x, 6, row_of(x, 5)), Fate.REFUSED),
        "all gone": (lambda x: re.sub("<sheetData>.*</sheetData>", "<sheetData/>", x), Fate.REFUSED),
        "columns swapped": (lambda x: re.sub(r'r="([AB])(\d+)"', lambda m: f'r="{"BA"["AB".index(m[1])]}{m[2]}"', x),
        Fate.REFUSED),
        "moved down": (lambda x: insert(x, 1, '<row r="1"/>'), Fate.EITHER),
        "moved right": (lambda x: re.sub(r'r="B(\d+)"', r'r="C\1"', x), Fate.REFUSED),
        "formula": (lambda x: x.replace(cell_of(x, "B4"), '<c r="B4" t="str"><f>A1</f><v>x</v></c>', 1), Fate.REFUSED),
        "mac twice": (lambda x: insert(x, 4, f'<row r="4">{text_cell("A4", "mac")}{text_cell("B4", "0")}</row>'),
        Fate.EITHER),
        "unit twice": (lambda x: insert(x, 4,
        f'<row r="4">{text_cell("A4", "unit")}{text_cell("B4", "xiling")}</row>'), Fate.REFUSED),
    }  # fmt: skip
    for name, (change, fate) in xml.items():
        yield Case("manifest", name, partial(in_part, good.plain, MANIFEST_PART, change), fate, rules=owned)
    yield Case("manifest", "another unit's", lambda: _taken(good, MANIFEST_PART), rules=rules("F09", "F10"))
    yield Case("manifest", "another unit's table", lambda: _taken(good, SHEET_PART), rules=LOST)
    yield Case("manifest", "another unit's workbook", lambda: good.other, rules=rules("F09"))


def _taken(good: Good, part: str) -> bytes:
    """The workbook with a part of another unit's."""
    found: dict[str, bytes] = {}
    repack(good.other, found.update)
    return repack(good.plain, lambda parts: parts.update({part: found[part]}))
