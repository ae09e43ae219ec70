"""One command at a time changes the home (M18, M19): the others wait, and nothing is lost, doubled or half done."""

import datetime as dt
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from etl.cli.main import main
from etl.findings import FuxueError
from etl.rulebook.campaign import Campaign
from etl.system import home as homes
from etl.system.sealing import unseal
from etl.vault.store import chain
from etl.workflow import inspecting, loading, synthesizing, upkeep
from etl.workflow.run import Run
from plugins.launch import run_staff_server
from tests.support import books, warm
from tests.support.homes import ROOT, at_due, put_in_place

BY = ("--by", "测试员")
#: Eight commands that each change something else: arguments, the table where it shows, rows before.
COMMANDS: dict[str, tuple[str, ...]] = {
    "load": ("load",),
    "signature": ("record", "signature", "--unit", "xiling", "--act", "verification", *BY),
    "deliverable": ("record", "deliverable", "--unit", "xiling", "--what", "annex4", "--medium", "paper", *BY),
    "lock": ("lock-base", *BY, "--yes"),
    "sample": ("report", "flags", "--sample", "9", *BY),
    "backup": ("vault", "backup"),
    "release": ("release",),
    "cases": ("issue", "--form", "cases"),
}
TABLES = {"load": "workbook WHERE unit = 'donggang'", "signature": "signature", "deliverable": "deliverable",
          "lock": "base_lock", "sample": "revisit", "backup": "backup", "release": "release",
          "cases": "issue WHERE form = 'cases'"}  # fmt: skip


def invoke(run: Run, *arguments: str) -> Result:
    given = ["--home", str(run.home.root), "--campaign", str(run.campaign_folder)]
    done = CliRunner().invoke(main, [*given, *arguments, "--as-of", run.day.isoformat()], env={"COLUMNS": "200"})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def start(run: Run, arguments: Sequence[str]) -> warm.Running:
    given = ["--home", str(run.home.root), "--campaign", str(run.campaign_folder), *arguments]
    return warm.start([*given, "--as-of", run.day.isoformat()])


@pytest.fixture(scope="module")
def prepared(loaded_once: Path, tmp_path_factory: pytest.TempPathFactory, small: Campaign, small_folder: Path) -> Path:
    """Everybody has reported, and one unit's next report lies in the inbox."""
    root = tmp_path_factory.mktemp("prepared") / "var"
    shutil.copytree(loaded_once, root)
    run = at_due(root, small, small_folder)
    synthesizing.synthesize_fill(run, 45, 99, "default", only=["donggang"])
    return root


def all_at_once(run: Run, names: Sequence[str]) -> None:
    """Start all, wait for all; what each said it did stands on record once, with the file that goes with it."""
    running = {name: start(run, COMMANDS[name]) for name in names}
    ended = {name: one.wait() for name, one in running.items()}
    said = {name: (one.stdout + one.stderr, one.returncode) for name, one in ended.items()}
    for name, (output, code) in said.items():
        assert code == 0 or (code == 2 and "另一个命令正在改动" in output), (name, output)
        assert "Traceback" not in output
    did = {name for name, (_, code) in said.items() if code == 0}
    with run.open_vault() as vault:
        counts = {name: vault.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                  for name, table in TABLES.items()}  # fmt: skip
    assert counts == {name: (name in did) + (name == "load") for name in COMMANDS}
    assert upkeep.verify_record(run).breaks == ()
    home = run.home
    assert len(list(home.reports.glob("inspection-*-sample-0001.xlsx"))) == ("sample" in did)
    assert len(list(home.backups.glob("*.db"))) == ("backup" in did)
    assert len(list(home.released.glob("0001"))) == ("release" in did)
    assert len(list(home.outbox.iterdir())) == 1 + ("cases" in did)
    assert len(list(home.inbox.iterdir())) == ("load" not in did)
    assert not [path for path in home.root.rglob("*") if path.name.endswith((".new", ".part", "-journal", ".stale"))]


def test_different_commands_at_once_lose_nothing(run: Run, prepared: Path) -> None:
    all_at_once(put_in_place(run, prepared), ("load", "sample", "backup", "signature"))


@pytest.mark.prove
@pytest.mark.parametrize("number", range(50))
def test_eight_commands_at_once_fifty_times(run: Run, prepared: Path, number: int) -> None:
    all_at_once(put_in_place(run, prepared), tuple(COMMANDS))


