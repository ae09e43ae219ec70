"""Every rule of the rule book: once where it fires, at the right cell, and once where a near-boundary valid input is
left alone. A new rule without both cases fails here."""

import datetime as dt
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from openpyxl.worksheet.worksheet import Worksheet

from etl.campaign import load_campaign
from etl.cli import steps
from etl.findings import Finding, Severity
from etl.forms import ANNEX4
from etl.issue.province import read_list
from etl.manifest import Manifest
from etl.read.cells import parse_workbook
from etl.read.guard import Refused
from etl.read.worker import read_bytes
from etl.sealing import seal, unseal
from tests.conftest import ROOT
from tests.fixtures import books
from tests.fixtures.books import ISSUE, UNIT, Change, row_of, setting
from tests.fixtures.libreoffice import FIXTURE

RULES = load_campaign(ROOT / "campaign").rules
Found = Sequence[Finding]


@dataclass
class Bench:
    """What the cases work on: a filled home, and the limits and ages that they may change."""

    run: steps.Run
    limited: Callable[..., steps.Run]
    folder: Path

    def edit(self, change: Change) -> Found:
        def both(sheet: Worksheet) -> None:
            neutral(sheet)
            change(sheet)

        return books.check_edit(self.run, both).findings

    def answer(self, category: str = "", returned: str = "", team: str = "测试员甲") -> Found:
        return self.edit(setting(I3=category or None, J3=returned or None, K3=team or None))

    def at_age(self, category: str, years: int, days: int = 0) -> Found:
        """The first child's category on the day on which it completes `years`, or `days` later."""
        birth = dt.datetime.strptime(books.issued(self.run)[0].id_number[6:14], "%Y%m%d").date()
        reference = birth.replace(year=birth.year + years) + dt.timedelta(days)
        campaign = replace(self.run.campaign, ages=replace(self.run.campaign.ages, reference=reference))
        changed = replace(self, run=replace(self.run, campaign=campaign))
        label = self.run.campaign.category[category].label
        return changed.answer(label, "无" if category <= "H" else "是")

    def plain(self, content: bytes) -> Found:
        return books.check_plain(self.run, content).findings

    def file(self, path: Path, *, allow_unsealed: bool = False) -> Found:
        return books.check_file(self.run, path, allow_unsealed=allow_unsealed).findings

    def sealed(self, content: bytes, password: str | None = None) -> Found:
        return self.file(books.put(self.run, content, password=password))

    def raw(self, content: bytes, name: str = f"{UNIT}.xlsx", *, allow_unsealed: bool = False) -> Found:
        path = self.folder / name
        path.write_bytes(content)
        return self.file(path, allow_unsealed=allow_unsealed)

    def under(self, content: bytes, **limits: int) -> Found:
        return replace(self, run=self.limited(**limits)).plain(content)

    def listed(self, *rows: dict[str, object], **options: object) -> Found:
        path = books.write_list(self.folder / "list.xlsx", rows, **options)  # type: ignore[arg-type]
        return read_list(path, self.run.campaign)[1]

    def load(self, *paths: Path) -> Found:
        return [f for one in steps.load(self.run, paths) for f in one.checked.findings]


@pytest.fixture
def bench(run: steps.Run, with_limits: Callable[..., steps.Run], tmp_path: Path) -> Bench:
    return Bench(run, with_limits, tmp_path)


def neutral(sheet: Worksheet) -> None:
    """All rows answered in a way of which no rule has anything to say."""
    for row in range(3, sheet.max_row):
        for column, text in zip("IJK", (A, "无", "测试员甲"), strict=True):
            sheet[f"{column}{row}"].value = text


def same(sheet: Worksheet) -> None:
    assert sheet.max_row > 3


def copy_sheet(content: bytes, change: Change) -> bytes:
    def copy(sheet: Worksheet) -> None:
        change(sheet.parent.copy_worksheet(sheet))

    return books.edit(content, copy)


def signed_for(bench: Bench, issue: str) -> bytes:
    """The filled workbook with a genuine manifest of some issue."""
    serials = tuple(child.serial for child in books.issued(bench.run))
    manifest = Manifest("annex4", issue, UNIT, serials).signed(bench.run.manifest_mac)

    def change(sheet: Worksheet) -> None:
        hidden = sheet.parent["fuxue"]
        hidden["B2"], hidden["B4"] = issue, manifest.mac

    return books.edit(books.plain(bench.run), change)


