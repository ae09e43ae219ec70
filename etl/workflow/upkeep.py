"""Commands for the record's upkeep: keys, verification, copies, retention, new versions, with the files they affect."""

import contextlib
import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from etl.exchange.release import Cell, read_release
from etl.exchange.release_folder import finish_interrupted_releases, printable, release_folders
from etl.findings import FuxueError
from etl.issue.outbox import put_issues_in_place
from etl.vault.record import issued, releases
from etl.vault.record.releases import Trace
from etl.vault.scopes.scope_files import mark_stale
from etl.vault.store import chain
from etl.vault.store.keys import Keys, new_key, read_key
from etl.vault.store.open import Vault
from etl.vault.upkeep import backup
from etl.vault.upkeep import upgrade as upgrading
from etl.vault.upkeep.purge import purge_individuals
from etl.vault.upkeep.rekey import is_whole, rekey_databases
from etl.vault.upkeep.verify import Verified, check_record
from etl.workflow import loading, recovery
from etl.workflow.run import Run
from etl.workflow.writing import writing


def make_key(file: Path) -> None:
    """Write a new master key to `file`, readable by its owner only."""
    new_key(file)


def verify_record(run: Run, paper: str = "") -> Verified:
    """Verify the whole record (`check_record`); `paper` is the head on the custodian's signed paper."""
    with run.home.lock(), run.open_vault() as vault:  # no other command has changed the record but not yet the scopes
        return check_record(vault, run.campaign, run.home.released, run.home.scopes, paper)


def trace_figure(run: Run, release: str, table: str, cell: str) -> tuple[Trace, Cell]:
    """Trace a published figure to its workbooks; return (its trace, the cell as published)."""
    with run.open_vault() as vault:
        found = releases.trace_cell(vault, run.campaign, release, table, cell)
    row, _, measure = cell.rpartition(".")
    return found, read_release(run.home.released / release).table(table)[row, measure]


def chain_links(run: Run) -> list[chain.Link]:
    """Every link of the chain, oldest first."""
    with run.open_vault() as vault:
        return list(chain.links(vault.connection))


def back_up(run: Run, target: Path | None) -> tuple[Path, chain.Link]:
    """Make a verified copy of the record at `target` (None: a new file in the home); return (path, its newest link)."""
    with writing(run) as vault:
        newest = chain.head(vault.connection)
        name = f"vault-{run.day.isoformat()}-{newest.id if newest else 0}"
        path = target or _free(run.home.backups / f"{name}{again}.db" for again in _again())
        own_name = _name_of_copy(run, path)
        with recovery.copying(run.home, path):
            return path, backup.copy_record(vault, run.campaign, path, own_name, run.day)


def _again() -> Iterator[str]:
    """Suffixes for a file's name: first none, then, for a name that is taken, -2, -3 and so on."""
    return itertools.chain([""], (f"-{number}" for number in itertools.count(2)))


def _free(paths: Iterable[Path]) -> Path:
    return next(path for path in paths if not path.exists())


def _name_of_copy(run: Run, path: Path) -> str:
    """The name of a copy on record: its path relative to the home's folder of copies, or its whole path elsewhere.

    FuxueError for a name with characters that are not printable.
    """
    if printable(str(path)) != str(path):
        raise FuxueError("backup.no_text", file=printable(str(path)))
    path, folder = path.resolve(), run.home.backups.resolve()
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def _copies(run: Run, vault: Vault) -> list[str]:
    """Names of all copies of the record in this home: every file in the folder of copies, and those on record.

    The folder belongs to the home even if it is a link to another disk.
    """
    folder, root = run.home.backups.resolve(), run.home.root.resolve()
    recorded = [folder / name for (name,) in vault.connection.execute("SELECT file FROM backup")]
    found = {path for path in folder.rglob("*") if not path.is_symlink() and path.name != recovery.COPYING}
    found |= {path for path in (path.resolve() for path in recorded) if path.is_relative_to(root)}
    found.discard(run.home.vault.resolve())
    return sorted(_name_of_copy(run, path) for path in found if path.is_file())


