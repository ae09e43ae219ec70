"""Corrections (M15) and cases (M16–M17): handed out by the answers, filled, read back, closed."""

import datetime as dt
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from etl.exchange.bundle import Bundle
from etl.findings import FuxueError
from etl.forms.definitions import CASES, CORRECTIONS, Form
from etl.system.sealing import OLE_MAGIC, unseal
from etl.vault.record import casework
from etl.workflow import issuing, loading, standing
from etl.workflow.run import Run
from tests.support.books import UNIT
from tests.support.filled_workbooks import Cells, find_row, handed, put_casework

REGISTRY, SCHOOL = "household-registry", "school-registry"


def corrections_of(run: Run, department: str) -> Bundle:
    """What a department was handed in the newest issue of corrections."""
    return handed(run, CORRECTIONS)[department]


def work(run: Run, form: Form) -> dict[tuple[str, str], casework.Work]:
    with run.open_vault() as vault:
        return {(one.recipient, one.serial): one for one in casework.work(vault, run.campaign, form)}


def answers(run: Run) -> dict[str, tuple[str, str, str]]:
    """serial → (unit, category, returned) as currently answered."""
    with run.open_vault() as vault:
        query = (
            "SELECT a.serial, c.unit, a.category, a.returned FROM current_answer a JOIN child c USING (issue, serial)"
        )
        return {row[0]: (row[1], row[2], row[3]) for row in vault.connection.execute(query)}


def found(run: Run, path: Path) -> list[tuple[str, str]]:
    (checked,) = loading.check_files(run, [path])
    return [(finding.rule, finding.cell) for finding in checked.findings]


def test_every_deducted_error_is_a_row_of_the_department_that_corrects_it(corrections: Run) -> None:
    """A goes to the household registry; C and D leave a registration task with the schools; nothing else is asked."""
    given = answers(corrections)
    for slug, codes in ((REGISTRY, "A"), (SCHOOL, "CD")):
        rows = corrections_of(corrections, slug).rows
        assert {row["serial"] for row in rows} == {serial for serial, (_, code, _) in given.items() if code in codes}
        assert rows


def test_the_workbooks_are_sealed_under_the_departments_own_password(corrections: Run) -> None:
    bundle = corrections_of(corrections, REGISTRY)
    path = corrections.home.outbox / bundle.issue / f"{REGISTRY}-corrections.xlsx"
    assert path.read_bytes().startswith(OLE_MAGIC)
    passwords = dict((unit, p) for i, unit, p in issuing.list_passwords(corrections, None) if i == bundle.issue)
    assert unseal(path.read_bytes(), [passwords[REGISTRY]]).plain
    assert passwords[REGISTRY] != passwords[SCHOOL]


def test_a_correction_comes_back_with_cause_outcome_and_date_and_is_closed(corrections: Run) -> None:
    """The issue's example: A, 死亡未销户, comes back 已注销 on 2019-02-26 (here in this campaign's March)."""
    bundle = corrections_of(corrections, REGISTRY)
    row = bundle.rows[0]
    day = dt.date(2020, 3, 10)
    path = put_casework(
        corrections, bundle, {row["reference"]: {"cause": "死亡未销户", "outcome": "已注销", "date": day}}
    )
    (loaded,) = loading.load_files(corrections, [path])
    assert loaded.outcome == "accepted", loaded.checked.findings
    one = work(corrections, CORRECTIONS)[REGISTRY, row["serial"]]
    assert one.is_closed
    assert one.values == {"cause": "死亡未销户", "outcome": "已注销", "date": "2020-03-10"}
    still = len(bundle.rows) - 1
    assert standing.standing_of(corrections).corrections[REGISTRY] == (still, 1)


def test_the_next_workbook_holds_only_what_is_still_open(corrections: Run) -> None:
    bundle = corrections_of(corrections, REGISTRY)
    first, *rest = [row["reference"] for row in bundle.rows]
    done = {"cause": "户籍重复", "outcome": "已注销", "date": "2020-03-10"}
    loading.load_files(corrections, [put_casework(corrections, bundle, {first: done})])
    with pytest.raises(FuxueError, match="same_rows"):
        issuing.issue_form(corrections, "corrections", SCHOOL)
    assert issuing.issue_form(corrections, "corrections", None).recipients == 1
    assert [row["reference"] for row in corrections_of(corrections, REGISTRY).rows] == rest


def test_when_nothing_is_open_nothing_is_handed_out(corrections: Run) -> None:
    for slug, outcome in ((REGISTRY, "已更正"), (SCHOOL, "已注册学籍")):
        bundle = corrections_of(corrections, slug)
        cause = next(one.causes[0] for one in corrections.campaign.casework.departments if one.slug == slug)
        done = {"cause": cause, "outcome": outcome, "date": "2020年3月9日"}
        (one,) = loading.load_files(
            corrections, [put_casework(corrections, bundle, {row["reference"]: done for row in bundle.rows})]
        )
        assert one.outcome == "accepted"
    with pytest.raises(FuxueError, match="nothing_open"):
        issuing.issue_form(corrections, "corrections", None)


