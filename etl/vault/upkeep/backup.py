"""Copies of the record: making and verifying them, and restoring the record from one, also as of an earlier link."""

import contextlib
import datetime as dt
import os
from collections.abc import Callable, Mapping, Set
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from etl.findings import FuxueError
from etl.rulebook.campaign import Campaign
from etl.system.disk import copy_private, sync
from etl.vault.store import chain
from etl.vault.store.chain import COVERS, DIGEST, EVENTS
from etl.vault.store.files import Connection, DatabaseError, connect, discard
from etl.vault.store.keys import Keys
from etl.vault.store.open import Vault, describe_record, open_vault, unguarded
from etl.vault.upkeep.verify import record_breaks

Found = TypeVar("Found")
#: Kinds of links that a restoration must not undo: purged children stay deleted, replaced keys stay replaced, published
#: figures stay public.
FINAL = ("purge", "key_event", "release", "upgrade")
#: Things on record, each as (kind, subject) of its link.
Things = Set[tuple[str, str]]


@dataclass(frozen=True)
class Copy:
    """A copy of the record: its name on record, the day it was made, its newest link (`links`) and that link's seal."""

    file: str
    made_on: str
    links: int
    head: bytes


def copy_record(vault: Vault, campaign: Campaign, target: Path, name: str, day: dt.date) -> chain.Link:
    """Copy the record to `target` under the same key, and record the copy as `name`; return the newest link in it.

    The copy is written to `draft_path(target)`, opened and verified, then recorded, and only then renamed to `target`.
    If the run is interrupted, `place_copies` does the rest. FuxueError if `target` exists or the record is empty.
    """
    if target.exists():
        raise FuxueError("backup.exists", file=target)
    fresh = draft_path(target)
    last = chain.head(vault.connection)
    if last is None:
        raise FuxueError("issue.none")
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        _copy(vault.connection, fresh, vault.keys)
        _prove(fresh, vault.keys, campaign)
        with vault.transaction():
            _record(vault, Copy(name, day.isoformat(), last.id, last.seal), day)
    except BaseException:
        discard(fresh)
        raise
    _place(target)
    return last


def place_copies(vault: Vault, folder: Path) -> None:
    """Rename drafts of copies that are on record to their final names; delete other drafts in `folder`.

    `folder` is the home's folder of copies; names on record are relative to it.
    """
    for copy in _copies(vault.connection).values():
        target = folder / copy.file
        with contextlib.suppress(OSError):  # a copy may be on a disk that is not connected
            if not target.exists() and _head(draft_path(target), vault.keys) == copy.head:
                _place(target)
    for left in folder.glob(".*.part"):
        discard(left)


def draft_path(target: Path) -> Path:
    """The path of the draft of a copy, which is used until the copy is on record."""
    return target.with_name(f".{target.name}.part")


def _place(target: Path) -> None:
    draft_path(target).rename(target)
    sync(target.parent)


def _head(path: Path, keys: Keys) -> bytes:
    """The newest seal in a copy, opened with the current or an earlier key; empty if it is missing or incomplete."""
    for number in range(keys.number, -1, -1) if path.exists() else ():
        with (
            contextlib.suppress(FuxueError, DatabaseError),
            closing(connect(path, keys.derive("file:vault", number), readonly=True)) as db,
        ):
            last = chain.head(db)
            return last.seal if last else b""
    return b""


def _copies(db: Connection) -> dict[str, Copy]:
    """The newest copy on record under each name."""
    return {row[0]: Copy(*row) for row in db.execute("SELECT file, made_on, links, head FROM backup ORDER BY id")}


def _record(vault: Vault, copy: Copy, day: dt.date) -> None:
    number = chain.next_id(vault.connection, "backup")
    row = [number, copy.made_on, copy.file, copy.links, copy.head]
    vault.connection.execute("INSERT INTO backup (id, made_on, file, links, head) VALUES (?, ?, ?, ?, ?)", row)
    chain.append(vault, "backup", number, day)


def replace_record(source: Path, path: Path, kept: Path, keys: Keys, campaign: Campaign, day: dt.date, *, name: str,
            shown: Things, upto: int | None = None) -> int:  # fmt: skip
    """Replace the record at `path` by the copy `source`, up to link `upto` (None: all links).

    Returns the number of the last link taken over. The replaced record, if there is one, is kept at `kept`. What is
    missing afterwards is recorded as taken back, so that no number is used twice: things of the replaced record, of the
    copy, and those `shown` by the home's folders. Copies that the replaced record knew stay on record, and so does this
    one as `name` (empty if it is no copy). FuxueError, with nothing changed, if the copy does not open or has a fault.
    """
    fresh = path.with_name(f".{path.name}.restore")
    try:
        with closing(connect(source, keys.derive("file:vault"), readonly=True)) as given:
            describe_record(given, source)  # checks the integrity of every page before it is copied
            _copy(given, fresh, keys)
        _prove(fresh, keys, campaign)
        with open_vault(fresh, keys, campaign) as vault, vault.transaction() as db:
            own, newest = _copies(db), chain.head(db)
            last = _cut(vault, shown | (_of(path, keys, _things) or set()), upto, day)
            if newest is not None and name:
                own = {name: Copy(name, newest.day, newest.id, newest.seal)} | own
            _remember(vault, own | (_of(path, keys, _copies) or {}), day)
        _prove(fresh, keys, campaign)
        if path.exists():
            kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _keep(path, kept)
    except BaseException:
        discard(fresh)
        raise
    fresh.rename(path)
    sync(path.parent)
    return last


