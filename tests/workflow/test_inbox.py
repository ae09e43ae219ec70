"""The inbox holds only what was not loaded; a report that a newer one replaced never comes back by itself."""

import datetime as dt
import random
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from etl.cli.main import main
from etl.exchange.counts import Counts
from etl.findings import FuxueError
from etl.read import inbox
from etl.rulebook.campaign import Campaign
from etl.system.sealing import seal, unseal
from etl.vault.record.count import count
from etl.workflow import loading, reporting, upkeep
from etl.workflow.run import Run
from tests.support.books import ISSUE, UNIT, edit, plain, put, returned, setting
from tests.support.homes import at_due, put_in_place
from tests.support.killed import kill_before

LITTER = ("Thumbs.db", "desktop.ini", ".DS_Store", "~$donggang.xlsx", ".~lock.donggang.xlsx#", "x.tmp", "a.lnk")


def invoke(run: Run, *arguments: str) -> Result:
    given = ["--home", str(run.home.root), "--campaign", str(run.campaign_folder)]
    done = CliRunner().invoke(main, [*given, *arguments, "--as-of", run.day.isoformat()], env={"COLUMNS": "200"})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def counts(run: Run) -> Counts:
    with run.open_vault() as vault:
        return count(vault, run.campaign, run.day)


def version(run: Run, unit: str, moved: int) -> bytes:
    """The unit's workbook in which the first `moved` children are at work, the others as they were reported first."""
    cells = {f"{column}{row}": text for row in range(4, 4 + moved)
             for column, text in (("I", "K.打工务农"), ("J", "否"))}  # fmt: skip
    return seal(edit(plain(run, unit), setting(**cells)), run.keys.password(ISSUE, unit))


def test_what_was_accepted_leaves_the_inbox_for_its_units_folder(run: Run) -> None:
    sent = {unit: returned(run, unit).read_bytes() for unit in run.campaign.unit}
    assert {one.outcome for one in loading.load_files(run)} == {"accepted"}
    assert files(run.home.inbox) == []
    day = run.day.isoformat()
    units = sorted(run.campaign.unit)
    assert files(run.home.received) == [f"{ISSUE}/{unit}/{n:04d}-{day}.xlsx" for n, unit in enumerate(units, 1)]
    assert {unit: returned(run, unit).read_bytes() for unit in run.campaign.unit} == sent
    for folder in run.home.received.rglob("*"):
        assert folder.stat().st_mode & 0o077 == 0


def test_a_mended_report_is_not_taken_back_by_loading_again(run: Run) -> None:
    older, newer = version(run, UNIT, 0), version(run, UNIT, 3)
    (run.home.inbox / f"{UNIT}.xlsx").write_bytes(older)
    loading.load_files(run)
    (run.home.inbox / f"{UNIT}-feedback.xlsx").write_bytes(newer)
    loading.load_files(run)
    mended = counts(run)
    for content in (None, older, older):
        if content is not None:
            (run.home.inbox / f"{UNIT}.xlsx").write_bytes(content)
        loading.load_files(run)
        assert counts(run) == mended
    assert files(run.home.inbox) == []


def test_a_replaced_report_is_named_and_comes_back_only_if_it_is_asked_for(run: Run) -> None:
    older, newer = version(run, UNIT, 0), version(run, UNIT, 3)
    for other in run.home.inbox.iterdir():
        other.unlink()
    path = run.home.inbox / f"{UNIT}.xlsx"
    seen = []
    for content in (older, newer):
        path.write_bytes(content)
        loading.load_files(run, [path])
        seen.append(counts(run))
    path.write_bytes(older)
    done = invoke(run, "load")
    assert (done.exit_code, "已被替换 1" in done.output) == (0, True), done.output
    assert counts(run) == seen[1]
    kept = run.home.received / ISSUE / UNIT / f"0001-{run.day.isoformat()}.xlsx"
    assert invoke(run, "load", "--again").exit_code == 2
    done = invoke(run, "load", str(kept), "--again")
    assert (done.exit_code, "收下 1" in done.output) == (0, True), done.output
    assert counts(run) == seen[0]
    assert [path.read_bytes() for path in sorted((run.home.received / ISSUE / UNIT).iterdir())] == [older, newer, older]


