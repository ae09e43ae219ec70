"""The three columns that a unit fills: what is no answer is refused, what only looks odd is tidied (M9–M11)."""

import datetime as dt
from collections.abc import Iterator, Mapping
from functools import partial

from tests.support.books import edit, setting
from tests.support.hostile.case import (
    FIRST_ROW,
    Case,
    Fate,
    Given,
    Good,
    cell_of,
    in_sheet,
    rules,
    then,
    with_texts,
)
from tests.support.hostile.cells import INJECTED, replaced

LABELS = ("A.户籍原因", "B.在校有学籍", "C.省内就读无学籍", "D.省外就读无学籍", "E.延缓入学", "F.超龄离校",
          "G.失踪失联", "H.出国在外", "I.因病因残", "J.入寺入教", "K.打工务农", "L.在家上学", "M.其他原因")  # fmt: skip
#: Letters of other scripts that look like the categories' codes.
ALIKE = {
    "A": "ΑАᎪ", "B": "ΒВᏴ", "C": "СᏟ", "D": "Ꭰᗞ", "E": "ΕЕᎬ", "F": "Ϝᖴ", "G": "ԌᏀ", "H": "ΗНᎻ", "I": "ΙІӀ", "J": "ЈͿ",
    "K": "ΚКᏦ",
    "L": "Ꮮᒪ", "M": "ΜМᎷ",
}  # fmt: skip
INVISIBLE = {
    "zero width": "\u200b",
    "joiner": "\u200d",
    "non-joiner": "\u200c",
    "word joiner": "\u2060",
    "mark": "\ufeff",
    "soft hyphen": "\u00ad",
}
SPACES = {
    "nbsp": "\u00a0",
    "wide": "\u3000",
    "thin": "\u2009",
    "narrow": "\u202f",
    "newline": "\n",
    "tab": "\t",
    "figure": "\u2007",
}
DIRECTIONS = {
    "left to right": "\u200e",
    "right to left": "\u200f",
    "override": "\u202e",
    "isolate": "\u2068",
    "arabic": "\u061c",
}


def cases(good: Good) -> Iterator[Case]:
    """Categories, returns, teams; in row 4 stands a child to be returned, in row 5 one deducted."""
    yield from _categories(good)
    yield from _returns(good)
    yield from _teams(good)
    yield from _no_texts(good)