def _keep(path: Path, kept: Path) -> None:
    """Keep the replaced record at `kept`: as a hard link, or as a copy if that is on another disk."""
    try:
        os.link(path, kept)
    except OSError:
        copy_private(path, draft_path(kept))
        draft_path(kept).rename(kept)
    sync(kept.parent)


def _copy(source: Connection, fresh: Path, keys: Keys) -> None:
    """Copy a database to `fresh` with SQLite's backup; opening and closing the file directly would drop its locks."""
    discard(fresh)
    with closing(connect(fresh, keys.derive("file:vault"), create=True)) as target:
        source.backup(target)
    sync(fresh)


def last_day_of_copy(source: Path, keys: Keys) -> dt.date | None:
    """The latest day on record in a copy, or None if it is empty. FuxueError if it does not open."""
    with closing(connect(source, keys.derive("file:vault"), readonly=True)) as db:
        try:
            return chain.last_day(db)
        except DatabaseError as error:
            raise FuxueError("vault.cannot_open", file=source.name) from error


def opens(path: Path, keys: Keys) -> bool:
    """True if the record at `path` can be read, or does not exist."""
    return not path.exists() or _of(path, keys, _things) is not None


def final_things(source: Path, path: Path, keys: Keys, shown: Things) -> list[tuple[str, str]]:
    """Things of a `FINAL` kind that are on the record at `path` or among `shown`, but not in the copy, sorted.

    FuxueError if the copy cannot be read.
    """
    with closing(connect(source, keys.derive("file:vault"), readonly=True)) as db:
        try:
            known = set(db.execute("SELECT kind, subject FROM link"))
        except DatabaseError as error:
            raise FuxueError("vault.cannot_open", file=source.name) from error
    found = shown | (_of(path, keys, _things) or set())
    return sorted((kind, subject) for kind, subject in found - known if kind in FINAL)


def _of(path: Path, keys: Keys, ask: Callable[[Connection], Found]) -> Found | None:
    """The result of `ask` for the record at `path`, or None if it does not exist or cannot be opened."""
    if not path.exists():
        return None
    try:
        with closing(connect(path, keys.derive("file:vault"), readonly=True)) as db:
            return ask(db)
    except (FuxueError, DatabaseError):
        return None


def _things(db: Connection) -> Things:
    """Every thing that a record has or took back, with the digests of its releases (kind `DIGEST`)."""
    query = """SELECT kind, subject FROM link UNION SELECT kind, subject FROM taken_back
               UNION SELECT ?, number || ' ' || digest FROM release"""
    return set(db.execute(query, [DIGEST]))


def _cut(vault: Vault, before: Things, upto: int | None, day: dt.date) -> int:
    """Delete every link after `upto` with its rows, and record the restoration with all things that are now missing.

    `before` are the things of the replaced record. Returns the number of the last link that was kept. FuxueError if
    there is no link `upto`, or a deleted link is of a `FINAL` kind.
    """
    db = vault.connection
    last = chain.head(db)
    if last is None or (upto or 0) > last.id:
        raise FuxueError("backup.no_link", link=upto, last=last.id if last else 0)
    known = _things(db) | before
    if upto is not None:
        with unguarded(db):
            _take_back(vault, upto)
    left = set(db.execute("SELECT kind, subject FROM link"))
    left |= {(kind, subject) for kind, subject in known if kind == DIGEST and ("release", subject.split()[0]) in left}
    gone = sorted((kind, subject) for kind, subject in known - left if kind not in EVENTS)
    number = 1 + max((int(subject) for kind, subject in known if kind == "restoration"), default=0)
    db.execute("INSERT INTO restoration VALUES (?, ?, ?)", [number, day.isoformat(), upto or last.id])
    db.executemany("INSERT INTO taken_back VALUES (?, ?, ?)", [(number, *thing) for thing in gone])
    chain.append(vault, "restoration", number, day)
    return upto or last.id


def _remember(vault: Vault, copies: Mapping[str, Copy], day: dt.date) -> None:
    """Record the copies that this record does not know, because a purge must name every copy that holds children."""
    for name in sorted(copies.keys() - _copies(vault.connection).keys()):
        _record(vault, copies[name], day)


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
        if found := record_breaks(vault, campaign):
            raise FuxueError("backup.broken", file=path.name, count=len(found))
