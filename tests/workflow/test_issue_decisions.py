"""What a person must decide of a list, supplements, and the evidence of the single line (M2, M7, M8, M18)."""

import io
import json
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from etl.findings import FuxueError
from etl.forms.definitions import EXCLUSIONS, UNASSIGNED
from etl.issue.receipts import shown
from etl.system.home import Home
from etl.system.sealing import OLE_MAGIC, unseal
from etl.vault.record import issued
from etl.vault.store.keys import demo_master, new_key
from etl.workflow import issuing, loading, standing
from etl.workflow.run import Run
from tests.support.books import id_number, row_of, write_list
from tests.support.filled_workbooks import OFFICER, bureau_password, fill_decisions
from tests.support.homes import SEED, silent_bar

GOOD = [row_of(str(n)) for n in range(1, 5)]
NOWHERE = row_of("11", household="虚构省某县某村1号")
BETWEEN = row_of("12", household="东港镇与西岭乡交界")
OLD = row_of("13", id_number=id_number("19990101", 13))
TWIN = row_of("14", id_number=GOOD[0]["id_number"])


@pytest.fixture
def fresh(tmp_path: Path, small_folder: Path) -> Run:
    """A home in which nothing was issued yet."""
    from etl.rulebook.campaign import load_campaign

    campaign = load_campaign(small_folder)
    home = Home(tmp_path / "var")
    home.prepare()
    return Run(home, small_folder, campaign, new_key(home.demo_key, demo_master(SEED)), campaign.noticed, silent_bar)


def decision_workbooks(run: Run, path: Path) -> dict[str, Path]:
    handed = issuing.issue_list(run, path)
    assert handed.issue == ""
    return {workbook.stem: workbook for workbook in handed.decision_workbooks}


def rules(handed: issuing.Handed) -> list[str]:
    return [finding.rule for finding in handed.findings]


def test_a_list_with_open_questions_stops_before_anything_is_sealed(fresh: Run, tmp_path: Path) -> None:
    path = write_list(tmp_path / "list.xlsx", [*GOOD, NOWHERE, BETWEEN, OLD, TWIN])
    handed = issuing.issue_list(fresh, path)
    assert sorted(rules(handed)) == ["L04", "L05", "L06", "L07"]
    assert sorted(workbook.stem for workbook in handed.decision_workbooks) == ["exclusions", "unassigned"]
    assert not fresh.home.vault.exists()
    assert list(fresh.home.outbox.iterdir()) == []


def test_decision_workbooks_are_sealed_and_ask_for_exactly_the_open_rows(fresh: Run, tmp_path: Path) -> None:
    path = write_list(tmp_path / "list.xlsx", [*GOOD, NOWHERE, BETWEEN, OLD, TWIN])
    found = decision_workbooks(fresh, path)
    asked = {}
    for form in (UNASSIGNED, EXCLUSIONS):
        data = found[form.key].read_bytes()
        assert data.startswith(OLE_MAGIC)
        sheet = openpyxl.load_workbook(io.BytesIO(unseal(data, [bureau_password(fresh)]).plain)).worksheets[0]
        asked[form.key] = [
            [cell.value for cell in row] for row in sheet.iter_rows(min_row=4, max_row=sheet.max_row - 1)
        ]
    # Of the two rows with one ID number either may be the wrong one: both are offered.
    assert [row[1] for row in asked["exclusions"]] == ["1", "13", "14"]
    assert [row[3] for row in asked["exclusions"]] == [
        "被第 10 行重复",
        "出生日期不在核查范围内",
        "身份证号重复（与第 3 行）",
    ]
    assert [row[1] for row in asked["unassigned"]] == ["11", "12"]
    assert [row[4] for row in asked["unassigned"]] == ["", "东港镇、西岭乡"]


