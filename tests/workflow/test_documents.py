"""Case files, notices, reminders, the brief and the standing report: what is in them, and for whom they are sealed."""

import datetime as dt
import stat
from collections.abc import Sequence
from dataclasses import replace

import pytest
from click.testing import CliRunner
from pypdf import PdfReader

from etl.cli.main import main
from etl.findings import FuxueError
from etl.forms.definitions import CORRECTIONS
from etl.rulebook.campaign import BUREAU
from etl.vault.record.ledger import SHOWN_BY, owed_documents
from etl.workflow import (
    briefing,
    case_filing,
    correspondence,
    documents,
    inspecting,
    loading,
    recording,
    standing,
    standing_report,
)
from etl.workflow.documents import Document, document_password
from etl.workflow.run import Run
from tests.support.books import UNIT
from tests.support.filled_workbooks import case_row, handed, put_casework
from tests.support.fonts import needs_fonts

pytestmark = needs_fonts

MEASURE = {"measure": "帮扶救助", "department": "民政局", "person": "测试员甲"}
BACK = {"schooling": "普通班就读", "date": "2020-03-10", "carer": "测试员乙", "school": "第三小学五年级二班"}


def pages(run: Run, one: Document) -> list[str]:
    reader = PdfReader(one.file, password=document_password(run, one.scope))
    return [page.extract_text() for page in reader.pages]


def whole(run: Run, one: Document) -> str:
    return "".join(pages(run, one)).replace("\n", "")


def named(made: Sequence[Document], part: str) -> Document:
    (found,) = [one for one in made if part in one.file.name]
    return found


def after_the_due_day(run: Run) -> Run:
    return replace(run, day=run.campaign.reports_due + dt.timedelta(days=2))


def test_a_case_file_has_both_copies_and_all_that_is_on_record(cases: Run) -> None:
    bundle, row, _ = case_row(cases, "是")
    (one,) = loading.load_files(cases, [put_casework(cases, bundle, {row["reference"]: MEASURE | BACK})])
    assert one.outcome == "accepted", one.checked.findings
    unit, serial = bundle.recipient, row["serial"]
    recording.record_paper(cases, None, serial, "criticism", "批评教育笔录", "二号柜三层", cases.day, "登记员甲")
    recording.record_signature(cases, unit, "case-unit", [serial], "登记员甲")
    made = list(case_filing.write_case_files(cases, unit))
    both = pages(cases, named(made, f"-{serial}.pdf"))
    assert len(both) == 2
    for page, copy in zip(both, ("市教育局存档", "单位存档"), strict=True):
        text = page.replace("\n", "")
        for wanted in (copy, row["name"], row["id_number"], *MEASURE.values(), *BACK.values(),
                        "已结案", "报送结果", "对监护人批评教育", "二号柜三层", "档案（单位一份）"):  # fmt: skip
            assert wanted in text, wanted


def test_a_volume_binds_every_child_of_the_unit_with_its_page(cases: Run) -> None:
    unit = case_row(cases, "否")[0].recipient
    made = list(case_filing.write_case_files(cases, unit))
    children = [one for one in made if "volume" not in one.file.name]
    assert len(made) == len(children) + 2
    for copy, title in (("bureau", "市教育局存档"), ("unit", "单位存档")):
        bound = pages(cases, named(made, f"volume-1-{copy}"))
        assert len(bound) == 1 + len(children)
        contents = bound[0].replace("\n", "")
        assert title in contents
        for number, page in enumerate(bound[1:], start=2):
            reference = page.partition("档案编号：")[2][:16]
            assert reference in contents
            assert f"第 {number} 页" in page.replace("\xa0", " ")


def test_large_units_are_bound_in_several_volumes(cases: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case_filing, "_VOLUME", 1)
    made = list(case_filing.write_case_files(cases, None))
    children = [one for one in made if "volume" not in one.file.name]
    assert len([one for one in made if "volume" in one.file.name]) == 2 * len(children) > 2


