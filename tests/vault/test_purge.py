"""After a purge nothing that is left confirms a guess about a child, and the certificate says what is true."""

import datetime as dt
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from etl.findings import FuxueError
from etl.forms.definitions import FORMS
from etl.vault.record import issued as recording
from etl.vault.scopes.scope_files import mark_stale
from etl.vault.store.files import Connection
from etl.vault.upkeep import purge as purging
from etl.workflow import issuing, loading, recovery, upkeep
from etl.workflow.run import Run
from tests.support.books import issued, plain, put, row_of, write_list
from tests.support.filled_workbooks import fill_decisions
from tests.support.leaks import is_readable

LATER = dt.date(2030, 1, 1)
#: Keyed marks that stay: of sealed files, whose seal holds random bytes, and of the chain, whose nonces went.
STAYS = {("bundle", "fingerprint"), ("workbook", "fingerprint"), ("link", "leaves"), ("link", "seal"),
         ("nonce", "nonces"), ("key_event", "master"), ("backup", "head")}  # fmt: skip


def purge(run: Run) -> dict[str, object]:
    certificate, file = upkeep.delete_individuals(run, LATER, "保管人甲")
    assert json.loads(file.read_text(encoding="utf-8")) == certificate
    return dict(certificate)


def columns(db: Connection, kind: str) -> set[tuple[str, str]]:
    """(table, column) of a declared type."""
    query = """SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
               WHERE m.type = 'table' AND c.type = ?"""
    return {(table, column) for table, column in db.execute(query, [kind])}


def test_no_mark_over_what_was_handed_out_is_left_to_confirm_a_guess(loaded: Run) -> None:
    purge(loaded)
    with loaded.open_vault() as vault:
        db = vault.connection
        marks = {(table, column) for table, column in columns(db, "BLOB")
                 if db.execute(f"SELECT count({column}) FROM {table}").fetchone()[0]}  # fmt: skip
        assert marks <= STAYS
        assert ("issue", "fingerprint") not in columns(db, "BLOB")


def test_a_file_name_that_names_a_child_goes(run: Run) -> None:
    child = issued(run)[0]
    name = f"{child.name}的情况{child.id_number}.xlsx"
    put(run, plain(run), name, password=run.keys.password("20200302-01", "donggang"))
    (run.home.inbox / "donggang.xlsx").unlink()
    (run.home.inbox / f"{child.name}.txt").write_bytes(b"x")
    loading.load_files(run)
    purge(run)
    with run.open_vault() as vault:
        texts = [value for table, column in columns(vault.connection, "TEXT")
                 for (value,) in vault.connection.execute(f"SELECT {column} FROM {table}") if value]  # fmt: skip
    assert not [text for text in texts if child.name in text or child.id_number in text]
    for path in run.home.root.rglob("*"):
        assert child.name not in path.name
        assert not (path.is_file() and is_readable(child.id_number, path.read_bytes()))


def test_copies_of_the_record_go_and_the_certificate_says_which(loaded: Run, tmp_path: Path) -> None:
    path, _ = upkeep.back_up(loaded, None)
    _, kept = upkeep.restore(loaded, path, None)
    (loaded.home.backups / "sub").mkdir()
    mine = loaded.home.private / "mine.bak"
    for target in (loaded.home.backups / "sub" / "x.copy", mine, tmp_path / path.name):
        upkeep.back_up(loaded, target)
    certificate = purge(loaded)
    assert certificate["copies"] == sorted([path.name, kept.name, "sub/x.copy", str(mine)])
    assert not [file for file in loaded.home.backups.rglob("*") if file.is_file()]
    assert not mine.exists()
    # Of the same name, and yet another file: it lies elsewhere and is said to.
    assert [one["file"] for one in certificate["copies_elsewhere"]] == [str(tmp_path / path.name)]  # type: ignore[attr-defined]
    assert (tmp_path / path.name).exists()
    upkeep.back_up(loaded, None)
    assert upkeep.verify_record(loaded).breaks == ()


def test_files_of_other_lists_stay(loaded: Run, tmp_path: Path) -> None:
    later = replace(loaded, day=loaded.day + dt.timedelta(days=30))
    handed = issuing.issue_list(later, write_list(tmp_path / "list.xlsx", [row_of("901")]))
    (loaded.home.inbox / "note.xlsx").write_bytes(b"x")
    loading.load_files(later)
    upkeep.delete_individuals(later, later.day, "保管人甲")
    assert [folder.name for folder in loaded.home.outbox.iterdir()] == [handed.issue]
    assert not list(loaded.home.received.iterdir())
    assert [path.name for path in loaded.home.refused.rglob("*.xlsx")] == ["0004-2020-04-15.xlsx"]