def test_what_the_officer_decided_is_issued_and_on_record(fresh: Run, tmp_path: Path) -> None:
    path = write_list(tmp_path / "list.xlsx", [*GOOD, NOWHERE, BETWEEN, OLD, TWIN])
    found = decision_workbooks(fresh, path)
    assign = fill_decisions(fresh, found["unassigned"], "归属单位", {"11": "南山街道", "12": "西岭乡"})
    exclude = fill_decisions(fresh, found["exclusions"], "处理", {"13": "排除", "1": "排除"})
    handed = issuing.issue_list(fresh, path, assign=assign, exclude=exclude)
    assert (rules(handed), handed.rows, handed.recipients) == ([], 6, 3)
    completeness = handed.completeness
    assert (completeness.listed, completeness.issued, completeness.excluded) == (8, 6, 2)
    with fresh.open_vault() as vault:
        units = {child.serial: child.unit for own in issued.issued_children(vault).values() for child in own}
        query = "SELECT serial, kind, value, officer FROM decision ORDER BY row"
        recorded = [tuple(row) for row in vault.connection.execute(query)]
    assert units == dict.fromkeys(["2", "3", "4", "14"], "donggang") | {"11": "nanshan", "12": "xiling"}
    assert recorded == [
        ("1", "excluded", "被第 10 行重复", OFFICER),
        ("11", "assigned", "nanshan", OFFICER),
        ("12", "assigned", "xiling", OFFICER),
        ("13", "excluded", "出生日期不在核查范围内", OFFICER),
    ]
    assert standing.standing_of(fresh).completeness == completeness


@pytest.mark.parametrize(
    ("values", "officer", "expected"),
    [
        ({"11": "南山街道"}, OFFICER, ["L07"]),  # one row is still open
        ({"11": "南山街道", "12": "西岭乡"}, "", ["D01", "L06", "L07"]),  # nobody answers for it
        ({"11": "南山街道", "12": "北海镇"}, OFFICER, ["E01", "L06", "L07"]),  # no such unit
    ],
)
def test_a_decision_workbook_that_is_not_complete_stops_the_issue(
    fresh: Run, tmp_path: Path, values: dict[str, str], officer: str, expected: list[str]
) -> None:
    path = write_list(tmp_path / "list.xlsx", [*GOOD, NOWHERE, BETWEEN])
    workbook = fill_decisions(fresh, decision_workbooks(fresh, path)["unassigned"], "归属单位", values, officer)
    assert sorted(rules(issuing.issue_list(fresh, path, assign=workbook))) == expected
    assert not fresh.home.vault.exists()


def test_a_decision_workbook_is_good_only_for_the_list_that_it_was_made_for(fresh: Run, tmp_path: Path) -> None:
    path = write_list(tmp_path / "list.xlsx", [*GOOD, NOWHERE])
    workbook = fill_decisions(fresh, decision_workbooks(fresh, path)["unassigned"], "归属单位", {"11": "南山街道"})
    other = write_list(tmp_path / "other.xlsx", [*GOOD[:3], NOWHERE])
    assert rules(issuing.issue_list(fresh, other, assign=workbook)) == ["F10", "L06"]
    wrong_kind = rules(issuing.issue_list(fresh, path, exclude=workbook))
    assert wrong_kind == ["F10", "L06"]


def test_a_half_filled_decision_workbook_is_never_overwritten(fresh: Run, tmp_path: Path) -> None:
    path = write_list(tmp_path / "list.xlsx", [*GOOD, NOWHERE])
    workbook = decision_workbooks(fresh, path)["unassigned"]
    workbook.write_bytes(b"half filled")
    assert decision_workbooks(fresh, path)["unassigned"] == workbook
    assert workbook.read_bytes() == b"half filled"


def test_decision_workbooks_and_their_findings_name_no_child_in_what_is_said(fresh: Run, tmp_path: Path) -> None:
    rows = [*GOOD, NOWHERE | {"name": "王某某"}, OLD | {"name": "李某某"}]
    shown_text = repr(issuing.issue_list(fresh, write_list(tmp_path / "list.xlsx", rows)))
    assert "L06" in shown_text
    for row in rows:
        for key in ("name", "id_number", "household"):
            assert str(row[key]) not in shown_text


def supplement(run: Run, folder: Path) -> tuple[issuing.Handed, issuing.Handed]:
    """A first issue of four children, then the province's whole list again with two more in one unit."""
    first = issuing.issue_list(run, write_list(folder / "list.xlsx", GOOD))
    more = [row_of("21", household="南山街道1号"), row_of("22", household="南山街道2号")]
    later = replace(run, day=run.campaign.verification_due)
    return first, issuing.issue_list(later, write_list(folder / "list2.xlsx", [more[0], *reversed(GOOD), more[1]]))