@pytest.mark.parametrize("to", ["nowhere", UNIT])
def test_an_unknown_recipient_is_reported(loaded: Run, to: str) -> None:
    with pytest.raises(FuxueError, match="no_recipient"):
        issuing.issue_form(loaded, "corrections", to)


def test_every_child_to_be_returned_is_a_row_of_its_units_case_workbook(cases: Run) -> None:
    given = answers(cases)
    bundles = handed(cases, CASES).values()
    rows = {(bundle.recipient, row["serial"]): row for bundle in bundles for row in bundle.rows}
    wanted = {(unit, serial) for serial, (unit, code, _) in given.items() if code >= "I"}
    assert set(rows) == wanted
    assert wanted
    for (_, serial), row in rows.items():
        assert row["category"] == cases.campaign.category[given[serial][1]].label
        assert row["returned"] == given[serial][2]


def a_case(run: Run, is_fit: Callable[[Mapping[str, str]], bool]) -> tuple[Bundle, Mapping[str, str], str]:
    """A case row that fits, with its bundle and the row's number in the sheet."""
    return find_row(handed(run, CASES), is_fit)


MEASURE = {"measure": "帮扶救助", "department": "民政局", "person": "测试员甲"}
BACK = {"schooling": "普通班就读", "date": "2020.3.10", "carer": "测试员乙"}


def test_a_case_with_measure_schooling_and_carer_is_accepted_and_closed(cases: Run) -> None:
    bundle, row, _ = a_case(cases, lambda row: row["returned"] == "是" and row["category"][0] in "IKM")
    (loaded,) = loading.load_files(cases, [put_casework(cases, bundle, {row["reference"]: MEASURE | BACK})])
    assert (loaded.outcome, loaded.checked.findings) == ("accepted", ())
    one = work(cases, CASES)[bundle.recipient, row["serial"]]
    assert one.is_closed
    assert one.values == MEASURE | BACK | {"date": "2020-03-10"}
    open_, closed = standing.standing_of(cases).cases[bundle.recipient]
    assert (open_, closed) == (len(bundle.rows) - 1, 1)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (MEASURE, []),
        ({}, []),
        (MEASURE | {"measure": "随班就读"}, [("E01", "I")]),  # for illness only; the row is another category
        (MEASURE | {"department": "某某局"}, [("E01", "J")]),
        ({"measure": "帮扶救助"}, [("E02", "J"), ("E02", "K")]),
        ({"person": "测试员甲"}, [("E02", "I"), ("E02", "J")]),
        (MEASURE | {"person": "1"}, [("E05", "K")]),
        (BACK, []),
        (BACK | {"carer": None}, [("E02", "N")]),
        (BACK | {"date": "昨天"}, [("E03", "M")]),
        (BACK | {"date": dt.date(2020, 3, 17)}, [("E04", "M")]),  # the day after the reports are due: the future
        (BACK | {"date": dt.date(2020, 3, 16)}, []),
        (BACK | {"date": "2020-02-30"}, [("E03", "M")]),
        (BACK | {"date": True}, [("R08", "M")]),
        (BACK | {"schooling": "=1+1"}, [("R06", "L")]),
    ],
)
def test_what_a_case_row_may_say(cases: Run, cells: Cells, expected: list[tuple[str, str]]) -> None:
    bundle, row, number = a_case(cases, lambda row: row["returned"] == "是" and row["category"][0] in "KM")
    path = put_casework(cases, bundle, {row["reference"]: cells})
    assert [(rule, cell) for rule, cell in found(cases, path)] == [(rule, letter + number) for rule, letter in expected]


def test_schooling_of_a_child_that_annex_4_calls_not_returned_is_a_warning(cases: Run) -> None:
    bundle, row, number = a_case(cases, lambda row: row["returned"] == "否")
    path = put_casework(cases, bundle, {row["reference"]: BACK})
    assert found(cases, path) == [("E06", f"L{number}")]
    (loaded,) = loading.load_files(cases, [path])
    assert loaded.outcome == "accepted"


def test_one_load_tells_answers_corrections_and_cases_apart_by_their_manifests(cases: Run) -> None:
    issuing.issue_form(cases, "corrections", None)
    registry = corrections_of(cases, REGISTRY)
    case, row, _ = a_case(cases, lambda row: row["returned"] == "是")
    done = {"cause": "查无此人", "outcome": "已注销", "date": "2020-03-10"}
    paths = [
        put_casework(cases, registry, {registry.rows[0]["reference"]: done}, "甲.xlsx"),  # names say nothing
        put_casework(cases, case, {row["reference"]: BACK}, "乙.xlsx"),
    ]
    before = answers(cases)
    results = loading.load_files(cases, paths)
    assert [(one.outcome, one.checked.unit) for one in results] == [
        ("accepted", REGISTRY),
        ("accepted", case.recipient),
    ]
    assert answers(cases) == before
    assert (
        standing.standing_of(cases).corrections[REGISTRY][1]
        == standing.standing_of(cases).cases[case.recipient][1]
        == 1
    )


