"""The audit log: every look is on record before it is answered, and the record shows whether it was touched."""

import datetime as dt
import io
import json
import sqlite3 as standard
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result

from etl.cli.main import main
from etl.findings import FuxueError
from etl.system.sealing import unseal
from etl.vault.store.audit_log import Log, Look, log_breaks, log_path, rotate, rotated_files
from etl.vault.store.chain import printed
from etl.vault.store.keys import Keys, demo_master
from etl.workflow import issuing, recovery, upkeep
from etl.workflow.run import Run
from plugins.accounts import list_accounts
from tests.support.staff_home import BUREAU, CHIEF, CHILD, CLERK, OTHER, OWN, add_accounts, make_home
from tests.support.staff_instance import Instance

KEYS = Keys(demo_master(3))
LOOK = Look("2019-02-20T08:00:00Z", "clerk", "10.0.0.8", "GET", f"/{OWN}/children", "name__contains=甄", 200, 3, 12)
FORMS = [
    f"/{OWN}/children",
    f"/{OWN}/children.json",
    f"/{OWN}/children.csv",
    f"/{OWN}/children/20190219-01,10001",
    f"/{OWN}/-/query.json?sql=select+name+from+children",
    f"/{OWN}",
]


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    home, keys = make_home(tmp_path_factory.mktemp("audited") / "var")
    add_accounts(home, keys)
    made = Instance(home, keys)
    yield made
    made.close()


@pytest.fixture
def staff(tmp_path: Path) -> Path:
    """A log of five entries, a day apart, in a folder of its own."""
    log = Log(log_path(tmp_path), KEYS, create=True)
    for day in range(20, 25):
        log.append(replace(LOOK, at=f"2019-02-{day}T08:00:00Z"))
    log.close()
    return tmp_path


def entries(instance: Instance) -> list[Look]:
    return [entry.look for entry in reversed(instance.run(instance.datasette.auditor.newest(1000)))]


def spoilt(staff: Path, statement: str, keys: Keys = KEYS) -> list[tuple[str, int]]:
    """What is found wrong after somebody who has the key changed the log."""
    log = Log(log_path(staff), keys)
    for trigger in ("entry_stays", "entry_kept"):
        log.db.execute(f"DROP TRIGGER {trigger}")
    log.db.execute(statement)
    found = list(log_breaks(log))
    log.close()
    return found


def test_each_look_is_on_record_with_who_when_where_and_how_many_rows(instance: Instance) -> None:
    cookie = instance.log_in(CLERK)
    before = len(entries(instance))
    for path in FORMS:
        assert instance.ask(path, cookie).status_code == 200
    made = entries(instance)[before:]
    assert [(look.actor, look.method, look.status) for look in made] == [(CLERK, "GET", 200)] * len(FORMS)
    assert [look.path for look in made] == [path.partition("?")[0] for path in FORMS]
    assert [look.query for look in made][4] == "sql=select+name+from+children"
    assert made[4].rows == 60
    assert made[3].rows == 2, "the day of issue and a finding, in the child's story"
    assert all(look.address == "127.0.0.1" and look.at.endswith("Z") for look in made)
    assert all(look.statements > 0 for look in made)


def test_what_was_refused_to_an_account_is_on_record_too(instance: Instance) -> None:
    cookie = instance.log_in(CLERK)
    before = len(entries(instance))
    for path in (f"/{OTHER}/children.json", f"/{BUREAU}", "/-/databases", f"/{OWN}/nothing"):
        assert instance.ask(path, cookie).status_code == 404
    made = entries(instance)[before:]
    assert [(look.path, look.status, look.rows) for look in made] == [
        (f"/{OTHER}/children.json", 404, 0),
        (f"/{BUREAU}", 404, 0),
        ("/-/databases", 404, 0),
        (f"/{OWN}/nothing", 404, 0),
    ]


def test_attempts_to_log_in_are_on_record_and_strangers_pages_are_not(instance: Instance) -> None:
    before = len(entries(instance))
    body = {"username": CLERK, "password": "wrong"}
    instance.ask("/-/login/api/authenticate", method="POST", json=body)
    instance.ask("/-/login")
    instance.ask(f"/{OWN}/children")
    (look,) = entries(instance)[before:]
    assert (look.actor, look.method, look.path) == ("", "POST", "/-/login/api/authenticate")
    assert look.status != 200
    assert "wrong" not in repr(look)


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_without_a_log_there_is_no_data(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], path: str, method: str
) -> None:
    cookie = instance.log_in(CHIEF)

    def full(*_: object) -> None:
        raise OSError(28, f"no space for {CHILD[OWN]}")

    monkeypatch.setattr(Log, "append", full)
    answer = instance.ask(path, cookie, method)
    assert answer.status_code == 503
    assert CHILD[OWN] not in answer.text
    assert "children" not in answer.text
    assert CHILD[OWN] not in capsys.readouterr().err
    monkeypatch.undo()
    assert instance.ask(path, cookie, method).status_code == 200