def test_a_supplement_hands_out_only_what_is_new_to_those_whom_it_concerns(fresh: Run, tmp_path: Path) -> None:
    first, second = supplement(fresh, tmp_path)
    assert (first.rows, first.recipients) == (4, 3)
    assert (second.rows, second.recipients, second.known) == (2, 1, 4)
    assert sorted(p.name for p in (fresh.home.outbox / second.issue).iterdir()) == [
        "manifest.json", "nanshan.xlsx", "receipts.xlsx",
    ]  # fmt: skip
    with fresh.open_vault() as vault:
        extends = vault.connection.execute("SELECT id, extends FROM issue ORDER BY id").fetchall()
        numbers = [row[0] for row in vault.connection.execute("SELECT id_number FROM child")]
    assert [tuple(row) for row in extends] == [(first.issue, None), (second.issue, first.issue)]
    assert len(numbers) == len(set(numbers)) == 6


def test_a_unit_that_reported_owes_the_supplement_too(fresh: Run, tmp_path: Path) -> None:
    supplement(fresh, tmp_path)
    status = {one.unit: one for one in standing.standing_of(replace(fresh, day=fresh.campaign.reports_due)).units}
    assert (status["nanshan"].children, status["donggang"].children) == (2, 4)


def test_a_list_without_anything_new_is_reported_and_changes_nothing(fresh: Run, tmp_path: Path) -> None:
    path = write_list(tmp_path / "list.xlsx", GOOD)
    issuing.issue_list(fresh, path)
    before = sorted(fresh.home.outbox.rglob("*"))
    with pytest.raises(FuxueError, match="same_list"):
        issuing.issue_list(fresh, path)
    assert sorted(fresh.home.outbox.rglob("*")) == before


def test_what_was_issued_stays_and_a_later_change_is_reported_with_its_cell(fresh: Run, tmp_path: Path) -> None:
    issuing.issue_list(fresh, write_list(tmp_path / "list.xlsx", GOOD))
    changed = [GOOD[0] | {"name": "改名童"}, row_of("21")]
    handed = issuing.issue_list(fresh, write_list(tmp_path / "list2.xlsx", changed))
    assert [(f.rule, f.cell, f.severity.value) for f in handed.findings] == [("L10", "E3", "warning")]
    assert handed.rows == 1
    with fresh.open_vault() as vault:
        names = [c.name for own in issued.issued_children(vault).values() for c in own if c.serial == "1"]
    assert names == [GOOD[0]["name"]]


def test_a_row_that_was_excluded_is_not_asked_about_again(fresh: Run, tmp_path: Path) -> None:
    path = write_list(tmp_path / "list.xlsx", [*GOOD, OLD])
    exclude = fill_decisions(fresh, decision_workbooks(fresh, path)["exclusions"], "处理", {"13": "排除"})
    issuing.issue_list(fresh, path, exclude=exclude)
    again = issuing.issue_list(fresh, write_list(tmp_path / "list2.xlsx", [OLD, *GOOD, row_of("21")]))
    assert (again.rows, again.known, rules(again)) == (1, 5, [])
    assert (again.completeness.listed, again.completeness.excluded) == (6, 1)


def test_receipts_evidence_the_single_line_and_say_nothing_of_children(fresh: Run, tmp_path: Path) -> None:
    handed = issuing.issue_list(fresh, write_list(tmp_path / "list.xlsx", GOOD))
    folder = fresh.home.outbox / handed.issue
    book = openpyxl.load_workbook(folder / "receipts.xlsx")
    assert len(book.worksheets) == len(fresh.campaign.units)
    listed = {one["file"]: one for one in json.loads((folder / "manifest.json").read_text("utf-8"))["workbooks"]}
    for sheet, unit in zip(book.worksheets, fresh.campaign.units, strict=True):
        said = "\n".join(str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value)
        mark = fresh.file_mark((folder / f"{unit.slug}.xlsx").read_bytes())
        assert listed[f"{unit.slug}.xlsx"]["fingerprint"] == mark.hex()
        for word in (
            f"{handed.issue}/{unit.slug}",
            unit.name,
            shown(mark),
            "保管人（交出）签字",
            "领取人签字",
            "交回人签字",
        ):
            assert word in said
        for row in GOOD:
            assert str(row["name"]) not in said
            assert str(row["id_number"]) not in said
    manifest = (folder / "manifest.json").read_text("utf-8")
    assert not any(str(row["name"]) in manifest or str(row["id_number"]) in manifest for row in GOOD)
    assert "children" not in manifest


