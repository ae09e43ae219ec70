"""Copies of the record: made, verified by opening and by the chain, and put back, also as it was at an earlier link."""

import datetime as dt
import os
from contextlib import closing
from pathlib import Path

from etl.campaign import Campaign
from etl.disk import sync
from etl.findings import FuxueError
from etl.vault import chain
from etl.vault.chain import COVERS, EVENTS
from etl.vault.files import Connection, DatabaseError, connect, discard
from etl.vault.keys import Keys
from etl.vault.open import Vault, describe, open_vault, unguarded
from etl.vault.verify import breaks_of

#: What cannot be taken back: individuals are gone, an old key opens nothing, and what was published stays published.
FINAL = ("purge", "key_event", "release", "upgrade")


def back_up(vault: Vault, campaign: Campaign, target: Path, name: str, day: dt.date) -> chain.Link:
    """Copy the record to `target`, encrypted under its key, and put that on record as `name`; the newest link copied.

    The copy stands under its name only once it was opened and its chain verified. FuxueError if something is there.
    """
    if target.exists():
        raise FuxueError("backup.exists", file=target)
    fresh = target.with_name(f".{target.name}.part")
    last = chain.head(vault.connection)
    if last is None:
        raise FuxueError("issue.none")
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        _copy(vault.connection, fresh, vault.keys)
        _prove(fresh, vault.keys, campaign)
        with vault.transaction() as db:
            number = chain.next_id(db, "backup")
            row = [number, day.isoformat(), name, last.id, last.seal]
            db.execute("INSERT INTO backup (id, made_on, file, links, head) VALUES (?, ?, ?, ?, ?)", row)
            chain.append(vault, "backup", number, day)
            fresh.rename(target)
            sync(target.parent)
    except BaseException:
        discard(fresh)
        raise
    return last


def restore(
    source: Path, path: Path, aside: Path, keys: Keys, campaign: Campaign, day: dt.date, *, upto: int | None = None
) -> int:
    """Put a copy in the record's place, as far as link `upto` (None: all of it); gives the number of its newest link.

    The record that it replaces, if there is one, is kept at `aside`; nothing that it or the copy has numbered is ever
    numbered again. FuxueError if the copy does not open with the key or does not hold: nothing is touched then.
    """
    fresh = path.with_name(f".{path.name}.restore")
    try:
        with closing(connect(source, keys.derive("file:vault"), readonly=True)) as given:
            describe(given, source)  # every page's seal, before it is copied under a new one
            _copy(given, fresh, keys)
        _prove(fresh, keys, campaign)
        with open_vault(fresh, keys, campaign) as vault:
            last = _cut(vault, _numbered(path, keys), upto, day)
        _prove(fresh, keys, campaign)
        if path.exists():
            aside.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.link(path, aside)
            sync(aside.parent)
    except BaseException:
        discard(fresh)
        raise
    fresh.rename(path)
    sync(path.parent)
    return last


def _copy(source: Connection, fresh: Path, keys: Keys) -> None:
    """By SQLite's own way of copying: to open and close a file by other means would drop its locks."""
    discard(fresh)
    with closing(connect(fresh, keys.derive("file:vault"), create=True)) as target:
        source.backup(target)
    sync(fresh)


def last_day(source: Path, keys: Keys) -> dt.date | None:
    """The newest day on record in a copy. FuxueError if it does not open."""
    with closing(connect(source, keys.derive("file:vault"), readonly=True)) as db:
        try:
            return chain.last_day(db)
        except DatabaseError as error:
            raise FuxueError("vault.cannot_open", file=source.name) from error


def final_things(source: Path, path: Path, keys: Keys) -> list[tuple[str, str]]:
    """(kind, subject) of what cannot be taken back and is on the record at `path`, but not in the copy."""
    with closing(connect(source, keys.derive("file:vault"), readonly=True)) as db:
        try:
            known = set(db.execute("SELECT kind, subject FROM link"))
        except DatabaseError as error:
            raise FuxueError("vault.cannot_open", file=source.name) from error
    return sorted((kind, subject) for kind, subject in _numbered(path, keys) - known if kind in FINAL)


def _numbered(path: Path, keys: Keys) -> set[tuple[str, str]]:
    """(kind, subject) of all that the record about to be replaced has, or took back; empty if it cannot be opened."""
    if not path.exists():
        return set()
    try:
        with closing(connect(path, keys.derive("file:vault"), readonly=True)) as db:
            return _things(db)
    except (FuxueError, DatabaseError):
        return set()


def _things(db: Connection) -> set[tuple[str, str]]:
    return set(db.execute("SELECT kind, subject FROM link UNION SELECT kind, subject FROM taken_back"))


def _cut(vault: Vault, before: set[tuple[str, str]], upto: int | None, day: dt.date) -> int:
    """Take back every link after `upto`, newest first, and say on record what is no longer there.

    `before` are the things of the record that is replaced.
    """
    with vault.transaction() as db:
        last = chain.head(db)
        if last is None or (upto or 0) > last.id:
            raise FuxueError("backup.no_link", link=upto, last=last.id if last else 0)
        known = _things(db) | before
        if upto is not None:
            with unguarded(db):
                _take_back(vault, upto)
        left = set(db.execute("SELECT kind, subject FROM link"))
        gone = sorted((kind, subject) for kind, subject in known - left if kind not in EVENTS)
        number = 1 + max((int(subject) for kind, subject in known if kind == "restoration"), default=0)
        db.execute("INSERT INTO restoration VALUES (?, ?, ?)", [number, day.isoformat(), upto or last.id])
        db.executemany("INSERT INTO taken_back VALUES (?, ?, ?)", [(number, *thing) for thing in gone])
        chain.append(vault, "restoration", number, day)
    return upto or last.id


def _take_back(vault: Vault, upto: int) -> None:
    db = vault.connection
    later = [link for link in chain.links(db) if link.id > upto]
    if any(link.kind in FINAL for link in later):
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
