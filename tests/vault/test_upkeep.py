"""The record's own upkeep: copies, a new key, retention. Each is whole or did not happen, and the chain still holds."""

import datetime as dt
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from etl.cli.main import main
from etl.findings import FuxueError
from etl.system.sealing import unseal
from etl.vault.record.count import count
from etl.vault.scopes.contents import scopes
from etl.vault.store import chain
from etl.vault.store.files import DatabaseError, connect, open_scope, scope_names
from etl.vault.store.keys import Keys, new_key
from etl.vault.store.open import known_keys, unguarded
from etl.vault.upkeep import rekey as rekeying
from etl.workflow import issuing, loading, recording, recovery, releasing, standing, upkeep
from etl.workflow.documents import BUREAU_DOCUMENTS
from etl.workflow.run import Run
from tests.support.books import ISSUE, returned
from tests.support.leaks import is_readable

LATER = dt.date(2030, 1, 1)


def answers(run: Run) -> list[tuple[object, ...]]:
    with run.open_vault() as vault:
        return list(vault.connection.execute("SELECT * FROM answer ORDER BY workbook, serial"))


def kinds(run: Run) -> list[str]:
    with run.open_vault() as vault:
        return [link.kind for link in chain.links(vault.connection)]


def test_a_backup_is_encrypted_verified_and_on_record_and_puts_everything_back(loaded: Run) -> None:
    before = answers(loaded)
    path, newest = upkeep.back_up(loaded, None)
    assert (path.parent, newest.id) == (loaded.home.backups, 4)
    assert path.stat().st_mode & 0o077 == 0
    assert kinds(loaded)[-1] == "backup"
    loaded.home.vault.unlink()
    shutil.rmtree(loaded.home.scopes)
    last, _ = upkeep.restore(loaded, path, None)
    assert (last, answers(loaded)) == (4, before)
    assert kinds(loaded)[-2:] == ["restoration", "backup"]  # the copy is known to the record that it is
    assert upkeep.verify_record(loaded).breaks == ()
    assert scope_names(loaded.home.scopes) == sorted(scopes(loaded.campaign))


