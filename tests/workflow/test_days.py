"""The day of a command is asked about where it is doubtful: before the newest on record, or not come yet."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from etl.cli import console
from etl.cli.main import main
from etl.findings import FuxueError
from etl.system.home import Home
from etl.vault.store import chain
from etl.workflow import inspecting, issuing, loading, recording, upkeep
from etl.workflow.run import Run, question_of_day
from tests.support.books import ISSUE, UNIT, edit, plain, put, setting

FIRST, TODAY = dt.date(2020, 3, 16), dt.date(2020, 3, 20)
WRITERS: dict[str, Callable[[Run], object]] = {
    "load": lambda run: loading.load_files(run),
    "lock": lambda run: inspecting.lock_base(run, "测试员"),
    "backup": lambda run: upkeep.back_up(run, None),
    "purge": lambda run: upkeep.delete_individuals(run, dt.date(2030, 1, 1), "测试员"),
    "rekey": lambda run: upkeep.change_key(run, run.home.root.parent / "new.key", "测试员"),
    "signature": lambda run: recording.record_signature(run, "xiling", "verification", [], "测试员"),
    "sample": lambda run: inspecting.look_through(run, 9, 5, "测试员"),
    "upgrade": lambda run: upkeep.upgrade(run),
    "issue": lambda run: issuing.issue_form(run, "cases", None),
}


@pytest.mark.parametrize(("day", "question"), [
    (dt.date(2020, 3, 15), "day.earlier"), (FIRST, None), (dt.date(2020, 3, 19), None), (TODAY, None),
    (dt.date(2020, 3, 21), "day.not_yet"), (dt.date(9999, 1, 1), "day.not_yet"), (dt.date(1, 1, 1), "day.earlier"),
])  # fmt: skip
def test_a_day_is_doubtful_before_the_newest_on_record_and_after_today(day: dt.date, question: str | None) -> None:
    asked = question_of_day(day, FIRST, TODAY)
    assert (asked.key if asked else None) == question


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("day", [dt.date(2020, 3, 1), dt.date(9999, 12, 31)])
def test_nothing_is_recorded_on_a_doubtful_day_unless_it_is_agreed_to(loaded: Run, name: str, day: dt.date) -> None:
    before = loaded.home.vault.read_bytes()
    with pytest.raises(FuxueError, match=r"day\.(earlier|not_yet)"):
        WRITERS[name](replace(loaded, day=day))
    assert loaded.home.vault.read_bytes() == before
    assert not (loaded.home.root.parent / "new.key").exists()


def invoke(run: Run, *arguments: str) -> Result:
    given = ["--home", str(run.home.root), "--campaign", str(run.campaign_folder)]
    return CliRunner().invoke(main, [*given, *arguments])


def test_the_command_line_says_how_to_go_on_and_does_if_told_to(loaded: Run) -> None:
    arguments = (
        "record",
        "signature",
        "--unit",
        "xiling",
        "--act",
        "verification",
        "--by",
        "甲",
        "--as-of",
        "2020-03-01",
    )
    done = invoke(loaded, *arguments)
    assert (done.exit_code, "--yes" in done.output, "2020-03-16" in done.output) == (2, True, True)
    done = invoke(loaded, *arguments, "--yes")
    assert done.exit_code == 0, done.output
    with loaded.open_vault() as vault:
        newest = chain.head(vault.connection)
    assert newest is not None
    assert newest.day == "2020-03-01"


@pytest.mark.parametrize(("answer", "goes_on"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_a_person_at_the_terminal_is_asked(monkeypatch: pytest.MonkeyPatch, answer: str, goes_on: bool) -> None:
    monkeypatch.setattr("click.confirm", lambda *_, **__: answer.startswith("y"))
    question = FuxueError("day.earlier", day=FIRST, first=TODAY)
    assert not console.asked(question)  # nobody is at the terminal
    for stream in ("stdin", "stderr"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True, raising=False)
    assert console.asked(question) is goes_on


def test_reading_commands_do_not_ask(loaded: Run) -> None:
    assert invoke(loaded, "status", "--as-of", "2020-03-01").exit_code == 0


def test_the_base_is_locked_as_it_stood_on_the_day(loaded: Run) -> None:
    later = replace(loaded, day=loaded.day + dt.timedelta(days=3))
    with loaded.open_vault() as vault:
        deducted = vault.connection.execute("SELECT count(*) FROM current_answer WHERE category < 'I'").fetchone()[0]
    cells = {f"{column}{row}": text for row in range(4, 7) for column, text in (("I", "K.打工务农"), ("J", "否"))}
    assert loading.load_files(later, [put(later, edit(plain(later), setting(**cells)))])[0].outcome == "accepted"
    asked_back = replace(loaded, agree=lambda _: True)
    lock = inspecting.lock_base(asked_back, "测试员")
    assert (lock.day, lock.deducted, lock.suspected, lock.unverified) == (loaded.day, deducted, 45, 0)
    _, changes = inspecting.base_changes(loaded)
    assert {change.unit for change in changes} == {UNIT}


def test_an_answer_after_the_day_of_the_lock_is_a_change_whatever_came_on_record_later(loaded: Run) -> None:
    """A workbook that came on an earlier day may have the higher number, if somebody agreed to that day."""
    cells = {f"{column}{row}": text for row in range(4, 7) for column, text in (("I", "K.打工务农"), ("J", "否"))}
    later = replace(loaded, day=loaded.day + dt.timedelta(days=3))
    assert loading.load_files(later, [put(later, edit(plain(later), setting(**cells)))])[0].outcome == "accepted"
    asked_back = replace(loaded, agree=lambda _: True)
    other = "xiling"
    book = put(asked_back, plain(asked_back, other), password=asked_back.keys.password(ISSUE, other))
    loading.load_files(asked_back, [book], again=True)
    inspecting.lock_base(asked_back, "测试员")
    _, changes = inspecting.base_changes(loaded)
    assert {change.unit for change in changes} == {UNIT}


def test_a_base_is_not_locked_before_anything_was_handed_out(loaded: Run) -> None:
    before = replace(loaded, day=dt.date(2020, 3, 1), agree=lambda _: True)
    with pytest.raises(FuxueError, match=r"issue\.none"):
        inspecting.lock_base(before, "测试员")


def test_the_newest_day_counts_and_not_the_newest_link(loaded: Run) -> None:
    agreed = replace(loaded, day=dt.date(2020, 3, 10), agree=lambda _: True)
    recording.record_deliverable(agreed, "xiling", "annex4", "paper", "甲", signed=True)
    with pytest.raises(FuxueError, match=r"day\.earlier"):
        recording.record_deliverable(
            replace(loaded, day=dt.date(2020, 3, 12)), "xiling", "annex5", "paper", "甲", signed=True
        )


def test_a_list_that_is_refused_for_its_day_leaves_no_record(run: Run, tmp_path: Path) -> None:
    fresh = replace(run, home=Home(tmp_path / "fresh"), day=dt.date(2020, 1, 1))
    with pytest.raises(FuxueError, match=r"day\.earlier"):
        issuing.issue_list(fresh, run.home.private / "list.xlsx")
    assert not fresh.home.vault.exists()
