"""An attack on a database file byte by byte: what was deleted is read, unless the file was built afresh."""

import sqlite3
from pathlib import Path

import pytest

from tests.support import naive
from tests.support.attacks_files import deleted_rows, free_bytes

#: Counts that are published as intervals, as pages name them.
HIDDEN = {f"units.u{at}.{name}": count for at, name, count in (
    (1, "returned", 3), (2, "returned", 0), (2, "still_out", 14), (3, "suspected", 4), (4, "still_out", 75),
    (5, "returned", 2),
)}  # fmt: skip


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with a table of figures, of which nothing was ever deleted."""
    path = tmp_path / "fuxue.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE figures (release TEXT, cell TEXT, low INTEGER, high INTEGER)")
    connection.executemany("INSERT INTO figures VALUES ('0001', ?, 0, 5)", [(cell,) for cell in HIDDEN])
    connection.commit()
    connection.close()
    return path


@pytest.mark.parametrize("how", ["DROP TABLE draft", "DELETE FROM draft"])
def test_deleted_rows_are_read_from_a_file_that_was_not_rebuilt(database: Path, how: str) -> None:
    assert deleted_rows(database) == set()
    naive.deleted_from(database, HIDDEN, how)
    found = {row for row in deleted_rows(database) if row[:1] == ("private",)}
    assert found
    assert found <= {("private", cell, value) for cell, value in HIDDEN.items()}


def test_of_rows_that_were_deleted_one_by_one_all_but_their_heads_stays(database: Path) -> None:
    naive.deleted_from(database, HIDDEN, "DELETE FROM draft WHERE value < 5")
    free = b"".join(free_bytes(database))
    gone = [cell for cell, value in HIDDEN.items() if value < 5]
    assert len(gone) == 4
    assert all(f"private{cell}".encode() in free for cell in gone)


def test_a_file_that_was_built_afresh_after_the_deletion_holds_none_of_it(database: Path) -> None:
    naive.deleted_from(database, HIDDEN, "DELETE FROM draft")
    connection = sqlite3.connect(database)
    connection.execute("VACUUM")
    connection.close()
    assert not [row for row in deleted_rows(database) if row[:1] == ("private",)]
