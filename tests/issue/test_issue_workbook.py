"""The workbook that is handed out: its form, what can be typed where, its hidden manifest, its seal (M6–M11, M18)."""

import io
import re
import stat
import subprocess
import sys
import zipfile

import msoffcrypto
import openpyxl
import pytest
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from etl.exchange.bundle import Bundle, child_row
from etl.exchange.child import Child
from etl.findings import FuxueError
from etl.forms.definitions import ANNEX4, FOOTER, MANIFEST_SHEET
from etl.forms.layout import row_height
from etl.forms.manifest import Manifest, parse_manifest
from etl.issue.workbook import build_workbook
from etl.rulebook.campaign import Campaign
from etl.system.sealing import seal, unseal
from etl.workflow import issuing
from etl.workflow.documents import document_password
from etl.workflow.run import Run
from tests.support.books import ISSUE, UNIT, issued
from tests.support.homes import ROOT

#: M6, as the notice prints them.
HEADINGS = ["原始序号（不要删除）", "省份", "地市", "区县", "姓名", "性别", "身份证", "户籍地",
            "核查结果（选择下拉框）", "复学情况", "备注（填写工作小组成员姓名）"]  # fmt: skip


@pytest.fixture
def book(run: Run) -> Workbook:
    sealed = (run.home.outbox / ISSUE / f"{UNIT}.xlsx").read_bytes()
    return openpyxl.load_workbook(io.BytesIO(unseal(sealed, [run.keys.password(ISSUE, UNIT)]).plain))


@pytest.fixture
def sheet(book: Workbook) -> Worksheet:
    return book[ANNEX4.sheet]


def test_title_and_the_eleven_headings_stand_as_in_the_notice(sheet: Worksheet) -> None:
    assert sheet["A1"].value == "青石县疑似失学儿童个体情况汇总表"
    assert [cell.value for cell in sheet[3]] == HEADINGS
    assert sheet.max_column == 11


def test_every_child_of_the_unit_stands_there_as_issued(run: Run, sheet: Worksheet) -> None:
    children = issued(run)
    assert sheet.max_row == 4 + len(children)
    for row, child in enumerate(children, start=4):
        expected = [getattr(child, column.key) for column in ANNEX4.issued]
        assert [cell.value for cell in sheet[row]] == [*expected, None, None, None]


def test_only_the_last_three_columns_and_the_footers_blanks_can_be_typed_in(sheet: Worksheet) -> None:
    assert sheet.protection.sheet
    last = sheet.max_row
    for row in sheet.iter_rows():
        for cell in row:
            is_blank = cell.row == last and cell.column in (2, 5, 8, 11)
            is_answer = 4 <= cell.row < last and cell.column >= 9
            assert cell.protection.locked == (not (is_blank or is_answer)), cell.coordinate


def test_all_cells_are_text(sheet: Worksheet) -> None:
    for row in sheet.iter_rows(min_row=4, max_row=sheet.max_row - 1):
        for cell in row:
            assert cell.number_format == "@"
            assert cell.data_type in ("s", "n" if cell.value is None else "s")


def test_the_drop_downs_offer_exactly_the_thirteen_values_and_three_answers(run: Run, sheet: Worksheet) -> None:
    last = sheet.max_row - 1
    lists = {str(one.sqref): one for one in sheet.data_validations.dataValidation}
    assert set(lists) == {f"I4:I{last}", f"J4:J{last}", f"K4:K{last}"}
    categories = lists[f"I4:I{last}"]
    assert categories.formula1 == '"' + ",".join(c.label for c in run.campaign.categories) + '"'
    assert categories.formula1.startswith('"A.户籍原因,B.在校有学籍,')
    # Which values the other one offers depends on the category: a real LibreOffice is asked in its own test.
    assert lists[f"J4:J{last}"].formula1.startswith("OFFSET(")
    assert [lists[f"{column}4:{column}{last}"].type for column in "IJK"] == ["list", "list", "textLength"]
    for one in lists.values():
        assert one.errorStyle in (None, "stop")
        assert one.showErrorMessage
        assert one.showInputMessage
        assert one.error
        assert one.prompt


def test_a_drop_down_is_within_the_255_characters_that_a_workbook_can_hold(campaign: Campaign) -> None:
    assert len(",".join(category.label for category in campaign.categories)) <= 255


def test_the_footer_asks_for_unit_filler_telephone_and_leader(sheet: Worksheet) -> None:
    values = [cell.value for cell in sheet[sheet.max_row]]
    assert [value for value in values if value and value.endswith("：")] == [f"{field.heading}：" for field in FOOTER]
    assert values[1] == "东港镇"


def test_the_filling_notes_give_every_category(run: Run, book: Workbook) -> None:
    notes = "\n".join(str(row[0].value) for row in book["填表说明"].iter_rows())
    for category in run.campaign.categories:
        assert f"{category.label}：{category.definition}" in notes


