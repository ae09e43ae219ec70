"""Workbooks as people and programs bend them: what is read, with which address, and what is refused."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from openpyxl.worksheet.worksheet import Worksheet

from etl.exchange.submission import Submission
from etl.findings import Severity
from etl.forms.definitions import ANNEX4
from etl.forms.manifest import Manifest, parse_manifest
from etl.forms.sheet import cell_address, find_header
from etl.read.cells import parse_workbook
from etl.read.marks import Refused
from etl.system.sealing import unseal
from etl.workflow.run import Run
from tests.support.books import (
    ISSUE,
    SHEET_PART,
    UNIT,
    Change,
    check_edit,
    check_plain,
    edit,
    issued,
    places,
    plain,
    repack,
    rules_of,
    setting,
)


def parse(run: Run, change: Change) -> Submission:
    return parse_workbook(edit(plain(run), change), run.campaign.limits)


@pytest.mark.parametrize(("row", "column", "address"), [
    (0, 0, "A1"), (6, 9, "J7"), (1, 25, "Z2"), (1, 26, "AA2"), (0, 51, "AZ1"), (0, 52, "BA1"), (0, 701, "ZZ1"),
    (0, 702, "AAA1"), (1048575, 16383, "XFD1048576"),
])  # fmt: skip
def test_addresses_go_beyond_z(row: int, column: int, address: str) -> None:
    assert cell_address(row, column) == address


def test_a_table_moved_down_and_right_is_found_with_its_true_addresses(run: Run) -> None:
    def change(sheet: Worksheet) -> None:
        for area in ("A1:K1", "A2:K2"):
            sheet.unmerge_cells(area)
        sheet.move_range(f"A1:K{sheet.max_row}", rows=4, cols=20)
        sheet["AC8"].value = "N.不清楚"

    checked = check_edit(run, change)
    assert places(checked) == [("A02", "AC8")]
    assert checked.footer["filler"]


def test_columns_in_another_order_are_found_by_their_headings(run: Run) -> None:
    def change(sheet: Worksheet) -> None:
        for row in range(3, sheet.max_row):
            first, last = sheet.cell(row, 9).value, sheet.cell(row, 11).value
            sheet.cell(row, 9).value, sheet.cell(row, 11).value = last, first
        sheet["K4"].value = None

    assert places(check_edit(run, change)) == [("A01", "K4")]


@pytest.mark.parametrize("change", [
    setting(E3=None),
    setting(E3="名字"),
    setting(L3="姓名"),
    setting(F3="姓名"),
    lambda sheet: sheet.delete_cols(6),
    lambda sheet: sheet.delete_rows(3),
    lambda sheet: sheet.insert_rows(1, amount=30),
], ids=["blank", "renamed", "doubled", "replaced", "column-gone", "row-gone", "too-far-down"])  # fmt: skip
def test_an_unknown_layout_is_refused(run: Run, change: Change) -> None:
    with pytest.raises(Refused, match="F07"):
        parse(run, change)


def test_the_fused_headings_of_the_printed_notice_are_refused(run: Run) -> None:
    with pytest.raises(Refused, match="F07"):
        parse(run, setting(J3="复学情况备注（填写工作小组成员姓名）", K3=None))


def test_every_known_spelling_of_a_heading_is_accepted() -> None:
    for column in ANNEX4.columns:
        for alias in (column.heading, *column.aliases):
            row = [alias if c is column else c.heading for c in ANNEX4.columns]
            for spelled in (row, [f" {h[:1]}\n{h[1:]} " for h in row], [h.replace("（", "(") for h in row]):
                found = find_header([["标题"], spelled], ANNEX4, wanted=tuple(c.key for c in ANNEX4.columns))
                assert found is not None
                assert found[0] == 1
                assert found[1] == {c.key: at for at, c in enumerate(ANNEX4.columns)}


def test_a_sheet_renamed_is_read_but_its_name_is_never_shown(run: Run) -> None:
    name = issued(run)[0].name

    def change(sheet: Worksheet) -> None:
        sheet.title = f"{name}&'<"
        sheet["I4"].value = None

    checked = check_edit(run, change)
    assert places(checked) == [("A01", "I4")]
    assert name not in repr(checked.findings)
    assert {finding.sheet for finding in checked.findings} == {"第1张表", "附件5"}


def test_scratch_sheets_and_charts_do_no_harm(run: Run) -> None:
    def change(sheet: Worksheet) -> None:
        sheet.parent.create_sheet("草稿", 0)["B7"].value = "=1/0"
        sheet.parent.create_chartsheet("图", 0)

    assert check_edit(run, change).accepted


def test_merged_answers_are_blank_but_in_their_first_cell(run: Run) -> None:
    assert places(check_edit(run, lambda sheet: sheet.merge_cells("K4:K6"))) == [("A06", "K5"), ("A06", "K6")]


def test_a_hidden_row_counts(run: Run) -> None:
    def change(sheet: Worksheet) -> None:
        sheet.row_dimensions[4].hidden = True
        sheet["I4"].value = None

    assert places(check_edit(run, change)) == [("A01", "I4")]


def test_a_row_below_the_footer_is_not_lost(run: Run) -> None:
    last = 4 + len(issued(run))

    def below(sheet: Worksheet) -> None:
        for column in range(1, 12):
            sheet.cell(last + 3, column).value = sheet.cell(4, column).value

    def moved(sheet: Worksheet) -> None:
        below(sheet)
        for column in range(1, 12):
            sheet.cell(4, column).value = None

    def foreign(sheet: Worksheet) -> None:
        below(sheet)
        sheet.cell(last + 3, 1).value = "9999"

    assert places(check_edit(run, below)) == [("R02", f"A{last + 3}")]
    assert places(check_edit(run, foreign)) == [("R03", f"A{last + 3}")]
    assert places(check_edit(run, moved)) == []


def test_a_remark_below_the_footer_is_none_of_our_business(run: Run) -> None:
    last = 4 + len(issued(run))
    checked = check_edit(run, setting(**{f"A{last + 2}": "填表日期：", f"B{last + 2}": "2020年3月9日"}))
    assert places(checked) == []
    assert checked.footer["filler"]


def test_a_remark_above_the_footer_is_a_row_that_was_not_issued(run: Run) -> None:
    def change(sheet: Worksheet) -> None:
        sheet.insert_rows(5)
        sheet["B5"].value = "合计"

    assert places(check_edit(run, change)) == [("R03", "A5")]


@pytest.mark.parametrize(("cells", "phone"), [
    ({}, "00000000"),
    ({"G": "联系电话:", "H": 13800000000}, "13800000000"),
    ({"G": "联系电话", "H": " 123-4567 "}, "123-4567"),
    ({"G": "联 系 电 话：1234567", "H": None}, "1234567"),
    ({"G": "联系电话：", "H": None}, ""),
])  # fmt: skip
def test_the_footer_is_read_as_clerks_write_it(run: Run, cells: dict[str, object], phone: str) -> None:
    last = 4 + len(issued(run))
    checked = check_edit(run, setting(**{f"{column}{last}": value for column, value in cells.items()}))
    assert places(checked) == []
    assert checked.footer["phone"] == phone
    assert checked.footer["unit"] == "东港镇"


def test_one_label_alone_makes_no_footer(run: Run) -> None:
    """Else a cell that says 单位 would hide a child's row."""
    assert places(check_edit(run, setting(K4="单位："))) == []
    assert places(check_edit(run, setting(A4="单位："))) == [("R03", "A4"), ("R01", "")]