def test_decision_workbooks_of_an_open_list_stay_and_those_of_an_issued_one_are_gone(
    loaded: Run, tmp_path: Path
) -> None:
    nowhere = row_of("901", household="虚构省青石县无此镇1号")
    path = write_list(tmp_path / "list.xlsx", [nowhere])
    (workbook,) = issuing.issue_list(loaded, path).decision_workbooks
    content = workbook.read_bytes()
    purge(loaded)
    assert workbook.read_bytes() == content
    assert workbook.stem in FORMS


def test_decision_workbooks_of_a_list_that_is_issued_go(loaded: Run, tmp_path: Path) -> None:
    path = write_list(tmp_path / "list.xlsx", [row_of("901", household="虚构省青石县无此镇1号")])
    (workbook,) = issuing.issue_list(loaded, path).decision_workbooks
    decided = fill_decisions(loaded, workbook, "归属单位", {str(row_of("901")["serial"]): "东港镇"})
    assert issuing.issue_list(loaded, path, assign=decided).issue
    assert not list(loaded.home.decisions.iterdir())


def decided_list(run: Run, folder: Path, number: int) -> tuple[Path, Path, Path]:
    """A list with a child of no unit, the decision workbook about it, and the same filled in."""
    path = write_list(folder / f"list-{number}.xlsx", [row_of(str(number), household="虚构省青石县无此镇1号")])
    (workbook,) = issuing.issue_list(run, path).decision_workbooks
    decided = fill_decisions(run, workbook, "归属单位", {str(row_of(str(number))["serial"]): "东港镇"})
    return path, workbook, decided.rename(folder / f"decided-{number}.xlsx")


