"""Faults of the record: each is found by its name, and no copy, key or version is made of a record that has one."""

import datetime as dt
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from etl.findings import FuxueError
from etl.rulebook.campaign import Campaign
from etl.vault.store import chain
from etl.vault.store.files import connect
from etl.vault.store.keys import Keys
from etl.vault.store.open import create_vault, open_vault
from etl.vault.upkeep import backup
from etl.vault.upkeep import rekey as rekeying
from etl.vault.upkeep.upgrade import reseal, upgrade_record
from etl.workflow import recording, upkeep
from etl.workflow.run import Run
from tests.support.forced import forced
from tests.support.homes import ROOT
from tests.support.old_records import old_home

KEYS = Keys(b"k" * 32)
CHANGED = "UPDATE tally SET children = children + 1 WHERE workbook = 1"


def broken(run: Run) -> list[tuple[object, ...]]:
    """The faults but for those of scopes, which follow from any change."""
    breaks = upkeep.verify_record(run).breaks
    return [(one.key, *one.params.values()) for one in breaks if one.key != "verify.scope"]


def test_what_sqlite_itself_finds_wrong_is_reported_first(loaded: Run) -> None:
    with forced(loaded) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute("UPDATE workbook SET sealed = 7 WHERE id = 2")
    assert broken(loaded)[0] == ("verify.damaged",)


def test_a_row_that_was_added_behind_the_others_is_found(loaded: Run) -> None:
    recording.record_signature(loaded, "xiling", "verification", [], "登记员甲")
    with forced(loaded) as db:
        count = db.execute("SELECT count(*) FROM signed_child").fetchone()[0]
        db.execute("INSERT INTO signed_child VALUES (1, 'zzz', 'zzz', 'x')")
    link = ("verify.row", 5, "signature", "1", loaded.day.isoformat())
    assert (*link, "signed_child", count + 1) in broken(loaded)


@pytest.mark.parametrize(("kind", "subject", "fault"), [
    ("gossip", "1", ("verify.unknown_kind", "gossip")), ("workbook", "1", ("verify.twice", "workbook", "1")),
])  # fmt: skip
def test_a_link_of_no_known_kind_and_one_that_is_there_twice_are_found(
    loaded: Run, kind: str, subject: str, fault: tuple[str, ...]
) -> None:
    with loaded.open_vault() as vault, vault.transaction():
        chain.append(vault, kind, subject, loaded.day)
    assert broken(loaded) == [fault]


def test_no_copy_is_made_of_a_record_with_a_fault(loaded: Run) -> None:
    with forced(loaded) as db:
        db.execute(CHANGED)
    with pytest.raises(FuxueError, match=r"backup\.broken"):
        upkeep.back_up(loaded, None)
    assert list(loaded.home.backups.iterdir()) == []
    with loaded.open_vault() as vault:
        assert [link.kind for link in chain.links(vault.connection)] == ["issue", *["workbook"] * 3]


def test_no_copy_is_made_of_a_record_without_a_list(small: Campaign, tmp_path: Path) -> None:
    create_vault(tmp_path / "vault.db", KEYS, small)
    with open_vault(tmp_path / "vault.db", KEYS, small) as vault, pytest.raises(FuxueError, match=r"issue\.none"):
        backup.copy_record(vault, small, tmp_path / "copies" / "copy.db", "copy.db", small.noticed)
    assert [path.name for path in tmp_path.iterdir()] == ["vault.db"]


@pytest.mark.parametrize("ask", [
    lambda path: backup.last_day_of_copy(path, KEYS),
    lambda path: backup.final_things(path, path.with_name("vault.db"), KEYS, set()),
])  # fmt: skip
def test_an_encrypted_file_that_is_no_record_is_no_copy(tmp_path: Path, ask: Callable[[Path], object]) -> None:
    path = tmp_path / "copy.db"
    connect(path, KEYS.derive("file:vault"), create=True).close()
    with pytest.raises(FuxueError, match=r"vault\.cannot_open") as caught:
        ask(path)
    assert caught.value.params["file"] == "copy.db"


@pytest.mark.parametrize("is_spoilt_on_the_way", [False, True])
def test_the_key_of_a_record_with_a_fault_is_not_replaced(
    loaded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_spoilt_on_the_way: bool
) -> None:
    if is_spoilt_on_the_way:
        monkeypatch.setattr(rekeying, "is_whole", lambda path, _: not path.name.endswith(".rekey"))
    else:
        with forced(loaded) as db:
            db.execute(CHANGED)
    before = loaded.home.vault.read_bytes()
    with pytest.raises(FuxueError, match=r"rekey\.broken"):
        upkeep.change_key(loaded, tmp_path / "new.key", "保管人甲")
    assert loaded.home.vault.read_bytes() == before
    assert not list(loaded.home.private.rglob("*.rekey*"))


def test_of_two_files_that_no_key_opens_neither_is_deleted(tmp_path: Path) -> None:
    record, staff = tmp_path / "vault.db", tmp_path / "staff.db"
    connect(record, KEYS.derive("file:vault"), create=True).close()
    for path in (staff, rekeying.rekeyed_path(staff)):
        path.write_bytes(path.name.encode() * 999)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(FuxueError, match=r"rekey\.unsettled") as caught:
        rekeying.finish_rekey(record, [(staff, "file:staff")], KEYS)
    assert caught.value.params["file"] == "staff.db"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(("version", "harm", "key"), [
    (5, CHANGED, r"backup\.broken"),
    (5, "DELETE FROM link", r"backup\.broken"),
    (3, "DELETE FROM child WHERE serial = (SELECT max(serial) FROM answer)", r"vault\.cannot_open"),
])  # fmt: skip
def test_an_older_record_with_a_fault_stays_as_it_is(loaded: Run, version: int, harm: str, key: str) -> None:
    """A row that was changed; a chain that is gone; an answer about a child that is not there."""
    old_home(loaded, version, ROOT / "tests/support/schemas")
    with forced(loaded) as db:
        assert db.execute(harm).rowcount > 0
    before = loaded.home.vault.read_bytes()
    with pytest.raises(FuxueError, match=key):
        upgrade_record(loaded.home.vault, loaded.keys, loaded.campaign, loaded.day)
    with closing(connect(loaded.home.vault, loaded.keys.derive("file:vault"))) as db:
        assert dict(db.execute("SELECT key, value FROM meta"))["schema"] == str(version)
    assert loaded.home.vault.read_bytes() == before


def test_leaves_of_purged_rows_stay_as_they_are_when_a_chain_is_sealed_again(loaded: Run) -> None:
    upkeep.delete_individuals(loaded, dt.date(2030, 1, 1), "保管人甲")
    with loaded.open_vault() as vault:
        before = [link.leaves for link in chain.links(vault.connection)]
        positions = chain.gone(vault.connection)
        with vault.transaction():
            reseal(vault)
        after = [link.leaves for link in chain.links(vault.connection)]
    assert positions[1]
    for link, gone in positions.items():
        old, new = (
            [leaves[link - 1][at : at + chain.LEAF] for at in range(0, len(leaves[link - 1]), chain.LEAF)]
            for leaves in (before, after)
        )
        assert [at for at, leaf in enumerate(old) if leaf == new[at]] == sorted(gone)
    assert broken(loaded) == []
