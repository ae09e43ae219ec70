"""The private record: encrypted, versioned, never rewritten; each scope holds its own rows and no full ID number."""

import datetime as dt
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from etl.findings import FuxueError
from etl.rulebook.campaign import Campaign
from etl.synthetic.list_workbook import write_list
from etl.synthetic.population import Person, make_population
from etl.system import home
from etl.system.sealing import seal, unseal
from etl.vault.record import count as counting
from etl.vault.scopes.contents import scopes
from etl.vault.store import chain, files
from etl.vault.store.keys import TYPEABLE, Keys, demo_master, new_key, read_key
from etl.vault.store.open import Vault
from etl.workflow import issuing, loading, synthesizing, upkeep
from etl.workflow.run import Run
from tests.support import warm
from tests.support.books import returned
from tests.support.homes import ROOT
from tests.support.leaks import is_readable

#: Bytes of a page of the record.
PAGE = 4096


def answers(run: Run) -> list[tuple[object, ...]]:
    with run.open_vault() as vault:
        return list(vault.connection.execute("SELECT * FROM answer ORDER BY 1, 3"))


def private_files(run: Run) -> list[Path]:
    return [path for path in run.home.private.rglob("*.db") if path.is_file()]


def test_keys_and_pages_are_wiped_and_never_swapped_out(tmp_path: Path) -> None:
    """In a Python of its own: in this one they are not, since that takes long."""
    program = "import sys; from pathlib import Path; from etl.vault.store.files import connect\n"
    program += "db = connect(Path(sys.argv[1]), bytes(32), create=True)\n"
    program += "print(db.execute('PRAGMA cipher_memory_security').fetchone()[0])"
    command = [sys.executable, "-c", program, str(tmp_path / "new.db")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_plain_sqlite_is_refused_by_every_private_database(loaded: Run) -> None:
    paths = private_files(loaded)
    assert len(paths) == 1 + 2 * len(scopes(loaded.campaign))  # the vault, and two files a scope
    for path in paths:
        with pytest.raises(sqlite3.DatabaseError, match="not a database"):
            sqlite3.connect(path).execute("SELECT count(*) FROM sqlite_master")


def test_no_private_database_holds_a_readable_name_or_number(loaded: Run, people: list[Person]) -> None:
    for path in private_files(loaded):
        content = path.read_bytes()
        for person in people:
            for text in (person.child.id_number, person.child.name):
                assert not is_readable(text, content), path.name
        assert b"SQLite format 3" not in content


def test_private_files_are_closed_to_others(loaded: Run) -> None:
    for path in [*private_files(loaded), loaded.home.demo_key]:
        assert path.stat().st_mode & 0o077 == 0
    assert loaded.home.private.stat().st_mode & 0o077 == 0


def test_a_wrong_key_opens_nothing_and_changes_nothing(loaded: Run) -> None:
    before = loaded.home.vault.read_bytes()
    with pytest.raises(FuxueError, match="vault.cannot_open"):
        replace(loaded, keys=Keys(b"x" * 32)).open_vault()
    assert loaded.home.vault.read_bytes() == before


@pytest.mark.parametrize("size", [0, 1, 100, 4096, 10_000])
def test_a_truncated_or_flipped_file_is_a_clear_error(loaded: Run, size: int) -> None:
    content = loaded.home.vault.read_bytes()
    loaded.home.vault.write_bytes(content[:size] if size else b"")
    with pytest.raises(FuxueError, match="vault.cannot_open"):
        loaded.open_vault()
    flipped = bytearray(content)
    flipped[size] ^= 1
    loaded.home.vault.write_bytes(bytes(flipped))
    with pytest.raises(FuxueError, match="vault.cannot_open"):
        loaded.open_vault()


def test_one_flipped_byte_in_any_page_is_a_clear_error_and_nothing_is_touched(loaded: Run) -> None:
    content, draw = loaded.home.vault.read_bytes(), random.Random(5)
    for start in range(0, len(content), PAGE):
        flipped = bytearray(content)
        flipped[start + draw.randrange(PAGE)] ^= 1 << draw.randrange(8)
        loaded.home.vault.write_bytes(flipped)
        with pytest.raises(FuxueError, match="vault.cannot_open"):
            loaded.open_vault()
        assert loaded.home.vault.read_bytes() == flipped


def test_of_two_loads_at_once_one_waits_or_is_refused_and_nothing_interleaves(run: Run) -> None:
    given = ["--home", str(run.home.root), "--campaign", str(run.campaign_folder), "load"]
    both = [warm.start(given) for _ in range(2)]
    ends = [(one.stdout + one.stderr, one.returncode) for one in (running.wait() for running in both)]
    for output, code in ends:
        assert code == 0 or (code, "另一个" in output) == (2, True), output
    assert 0 in [code for _, code in ends]
    with run.open_vault() as vault:
        assert vault.connection.execute("SELECT status, count(*) FROM workbook GROUP BY 1").fetchall() == [
            ("accepted", 3)
        ]
    assert upkeep.verify_record(run).breaks == ()


def test_another_campaigns_record_is_refused(loaded: Run, campaign: Campaign) -> None:
    with pytest.raises(FuxueError, match="vault.other_campaign"):
        replace(loaded, campaign=campaign).open_vault()


def test_another_schema_version_is_refused_untouched(loaded: Run) -> None:
    vault = loaded.open_vault()
    vault.connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    vault.close()
    before = loaded.home.vault.read_bytes()
    with pytest.raises(FuxueError, match="vault.newer_schema"):
        loaded.open_vault()
    assert loaded.home.vault.read_bytes() == before


@pytest.mark.parametrize("table", ["issue", "bundle", "child", "workbook", "answer", "finding"])
def test_what_was_accepted_cannot_be_rewritten_or_deleted(loaded: Run, table: str) -> None:
    column = {"issue": "issued_on", "finding": "cell"}.get(table, "issue")
    with loaded.open_vault() as vault:
        for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
            with pytest.raises(files.DatabaseError, match="immutable"):
                vault.connection.execute(statement)
        assert vault.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 0


def test_the_same_file_again_is_known_and_changes_nothing(loaded: Run) -> None:
    before = answers(loaded)
    again = loading.load_files(loaded, sorted(loaded.home.received.rglob("*.xlsx")))
    assert [one.outcome for one in again] == ["known"] * 3
    assert {f.rule for one in again for f in one.checked.findings} == {"F11"}
    assert answers(loaded) == before


def test_one_file_under_two_names_is_recorded_once(run: Run) -> None:
    path = run.home.inbox / "donggang.xlsx"
    twin = run.home.inbox / "donggang (1).xlsx"
    twin.write_bytes(path.read_bytes())
    assert [one.outcome for one in loading.load_files(run, [path, twin])] == ["accepted", "known"]


def test_scopes_that_an_interrupted_load_left_stale_are_made_anew(loaded: Run) -> None:
    for path in loaded.home.scopes.glob("*.db"):
        path.unlink()
    loading.load_files(loaded, [returned(loaded)])
    assert files.scope_names(loaded.home.scopes) == sorted(scopes(loaded.campaign))


def test_a_newer_workbook_becomes_current_and_the_older_stays(loaded: Run, people: list[Person]) -> None:
    before = answers(loaded)
    # Filled again under another seed: other teams, the same results.
    synthesizing.synthesize_fill(loaded, len(people), 7, "default")
    path = loaded.home.inbox / "donggang.xlsx"
    own = {p.child.serial for p in people if p.child.unit == "donggang"}
    (result,) = loading.load_files(replace(loaded, day=loaded.day + dt.timedelta(days=2)), [path])
    assert result.outcome == "accepted"
    after = answers(loaded)
    assert after[: len(before)] == before
    assert len(after) == len(before) + len(own)
    with loaded.open_vault() as vault:
        current = list(vault.connection.execute("SELECT workbook, serial FROM current_answer"))
        assert {serial for _, serial in current} == {p.child.serial for p in people}
        assert {w for w, serial in current if serial in own} == {4}


def test_counts_are_those_of_the_day_asked_for(loaded: Run, people: list[Person]) -> None:
    with loaded.open_vault() as vault:
        before = counting.count(vault, loaded.campaign, loaded.campaign.verification_due)
        now = counting.count(vault, loaded.campaign, loaded.day)
    assert sum(before.categories.values()) == 0
    assert [unit.reported for unit in before.units] == [False] * 3
    assert sum(unit.atoms["unverified"] for unit in before.units) == len(people)
    for code in loaded.campaign.category:
        assert now.categories[code] == sum(person.category == code for person in people)
    for unit in now.units:
        own = [p for p in people if p.child.unit == unit.unit]
        assert unit.atoms["returned"] == sum(p.is_back for p in own)
        assert unit.atoms["deducted"] == sum(p.category <= "H" for p in own)
        assert unit.atoms["unverified"] == 0


def test_a_list_is_never_issued_twice(run: Run, people: list[Person]) -> None:
    with pytest.raises(FuxueError, match="issue.same_list"):
        issuing.issue_list(run, run.home.private / "list.xlsx")
    more = run.home.private / "more.xlsx"
    write_list(more, people[:10])
    with pytest.raises(FuxueError, match="issue.same_list"):
        issuing.issue_list(run, more)
    assert [p.name for p in run.home.outbox.iterdir()] == ["20200302-01"]


def test_what_an_interrupted_issue_left_behind_is_made_anew(run: Run) -> None:
    other = run.home.private / "other.xlsx"
    synthesizing.synthesize_list(run.campaign, other, 5, 99, "default")
    orphan = run.home.outbox / ".20200303-02.new"
    orphan.mkdir()
    (orphan / "donggang.xlsx").write_bytes(b"half")
    (run.home.private / ".vault.db.new").write_bytes(b"half")
    handed = issuing.issue_list(run, other)
    issue = handed.issue
    assert (issue, handed.rows) == (f"{run.day:%Y%m%d}-02", 5)
    assert sorted(path.name for path in run.home.outbox.iterdir()) == ["20200302-01", issue]


def test_an_issue_on_record_whose_workbooks_were_not_yet_in_place_is_finished(run: Run) -> None:
    done = run.home.outbox / "20200302-01"
    done.rename(run.home.outbox / ".20200302-01.new")
    handed = issuing.issue_list(run, run.home.private / "list.xlsx")
    assert (handed.issue, handed.rows, handed.recipients, handed.known) == ("20200302-01", 45, 3, 0)
    assert len(list(done.iterdir())) == 5
    with pytest.raises(FuxueError, match="issue.same_list"):
        issuing.issue_list(run, run.home.private / "list.xlsx")


def test_what_lies_in_the_outbox_is_never_deleted(run: Run) -> None:
    (run.home.outbox / "to-print").mkdir()
    other = run.home.private / "other.xlsx"
    synthesizing.synthesize_list(run.campaign, other, 5, 99, "default")
    issuing.issue_list(run, other)
    assert (run.home.outbox / "to-print").is_dir()


def test_no_new_record_is_begun_where_workbooks_were_handed_out(run: Run) -> None:
    run.home.vault.unlink()
    with pytest.raises(FuxueError, match="vault.gone"):
        issuing.issue_list(run, run.home.private / "list.xlsx")
    assert len(list((run.home.outbox / "20200302-01").iterdir())) == 5


def test_two_writers_of_one_home_do_not_meet(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "_PATIENCE", 0)
    with run.home.lock(), pytest.raises(FuxueError, match="home.busy"):
        loading.load_files(run, [run.home.inbox / "donggang.xlsx"])


def test_two_versions_of_one_unit_in_one_load_are_both_refused(run: Run, password: Callable[[str], str]) -> None:
    path = run.home.inbox / "donggang.xlsx"
    newer = run.home.inbox / "donggang-new.xlsx"
    newer.write_bytes(seal(unseal(path.read_bytes(), [password("donggang")]).plain, password("donggang")))
    result = loading.load_files(run, [path, newer])
    assert [one.outcome for one in result] == ["refused", "refused"]
    assert answers(run) == []


def test_an_older_version_that_comes_again_is_taken_back_only_if_it_is_asked_for(
    run: Run, password: Callable[[str], str]
) -> None:
    path = run.home.inbox / "donggang.xlsx"
    older = path.read_bytes()
    newer = seal(unseal(older, [password("donggang")]).plain, password("donggang"))
    outcomes = []
    for content, again in ((older, False), (newer, False), (older, False), (older, True), (older, True)):
        path.write_bytes(content)
        outcomes.append(loading.load_files(run, [path], again=again)[0].outcome)
    assert outcomes == ["accepted", "accepted", "superseded", "accepted", "known"]
    with run.open_vault() as vault:
        marks = [bytes(row[0]) for row in vault.connection.execute("SELECT fingerprint FROM workbook ORDER BY id")]
        current = vault.connection.execute("SELECT id FROM current_workbook WHERE unit = 'donggang'").fetchone()
    assert marks[0] == marks[2] != marks[1]
    assert current == (3,)


def test_a_file_refused_again_is_recorded_once(run: Run) -> None:
    for _ in range(3):
        path = run.home.inbox / "note.xlsx"
        path.write_text("not a workbook", encoding="utf-8")
        assert [one.outcome for one in loading.load_files(run, [path])] == ["refused"]
    with run.open_vault() as vault:
        assert vault.connection.execute("SELECT count(*) FROM workbook").fetchone() == (1,)


def test_a_file_that_cannot_be_read_stops_no_other(run: Run) -> None:
    broken = run.home.inbox / "broken.xlsx"
    broken.symlink_to(run.home.inbox / "nothing")
    pipe = run.home.inbox / "pipe.xlsx"
    os.mkfifo(pipe)
    result = loading.load_files(run, [broken, pipe, run.home.inbox / "donggang.xlsx"])
    assert [one.outcome for one in result] == ["refused", "refused", "accepted"]


def test_a_unit_counts_once_all_its_issues_are_in(loaded: Run, people: list[Person]) -> None:
    other = loaded.home.private / "other.xlsx"
    synthesizing.synthesize_list(loaded.campaign, other, 5, 99, "default")
    issuing.issue_list(loaded, other)
    with loaded.open_vault() as vault:
        counts = counting.count(vault, loaded.campaign, loaded.day)
    concerned = {unit.unit for unit in counts.units if not unit.reported}
    assert concerned
    assert concerned == {person.child.unit for person in make_population(loaded.campaign, 5, 99)}
    for unit in counts.units:
        own = sum(person.child.unit == unit.unit for person in people)
        more = sum(person.child.unit == unit.unit for person in make_population(loaded.campaign, 5, 99))
        assert unit.atoms["unverified"] == (own + more if unit.unit in concerned else 0)
    assert sum(counts.categories.values()) == sum(person.child.unit not in concerned for person in people)


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    made = new_key(path)
    assert read_key(path) == made
    path.chmod(0o644)
    with pytest.raises(FuxueError, match="key.open_to_others"):
        read_key(path)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(FuxueError, match="key.wrong_size"):
        read_key(path)
    with pytest.raises(FuxueError, match="key.exists"):
        new_key(path)
    with pytest.raises(FuxueError, match="key.missing"):
        read_key(tmp_path / "none")


def test_passwords_are_derived_typeable_and_differ_by_issue_and_unit() -> None:
    keys = Keys(demo_master(1))
    made = {keys.password(issue, unit) for issue in ("a", "b") for unit in ("x", "y")}
    assert len(made) == 4
    assert keys.password("a", "x") == Keys(demo_master(1)).password("a", "x")
    assert all(set(password) <= set(TYPEABLE) | {"-"} and len(password) == 19 for password in made)


def test_no_key_is_ever_shown(loaded: Run) -> None:
    assert loaded.keys.master.hex() not in repr(loaded)
    assert str(loaded.keys.master) not in repr(loaded)


def test_a_child_is_never_shown(people: list[Person]) -> None:
    for person in people:
        assert person.child.name not in repr(person)
        assert person.child.id_number not in repr(person)


def test_a_second_writer_waits_and_is_then_refused(loaded: Run, password: Callable[[str], str]) -> None:
    first, second = loaded.open_vault(), loaded.open_vault()
    try:
        second.connection.execute("PRAGMA busy_timeout = 1")
        with first.transaction(), pytest.raises(FuxueError, match="vault.busy"), second.transaction():
            raise AssertionError("two writers at once")
    finally:
        first.close()
        second.close()


def test_a_failed_recording_leaves_nothing_of_its_workbook(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = sorted(run.home.inbox.glob("*.xlsx"))
    real = chain.append

    def fail_on_second(vault: Vault, kind: str, subject: int, day: dt.date) -> None:
        if subject == 2:
            raise OSError("disk full")
        real(vault, kind, subject, day)

    monkeypatch.setattr(chain, "append", fail_on_second)
    with pytest.raises(OSError, match="disk full"):
        loading.load_files(run, paths)
    assert {row[0] for row in answers(run)} == {1}
    monkeypatch.setattr(chain, "append", real)
    assert [one.outcome for one in loading.load_files(run)] == ["known", "accepted", "accepted"]
