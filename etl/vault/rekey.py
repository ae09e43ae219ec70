"""A new master key: every private database is encrypted anew, beside the old one, and takes its place when all are.

The record's own file is the turning point. Before it takes its place the old key opens everything; from then on the new
one does, and whatever was not done yet is done by the next run (`settle_rekey`). No copy is ever unencrypted.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from etl.campaign import Campaign
from etl.disk import sync
from etl.findings import FuxueError
from etl.vault import chain
from etl.vault.files import connect
from etl.vault.keys import Keys
from etl.vault.open import Vault, open_vault
from etl.vault.verify import breaks_of


def rekey(path: Path, others: Sequence[tuple[Path, str]], keys: Keys, master: bytes, campaign: Campaign,
          by: str, day: dt.date) -> Keys:  # fmt: skip
    """Encrypt the record at `path`, and `others` given with the purposes of their keys, under a new master key.

    The old one goes on record: what was handed out under it is still read. Gives the keys that hold from now on.
    """
    new = replace(keys, master=master, retired=(*keys.retired, keys.master))
    if master in new.retired:
        raise FuxueError("rekey.same")
    # The record's own first: while it lies aside, what else lies aside is known to be not yet wanted.
    _export(path, keys.derive("file:vault"), new.derive("file:vault"))
    for other, purpose in others:
        _export(other, keys.derive(purpose), new.derive(purpose))
    fresh = aside(path)
    vault = Vault(connect(fresh, new.derive("file:vault")), new)
    try:
        with vault.transaction() as db:
            db.execute(
                "INSERT INTO key_event (number, master, retired_on, retired_by) VALUES (?, ?, ?, ?)",
                [keys.number, keys.master, day.isoformat(), by],
            )
            chain.append(vault, "key_event", keys.number, day)
    finally:
        vault.close()
    with open_vault(fresh, new, campaign) as vault:
        if breaks_of(vault, campaign):
            raise FuxueError("rekey.broken")
    fresh.rename(path)  # the turning point
    sync(path.parent)
    settle_rekey(path, [other for other, _ in others])
    return new


def settle_rekey(path: Path, others: Sequence[Path]) -> bool:
    """End or undo what an interrupted rekey left beside the files; True if there was something.

    As long as the record's own new file lies aside, it has not turned.
    """
    left = [other for other in others if aside(other).exists()]
    if aside(path).exists():
        for file in (path, *left):
            aside(file).unlink(missing_ok=True)
            aside(file).with_name(f"{aside(file).name}-journal").unlink(missing_ok=True)
        return True
    for other in left:
        aside(other).rename(other)
        sync(other.parent)
    return bool(left)


def aside(path: Path) -> Path:
    """Where a file lies under its new key until it takes its place."""
    return path.with_name(f".{path.name}.rekey")


def _export(path: Path, old: bytes, new: bytes) -> None:
    """All of an encrypted database into a file beside it, under another key."""
    fresh = aside(path)
    fresh.unlink(missing_ok=True)
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
