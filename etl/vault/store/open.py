"""Opening the record: the key, the integrity of every page, the version and the campaign are checked."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from etl.findings import FuxueError
from etl.rulebook.campaign import Campaign
from etl.vault.store.files import Connection, DatabaseError, connect, in_memory, is_complete
from etl.vault.store.keys import Keys

SCHEMA_VERSION = 7


@dataclass(frozen=True)
class Vault:
    """An open record, used as ``with open_vault(…) as vault``."""

    connection: Connection
    keys: Keys

    def __enter__(self) -> "Vault":
        """Return the open record itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction: committed at the end, rolled back on any error. FuxueError if the record stays locked."""
        try:
            self.connection.execute("BEGIN IMMEDIATE")
        except DatabaseError as error:
            raise FuxueError("vault.busy") from error
        try:
            yield self.connection
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:  # a full disk may have ended the transaction already
                self.connection.execute("ROLLBACK")
            raise


@contextmanager
def unguarded(db: Connection) -> Iterator[None]:
    """Within a transaction, drop the triggers that forbid changes; create them again at the end."""
    guards = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in guards:
        db.execute(f"DROP TRIGGER {name}")
    yield
    for _, statement in guards:
        db.execute(statement)


def open_vault(path: Path, keys: Keys, campaign: Campaign, *, create: bool = False) -> Vault:
    """Open a campaign's record; with `create`, make a missing one.

    FuxueError if the key is wrong, the file is damaged, or the record is of another campaign or version (`upgrade`
    converts older ones).
    """
    if create and not path.exists():
        create_vault(path, keys, campaign)
    connection = connect(path, keys.derive("file:vault"))
    try:
        check_about(describe_record(connection, path), campaign)
        return Vault(connection, all_keys(connection, keys))
    except BaseException:
        connection.close()
        raise


def check_about(about: Mapping[str, Any], campaign: Campaign) -> None:
    """FuxueError unless a record's description (`describe_record`) names this version and this campaign."""
    versions = {"found": about["schema"], "expected": SCHEMA_VERSION}
    if about["schema"] < SCHEMA_VERSION:
        raise FuxueError("vault.older_schema", **versions)
    if about["schema"] > SCHEMA_VERSION:
        raise FuxueError("vault.newer_schema", **versions)
    if about["campaign"] != campaign.id:
        raise FuxueError("vault.other_campaign", found=about["campaign"], expected=campaign.id)


def known_keys(path: Path, keys: Keys) -> Keys:
    """The keys with the earlier masters from the record, or unchanged if the record cannot be opened with them."""
    if not path.exists():
        return keys
    try:
        connection = connect(path, keys.derive("file:vault"), readonly=True)
    except FuxueError:
        return keys
    try:
        return all_keys(connection, keys)
    except DatabaseError:  # an older record, which has no such table, or a damaged one, which `open_vault` reports
        return keys
    finally:
        connection.close()


def all_keys(connection: Connection, keys: Keys) -> Keys:
    """The keys with the earlier masters from the record, and the number of the master that each issue used."""
    retired = tuple(bytes(row[0]) for row in connection.execute("SELECT master FROM key_event ORDER BY number"))
    return replace(keys, retired=retired, issues=dict(connection.execute("SELECT id, key FROM issue").fetchall()))


def create_vault(path: Path, keys: Keys, campaign: Campaign) -> None:
    """Make an empty record, under a temporary name first, so that an interrupted run leaves no incomplete one."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    vault = Vault(connect(fresh, keys.derive("file:vault"), create=True), keys)
    try:
        with vault.transaction() as db:
            for statement in statements("schema.sql"):
                db.execute(statement)
            about = [("schema", str(SCHEMA_VERSION)), ("campaign", campaign.id)]
            db.executemany("INSERT INTO meta VALUES (?, ?)", about)
    finally:
        vault.close()
    fresh.rename(path)


def describe_record(db: Connection, path: Path) -> dict[str, Any]:
    """The record's description of itself, among it `schema` (int) and `campaign`, after checking every page.

    FuxueError if a single byte of the file is damaged.
    """
    try:
        damaged = db.execute("PRAGMA cipher_integrity_check").fetchone()
        about = dict(db.execute("SELECT key, value FROM meta").fetchall())
        if not damaged:
            return about | {"schema": int(about["schema"]), "campaign": about.get("campaign", "")}
    except (DatabaseError, KeyError, ValueError) as error:
        raise FuxueError("vault.cannot_open", file=path.name) from error
    raise FuxueError("vault.cannot_open", file=path.name)


def schema_of(db: Connection) -> dict[str, str]:
    """The SQL of each table, view, index and trigger, without spaces and quotes, which differ in upgraded records."""
    rows = db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {name: "".join(sql.replace('"', "").split()) for name, sql in rows}


@cache
def expected_schema() -> dict[str, str]:
    """`schema_of` an empty record of this version."""
    with closing(in_memory()) as db:
        for statement in statements("schema.sql"):
            db.execute(statement)
        return schema_of(db)


def statements(name: str) -> Iterator[str]:
    """The statements of an SQL file of this folder, without comments, to be executed one by one.

    (`executescript` would end the transaction.)
    """
    statement = ""
    for line in (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines():
        if code := line.partition("--")[0].rstrip():
            statement += code + "\n"
        if is_complete(statement):
            yield statement
            statement = ""