def interrupt_issue(monkeypatch: pytest.MonkeyPatch, work: Callable[[], object], *, is_recorded: bool) -> None:
    """Issue a list, and end before or after that is on record."""
    record = recording.record_issue

    def end(*given: Any) -> None:
        if is_recorded:
            record(*given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(recording, "record_issue", end)
        with pytest.raises(KeyboardInterrupt):
            work()


def test_decision_workbooks_of_a_list_that_is_issued_go_also_if_that_was_interrupted(
    loaded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, workbook, decided = decided_list(loaded, tmp_path, 901)
    work = partial(issuing.issue_list, loaded, path, assign=decided)
    interrupt_issue(monkeypatch, work, is_recorded=True)
    assert workbook.exists()
    loading.load_files(loaded)
    assert not list(loaded.home.decisions.iterdir())


def test_decision_workbooks_of_a_list_that_was_not_issued_after_all_stay(
    loaded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, workbook, decided = decided_list(loaded, tmp_path, 901)
    work = partial(issuing.issue_list, loaded, path, assign=decided)
    interrupt_issue(monkeypatch, work, is_recorded=False)
    other, _, other_decided = decided_list(loaded, tmp_path, 902)
    assert issuing.issue_list(loaded, other, assign=other_decided).issue == "20200316-02"  # as that would have been
    assert workbook.exists()
    assert issuing.issue_list(loaded, path, assign=decided).issue == "20200316-03"
    assert not list(loaded.home.decisions.iterdir())


def test_decision_workbooks_go_once_their_children_were_issued_from_a_list_that_was_mended(
    loaded: Run, tmp_path: Path
) -> None:
    _, workbook, _ = decided_list(loaded, tmp_path, 901)
    mended = write_list(tmp_path / "mended.xlsx", [row_of("901"), row_of("903")])
    assert issuing.issue_list(loaded, mended).issue
    assert not workbook.parent.exists()


def test_decision_workbooks_that_marked_no_rows_go_with_their_list(loaded: Run, tmp_path: Path) -> None:
    """As those of an earlier version."""
    path, workbook, decided = decided_list(loaded, tmp_path, 901)
    (workbook.parent / recovery.ROWS).unlink()
    assert issuing.issue_list(loaded, path, assign=decided).issue
    assert not workbook.parent.exists()


def test_decision_workbooks_about_a_number_that_two_children_have_stay_until_both_are_decided(
    loaded: Run, tmp_path: Path
) -> None:
    one = row_of("911", name="张一")
    other = row_of("912", name="李二", id_number=one["id_number"])
    (workbook,) = issuing.issue_list(loaded, write_list(tmp_path / "list.xlsx", [one, other])).decision_workbooks
    assert issuing.issue_list(loaded, write_list(tmp_path / "other.xlsx", [one, row_of("913")])).issue
    assert workbook.exists()


def test_decision_workbooks_about_a_second_row_of_an_issued_child_stay_until_that_is_decided(
    loaded: Run, tmp_path: Path
) -> None:
    child = next(iter(issued(loaded)))
    twin = row_of(child.serial, name=child.name, id_number=child.id_number)
    path = write_list(tmp_path / "list.xlsx", [*([twin] * 2), row_of("904")])
    workbooks = issuing.issue_list(loaded, path).decision_workbooks
    assert [one.stem for one in workbooks] == ["exclusions"]
    assert issuing.issue_list(loaded, write_list(tmp_path / "other.xlsx", [row_of("905")])).issue
    assert workbooks[0].exists()


def test_what_interrupted_commands_left_goes_too(loaded: Run) -> None:
    """Half-made copies, sealed workbooks of no issue, drafts, and files of an issue that was taken back."""
    home = loaded.home
    home.backups.mkdir()
    path, _ = upkeep.back_up(loaded, None)
    content = path.read_bytes()
    left = [home.backups / ".vault-x.db.part", home.private / ".vault.db.restore",
            home.outbox / ".20200316-09.new" / "donggang.xlsx", home.outbox / "20200316-08" / "donggang.xlsx",
            home.received / "20200316-08" / "donggang" / "0009-2020-03-16.xlsx",
            home.refused / "unknown" / ".0009-2020-03-16.xlsx.part"]  # fmt: skip
    for file in left:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    purge(loaded)
    assert not [file for file in left if file.exists()]


def supplement_left_aside(run: Run, folder: Path) -> tuple[Run, str]:
    """A later list that is on record, and whose workbooks an interrupted run left aside: the run, the issue."""
    later = replace(run, day=run.day + dt.timedelta(days=30))
    handed = issuing.issue_list(later, write_list(folder / "list.xlsx", [row_of("901")]))
    (run.home.outbox / handed.issue).rename(run.home.outbox / f".{handed.issue}.new")
    return later, handed.issue


def test_workbooks_of_another_list_that_still_lie_aside_are_not_swept(loaded: Run, tmp_path: Path) -> None:
    later, issue = supplement_left_aside(loaded, tmp_path)
    fresh = {path.name: path.read_bytes() for path in (loaded.home.outbox / f".{issue}.new").iterdir()}
    upkeep.delete_individuals(later, later.day, "保管人甲")
    assert {path.name: path.read_bytes() for path in (loaded.home.outbox / issue).iterdir()} == fresh
    assert [folder.name for folder in loaded.home.outbox.iterdir()] == [issue]


def test_what_is_no_issues_folder_is_left_alone(loaded: Run) -> None:
    own = loaded.home.outbox / "给各乡镇的说明" / "说明.txt"
    own.parent.mkdir()
    own.write_bytes(b"x")
    purge(loaded)
    assert own.exists()


def test_nothing_is_purged_while_a_folder_stands_in_the_way_of_fresh_workbooks(loaded: Run, tmp_path: Path) -> None:
    later, issue = supplement_left_aside(loaded, tmp_path)
    (loaded.home.outbox / issue).mkdir()
    with pytest.raises(FuxueError, match=r"issue\.in_the_way"):
        upkeep.delete_individuals(later, later.day, "保管人甲")
    with loaded.open_vault() as vault:
        assert vault.connection.execute("SELECT count(*) FROM purge").fetchone() == (0,)


def test_a_purge_of_an_older_version_is_ended_too(loaded: Run) -> None:
    """Its certificate names no copies, and its home lacks the folders of returned files."""
    really = purging._certificate

    def older(*given: object) -> dict[str, object]:
        made = really(*given)  # type: ignore[arg-type]
        return {key: value for key, value in made.items() if not key.startswith("copies")}

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(purging, "_certificate", older)
        upkeep.delete_individuals(loaded, LATER, "保管人甲")
    (file,) = loaded.home.certificates.iterdir()
    file.unlink()
    for folder in (loaded.home.received, loaded.home.refused):
        shutil.rmtree(folder)
    mark_stale(loaded.home.scopes)
    recovery.recover_unless_busy(loaded)
    assert file.exists()