def test_a_refused_report_goes_aside_and_is_checked_again_where_it_is(run: Run) -> None:
    put(run, edit(plain(run), setting(I4="N.不清楚")))
    (run.home.inbox / "note.xlsx").write_bytes(b"x")
    assert Counter(one.outcome for one in loading.load_files(run)) == {"accepted": 2, "refused": 2}
    day = run.day.isoformat()
    assert files(run.home.inbox) == []
    assert files(run.home.refused) == [f"{ISSUE}/{UNIT}/0001-{day}.xlsx", f"{inbox.NAMELESS}/0003-{day}.xlsx"]
    (again,) = loading.load_files(run, [run.home.refused / ISSUE / UNIT / f"0001-{day}.xlsx"])
    assert again.outcome == "refused"
    assert len(files(run.home.refused)) == 2
    made = reporting.feedback(run, [], None)
    assert [(one.checked.unit, one.checked.file) for one in made if one.file] == [(UNIT, f"{UNIT}.xlsx")]


def test_sub_folders_are_read_and_litter_is_left_alone(run: Run) -> None:
    stick = run.home.inbox / "U盘" / "3月15日"
    stick.mkdir(parents=True)
    (run.home.inbox / f"{UNIT}.xlsx").rename(stick / f"{UNIT}.xlsx")
    for name in LITTER:
        (stick / name).write_bytes(b"x")
    (run.home.inbox / "__MACOSX").mkdir()
    (run.home.inbox / "__MACOSX" / "donggang.xlsx").write_bytes(b"x")
    assert Counter(one.outcome for one in loading.load_files(run)) == {"accepted": 3}
    assert {Path(name).name for name in files(run.home.inbox)} == {*LITTER, "donggang.xlsx"}
    assert loading.load_files(run) == []
    upkeep.delete_individuals(run, dt.date(2030, 1, 1), "保管人甲")
    assert len(files(run.home.inbox)) == len(LITTER) + 1


def test_status_says_what_was_not_loaded(run: Run) -> None:
    (run.home.inbox / "Thumbs.db").write_bytes(b"x")
    assert "3 个文件尚未载入" in invoke(run, "status").output
    loading.load_files(run)
    assert "尚未载入" not in invoke(run, "status").output


def test_a_file_from_elsewhere_is_copied_and_stays(run: Run, tmp_path: Path) -> None:
    stick = Path(shutil.move(run.home.inbox / f"{UNIT}.xlsx", tmp_path))
    content = stick.read_bytes()
    assert loading.load_files(run, [stick])[0].outcome == "accepted"
    assert stick.read_bytes() == returned(run).read_bytes() == content
    assert returned(run).stat().st_mode & 0o077 == 0