@pytest.mark.parametrize("arguments", [
    *COMMANDS.values(), ("report", "flags"), ("report", "feedback"), ("publish",), ("synthesize", "fill"),
    ("staff", "disable", "bureau"), ("vault", "rekey", "new.key", *BY), ("vault", "restore", "README.md"),
    ("vault", "upgrade"), ("vault", "verify"), ("vault", "purge", "--before", "2030-01-01", *BY),
    ("record", "police-ref", "--serial", "0001", "--reference", "x", *BY),
    ("record", "correction", "--serial", "0001", "--column", "name", "--value", "x", "--to", "household-registry", *BY),
], ids=lambda arguments: " ".join(arguments[:2]))  # fmt: skip
def test_every_command_that_writes_waits_for_the_one_before(
    loaded: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    if arguments[0] == "publish":
        (loaded.home.released / "0001").mkdir(parents=True)
        monkeypatch.setattr("etl.workflow.publishing.verify_release_folder", lambda *_: None)
    monkeypatch.setattr(homes, "_PATIENCE", 0)
    monkeypatch.chdir(ROOT)
    before = {path: path.stat().st_mtime_ns for path in loaded.home.root.rglob("*") if path.is_file()}
    with loaded.home.lock():
        done = CliRunner().invoke(main, ["--home", str(loaded.home.root), "--campaign", str(loaded.campaign_folder),
                                         *arguments])  # fmt: skip
    assert (done.exit_code, "另一个命令正在改动" in done.output) == (2, True), done.output
    after = {path: path.stat().st_mtime_ns for path in loaded.home.root.rglob("*") if path.is_file()}
    assert {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)} <= {
        loaded.home.root / ".lock"
    }
    assert not (ROOT / "new.key").exists()


def test_a_running_staff_server_is_respected_by_what_replaces_its_files(loaded: Run, tmp_path: Path) -> None:
    path, _ = upkeep.back_up(loaded, None)
    before = loaded.home.vault.read_bytes()
    with loaded.home.serving(), loaded.home.serving():
        for arguments in (("vault", "rekey", str(tmp_path / "new.key"), *BY), ("vault", "restore", str(path)),
                      ("vault", "upgrade")):  # fmt: skip
            done = invoke(loaded, *arguments)
            assert (done.exit_code, "serve staff" in done.output) == (2, True), done.output
        assert invoke(loaded, *COMMANDS["deliverable"]).exit_code == 0
    assert loaded.home.vault.read_bytes() != before
    assert not (tmp_path / "new.key").exists()
    assert invoke(loaded, "vault", "restore", str(path)).exit_code == 0


def test_a_staff_server_does_not_start_while_its_files_are_replaced(loaded: Run) -> None:
    with loaded.home.not_serving(), pytest.raises(FuxueError, match=r"home\.not_now"):
        run_staff_server(loaded.home, loaded.keys, loaded.campaign, port=0)


def test_a_backup_is_copied_while_nobody_else_can_write(loaded: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other process can commit in the middle: SQLite's own locks hold as long as the record is open."""
    tried = []
    really = chain.append

    def meanwhile(*given: object) -> None:
        script = ("import sys; from etl.vault.store.files import connect; from pathlib import Path\n"
                  "db = connect(Path(sys.argv[1]), bytes.fromhex(sys.argv[2])); db.execute('PRAGMA busy_timeout = 0')\n"
                  "db.execute('BEGIN IMMEDIATE')")  # fmt: skip
        arguments = [sys.executable, "-c", script, str(loaded.home.vault), loaded.keys.derive("file:vault").hex()]
        tried.append(subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False))
        really(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(chain, "append", meanwhile)
    upkeep.back_up(loaded, None)
    assert ["database is locked" in one.stderr for one in tried] == [True]


def test_a_recorded_sample_is_printed_again_as_it_was_drawn(loaded: Run) -> None:
    first = inspecting.look_through(loaded, 9, None, "测试员")
    second = inspecting.look_through(loaded, 9, None, "测试员")
    assert first.file != second.file
    first.file.unlink()
    everybody = {f"{column}{row}": text for row in range(4, 20) for column, text in (("I", "K.打工务农"), ("J", "否"))}
    changed = books.put(loaded, books.edit(books.plain(loaded), books.setting(**everybody)))
    assert loading.load_files(loaded, [changed])[0].outcome == "accepted"  # on the very day
    done = invoke(replace(loaded, day=loaded.day + dt.timedelta(days=1)), "report", "flags", "--drawn", "1")
    assert done.exit_code == 0, done.output
    assert first.file.exists()
    again = inspecting.look_through(replace(loaded, day=loaded.day + dt.timedelta(days=1)), None, None, "", drawn=1)
    assert again.sample == first.sample
    unseal(again.file.read_bytes(), [inspecting.password(loaded)])
    assert invoke(loaded, "report", "flags", "--drawn", "3").exit_code == 2
    assert invoke(loaded, "report", "flags", "--drawn", "1", "--sample", "9", *BY).exit_code == 2


def test_a_sample_whose_paper_could_not_be_written_is_on_record_and_printed_later(
    loaded: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(inspecting, "write_private", full)
        with pytest.raises(OSError, match="disk full"):
            inspecting.look_through(loaded, 9, None, "测试员")
    found = inspecting.look_through(loaded, None, None, "", drawn=1)
    assert found.sample is not None
    assert found.sample.sample.size == 9
    assert found.file.exists()
