"""Headers, rows and sheets: bent as people bend them, and as forgers do."""

import io
import random
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from etl.forms.definitions import ANNEX4
from tests.support.books import edit
from tests.support.hostile.case import (
    FIRST_ROW,
    Case,
    Fate,
    Good,
    cell_of,
    in_part,
    in_sheet,
    row_of,
    rules,
    swap,
    text_cell,
    text_in,
    then,
    with_texts,
)

LETTERS = "ABCDEFGHIJK"
LOST = rules("R01", "R02", "R03", "R04")
Book: TypeAlias = Any  # openpyxl ships no types


def cases(good: Good) -> Iterator[Case]:
    """Cases of the table and of the sheets."""
    yield from _headers(good)
    yield from _rows(good)
    yield from _values(good)
    yield from _sheets(good)


def _headers(good: Good) -> Iterator[Case]:
    for letter, column in zip(LETTERS, ANNEX4.columns, strict=True):
        heading, at = column.heading, f"{letter}3"
        refused = {"blank": "", "renamed": "别的列", "another's": "性别" if letter != "F" else "姓名", 
                   "suffix": f"{heading}2", "look-alike": heading.replace(heading[0], "\u2f00", 1)}  # fmt: skip
        for name, text in refused.items():
            yield Case("header", f"{letter} {name}", partial(with_texts, good.plain, **{at: text}), rules=rules("F07"))
        harmless = {"spaces": f" {heading[:1]} {heading[1:]}　", "broken": f"{heading[:1]}\n{heading[1:]}",
                    **{f"alias {alias}": alias for alias in column.aliases}}  # fmt: skip
        for name, text in harmless.items():
            yield Case("header", f"{letter} {name}", partial(with_texts, good.plain, **{at: text}), Fate.HARMLESS)
        yield Case("header", f"{letter} twice", partial(edit, good.plain, _set(L3=heading)), rules=rules("F07"))
    for area in ("A3:B3", "J3:K3", "A3:K3", "E3:F3"):
        yield Case("header", f"merged {area}", partial(edit, good.plain, _merging(area)), rules=rules("F07"))
    yield Case("header", "merged down", lambda: edit(good.plain, lambda s: s.merge_cells("A3:A4")), rules=LOST)
    yield Case("header", "twice", lambda: in_sheet(good.plain, lambda x: insert(x, 22, row_of(x, 3))), rules=LOST)
    fused = "复学情况备注（填写工作小组成员姓名）"
    yield Case("header", "fused", lambda: with_texts(good.plain, J3=fused, K3=""), rules=rules("F07"))


def _set(**cells: object) -> Callable[[Worksheet], None]:
    def change(sheet: Worksheet) -> None:
        for address, value in cells.items():
            sheet[address].value = value

    return change


def _merging(area: str) -> Callable[[Worksheet], object]:
    return lambda sheet: sheet.merge_cells(area)


def _having(sheet: str, attribute: str, value: str) -> Callable[[Book], object]:
    return lambda book: setattr(book[sheet], attribute, value)


def _losing(sheet: str) -> Callable[[Book], object]:
    return lambda book: book.remove(book[sheet])


def _emptied(xml: str, row: int) -> str:
    return xml.replace(row_of(xml, row), "", 1)


def _twice(xml: str, row: int) -> str:
    return insert(xml, row + 1, row_of(xml, row))


def insert(xml: str, at: int, row: str) -> str:
    """The sheet with a row put in before row `at`; those from there on move down."""
    number = re.search(r'<row r="(\d+)"', row)
    assert number is not None
    moved = re.sub(r'<(row|c) r="([A-Z]*)(\d+)"', lambda m: f'<{m[1]} r="{m[2]}{int(m[3]) + (int(m[3]) >= at)}"', xml)
    added = re.sub(rf'r="([A-Z]*){number[1]}"', rf'r="\g<1>{at}"', row)
    return moved.replace(f'<row r="{at + 1}"', f'{added}<row r="{at + 1}"', 1)


def delete(xml: str, row: int) -> str:
    rest = xml.replace(row_of(xml, row), "", 1)
    return re.sub(r'<(row|c) r="([A-Z]*)(\d+)"', lambda m: f'<{m[1]} r="{m[2]}{int(m[3]) - (int(m[3]) > row)}"', rest)


