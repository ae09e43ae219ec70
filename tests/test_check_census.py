"""Every rule of the rule book: once where it fires, at the right cell, and once where a near-boundary valid input is
left alone. A new rule without both cases fails here."""

import datetime as dt
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from etl.campaign import load_campaign
from etl.cli import issuing, steps
from etl.cli.run import Run
from etl.findings import Finding, Severity
from etl.forms import ANNEX4, ANNEX5, CASES
from etl.manifest import Manifest
from etl.read.cells import parse_workbook
from etl.read.marks import Refused
from etl.read.worker import read_bytes
from etl.sealing import seal, unseal
from tests.conftest import ROOT
from tests.fixtures import books
from tests.fixtures.books import ISSUE, UNIT, Change, row_of, setting
from tests.fixtures.libreoffice import COPIES, FIXTURE, HERE
from tests.fixtures.papers import case_row, complete_paper, put_casework

RULES = load_campaign(ROOT / "campaign").rules
Found = Sequence[Finding]


@dataclass
class Bench:
    """What the cases work on: a filled home, and the limits and ages that they may change."""

    run: Run
    limited: Callable[..., Run]
    folder: Path

    def edit(self, change: Change) -> Found:
        def both(sheet: Worksheet) -> None:
            neutral(sheet)
            change(sheet)

        return books.check_edit(self.run, both).findings

    def answer(self, category: str = "", returned: str = "", team: str = "测试员甲") -> Found:
        return self.edit(setting(I4=category or None, J4=returned or None, K4=team or None))

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
        return books.list_findings(path, self.run.campaign)

    def case(self, returned: str = "是", **cells: object) -> Found:
        """The first case of another reason than illness, filled with these cells."""
        bundle, row, _ = case_row(self.run, returned)
        return self.file(put_casework(self.run, bundle, {row["reference"]: cells}))

    def load(self, *paths: Path) -> Found:
        return [f for one in steps.load(self.run, paths) for f in one.checked.findings]


@pytest.fixture
def bench(request: pytest.FixtureRequest, run: Run, with_limits: Callable[..., Run], tmp_path: Path) -> Bench:
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    if parameters.get("rule", "").startswith("E"):  # their cases stand in what is handed out after the answers
        steps.load(run, sorted(run.home.inbox.glob("*.xlsx")))
        issuing.issue_form(run, "cases", None)
    return Bench(run, with_limits, tmp_path)


def neutral(sheet: Worksheet) -> None:
    """All rows answered in a way of which no rule has anything to say."""
    for row in range(4, sheet.max_row):
        for column, text in zip("IJK", (A, "无", "测试员甲"), strict=True):
            sheet[f"{column}{row}"].value = text


def same(sheet: Worksheet) -> None:
    assert sheet.max_row > 4


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


def renumbered(bench: Bench, name: str) -> Found:
    """A supplement in which the first child's serial stands again, with another ID number and this name."""
    row = row_of("901") | {"serial": books.issued(bench.run)[0].serial, "name": name}
    return issuing.issue_list(bench.run, books.write_list(bench.folder / "list.xlsx", [row])).findings


def two_sheets(bench: Bench, filled: int) -> Found:
    """A list of which so many sheets hold a child; the others have a header alone."""
    path = books.write_list(bench.folder / "list.xlsx", [row_of("1")])
    book = openpyxl.load_workbook(path)
    copy = book.copy_worksheet(book.worksheets[0])
    if filled == 1:
        copy.delete_rows(3)
    book.save(path)
    return books.list_findings(path, bench.run.campaign)


def supplemented(bench: Bench, name: str) -> Found:
    """A supplement that brings one child again, under this name if one is given."""
    first = books.issued(bench.run)[0]
    row = {column.key: getattr(first, column.key) for column in ANNEX4.issued}
    again = row | {"name": name} if name else row
    path = books.write_list(bench.folder / "list.xlsx", [again, row_of("901")])
    return issuing.issue_list(bench.run, path).findings


def decided(bench: Bench, officer: str) -> Found:
    """A list of one child that a person assigned: who it was is told or not."""
    path = books.write_list(bench.folder / "list.xlsx", [row_of("901", household="虚构省")])
    (paper,) = issuing.issue_list(bench.run, path).papers
    filled = complete_paper(bench.run, paper, "归属单位", {"901": "东港镇"}, officer)
    findings = issuing.issue_list(bench.run, path, assign=filled).findings
    # An assignment that nobody answers for assigns nothing: the row is told again.
    return findings if officer else [f for f in findings if f.rule != "L06"]


def with_macros(bench: Bench) -> bytes:
    return books.repack(books.plain(bench.run), lambda parts: parts.update({"xl/vbaProject.bin": b""}))


def duplicate(sheet: Worksheet) -> None:
    last = sheet.max_row  # the footer's row moves down
    sheet.insert_rows(last)
    for column in range(1, 12):
        sheet.cell(last, column).value = sheet.cell(4, column).value


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


