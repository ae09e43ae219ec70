"""The audit log as a file: opened again, on a full disk, damaged."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from etl.vault.store.audit_log import Log, LogEntry, Look, log_breaks, log_path
from etl.vault.store.files import DatabaseError
from etl.vault.store.keys import Keys, demo_master

KEYS = Keys(demo_master(3))
LOOK = Look("2019-02-20T08:00:00Z", "clerk", "10.0.0.8", "GET", "/xianyuwan", "", 200, 3, 12)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """A log of two entries."""
    made = Log(log_path(tmp_path), KEYS, create=True)
    for _ in range(2):
        made.append(LOOK)
    yield made
    made.close()


def numbers(log: Log) -> list[int]:
    assert list(log_breaks(log)) == []
    return [entry.number for entry in log.entries()]


def test_a_second_server_goes_on_with_the_log_that_is_there(log: Log, tmp_path: Path) -> None:
    second = Log(log_path(tmp_path), KEYS, create=True)
    assert second.append(LOOK).number == 3
    second.close()
    assert numbers(log) == [1, 2, 3]


def test_an_entry_that_cannot_be_written_leaves_nothing_and_keeps_nobody_out(log: Log, tmp_path: Path) -> None:
    with pytest.raises(DatabaseError):
        log.append(replace(LOOK, rows="many"))  # type: ignore[arg-type]
    second = Log(log_path(tmp_path), KEYS)
    second.db.execute("PRAGMA busy_timeout = 1")
    assert second.append(LOOK).number == 3
    second.close()
    assert log.append(LOOK).number == 4
    assert numbers(log) == [1, 2, 3, 4]


def test_a_full_disk_that_ended_the_transaction_is_told_as_such(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Log, _: LogEntry) -> None:
        self.db.execute("ROLLBACK")
        raise DatabaseError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(Log, "_insert", full)
        with pytest.raises(DatabaseError, match="full"):
            log.append(LOOK)
    assert numbers(log) == [1, 2]


def test_a_damaged_page_is_found(log: Log, tmp_path: Path) -> None:
    log.close()
    path = log_path(tmp_path)
    content = bytearray(path.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page + 100] ^= 1
    path.write_bytes(content)
    damaged = Log(path, KEYS)
    assert list(log_breaks(damaged)) == [("audit.damaged", 0)]
    damaged.close()
