"""Copies of the record: made, verified by opening and by the chain, and put back, also as it was at an earlier link."""

import datetime as dt
import os
from pathlib import Path

from etl.campaign import Campaign
from etl.disk import copy_private, sync
from etl.findings import FuxueError
from etl.vault import chain
from etl.vault.chain import COVERS
from etl.vault.keys import Keys
from etl.vault.open import Vault, open_vault, unguarded
from etl.vault.verify import breaks_of


def back_up(vault: Vault, campaign: Campaign, path: Path, target: Path, day: dt.date) -> chain.Link:
    """Copy the record at `path` to `target`, encrypted as it is, and put that on record; gives the newest link copied.

    The copy stands under its name only once it was opened and its chain verified. FuxueError if something is there.
    """
    if target.exists():
        raise FuxueError("backup.exists", file=target)
    fresh = target.with_name(f".{target.name}.part")
    with vault.transaction() as db:  # nobody else writes; what is on the disk is whole
        last = chain.head(db)
        if last is None:
            raise FuxueError("issue.none")
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        copy_private(path, fresh)
        _prove(fresh, vault.keys, campaign)
        cursor = db.execute(
            "INSERT INTO backup (made_on, file, links, head) VALUES (?, ?, ?, ?)",
            [day.isoformat(), target.name, last.id, last.seal],
        )
        chain.append(vault, "backup", cursor.lastrowid or 0, day)
        fresh.rename(target)
        sync(target.parent)
    return last


def restore(
    source: Path, path: Path, aside: Path, keys: Keys, campaign: Campaign, day: dt.date, *, upto: int = 0
) -> int:
    """Put a copy in the record's place, as far as link `upto` (0: all of it); gives the number of its newest link.

    The record that it replaces, if there is one, is kept at `aside`. FuxueError if the copy does not open with the
    key or does not hold: nothing is touched then.
    """
    fresh = path.with_name(f".{path.name}.restore")
    fresh.unlink(missing_ok=True)
    copy_private(source, fresh)
    try:
        _prove(fresh, keys, campaign)
        with open_vault(fresh, keys, campaign) as vault:
            last = _cut(vault, upto, day)
        _prove(fresh, keys, campaign)
    except FuxueError:
        fresh.unlink(missing_ok=True)
        raise
    if path.exists():
        aside.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.link(path, aside)
    fresh.rename(path)
    sync(path.parent)
    return last


def _cut(vault: Vault, upto: int, day: dt.date) -> int:
    """Take back every link after `upto`, newest first, and say on record that it was restored."""
    with vault.transaction() as db:
        last = chain.head(db)
        if last is None or upto > last.id:
            raise FuxueError("backup.no_link", link=upto, last=last.id if last else 0)
        if upto:
            with unguarded(db):
                _take_back(vault, upto)
        chain.append(vault, "restore", f"{upto or last.id}", day)
    return upto or last.id


def _take_back(vault: Vault, upto: int) -> None:
    db = vault.connection
    later = [link for link in chain.links(db) if link.id > upto]
    if any(link.kind in ("purge", "key_event") for link in later):
        raise FuxueError("backup.not_past", link=upto)
    for link in reversed(later):
        for table, column, _ in reversed(COVERS.get(link.kind, ())):
            db.execute(f"DELETE FROM {table} WHERE {column} = ?", [link.subject])
        db.execute("DELETE FROM nonce WHERE link = ?", [link.id])
        db.execute("DELETE FROM link WHERE id = ?", [link.id])


def _prove(path: Path, keys: Keys, campaign: Campaign) -> None:
    with open_vault(path, keys, campaign) as vault:
        if found := breaks_of(vault, campaign):
            raise FuxueError("backup.broken", file=path.name, count=len(found))
