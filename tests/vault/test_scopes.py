"""Who sees what of the record (M4, M15, M18): a file for each scope, masked, and full numbers in a second one."""

import stat
from dataclasses import replace

import pytest

from etl.findings import FuxueError
from etl.forms.definitions import CORRECTIONS
from etl.forms.id_number import mask
from etl.inspect.flags import find_flags
from etl.rulebook.campaign import INSPECTORATE
from etl.synthetic.population import Person
from etl.vault.scopes.contents import OF_BUREAU, OF_UNIT, scopes, tables_of
from etl.vault.scopes.scope_files import build_scopes
from etl.vault.store import files
from etl.workflow import inspecting, loading
from etl.workflow.run import Run
from tests.support.books import UNIT, edit, plain, put, setting
from tests.support.filled_workbooks import case_row, handed, put_casework

REGISTRY, SCHOOL = "household-registry", "school-registry"
DEPARTMENTS = {REGISTRY: ("A",), SCHOOL: ("C", "D")}


def seen(run: Run, scope: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table of a scope's file."""
    db = files.open_scope(run.home.scopes, scope, run.keys)
    names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in names}
    db.close()
    return found


def numbers(run: Run, scope: str) -> dict[tuple[str, str], str]:
    db = files.open_numbers(run.home.scopes, scope, run.keys)
    found = {(issue, serial): number for issue, serial, number in db.execute("SELECT * FROM number")}
    db.close()
    return found


def column(run: Run, scope: str, of: str, table: str) -> list[object]:
    db = files.open_scope(run.home.scopes, scope, run.keys)
    found = [row[0] for row in db.execute(f"SELECT {of} FROM {table}")]
    db.close()
    return found


def private(rows: dict[str, list[tuple[object, ...]]]) -> str:
    return "\n".join(str(row) for own in rows.values() for row in own)


@pytest.fixture
def drawn(loaded: Run) -> Run:
    inspecting.look_through(loaded, 9, 4, "督导测试员")
    return loaded