def _wide(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def _given(good: Good, row: int, code: str | None = None, returned: str = "", team: str = "") -> Mapping[str, Given]:
    serial = good.serials[row - FIRST_ROW]
    before = good.answers[serial]
    return {serial: (code or before[0], returned or before[1], team or before[2])}


def _text(
    kind: str, name: str, good: Good, at: str, text: str, fate: Fate, changed: Mapping[str, Given], *expected: str
) -> Case:
    return Case(
        kind,
        f"{at} {name}",
        lambda: with_texts(good.plain, **{at: text}),
        fate,
        rules=rules(*expected),
        changed=(changed,),
    )


def _categories(good: Good) -> Iterator[Case]:
    for label in LABELS:
        row, code = (4, label[0]) if label[0] >= "I" else (5, label[0])
        at, right = f"I{row}", _given(good, row, code)
        yield _text("category", f"wide {code}", good, at, _wide(label), Fate.HARMLESS, right)
        yield _text("category", f"wide letter {code}", good, at, _wide(code) + label[1:], Fate.HARMLESS, right)
        for char in ALIKE[code]:
            yield _text("category", f"alike {char}", good, at, char + label[1:], Fate.REFUSED, {}, "A02")
        for name, text in _spelled(label).items():
            yield _text("category", f"{name} {code}", good, at, text, Fate.REFUSED, {}, "A02")
    yield from _tidied(good)


def _spelled(label: str) -> dict[str, str]:
    """A category as a hurried hand writes it: none is a value of the list."""
    return {
        "code": label[0], "name": label[2:], "lower": label[0].lower() + label[1:], "no dot": label.replace(".", ""),
        "comma": label.replace(".", "、"), "space": label.replace(".", ". "), "dot": f"{label}。",
    }  # fmt: skip


def _tidied(good: Good) -> Iterator[Case]:
    label, right = "K.打工务农", _given(good, 4, "K")
    for name, char in (INVISIBLE | SPACES).items():
        yield _text("category", f"{name} before", good, "I4", char + label, Fate.HARMLESS, right)
        yield _text("category", f"{name} after", good, "I4", label + char, Fate.HARMLESS, right)
    for name, char in INVISIBLE.items():
        yield _text("category", f"{name} inside", good, "I4", f"K{char}.打{char}工务农", Fate.HARMLESS, right)
    for name, char in DIRECTIONS.items():
        yield _text("category", name, good, "I4", char + label, Fate.EITHER, right)
    wrong = ["", " ", "\u200b", "N.不清楚", "K.打工务农；L.在家上学", "K.打工务农\nK.打工务农", "1", "是",
             "K.打工务农\u0301", "K.打⼯务农X",
             "_x004B_.打工务农2", "#N/A", "NULL", "None", "[object Object]", *INJECTED]  # fmt: skip
    for text in wrong:
        yield _text("category", f"wrong {text!r}", good, "I4", text, Fate.REFUSED, {}, "A01", "A02")
    for char in ("\u212a", "\U0001d40a", "\u24c0", "\U0001f13a"):
        yield _text("category", f"unfolds {char!r}", good, "I4", char + label[1:], Fate.EITHER, right)


def _returns(good: Good) -> Iterator[Case]:
    for row, right, wrong in ((4, "否", ("无", "", " ")), (5, "无", ("是", "否", "", "\u200b"))):
        at = f"J{row}"
        odd = [
            "YES",
            "是的",
            "已复学",
            "√",
            "X",
            "0",
            "1",
            "TRUE",
            "是否",
            "未",
            "N/A",
            "无。",
            "有",
            "—",
            "不是",
            "是\u0301",
            *INJECTED[:6],
        ]
        for text in (*wrong, *odd):
            yield _text("returned", repr(text), good, at, text, Fate.REFUSED, {}, "A03", "A04", "A05")
        for name, char in (INVISIBLE | SPACES).items():
            yield _text(
                "returned", f"{name} after", good, at, right + char, Fate.HARMLESS, _given(good, row, returned=right)
            )
        for name, char in DIRECTIONS.items():
            yield _text("returned", name, good, at, char + right, Fate.EITHER, _given(good, row, returned=right))


def _teams(good: Good) -> Iterator[Case]:
    wrong = ["", "  ", "\u200b\u00a0", "1", "12345", "——", "、、、", "...", "甲", "甲1", "同上", " 同上", "同\u200b上",
             "〃", "入户核查", "+1", "-1", "=1+1",
             "\t=1+1", "\r=1+1", "'", "?", "🙂🙂", "１３８００００００００", "13800000000"]  # fmt: skip
    for text in wrong:
        yield _text("team", f"wrong {text!r}", good, "K6", text, Fate.REFUSED, {}, "A06", "A13", "A14")
    # Nobody's name begins so, and a list of answers that is opened as CSV would run it.
    for text in (one for one in INJECTED if one not in wrong):
        yield _text("team", f"injected {text!r}", good, "K6", text, Fate.REFUSED, {}, "A13")
    team = "测试员甲、测试员乙"
    for name, char in INVISIBLE.items():
        yield _text(
            "team",
            f"{name} inside",
            good,
            "K6",
            f"测{char}试员甲、测试员{char}乙",
            Fate.HARMLESS,
            _given(good, 6, team=team),
        )
    for name, char in SPACES.items():
        yield _text(
            "team", f"{name} around", good, "K6", f"{char}{team}{char}", Fate.HARMLESS, _given(good, 6, team=team)
        )
    for name, char in DIRECTIONS.items():
        yield _text("team", name, good, "K6", f"{char}{team}", Fate.EITHER, _given(good, 6, team=f"{char}{team}"))
    for text in (
        "<script>alert(1)</script>",
        "'; DROP TABLE answer;--",
        "{{7*7}}",
        "${jndi:ldap://a.invalid}",
        "../../etc/passwd",
    ):
        yield _text("team", f"markup {text!r}", good, "K6", text, Fate.EITHER, _given(good, 6, team=text))
    for row in range(FIRST_ROW, good.footer_row):
        yield Case("team", f"own name {row}", partial(in_sheet, good.plain, then(_own_name, row)), rules=rules("A15"))


def _own_name(xml: str, row: int) -> str:
    name = cell_of(xml, f"E{row}").replace(f'r="E{row}"', f'r="K{row}"')
    return xml.replace(cell_of(xml, f"K{row}"), name, 1)


def _no_texts(good: Good) -> Iterator[Case]:
    kinds = {
        "formula": '<c r="@" t="str"><f>A1</f><v>某某</v></c>', "formula bare": '<c r="@"><f>A1</f></c>',
        "number": '<c r="@"><v>7</v></c>',
        "truth": '<c r="@" t="b"><v>1</v></c>', "error": '<c r="@" t="e"><v>#DIV/0!</v></c>', "no value": '<c r="@"/>',
        "error text": '<c r="@" t="e"><v>甲乙</v></c>', "nan": '<c r="@"><v>nan</v></c>',
        "day": '<c r="@" t="d"><v>2020-03-09</v></c>',
    }  # fmt: skip
    expected = rules("R06", "R08", "A01", "A02", "A03", "A04", "A05", "A06", "A13", "F01")
    for at, column in enumerate("IJK"):
        for number, (name, cell) in enumerate(kinds.items()):
            place = f"{column}{FIRST_ROW + (at + number) % len(good.answers)}"
            yield Case("no text", f"{place} {name}",
                       partial(in_sheet, good.plain, then(replaced, place, cell)),
                       rules=expected)  # fmt: skip
        for day in (dt.date(2020, 3, 9), dt.datetime(2020, 3, 9, 12, 30), dt.time(8), dt.timedelta(hours=30)):
            yield Case(
                "no text", f"{column}8 {day}", partial(edit, good.plain, setting(**{f"{column}8": day})), rules=expected
            )
