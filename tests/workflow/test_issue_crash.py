"""Killed with SIGKILL at any moment, issuing leaves no issue or a whole one, and the next run brings it to its end.

A moment is everything that touches the home: a file or folder that is opened, made, listed, renamed or removed, a sync,
a statement of the record or of a scope. Issuing runs in a process of its own, which counts them and dies before the
n-th. The tests have a seeded moment of every other stretch; `make prove` has every moment.
"""

import json
import random
import shutil
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from etl.findings import FuxueError
from etl.issue.outbox import MANIFEST
from etl.issue.receipts import RECEIPTS
from etl.read.cells import parse_workbook
from etl.rulebook.campaign import Campaign
from etl.system.home import Home
from etl.system.sealing import unseal
from etl.vault.record import issued
from etl.vault.scopes.contents import scopes
from etl.vault.store import files
from etl.vault.store.keys import demo_master, new_key, read_key
from etl.workflow import loading, synthesizing
from etl.workflow.run import Run
from tests.support.books import row_of, write_list
from tests.support.doomed import Case, again, case, die
from tests.support.homes import SEED, silent_bar

CHILDREN = 12
#: Stretches of a run, each of which has about as many moments.
PARTS = 12

#: Where a first run dies, by what it leaves to the second: all is sealed, or it is on record, too, but still aside.
DIED = {
    "sealed": "open /private/outbox/.20200302-01.new/.manifest.json.part",
    "recorded": "os.rename /private/outbox/.20200302-01.new",
}


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The master key, on a device of its own."""
    path = tmp_path_factory.mktemp("device") / "master.key"
    new_key(path, demo_master(SEED))
    return path


@pytest.fixture(scope="module")
def run_in(small_folder: Path, small: Campaign, key: Path) -> Callable[[Path], Run]:
    """A run over any home."""
    return lambda home: Run(Home(home), small_folder, small, read_key(key), small.reports_due, silent_bar)


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory, small_folder: Path, small: Campaign, key: Path) -> Case:
    """The province's list of twelve children, to be issued in a home that is not there yet."""
    folder = tmp_path_factory.mktemp("listed")
    (folder / "var").mkdir()
    synthesizing.synthesize_list(small, folder / "list.xlsx", CHILDREN, SEED, "default")
    command = ("issue", str(folder / "list.xlsx"), "--as-of", str(small.noticed))
    common = ("--campaign", str(small_folder), "--key-file", str(key))
    return case(folder, folder / "var", (*common, *command), "annex4")


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory, listed: Case, run_in: Callable[[Path], Run]) -> Case:
    """The departments' corrections, to be issued after every unit has answered."""
    folder = tmp_path_factory.mktemp("answered")
    home = folder / "var"
    assert again(home, listed.command).exit_code == 0
    run = run_in(home)
    filled = synthesizing.synthesize_fill(run, CHILDREN, SEED, "default")
    assert [one.outcome for one in loading.load_files(run, filled)] == ["accepted"] * len(run.campaign.units)
    command = ("issue", "--form", "corrections", "--as-of", str(run.day))
    return case(folder, home, (*listed.command[:4], *command), "corrections")


@pytest.fixture(scope="module", params=["sealed", "recorded"])
def interrupted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, listed: Case) -> Case:
    """The same list again, in a home where a first run died."""
    state: str = request.param
    folder = tmp_path_factory.mktemp(state)
    home = folder / "var"
    home.mkdir()
    assert die(home, listed.command, listed.at(DIED[state])).returncode == -signal.SIGKILL
    return case(folder, home, listed.command, listed.form)


@dataclass(frozen=True)
class Look:
    """What a home holds: issues on record by form, folders for all to see, and folders aside."""

    recorded: dict[str, str]
    shown: tuple[str, ...]
    hidden: tuple[str, ...]


def look(home: Path, scratch: Path, run: Callable[[Path], Run]) -> Look:
    """Look at a copy: opening a record rolls back what was not committed, which is the next run's to do."""
    shutil.copytree(home, scratch)
    try:
        recorded = _recorded(run(scratch)) if (scratch / "private/vault.db").exists() else {}
        names = sorted(path.name for path in (scratch / "private/outbox").glob("*"))
    finally:
        shutil.rmtree(scratch)
    return Look(recorded, tuple(n for n in names if n[0] != "."), tuple(n for n in names if n[0] == "."))


