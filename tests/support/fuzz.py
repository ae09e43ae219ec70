"""Workbooks with any contents in any cells, and an oracle that says by M8–M11 alone whether they may be accepted."""

import io
import re
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from hypothesis import strategies as st

from etl.exchange.child import Child
from etl.forms.definitions import ANNEX4
from tests.support.books import SHEET_PART
from tests.support.hostile.case import MANIFEST_PART, Given, cell_of, row_of, text_in
from tests.support.hostile.editable import LABELS

LETTERS = "ABCDEFGHIJKLM"  # two beyond the form
HEADER, FIRST, BELOW = 3, 4, 3
SAYS_NOTHING = [
    "同上", "同前", "如上", "上同", "见上", "见上行", "同上行", "同第一行", "ditto", "入户核查", "已核查", "工作小组",
    "无", "暂无", "没有", "不详", "待定", "是", "否", "父亲", "母亲", "父母", "爷爷", "奶奶", "家长", "监护人", "本人",
]  # fmt: skip
ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
#: Characters that XML cannot hold.
NO_CHARACTER = [code for code in range(0x20) if code not in (9, 10, 13)] + [0xFFFE, 0xFFFF]
FOOTER = {"单位", "填报人", "联系电话", "主管领导"}
SPELLINGS = [{re.sub(r"\s", "", unicodedata.normalize("NFKC", name)) for name in (column.heading, *column.aliases)}
             for column in ANNEX4.columns]  # fmt: skip


def stored(text: str) -> str:
    """A text as spreadsheets store it: characters that XML cannot hold become _x0007_; such codes in it are escaped."""
    escaped = re.sub("_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", text)
    return "".join(f"_x{ord(char):04X}_" if ord(char) in NO_CHARACTER else char for char in escaped)


@dataclass(frozen=True)
class Cell:
    """A cell's kind and its stored text, for example the digits of a number."""

    kind: str
    text: str

    def xml(self, address: str, date_style: int) -> str:
        """The cell as a spreadsheet stores it."""
        text = escape(stored(self.text), quote=False).replace("\r", "&#13;")
        preserved = f'<is><t xml:space="preserve">{text}</t></is>'
        return {
            "text": f'<c r="{address}" t="inlineStr">{preserved}</c>',
            "formula": f'<c r="{address}" t="str"><f>A1</f><v>{text}</v></c>',
            "number": f'<c r="{address}"><v>{text}</v></c>', "truth": f'<c r="{address}" t="b"><v>{text}</v></c>',
            "error": f'<c r="{address}" t="e"><v>{text}</v></c>',
            "date": f'<c r="{address}" s="{date_style}"><v>{text}</v></c>',
            "blank": f'<c r="{address}"/>',
        }[self.kind]  # fmt: skip


Cells = Mapping[str, Cell]


class Base:
    """A good workbook taken apart: `table` has the cells of 附件4 from header to footer, `manifest` the manifest's."""

    def __init__(self, plain: bytes, children: Sequence[Child]) -> None:
        with zipfile.ZipFile(io.BytesIO(plain)) as package:
            self.parts = {name: package.read(name) for name in package.namelist()}
        self.children = {child.serial: child for child in children}
        self.footer_row = FIRST + len(children)
        styles = self.parts["xl/styles.xml"].decode()
        formats = re.search(r"<cellXfs.*?</cellXfs>", styles, re.DOTALL)
        assert formats is not None
        self.date_style = formats[0].count("<xf ")
        date = '<xf numFmtId="14" fontId="0" fillId="0" borderId="0" applyNumberFormat="1"/></cellXfs>'
        self.parts["xl/styles.xml"] = styles.replace("</cellXfs>", date, 1).encode()
        self.table = self._cells(SHEET_PART, range(HEADER, self.footer_row + 1), LETTERS[:11])
        self.manifest = self._cells(MANIFEST_PART, range(1, 5 + len(children)), "AB")

    def _cells(self, part: str, rows: range, letters: str) -> dict[str, Cell]:
        xml = self.parts[part].decode()
        found = {}
        for row in rows:
            line = row_of(xml, row)
            for at in (f"{letter}{row}" for letter in letters):
                text = text_in(line, at) if f'r="{at}"' in line else ""
                found[at] = Cell("text" if text else "blank", text)
        return found

    def made(self, table: Cells, manifest: Cells) -> bytes:
        """The workbook with these cells changed."""
        table = {**self.table, **table}
        sheet = self.parts[SHEET_PART].decode()
        rows = []
        for row in range(HEADER, self.footer_row + BELOW + 1):
            places = [f"{letter}{row}" for letter in LETTERS if f"{letter}{row}" in table]
            cells = "".join(table[at].xml(at, self.date_style) for at in places)
            rows.append(f'<row r="{row}">{cells}</row>')
        start, end = sheet.index(f'<row r="{HEADER}"'), sheet.index("</sheetData>")
        hidden = self.parts[MANIFEST_PART].decode()
        for at, cell in manifest.items():
            hidden = hidden.replace(cell_of(hidden, at), cell.xml(at, self.date_style), 1)
        changed = {SHEET_PART: sheet[:start] + "".join(rows) + sheet[end:], MANIFEST_PART: hidden}
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as package:
            for name, content in self.parts.items():
                package.writestr(name, changed.get(name, content))
        return out.getvalue()


