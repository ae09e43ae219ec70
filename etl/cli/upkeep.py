"""The record's own upkeep, step by step: copies, a new key, retention; the files that go with the record."""

import datetime as dt
import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from etl.cli.run import Run
from etl.findings import FuxueError
from etl.home import Home
from etl.issue.issue import write_private
from etl.read.worker import take
from etl.vault import backup, chain, record
from etl.vault.keys import Keys, new_key, read_key
from etl.vault.open import Vault
from etl.vault.purge import purge, purged_issues
from etl.vault.rekey import aside, rekey, settle_rekey
from etl.vault.scopes import build_scopes


def staff_file(home: Home) -> Path:
    """Accounts of the staff instance: encrypted under the same master key."""
    return home.staff / "staff.db"


def settle(home: Home) -> None:
    """End or undo what an interrupted rekey left, unless one is at work now."""
    others = [staff_file(home)]
    if not any(aside(path).exists() for path in (home.vault, *others)):
        return
    with home.lock():
        settle_rekey(home.vault, others)


def back_up(run: Run, target: Path | None) -> tuple[Path, chain.Link]:
    """A verified copy of the record; gives where it is and its newest link."""
    run.home.prepare()
    with run.home.lock():
        vault = run.open_vault()
        try:
            newest = chain.head(vault.connection)
            name = f"vault-{run.day.isoformat()}-{newest.id if newest else 0}.db"
            path = target or run.home.backups / name
            return path, backup.back_up(vault, run.campaign, run.home.vault, path, run.day)
        finally:
            vault.close()


def restore(run: Run, source: Path, upto: int) -> tuple[int, Path]:
    """Put a copy in the record's place; gives its newest link, and where the record that it replaced is kept."""
    run.home.prepare()
    with run.home.lock():
        number = len(list(run.home.backups.glob("replaced-*.db"))) + 1
        kept = run.home.backups / f"replaced-{run.day.isoformat()}-{number}.db"
        last = backup.restore(source, run.home.vault, kept, run.keys, run.campaign, run.day, upto=upto)
        _rebuild(run)
    return last, kept


def change_key(run: Run, file: Path, by: str) -> Keys:
    """Encrypt everything under the key in `file`, which is made if it is not there; the passwords handed out stay."""
    if not by.strip():
        raise FuxueError("rekey.nobody")
    with run.home.lock():
        vault = run.open_vault()
        vault.close()
        new = read_key(file) if file.exists() else new_key(file)
        others = [(path, "file:staff") for path in (staff_file(run.home),) if path.exists()]
        keys = rekey(run.home.vault, others, vault.keys, new.master, run.campaign, by.strip(), run.day)
        _rebuild(replace(run, keys=keys))
    return keys


def delete_individuals(run: Run, before: dt.date, by: str) -> tuple[Mapping[str, Any], Path]:
    """Retention: gives the certificate and its file. What an interrupted run left of the files is deleted first."""
    if not by.strip():
        raise FuxueError("purge.nobody_named")
    with run.home.lock():
        vault = run.open_vault()
        try:
            _refuse_unknown(run, vault)
            _sweep(run, vault)
            certificate = purge(vault, before, by.strip(), run.day)
            _sweep(run, vault)
            build_scopes(vault, run.campaign, run.home.scopes)
        finally:
            vault.close()
        run.home.certificates.mkdir(exist_ok=True, mode=0o700)
        file = run.home.certificates / f"purge-{certificate['purge']:04d}.json"
        write_private(file, (json.dumps(certificate, ensure_ascii=False, indent=1) + "\n").encode())
    return certificate, file


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
    if not gone:
        return
    for issue in gone:
        shutil.rmtree(run.home.outbox / issue, ignore_errors=True)
    for path in _inbox(run):
        if record.issue_of(vault, take(path, run.campaign.limits)) in (None, *gone):
            path.unlink()
    for folder in (run.home.reports, run.home.decisions):  # made anew from the record whenever they are wanted
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _rebuild(run: Run) -> None:
    vault = run.open_vault()
    try:
        build_scopes(vault, run.campaign, run.home.scopes)
    finally:
        vault.close()