def test_every_unit_department_the_inspectorate_and_the_bureau_have_a_file(loaded: Run) -> None:
    wanted = {*loaded.campaign.unit, *DEPARTMENTS, INSPECTORATE, "bureau"}
    assert set(scopes(loaded.campaign)) == wanted
    assert set(files.scope_names(loaded.home.scopes)) == wanted
    assert set(files.scope_names(loaded.home.scopes / "numbers")) == wanted
    for path in (*loaded.home.scopes.rglob("*.db"), loaded.home.scopes / "numbers"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    for scope in wanted:
        assert set(seen(loaded, scope)) == set(tables_of(loaded.campaign, scope))


def test_a_unit_sees_its_own_children_and_nobody_sees_a_full_number(drawn: Run, people: list[Person]) -> None:
    for scope in scopes(drawn.campaign):
        text = private(seen(drawn, scope))
        assert not any(p.child.id_number in text for p in people), scope
    for unit in (*drawn.campaign.unit, "bureau"):
        own = {p.child.serial: mask(p.child.id_number) for p in people if unit in ("bureau", p.child.unit)}
        assert {row[0]: row[5] for row in seen(drawn, unit)["children"]} == own
        strangers = [p.child for p in people if p.child.serial not in own]
        text = private(seen(drawn, unit))
        assert not any(child.household in text for child in strangers)


def test_full_numbers_are_those_of_the_children_that_a_scope_sees(drawn: Run, people: list[Person]) -> None:
    known = {p.child.serial: p.child.id_number for p in people}
    for scope in scopes(drawn.campaign):
        shown = {str(serial) for table in tables_of(drawn.campaign, scope)
                 if table in ("children", "corrections", "cases", "visits")
                 for serial in column(drawn, scope, "serial", table)}  # fmt: skip
        assert {serial: number for (_, serial), number in numbers(drawn, scope).items()} == {
            serial: known[serial] for serial in shown
        }, scope


@pytest.mark.parametrize("department", DEPARTMENTS)
def test_a_department_sees_the_rows_routed_to_it_alone(loaded: Run, people: list[Person], department: str) -> None:
    with loaded.open_vault() as vault:
        marks = ", ".join("?" for _ in DEPARTMENTS[department])
        query = f"SELECT serial FROM current_answer WHERE category IN ({marks})"
        routed = {row[0] for row in vault.connection.execute(query, DEPARTMENTS[department])}
    assert routed
    assert {*column(loaded, department, "serial", "corrections")} == routed
    assert {*column(loaded, department, "department", "corrections")} == {department}
    text = private(seen(loaded, department))
    assert not any(p.child.household in text for p in people if p.child.serial not in routed)


def test_what_a_department_sent_back_is_seen_by_it_by_the_unit_and_by_the_bureau(corrections: Run) -> None:
    bundle = handed(corrections, CORRECTIONS)[REGISTRY]
    row = bundle.rows[0]
    done = {"cause": "户籍重复", "outcome": "已注销", "date": "2020-03-10"}
    (loaded,) = loading.load_files(corrections, [put_casework(corrections, bundle, {row["reference"]: done})])
    assert loaded.outcome == "accepted"
    for scope in ("bureau", REGISTRY, *corrections.campaign.unit):
        db = files.open_scope(corrections.home.scopes, scope, corrections.keys)
        query = "SELECT serial, cause, outcome, closed_on FROM corrections WHERE state = '已办结'"
        found = db.execute(query).fetchall()
        db.close()
        is_seen = scope in ("bureau", REGISTRY) or row["serial"] in column(corrections, scope, "serial", "children")
        assert found == ([(row["serial"], "户籍重复", "已注销", "2020-03-10")] if is_seen else []), scope
    assert column(corrections, REGISTRY, "status", "workbooks") == ["收下"]
    assert column(corrections, SCHOOL, "status", "workbooks") == []


def test_a_cell_that_came_back_blank_is_empty_and_not_a_blank_text(cases: Run) -> None:
    """Staff count what is "empty": cases without a measure, for example."""
    bundle, row, _ = case_row(cases, "否")
    measure = {"measure": "帮扶救助", "department": "民政局", "person": "测试员甲"}
    (loaded,) = loading.load_files(cases, [put_casework(cases, bundle, {row["reference"]: measure})])
    assert loaded.outcome == "accepted", loaded.checked.findings
    for name in ("measure", "department", "person", "schooling", "returned_on", "carer"):
        found = column(cases, bundle.recipient, name, "cases")
        assert [value for value in found if value is not None] == ([measure[name]] if name in measure else []), name
    assert set(column(cases, bundle.recipient, "measured_on", "cases")) == {cases.day.isoformat()}
    assert column(cases, "bureau", "count(measured_on)", "cases") == [len(bundle.rows)]
    for name in ("cause", "outcome", "closed_on", "remark"):
        assert set(column(cases, REGISTRY, name, "corrections")) == {None}


def test_what_was_refused_is_to_mend_until_a_later_workbook_takes_its_place(run: Run) -> None:
    """Staff count what is left to do; a workbook that has since been accepted leaves nothing."""
    right, wrong = plain(run), edit(plain(run), setting(I4=None))
    states = []
    for content in (wrong, wrong, right):
        loading.load_files(run, [put(run, content)])
        errors = column(run, UNIT, "state", "findings WHERE severity = '错误'")
        states.append((column(run, UNIT, "status", "workbooks"), errors))
        assert set(column(run, UNIT, "state", "findings WHERE severity <> '错误'")) <= {"不须"}
    assert states == [
        (["退回"], ["须改正"]),
        (["退回", "退回"], ["须改正", "须改正"]),
        (["已重报", "已重报", "收下"], ["已重报", "已重报"]),
    ]


def test_the_inspectorate_sees_sums_flags_and_the_children_drawn(drawn: Run) -> None:
    rows = seen(drawn, INSPECTORATE)
    assert [row[0] for row in rows["progress"]] == [unit.slug for unit in drawn.campaign.units]
    with drawn.open_vault() as vault:
        chosen = vault.connection.execute("SELECT issue, serial FROM revisit_child").fetchall()
    assert len(chosen) == 9
    assert sorted((row[2], row[3]) for row in rows["visits"]) == sorted(chosen)
    assert rows["flags"] == seen(drawn, "bureau")["flags"]


def test_a_units_flags_are_not_shown_to_the_unit(loaded: Run) -> None:
    assert set(OF_BUREAU) - set(OF_UNIT) == {"flags", "visits"}
    for unit in loaded.campaign.unit:
        assert not {"flags", "visits"} & set(seen(loaded, unit))


def test_a_scopes_file_is_read_only_and_has_a_key_of_its_own(loaded: Run) -> None:
    db = files.open_scope(loaded.home.scopes, "donggang", loaded.keys)
    with pytest.raises(files.DatabaseError, match="readonly"):
        db.execute("DELETE FROM children")
    db.close()
    donggang = files.scope_path(loaded.home.scopes, "donggang")
    apart = files.numbers_path(loaded.home.scopes, "donggang")
    own = files.scope_key(loaded.keys, "donggang")
    for path, key in ((donggang, files.scope_key(loaded.keys, "xiling")), (apart, own),
                      (donggang, files.numbers_key(loaded.keys, "donggang"))):  # fmt: skip
        with pytest.raises(FuxueError, match=r"vault\.cannot_open"):
            files.connect(path, key, readonly=True)


def test_the_file_of_a_former_unit_is_removed_with_all_that_was_left_half_done(loaded: Run) -> None:
    for folder in (loaded.home.scopes, loaded.home.scopes / "numbers"):
        for name in ("former.db", ".donggang.new.db", ".former.new.db-journal"):
            (folder / name).write_bytes(b"children")
    with loaded.open_vault() as vault:
        build_scopes(vault, loaded.campaign, loaded.home.scopes, find_flags)
    for folder in (loaded.home.scopes, loaded.home.scopes / "numbers"):
        assert {path.name for path in folder.iterdir() if path.is_file()} == {
            f"{s}.db" for s in scopes(loaded.campaign)
        }


def test_a_unit_that_the_campaign_no_longer_has_is_named_and_nothing_is_touched(loaded: Run) -> None:
    before = {path: path.read_bytes() for path in loaded.home.scopes.rglob("*.db")}
    fewer = replace(loaded.campaign, units=loaded.campaign.units[1:])
    with loaded.open_vault() as vault, pytest.raises(FuxueError, match=r"campaign\.unit_gone.*donggang"):
        build_scopes(vault, fewer, loaded.home.scopes, find_flags)
    assert {path: path.read_bytes() for path in loaded.home.scopes.rglob("*.db")} == before
