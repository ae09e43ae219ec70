"""The record as somebody with the key and without scruple could open it."""

from collections.abc import Iterator
from contextlib import contextmanager

from etl.vault.store.files import Connection, connect
from etl.vault.store.open import unguarded
from etl.workflow.run import Run


@contextmanager
def forced(run: Run) -> Iterator[Connection]:
    """The record without its guards."""
    connection = connect(run.home.vault, run.keys.derive("file:vault"))
    try:
        connection.execute("PRAGMA foreign_keys = OFF")
        with unguarded(connection):
            yield connection
    finally:
        connection.close()