def test_a_long_query_is_cut(instance: Instance) -> None:
    cookie = instance.log_in(CLERK)
    instance.ask(f"/{OWN}/children.json?name={'x' * 9000}", cookie)
    assert len(entries(instance)[-1].query) == 4001


def test_the_log_is_encrypted_and_closed_to_others(staff: Path) -> None:
    path = log_path(staff)
    assert path.stat().st_mode & 0o077 == 0
    assert "甄".encode() not in path.read_bytes()
    with pytest.raises(standard.DatabaseError):
        standard.connect(path).execute("SELECT * FROM entry")
    with pytest.raises(FuxueError, match=r"vault\.cannot_open"):
        Log(path, Keys(demo_master(4)))


def test_a_log_that_nobody_touched_holds_together(staff: Path) -> None:
    log = Log(log_path(staff), KEYS)
    assert list(log_breaks(log)) == []
    for entry in log.entries():
        assert list(log_breaks(log, printed(entry.seal))) == []
    assert list(log_breaks(log, "0000 1111")) == [("audit.paper", 5)]
    log.close()


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE entry SET rows = 0 WHERE number = 3", [("audit.seal", 3)]),
        ("UPDATE entry SET actor = 'other' WHERE number = 5", [("audit.seal", 5)]),
        ("UPDATE entry SET seal = x'00' WHERE number = 2", [("audit.seal", 2), ("audit.seal", 3)]),
        ("DELETE FROM entry WHERE number = 3", [("audit.gap", 3)]),
        ("DELETE FROM entry WHERE number = 1", [("audit.gap", 1)]),
        ("UPDATE start SET number = 1", [("audit.gap", 2)]),
    ],
)
def test_an_entry_changed_or_gone_is_found(staff: Path, statement: str, found: list[tuple[str, int]]) -> None:
    assert spoilt(staff, statement)[: len(found)] == found


def test_entries_cut_off_at_the_end_are_found_by_the_paper(staff: Path) -> None:
    log = Log(log_path(staff), KEYS)
    paper = printed(log.head()[1])
    log.close()
    assert spoilt(staff, "DELETE FROM entry WHERE number > 3") == []
    log = Log(log_path(staff), KEYS)
    assert list(log_breaks(log, paper)) == [("audit.paper", 3)]
    log.close()


def test_entries_are_neither_changed_nor_deleted_by_accident(staff: Path) -> None:
    log = Log(log_path(staff), KEYS)
    for statement in ("UPDATE entry SET rows = 0", "DELETE FROM entry"):
        with pytest.raises(Exception, match="entries are not"):
            log.db.execute(statement)
    log.close()


def append_many(folder: Path, actor: str) -> None:
    log = Log(log_path(folder), KEYS, create=True)
    for _ in range(60):
        log.append(replace(LOOK, actor=actor))
    log.close()


def test_two_servers_write_one_chain(tmp_path: Path) -> None:
    spawn = get_context("spawn")
    servers = [spawn.Process(target=append_many, args=(tmp_path, name)) for name in ("one", "two")]
    for server in servers:
        server.start()
    for server in servers:
        server.join()
    log = Log(log_path(tmp_path), KEYS)
    actors = [entry.look.actor for entry in log.entries()]
    assert sorted(actors) == ["one"] * 60 + ["two"] * 60
    assert list(log_breaks(log)) == []
    log.close()


def test_old_entries_are_put_away_provably(staff: Path) -> None:
    today = dt.date(2019, 2, 23) + dt.timedelta(days=183)
    with pytest.raises(FuxueError, match=r"audit\.too_young"):
        rotate(staff, KEYS, dt.date(2019, 2, 24), today)
    away = rotate(staff, KEYS, dt.date(2019, 2, 23), today)
    assert rotated_files(staff) == [away]
    assert away is not None
    assert away.name == "audit-00000001-00000003.db"
    old, log = Log(away, KEYS), Log(log_path(staff), KEYS)
    assert [entry.number for entry in old.entries()] == [1, 2, 3]
    assert [entry.number for entry in log.entries()] == [4, 5]
    assert old.head() == log.start()
    assert list(log_breaks(old)) == list(log_breaks(log)) == []
    assert list(log_breaks(log, printed(old.head()[1]))) == [], "the paper of the day it was put away still holds"
    assert log.append(replace(LOOK, at="2019-02-25T08:00:00Z")).number == 6
    assert list(log_breaks(log)) == []
    old.close()
    log.close()
    assert rotate(staff, KEYS, dt.date(2019, 2, 23), today) is None