def _recorded(run: Run) -> dict[str, str]:
    with run.open_vault() as vault:
        return {row[0]: row[1] for row in vault.connection.execute("SELECT id, form FROM issue")}


def assert_complete(run: Run, issue: str, folder: Path) -> None:
    """Every workbook of the issue lies in `folder`, is the one on record, opens, and holds the rows on record."""
    with run.open_vault() as vault:
        bundles = {to: b for (name, to), b in issued.issued(vault, run.campaign).items() if name == issue}
        marks = {to: mark for mark, (name, to) in issued.fingerprints(vault).items() if name == issue}
    assert set(bundles) == set(marks)
    wanted = {bundle.file for bundle in bundles.values()} | {RECEIPTS, MANIFEST}
    assert {path.name for path in folder.iterdir()} == wanted
    for to, bundle in bundles.items():
        sealed = (folder / bundle.file).read_bytes()
        assert run.file_mark(sealed) == marks[to]
        submission = parse_workbook(unseal(sealed, [run.keys.password(issue, to)]).plain, run.campaign.limits)
        back = [{key: row[key].text for key in given} for given, row in zip(bundle.rows, submission.rows, strict=True)]
        assert back == [dict(row) for row in bundle.rows]
    listed = json.loads((folder / MANIFEST).read_text("utf-8"))["workbooks"]
    assert {one["file"]: one["fingerprint"] for one in listed} == {b.file: marks[to].hex() for to, b in bundles.items()}
    assert (folder / RECEIPTS).read_bytes().startswith(b"PK")


def assert_scopes_current(run: Run) -> None:
    """Every scope has its file, which opens and holds the children on record."""
    with run.open_vault() as vault:
        wanted = [row[0] for row in vault.connection.execute("SELECT serial FROM child ORDER BY issue, serial")]
    assert set(files.scope_names(run.home.scopes)) == set(scopes(run.campaign))
    found = []
    for unit in run.campaign.unit:
        scope = files.open_scope(run.home.scopes, unit, run.keys)
        found += [row[0] for row in scope.execute("SELECT serial FROM children")]
        scope.close()
    assert sorted(found) == wanted


def assert_clean(home: Path) -> None:
    """Nothing half made is left anywhere."""
    left = {path.name for path in (home / "private").rglob("*") if path.name[0] == "." or "journal" in path.name}
    assert left <= {".lock"}


def content(home: Path) -> dict[str, bytes]:
    return {str(p.relative_to(home)): p.read_bytes() if p.is_file() else b"" for p in home.rglob("*")}


def interrupt(given: Case, home: Path, at: int, run: Callable[[Path], Run]) -> Look:
    """Kill the command before a moment. What is seen is on record, and what is on record is whole."""
    died = die(home, given.command, at)
    assert (died.returncode, died.stderr.split("\n")[0]) == (-signal.SIGKILL, given.moments[at - 1])
    seen = look(home, home.with_name("scratch"), run)
    assert set(seen.shown) <= set(seen.recorded)
    for name in seen.recorded:
        # Sealed before it is put on record: in its place, or still aside.
        folder = home / "private/outbox" / (name if name in seen.shown else f".{name}.new")
        copy = home.with_name("scratch")
        shutil.copytree(home, copy)
        try:
            assert_complete(run(copy), name, folder)
        finally:
            shutil.rmtree(copy)
    return seen


def finish(given: Case, home: Path, seen: Look, run: Callable[[Path], Run]) -> None:
    """A second run leaves exactly one issue of the form, whole; a third has nothing to do and changes nothing."""
    before = {name for name, form in seen.recorded.items() if form == given.form}
    second = again(home, given.command)
    # An issue that was in its place already is not issued again: that is all there is to say.
    assert second.exit_code == (2 if before & set(seen.shown) else 0), second.output
    now = run(home)
    names = [name for name, form in _recorded(now).items() if form == given.form]
    assert len(names) == 1
    assert before <= set(names)
    outbox = home / "private/outbox"
    assert sorted(path.name for path in outbox.iterdir()) == sorted(_recorded(now))
    for name in _recorded(now):
        assert_complete(now, name, outbox / name)
    assert_clean(home)
    assert_scopes_current(now)
    left = content(home)
    third = again(home, given.command)
    assert third.exit_code == 2
    assert names[0] in third.output
    assert content(home) == left


