"""What the peer of `load` knows of the form: headings, how a cell reads, and the rules, each as an ordinary `if`."""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

ISSUED = ("serial", "province", "city", "county", "name", "sex", "id_number", "household")
ANSWERS = ("category", "returned", "team")
NAMES = {
    "serial": ("原始序号（不要删除）", "原始序号", "序号（不要删除）"),
    "province": ("省份", "省"),
    "city": ("地市", "市", "地市（州）"),
    "county": ("区县", "县区", "区（县）", "县（市、区）"),
    "name": ("姓名", "儿童姓名"),
    "sex": ("性别",),
    "id_number": ("身份证", "身份证号", "身份证号码", "公民身份号码"),
    "household": ("户籍地", "户籍地址", "户籍所在地"),
    "category": ("核查结果（选择下拉框）", "核查结果"),
    "returned": ("复学情况",),
    "team": ("备注（填写工作小组成员姓名）", "备注"),
}
LABELS = {
    "A.户籍原因": "A", "B.在校有学籍": "B", "C.省内就读无学籍": "C", "D.省外就读无学籍": "D", "E.延缓入学": "E",
    "F.超龄离校": "F", "G.失踪失联": "G", "H.出国在外": "H", "I.因病因残": "I", "J.入寺入教": "J", "K.打工务农": "K",
    "L.在家上学": "L", "M.其他原因": "M",
}  # fmt: skip
NO_NAMES = ("同上", "同前", "如上", "同上。", "〃", '"', "″", "——", "入户核查", "已核查", "工作小组")
REFERENCE = dt.date(2019, 2, 27)
INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))


def same(value: object) -> str:
    """A heading without what people change in it."""
    return "".join(unicodedata.normalize("NFKC", "" if value is None else str(value)).split())


def tidy(text: str) -> str:
    """An answer without full-width and invisible characters."""
    return unicodedata.normalize("NFKC", text.translate(INVISIBLE)).strip()


HEADINGS = {same(name): key for key, names in NAMES.items() for name in names}


def cell_text(cell: Any) -> str:
    """A cell as it is shown; a formula's text is not known here."""
    value = cell.value
    if value is None or cell.data_type == "f":
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


@dataclass
class Row:
    """One row of the table, its cells by column."""

    cells: Mapping[str, Any]
    child: Mapping[str, Any] = field(default_factory=dict)

    def text(self, key: str) -> str:
        """What stands in a column."""
        return cell_text(self.cells[key])

    def address(self, key: str) -> str:
        """Where it stands."""
        return str(self.cells[key].coordinate)

    def is_formula(self, key: str) -> bool:
        """True if it is a formula."""
        return bool(self.cells[key].data_type == "f")

    def is_other(self, key: str) -> bool:
        """True if it is an error, a truth value or a date."""
        return self.cells[key].data_type in ("e", "b", "d")

    def is_number(self, key: str) -> bool:
        """True if it is a number."""
        return bool(self.cells[key].data_type == "n") and self.cells[key].value is not None

    def filled(self) -> int:
        """How many of the columns hold something."""
        return sum(cell.value not in (None, "") for cell in self.cells.values())

    def serial(self, serials: Mapping[str, object]) -> str:
        """The serial; typed as a number, 0008 has become 8."""
        text = self.text("serial")
        if self.is_number("serial") and text not in serials:
            found = [serial for serial in serials if serial.lstrip("0") == text]
            return found[0] if len(found) == 1 else text
        return text

    def differences(self, child: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """(rule, column) of every cell that is no text or not as it was handed out."""
        for key in (*ISSUED, *ANSWERS):
            if self.is_formula(key):
                yield "R06", key
            elif self.is_other(key):
                yield "R08", key
            elif key in ANSWERS:
                if tidy(self.text(key)) != self.text(key):
                    yield "R07", key
            elif key == "id_number" and self.is_number(key):
                yield "R05", key
            elif self.text(key) != child[key]:
                yield "R04", key

    def answer(self) -> dict[str, str]:
        """What is recorded."""
        category = tidy(self.text("category"))
        return {"serial": self.child["serial"], "category": LABELS.get(category, ""),
                "returned": tidy(self.text("returned")), "team": tidy(self.text("team"))}  # fmt: skip


def failed(row: Row, has_police_ref: bool) -> Iterator[tuple[str, str]]:
    """(rule, column) of every rule that an answer breaks."""
    category, returned, team = (tidy(row.text(key)) for key in ANSWERS)
    code = LABELS.get(category)
    yield from _of_values(category, code, returned)
    yield from _of_team(team, str(row.child["name"]))
    if code is not None:
        yield from _of_category(code, str(row.child["id_number"]), has_police_ref)


def _of_values(category: str, code: str | None, returned: str) -> Iterator[tuple[str, str]]:
    if not category:
        yield "A01", "category"
    elif code is None:
        yield "A02", "category"
    if not returned:
        yield "A03", "returned"
    elif code is not None and code >= "I" and returned not in ("是", "否"):
        yield "A04", "returned"
    elif code is not None and code < "I" and returned != "无":
        yield "A05", "returned"


def _of_team(team: str, name: str) -> Iterator[tuple[str, str]]:
    if not team:
        yield "A06", "team"
    elif sum(sign.isalpha() for sign in team) < 2:
        yield "A13", "team"
    if team in NO_NAMES:
        yield "A14", "team"
    if team and set(filter(None, re.split(r"[\s、，,;；/·.和及]+", team))) == {name}:
        yield "A15", "team"


def _of_category(code: str, number: str, has_police_ref: bool) -> Iterator[tuple[str, str]]:
    born = dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    age = REFERENCE.year - born.year - ((REFERENCE.month, REFERENCE.day) < (born.month, born.day))
    broken = {
        "A07": code == "E" and age >= 6,
        "A08": code == "F" and age < 16,
        "A09": code in "FK" and age == 15,
        "A10": code == "G" and not has_police_ref,
        "A11": code == "H",
        "A12": code in "CD",
    }
    for rule, is_broken in broken.items():
        if is_broken:
            yield rule, "category"