def test_a_log_that_is_broken_is_not_put_away(staff: Path) -> None:
    spoilt(staff, "UPDATE entry SET rows = 0 WHERE number = 2")
    with pytest.raises(FuxueError, match=r"audit\.broken"):
        rotate(staff, KEYS, dt.date(2019, 2, 23), dt.date(2019, 12, 1))
    assert rotated_files(staff) == []


def test_managing_accounts_starts_no_log(tmp_path: Path) -> None:
    home, keys = make_home(tmp_path / "var")
    list_accounts(home, keys)
    assert not log_path(home.staff).exists()


@pytest.fixture
def looked_at(run: Run) -> Run:
    """A home with a record, and a log of five entries in it."""
    log = Log(log_path(run.home.staff), run.keys, create=True)
    for day in range(20, 25):
        log.append(replace(LOOK, at=f"2020-02-{day}T08:00:00Z"))
    log.close()
    return run


def staff_audit(run: Run, *arguments: str) -> Result:
    common = ("--json", "--home", str(run.home.root), "--campaign", str(run.campaign_folder))
    return CliRunner().invoke(main, [*common, "staff", "audit", *arguments], env={"COLUMNS": "200"})


def test_the_custodian_verifies_by_the_paper(looked_at: Run) -> None:
    done = staff_audit(looked_at, "verify")
    result = json.loads(done.output)
    assert (done.exit_code, result["entries"], result["breaks"]) == (0, 5, [])
    assert staff_audit(looked_at, "verify", "--head", result["head"]).exit_code == 0
    spoilt(looked_at.home.staff, "UPDATE entry SET rows = 0 WHERE number = 2", looked_at.keys)
    done = staff_audit(looked_at, "verify")
    assert done.exit_code == 3
    assert "第 2 条" in json.loads(done.output)["breaks"][0]["message"]


def test_the_paper_still_holds_after_entries_were_put_away(looked_at: Run) -> None:
    paper = json.loads(staff_audit(looked_at, "verify").output)["head"]
    done = staff_audit(looked_at, "rotate", "--before", "2020-02-23", "--as-of", "2020-12-01")
    assert done.exit_code == 0
    done = staff_audit(looked_at, "verify", "--head", paper)
    result = json.loads(done.output)
    assert (done.exit_code, result["entries"], result["files"]) == (0, 5, 2)
    rotated_files(looked_at.home.staff)[0].unlink()
    assert staff_audit(looked_at, "verify", "--head", paper).exit_code == 0
    assert staff_audit(looked_at, "rotate", "--before", "2020-12-01", "--as-of", "2020-12-01").exit_code == 2


def test_the_log_is_exported_sealed(looked_at: Run) -> None:
    done = staff_audit(looked_at, "export", "--since", "2020-02-22")
    assert done.exit_code == 0, done.output
    (file,) = looked_at.home.reports.glob("audit-*.xlsx")
    sealed = file.read_bytes()
    assert not sealed.startswith(b"PK")
    book = openpyxl.load_workbook(io.BytesIO(unseal(sealed, [issuing.bureau_password(looked_at)]).plain))
    lines = [row for row in book.active.iter_rows(values_only=True) if row[0] in ("3", "4", "5")]
    assert [line[2] for line in lines] == ["clerk"] * 3
    assert lines[0][6] == "name__contains=甄"


def test_a_new_key_takes_the_log_along(looked_at: Run, tmp_path: Path) -> None:
    keys = upkeep.change_key(looked_at, tmp_path / "new.key", "保管人")
    with pytest.raises(FuxueError):
        Log(log_path(looked_at.home.staff), looked_at.keys)
    log = Log(log_path(looked_at.home.staff), keys)
    assert list(log_breaks(log)) == []
    assert log.append(replace(LOOK, at="2020-02-25T08:00:00Z")).number == 6
    assert list(log_breaks(log)) == []
    log.close()


def test_a_key_is_not_changed_under_a_running_server(looked_at: Run, tmp_path: Path) -> None:
    log = Log(log_path(looked_at.home.staff), looked_at.keys)
    log.append(LOOK)
    with pytest.raises(FuxueError, match=r"rekey\.in_use"):
        upkeep.change_key(looked_at, tmp_path / "new.key", "保管人")
    log.close()
    recovery.recover_unless_busy(looked_at)
    assert staff_audit(looked_at, "verify").exit_code == 0
