"""A wrong value of the list is a correction (M15): what was issued stays, the right one goes to its department."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from etl.cli.main import main
from etl.findings import FuxueError
from etl.forms.definitions import CORRECTIONS
from etl.system.sealing import unseal
from etl.vault.record import evidence, issued
from etl.vault.store.files import open_numbers, open_scope
from etl.workflow import issuing, loading, recording, upkeep
from etl.workflow.run import Run
from tests.support.books import ISSUE, edit, id_number, put, row_of, setting, write_list
from tests.support.books import issued as children
from tests.support.filled_workbooks import handed, put_casework

REGISTRY = "household-registry"
RIGHT = id_number("20040229", 123)
BY = "登记员甲"


def record(run: Run, serial: str, key: str = "id_number", value: str = RIGHT, to: str = REGISTRY) -> None:
    recording.record_wrong_value(run, None, serial, key, value, to, BY)


def in_school(run: Run) -> str:
    """The serial of a child for whom no correction is open by its answer."""
    with run.open_vault() as vault:
        query = "SELECT min(serial) FROM current_answer WHERE category = 'B'"
        return str(vault.connection.execute(query).fetchone()[0])


def rows(run: Run, scope: str, serial: str) -> list[tuple[object, ...]]:
    connection = open_scope(run.home.scopes, scope, run.keys)
    try:
        query = "SELECT category, category_name, state FROM corrections WHERE serial = ? ORDER BY category"
        return list(connection.execute(query, [serial]))
    finally:
        connection.close()


def test_the_right_value_goes_to_its_department_and_the_issued_one_stays(loaded: Run) -> None:
    serial = in_school(loaded)
    before = {child.serial: child for unit in loaded.campaign.unit for child in children(loaded, unit)}
    record(loaded, serial)
    after = {child.serial: child for unit in loaded.campaign.unit for child in children(loaded, unit)}
    assert before == after
    issuing.issue_form(loaded, "corrections", None)
    row = next(row for row in handed(loaded, CORRECTIONS)[REGISTRY].rows if row["serial"] == serial)
    assert row["category"] == f"B.在校有学籍；身份证应为{RIGHT}"
    assert row["id_number"] == before[serial].id_number
    assert upkeep.verify_record(loaded).breaks == ()


def test_the_same_correction_is_recorded_once(loaded: Run) -> None:
    serial = in_school(loaded)
    record(loaded, serial)
    with pytest.raises(FuxueError, match=r"record\.known_value.*2020-03-16"):
        record(loaded, serial)
    for name in ("王小明", "王小名", "王小明"):  # a slip, and back
        record(loaded, serial, key="name", value=name)


def test_staff_see_that_a_value_is_wrong_and_not_which_is_right(loaded: Run) -> None:
    serial = in_school(loaded)
    unit = next(unit for unit in loaded.campaign.unit if serial in {c.serial for c in children(loaded, unit)})
    record(loaded, serial)
    for scope in (REGISTRY, unit, "bureau"):
        assert rows(loaded, scope, serial) == [("id_number", "身份证有误", "办理中")]
        connection = open_scope(loaded.home.scopes, scope, loaded.keys)
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            assert RIGHT not in repr(connection.execute(f"SELECT * FROM {table}").fetchall())
        connection.close()
    numbers = open_numbers(loaded.home.scopes, REGISTRY, loaded.keys)
    assert numbers.execute("SELECT count(*) FROM number WHERE serial = ?", [serial]).fetchone()[0] == 1
    numbers.close()


def test_it_is_closed_by_what_the_department_sends_back(loaded: Run) -> None:
    serial = in_school(loaded)
    record(loaded, serial)
    issuing.issue_form(loaded, "corrections", None)
    bundle = handed(loaded, CORRECTIONS)[REGISTRY]
    reference = next(row["reference"] for row in bundle.rows if row["serial"] == serial)
    cause, outcome = "名单信息有误", "已更正"
    filled = {reference: {"cause": cause, "outcome": outcome, "date": dt.date(2020, 3, 16)}}
    (loaded_,) = loading.load_files(loaded, [put_casework(loaded, bundle, filled)])
    assert loaded_.outcome == "accepted", loaded_.checked.findings
    assert rows(loaded, REGISTRY, serial) == [("id_number", "身份证有误", "已办结")]


def test_one_row_gives_a_department_all_it_needs_about_a_child(loaded: Run) -> None:
    with loaded.open_vault() as vault:
        query = "SELECT min(serial) FROM current_answer WHERE category = 'A'"
        serial = vault.connection.execute(query).fetchone()[0]
    record(loaded, serial)
    record(loaded, serial, "name", "正名")
    record(loaded, serial, "name", "真名")
    issuing.issue_form(loaded, "corrections", None)
    found = [row["category"] for row in handed(loaded, CORRECTIONS)[REGISTRY].rows if row["serial"] == serial]
    assert found == [f"A.户籍原因；身份证应为{RIGHT}；姓名应为真名"]
    assert [row[0] for row in rows(loaded, REGISTRY, serial)] == ["A", "id_number", "name"]


def test_a_child_that_has_not_been_verified_yet_can_be_corrected(run: Run) -> None:
    record(run, "0001")
    issuing.issue_form(run, "corrections", None)
    (row,) = handed(run, CORRECTIONS)[REGISTRY].rows
    assert (row["serial"], row["category"]) == ("0001", f"身份证应为{RIGHT}")


@pytest.mark.parametrize(("key", "value", "to", "error"), [
    ("id_number", "990101200402291230", REGISTRY, "record.bad_value"), ("sex", "未知", REGISTRY, "record.bad_value"),
    ("name", "  ", REGISTRY, "record.bad_value"), ("name", "真名", "nobody", "issue.no_recipient"),
])  # fmt: skip
def test_what_is_no_right_value_is_refused(loaded: Run, key: str, value: str, to: str, error: str) -> None:
    with pytest.raises(FuxueError, match=error.replace(".", r"\.")):
        record(loaded, "0001", key, value, to)


def test_the_issued_value_is_no_correction(loaded: Run) -> None:
    child = children(loaded)[0]
    with pytest.raises(FuxueError, match=r"record\.same_value"):
        record(loaded, child.serial, "id_number", child.id_number)


def invoke(run: Run, *arguments: str, given: str = "") -> Result:
    start = ["--home", str(run.home.root), "--campaign", str(run.campaign_folder)]
    return CliRunner().invoke(main, [*start, *arguments, "--as-of", run.day.isoformat()], input=given)


def test_the_command_asks_for_the_value_and_does_not_say_it_again(loaded: Run) -> None:
    arguments = ("record", "correction", "--serial", "0001", "--column", "id_number", "--to", REGISTRY, "--by", BY)
    done = invoke(loaded, *arguments, given=f"{RIGHT}\n")
    assert (done.exit_code, RIGHT in done.output.split("\n", 1)[1]) == (0, False), done.output


@pytest.fixture
def twice(loaded: Run, tmp_path: Path) -> tuple[Run, str, str]:
    """A supplement uses a serial of the first list again: the run, the serial, the supplement's id."""
    serial = children(loaded)[0].serial
    row = row_of("901") | {"serial": serial}
    handed_ = issuing.issue_list(loaded, write_list(tmp_path / "list.xlsx", [row]))
    assert handed_.issue, handed_.findings
    return loaded, serial, handed_.issue