def test_the_fingerprint_is_keyed(fresh: Run, tmp_path: Path) -> None:
    other = replace(fresh, keys=new_key(tmp_path / "other.key", demo_master(SEED + 1)))
    assert fresh.file_mark(b"x") != other.file_mark(b"x")


def test_the_very_file_that_was_handed_out_is_known_by_its_fingerprint(fresh: Run, tmp_path: Path) -> None:
    handed = issuing.issue_list(fresh, write_list(tmp_path / "list.xlsx", GOOD))
    path = fresh.home.outbox / handed.issue / "donggang.xlsx"
    (checked,) = loading.check_files(fresh, [path])
    (finding,) = checked.findings
    assert finding.rule == "F16"
    assert shown(fresh.file_mark(path.read_bytes())) in finding.message
    assert (checked.issue, checked.unit, checked.accepted) == (handed.issue, "donggang", False)


def test_a_twin_of_an_issued_child_stops_a_supplement(fresh: Run, tmp_path: Path) -> None:
    issuing.issue_list(fresh, write_list(tmp_path / "list.xlsx", GOOD))
    path = write_list(tmp_path / "list2.xlsx", [*GOOD, TWIN, row_of("21")])
    handed = issuing.issue_list(fresh, path)
    assert (handed.issue, rules(handed)) == ("", ["L04"])
    exclude = fill_decisions(fresh, handed.decision_workbooks[0], "处理", {"14": "排除"})
    done = issuing.issue_list(fresh, path, exclude=exclude)
    assert (done.rows, done.known, done.completeness.listed) == (1, 4, 6)
    with pytest.raises(FuxueError, match="same_list"):
        issuing.issue_list(fresh, path)


def test_a_supplement_of_which_every_row_is_excluded_is_on_record(fresh: Run, tmp_path: Path) -> None:
    issuing.issue_list(fresh, write_list(tmp_path / "list.xlsx", GOOD))
    path = write_list(tmp_path / "list2.xlsx", [*GOOD, OLD])
    exclude = fill_decisions(fresh, decision_workbooks(fresh, path)["exclusions"], "处理", {"13": "排除"})
    done = issuing.issue_list(fresh, path, exclude=exclude)
    assert (done.rows, done.recipients, done.completeness.listed, done.completeness.excluded) == (0, 0, 5, 1)
    assert standing.standing_of(fresh).completeness == done.completeness


def test_an_excluded_row_that_comes_back_mended_is_one_child(fresh: Run, tmp_path: Path) -> None:
    path = write_list(tmp_path / "list.xlsx", [*GOOD, OLD])
    exclude = fill_decisions(fresh, decision_workbooks(fresh, path)["exclusions"], "处理", {"13": "排除"})
    issuing.issue_list(fresh, path, exclude=exclude)
    mended = issuing.issue_list(fresh, write_list(tmp_path / "list2.xlsx", [*GOOD, row_of("13")]))
    assert (mended.rows, mended.completeness.listed, mended.completeness.excluded) == (1, 5, 0)


def test_serials_that_look_the_same_are_the_same(fresh: Run, tmp_path: Path) -> None:
    rows = [row_of("3"), row_of("4") | {"serial": "３"}, row_of("5") | {"serial": "3 "}]
    assert rules(issuing.issue_list(fresh, write_list(tmp_path / "list.xlsx", rows))) == ["L02", "L02"]


def test_a_list_without_a_row_is_reported(fresh: Run, tmp_path: Path) -> None:
    with pytest.raises(FuxueError, match="empty_list"):
        issuing.issue_list(fresh, write_list(tmp_path / "list.xlsx", []))