def oracle(base: Base, changes: Cells, manifest: Cells) -> dict[str, Given] | None:
    """The answers that must be accepted, by serial; None if the workbook must be refused. It uses M8–M11 alone."""
    if any(cell.text != base.manifest[at].text for at, cell in manifest.items()):
        return None
    table = {**base.table, **changes}
    at = _columns(table)
    if at is None:
        return None
    answers: dict[str, Given] = {}
    is_below = False
    for row in range(FIRST, base.footer_row + BELOW + 1):
        cells = [table.get(f"{at[column]}{row}", Cell("blank", "")) for column in range(len(SPELLINGS))]
        if _labels(table, row) >= 2 and cells[0].text not in base.children:
            is_below = True
        elif sum(cell.kind != "blank" and (cell.text != "" or cell.kind != "text") for cell in cells) >= (
            4 if is_below else 1
        ):
            serial = cells[0].text
            answer = _answer(cells, base.children.get(serial))
            if answer is None or serial in answers:
                return None
            answers[serial] = answer
    return answers if set(answers) == set(base.children) else None


def _columns(table: Cells) -> dict[int, str] | None:
    """The letter of each column of the form, by its index; None unless the header has each heading exactly once."""
    at: dict[int, str] = {}
    for letter in LETTERS:
        heading = re.sub(r"\s", "", unicodedata.normalize("NFKC", _shown(table.get(f"{letter}{HEADER}"))))
        found = [column for column, names in enumerate(SPELLINGS) if heading in names]
        if any(column in at for column in found):
            return None
        at |= dict.fromkeys(found, letter)
    return at if len(at) == len(SPELLINGS) else None


def _shown(cell: Cell | None) -> str:
    return cell.text if cell is not None and cell.kind in ("text", "formula") else ""


def _labels(table: Cells, row: int) -> int:
    texts = [_shown(table.get(f"{letter}{row}")).replace("：", ":").partition(":")[0] for letter in LETTERS]
    return len(FOOTER & {re.sub(r"\s", "", unicodedata.normalize("NFKC", text)) for text in texts})


def _answer(cells: Sequence[Cell], child: Child | None) -> Given | None:
    """A row's (code, returned, team); None if the row is not as issued (M8) or its answer breaks M9–M11."""
    if child is None or any(cell.kind != "text" for cell in cells):
        return None
    if [cell.text for cell in cells[:8]] != [getattr(child, column.key) for column in ANNEX4.issued]:
        return None
    category, returned, team = (tidied(cell.text) for cell in cells[8:])
    if category not in LABELS or returned not in (("无",) if category[0] <= "H" else ("是", "否")):
        return None
    seen = [char for char in team if char not in "\u115f\u1160"]
    said = "".join(filter(str.isalnum, seen)).casefold()
    nothing = re.fullmatch(f"({'|'.join(SAYS_NOTHING)})+(第?[0-9一二三四五六七八九十]+[行户人])?", said)
    own = re.fullmatch(f"({''.join(filter(str.isalnum, child.name)).casefold()}(本人)?)+", said)
    is_name = sum(map(str.isalpha, seen)) >= 2 and team[0] not in "=+-@" and not nothing and not own
    return (category[0], returned, team) if is_name else None


def tidied(text: str) -> str:
    """The text in normal form (NFKC), without zero-width characters and outer spaces."""
    return unicodedata.normalize("NFKC", "".join(char for char in text if char not in ZERO_WIDTH)).strip()