def test_a_row_of_a_workbook_may_not_be_changed_doubled_or_left_out(cases: Run) -> None:
    bundle, row, number = a_case(cases, bool)
    assert found(cases, put_casework(cases, bundle, {row["reference"]: {"household": "别处"}})) == [
        ("R04", f"F{number}")
    ]
    path = put_casework(cases, bundle, {row["reference"]: {"reference": "20200302-01-9999"}})
    assert {rule for rule, _ in found(cases, path)} == {"R01", "R03"}


def test_a_refused_workbook_changes_nothing_that_came_before(corrections: Run) -> None:
    bundle = corrections_of(corrections, REGISTRY)
    first = bundle.rows[0]
    done = {"cause": "户籍重复", "outcome": "已注销", "date": "2020-03-10"}
    loading.load_files(corrections, [put_casework(corrections, bundle, {first["reference"]: done})])
    before = work(corrections, CORRECTIONS)
    wrong = put_casework(corrections, bundle, {first["reference"]: done | {"cause": "不知道"}})
    (refused,) = loading.load_files(corrections, [wrong])
    assert refused.outcome == "refused"
    assert work(corrections, CORRECTIONS) == before


def test_the_newest_workbook_speaks_and_history_is_kept(corrections: Run) -> None:
    bundle = corrections_of(corrections, REGISTRY)
    first = bundle.rows[0]
    done = {"cause": "户籍重复", "outcome": "已注销", "date": "2020-03-10"}
    loading.load_files(corrections, [put_casework(corrections, bundle, {first["reference"]: done})])
    loading.load_files(corrections, [put_casework(corrections, bundle, {first["reference"]: {"remark": "弄错了"}})])
    one = work(corrections, CORRECTIONS)[REGISTRY, first["serial"]]
    assert (one.is_closed, one.values) == (False, {"remark": "弄错了"})
    with corrections.open_vault() as vault:
        count = vault.connection.execute("SELECT count(*) FROM entry WHERE value = '已注销'").fetchone()[0]
        assert count == 1
        with pytest.raises(Exception, match="immutable") as error:
            vault.connection.execute("DELETE FROM entry")
        assert not isinstance(error.value, sqlite3.Error)  # SQLCipher's own kind


def test_full_width_brackets_of_a_listed_value_are_no_fault(cases: Run) -> None:
    """Answers are normalised (NFKC); the listed 乡镇（街道） must still be found."""
    bundle, row, _ = a_case(cases, lambda row: row["category"][0] in "KM")
    path = put_casework(cases, bundle, {row["reference"]: MEASURE | {"department": "乡镇（街道）"}})
    assert [rule for rule, _ in found(cases, path) if rule != "R07"] == []
    loading.load_files(cases, [path])
    assert work(cases, CASES)[bundle.recipient, row["serial"]].values["department"] == "乡镇（街道）"


def test_units_counts_and_release_do_not_see_casework(cases: Run) -> None:
    """A case workbook that is out does not make its unit incomplete, nor one that came back a submission of 附件4."""
    before = standing.standing_of(cases).units
    bundle, row, _ = a_case(cases, lambda row: row["returned"] == "是")
    loading.load_files(cases, [put_casework(cases, bundle, {row["reference"]: BACK})])
    assert standing.standing_of(cases).units == before
    assert all(one.is_complete for one in before)


def test_a_relapse_takes_the_case_out_of_the_next_workbook(cases: Run) -> None:
    """What opens a case is the current answer, not the first one."""
    later = replace(cases, day=cases.campaign.reports_due)
    assert set(work(later, CASES)) == {
        (unit, serial) for serial, (unit, code, _) in answers(later).items() if code >= "I"
    }


def test_an_interrupted_issue_for_one_recipient_is_finished_and_another_is_still_served(loaded: Run) -> None:
    first = issuing.issue_form(loaded, "corrections", REGISTRY)
    folder = loaded.home.outbox / first.issue
    folder.rename(loaded.home.outbox / f".{first.issue}.new")  # killed before the last step
    second = issuing.issue_form(loaded, "corrections", SCHOOL)
    assert folder.is_dir()
    assert [p.name for p in (loaded.home.outbox / second.issue).glob("*-corrections.xlsx")] == [
        f"{SCHOOL}-corrections.xlsx"
    ]


def test_workbooks_that_other_processes_seal_open_with_their_passwords(
    loaded: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuing, "FEW_WORKBOOKS", 0)
    made = issuing.issue_form(loaded, "cases", None)
    bundles = handed(loaded, CASES)
    assert len(bundles) == made.recipients > 1
    for recipient, bundle in bundles.items():
        content = (loaded.home.outbox / made.issue / bundle.file).read_bytes()
        assert content.startswith(OLE_MAGIC)
        assert unseal(content, [loaded.keys.password(made.issue, recipient)]).plain.startswith(b"PK")