def _order(xml: str, order: list[int]) -> str:
    """The sheet with the children's rows in another order."""
    rows = {row: row_of(xml, row) for row in order}
    block = "".join(rows[row] for row in sorted(order))
    moved = [
        re.sub(rf'r="([A-Z]*){row}"', rf'r="\g<1>{to}"', rows[row])
        for to, row in zip(sorted(order), order, strict=True)
    ]
    assert block in xml
    return xml.replace(block, "".join(moved), 1)


def exchange(xml: str, column: str, row: int, other: int) -> str:
    """Two rows' cells of one column exchanged."""
    one, two = cell_of(xml, f"{column}{row}"), cell_of(xml, f"{column}{other}")
    marked = xml.replace(one, "\0", 1).replace(two, one.replace(f"{column}{row}", f"{column}{other}"), 1)
    return marked.replace("\0", two.replace(f"{column}{other}", f"{column}{row}"), 1)


def _rows(good: Good) -> Iterator[Case]:
    numbers = list(range(FIRST_ROW, good.footer_row))
    for row in numbers[::2]:
        yield Case("rows", f"deleted {row}", partial(in_sheet, good.plain, then(delete, row)), rules=rules("R01"))
        yield Case("rows", f"emptied {row}", partial(in_sheet, good.plain, then(_emptied, row)), rules=rules("R01"))
        yield Case("rows", f"doubled {row}", partial(in_sheet, good.plain, then(_twice, row)), rules=rules("R02"))
        foreign = f'<row r="{row}">{text_cell(f"A{row}", "9999")}{text_cell(f"E{row}", "某某")}</row>'
        yield Case(
            "rows", f"foreign {row}", partial(in_sheet, good.plain, then(insert, row, foreign)), rules=rules("R03")
        )
        yield Case(
            "rows",
            f"blank {row}",
            partial(in_sheet, good.plain, then(insert, row, f'<row r="{row}"/>')),
            Fate.HARMLESS,
        )
    for seed in range(8):
        order = random.Random(seed).sample(numbers, len(numbers))
        yield Case("rows", f"shuffled {seed}", partial(in_sheet, good.plain, then(_order, order)), Fate.HARMLESS)
    yield Case("rows", "reversed", lambda: in_sheet(good.plain, lambda x: _order(x, numbers[::-1])), Fate.HARMLESS)
    yield Case(
        "rows",
        "one left",
        lambda: in_sheet(good.plain, lambda x: re.sub(r'<row r="5".*(?=<row r="22")', "", x)),
        rules=rules("R01"),
    )
    yield Case(
        "rows",
        "none left",
        lambda: in_sheet(good.plain, lambda x: re.sub(r'<row r="4".*(?=<row r="22")', "", x)),
        rules=rules("R01"),
    )
    last = good.footer_row
    yield Case(
        "rows", "footer gone", lambda: in_sheet(good.plain, lambda x: x.replace(row_of(x, last), "", 1)), Fate.HARMLESS
    )
    yield Case(
        "rows", "footer twice", lambda: in_sheet(good.plain, lambda x: insert(x, last, row_of(x, last))), Fate.HARMLESS
    )
    yield Case(
        "rows", "footer first", lambda: in_sheet(good.plain, lambda x: insert(x, 4, row_of(x, last))), Fate.HARMLESS
    )
    labels = text_cell("L7", "单位：") + text_cell("M7", "填报人：") + "</row>"
    yield Case(
        "rows",
        "labels beside a row",
        lambda: in_sheet(good.plain, lambda x: x.replace(row_of(x, 7), row_of(x, 7).replace("</row>", labels), 1)),
        Fate.HARMLESS,
    )
    yield Case(
        "rows",
        "hidden",
        lambda: in_sheet(good.plain, lambda x: x.replace('<row r="', '<row hidden="1" r="')),
        Fate.HARMLESS,
    )
    yield Case(
        "rows", "filtered", lambda: edit(good.plain, lambda s: setattr(s.auto_filter, "ref", "A3:K21")), Fate.HARMLESS
    )
    for area in ("A4:A5", "E4:E6", "G4:H4", "I4:I6", "J4:J5", "K4:K21", "A4:K4", "I4:K4"):
        yield Case(
            "merged",
            area,
            partial(edit, good.plain, _merging(area)),
            rules=rules("R01", "R03", "R04", "A01", "A03", "A06"),
        )


