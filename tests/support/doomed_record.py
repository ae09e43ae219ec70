"""Commands that change the record, each to be interrupted anywhere."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from etl.findings import FuxueError
from etl.rulebook.campaign import Campaign
from etl.system.home import Home
from etl.vault.scopes.scope_files import mark_stale
from etl.vault.store.files import connect, open_scope, scope_names
from etl.vault.store.keys import Keys
from etl.vault.store.open import Vault, known_keys
from etl.workflow import recovery, synthesizing, upkeep
from etl.workflow.run import Run
from tests.support.doomed import again
from tests.support.homes import ACCOUNTS, ROOT, at_due
from tests.support.old_records import old_home

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
    arguments: tuple[str, ...]
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
        old_home(run, 5, ROOT / "tests/support/schemas")
    return run


def arguments_of(name: str, folder: Path, campaign: Campaign, campaign_folder: Path) -> tuple[str, ...]:
    arguments = (one.format(folder=folder) for one in COMMANDS[name])
    return ("--campaign", str(campaign_folder), *arguments, "--as-of", str(campaign.reports_due))


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
        answer = "(SELECT a.category, a.team FROM child c LEFT JOIN current_answer a USING (issue, serial))"
        expected = vault.connection.execute(query.format(answer)).fetchone()
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
        done = again(home, given.arguments)
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
    arguments = given.arguments if given.name != "rekey" else ("--campaign", str(given.folder), "load")
    if run.keys.number:
        arguments = ("--key-file", str(given.home.parent / "new.key"), *arguments)
    done = again(home, arguments)
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
