"""Opening encrypted files: SQLCipher, raw 32-byte keys. Nothing outside `etl.vault` connects to the private side."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from sqlcipher3 import dbapi2 as sqlcipher

from etl.findings import FuxueError
from etl.vault.store.keys import Keys

Connection: TypeAlias = Any  # the library ships no types
DatabaseError: type[Exception] = sqlcipher.DatabaseError
#: Whether a text is one statement or more, none of them cut short.
is_complete: Callable[[str], bool] = sqlcipher.complete_statement


def connect(path: Path, key: bytes, *, create: bool = False, readonly: bool = False) -> Connection:
    """An open connection whose key has been proved right; FuxueError if it is wrong or the file is no such database."""
    mode = "rwc" if create else "ro" if readonly else "rw"
    try:
        # Statements that are kept would fill the connection's small memory for values: each value would be locked into
        # memory and out of it by itself, a million system calls for 15,000 rows.
        connection = sqlcipher.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True, isolation_level=None, check_same_thread=False, cached_statements=0,
        )  # fmt: skip
        connection.execute("PRAGMA cipher_log_level = NONE")  # it would write on stderr, past us
        connection.execute("PRAGMA cipher_memory_security = ON")  # of this process: keys and pages wiped, not swapped
        connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        # Nothing of a child may reach a temporary file or stay in freed pages.
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
    """An empty database that nothing of is ever written."""
    return sqlcipher.connect(":memory:", isolation_level=None)


def discard(file: Path) -> None:
    """Take away a half-made database, with its journal."""
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
    """All scopes that have been built, sorted."""
    return sorted(p.stem for p in scopes.glob("[!.]*.db"))


def open_scope(scopes: Path, scope: str, keys: Keys) -> Connection:
    """A scope's file, read-only; the one door for plugins."""
    return connect(scope_path(scopes, scope), scope_key(keys, scope), readonly=True)


def open_numbers(scopes: Path, scope: str, keys: Keys) -> Connection:
    """The full ID numbers of a scope's children, read-only."""
    return connect(numbers_path(scopes, scope), numbers_key(keys, scope), readonly=True)