@pytest.mark.parametrize(("value", "rules"), [
    (True, ["R08"]),
    (dt.date(2020, 3, 9), ["R08"]),
    (dt.datetime(2020, 3, 9, 12), ["R08"]),
    (dt.time(12, 30), ["R08"]),
    ("#DIV/0!", ["R08"]),
    ("=1/0", ["R06"]),
    (13, ["A13"]),
    (0, ["A13"]),
    (1.5, ["A13"]),
    ("—", ["A13"]),
    ("无", ["A13"]),
    (" \u200b　", ["A06"]),
])  # fmt: skip
def test_what_is_no_text_is_no_answer(run: Run, value: object, rules: list[str]) -> None:
    checked = check_edit(run, setting(K4=value))
    assert places(checked) == [(rule, "K4") for rule in rules]
    assert not checked.accepted


@pytest.mark.parametrize(("value", "rule"), [
    (None, "R04"), ("别的", "R04"), (7, "R04"), (True, "R08"), (dt.date(2020, 3, 9), "R08"), ("#REF!", "R08"),
    ("=A1", "R06"),
])  # fmt: skip
def test_no_issued_cell_can_be_changed_into_anything(run: Run, value: object, rule: str) -> None:
    cells = [f"{column}{row}" for row, column in enumerate("BCDEFGH", start=4)]
    expected = [("R05" if (cell, value) == ("G9", 7) else rule, cell) for cell in cells]
    assert places(check_edit(run, setting(**dict.fromkeys(cells, value)))) == expected


def test_a_serial_that_became_a_number_is_still_that_row(run: Run) -> None:
    """0002 → 2: the clerk is told to restore the cell, never to delete a child's row."""
    assert issued(run)[0].serial == "0002"
    assert places(check_edit(run, setting(A4=2))) == [("R04", "A4")]
    assert places(check_edit(run, setting(A4=2.5))) == [("R03", "A4"), ("R01", "")]