def test_a_run_that_died_before_it_put_a_file_away_is_ended_by_the_next(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(inbox, "move_away", stop)
        with pytest.raises(KeyboardInterrupt):
            loading.load_files(run)
    before = counts(run)
    assert all(unit.reported for unit in before.units)
    assert Counter(one.outcome for one in loading.load_files(run)) == {"known": 3}
    assert counts(run) == before
    assert (files(run.home.inbox), len(files(run.home.received))) == ([], 3)


def rivals(run: Run) -> list[Path]:
    """Two versions of one unit's report, both in the inbox, nothing else there."""
    contents = [version(run, UNIT, 0), version(run, UNIT, 3)]
    for other in run.home.inbox.iterdir():
        other.unlink()
    paths = [run.home.inbox / f"{UNIT}.xlsx", run.home.inbox / f"{UNIT}-feedback.xlsx"]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths


def test_two_versions_at_once_stay_until_a_person_takes_one_away(run: Run) -> None:
    older, newer = rivals(run)
    for _ in range(2):
        assert [one.outcome for one in loading.load_files(run)] == ["refused", "refused"]
        assert older.exists()
        assert newer.exists()
    older.unlink()
    assert [one.outcome for one in loading.load_files(run)] == ["accepted"]


def test_a_kill_between_two_versions_accepts_neither(run: Run) -> None:
    rivals(run)
    moments = kill_before(run.home.root, 0, lambda: loading.load_files(run))
    assert moments > 0
    for part in range(1, 6):
        kill_before(run.home.root, moments * part // 6, lambda: loading.load_files(run))
        assert [one.outcome for one in loading.load_files(run)] == ["refused", "refused"]
    assert len(files(run.home.inbox)) == 2


def test_what_cannot_be_read_was_never_loaded_and_no_purge_takes_it(loaded: Run) -> None:
    (loaded.home.inbox / "empty.xlsx").touch()
    loading.load_files(loaded)
    link = loaded.home.inbox / "donggang.xlsx"
    link.symlink_to("/nowhere/stick/donggang.xlsx")
    assert [one.outcome for one in loading.load_files(loaded)] == ["refused"]
    assert "1 个文件尚未载入" in invoke(loaded, "status").output
    with pytest.raises(FuxueError, match=r"purge\.inbox"):
        upkeep.delete_individuals(loaded, dt.date(2030, 1, 1), "保管人甲")
    assert link.is_symlink()


def test_one_file_that_cannot_be_moved_is_named_and_stops_no_other(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    really = Path.replace

    def closed(self: Path, target: Path) -> Path:
        if self.name == f"{UNIT}.xlsx":
            raise PermissionError(13, "Permission denied", str(self))
        return really(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", closed)
        done = invoke(run, "load")
    assert (done.exit_code, "收下 3" in done.output, "不能移出原处" in done.output) == (0, True, True), done.output
    assert files(run.home.inbox) == [f"{UNIT}.xlsx"]
    assert [one.outcome for one in loading.load_files(run)] == ["known"]
    assert files(run.home.inbox) == []


def test_of_a_link_the_report_is_kept_and_not_the_way_to_it(run: Run, tmp_path: Path) -> None:
    stick = Path(shutil.move(run.home.inbox / f"{UNIT}.xlsx", tmp_path))
    (run.home.inbox / f"{UNIT}.xlsx").symlink_to(stick)
    content = stick.read_bytes()
    loading.load_files(run)
    assert not returned(run).is_symlink()
    assert returned(run).read_bytes() == stick.read_bytes() == content
    assert files(run.home.inbox) == []


def test_a_file_of_the_inbox_is_moved_however_it_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.home.private)
    assert invoke(run, "load", f"inbox/{UNIT}.xlsx").exit_code == 0
    assert not (run.home.inbox / f"{UNIT}.xlsx").exists()


def test_nothing_that_was_kept_is_overwritten_after_the_record_was_lost(run: Run, tmp_path: Path) -> None:
    """A backup from before any report is put back over a record that is gone: numbers go on above the files."""
    copy, _ = upkeep.back_up(run, tmp_path / "copy.db")
    first = version(run, UNIT, 0)
    for other in run.home.inbox.iterdir():
        other.unlink()
    (run.home.inbox / f"{UNIT}.xlsx").write_bytes(first)
    loading.load_files(run)
    run.home.vault.unlink()
    upkeep.restore(run, copy, None)
    assert [path.read_bytes() for path in run.home.inbox.iterdir()] == [first], (
        "what the copy does not know is loaded anew"
    )
    shutil.copy(next(run.home.inbox.iterdir()), tmp_path / "first.xlsx")
    for other in run.home.inbox.iterdir():
        other.unlink()
    kept = run.home.received / ISSUE / UNIT / f"0001-{run.day.isoformat()}.xlsx"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(first)
    (run.home.inbox / f"{UNIT}.xlsx").write_bytes(version_of(run, first, 3))
    loading.load_files(run)
    assert kept.read_bytes() == first
    assert len(files(run.home.received)) == 2


def version_of(run: Run, content: bytes, moved: int) -> bytes:
    """Another version of a report, of which the first `moved` children are at work."""
    password = run.keys.password(ISSUE, UNIT)
    cells = {f"{column}{row}": text for row in range(4, 4 + moved)
             for column, text in (("I", "K.打工务农"), ("J", "否"))}  # fmt: skip
    return seal(edit(unseal(content, [password]).plain, setting(**cells)), password)


@dataclass(frozen=True)
class Arrivals:
    """Which files come on each of five days: (folder of the inbox, name, content)."""

    days: Sequence[Sequence[tuple[str, str, bytes]]]
    newest: Mapping[str, bytes]


def arrivals(versions: Mapping[str, Sequence[bytes]], draw: random.Random) -> Arrivals:
    """A unit's versions on days of their own, in their order, and old ones that come again at any later time."""
    days: list[list[tuple[str, str, bytes]]] = [[] for _ in range(5)]
    newest = {}
    for unit, all_ in versions.items():
        came = sorted(draw.sample(range(5), draw.randint(1, 4)))
        for day, content in zip(came, all_, strict=False):
            days[day].append((draw.choice(["", "a", "a/b"]), f"{unit}-{draw.random()}.xlsx", content))
            newest[unit] = content
            for later in range(day, 5):
                if draw.random() < 0.4:
                    days[later].append((draw.choice(["", "b"]), f"{draw.random()}.xlsx", content))
    return Arrivals(days, newest)


def play(run: Run, given: Arrivals, draw: random.Random, moments: int) -> Run:
    """Five days: what has come is loaded by a run that is killed at some moment, and then by one that is not."""
    for number, day in enumerate(given.days):
        for folder, name, content in day:
            (run.home.inbox / folder).mkdir(parents=True, exist_ok=True)
            (run.home.inbox / folder / name).write_bytes(content)
        run = replace(run, day=run.day + dt.timedelta(days=min(number, 1)))
        today = run
        kill_before(run.home.root, draw.randint(1, moments), lambda: loading.load_files(today))  # noqa: B023
        loading.load_files(run)
    return run


@pytest.fixture(scope="module")
def versions(
    issued_once: Path, tmp_path_factory: pytest.TempPathFactory, small: Campaign, small_folder: Path
) -> tuple[Path, Mapping[str, Sequence[bytes]], int]:
    """A home whose inbox is empty, four versions of each unit's report, and how many moments a load of one has."""
    root = tmp_path_factory.mktemp("arrivals") / "var"
    shutil.copytree(issued_once, root)
    run = at_due(root, small, small_folder)
    made = {unit: [version(run, unit, moved) for moved in range(4)] for unit in small.unit}
    for path in run.home.inbox.iterdir():
        path.unlink()
    counted = tmp_path_factory.mktemp("counted") / "var"
    shutil.copytree(root, counted)
    other = at_due(counted, small, small_folder)
    put_first = other.home.inbox / f"{UNIT}.xlsx"
    put_first.write_bytes(made[UNIT][0])
    return root, made, kill_before(counted, 0, lambda: loading.load_files(other))


def assert_as_if_only_the_newest_had_come(
    run: Run, versions: tuple[Path, Mapping[str, Sequence[bytes]], int], seed: int
) -> None:
    home, made, moments = versions
    draw = random.Random(f"arrivals {seed}")
    given = arrivals(made, draw)
    single = put_in_place(run, home)
    for unit, content in given.newest.items():
        (single.home.inbox / f"{unit}.xlsx").write_bytes(content)
    loading.load_files(single)
    last = replace(run, day=run.day + dt.timedelta(days=4))
    expected = counts(replace(single, day=last.day))
    played = play(put_in_place(run, home), given, draw, moments)
    assert counts(played) == expected, seed
    assert upkeep.verify_record(played).breaks == ()
    assert files(played.home.inbox) == files(played.home.refused) == []
    kept = [path.read_bytes() for path in played.home.received.rglob("*.xlsx")]
    assert len(kept) == len(set(kept)), "a version was recorded twice"
    assert set(kept) == {content for day in given.days for _, _, content in day}


def test_a_file_gets_a_number_above_those_of_all_files_that_were_kept(run: Run) -> None:
    """Also of files that the record no longer knows: nothing is named as one of them was."""
    kept = run.home.received / "20190101-01" / "xiling" / "0042-2019-01-01.xlsx"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"x")
    loading.load_files(run)
    numbers = sorted(path.name[:4] for path in run.home.received.rglob("*.xlsx"))
    assert numbers == ["0042", "0043", "0044", "0045"]


@pytest.mark.parametrize("seed", range(2))
def test_whatever_arrives_in_five_days_of_killed_loads_the_newest_counts(
    run: Run, versions: tuple[Path, Mapping[str, Sequence[bytes]], int], seed: int
) -> None:
    assert_as_if_only_the_newest_had_come(run, versions, seed)


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(2, 202))
def test_two_hundred_random_arrivals(
    run: Run, versions: tuple[Path, Mapping[str, Sequence[bytes]], int], seed: int
) -> None:
    assert_as_if_only_the_newest_had_come(run, versions, seed)
