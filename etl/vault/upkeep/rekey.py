"""A new master key: every private database is encrypted again into a file beside it; then these replace the old files.

The record's file is replaced first. Until then the old key opens everything, afterwards the new key is valid. After an
interruption, the key that opens the record shows which of the two holds, and `finish_rekey` treats every other file
accordingly. Data is never unencrypted on the disk.
"""

import datetime as dt
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from etl.findings import FuxueError
from etl.rulebook.campaign import Campaign
from etl.system.disk import sync
from etl.vault.store import chain
from etl.vault.store.files import DatabaseError, connect, discard
from etl.vault.store.keys import Keys
from etl.vault.store.open import Vault, open_vault
from etl.vault.upkeep.verify import record_breaks


def rekey_databases(path: Path, others: Sequence[tuple[Path, str]], keys: Keys, master: bytes, campaign: Campaign,
          by: str, day: dt.date) -> Keys:  # fmt: skip
    """Encrypt the record at `path` and the `others`, (path, purpose of its key) each, under a new master key.

    The old key goes on record, so that workbooks handed out under it can still be read. Returns the keys that are valid
    from now on. FuxueError, with nothing changed, if a new file has a fault or `master` was used before.
    """
    new = replace(keys, master=master, retired=(*keys.retired, keys.master))
    if master in new.retired:
        raise FuxueError("rekey.same")
    files = [(path, "file:vault"), *others]
    try:
        for file, purpose in files:
            _export(file, keys.derive(purpose), new.derive(purpose))
        _put_on_record(rekeyed_path(path), keys, new, campaign, by, day)
        if not all(is_whole(rekeyed_path(file), new.derive(purpose)) for file, purpose in files):
            raise FuxueError("rekey.broken")
    except BaseException:
        for file, _ in files:
            discard(rekeyed_path(file))
        raise
    rekeyed_path(path).rename(path)  # from here on the new key is valid
    sync(path.parent)
    finish_rekey(path, others, new)
    return new


def _put_on_record(path: Path, keys: Keys, new: Keys, campaign: Campaign, by: str, day: dt.date) -> None:
    """In the record's new file at `path`: record that the old key was replaced, and verify the whole record."""
    with closing(Vault(connect(path, new.derive("file:vault")), new)) as vault, vault.transaction() as db:
        db.execute(
            "INSERT INTO key_event (number, master, retired_on, retired_by) VALUES (?, ?, ?, ?)",
            [keys.number, keys.master, day.isoformat(), by],
        )
        chain.append(vault, "key_event", keys.number, day)
    with open_vault(path, new, campaign) as vault:
        if record_breaks(vault, campaign):
            raise FuxueError("rekey.broken")


def finish_rekey(path: Path, others: Sequence[tuple[Path, str]], keys: Keys) -> None:
    """Finish or undo an interrupted rekey; `keys` are the keys that open the record at `path`.

    Where they open a file, the new file beside it is deleted. Where they do not, the file is still under the old key
    and the new file replaces it. FuxueError if they open neither of the two; both are left as they are.
    """
    for file, purpose in ((path, "file:vault"), *others):
        fresh, key = rekeyed_path(file), keys.derive(purpose)
        if not fresh.exists():
            continue
        if is_whole(file, key):
            discard(fresh)
        elif is_whole(fresh, key):
            fresh.rename(file)
        else:
            raise FuxueError("rekey.unsettled", file=file.name)
        sync(file.parent)


def is_whole(path: Path, key: bytes) -> bool:
    """True if a file opens with a key and none of its pages is damaged."""
    try:
        with closing(connect(path, key)) as db:
            return not db.execute("PRAGMA cipher_integrity_check").fetchone() and (
                db.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok"
            )
    except (FuxueError, DatabaseError):
        return False


def rekeyed_path(path: Path) -> Path:
    """The path of a file's version under the new key until it replaces the file."""
    return path.with_name(f".{path.name}.rekey")


def _export(path: Path, old: bytes, new: bytes) -> None:
    """Export an encrypted database to `rekeyed_path(path)` under the key `new`. FuxueError if it is in use."""
    fresh = rekeyed_path(path)
    discard(fresh)
    connect(fresh, new, create=True).close()
    connection = connect(path, old)
    try:
        connection.execute("ATTACH DATABASE ? AS fresh KEY \"x'" + new.hex() + "'\"", [str(fresh)])
        connection.execute("SELECT sqlcipher_export('fresh')")
        connection.execute("DETACH DATABASE fresh")
    finally:
        connection.close()
    if path.with_name(f"{path.name}-wal").exists():  # the last connection to be closed deletes the WAL
        raise FuxueError("rekey.in_use", file=path.name)