def test_a_notice_names_what_is_open_and_asks_for_the_rest(corrections: Run) -> None:
    bundle = handed(corrections, CORRECTIONS)["household-registry"]
    done = {"cause": "户籍重复", "outcome": "已注销", "date": "2020-03-10"}
    first, second, *_ = bundle.rows
    loading.load_files(
        corrections,
        [put_casework(corrections, bundle, {first["reference"]: done, second["reference"]: {"cause": "查无此人"}})],
    )
    made = correspondence.write_notices(corrections, None)
    assert [one.scope for one in made] == ["household-registry", "school-registry"]
    text = whole(corrections, made[0])
    assert first["reference"] not in text
    for row in bundle.rows[1:]:
        assert row["reference"] in text
        assert row["id_number"] in text
    assert f"共 {len(bundle.rows) - 1} 条" in text.replace("\xa0", " ")
    assert "公安户籍部门" in text
    with pytest.raises(FuxueError, match=r"issue\.no_recipient"):
        correspondence.write_notices(corrections, UNIT)


def test_a_unit_is_reminded_of_what_it_owes_after_the_due_day_and_not_before(cases: Run) -> None:
    assert correspondence.write_reminders(cases, None) == []
    recording.record_deliverable(cases, UNIT, "annex5", "paper", "登记员甲", signed=True)
    recording.record_deliverable(cases, UNIT, "summary", "paper", "登记员甲", signed=False)
    late = after_the_due_day(cases)
    made = correspondence.write_reminders(late, UNIT)
    (text,) = (whole(late, one) for one in made)
    assert "附件5纸质" not in text
    for wanted in ("附件5U盘未收到", f"工作总结纸质已于 {cases.day} 收到（登记员甲签收），但未见签字盖章",
                   "附件4纸质未收到", "已超过 2 天"):  # fmt: skip
        assert wanted.replace(" ", "") in text.replace("\xa0", "").replace(" ", ""), wanted
    with cases.open_vault() as vault:
        names = [name for (name,) in vault.connection.execute(
            "SELECT c.name FROM current_answer a JOIN child c ON c.issue = a.issue AND c.serial = a.serial"
            " WHERE c.unit = ? AND a.returned = '是'", [UNIT])]  # fmt: skip
    assert all(name in text for name in names)
    assert len(correspondence.write_reminders(late, None)) == len(cases.campaign.units)


def test_the_ledger_names_each_document_who_received_it_and_what_is_missing(loaded: Run) -> None:
    recording.record_deliverable(loaded, UNIT, "annex5", "paper", "登记员甲", signed=True)
    own = [one for one in standing.standing_of(loaded).ledger if one.unit == UNIT]
    assert len(own) == 6
    (paper,) = [one for one in own if (one.what, one.medium) == ("annex5", "paper")]
    assert (paper.state, paper.received_on, paper.received_by) == ("received", loaded.day.isoformat(), "登记员甲")
    (stick,) = [one for one in own if (one.what, one.medium) == ("annex5", "stick")]
    assert (stick.state, stick.received_on) == ("missing", "")
    with loaded.open_vault() as vault:
        before = owed_documents(vault, loaded.campaign, loaded.day - dt.timedelta(days=1))
    assert {one.state for one in before} == {"missing"}
    common = ["--home", str(loaded.home.root), "--campaign", str(loaded.campaign_folder)]
    said = CliRunner().invoke(main, [*common, "status", "--as-of", loaded.day.isoformat()], env={"COLUMNS": "200"})
    assert "1/6" in said.output
    assert "0/6" in said.output