def _values(good: Good) -> Iterator[Case]:
    """Values that change places: the children's own, and the serials."""
    random_ = random.Random("values")
    for column in "AEGH":
        pairs = [(row, row + 1) for row in range(FIRST_ROW, good.footer_row - 1)]
        for row, other in random_.sample(pairs, 6):
            # The same value in both rows is no change.
            yield Case(
                "exchanged",
                f"{column}{row} {column}{other}",
                partial(in_sheet, good.plain, then(exchange, column, row, other)),
                rules=LOST,
            )
    for column in "AEGH":
        for row in random_.sample(range(FIRST_ROW + 1, good.footer_row), 4):
            yield Case(
                "copied down", f"{column}{row}", partial(in_sheet, good.plain, then(_copy, column, row)), rules=LOST
            )


def _copy(xml: str, column: str, row: int) -> str:
    return xml.replace(
        cell_of(xml, f"{column}{row}"), text_cell(f"{column}{row}", text_in(xml, f"{column}{FIRST_ROW}")), 1
    )


def _book(workbook: bytes, change: Callable[[Book], object]) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(workbook))
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _sheets(good: Good) -> Iterator[Case]:
    name = ANNEX4.sheet
    titles = [" 附件4", "附件 4", "Sheet1", "附件4 (2)", "某某", "附件４", "A" * 31, "=1+1"]
    for title in titles:
        yield Case(
            "sheets", f"renamed {title}", partial(_book, good.plain, _having(name, "title", title)), Fate.HARMLESS
        )
    for state in ("hidden", "veryHidden"):
        yield Case("sheets", state, partial(_book, good.plain, _having(name, "sheet_state", state)), Fate.HARMLESS)
        yield Case(
            "sheets",
            f"附件5 {state}",
            partial(_book, good.plain, _having("附件5", "sheet_state", state)),
            Fate.HARMLESS,
        )
    yield Case(
        "sheets",
        "manifest shown",
        lambda: _book(good.plain, lambda b: setattr(b["fuxue"], "sheet_state", "visible")),
        Fate.HARMLESS,
    )
    yield Case("sheets", "copied", lambda: _book(good.plain, lambda b: b.copy_worksheet(b[name])), rules=rules("F14"))
    yield Case(
        "sheets",
        "copied hidden",
        lambda: _book(good.plain, lambda b: setattr(b.copy_worksheet(b[name]), "sheet_state", "hidden")),
        rules=rules("F14"),
    )
    yield Case("sheets", "backwards", lambda: _book(good.plain, lambda b: b._sheets.reverse()), Fate.HARMLESS)
    yield Case(
        "sheets",
        "more",
        lambda: _book(good.plain, lambda b: [b.create_sheet(f"草稿{n}") for n in range(50)]),
        Fate.HARMLESS,
    )
    for gone, fate in (
        ("附件5", Fate.HARMLESS),
        ("填表说明", Fate.HARMLESS),
        ("选项", Fate.HARMLESS),
        (name, Fate.REFUSED),
        ("fuxue", Fate.REFUSED),
    ):
        yield Case("sheets", f"{gone} gone", partial(_book, good.plain, _losing(gone)), fate, rules=rules("F07", "F09"))
    for title in ("fuxue2", "Fuxue", "FUXUE", "fuxue ", "ｆｕｘｕｅ"):
        yield Case(
            "sheets",
            f"manifest as {title}",
            partial(in_part, good.plain, "xl/workbook.xml", swap('name="fuxue"', f'name="{title}"')),
            rules=rules("F09"),
        )
    for old, new in (("填表说明", "fuxue"), ("填表说明", "附件4"), ("选项", "附件4")):
        yield Case(
            "sheets",
            f"{old} named {new}",
            partial(in_part, good.plain, "xl/workbook.xml", swap(f'name="{old}"', f'name="{new}"')),
            rules=rules("F01"),
        )
