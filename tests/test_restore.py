"""A record that was led back gives no number twice, and what it replaced is kept."""

import datetime as dt
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from etl.cli import inspecting, issuing, keeping, recovery, releasing, steps, upkeep
from etl.cli.run import Run
from etl.findings import FuxueError
from etl.issue.issue import put_issues_in_place
from etl.sealing import WrongPassword, unseal
from etl.vault import chain
from etl.vault.files import connect
from tests.fixtures.books import ISSUE, row_of, write_list


def supplement(run: Run, folder: Path, number: int) -> issuing.Handed:
    """A further child of a unit, handed out."""
    path = write_list(folder / f"list-{number}.xlsx", [row_of(str(number))])
    return issuing.issue_list(run, path)


def workbooks(run: Run, issue: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run.home.outbox / issue).iterdir()}


def subjects(run: Run, kind: str) -> list[str]:
    with run.open_vault() as vault:
        return [link.subject for link in chain.links(vault.connection) if link.kind == kind]


@pytest.mark.parametrize("keeps_folders", [True, False])
def test_an_issue_that_was_taken_back_gives_its_id_to_no_other(
    loaded: Run, tmp_path: Path, keeps_folders: bool
) -> None:
    path, newest = upkeep.back_up(loaded, None)
    first = supplement(loaded, tmp_path, 901)
    taken_back = workbooks(loaded, first.issue)
    upkeep.restore(loaded, path, newest.id)
    if not keeps_folders:
        shutil.rmtree(loaded.home.outbox / first.issue)
    second = supplement(loaded, tmp_path, 902)
    assert (first.issue, second.issue) == ("20200316-02", "20200316-03")
    fresh = workbooks(loaded, second.issue)
    assert fresh
    if keeps_folders:
        assert workbooks(loaded, first.issue) == taken_back
    # Passwords follow from the id: the old workbook does not open with the new one's.
    name = "donggang.xlsx"
    word = loaded.keys.password(second.issue, "donggang")
    unseal(fresh[name], [word])
    with pytest.raises(WrongPassword):
        unseal(taken_back[name], [word])
    assert keeping.verified(loaded).breaks == ()


def test_numbers_of_the_record_that_a_copy_replaced_are_not_given_again(loaded: Run) -> None:
    """The copy is older than the record: what came after it is gone from the record, its papers are not."""
    path, _ = upkeep.back_up(loaded, None)
    steps.synthesize_fill(loaded, 45, 99, "default", only=["donggang"])
    steps.load(loaded)
    inspecting.look_through(loaded, 9, None, "测试员")
    steps.record_signature(loaded, "xiling", "verification", [], "测试员")
    upkeep.restore(loaded, path, None)
    (again,) = loaded.home.inbox.iterdir()
    assert again.name.startswith("donggang-0004-")
    steps.load(loaded)
    drawn = inspecting.look_through(loaded, 9, None, "测试员").sample
    steps.record_signature(loaded, "xiling", "verification", [], "测试员")
    assert drawn is not None
    assert (subjects(loaded, "workbook")[-1], drawn.number, subjects(loaded, "signature")) == ("5", 2, ["2"])
    assert keeping.verified(loaded).breaks == ()


def test_numbers_stay_taken_over_several_restorations(loaded: Run, tmp_path: Path) -> None:
    path, newest = upkeep.back_up(loaded, None)
    ids = []
    for number in (901, 902, 903):
        ids.append(supplement(loaded, tmp_path, number).issue)
        for folder in loaded.home.outbox.glob("20200316-*"):
            shutil.rmtree(folder)
        upkeep.restore(loaded, path, newest.id)
    assert ids == ["20200316-02", "20200316-03", "20200316-04"]
    assert subjects(loaded, "restoration") == ["3"]