def load_side_by_side(bench: Bench, unit: str) -> Found:
    """The first unit's workbook loaded together with one that was filled and sealed apart from it."""
    other = bench.folder / "other.xlsx"
    password = bench.run.keys.password(ISSUE, unit)
    other.write_bytes(seal(unseal((bench.run.home.inbox / f"{unit}.xlsx").read_bytes(), [password]).plain, password))
    return steps.load(bench.run, [bench.run.home.inbox / f"{UNIT}.xlsx", other])[0].checked.findings


def load_twice(bench: Bench) -> Found:
    path = bench.run.home.inbox / f"{UNIT}.xlsx"
    again = bench.folder / "again.xlsx"
    shutil.copyfile(path, again)
    bench.load(path)
    return bench.load(again)


def load_sealed_again(bench: Bench) -> Found:
    path = bench.run.home.inbox / f"{UNIT}.xlsx"
    content = books.plain(bench.run)
    bench.load(path)
    return bench.load(books.put(bench.run, content))


def duplicate(sheet: Worksheet) -> None:
    last = sheet.max_row  # the footer's row moves down
    sheet.insert_rows(last)
    for column in range(1, 12):
        sheet.cell(last, column).value = sheet.cell(3, column).value


def foreign(sheet: Worksheet) -> None:
    duplicate(sheet)
    sheet.cell(sheet.max_row - 1, 1).value = "9999"


def spun(bench: Bench, most: int) -> Found:
    """Our own seal asks for 100,000 rounds."""
    sealed = (bench.run.home.inbox / f"{UNIT}.xlsx").read_bytes()
    limits = replace(bench.run.campaign.limits, spin_count=most)
    submission = read_bytes(sealed, [bench.run.keys.password(ISSUE, UNIT)], limits, allow_unsealed=False)
    return [bench.run.campaign.finding(p.rule, f"{UNIT}.xlsx", **p.params) for p in submission.problems]


def large(bench: Bench, memory: int) -> Found:
    """A small file that unfolds to 40 MB, read within some memory."""
    content = books.in_sheet(books.plain(bench.run), "</sheetData>", " " * 40_000_000 + "</sheetData>")
    return replace(bench, run=bench.limited(memory_bytes=memory)).raw(content, allow_unsealed=True)


def heading(key: str, text: str) -> Change:
    return setting(**{f"{books.LETTER[key]}2": text})


def link(sheet: Worksheet) -> None:
    sheet["K3"].hyperlink = "mailto:someone@example.invalid"


def serials(bench: Bench) -> list[str]:
    return [child.serial for child in books.issued(bench.run)]


