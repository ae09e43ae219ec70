"""Issued cells, each changed in every way that people, programs and forgers change them: always refused (M8)."""

import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial

from tests.support.books import edit, setting
from tests.support.hostile.case import FIRST_ROW, Case, Good, cell_of, in_sheet, rules, text_cell, text_in, then

TOLD = rules("R01", "R02", "R03", "R04", "R05", "R06", "R08", "F01", "F05", "F20")
#: Texts that a spreadsheet takes for a formula when it opens a CSV.
INJECTED = ("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1+1)*cmd|' /C calc'!A0", "=HYPERLINK(\"http://a.invalid\")",
            "\t=1+1", "\r=1+1", "=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0")  # fmt: skip
MUTATIONS: dict[str, Callable[[str], str]] = {
    "blank": lambda _: "", "space": lambda t: f"{t} ", "nbsp": lambda t: f"\u00a0{t}",
    "wide space": lambda t: f"{t}\u3000",
    "zero width": lambda t: f"{t[:1]}\u200b{t[1:]}", "joiner": lambda t: f"{t}\u200d",
    "right to left": lambda t: f"\u200f{t}",
    "override": lambda t: f"\u202e{t}", "mark": lambda t: f"\ufeff{t}",
    "soft hyphen": lambda t: f"{t[:1]}\u00ad{t[1:]}",
    "newline": lambda t: f"{t}\n", "tab": lambda t: f"\t{t}", "doubled": lambda t: t + t, "other": lambda _: "别的",
    "combining": lambda t: f"{t}\u0301", "variant": lambda t: f"{t}\ufe00", "last gone": lambda t: t[:-1],
    "script": lambda _: "<script>alert(1)</script>", "sql": lambda _: "'; DROP TABLE child;--",
    "template": lambda _: "{{7*7}}",
    "path": lambda _: "../../../etc/passwd", "escape": lambda t: f"{t}_x000D_", "nul escape": lambda t: f"_x0000_{t}",
    "quote": lambda t: f"'{t}", "very long": lambda t: t + "长" * 32_767, "astral": lambda t: f"{t}\U00020000",
    "format": lambda _: "%s%n{0}",
}  # fmt: skip


def cases(good: Good) -> Iterator[Case]:
    """Eight issued columns; the rows take turns."""
    count = 0
    for letter in "ABCDEFGH":
        texts = MUTATIONS | {f"injected {n}": (lambda _, t=text: t) for n, text in enumerate(INJECTED)}
        for name, mutate in texts.items():
            count += 1
            at = f"{letter}{FIRST_ROW + count % len(good.answers)}"
            yield Case(
                "issued cell", f"{at} {name}", partial(in_sheet, good.plain, then(_mutated, at, mutate)), rules=TOLD
            )
        for name, cell in _no_texts(letter).items():
            count += 1
            at = f"{letter}{FIRST_ROW + count % len(good.answers)}"
            yield Case(
                "issued cell", f"{at} {name}", partial(in_sheet, good.plain, then(replaced, at, cell)), rules=TOLD
            )
        for day in (dt.date(2020, 3, 9), dt.datetime(1900, 1, 1, 12), dt.time(12, 30)):
            yield Case(
                "issued cell", f"{letter}6 {day}", partial(edit, good.plain, setting(**{f"{letter}6": day})), rules=TOLD
            )
    for row in range(FIRST_ROW, good.footer_row):
        yield Case(
            "issued cell",
            f"G{row} number",
            partial(in_sheet, good.plain, then(_numbered, f"G{row}")),
            rules=rules("R05"),
        )


def _mutated(xml: str, at: str, mutate: Callable[[str], str]) -> str:
    text = text_in(xml, at)
    assert text
    return replaced(xml, at, text_cell(at, mutate(text)))


def replaced(xml: str, at: str, cell: str) -> str:
    """The sheet with a cell's element in place of another; the address is put in for the character @."""
    return xml.replace(cell_of(xml, at), cell.replace("@", at), 1)


def _numbered(xml: str, at: str) -> str:
    """The ID number as programs store it as a number: the last digits are lost."""
    return replaced(xml, at, f'<c r="{at}"><v>{text_in(xml, at)[:15]}000</v></c>')


def _no_texts(letter: str) -> dict[str, str]:
    """Cells that are no text; the address is put in for the character @."""
    return {
        "formula": '<c r="@" t="str"><f>A1</f><v>虚构省</v></c>', "number": '<c r="@"><v>7</v></c>',
        "large": '<c r="@"><v>1e300</v></c>',
        "truth": '<c r="@" t="b"><v>1</v></c>', "error": '<c r="@" t="e"><v>#REF!</v></c>', "no value": '<c r="@"/>',
        "nan": '<c r="@"><v>NaN</v></c>', "infinite": '<c r="@"><v>-inf</v></c>',
        f"date as text {letter}": '<c r="@" t="d"><v>2020-03-09</v></c>',
    }  # fmt: skip
