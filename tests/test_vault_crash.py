"""Killed at any moment of a load, a rekey, a purge, a backup or of building the scopes, the record opens, its chain is
whole, and it is exactly as before or exactly as after; the same command again brings it to its end.

Moments are those of `tests/test_issue_crash.py`. The tests have a few of each command, `make prove` has 200.
"""

import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from etl.campaign import Campaign
from etl.cli import keeping, upkeep
from etl.cli.run import Run
from etl.findings import FuxueError
from etl.home import Home
from etl.vault.files import connect, open_scope, scope_names
from etl.vault.keys import Keys
from etl.vault.open import Vault, known_keys
from etl.vault.scopes import mark_stale
from tests.conftest import at_due
from tests.test_issue_crash import again, case, die

PROVED = 200
COMMANDS = {
    "load": ("load",),
    "rekey": ("vault", "rekey", "{folder}/new.key", "--by", "甲"),
    "purge": ("vault", "purge", "--before", "2030-01-01", "--by", "甲"),
    "backup": ("vault", "backup", "--to", "{folder}/copy.db"),
    "scopes": ("status",),  # any command builds them anew where a load was interrupted before they were
}
#: Of how many links each command's record is, before and after: a load's workbooks come one by one.
LINKS = {"load": {1, 2, 3, 4}, "rekey": {4, 5}, "purge": {4, 5}, "backup": {4, 5}, "scopes": {4}}


@dataclass(frozen=True)
class Doomed:
    """A command, the home that it begins with, and its moments."""

    name: str
    home: Path
    words: tuple[str, ...]
    moments: tuple[str, ...]
    campaign: Campaign
    folder: Path


@pytest.fixture(scope="module")
def doomed(
    tmp_path_factory: pytest.TempPathFactory, issued_once: Path, loaded_once: Path, small: Campaign, small_folder: Path
) -> Callable[[str], Doomed]:
    made: dict[str, Doomed] = {}

    def make(name: str) -> Doomed:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            home = issued_once if name == "load" else loaded_once
            shutil.copytree(home, folder / "var")
            if name == "scopes":
                mark_stale(Home(folder / "var").scopes)
            run = at_due(folder / "var", small, small_folder)
            connect(upkeep.staff_file(run.home), run.keys.derive("file:staff"), create=True).close()
            words = ("--campaign", str(small_folder), *COMMANDS[name], "--as-of", str(small.reports_due))
            counted = case(folder, folder / "var", tuple(w.format(folder=folder) for w in words), name)
            _clear(folder)
            made[name] = Doomed(name, folder / "var", counted.command, counted.moments, small, small_folder)
        return made[name]

    return make


def _clear(folder: Path) -> None:
    """What a command leaves outside the home."""
    for path in (*folder.glob("*.key"), *folder.glob("*.db"), *folder.glob(".*.part")):
        path.unlink()


def run_of(given: Doomed, home: Path) -> Run:
    """A run over the home with whichever key opens it; FuxueError if none does."""
    run = at_due(home, given.campaign, given.folder)
    keys = [run.keys, *(Keys(path.read_bytes()) for path in given.home.parent.glob("*.key") if path.stat().st_size)]
    for one in keys:
        tried = Run(Home(home), given.folder, given.campaign, known_keys(run.home.vault, one), run.day, run.bar)
        try:
            tried.open_vault().close()
        except FuxueError as error:
            if error.key != "vault.cannot_open":
                raise
        else:
            return tried
    raise AssertionError("no key opens the record")


def people(vault: Vault) -> tuple[int, int]:
    db = vault.connection
    counts = [db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("child", "answer")]
    return counts[0], counts[1]


def assert_scopes(run: Run) -> None:
    """Every scope opens under the key that holds, and shows what is on record: nobody more, nothing older."""
    query = "SELECT count(*), count(category), max(coalesce(team, '')) FROM {}"
    with run.open_vault() as vault:
        told = "(SELECT a.category, a.team FROM child c LEFT JOIN current_answer a USING (issue, serial))"
        expected = vault.connection.execute(query.format(told)).fetchone()
    for scope in scope_names(run.home.scopes):
        connection = open_scope(run.home.scopes, scope, run.keys)
        if scope == "bureau":
            assert connection.execute(query.format("children")).fetchone() == expected
        connection.close()


def finish(given: Doomed, home: Path, at: int) -> None:
    """Kill before moment `at`, look, and run the command again to its end."""
    died = die(home, given.words, at)
    assert died.returncode == -9, (at, died.stderr)
    assert_whole_and_finish(given, home)


def assert_whole_and_finish(given: Doomed, home: Path) -> None:
    """After a run that was cut short: the record is as before or as after, and the command comes to its end now."""
    run = run_of(given, home)
    upkeep.settle(run)
    assert_scopes(run)
    if upkeep.staff_file(Home(given.home)).exists():
        connect(upkeep.staff_file(run.home), run.keys.derive("file:staff"), readonly=True).close()
    found = keeping.verified(run)
    assert found.breaks == ()
    assert found.links in LINKS[given.name], found.links
    vault = run.open_vault()
    children, answers = people(vault)
    vault.close()
    if given.name == "purge":
        assert (children, answers) in ((45, 45), (0, 0))
    elif given.name != "load":
        assert (children, answers) == (45, 45)
    copy = given.home.parent / "copy.db"
    if copy.exists():
        shutil.copyfile(copy, home.parent / "restored.db")
    words = given.words if given.name != "rekey" else ("--campaign", str(given.folder), "load")
    if run.keys.number:
        words = ("--key-file", str(given.home.parent / "new.key"), *words)
    done = again(home, words)
    # A purge that was finished has nobody left; a backup stands already.
    assert done.exit_code in ((0, 2) if given.name in ("purge", "backup") else (0,)), done.output
    after = run_of(given, home)
    assert keeping.verified(after).breaks == ()
    assert_scopes(after)
    assert not [path for path in after.home.private.rglob("*.rekey*")]


def each(given: Doomed, folder: Path, moments: Sequence[int]) -> None:
    for at in moments:
        home = folder / f"{given.name}-{at}" / "var"
        shutil.copytree(given.home, home)
        try:
            finish(given, home, at)
        except (AssertionError, FuxueError, OSError) as error:
            raise AssertionError(f"killed before moment {at}, {given.moments[at - 1]!r}") from error
        finally:
            _clear(given.home.parent)
        shutil.rmtree(home.parent)


def chosen(given: Doomed, count: int) -> list[int]:
    return sorted(random.Random(given.name).sample(range(1, len(given.moments) + 1), min(count, len(given.moments))))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_kill_leaves_the_record_as_before_or_as_after(
    doomed: Callable[[str], Doomed], name: str, tmp_path: Path
) -> None:
    given = doomed(name)
    each(given, tmp_path, chosen(given, 1))


@pytest.mark.prove
@pytest.mark.parametrize("name", COMMANDS)
def test_a_kill_at_two_hundred_moments(doomed: Callable[[str], Doomed], name: str, tmp_path: Path) -> None:
    given = doomed(name)
    moments = chosen(given, PROVED // len(COMMANDS))
    each(given, tmp_path, moments)
    print(f"{name}: {len(moments)} of {len(given.moments)} moments")