A, B, K = "A.户籍原因", "B.在校有学籍", "K.打工务农"
FIRES: dict[str, tuple[Callable[[Bench], Found], str]] = {
    "L01": (lambda b: b.listed(row_of("1"), headings={"name": "名字"}), ""),
    "L02": (lambda b: b.listed(row_of("1"), row_of("1", id_number=books.id_number("20060115", 7))), "A4"),
    "L03": (lambda b: b.listed(row_of("1", sex="女")), "G3"),
    "L04": (lambda b: b.listed(row_of("1"), row_of("2"), row_of("3", id_number=row_of("1")["id_number"])), "G5"),
    "L05": (lambda b: b.listed(row_of("1", id_number=books.id_number("20030831", 1))), "G3"),
    "L06": (lambda b: b.listed(row_of("1", household="虚构省青石县")), "H3"),
    "L07": (lambda b: b.listed(row_of("1", household="青石县东港镇西岭乡路1号")), "H3"),
    "L08": (lambda b: read_list(b.run.home.demo_key, b.run.campaign)[1], ""),
    "L09": (lambda b: b.listed(row_of("1", name=" ")), "E3"),
    "F01": (lambda b: b.raw("这不是工作簿".encode()), ""),
    "F02": (lambda b: b.sealed(books.plain(b.run), password="123456"), ""),
    "F03": (lambda b: b.raw(books.plain(b.run)), ""),
    "F04": (lambda b: spun(b, 99_999), ""),
    "F05": (lambda b: b.under(books.plain(b.run), rows=len(books.issued(b.run)) + 3), ""),
    "F06": (lambda b: b.plain(books.repack(books.plain(b.run), lambda p: p.update({"xl/vbaProject.bin": b""}))), ""),
    "F07": (lambda b: b.edit(heading("name", "名字")), ""),
    "F08": (lambda b: large(b, 50_000_000), ""),
    "F09": (lambda b: b.edit(lambda sheet: sheet.parent.remove(sheet.parent["fuxue"])), ""),
    "F10": (lambda b: b.plain(signed_for(b, "20200302-02")), ""),
    "F11": (load_twice, ""),
    "F12": (lambda b: b.raw(books.plain(b.run), allow_unsealed=True), ""),
    "F13": (lambda b: b.file(FIXTURE), ""),
    "F14": (lambda b: b.plain(copy_sheet(books.plain(b.run), same)), ""),
    "F15": (lambda b: load_side_by_side(b, UNIT), ""),
    "R01": (lambda b: b.edit(lambda sheet: sheet.delete_rows(3)), ""),
    "R02": (lambda b: b.edit(duplicate), "A{last}"),
    "R03": (lambda b: b.edit(foreign), "A{last}"),
    "R04": (lambda b: b.edit(setting(H3="虚构省青石县东港镇别村1号")), "H3"),
    "R05": (lambda b: b.edit(setting(G3=int(books.issued(b.run)[0].id_number[:17] + "0"))), "G3"),
    "R06": (lambda b: b.edit(setting(I4='="B.在校有学籍"')), "I4"),
    "R07": (lambda b: b.edit(setting(K3="测试员甲　")), "K3"),
    "R08": (lambda b: b.edit(setting(K3="#N/A")), "K3"),
    "A01": (lambda b: b.answer("", "无"), "I3"),
    "A02": (lambda b: b.answer("A户籍原因", "无"), "I3"),
    "A03": (lambda b: b.answer(A, ""), "J3"),
    "A04": (lambda b: b.answer(K, "无"), "J3"),
    "A05": (lambda b: b.answer(A, "否"), "J3"),
    "A06": (lambda b: b.answer(A, "无", ""), "K3"),
    "A07": (lambda b: b.at_age("E", 6), "I3"),
    "A08": (lambda b: b.at_age("F", 16, -1), "I3"),
    "A09": (lambda b: b.at_age("K", 16, -1), "I3"),
    "A10": (lambda b: b.answer("G.失踪失联", "无"), "I3"),
    "A11": (lambda b: b.answer("H.出国在外", "无"), "I3"),
    "A12": (lambda b: b.answer("D.省外就读无学籍", "无"), "I3"),
    "A13": (lambda b: b.answer(A, "无", "1."), "K3"),
}  # fmt: skip
QUIET: dict[str, Callable[[Bench], Found]] = {
    "L01": lambda b: b.listed(row_of("1"), headings={"id_number": "身份证号码", "serial": "原始序号(不要\n删除)"},
                              above=5),
    "L02": lambda b: b.listed(row_of("1"), row_of("01", id_number=books.id_number("20060115", 7))),
    "L03": lambda b: b.listed(row_of("1", id_number=books.id_number("20060115", 14), sex="女")),
    "L04": lambda b: b.listed(row_of("1"), row_of("2")),
    "L05": lambda b: b.listed(row_of("1", id_number=books.id_number("20030901", 1)),
                              row_of("2", id_number=books.id_number("20120831", 1))),
    "L06": lambda b: b.listed(row_of("1", household="东港")),
    "L07": lambda b: b.listed(row_of("1", household="东港镇东港村东港镇1号")),
    "L08": lambda b: read_list(b.run.home.private / "list.xlsx", b.run.campaign)[1],
    "L09": lambda b: b.listed(row_of("1", name="一")),
    "F01": lambda b: b.raw((b.run.home.inbox / f"{UNIT}.xlsx").read_bytes(), "报表.doc"),
    "F02": lambda b: b.raw((b.run.home.inbox / f"{UNIT}.xlsx").read_bytes(), "xiling.xlsx"),
    "F03": lambda b: b.sealed(books.plain(b.run)),
    "F04": lambda b: spun(b, 100_000),
    "F05": lambda b: b.under(books.plain(b.run), rows=len(books.issued(b.run)) + 4),
    "F06": lambda b: b.edit(link),
    "F07": lambda b: b.edit(heading("category", "核查结果\n（选择下拉框）")),
    "F08": lambda b: large(b, 1_000_000_000),
    "F09": lambda b: b.edit(lambda sheet: setattr(sheet.parent["fuxue"], "sheet_state", "visible")),
    "F10": lambda b: b.plain(signed_for(b, ISSUE)),
    "F11": load_sealed_again,
    "F12": lambda b: b.file(b.run.home.inbox / f"{UNIT}.xlsx", allow_unsealed=True),
    "F13": lambda b: b.raw(seal(books.plain(b.run), b.run.keys.password(ISSUE, UNIT))),
    "F14": lambda b: b.plain(copy_sheet(books.plain(b.run), lambda sheet: sheet.delete_rows(2))),
    "F15": lambda b: load_side_by_side(b, "xiling"),
    "R01": lambda b: b.edit(lambda sheet: sheet.insert_rows(3)),
    "R02": lambda b: b.edit(lambda sheet: sheet.insert_rows(sheet.max_row)),
    "R03": lambda b: b.edit(setting(L3="9999")),
    "R04": lambda b: b.edit(setting(H3=f"{books.issued(b.run)[0].household}")),
    "R05": lambda b: b.edit(setting(G3=books.issued(b.run)[0].id_number)),
    "R06": lambda b: b.edit(setting(M3="=1+1")),
    "R07": lambda b: b.edit(setting(K3="测试员 甲")),
    "R08": lambda b: b.edit(setting(K3="员工N/A")),
    "A01": lambda b: b.answer(A, "无"),
    "A02": lambda b: b.answer("Ａ．户籍原因 ", "无"),
    "A03": lambda b: b.answer(A, "无"),
    "A04": lambda b: b.answer("I.因病因残", "否"),
    "A05": lambda b: b.answer("H.出国在外", "无"),
    "A06": lambda b: b.answer(A, "无", "甲乙"),
    "A07": lambda b: b.at_age("E", 6, -1),
    "A08": lambda b: b.at_age("F", 16),
    "A09": lambda b: [*b.at_age("K", 16), *b.at_age("F", 15, -1), *b.at_age("M", 15)],
    "A10": lambda b: b.answer(A, "无"),
    "A11": lambda b: b.answer("I.因病因残", "是"),
    "A12": lambda b: b.answer(B, "无"),
    "A13": lambda b: b.answer(A, "无", "Li"),
}  # fmt: skip