def each(given: Case, tmp_path: Path, run: Callable[[Path], Run], moments: Sequence[int]) -> None:
    """Interrupt and finish at some moments, each in a fresh copy of the home."""
    for at in moments:
        home = tmp_path / f"{at:04d}" / "var"
        shutil.copytree(given.home, home)
        try:
            finish(given, home, interrupt(given, home, at, run), run)
        except (AssertionError, FuxueError, OSError) as error:
            raise AssertionError(f"killed before moment {at}, {given.moments[at - 1]!r}") from error
        shutil.rmtree(home.parent)


def stretch(given: Case, part: int) -> range:
    """Numbers, from 1, of the moments of one of `PARTS` stretches."""
    total = len(given.moments)
    return range(part * total // PARTS + 1, (part + 1) * total // PARTS + 1)


def sample(given: Case, part: int) -> list[int]:
    """One moment of a stretch, by chance that always falls the same."""
    return [random.Random(f"crash:{given.form}:{part}").choice(stretch(given, part))]


def test_the_moments_are_those_that_matter(listed: Case, answered: Case) -> None:
    for given in (listed, answered):
        kinds = {moment.split()[0] for moment in given.moments}
        assert kinds >= {"open", "os.rename", "os.mkdir", "os.scandir", "fsync", "sql"}
        assert {"sql COMMIT", "the end"} <= set(given.moments)


@pytest.mark.parametrize("part", range(1, PARTS, 5))
def test_a_kill_while_a_list_is_issued_leaves_no_issue_or_a_whole_one(
    listed: Case, part: int, tmp_path: Path, run_in: Callable[[Path], Run]
) -> None:
    each(listed, tmp_path, run_in, sample(listed, part))


@pytest.mark.parametrize("part", range(3, PARTS, 6))
def test_a_kill_while_corrections_are_issued_leaves_no_issue_or_a_whole_one(
    answered: Case, part: int, tmp_path: Path, run_in: Callable[[Path], Run]
) -> None:
    each(answered, tmp_path, run_in, sample(answered, part))


@pytest.mark.parametrize("part", [4])
def test_a_kill_while_an_interrupted_issue_is_brought_to_its_end_does_no_harm(
    interrupted: Case, part: int, tmp_path: Path, run_in: Callable[[Path], Run]
) -> None:
    each(interrupted, tmp_path, run_in, sample(interrupted, part))


def test_other_work_after_a_killed_supplement_brings_that_to_its_end_too(
    answered: Case, tmp_path: Path, run_in: Callable[[Path], Run]
) -> None:
    home, paper = tmp_path / "var", tmp_path / "supplement.xlsx"
    shutil.copytree(answered.home, home)
    supplement = (*answered.command[:4], "issue", str(write_list(paper, [row_of("901"), row_of("902")])))
    command = (*supplement, "--as-of", "2020-03-16")
    given = case(tmp_path, home, command, "annex4")
    seen = interrupt(given, home, given.at("os.rename /private/outbox/.20200316-02.new"), run_in)
    assert (len(seen.recorded), seen.shown, seen.hidden) == (2, ("20200302-01",), (".20200316-02.new",))
    assert again(home, answered.command).exit_code == 0
    run = run_in(home)
    assert sorted(path.name for path in run.home.outbox.iterdir()) == ["20200302-01", "20200316-02", "20200316-03"]
    assert_complete(run, "20200316-02", run.home.outbox / "20200316-02")
    assert_scopes_current(run)


@pytest.mark.prove
@pytest.mark.parametrize("part", range(PARTS))
def test_a_kill_at_every_moment_of_a_lists_issue(
    listed: Case, part: int, tmp_path: Path, run_in: Callable[[Path], Run]
) -> None:
    each(listed, tmp_path, run_in, stretch(listed, part))


@pytest.mark.prove
@pytest.mark.parametrize("part", range(PARTS))
def test_a_kill_at_every_moment_of_a_corrections_issue(
    answered: Case, part: int, tmp_path: Path, run_in: Callable[[Path], Run]
) -> None:
    each(answered, tmp_path, run_in, stretch(answered, part))


@pytest.mark.prove
@pytest.mark.parametrize("part", range(PARTS))
def test_a_kill_at_many_moments_of_a_second_run(
    interrupted: Case, part: int, tmp_path: Path, run_in: Callable[[Path], Run]
) -> None:
    # Whatever touches what the first run left, and every third of those that it has in common with a first run.
    moments = [
        at for at in stretch(interrupted, part)
        if at <= 40 or "outbox" in interrupted.moments[at - 1] or at % 3 == 0
    ]  # fmt: skip
    each(interrupted, tmp_path, run_in, moments)
