"""What a unit gets back: the faulty cells marked, a page that can be read, sealed, nothing personal in what we say."""

import io
import json

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from etl.exchange.checked import Checked
from etl.findings import Finding, FuxueError, Severity
from etl.forms.definitions import ANNEX4, MANIFEST_SHEET
from etl.report.feedback import CONFIRM, DETAILS, NAMED, PAGE, build_feedback, cell_ranges, group_findings
from etl.report.transcript import transcribe
from etl.system.bounded import Broke
from etl.system.sealing import OLE_MAGIC, unseal
from etl.workflow import loading, reporting
from etl.workflow.run import Run
from tests.support.books import ISSUE, UNIT, edit, issued, plain, put, setting
from tests.support.libreoffice import COPIES, FIXTURE


def opened(run: Run, made: reporting.Feedback) -> openpyxl.Workbook:
    assert made.file is not None
    data = made.file.read_bytes()
    assert data.startswith(OLE_MAGIC)
    password = run.keys.password(made.checked.issue, made.checked.unit)
    return openpyxl.load_workbook(io.BytesIO(unseal(data, [password]).plain))


def page(book: openpyxl.Workbook) -> list[list[object]]:
    return [[cell.value for cell in row] for row in book[PAGE].iter_rows(min_row=4)]


def spoiled(run: Run) -> reporting.Feedback:
    path = put(run, edit(plain(run), setting(I4=None, J5="也许", K6="同上", K7="同上", H8="别处")))
    (made,) = reporting.feedback(run, [path], None)
    return made


def test_every_faulty_cell_is_coloured_and_says_why(run: Run) -> None:
    made = spoiled(run)
    sheet = opened(run, made)[ANNEX4.sheet]
    errors = {f.cell: f for f in made.checked.findings if f.severity is Severity.ERROR}
    assert {"I4", "J5", "K6", "K7", "H8"} <= set(errors)
    for address, finding in errors.items():
        assert sheet[address].fill.fgColor.rgb == "FFE0464E", address
        assert finding.message in sheet[address].comment.text
    assert sheet["K9"].comment is None


def test_a_renamed_sheet_is_marked_all_the_same(run: Run) -> None:
    def change(sheet: Worksheet) -> None:
        setting(K6="同上")(sheet)
        sheet.title = "我镇的表"

    (made,) = reporting.feedback(run, [put(run, edit(plain(run), change))], None)
    cell = opened(run, made)["我镇的表"]["K6"]
    assert (cell.fill.fgColor.rgb, "同上" in cell.comment.text) == ("FFE0464E", True)


def test_cells_that_are_merged_are_marked_where_they_are_seen(run: Run) -> None:
    """One team for several rows: the lower ones are blank, and that is reported at the one that is seen."""
    (made,) = reporting.feedback(run, [put(run, edit(plain(run), lambda sheet: sheet.merge_cells("K4:K7")))], None)
    assert {f.cell for f in made.checked.findings if f.rule == "A06"} == {"K5", "K6", "K7"}
    sheet = opened(run, made)[ANNEX4.sheet]
    assert sheet["K4"].fill.fgColor.rgb == "FFE0464E"
    assert sheet["K4"].comment.text.count("备注") >= 3


def test_the_page_comes_first_and_shows_by_column_what_to_mend_with_a_right_value(run: Run) -> None:
    made = spoiled(run)
    book = opened(run, made)
    assert book.sheetnames[:3] == [PAGE, DETAILS, ANNEX4.sheet]
    assert book.active.title == PAGE
    by_place = {row[3]: row for row in page(book)}
    assert by_place["K6:K7"][:3] == ["错误（必须改）", "备注（填写工作小组成员姓名）", 2]
    assert by_place["K6:K7"][5] == "张三、李四"
    assert by_place["I4"][5] == "B.在校有学籍"
    assert by_place["H8"][5] == "与下发的原样一致"
    severities = [str(row[0]) for row in page(book)]
    assert severities == sorted(severities, key=lambda word: ["错误", "提示", "备注"].index(word[:2]))


def test_the_list_of_details_holds_every_finding(run: Run) -> None:
    made = spoiled(run)
    rows = [[cell.value for cell in row] for row in opened(run, made)[DETAILS].iter_rows(min_row=2)]
    assert [(row[5], row[1] or "") for row in rows] == [(f.rule, f.cell) for f in made.checked.findings]


def test_three_thousand_faults_still_give_a_page_that_can_be_read() -> None:
    findings = [
        Finding("A01", Severity.ERROR, "x.xlsx", "核查结果为空。", "blank", ANNEX4.sheet, f"I{row}", str(row))
        for row in range(4, 6004, 2)
    ]
    data = build_feedback(None, ANNEX4, "甲：x.xlsx 的反馈", findings)
    book = openpyxl.load_workbook(io.BytesIO(data))
    rows = page(book)
    assert len(rows) == 1
    assert rows[0][2] == 3000
    assert str(rows[0][3]).count("、") == NAMED - 1
    assert DETAILS in str(rows[0][3])
    assert book[DETAILS].max_row == 3001


@pytest.mark.parametrize(("cells", "drawn"), [
    (["J4", "J5", "J6", "J9"], ["J4:J6", "J9"]),
    (["B2", "AA2", "A1", "B3", "J10", "J9"], ["A1", "B2:B3", "J9:J10", "AA2"]),
    (["J4", "J4"], ["J4"]),
    ([], []),
])  # fmt: skip
def test_runs_of_cells_are_drawn_together(cells: list[str], drawn: list[str]) -> None:
    assert cell_ranges(cells) == drawn