@pytest.mark.parametrize("value", ["0002 ", "２", "2", "'0002", None, True, "=A4"])
def test_a_serial_is_what_it_was_or_the_row_is_missing(run: Run, value: object) -> None:
    """A formula or a truth value there is reported as what it is: nobody is told to delete a child's row."""
    assert issued(run)[0].serial == "0002"
    rule = {True: "R08", "=A4": "R06"}.get(value, "R03")
    assert places(check_edit(run, setting(A4=value))) == [(rule, "A4"), ("R01", "")]


def test_a_serial_that_was_a_whole_number_may_be_stored_as_one(run: Run) -> None:
    """`read_list` takes 12 for the text 12, so a program that turns one into the other does no harm."""
    submission = parse(run, setting(A4=12))
    assert submission.rows[0]["serial"].text == "12"


def test_an_id_number_typed_as_a_number_is_reported_as_such(run: Run) -> None:
    first = issued(run)[0].id_number
    for value in (int(first[:17] + "0"), float(first[:17] + "0"), 1e300):
        assert places(check_edit(run, setting(G4=value))) == [("R05", "G4")]


@pytest.mark.parametrize(("first", "second"), [
    ('<f t="shared" ref="K4:K5" si="0">A1</f>', '<f t="shared" si="0"/>'),
    ('<f t="array" ref="K4:K5">A1</f>', ""),
    ('<f t="dataTable" ref="K4:K5" dt2D="0" dtr="0" r1="A1"/>', ""),
    ('<f t="array" ref="$K$4:$K$5">A1</f>', ""),
])  # fmt: skip
def test_every_cell_that_a_formula_fills_is_reported(run: Run, first: str, second: str) -> None:
    content = edit(plain(run), setting(K4="甲甲甲甲", K5="乙乙乙乙"))

    def change(parts: dict[str, bytes]) -> None:
        xml = parts[SHEET_PART].decode()
        for row, formula in ((4, first), (5, second)):
            start = xml.index(f'<c r="K{row}"')
            end = xml.index("</c>", start)
            xml = f'{xml[:start]}<c r="K{row}" t="str">{formula}<v>某某</v>{xml[end:]}'
        parts[SHEET_PART] = xml.encode()

    assert places(check_plain(run, repack(content, change))) == [("R06", "K4"), ("R06", "K5")]


def test_cells_without_addresses_keep_their_places(run: Run) -> None:
    def change(parts: dict[str, bytes]) -> None:
        xml = parts[SHEET_PART].decode().replace('<row r="4"', "<row", 1)
        xml, count = re.subn(r'<c r="[A-K]4"', "<c", xml)
        assert count == 11
        parts[SHEET_PART] = xml.encode()

    for edited, expected in (({}, []), ({"J4": "=A1"}, [("R06", "J4")]), ({"K4": None}, [("A06", "K4")])):
        content = repack(edit(plain(run), setting(**{"K4": "测试员甲", **edited})), change)
        assert places(check_plain(run, content)) == expected


def test_a_prefixed_namespace_hides_no_formula(run: Run) -> None:
    def change(parts: dict[str, bytes]) -> None:
        xml = parts[SHEET_PART].decode()
        at = xml.index(">", xml.index('<c r="K4"')) + 1
        parts[SHEET_PART] = f'{xml[:at]}<x:f xmlns:x="urn:x">A1</x:f>{xml[at:]}'.encode()

    assert places(check_plain(run, repack(plain(run), change))) == [("R06", "K4")]


@pytest.mark.parametrize("change", [
    lambda rows: rows.update(B1="annex5"),
    lambda rows: rows.update(B2="20200302-02"),
    lambda rows: rows.update(B3="xiling"),
    lambda rows: rows.update(B4="0" * 64),
    lambda rows: rows.update(B4="é"),
    lambda rows: rows.update(B4=None),
    lambda rows: rows.update(B5="9999"),
    lambda rows: rows.update(A5="x"),
    lambda rows: rows.update(A4="x"),
], ids=["form", "issue", "unit", "mac", "no-ascii", "no-mac", "serial", "serial-gone", "key-gone"])  # fmt: skip
def test_an_altered_manifest_is_refused(run: Run, change: Callable[[dict[str, object]], None]) -> None:
    cells: dict[str, object] = {}
    change(cells)

    def alter(sheet: Worksheet) -> None:
        for address, value in cells.items():
            sheet.parent["fuxue"][address].value = value

    checked = check_edit(run, alter)
    assert places(checked, None) == [("F09", "")]
    assert checked.answers == ()


