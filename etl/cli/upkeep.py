"""The record's own upkeep, step by step: copies, a new key, retention; the files that go with the record."""

import contextlib
import datetime as dt
import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from etl.cli.run import Run
from etl.disk import write_private
from etl.findings import FuxueError
from etl.home import Home
from etl.read.worker import take
from etl.vault import audit, backup, chain, record
from etl.vault.keys import Keys, new_key, read_key
from etl.vault.open import Vault
from etl.vault.purge import certificates, purge, purged_issues
from etl.vault.rekey import aside, rekey, settle_rekey
from etl.vault.scopes import are_stale, build_scopes, mark_stale


def staff_file(home: Home) -> Path:
    """Accounts of the staff instance: encrypted under the same master key."""
    return home.staff / "staff.db"


def _staff_files(home: Home) -> list[tuple[Path, str]]:
    """All encrypted files of the staff instance that are there, with the purposes of their keys."""
    logs = [(path, audit.PURPOSE) for path in (*audit.put_away(home.staff), audit.log_path(home.staff))]
    return [(path, purpose) for path, purpose in ((staff_file(home), "file:staff"), *logs) if path.exists()]


def settle(run: Run) -> None:
    """End or undo what an interrupted run left, unless it is still at work: a new key, a purge, scopes older than that.

    Nothing is done under a key that does not open the record; that is told when the record is wanted.
    """
    home, others = run.home, [path for path, _ in _staff_files(run.home)]
    if not (are_stale(home.scopes) or any(aside(path).exists() for path in (home.vault, *others))):
        return
    with contextlib.suppress(FuxueError), home.lock():
        settle_rekey(home.vault, others)
        with run.open_vault() as vault:
            _end_purges(run, vault)
            build_scopes(vault, run.campaign, home.scopes)


def back_up(run: Run, target: Path | None) -> tuple[Path, chain.Link]:
    """A verified copy of the record; gives where it is and its newest link."""
    run.home.prepare()
    with run.home.lock(), run.open_vault() as vault:
        newest = chain.head(vault.connection)
        name = f"vault-{run.day.isoformat()}-{newest.id if newest else 0}.db"
        path = target or run.home.backups / name
        return path, backup.back_up(vault, run.campaign, run.home.vault, path, run.day)


def restore(run: Run, source: Path, upto: int) -> tuple[int, Path]:
    """Put a copy in the record's place; gives its newest link, and where the record that it replaced is kept."""
    run.home.prepare()
    with run.home.lock():
        number = len(list(run.home.backups.glob("replaced-*.db"))) + 1
        kept = run.home.backups / f"replaced-{run.day.isoformat()}-{number}.db"
        mark_stale(run.home.scopes)
        last = backup.restore(source, run.home.vault, kept, run.keys, run.campaign, run.day, upto=upto)
        _rebuild(run)
    return last, kept


def change_key(run: Run, file: Path, by: str) -> Keys:
    """Encrypt everything under the key in `file`, which is made if it is not there; the passwords handed out stay."""
    if not by.strip():
        raise FuxueError("rekey.nobody")
    with run.home.lock():
        with run.open_vault() as vault:
            now = vault.keys
        new = read_key(file) if file.exists() else new_key(file)
        others = _staff_files(run.home)
        mark_stale(run.home.scopes)
        keys = rekey(run.home.vault, others, now, new.master, run.campaign, by.strip(), run.day)
        _rebuild(replace(run, keys=keys))
    return keys


def delete_individuals(run: Run, before: dt.date, by: str) -> tuple[Mapping[str, Any], Path]:
    """Retention: gives the certificate and its file."""
    if not by.strip():
        raise FuxueError("purge.nobody_named")
    with run.home.lock(), run.open_vault() as vault:
        _refuse_unknown(run, vault)
        mark_stale(run.home.scopes)
        certificate = purge(vault, before, by.strip(), run.day)
        _end_purges(run, vault)
        build_scopes(vault, run.campaign, run.home.scopes)
    return certificate, _certificate_file(run.home, certificate["purge"])


def _certificate_file(home: Home, number: int) -> Path:
    return home.certificates / f"purge-{number:04d}.json"


def _end_purges(run: Run, vault: Vault) -> None:
    """What follows from a purge, and an interrupted run may not have done: files go, a certificate stays."""
    for number, certificate in certificates(vault):
        file = _certificate_file(run.home, number)
        if not file.exists():
            _sweep(run, vault)
            file.parent.mkdir(exist_ok=True, mode=0o700)
            write_private(file, (json.dumps(certificate, ensure_ascii=False, indent=1) + "\n").encode())


def _refuse_unknown(run: Run, vault: Vault) -> None:
    """Nothing is deleted that was never looked at."""
    fresh = [p.name for p in _inbox(run) if not record.is_on_record(vault, take(p, run.campaign.limits))]
    if fresh:
        raise FuxueError("purge.inbox", count=len(fresh), folder=run.home.inbox)


def _inbox(run: Run) -> list[Path]:
    return [path for path in run.home.inbox.glob("*") if path.is_file()]


def _sweep(run: Run, vault: Vault) -> None:
    """Files about individuals that the record no longer knows: handed out, sent back, reported."""
    gone = purged_issues(vault)
    for issue in gone:
        shutil.rmtree(run.home.outbox / issue, ignore_errors=True)
    for path in _inbox(run):
        content = take(path, run.campaign.limits)
        if record.is_on_record(vault, content) and record.issue_of(vault, content) in (None, *gone):
            path.unlink()
    for folder in (run.home.reports, run.home.decisions):  # made anew from the record whenever they are wanted
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _rebuild(run: Run) -> None:
    with run.open_vault() as vault:
        build_scopes(vault, run.campaign, run.home.scopes)
