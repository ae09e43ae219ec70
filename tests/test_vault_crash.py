"""Killed at any moment of a load, a rekey, a purge, a backup, a restoration, an upgrade or of building the scopes, the
record opens, its chain is whole, and it is exactly as before or exactly as after; the same command again brings it to
its end. The home holds all that a home can: staff accounts, corrections, cases, a locked base, a release.

Moments are those of `tests/test_issue_crash.py`. The tests have a few of each command, `make prove` has 200.
"""

import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from etl.findings import FuxueError
from etl.rulebook.campaign import Campaign
from etl.system.home import Home
from etl.vault.scopes.scope_files import mark_stale
from etl.vault.store.files import connect, open_scope, scope_names
from etl.vault.store.keys import Keys
from etl.vault.store.open import Vault, known_keys
from etl.workflow import recovery, synthesizing, upkeep
from etl.workflow.run import Run
from tests.conftest import ACCOUNTS, at_due
from tests.test_chain import old_home
from tests.test_issue_crash import again, case, die

PROVED = 210
COMMANDS = {
    "load": ("load",),
    "rekey": ("vault", "rekey", "{folder}/new.key", "--by", "甲"),
    "purge": ("vault", "purge", "--before", "2030-01-01", "--by", "甲"),
    "backup": ("vault", "backup", "--to", "{folder}/copy.db"),
    "restore": ("vault", "restore", "{folder}/kept/earlier.db", "--yes"),
    "upgrade": ("vault", "upgrade"),
    "scopes": ("status",),  # any command builds them anew where a load was interrupted before they were
}
#: Of how many links each command's record is, before and after: a load's workbooks come one by one.
LINKS = {"load": {9, 10, 11, 12}, "rekey": {9, 10}, "purge": {9, 10}, "backup": {9, 10}, "restore": {9, 7},
         "upgrade": {10}, "scopes": {9}}  # fmt: skip


@dataclass(frozen=True)
class Doomed:
    """A command, the home that it begins with, and its moments."""

    name: str
    home: Path
    words: tuple[str, ...]
    moments: tuple[str, ...]
    campaign: Campaign
    folder: Path


def prepare(name: str, folder: Path, full: tuple[Path, Path], campaign: Campaign, campaign_folder: Path) -> Run:
    """The home with which a command begins, in `folder`, beside the copy that is restored."""
    home, earlier = full
    shutil.copytree(home, folder / "var")
    (folder / "kept").mkdir()
    shutil.copyfile(earlier, folder / "kept" / "earlier.db")
    run = at_due(folder / "var", campaign, campaign_folder)
    if name == "scopes":
        mark_stale(run.home.scopes)
    if name == "load":
        synthesizing.synthesize_fill(run, 45, 99, "default")
    if name == "upgrade":
        shutil.rmtree(run.home.released)
        old_home(run, 5, Path(__file__).parent / "fixtures" / "schemas")
    return run


def words_of(name: str, folder: Path, campaign: Campaign, campaign_folder: Path) -> tuple[str, ...]:
    words = (word.format(folder=folder) for word in COMMANDS[name])
    return ("--campaign", str(campaign_folder), *words, "--as-of", str(campaign.reports_due))


@pytest.fixture(scope="module")
def doomed(
    tmp_path_factory: pytest.TempPathFactory, full_once: tuple[Path, Path], loaded_once: Path, small: Campaign,
    small_folder: Path,
) -> Callable[[str], Doomed]:  # fmt: skip
    made: dict[str, Doomed] = {}

    def make(name: str) -> Doomed:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            prepare(name, folder, full_once, small, small_folder)
            words = words_of(name, folder, small, small_folder)
            counted = case(folder, folder / "var", words, name)
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


def assert_accounts(run: Run) -> None:
    """Whoever had an account has it."""
    staff = connect(recovery.staff_file(run.home), run.keys.derive("file:staff"), readonly=True)
    names = {name for (name,) in staff.execute("SELECT username FROM datasette_accounts_users")}
    staff.close()
    assert names == set(ACCOUNTS)


def finish(given: Doomed, home: Path, at: int) -> None:
    """Kill before moment `at`, look, and run the command again to its end."""
    died = die(home, given.words, at)
    assert died.returncode == -9, (at, died.stderr)
    assert_ended(given, home)


def assert_ended(given: Doomed, home: Path) -> None:
    """After a run that was cut short: all is as before or as after, and the command comes to its end now."""
    if given.name == "upgrade":
        assert_upgraded_or_not(given, home)
    else:
        assert_whole_and_finish(given, home)


def assert_upgraded_or_not(given: Doomed, home: Path) -> None:
    """The record is of the older version, and can be upgraded, or of this one; never between both."""
    run = at_due(home, given.campaign, given.folder)
    try:
        run.open_vault().close()
    except FuxueError as error:
        assert error.key == "vault.older_schema"
        done = again(home, given.words)
        assert done.exit_code == 0, done.output
    recovery.recover_unless_busy(run)
    found = upkeep.verify_record(run)
    assert (found.breaks, found.links in LINKS[given.name]) == ((), True)
    assert_scopes(run)


def assert_whole_and_finish(given: Doomed, home: Path) -> None:
    """After a run that was cut short: the record is as before or as after, and the command comes to its end now."""
    run = run_of(given, home)
    recovery.recover_unless_busy(run)
    assert_scopes(run)
    assert_accounts(run)
    found = upkeep.verify_record(run)
    assert no_breaks(given, run)
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
    assert no_breaks(given, after)
    assert_scopes(after)
    assert_accounts(after)
    left = [path.name for path in after.home.private.rglob(".*") if not path.name.startswith((".lock", ".serving"))]
    assert not left
    if given.name == "load":
        assert not list(after.home.inbox.iterdir())


def no_breaks(given: Doomed, run: Run) -> bool:
    """True if all holds; the copy that is restored is from before the release, which nobody can take back."""
    allowed = {"verify.release_unknown"} if given.name == "restore" else set()
    return {one.key for one in upkeep.verify_record(run).breaks} <= allowed


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
