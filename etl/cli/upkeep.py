"""The record's own upkeep, step by step: copies, a new key, retention, a new version; the files that go with it."""

import contextlib
import datetime as dt
import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from etl.cli import recovery, steps
from etl.cli.run import Run
from etl.findings import FuxueError
from etl.issue.issue import put_issues_in_place
from etl.read import inbox
from etl.vault import backup, chain, issued
from etl.vault import upgrade as upgrading
from etl.vault.keys import Keys, new_key, read_key
from etl.vault.open import Vault
from etl.vault.purge import purge
from etl.vault.rekey import is_whole, rekey
from etl.vault.scopes import build_scopes, mark_stale


def back_up(run: Run, target: Path | None) -> tuple[Path, chain.Link]:
    """A verified copy of the record; gives where it is and its newest link."""
    with run.writing() as vault:
        newest = chain.head(vault.connection)
        name = f"vault-{run.day.isoformat()}-{newest.id if newest else 0}.db"
        path = target or run.home.backups / name
        return path, backup.back_up(vault, run.campaign, path, _name_of_copy(run, path), run.day)


def _name_of_copy(run: Run, path: Path) -> str:
    """How a copy is named on record: within the folder of copies by its place there, elsewhere by its whole path."""
    path, folder = path.resolve(), run.home.backups.resolve()
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def _copies(run: Run, vault: Vault) -> list[str]:
    """Every copy of the record within this home: whatever lies in the folder of copies, and what is on record."""
    folder, root = run.home.backups.resolve(), run.home.root.resolve()
    recorded = [folder / name for (name,) in vault.connection.execute("SELECT file FROM backup")]
    found = {path for path in (*folder.rglob("*"), *recorded) if path.is_file() and path.is_relative_to(root)}
    return sorted(_name_of_copy(run, path) for path in found)


def restore(run: Run, source: Path, upto: int | None) -> tuple[int, Path]:
    """Put a copy in the record's place; gives its newest link, and where the record that it replaced is kept."""
    run.home.prepare()
    with run.home.lock(), run.home.not_serving():
        recovery.recover(run)
        run.ask_about_day(backup.last_day(source, run.keys))
        for file, purpose in recovery.staff_files(run.home):
            if not is_whole(file, run.keys.derive(purpose)):
                raise FuxueError("backup.staff_key", file=file)
        lost = backup.final_things(source, run.home.vault, run.keys)
        question = FuxueError("backup.loses", things="、".join(f"{kind} {subject}" for kind, subject in lost))
        if lost and not run.agree(question):
            raise question
        named = (run.home.backups / f"replaced-{run.day.isoformat()}-{number}.db" for number in itertools.count(1))
        kept = next(path for path in named if not path.exists())
        mark_stale(run.home.scopes)
        last = backup.restore(source, run.home.vault, kept, run.keys, run.campaign, run.day, upto=upto)
        _rebuild(run)
        _hear_again(run)
    return last, kept


def _hear_again(run: Run) -> None:
    """Returned files that the restored record does not know go back to the inbox."""
    with run.open_vault() as vault:
        for folder in (run.home.received, run.home.refused):
            for path in list(inbox.files_of(folder)):
                if recovery.on_record(run, vault, path) is None:
                    target = run.home.inbox / f"{path.parent.name}-{path.name}"
                    path.rename(inbox.free_place(target, path.read_bytes()))


def change_key(run: Run, file: Path, by: str) -> Keys:
    """Encrypt everything under the key in `file`, which is made if it is not there; the passwords handed out stay."""
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
        keys = rekey(run.home.vault, others, now, new.master, run.campaign, by.strip(), run.day)
        _rebuild(replace(run, keys=keys))
    return keys


def upgrade(run: Run) -> tuple[int, int]:
    """Bring an older record to this version: (version before, version now)."""
    run.home.prepare()
    with run.home.lock(), run.home.not_serving():
        recovery.recover(run)
        last = None
        with contextlib.suppress(FuxueError):  # a record without a chain has no days
            last = backup.last_day(run.home.vault, run.keys)
        run.ask_about_day(last)
        mark_stale(run.home.scopes)
        found, now = upgrading.upgrade(run.home.vault, run.keys, run.campaign, run.day)
        _rebuild(run)
    return found, now


def delete_individuals(run: Run, before: dt.date, by: str) -> tuple[Mapping[str, Any], Path]:
    """Retention: gives the certificate and its file."""
    if not by.strip():
        raise FuxueError("purge.nobody_named")
    with run.writing() as vault:
        if waiting := steps.never_loaded(run, vault):
            raise FuxueError("purge.inbox", count=len(waiting), folder=run.home.inbox)
        put_issues_in_place(run.home.outbox, issued.issues(vault))  # before anything is deleted: it may refuse
        copies = _copies(run, vault)
        certificate = purge(vault, before, by.strip(), run.day, copies)
        recovery.end_purges(run, vault)
    return certificate, recovery.certificate_file(run.home, certificate["purge"])


def _rebuild(run: Run) -> None:
    with run.open_vault() as vault:
        build_scopes(vault, run.campaign, run.home.scopes)