def annex5(**changed: int) -> Change:
    """附件5 as Excel would have calculated it when every row is A and 无, with some cells changed."""

    def change(sheet: Worksheet) -> None:
        count = sheet.max_row - 4
        for row in (4, 5):
            for column in "CDEFGHIJKLMNOPQ":
                value = changed.get(f"{column}{row}", count if column in "CD" else 0)
                sheet.parent["附件5"][f"{column}{row}"].value = value

    return change


def heading(key: str, text: str) -> Change:
    return setting(**{f"{books.LETTER[key]}3": text})


def link(sheet: Worksheet) -> None:
    sheet["K4"].hyperlink = "mailto:someone@example.invalid"


def serials(bench: Bench) -> list[str]:
    return [child.serial for child in books.issued(bench.run)]


SCHOOLED = "普通班就读"
A, B, K = "A.户籍原因", "B.在校有学籍", "K.打工务农"
FIRES: dict[str, tuple[Callable[[Bench], Found], str]] = {
    "L01": (lambda b: b.listed(row_of("1"), headings={"name": "名字"}), ""),
    "L02": (lambda b: b.listed(row_of("1"), row_of("1", id_number=books.id_number("20060115", 7))), "A4"),
    "L03": (lambda b: b.listed(row_of("1", sex="女")), "G3"),
    "L04": (lambda b: b.listed(row_of("1"), row_of("2"), row_of("3", id_number=row_of("1")["id_number"])), "G5"),
    "L05": (lambda b: b.listed(row_of("1", id_number=books.id_number("20030831", 1))), "G3"),
    "L06": (lambda b: b.listed(row_of("1", household="虚构省青石县")), "H3"),
    "L07": (lambda b: b.listed(row_of("1", household="青石县东港镇西岭乡路1号")), "H3"),
    "L08": (lambda b: books.list_findings(b.run.home.demo_key, b.run.campaign), ""),
    "L09": (lambda b: b.listed(row_of("1", name=" ")), "E3"),
    "L10": (lambda b: supplemented(b, "改名童"), "E3"),
    "L12": (lambda b: renumbered(b, books.issued(b.run)[0].name), "G3"),
    "L11": (lambda b: two_sheets(b, 2), ""),
    "D01": (lambda b: decided(b, ""), ""),
    "F01": (lambda b: b.raw("这不是工作簿".encode()), ""),
    "F02": (lambda b: b.sealed(books.plain(b.run), password="123456"), ""),
    "F03": (lambda b: b.raw(books.plain(b.run)), ""),
    "F04": (lambda b: spun(b, 99_999), ""),
    "F05": (lambda b: b.under(books.plain(b.run), rows=len(books.issued(b.run)) + 3), ""),
    "F06": (lambda b: b.plain(with_macros(b)), ""),
    "F07": (lambda b: b.edit(heading("name", "名字")), ""),
    "F08": (lambda b: large(b, 50_000_000), ""),
    "F09": (lambda b: b.edit(lambda sheet: sheet.parent.remove(sheet.parent["fuxue"])), ""),
    "F10": (lambda b: b.plain(signed_for(b, "20200302-02")), ""),
    "F11": (load_twice, ""),
    "F12": (lambda b: b.raw(books.plain(b.run), allow_unsealed=True), ""),
    "F13": (lambda b: b.file(FIXTURE), ""),
    "F14": (lambda b: b.plain(copy_sheet(books.plain(b.run), same)), ""),
    "F15": (lambda b: load_side_by_side(b, UNIT), ""),
    "F16": (lambda b: b.load(b.run.home.outbox / ISSUE / f"{UNIT}.xlsx"), ""),
    "F17": (lambda b: b.file(HERE / COPIES["sealed ods"][0], allow_unsealed=True), ""),
    "F18": (lambda b: b.file(HERE / COPIES["xls"][0], allow_unsealed=True), ""),
    "F19": (lambda b: b.under(with_macros(b), allow_macros=True), ""),
    "R01": (lambda b: b.edit(lambda sheet: sheet.delete_rows(4)), ""),
    "R02": (lambda b: b.edit(duplicate), "A{last}"),
    "R03": (lambda b: b.edit(foreign), "A{last}"),
    "R04": (lambda b: b.edit(setting(H4="虚构省青石县东港镇别村1号")), "H4"),
    "R05": (lambda b: b.edit(setting(G4=int(books.issued(b.run)[0].id_number[:17] + "0"))), "G4"),
    "R06": (lambda b: b.edit(setting(I5='="B.在校有学籍"')), "I5"),
    "R07": (lambda b: b.edit(setting(K4="测试员甲　")), "K4"),
    "R08": (lambda b: b.edit(setting(K4="#N/A")), "K4"),
    "R09": (lambda b: b.edit(annex5(E4=1)), "E4"),
    "R10": (lambda b: b.edit(same), ""),
    "A01": (lambda b: b.answer("", "无"), "I4"),
    "A02": (lambda b: b.answer("A户籍原因", "无"), "I4"),
    "A03": (lambda b: b.answer(A, ""), "J4"),
    "A04": (lambda b: b.answer(K, "无"), "J4"),
    "A05": (lambda b: b.answer(A, "否"), "J4"),
    "A06": (lambda b: b.answer(A, "无", ""), "K4"),
    "A07": (lambda b: b.at_age("E", 6), "I4"),
    "A08": (lambda b: b.at_age("F", 16, -1), "I4"),
    "A09": (lambda b: b.at_age("K", 16, -1), "I4"),
    "A10": (lambda b: b.answer("G.失踪失联", "无"), "I4"),
    "A11": (lambda b: b.answer("H.出国在外", "无"), "I4"),
    "A12": (lambda b: b.answer("D.省外就读无学籍", "无"), "I4"),
    "A13": (lambda b: b.answer(A, "无", "1."), "K4"),
    "A14": (lambda b: b.answer(A, "无", "同上"), "K4"),
    "A15": (lambda b: b.answer(A, "无", f"{books.issued(b.run)[0].name}、"), "K4"),
    "E01": (lambda b: b.case(measure="随班就读", department="学校", person="测试员甲"), "I{case}"),
    "E02": (lambda b: b.case(department="学校", person="测试员甲"), "I{case}"),
    "E03": (lambda b: b.case(schooling=SCHOOLED, date="三月九日", carer="测试员甲"), "M{case}"),
    "E04": (lambda b: b.case(schooling=SCHOOLED, date="2020-03-17", carer="测试员甲"), "M{case}"),
    "E05": (lambda b: b.case(measure="帮扶救助", department="学校", person="甲"), "K{case}"),
    "E06": (lambda b: b.case("否", schooling=SCHOOLED, date="2020-03-16", carer="测试员甲"), "L{case}"),
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
    "L08": lambda b: books.list_findings(b.run.home.private / "list.xlsx", b.run.campaign),
    "L09": lambda b: b.listed(row_of("1", name="一")),
    "L10": lambda b: supplemented(b, ""),
    "L12": lambda b: renumbered(b, "别名童"),
    "L11": lambda b: two_sheets(b, 1),
    "D01": lambda b: decided(b, "测试员甲"),
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
    "F14": lambda b: b.plain(copy_sheet(books.plain(b.run), lambda sheet: sheet.delete_rows(3))),
    "F15": lambda b: load_side_by_side(b, "xiling"),
    "F16": lambda b: b.file(b.run.home.inbox / f"{UNIT}.xlsx"),
    "F17": lambda b: b.file(HERE / COPIES["ods"][0], allow_unsealed=True),
    "F18": lambda b: b.file(HERE / COPIES["plain xlsx"][0], allow_unsealed=True),
    "F19": lambda b: b.under(books.plain(b.run), allow_macros=True),
    "R01": lambda b: b.edit(lambda sheet: sheet.insert_rows(4)),
    "R02": lambda b: b.edit(lambda sheet: sheet.insert_rows(sheet.max_row)),
    "R03": lambda b: b.edit(setting(L4="9999")),
    "R04": lambda b: b.edit(setting(H4=f"{books.issued(b.run)[0].household}")),
    "R05": lambda b: b.edit(setting(G4=books.issued(b.run)[0].id_number)),
    "R06": lambda b: b.edit(setting(M4="=1+1")),
    "R07": lambda b: b.edit(setting(K4="测试员 甲")),
    "R08": lambda b: b.edit(setting(K4="员工N/A")),
    "R09": lambda b: b.edit(annex5()),
    "R10": lambda b: b.edit(annex5()),
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
    "A14": lambda b: b.answer(A, "无", "同上海"),
    "A15": lambda b: b.answer(A, "无", f"{books.issued(b.run)[0].name}、测试员甲"),
    "E01": lambda b: b.case(measure="帮扶救助", department="学校", person="测试员甲"),
    "E02": lambda b: b.case(),
    "E03": lambda b: b.case(schooling=SCHOOLED, date="2020年3月9日", carer="测试员甲"),
    "E04": lambda b: b.case(schooling=SCHOOLED, date="2020-03-16", carer="测试员甲"),
    "E05": lambda b: b.case(measure="帮扶救助", department="学校", person="甲乙"),
    "E06": lambda b: b.case("是", schooling=SCHOOLED, date="2020-03-16", carer="测试员甲"),
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
    fires, cell = FIRES[rule]
    findings = found(fires, bench)
    own = [f for f in findings if f.rule == rule]
    case = rule[0] == "E" and case_row(bench.run, "否" if rule == "E06" else "是")[2]
    expected = cell.format(last=4 + len(books.issued(bench.run)), case=case)
    assert [f.cell for f in own] == [expected]
    assert {f.rule for f in findings if f.severity is Severity.ERROR} <= {rule}
    assert own[0].severity is next(r.severity for r in RULES if r.id == rule)
    assert own[0].file
    if cell:
        assert own[0].sheet in (ANNEX4.sheet, ANNEX5.sheet, CASES.sheet, "名单")
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
    (finding,) = [f for f in bench.edit(lambda sheet: sheet.delete_rows(4)) if f.rule == "R01"]
    assert finding.serial == first
    assert first in finding.message


def test_the_reader_parses_what_the_bench_changes(bench: Bench) -> None:
    submission = parse_workbook(books.plain(bench.run), bench.run.campaign.limits)
    assert [row["serial"].text for row in submission.rows] == serials(bench)
