"""Opening encrypted databases (SQLCipher, raw 32-byte keys). Only `etl.vault` connects to private databases."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from sqlcipher3 import dbapi2 as sqlcipher

from etl.findings import FuxueError
from etl.vault.store.keys import Keys

Connection: TypeAlias = Any  # the library ships no types
DatabaseError: type[Exception] = sqlcipher.DatabaseError
#: True if a text is one or more complete SQL statements.
is_complete: Callable[[str], bool] = sqlcipher.complete_statement

#: Keys and pages are wiped after use and never swapped out; each block of memory costs two system calls.
MEMORY_SECURITY = "ON"


def connect(path: Path, key: bytes, *, create: bool = False, readonly: bool = False) -> Connection:
    """Open a database and prove that the key is right. FuxueError if not, or if the file is missing or no database."""
    mode = "rwc" if create else "ro" if readonly else "rw"
    try:
        # Cached statements would use up the connection's lookaside memory. SQLCipher would then lock and unlock memory
        # for each value separately: a million system calls for 15,000 rows.
        connection = sqlcipher.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True, isolation_level=None, check_same_thread=False, cached_statements=0,
        )  # fmt: skip
        connection.execute("PRAGMA cipher_log_level = NONE")  # SQLCipher would write to stderr directly
        connection.execute(f"PRAGMA cipher_memory_security = {MEMORY_SECURITY}")  # of the whole process
        connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        # Children's data must not reach a temporary file or stay in freed pages.
        for pragma in ("temp_store = MEMORY", "secure_delete = ON", "foreign_keys = ON", "busy_timeout = 10000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlcipher.DatabaseError as error:
        missing = not path.exists()
        raise FuxueError("vault.missing" if missing else "vault.cannot_open", file=path.name) from error
    if create:
        path.chmod(0o600)
    return connection


def in_memory() -> Connection:
    """An empty database in memory, which is never written to a disk."""
    return sqlcipher.connect(":memory:", isolation_level=None)


def discard(file: Path) -> None:
    """Delete an unfinished database and its journal, if they exist."""
    for left in (file, file.with_name(f"{file.name}-journal")):
        left.unlink(missing_ok=True)


def scope_path(scopes: Path, scope: str) -> Path:
    """The encrypted file of a scope."""
    return scopes / f"{scope}.db"


def numbers_path(scopes: Path, scope: str) -> Path:
    """The encrypted file of the full ID numbers of a scope's children."""
    return scopes / "numbers" / f"{scope}.db"


def scope_key(keys: Keys, scope: str) -> bytes:
    """The key of a scope's file."""
    return keys.derive(f"scope:{scope}")


def numbers_key(keys: Keys, scope: str) -> bytes:
    """The key of a scope's file of full ID numbers."""
    return keys.derive(f"numbers:{scope}")


def scope_names(scopes: Path) -> list[str]:
    """All scopes whose files have been built, sorted."""
    return sorted(p.stem for p in scopes.glob("[!.]*.db"))


def open_scope(scopes: Path, scope: str, keys: Keys) -> Connection:
    """Open a scope's file read-only. Plugins reach children's data only here and in `open_numbers`."""
    return connect(scope_path(scopes, scope), scope_key(keys, scope), readonly=True)


def open_numbers(scopes: Path, scope: str, keys: Keys) -> Connection:
    """Open the file with the full ID numbers of a scope's children, read-only."""
    return connect(numbers_path(scopes, scope), numbers_key(keys, scope), readonly=True)
