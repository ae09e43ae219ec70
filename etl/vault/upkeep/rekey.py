"""A new master key: every private database is encrypted anew, beside the old one, and takes its place when all are.

The record's own file is the turning point. Before it takes its place the old key opens everything; from then on the
new one does. Which of both is the case is never guessed from what lies about: the key that opens the record says it,
file by file (`finish_rekey`). No copy is ever unencrypted.
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
    """Encrypt the record at `path`, and `others` given with the purposes of their keys, under a new master key.

    The old one goes on record: what was handed out under it is still read. Gives the keys that hold from now on.
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
    rekeyed_path(path).rename(path)  # the turning point
    sync(path.parent)
    finish_rekey(path, others, new)
    return new


def _put_on_record(path: Path, keys: Keys, new: Keys, campaign: Campaign, by: str, day: dt.date) -> None:
    """In the copy under the new key: that the old one was replaced; and the whole copy holds."""
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
    """End or undo what an interrupted rekey left beside the files; `keys` are those that open the record at `path`.

    A file that they open holds, and what lies beside it goes. One that they do not open is still under the old key: the
    whole one beside it takes its place. FuxueError if they open neither: then nothing is touched.
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
    """True if a file opens with a key and every page of it stands."""
    try:
        with closing(connect(path, key)) as db:
            return not db.execute("PRAGMA cipher_integrity_check").fetchone() and (
                db.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok"
            )
    except (FuxueError, DatabaseError):
        return False


def rekeyed_path(path: Path) -> Path:
    """Where a file lies under its new key until it takes its place."""
    return path.with_name(f".{path.name}.rekey")


def _export(path: Path, old: bytes, new: bytes) -> None:
    """All of an encrypted database into a file beside it, under another key."""
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
    if path.with_name(f"{path.name}-wal").exists():  # the last to close a file takes it away
        raise FuxueError("rekey.in_use", file=path.name)