def test_a_serial_of_two_lists_is_refused_naming_both(twice: tuple[Run, str, str]) -> None:
    run, serial, supplement = twice
    for arguments in (("police-ref", "--reference", "x"),
                  ("correction", "--column", "name", "--value", "真名", "--to", REGISTRY)):  # fmt: skip
        done = invoke(run, "record", arguments[0], "--serial", serial, *arguments[1:], "--by", BY)
        assert (done.exit_code, ISSUE in done.output, supplement in done.output) == (2, True, True), done.output
        done = invoke(
            run, "record", arguments[0], "--serial", serial, *arguments[1:], "--by", BY, "--issue", supplement
        )
        assert done.exit_code == 0, done.output
    with run.open_vault() as vault:
        assert evidence.police_refs(vault) == {(supplement, serial)}
        assert vault.connection.execute("SELECT issue FROM wrong_value").fetchall() == [(supplement,)]


def test_a_signature_for_a_serial_of_two_lists_is_refused_naming_both(twice: tuple[Run, str, str]) -> None:
    run, serial, supplement = twice
    password = run.keys.password(supplement, "donggang")
    blank = unseal((run.home.outbox / supplement / "donggang.xlsx").read_bytes(), [password]).plain
    filled = edit(blank, setting(I4="K.打工务农", J4="否", K4="测试员甲"))
    assert loading.load_files(run, [put(run, filled, password=password)])[0].outcome == "accepted"
    with run.open_vault() as vault:
        both = vault.connection.execute("SELECT issue FROM current_answer WHERE serial = ?", [serial]).fetchall()
    assert len(both) == 2
    arguments = ("record", "signature", "--unit", "donggang", "--act", "verification", "--serial", serial, "--by", BY)
    done = invoke(run, *arguments)
    assert (done.exit_code, ISSUE in done.output, supplement in done.output) == (2, True, True), done.output
    done = invoke(run, *arguments, "--issue", ISSUE)
    assert (done.exit_code, "1 名儿童" in done.output) == (0, True), done.output