def test_a_return_needs_its_receipt_before_the_base_is_locked(cases: Run) -> None:
    bundle, row, _ = case_row(cases, "是")
    before = inspecting.bare_return_counts(cases)
    without = {key: value for key, value in BACK.items() if key != "school"}
    loading.load_files(cases, [put_casework(cases, bundle, {row["reference"]: MEASURE | without})])
    (own,) = [one for one in standing.standing_of(cases).bare_returns if one.serial == row["serial"]]
    assert list(own.missing) == ["school"]
    assert inspecting.bare_return_counts(cases) == before
    again = put_casework(cases, bundle, {row["reference"]: MEASURE | BACK}, "again.xlsx")
    assert loading.load_files(cases, [again])[0].outcome == "accepted"
    after = inspecting.bare_return_counts(cases)
    assert after.get(bundle.recipient, 0) == before[bundle.recipient] - 1
    assert set(SHOWN_BY) == set(BACK)
    inspecting.lock_base(cases, "登记员甲")
    assert inspecting.bare_return_counts(cases) == {}


def test_the_brief_is_one_page_with_the_figures_of_the_record(cases: Run) -> None:
    for run in (cases, after_the_due_day(cases)):
        one = briefing.write_brief(run)
        assert one.scope == BUREAU
        (page,) = pages(run, one)
        assert "已复学" in page
        assert ("没有按期完成" in page, "材料缺 6 件" in page.replace("\xa0", " ")) == (True, run is not cases)
    with pytest.raises(FuxueError, match=r"document\.too_early"):
        briefing.write_brief(replace(cases, day=cases.campaign.noticed - dt.timedelta(days=1)))


def test_a_standing_report_holds_both_ends_and_what_changed_between(loaded: Run) -> None:
    day = loaded.day
    made = standing_report.write_standing_report(loaded, day, day)
    three = pages(loaded, named(made, "annex5.pdf"))
    assert len(three) == 3
    assert "变化" in three[2]
    children = whole(loaded, named(made, "annex4.pdf"))
    with loaded.open_vault() as vault:
        everybody = [name for (name,) in vault.connection.execute("SELECT name FROM child")]
    assert all(name in children for name in everybody), "all were verified on that day"
    later = standing_report.write_standing_report(loaded, day + dt.timedelta(1), day + dt.timedelta(30))
    nothing = whole(loaded, named(later, "annex4.pdf"))
    assert not any(name in nothing for name in everybody)
    with pytest.raises(FuxueError, match=r"document\.wrong_period"):
        standing_report.write_standing_report(loaded, day, day - dt.timedelta(1))


def test_documents_are_private_sealed_and_whole_or_not_there(cases: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    made = list(case_filing.write_case_files(cases, None))
    for one in made:
        assert one.file.is_relative_to(cases.home.reports)
        assert stat.S_IMODE(one.file.stat().st_mode) == 0o600
        assert PdfReader(one.file).is_encrypted
    kept = {path: path.read_bytes() for path in cases.home.reports.rglob("*.*")}

    def broken(*_: object) -> bytes:
        raise FuxueError("seal.failed")

    monkeypatch.setattr(documents, "seal_pdf", broken)
    with pytest.raises(FuxueError):
        list(case_filing.write_case_files(cases, None))
    assert {path: path.read_bytes() for path in cases.home.reports.rglob("*.*")} == kept


@pytest.mark.parametrize(
    ("about", "place", "dated", "by", "key"),
    [
        (" ", "柜", 0, "甲", "record.bare_paper"),
        ("笔录", "", 0, "甲", "record.bare_paper"),
        ("笔录", "柜", 1, "甲", "record.paper_not_yet"),
        ("笔录", "柜", 0, " ", "record.nobody"),
    ],
)
def test_a_paper_says_what_it_is_where_it_lies_and_who_recorded_it(
    loaded: Run, about: str, place: str, dated: int, by: str, key: str
) -> None:
    with loaded.open_vault() as vault:
        (serial,) = vault.connection.execute("SELECT serial FROM child LIMIT 1").fetchone()
    day = loaded.day + dt.timedelta(days=dated)
    with pytest.raises(FuxueError) as caught:
        recording.record_paper(loaded, None, serial, "other", about, place, day, by)
    assert caught.value.key == key
    with pytest.raises(FuxueError, match=r"record\.no_serial"):
        recording.record_paper(loaded, None, "9999", "other", "笔录", "柜", loaded.day, "甲")