def test_a_backup_never_overwrites_another(loaded: Run, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    upkeep.back_up(loaded, target)
    content = target.read_bytes()
    with pytest.raises(FuxueError, match=r"backup\.exists"):
        upkeep.back_up(loaded, target)
    assert target.read_bytes() == content


@pytest.mark.parametrize("upto", [1, 2, 3])
def test_a_backup_is_restored_as_it_was_at_an_earlier_link(loaded: Run, upto: int) -> None:
    before = answers(loaded)
    path, _ = upkeep.back_up(loaded, None)
    last, kept = upkeep.restore(loaded, path, upto)
    assert last == upto
    assert answers(loaded) == [row for row in before if isinstance(row[0], int) and row[0] < upto]
    assert kinds(loaded) == ["issue", *["workbook"] * (upto - 1), "restoration", "backup"]
    assert upkeep.verify_record(loaded).breaks == ()
    # The record that it replaced is whole, and what was taken back can be loaded again.
    shutil.copyfile(kept, loaded.home.vault)
    assert {one.key for one in upkeep.verify_record(loaded).breaks} == {"verify.scope"}
    assert answers(loaded) == before


def test_what_was_taken_back_is_loaded_again_like_new(loaded: Run) -> None:
    path, _ = upkeep.back_up(loaded, None)
    upkeep.restore(loaded, path, 2)
    assert [one.outcome for one in loading.load_files(loaded)] == ["accepted", "accepted"]
    assert upkeep.verify_record(loaded).breaks == ()


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("harm", [flip, lambda path: path.write_bytes(path.read_bytes()[:-4096]),
                                  lambda path: path.write_bytes(b"")])  # fmt: skip
def test_a_damaged_backup_is_not_restored_and_nothing_is_touched(loaded: Run, harm: Callable[[Path], None]) -> None:
    path, _ = upkeep.back_up(loaded, None)
    harm(path)
    before = loaded.home.vault.read_bytes()
    with pytest.raises(FuxueError, match=r"vault\.cannot_open"):
        upkeep.restore(loaded, path, None)
    assert loaded.home.vault.read_bytes() == before
    assert not list(loaded.home.private.glob(".*.restore"))


def test_a_backup_is_not_restored_beyond_its_end_or_under_another_key(loaded: Run) -> None:
    path, _ = upkeep.back_up(loaded, None)
    before = loaded.home.vault.read_bytes()
    with pytest.raises(FuxueError, match=r"backup\.no_link"):
        upkeep.restore(loaded, path, 9)
    with pytest.raises(FuxueError, match=r"vault\.cannot_open"):
        upkeep.restore(replace(loaded, keys=Keys(b"x" * 32)), path, None)
    assert loaded.home.vault.read_bytes() == before


def rekeyed(run: Run, file: Path) -> Run:
    return replace(run, keys=upkeep.change_key(run, file, "保管人甲"))


def test_a_new_key_opens_everything_and_the_old_one_nothing(loaded: Run, tmp_path: Path) -> None:
    before = answers(loaded)
    new = rekeyed(loaded, tmp_path / "new.key")
    assert answers(new) == before
    assert upkeep.verify_record(new).breaks == ()
    assert kinds(new)[-1] == "key_event"
    with pytest.raises(FuxueError, match=r"vault\.cannot_open"):
        loaded.open_vault()
    for path in loaded.home.scopes.glob("*.db"):
        with pytest.raises(FuxueError):
            connect(path, loaded.keys.derive(f"scope:{path.stem}"), readonly=True)
        connect(path, new.keys.derive(f"scope:{path.stem}"), readonly=True).close()
    assert not list(loaded.home.private.rglob("*.rekey*"))


def test_workbooks_handed_out_under_the_old_key_are_still_read_and_known(run: Run, tmp_path: Path) -> None:
    first, second, third = sorted(run.home.inbox.glob("*.xlsx"))
    assert [one.outcome for one in loading.load_files(run, [first])] == ["accepted"]
    password = run.keys.password(ISSUE, "xiling")
    new = rekeyed(run, tmp_path / "new.key")
    assert new.keys.password(ISSUE, "xiling") == password
    assert [one.outcome for one in loading.load_files(new, [returned(new, first.stem), second])] == [
        "known",
        "accepted",
    ]
    newest = rekeyed(new, tmp_path / "newest.key")
    assert [one.outcome for one in loading.load_files(newest, [third])] == ["accepted"]
    assert upkeep.verify_record(newest).breaks == ()
    # What is handed out from now on has a password that the old key does not give.
    handed = issuing.issue_form(newest, "cases", "xiling")
    own = known_keys(newest.home.vault, newest.keys)
    assert own.password(handed.issue, "xiling") != run.keys.password(handed.issue, "xiling")
    unseal(
        (newest.home.outbox / handed.issue / "xiling-cases.xlsx").read_bytes(), [own.password(handed.issue, "xiling")]
    )


def test_the_same_key_again_is_refused(loaded: Run, tmp_path: Path) -> None:
    same = tmp_path / "same.key"
    new_key(same, loaded.keys.master)
    before = loaded.home.vault.read_bytes()
    with pytest.raises(FuxueError, match=r"rekey\.same"):
        upkeep.change_key(loaded, same, "保管人甲")
    assert loaded.home.vault.read_bytes() == before


@pytest.mark.parametrize("turned", [False, True])
def test_an_interrupted_rekey_is_undone_before_its_turning_point_and_ended_after_it(
    loaded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turned: bool
) -> None:
    staff = recovery.staff_file(loaded.home)
    connect(staff, loaded.keys.derive("file:staff"), create=True).execute("CREATE TABLE t (x)").close()

    def stop(*_: object) -> bool:
        raise OSError("killed")

    name = "finish_rekey" if turned else "record_breaks"
    with monkeypatch.context() as patched:
        patched.setattr(rekeying, name, stop)
        with pytest.raises(OSError, match="killed"):
            upkeep.change_key(loaded, tmp_path / "new.key", "保管人甲")
    holds = (tmp_path / "new.key") if turned else loaded.home.demo_key
    keys = Keys(holds.read_bytes())
    now = replace(loaded, keys=known_keys(loaded.home.vault, keys))
    recovery.recover_unless_busy(now)
    for scope in scope_names(now.home.scopes):
        open_scope(now.home.scopes, scope, keys).close()
    assert upkeep.verify_record(now).breaks == ()
    connect(staff, keys.derive("file:staff"), readonly=True).close()
    assert not list(loaded.home.private.rglob("*.rekey*"))


@pytest.mark.parametrize("has_vault_aside", [True, False])
@pytest.mark.parametrize("content", [b"", b"half written", None])
def test_accounts_are_never_replaced_by_what_a_dead_rekey_left_half_written(
    loaded: Run, tmp_path: Path, content: bytes | None, has_vault_aside: bool
) -> None:
    """Whatever lies beside them, and in whichever order it was cleared: the record has not turned, so they hold."""
    staff = recovery.staff_file(loaded.home)
    connection = connect(staff, loaded.keys.derive("file:staff"), create=True)
    connection.execute("CREATE TABLE accounts (name TEXT)")
    connection.execute("INSERT INTO accounts VALUES ('li.wei')")
    connection.close()
    new = Keys(b"n" * 32)
    if content is None:  # whole, and even under a key that is the new one
        connect(rekeying.rekeyed_path(staff), new.derive("file:staff"), create=True).close()
    else:
        rekeying.rekeyed_path(staff).write_bytes(content)
    if has_vault_aside:
        rekeying.rekeyed_path(loaded.home.vault).write_bytes(b"half written")
    recovery.recover_unless_busy(replace(loaded, keys=new))  # nothing is done under a key that does not open the record
    assert rekeying.rekeyed_path(staff).exists()
    recovery.recover_unless_busy(loaded)
    connection = connect(staff, loaded.keys.derive("file:staff"), readonly=True)
    assert connection.execute("SELECT name FROM accounts").fetchall() == [("li.wei",)]
    connection.close()
    assert not list(loaded.home.private.rglob("*.rekey*"))


def test_a_rekey_on_a_full_disk_leaves_everything_under_the_old_key(
    loaded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = recovery.staff_file(loaded.home)
    connect(staff, loaded.keys.derive("file:staff"), create=True).execute("CREATE TABLE t (x)").close()
    really = rekeying._export

    def full(path: Path, *keys: bytes) -> None:
        if path == staff:
            rekeying.rekeyed_path(path).write_bytes(b"half")
            raise DatabaseError("database or disk is full")
        really(path, *keys)

    with monkeypatch.context() as patched:
        patched.setattr(rekeying, "_export", full)
        with pytest.raises(DatabaseError, match="full"):
            upkeep.change_key(loaded, tmp_path / "new.key", "保管人甲")
    assert not list(loaded.home.private.rglob("*.rekey*"))
    connect(staff, loaded.keys.derive("file:staff"), readonly=True).close()
    assert upkeep.verify_record(loaded).breaks == ()
    assert upkeep.verify_record(rekeyed(loaded, tmp_path / "new.key")).breaks == ()


def people_of(run: Run) -> set[str]:
    with run.open_vault() as vault:
        query = "SELECT name FROM child UNION SELECT id_number FROM child UNION SELECT team FROM answer"
        return {text for (text,) in vault.connection.execute(query)}


def test_a_purge_deletes_every_individual_and_keeps_sums_releases_and_the_chain(loaded: Run, tmp_path: Path) -> None:
    issuing.issue_form(loaded, "cases", None)
    recording.record_signature(loaded, "xiling", "verification", [], "登记员甲")
    releasing.release_figures(loaded)
    path, _ = upkeep.back_up(loaded, None)
    upkeep.back_up(loaded, tmp_path / "elsewhere.db")
    vault = loaded.open_vault()
    before = count(vault, loaded.campaign, loaded.day)
    past = count(vault, loaded.campaign, loaded.campaign.noticed)
    listed = standing.standing_of(loaded).completeness
    vault.close()
    certificate, file = upkeep.delete_individuals(loaded, LATER, "保管人甲")
    assert certificate["deleted"]["child"] == listed.issued
    assert certificate["copies"] == [path.name]
    assert [one["file"] for one in certificate["copies_elsewhere"]] == [str(tmp_path / "elsewhere.db")]
    assert not list(loaded.home.backups.iterdir())
    assert json.loads(file.read_text(encoding="utf-8")) == certificate
    with loaded.open_vault() as vault:
        for table in ("child", "answer", "entry", "handed", "finding", "filler", "signed_child", "correction"):
            assert vault.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0, table
        assert count(vault, loaded.campaign, loaded.day) == before
        assert count(vault, loaded.campaign, loaded.campaign.noticed) == past
        nonces = [bytes(row[0]) for row in vault.connection.execute("SELECT nonces FROM nonce WHERE link IN (1, 2)")]
        assert all(one.count(b"\0" * chain.NONCE) for one in nonces)
    assert standing.standing_of(loaded).completeness == listed
    found = upkeep.verify_record(loaded)
    assert found.breaks == ()
    home = loaded.home
    for folder in (home.outbox, home.inbox, home.received, home.refused, home.reports, home.decisions):
        assert not [path for path in folder.rglob("*") if path.is_file()], folder


def test_a_purge_that_was_interrupted_after_its_turning_point_is_ended_by_the_next_command_of_any_kind(
    loaded: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise OSError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(recovery, "_sweep", stop)
        with pytest.raises(OSError, match="killed"):
            upkeep.delete_individuals(loaded, LATER, "保管人甲")
    assert list(loaded.home.outbox.iterdir())
    given = ["--home", str(loaded.home.root), "--campaign", str(loaded.campaign_folder)]
    assert CliRunner().invoke(main, [*given, "status"]).exit_code == 0
    for folder in (loaded.home.outbox, loaded.home.inbox, loaded.home.reports):
        assert not list(folder.iterdir()), folder
    scope = open_scope(loaded.home.scopes, "bureau", loaded.keys)
    assert scope.execute("SELECT count(*) FROM children").fetchone()[0] == 0
    scope.close()
    assert len(list(loaded.home.certificates.iterdir())) == 1


def test_a_file_that_comes_while_individuals_are_purged_is_not_deleted_unseen(
    loaded: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = loaded.home.inbox / "late.xlsx"
    monkeypatch.setattr(loading, "never_loaded", lambda *_: late.write_bytes(b"late") and [])
    upkeep.delete_individuals(loaded, LATER, "保管人甲")
    assert list(loaded.home.inbox.iterdir()) == [late]


def test_a_decision_workbook_half_filled_when_the_key_was_replaced_still_has_its_password(
    loaded: Run, tmp_path: Path
) -> None:
    before = loaded.keys.password(BUREAU_DOCUMENTS, "bureau")
    new = rekeyed(loaded, tmp_path / "new.key")
    passwords = new.keys.passwords(BUREAU_DOCUMENTS, "bureau")
    assert passwords == [new.keys.password(BUREAU_DOCUMENTS, "bureau"), before]
    assert passwords[0] != before


def test_after_a_purge_a_row_that_is_missed_besides_is_still_found(loaded: Run) -> None:
    upkeep.delete_individuals(loaded, LATER, "保管人甲")
    connection = connect(loaded.home.vault, loaded.keys.derive("file:vault"))
    with unguarded(connection):
        connection.execute("DELETE FROM tally WHERE workbook = 2")
    connection.close()
    assert [(b.key, b.params["link"]) for b in upkeep.verify_record(loaded).breaks] == [("verify.row", 3)]


def test_a_purge_of_nobody_or_with_files_that_were_never_loaded_is_refused(loaded: Run) -> None:
    with pytest.raises(FuxueError, match=r"purge\.nobody "):
        upkeep.delete_individuals(loaded, dt.date(2001, 1, 1), "保管人甲")
    with pytest.raises(FuxueError, match=r"purge\.nobody_named"):
        upkeep.delete_individuals(loaded, LATER, " ")
    (loaded.home.inbox / "late.xlsx").write_bytes(b"late")
    before = answers(loaded)
    with pytest.raises(FuxueError, match=r"purge\.inbox"):
        upkeep.delete_individuals(loaded, LATER, "保管人甲")
    assert answers(loaded) == before
    assert len(list(loaded.home.inbox.iterdir())) == 1


def test_a_purge_that_fails_leaves_everything(loaded: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (answers(loaded), people_of(loaded))
    real = chain.append

    def stop(vault: object, kind: str, *given: object) -> None:
        if kind == "purge":
            raise OSError("disk full")
        real(vault, kind, *given)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(chain, "append", stop)
        with pytest.raises(OSError, match="disk full"):
            upkeep.delete_individuals(loaded, LATER, "保管人甲")
    assert (answers(loaded), people_of(loaded)) == before
    assert upkeep.verify_record(loaded).breaks == ()
    with pytest.raises(Exception, match="immutable"):
        loaded.open_vault().connection.execute("DELETE FROM child")


def test_a_record_goes_back_to_no_link_before_a_purge(loaded: Run) -> None:
    upkeep.delete_individuals(loaded, LATER, "保管人甲")
    path, _ = upkeep.back_up(loaded, None)
    with pytest.raises(FuxueError, match=r"backup\.not_past"):
        upkeep.restore(loaded, path, 2)
    assert kinds(loaded)[-2:] == ["purge", "backup"]


def test_the_command_line_keeps_the_record(loaded: Run, tmp_path: Path) -> None:
    given = ["--home", str(loaded.home.root), "--campaign", str(loaded.campaign_folder)]

    def call(*arguments: str) -> str:
        done = CliRunner().invoke(main, [*given, *arguments])
        assert done.exit_code == 0, done.output
        return done.output

    copy, key = tmp_path / "copy.db", tmp_path / "new.key"
    assert "至第 4 环" in call("vault", "backup", "--to", str(copy))
    assert "workbook" in call("vault", "history")
    assert "已恢复到第 2 环" in call("vault", "restore", str(copy), "--to", "2")
    assert "已全部改用新密钥" in call("vault", "rekey", str(key), "--by", "保管人甲")
    given += ["--key-file", str(key)]
    assert "证据链完整" in call("vault", "verify")
    for path in (loaded.home.inbox).glob("*.xlsx"):
        if path.stem != "donggang":
            path.unlink()
    said = call("vault", "purge", "--before", "2030-01-01", "--by", "保管人甲")
    assert "U盘、纸质材料和别处的备份不在清除范围" in said
    assert "证据链完整" in call("vault", "verify")


def test_no_name_or_number_stands_readable_in_the_home_or_the_temporary_folder_after_upkeep(
    loaded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = people_of(loaded)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    for name in ("TMPDIR", "SQLITE_TMPDIR"):
        monkeypatch.setenv(name, str(temporary))
    upkeep.back_up(loaded, None)
    new = rekeyed(loaded, tmp_path / "new.key")
    upkeep.delete_individuals(new, LATER, "保管人甲")
    looked = [path for folder in (loaded.home.root, temporary) for path in folder.rglob("*") if path.is_file()]
    assert len(looked) > 5
    for path in looked:
        content = path.read_bytes()
        for text in people:
            assert not is_readable(text, content), path.name