def test_scopes_show_what_was_just_recorded(loaded: Run) -> None:
    """Each act on record shows at once in what staff see."""
    serial = in_school(loaded)
    for act in (lambda: recording.record_police_ref(loaded, None, serial, "x", BY), lambda: record(loaded, serial),
                lambda: recording.record_signature(loaded, "donggang", "verification", [], BY)):  # fmt: skip
        act()
        assert upkeep.verify_record(loaded).breaks == ()


def test_what_is_handed_out_after_a_new_key_is_signed_with_it(loaded: Run, tmp_path: Path) -> None:
    from etl.forms.manifest import Manifest
    from etl.vault.store.open import known_keys
    from etl.workflow import upkeep

    keys = upkeep.change_key(loaded, tmp_path / "new.key", BY)
    new = replace(loaded, keys=keys)
    handed_ = issuing.issue_form(new, "cases", None)
    new = replace(loaded, keys=known_keys(new.home.vault, new.keys))
    manifest = Manifest("cases", handed_.issue, "donggang", ("1",))
    assert new.is_genuine(manifest.signed(new.manifest_mac))
    assert not new.is_genuine(manifest.signed(loaded.manifest_mac)), "the old key signs nothing new"
    older = Manifest("annex4", ISSUE, "donggang", ("1",))
    assert new.is_genuine(older.signed(loaded.manifest_mac))
    assert not new.is_genuine(older.signed(new.manifest_mac))
    with new.open_vault() as vault:
        assert (handed_.issue, "donggang") in issued.issued(vault, new.campaign)


def test_a_value_recorded_after_an_answer_is_not_closed_by_it(loaded: Run) -> None:
    serial = in_school(loaded)
    record(loaded, serial, "name", "真名")
    issuing.issue_form(loaded, "corrections", None)
    bundle = handed(loaded, CORRECTIONS)[REGISTRY]
    reference = next(row["reference"] for row in bundle.rows if row["serial"] == serial)
    answer = {reference: {"cause": "名单信息有误", "outcome": "已更正", "date": dt.date(2020, 3, 16)}}
    record(loaded, serial)  # the department has not seen this one
    loading.load_files(loaded, [put_casework(loaded, bundle, answer)])
    states = {key: state for key, _, state in rows(loaded, REGISTRY, serial)}
    assert states == {"name": "已办结", "id_number": "办理中"}
    issuing.issue_form(loaded, "corrections", REGISTRY)
    row = next(row for row in handed(loaded, CORRECTIONS)[REGISTRY].rows if row["serial"] == serial)
    assert f"身份证应为{RIGHT}" in row["category"]


@pytest.mark.parametrize("arguments", [
    ("signature", "--unit", "xiling", "--act", "verification"), ("police-ref", "--serial", "0002", "--reference", "x"),
    ("deliverable", "--unit", "xiling", "--what", "annex4", "--medium", "paper"),
    ("correction", "--serial", "0002", "--column", "name", "--value", "真名", "--to", REGISTRY),
], ids=lambda arguments: arguments[0])  # fmt: skip
def test_what_nobody_records_is_refused(loaded: Run, arguments: tuple[str, ...]) -> None:
    before = loaded.home.vault.read_bytes()
    done = invoke(loaded, "record", *arguments, "--by", " ")
    assert (done.exit_code, "--by" in done.output) == (2, True), done.output
    assert loaded.home.vault.read_bytes() == before