def test_the_manifest_is_hidden_and_signed(run: Run, book: Workbook) -> None:
    hidden = book[MANIFEST_SHEET]
    assert hidden.sheet_state == "veryHidden"
    manifest = parse_manifest([[cell.value for cell in row] for row in hidden.iter_rows()])
    assert manifest is not None
    assert (manifest.form, manifest.issue, manifest.unit) == ("annex4", ISSUE, UNIT)
    assert list(manifest.serials) == [child.serial for child in issued(run)]
    assert manifest.is_genuine(run.manifest_mac)
    assert not manifest.is_genuine(lambda data: run.keys.mac("other", data))


def test_a_printed_page_is_wide_and_repeats_its_head(sheet: Worksheet) -> None:
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.page_setup.fitToHeight == 0
    assert sheet.print_title_rows == "$1:$3"
    assert sheet.freeze_panes == "A4"


@pytest.mark.parametrize("text", ["=1+1", "=HYPERLINK(\"http://a.invalid\")", "@甲", "+甲", "http://a.invalid", "007",
                                  "1e5", " 甲 ", "_x0041_", "甲\n乙", "𠮷"])  # fmt: skip
def test_whatever_a_name_begins_with_it_stays_text(small: Campaign, text: str) -> None:
    child = Child("1", UNIT, "省", "市", "县", text, "男", text, text)
    bundle = Bundle(ANNEX4, ISSUE, UNIT, "东港镇", (child_row(child),))
    content = build_workbook(small, bundle, Manifest("annex4", ISSUE, UNIT, ("1",), "0"))
    sheet = openpyxl.load_workbook(io.BytesIO(content))[ANNEX4.sheet]
    for address in ("E4", "G4", "H4"):
        assert sheet[address].data_type == "s"
        assert sheet[address].hyperlink is None
        assert sheet[address].value.replace("_x005F_", "_") == text


def test_a_workbook_is_sealed_with_agile_aes_256(run: Run) -> None:
    for unit in run.campaign.units:
        path = run.home.outbox / ISSUE / f"{unit.slug}.xlsx"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with path.open("rb") as handle:
            office = msoffcrypto.OfficeFile(handle)
            assert office.type == "agile"
            assert office.info["passwordKeyBits"] == 256


def test_a_password_is_turned_into_a_key_by_a_hundred_thousand_rounds() -> None:
    """In a Python of its own: in this one there are fewer."""
    program = (
        "import sys; from etl.system.sealing import seal; sys.stdout.buffer.write(seal(sys.stdin.buffer.read(), '-'))"
    )
    book = io.BytesIO()
    Workbook().save(book)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, input=book.getvalue(), capture_output=True, check=True
    )
    assert msoffcrypto.OfficeFile(io.BytesIO(done.stdout)).info["spinValue"] >= 100_000


def test_every_unit_has_a_password_of_its_own_that_can_be_typed_from_paper(run: Run) -> None:
    passwords = [password for _, _, password in issuing.list_passwords(run, None)]
    # The others are those of the documents for each of them, for departments, the bureau and the inspectorate.
    assert len(set(passwords)) == 2 * len(run.campaign.units) + len(run.campaign.casework.departments) + 2
    for password in passwords:
        assert re.fullmatch("[abcdefghjkmnpqrstuvwxyz2-9]{4}(-[abcdefghjkmnpqrstuvwxyz2-9]{4}){3}", password)
    own = [(ISSUE, UNIT, run.keys.password(ISSUE, UNIT)), ("—", UNIT, document_password(run, UNIT))]
    assert issuing.list_passwords(run, UNIT) == own
    assert run.keys.password("20200302-02", UNIT) not in passwords
    with pytest.raises(FuxueError, match="no_unit"):
        issuing.list_passwords(run, "nowhere")


TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"


def package(size: int) -> bytes:
    """A zip that looks like a workbook, of about some size, its content not compressed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as parts:
        parts.writestr("[Content_Types].xml", f'<Types xmlns="{TYPES}"/>')
        parts.writestr("xl/workbook.xml", b"x" * size)
    return out.getvalue()


def test_a_seal_that_cannot_be_opened_again_is_never_handed_out() -> None:
    """Small payloads come out of the library unreadable: sealing says so, in the run's own words."""
    outcomes = set()
    for size in (0, 1200, 1700, 2500, 3000, 3800, 4096, 5000, 12_345):
        plain = package(size)
        try:
            opened = unseal(seal(plain, "k7mp-3xqd"), ["wrong", "k7mp-3xqd"])
        except FuxueError as error:
            outcomes.add(error.key)
            assert len(plain) < 4096  # our workbooks have at least twice that
        else:
            outcomes.add("opened")
            assert (opened.plain, opened.index, opened.is_intact) == (plain, 1, True)
    assert outcomes == {"seal.failed", "opened"}


def test_no_row_is_higher_than_excel_allows() -> None:
    assert row_height({"household": "长" * 1000}, ANNEX4) == 409
    assert row_height({"household": "东港镇"}, ANNEX4) < 60