def test_a_file_that_cannot_be_read_gets_a_page_alone(run: Run) -> None:
    def no_header(sheet: Worksheet) -> None:
        sheet.delete_rows(3)

    path = put(run, edit(plain(run), no_header))
    (made,) = reporting.feedback(run, [path], None)
    book = opened(run, made)
    assert book.sheetnames == [PAGE, DETAILS]
    assert [row[1] for row in page(book)] == ["整个文件"]


def test_a_file_of_nobody_gets_none_and_says_so(run: Run) -> None:
    path = run.home.inbox / "note.xlsx"
    path.write_text("not a workbook", encoding="utf-8")
    (made,) = reporting.feedback(run, [path], None)
    assert made.file is None
    assert list(run.home.reports.rglob("*.xlsx")) == []


def test_a_workbook_without_fault_needs_no_feedback(run: Run) -> None:
    def right(sheet: Worksheet) -> None:
        for row in range(4, 4 + len(issued(run))):
            for column, text in zip("IJK", ("A.户籍原因", "无", "测试员甲"), strict=True):
                sheet[f"{column}{row}"].value = text

    assert reporting.feedback(run, [put(run, edit(plain(run), right))], None) == []


def test_only_the_unit_that_was_asked_for(run: Run) -> None:
    spoiled(run)
    paths = sorted(run.home.inbox.iterdir())
    assert {one.checked.unit for one in reporting.feedback(run, paths, UNIT)} == {UNIT}
    with pytest.raises(FuxueError, match="no_unit"):
        reporting.feedback(run, paths, "nowhere")


def test_what_we_write_ourselves_names_no_child(run: Run) -> None:
    book = opened(run, spoiled(run))
    said = json.dumps([[cell.value for row in book[name].iter_rows() for cell in row] for name in (PAGE, DETAILS)],
                      ensure_ascii=False)  # fmt: skip
    said += json.dumps([cell.comment.text for row in book[ANNEX4.sheet].iter_rows() for cell in row if cell.comment],
                       ensure_ascii=False)  # fmt: skip
    for child in issued(run):
        for secret in (child.name, child.id_number, child.household):
            assert secret not in said


def test_the_feedback_of_a_feedback_is_read_like_the_workbook(run: Run) -> None:
    """A clerk mends the marked copy and sends that: the two new sheets are in nobody's way."""
    made = spoiled(run)
    assert made.file is not None
    before = {(f.rule, f.cell) for f in made.checked.findings}
    (again,) = loading.check_files(run, [made.file])
    assert {(f.rule, f.cell) for f in again.findings} == before
    assert (again.issue, again.unit) == (ISSUE, UNIT)


def test_findings_of_one_rule_in_one_column_are_one_line(run: Run) -> None:
    checked: Checked = spoiled(run).checked
    groups = group_findings(checked.findings, {"K": "备注（填写工作小组成员姓名）"}, ANNEX4)
    assert [(group.rule, group.count, group.cells) for group in groups if group.rule == "A14"] == [
        ("A14", 2, ("K6:K7",))
    ]


def test_what_cannot_be_marked_is_reported_in_words_and_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def only_words(function: object, arguments: tuple[object, ...], *_: object) -> bytes:
        if arguments[0] is not None:
            raise Broke
        return reporting.make(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(reporting, "run_bounded", only_words)
    book = opened(run, spoiled(run))
    assert book.sheetnames == [PAGE, DETAILS]
    assert "未能标色" in str(book[PAGE]["A1"].value)


@pytest.mark.parametrize("kind", ["xls", "ods"])
def test_a_workbook_of_another_format_is_copied_out_and_marked(kind: str) -> None:
    """Only .xlsx can be marked: of the others the texts come back, at the same addresses, and the manifest hidden."""
    name, *_ = COPIES[kind]
    finding = Finding("A14", Severity.ERROR, "x", "备注写的是“同上”。", "same as above", ANNEX4.sheet, "K5", "2")
    book = openpyxl.load_workbook(
        io.BytesIO(build_feedback((FIXTURE.parent / name).read_bytes(), ANNEX4, "西岭乡", [finding]))
    )
    issued_book = openpyxl.load_workbook(FIXTURE.parent / COPIES["plain xlsx"][0], data_only=True)
    assert book.sheetnames == [PAGE, DETAILS, *issued_book.sheetnames]
    assert book[MANIFEST_SHEET].sheet_state == "veryHidden"
    for sheet in (ANNEX4.sheet, MANIFEST_SHEET):
        theirs, ours = (
            {cell.coordinate: str(cell.value) for row in one[sheet].iter_rows() for cell in row if cell.value}
            for one in (issued_book, book)
        )
        assert ours == theirs
    marked = book[ANNEX4.sheet]["K5"]
    assert (marked.fill.fgColor.rgb, marked.comment.text) == ("FFE0464E", finding.message)
    assert page(book)[0][1] == "备注（填写工作小组成员姓名）"


def test_what_begins_like_a_formula_is_copied_as_text() -> None:
    plain_file = openpyxl.Workbook()
    plain_file.active["B2"].value = "=1+1"
    plain_file.active["B2"].data_type = "s"
    held = io.BytesIO()
    plain_file.save(held)
    cell = transcribe(held.getvalue(), ANNEX4).worksheets[0]["B2"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


def test_where_nothing_need_be_wrong_no_other_value_is_suggested() -> None:
    finding = Finding("A07", Severity.WARNING, "x", "请附证明。", "proof", ANNEX4.sheet, "I5", "2")
    (group,) = group_findings([finding], {"I": "核查结果"}, ANNEX4)
    assert group.example == CONFIRM