def test_fresh_workbooks_are_never_deleted_for_a_folder_in_their_way(loaded: Run) -> None:
    outbox = loaded.home.outbox
    (outbox / ".20200316-02.new").mkdir()
    (outbox / ".20200316-02.new" / "xiling.xlsx").write_bytes(b"fresh")
    (outbox / "20200316-02").mkdir()
    with pytest.raises(FuxueError, match=r"issue\.in_the_way"):
        put_issues_in_place(outbox, [ISSUE, "20200316-02"])
    assert (outbox / ".20200316-02.new" / "xiling.xlsx").read_bytes() == b"fresh"


def test_what_was_published_is_not_taken_back(loaded: Run) -> None:
    releasing.release(loaded)
    path, _ = upkeep.back_up(loaded, None)
    before = loaded.home.vault.read_bytes()
    with pytest.raises(FuxueError, match=r"backup\.not_past"):
        upkeep.restore(loaded, path, 2)
    assert loaded.home.vault.read_bytes() == before


def test_a_record_that_cannot_be_opened_is_replaced_and_kept(loaded: Run) -> None:
    path, _ = upkeep.back_up(loaded, None)
    loaded.home.vault.write_bytes(b"damaged")
    _, kept = upkeep.restore(loaded, path, None)
    assert kept.read_bytes() == b"damaged"
    assert keeping.verified(loaded).breaks == ()


def test_a_copy_is_not_restored_as_of_a_day_before_its_newest(loaded: Run) -> None:
    path, _ = upkeep.back_up(loaded, None)
    with pytest.raises(FuxueError, match=r"day\.earlier"):
        upkeep.restore(replace(loaded, day=loaded.day - dt.timedelta(days=1)), path, None)


def test_a_copy_without_what_was_published_is_put_back_only_if_that_is_agreed_to(loaded: Run) -> None:
    path, _ = upkeep.back_up(loaded, None)
    releasing.release(loaded)
    before = loaded.home.vault.read_bytes()
    with pytest.raises(FuxueError, match=r"backup\.loses.*release 0001"):
        upkeep.restore(loaded, path, None)
    assert loaded.home.vault.read_bytes() == before
    upkeep.restore(replace(loaded, agree=lambda _: True), path, None)


def test_a_copy_from_before_a_purge_does_not_bring_children_back_unasked(loaded: Run, tmp_path: Path) -> None:
    path, _ = upkeep.back_up(loaded, tmp_path / "copy.db")
    upkeep.delete_individuals(loaded, dt.date(2030, 1, 1), "保管人甲")
    with pytest.raises(FuxueError, match=r"backup\.loses.*purge 1"):
        upkeep.restore(loaded, path, None)


def test_a_copy_under_an_older_key_than_the_accounts_is_refused(loaded: Run, tmp_path: Path) -> None:
    staff = recovery.staff_file(loaded.home)
    connect(staff, loaded.keys.derive("file:staff"), create=True).execute("CREATE TABLE t (x)").close()
    path, _ = upkeep.back_up(loaded, None)
    upkeep.change_key(loaded, tmp_path / "new.key", "保管人甲")
    before = loaded.home.vault.read_bytes()
    with pytest.raises(FuxueError, match=r"backup\.staff_key"):
        upkeep.restore(replace(loaded, agree=lambda _: True), path, None)
    assert loaded.home.vault.read_bytes() == before


def test_reports_that_a_restored_record_does_not_know_go_back_to_the_inbox(loaded: Run) -> None:
    path, _ = upkeep.back_up(loaded, None)
    upkeep.restore(loaded, path, 2)
    assert len(list(loaded.home.inbox.iterdir())) == 2
    assert [one.outcome for one in steps.load(loaded)] == ["accepted", "accepted"]
    assert keeping.verified(loaded).breaks == ()


def test_each_record_that_is_replaced_is_kept(loaded: Run) -> None:
    path, _ = upkeep.back_up(loaded, None)
    kept = [upkeep.restore(loaded, path, None)[1] for _ in range(2)]
    kept[0].unlink()
    kept += [upkeep.restore(loaded, path, None)[1] for _ in range(2)]
    assert len(set(kept[1:])) == 3
    assert all(one.exists() for one in kept)