def test_a_manifest_keeps_the_order_and_signs_every_word() -> None:
    def mac(data: bytes) -> bytes:
        return data[:7] + len(data).to_bytes(2, "big")

    made = Manifest("annex4", "20200302-01", UNIT, ("2", "10", "1")).signed(mac)
    assert parse_manifest(made.rows()) == made
    assert made.is_genuine(mac)
    assert parse_manifest([]) is None
    assert parse_manifest([["form"], ["issue", "x"]]) is None


def test_the_answers_are_exactly_what_was_filled(run: Run) -> None:
    def change(sheet: Worksheet) -> None:
        setting(I4="Ａ.户籍原因", J4=" 无", K4="测试员甲\u200b、\n测试员乙 ")(sheet)

    checked = check_edit(run, change)
    assert checked.accepted
    first = checked.answers[0]
    assert (first.code, first.returned, first.team) == ("A", "无", "测试员甲、\n测试员乙")
    assert places(checked, Severity.NOTE)[:3] == [("R07", "I4"), ("R07", "J4"), ("R07", "K4")]
    assert {"R07"} <= rules_of(checked)


@pytest.mark.parametrize("stored", [
    "<si><r><t>{first}</t></r><r><rPr><b/></rPr><t>{rest}</t></r></si>",
    '<si><t>{first}{rest}</t><rPh sb="0" eb="1"><t>du</t></rPh><phoneticPr fontId="1"/></si>',
    '<si><t xml:space="preserve">{first}{rest}</t></si>',
], ids=["rich", "phonetic", "preserved"])  # fmt: skip
def test_a_name_in_rich_text_or_with_its_reading_is_the_same_name(run: Run, stored: str) -> None:
    """Excel stores parts of different looks apart, and in East Asian editions readings beside the text."""
    name = issued(run)[0].name
    sealed = (run.home.outbox / ISSUE / f"{UNIT}.xlsx").read_bytes()
    content = unseal(sealed, [run.keys.password(ISSUE, UNIT)]).plain

    def change(parts: dict[str, bytes]) -> None:
        shared = parts["xl/sharedStrings.xml"].decode()
        assert f"<si><t>{name}</t></si>" in shared
        shared = shared.replace(f"<si><t>{name}</t></si>", stored.format(first=name[:1], rest=name[1:]))
        parts["xl/sharedStrings.xml"] = shared.encode()

    submission = parse_workbook(repack(content, change), run.campaign.limits)
    assert submission.rows[0]["name"].text == name


def test_inline_strings_are_read_like_shared_ones(run: Run) -> None:
    content = edit(plain(run), setting(K4="测试员甲"))

    def change(parts: dict[str, bytes]) -> None:
        xml = parts[SHEET_PART].decode()
        start = xml.index('<c r="K4"')
        end = xml.index("</c>", start)
        inline = '<c r="K4" t="inlineStr"><is><t>测试员戊</t></is>'
        parts[SHEET_PART] = (xml[:start] + inline + xml[end:]).encode()

    checked = check_plain(run, repack(content, change))
    assert checked.accepted
    assert checked.answers[0].team == "测试员戊"


@pytest.mark.parametrize("rows", [3, 10, 16])
def test_the_limit_on_rows_is_the_campaigns(with_limits: Callable[..., Run], rows: int) -> None:
    run = with_limits(rows=rows)
    with pytest.raises(Refused, match="F05"):
        parse_workbook(plain(run), run.campaign.limits)


@pytest.mark.parametrize("dimension", [
    "", '<dimension ref="A1"/>', '<dimension ref="A1:B2"/>', '<dimension ref="K9:A1"/>',
    '<dimension ref="A1:XFD1048576"/>',
])  # fmt: skip
def test_what_a_sheet_says_of_its_size_is_not_believed(run: Run, dimension: str) -> None:
    """WPS and others write a wrong <dimension>, or none."""

    def change(parts: dict[str, bytes]) -> None:
        before = parts[SHEET_PART]
        parts[SHEET_PART] = re.sub(rb"<dimension [^>]*>", dimension.encode(), before)
        assert parts[SHEET_PART] != before

    content = repack(plain(run), change)
    assert parse_workbook(content, run.campaign.limits).rows == parse_workbook(plain(run), run.campaign.limits).rows
    assert check_plain(run, content).accepted


def test_rows_that_a_filter_hides_are_read_and_reported_by_their_true_cells(run: Run) -> None:
    def change(sheet: Worksheet) -> None:
        last = sheet.max_row - 1
        sheet.auto_filter.ref = f"A3:K{last}"
        sheet.auto_filter.add_filter_column(8, ["B.在校有学籍"])
        for row in range(4, last):
            sheet.row_dimensions[row].hidden = True
        sheet.cell(last - 1, 9).value = None

    last = 3 + len(issued(run)) - 1
    assert places(check_edit(run, change)) == [("A01", f"I{last}")]