def restore(run: Run, source: Path, upto: int | None) -> tuple[int, Path]:
    """Replace the record by the copy `source`, up to link `upto`; return (last link, where the old record is kept).

    FuxueError if a staff file has another key, or if something final would be lost and the person does not agree.
    """
    run.home.prepare()
    with run.home.lock(), run.home.not_serving():
        recovery.recover(run)
        run.ask_about_day(backup.last_day_of_copy(source, run.keys))
        for file, purpose in recovery.staff_files(run.home):
            if not is_whole(file, run.keys.derive(purpose)):
                raise FuxueError("backup.staff_key", file=file)
        shown = _ask_about_losses(run, source)
        day = run.day.isoformat()
        kept = _free(run.home.backups / f"replaced-{day}-{number}.db" for number in itertools.count(1))
        name = "" if run.home.vault.exists() and source.samefile(run.home.vault) else _name_of_copy(run, source)
        mark_stale(run.home.scopes)
        last = backup.replace_record(source, run.home.vault, kept, run.keys, run.campaign, run.day,
                              name=name, shown=shown, upto=upto)  # fmt: skip
        with run.open_vault() as vault:
            recovery.match_files_to_record(run, vault)
    return last, kept


def _ask_about_losses(run: Run, source: Path) -> backup.Things:
    """Ask if the record may be replaced although something final would be missing; return purges with a certificate.

    FuxueError if the record, certificates or release folders show final things that the copy lacks, or the record
    cannot be read, and the person does not agree.
    """
    _finish_interrupted(run)
    shown = {("purge", str(number)) for number in recovery.certified(run.home)}
    folders = {("release", folder.name) for folder in release_folders(run.home.released)}
    lost = backup.final_things(source, run.home.vault, run.keys, shown | folders)
    if not backup.opens(run.home.vault, run.keys):
        _ask(run, FuxueError("backup.cannot_tell", file=run.home.vault))
    if lost:
        things = "、".join(f"{kind} {subject}" for kind, subject in lost)
        _ask(run, FuxueError("backup.loses", things=things))
    return shown


def _ask(run: Run, question: FuxueError) -> None:
    if not run.agree(question):
        raise question


def _finish_interrupted(run: Run) -> None:
    """Put drafts of recorded issues and releases in place, before the record that knows them is replaced."""
    with contextlib.suppress(FuxueError), run.open_vault() as vault:
        finish_interrupted_releases(run.home.released, releases.releases(vault))
        put_issues_in_place(run.home.outbox, issued.issues(vault))


def change_key(run: Run, file: Path, by: str) -> Keys:
    """Encrypt everything under the key in `file`, which is made if missing; return the new keys.

    Passwords that were handed out stay valid. FuxueError if `by` is blank.
    """
    if not by.strip():
        raise FuxueError("rekey.nobody")
    run.home.prepare()
    with run.home.lock(), run.home.not_serving():
        recovery.recover(run)
        with run.open_vault() as vault:
            run.ask_about_day(chain.last_day(vault.connection))
            now = vault.keys
        new = read_key(file) if file.exists() else new_key(file)
        mark_stale(run.home.scopes)
        others = recovery.staff_files(run.home)
        keys = rekey_databases(run.home.vault, others, now, new.master, run.campaign, by.strip(), run.day)
        _rebuild(replace(run, keys=keys))
    return keys


def upgrade(run: Run) -> tuple[int, int]:
    """Upgrade an older record to this version; return (version before, version now)."""
    run.home.prepare()
    with run.home.lock(), run.home.not_serving():
        recovery.recover(run)
        last = None
        with contextlib.suppress(FuxueError):  # a record without a chain has no days
            last = backup.last_day_of_copy(run.home.vault, run.keys)
        run.ask_about_day(last)
        mark_stale(run.home.scopes)
        found, now = upgrading.upgrade_record(run.home.vault, run.keys, run.campaign, run.day)
        _rebuild(run)
    return found, now


def delete_individuals(run: Run, before: dt.date, by: str) -> tuple[Mapping[str, Any], Path]:
    """Delete the individuals of lists issued before a day (retention); return (certificate, its file).

    FuxueError if `by` is blank or files in the inbox were not loaded yet.
    """
    if not by.strip():
        raise FuxueError("purge.nobody_named")
    with writing(run) as vault:
        if waiting := loading.never_loaded(run, vault):
            raise FuxueError("purge.inbox", count=len(waiting), folder=run.home.inbox)
        put_issues_in_place(run.home.outbox, issued.issues(vault))  # it may raise, so before anything is deleted
        copies = _copies(run, vault)
        above = max(recovery.certified(run.home), default=0)
        half_made = [str(path) for path in recovery.half_made(run.home)]
        certificate = purge_individuals(vault, before, by.strip(), run.day, copies, above, half_made)
        recovery.end_purges(run, vault)
    return certificate, recovery.certificate_file(run.home, certificate["purge"])


def _rebuild(run: Run) -> None:
    with run.open_vault() as vault:
        recovery.rebuild_scopes(run, vault)