def found(case: Callable[[Bench], Found], bench: Bench) -> Found:
    """The case's findings; what reading refuses in this process counts as well."""
    try:
        return case(bench)
    except Refused as refused:
        problem = refused.problem
        return [bench.run.campaign.finding(problem.rule, "x.xlsx", cell=problem.cell, **problem.params)]


def test_the_census_and_the_rule_book_have_the_same_rules() -> None:
    assert set(FIRES) == set(QUIET) == {rule.id for rule in RULES}


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_a_rule_fires_at_its_cell_alone(rule: str, bench: Bench) -> None:
    case, cell = FIRES[rule]
    findings = found(case, bench)
    own = [f for f in findings if f.rule == rule]
    expected = cell.format(last=3 + len(books.issued(bench.run)))
    assert [f.cell for f in own] == [expected]
    assert {f.rule for f in findings if f.severity is Severity.ERROR} <= {rule}
    assert own[0].severity is next(r.severity for r in RULES if r.id == rule)
    assert own[0].file
    if cell:
        assert own[0].sheet in (ANNEX4.sheet, "名单")
    assert any("\u4e00" <= sign <= "\u9fff" for sign in own[0].message)
    for message in (own[0].message, own[0].message_en):
        assert "{" not in message
        assert "None" not in message


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_a_rule_leaves_a_near_boundary_valid_input_alone(rule: str, bench: Bench) -> None:
    findings = found(QUIET[rule], bench)
    assert rule not in {f.rule for f in findings}
    assert not [f for f in findings if f.severity is Severity.ERROR]


def test_a_missing_row_is_told_by_its_serial(bench: Bench) -> None:
    first = serials(bench)[0]
    (finding,) = [f for f in bench.edit(lambda sheet: sheet.delete_rows(3)) if f.rule == "R01"]
    assert finding.serial == first
    assert first in finding.message


def test_the_reader_parses_what_the_bench_changes(bench: Bench) -> None:
    submission = parse_workbook(books.plain(bench.run), bench.run.campaign.limits)
    assert [row["serial"].text for row in submission.rows] == serials(bench)