# --- what a cell may contain ---------------------------------------------------------------------------------------
CHARACTERS = st.characters(exclude_categories=["Cs"])
ODD = st.sampled_from(
    [
        *ZERO_WIDTH,
        *"\u00a0\u3000\u2009\t\n\r\u200e\u200f\u202e\u061c\u0301\ufe00\u0085\u2028ＫKΚК.．。、:：=+-@'\"<>&;#_x0",
    ]
)
PLAUSIBLE = st.sampled_from([*LABELS, "是", "否", "无", "同上", "测试员甲、测试员乙", "单位：", "填报人：", "0002",
                             "13",
                             "", " ", "_x0041_", "&amp;",
                             *(column.heading for column in ANNEX4.columns)])  # fmt: skip


def bend(text: str, char: str, at: int) -> str:
    """A text with `char` inserted at a position that follows from `at`."""
    at %= len(text) + 1
    return text[:at] + char + text[at:]


BENT = st.builds(bend, PLAUSIBLE, ODD, st.integers(0, 20))
TEXTS = st.one_of(PLAUSIBLE, BENT, st.text(CHARACTERS, max_size=10), st.text(ODD, max_size=5))
NUMBERS = st.one_of(
    st.integers(-(10**20), 10**20).map(str), st.floats(allow_nan=True).map(repr), st.integers(0, 50).map(str)
)
CONTENTS = st.one_of(
    TEXTS.map(lambda text: Cell("text", text)),
    TEXTS.map(lambda text: Cell("text", text)),
    st.builds(Cell, st.just("formula"), TEXTS),
    st.builds(Cell, st.just("number"), NUMBERS),
    st.builds(Cell, st.just("truth"), st.sampled_from("01")),
    st.builds(
        Cell, st.just("error"), st.sampled_from(["#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NULL!", "#NUM!"])
    ),
    st.builds(Cell, st.just("date"), st.one_of(st.integers(0, 60_000).map(str), st.floats(0, 60_000).map(repr))),
    st.just(Cell("blank", "")),
)


OWN = "{own}"  # replaced by the child's own name
TEAMS = st.one_of(
    st.sampled_from([*sorted(SAYS_NOTHING), OWN]), TEXTS,
    st.text(st.sampled_from("甲乙丙丁测试员、 a1·"), min_size=1, max_size=9),
)  # fmt: skip


def changes(base: Base) -> st.SearchStrategy[tuple[Cells, Cells]]:
    """(changes to 附件4, changes to the manifest); many change only answers, so that many workbooks stay acceptable."""
    sound, wild = _answers(base), _anything(base)
    tables = st.one_of(
        sound,
        st.builds(lambda one, other: {**one, **other}, sound, sound),
        wild,
        st.builds(lambda one, other: {**one, **other}, sound, wild),
    )
    hidden = st.dictionaries(st.sampled_from(sorted(base.manifest)), CONTENTS, max_size=2)
    return st.tuples(tables, st.one_of(*[st.just({})] * 4, hidden))


def _answers(base: Base) -> st.SearchStrategy[Cells]:
    """The three answers of one row, consistent with each other; an odd character may be added to them."""

    def build(row: int, label: str, char: str, team: str) -> Cells:
        returned = "无" if label[0] <= "H" else "是否"[len(team) % 2]
        texts = (label + char, char + returned, team.replace(OWN, base.table[f"E{row}"].text))
        return {f"{letter}{row}": Cell("text", text) for letter, text in zip("IJK", texts, strict=True)}

    rows = st.integers(FIRST, base.footer_row - 1)
    return st.builds(build, rows, st.sampled_from(LABELS), st.one_of(st.just(""), ODD), TEAMS)


def _anything(base: Base) -> st.SearchStrategy[Cells]:
    """Any contents in any cells, or a cell's own text with one odd character inserted."""

    def place(letters: str, *rows: int) -> st.SearchStrategy[str]:
        return st.builds(lambda letter, row: f"{letter}{row}", st.sampled_from(letters), st.sampled_from(rows))

    def near(at: str, char: str, where: int) -> Cells:
        return {at: Cell("text", bend(base.table[at].text, char, where))}

    last = base.footer_row
    below = range(HEADER, last + BELOW + 1)
    return st.one_of(
        st.builds(near, place(LETTERS[:11], *range(HEADER, last)), ODD, st.integers(0, 20)),
        st.dictionaries(place("IJK", *range(FIRST, last)), CONTENTS, min_size=1, max_size=3),
        st.dictionaries(place(LETTERS, *below), CONTENTS, min_size=1, max_size=6),
        st.dictionaries(place(LETTERS, HEADER, last, last + 1), CONTENTS, min_size=1, max_size=4),
        st.dictionaries(place("LM", *range(FIRST, last)), CONTENTS, min_size=1, max_size=4),
    )
