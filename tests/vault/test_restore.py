"""A record restored from a backup gives no number twice, and the record that it replaced is kept."""

import datetime as dt
import errno
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from etl.cli.main import main
from etl.findings import FuxueError
from etl.issue.outbox import put_issues_in_place
from etl.read import inbox
from etl.system.home import Home
from etl.system.sealing import WrongPassword, unseal
from etl.vault.record import releases
from etl.vault.store import chain
from etl.vault.store.files import connect
from etl.workflow import inspecting, issuing, loading, recording, recovery, releasing, synthesizing, upkeep
from etl.workflow.run import Run
from etl.workflow.writing import writing
from tests.support.books import ISSUE, edit, plain, put, row_of, setting, write_list

LATER = dt.date(2030, 1, 1)


def supplement(run: Run, folder: Path, number: int) -> issuing.Handed:
    """Issue a supplement with one further child."""
    path = write_list(folder / f"list-{number}.xlsx", [row_of(str(number))])
    return issuing.issue_list(run, path)


def workbooks(run: Run, issue: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run.home.outbox / issue).iterdir()}


def subjects(run: Run, kind: str) -> list[str]:
    with run.open_vault() as vault:
        return [link.subject for link in chain.links(vault.connection) if link.kind == kind]


def die(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


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
    # The password depends on the issue's id, so the new password does not open the old workbook.
    name = "donggang.xlsx"
    password = loaded.keys.password(second.issue, "donggang")
    unseal(fresh[name], [password])
    with pytest.raises(WrongPassword):
        unseal(taken_back[name], [password])
    assert upkeep.verify_record(loaded).breaks == ()


def test_numbers_of_the_record_that_a_copy_replaced_are_not_given_again(loaded: Run) -> None:
    """The copy is older than the record: later entries are gone from the record, but their files are still there."""
    path, _ = upkeep.back_up(loaded, None)
    synthesizing.synthesize_fill(loaded, 45, 99, "default", only=["donggang"])
    loading.load_files(loaded)
    inspecting.look_through(loaded, 9, None, "测试员")
    recording.record_signature(loaded, "xiling", "verification", [], "测试员")
    upkeep.restore(loaded, path, None)
    (again,) = loaded.home.inbox.iterdir()
    assert again.name.startswith("donggang-0004-")
    loading.load_files(loaded)
    drawn = inspecting.look_through(loaded, 9, None, "测试员").sample
    recording.record_signature(loaded, "xiling", "verification", [], "测试员")
    assert drawn is not None
    assert (subjects(loaded, "workbook")[-1], drawn.number, subjects(loaded, "signature")) == ("5", 2, ["2"])
    assert upkeep.verify_record(loaded).breaks == ()


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
    releasing.release_figures(loaded)
    path, _ = upkeep.back_up(loaded, None)
    before = loaded.home.vault.read_bytes()
    with pytest.raises(FuxueError, match=r"backup\.not_past"):
        upkeep.restore(loaded, path, 2)
    assert loaded.home.vault.read_bytes() == before


def test_a_record_that_cannot_be_opened_is_replaced_and_kept_if_that_is_agreed_to(loaded: Run) -> None:
    path, _ = upkeep.back_up(loaded, None)
    loaded.home.vault.write_bytes(b"damaged")
    with pytest.raises(FuxueError, match=r"backup\.cannot_tell"):
        upkeep.restore(loaded, path, None)
    _, kept = upkeep.restore(replace(loaded, agree=lambda _: True), path, None)
    assert kept.read_bytes() == b"damaged"
    assert upkeep.verify_record(loaded).breaks == ()


def test_a_copy_is_not_restored_as_of_a_day_before_its_newest(loaded: Run) -> None:
    path, _ = upkeep.back_up(loaded, None)
    with pytest.raises(FuxueError, match=r"day\.earlier"):
        upkeep.restore(replace(loaded, day=loaded.day - dt.timedelta(days=1)), path, None)


def test_a_copy_without_what_was_published_is_put_back_only_if_that_is_agreed_to(loaded: Run) -> None:
    path, _ = upkeep.back_up(loaded, None)
    releasing.release_figures(loaded)
    before = loaded.home.vault.read_bytes()
    with pytest.raises(FuxueError, match=r"backup\.loses.*release 0001"):
        upkeep.restore(loaded, path, None)
    assert loaded.home.vault.read_bytes() == before
    upkeep.restore(replace(loaded, agree=lambda _: True), path, None)


@pytest.fixture
def forgotten(loaded: Run) -> Run:
    """A home with two releases that the record does not know, because a copy from before them was restored."""
    path, _ = upkeep.back_up(loaded, None)
    for closing in (False, True):
        releasing.release_figures(loaded, closing=closing)
    upkeep.restore(replace(loaded, agree=lambda _: True), path, None)
    return loaded


def test_a_release_that_a_restored_copy_does_not_know_comes_on_record_again(forgotten: Run) -> None:
    for number in ("0001", "0002"):
        with pytest.raises(FuxueError, match=rf"release\.unrecorded.*{number}"):
            releasing.release_figures(forgotten)
        releasing.adopt_release(forgotten, number)
    assert releasing.release_figures(forgotten).release.name == "0003"
    assert upkeep.verify_record(forgotten).breaks == ()
    with forgotten.open_vault() as vault, pytest.raises(FuxueError, match=r"trace\.adopted"):
        releases.trace_cell(vault, forgotten.campaign, "0002", "city", "city.returned")
    done = CliRunner().invoke(main, ["--home", str(forgotten.home.root), "--campaign", str(forgotten.campaign_folder),
                                     "record", "release", "0001"])  # fmt: skip
    assert (done.exit_code, "已在记录中" in done.output) == (2, True), done.output


def test_releases_come_on_record_again_in_their_order_and_only_as_they_were(forgotten: Run) -> None:
    for number, refused in (("0002", "not_next"), ("0003", "no_folder"), ("../x", "no_folder")):
        with pytest.raises(FuxueError, match=rf"release\.{refused}"):
            releasing.adopt_release(forgotten, number)
    (forgotten.home.released / "0001" / "names.txt").write_text("x", encoding="utf-8")
    with pytest.raises(FuxueError, match=r"release\.unknown_file"):
        releasing.adopt_release(forgotten, "0001")
    assert subjects(forgotten, "release") == []


def test_a_release_that_is_not_as_it_was_does_not_come_on_record_again(
    forgotten: Run, loaded_once: Path, tmp_path: Path
) -> None:
    """A release of other data takes its place; its proof holds, but the replaced record knew another digest."""
    other = replace(forgotten, home=Home(tmp_path / "other"))
    shutil.copytree(loaded_once, other.home.root)
    xiling = other.keys.password(ISSUE, "xiling")
    cells = setting(**{f"{column}4": text for column, text in (("I", "K.打工务农"), ("J", "否"))})
    loading.load_files(other, [put(other, edit(plain(other, "xiling"), cells), password=xiling)])
    releasing.release_figures(other, closing=False)
    first = forgotten.home.released / "0001"
    first.rename(tmp_path / "kept")
    shutil.copytree(other.home.released / "0001", first)
    with pytest.raises(FuxueError, match=r"release\.not_as_it_was"):
        releasing.adopt_release(forgotten, "0001")
    shutil.rmtree(first)
    (tmp_path / "kept").rename(first)
    releasing.adopt_release(forgotten, "0001")


@pytest.mark.parametrize("is_late", [False, True])
def test_a_release_on_record_that_still_lay_aside_is_not_lost_by_a_restoration(
    loaded: Run, monkeypatch: pytest.MonkeyPatch, is_late: bool
) -> None:
    path, _ = upkeep.back_up(loaded, None)
    with monkeypatch.context() as patched:
        patched.setattr(releasing, "place_release", die)
        with pytest.raises(KeyboardInterrupt):
            releasing.release_figures(loaded)
    if is_late:  # the record is replaced while the release is still in its hidden folder
        monkeypatch.setattr(upkeep, "_finish_interrupted", lambda _: None)
    upkeep.restore(replace(loaded, agree=lambda _: True), path, None)
    if is_late:
        with pytest.raises(FuxueError, match=r"release\.unrecorded.*0001"):
            releasing.release_figures(loaded)
    releasing.adopt_release(loaded, "0001")
    assert upkeep.verify_record(loaded).breaks == ()


def test_nothing_is_released_while_a_release_that_was_taken_back_is_gone(forgotten: Run) -> None:
    shutil.rmtree(forgotten.home.released)
    with pytest.raises(FuxueError, match=r"release\.unrecorded.*0001"):
        releasing.release_figures(forgotten)


def test_copies_that_a_restored_record_does_not_know_come_on_record_again(loaded: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "first.db", tmp_path / "second.db"
    upkeep.back_up(loaded, first)
    upkeep.back_up(loaded, second)
    upkeep.restore(loaded, first, None)
    upkeep.restore(loaded, second, 2)
    loading.load_files(loaded)
    certificate, _ = upkeep.delete_individuals(loaded, LATER, "保管人甲")
    assert [one["file"] for one in certificate["copies_elsewhere"]] == [str(first), str(second)]
    assert upkeep.verify_record(loaded).breaks == ()


@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_a_copy_that_was_on_record_but_not_in_its_place_gets_there(
    loaded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_elsewhere: bool
) -> None:
    target = tmp_path / "copy.db" if is_elsewhere else None
    with monkeypatch.context() as patched:
        patched.setattr("etl.vault.upkeep.backup._place", die)
        with pytest.raises(KeyboardInterrupt):
            upkeep.back_up(loaded, target)
    folder = tmp_path if is_elsewhere else loaded.home.backups
    assert [path.suffix for path in folder.glob("*") if ".db" in path.name] == [".part"]
    loading.load_files(loaded)
    (path,) = (path for path in folder.glob("*") if ".db" in path.name)
    assert path.suffix == ".db"
    assert subjects(loaded, "backup") == ["1"]
    upkeep.restore(loaded, path, None)
    assert upkeep.verify_record(loaded).breaks == ()


def test_a_half_made_copy_elsewhere_goes(loaded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is deleted even if its disk was absent at first."""
    stick = tmp_path / "stick"
    with monkeypatch.context() as patched:
        patched.setattr("etl.vault.upkeep.backup.discard", lambda _: None)  # as if killed: nothing is cleaned up
        patched.setattr("etl.vault.upkeep.backup._record", die)
        with pytest.raises(KeyboardInterrupt):
            upkeep.back_up(loaded, stick / "copy.db")
    assert [path.name for path in stick.iterdir()] == [".copy.db.part"]
    stick.rename(tmp_path / "away")
    loading.load_files(loaded)
    (tmp_path / "away").rename(stick)
    loading.load_files(loaded)
    assert list(stick.iterdir()) == []
    assert list(loaded.home.backups.iterdir()) == []


def test_what_may_lie_half_made_elsewhere_is_known_until_it_is_seen(
    loaded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stick is unplugged but its folder exists; another copy is made, then everything is purged.

    The certificate still names the half-made file.
    """
    stick = tmp_path / "stick"
    with monkeypatch.context() as patched:
        patched.setattr("etl.vault.upkeep.backup.discard", lambda _: None)
        patched.setattr("etl.vault.upkeep.backup._record", die)
        with pytest.raises(KeyboardInterrupt):
            upkeep.back_up(loaded, stick / "copy.db")
    stick.rename(tmp_path / "away")
    stick.mkdir()
    upkeep.back_up(loaded, None)
    certificate, _ = upkeep.delete_individuals(loaded, LATER, "保管人甲")
    assert certificate["half_made"] == [str(stick / ".copy.db.part")]
    assert len(certificate["copies"]) == 1
    stick.rmdir()
    (tmp_path / "away").rename(stick)
    with writing(loaded):
        pass
    assert list(stick.iterdir()) == []


def test_a_copy_on_record_gets_to_its_place_also_after_the_key_was_replaced(
    loaded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = tmp_path / "stick"
    with monkeypatch.context() as patched:
        patched.setattr("etl.vault.upkeep.backup._place", die)
        with pytest.raises(KeyboardInterrupt):
            upkeep.back_up(loaded, stick / "copy.db")
    stick.rename(tmp_path / "away")
    keys = upkeep.change_key(loaded, tmp_path / "new.key", "保管人甲")
    (tmp_path / "away").rename(stick)
    loading.load_files(replace(loaded, keys=keys))
    assert [path.name for path in stick.iterdir()] == ["copy.db"]


def test_a_link_among_the_copies_is_not_followed(loaded: Run, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"x")
    loaded.home.backups.mkdir()
    for name, target in (("key", outside), ("now.db", loaded.home.vault)):
        (loaded.home.backups / name).symlink_to(target)
    certificate, _ = upkeep.delete_individuals(loaded, LATER, "保管人甲")
    assert certificate["copies"] == []
    assert outside.exists()
    assert loaded.home.vault.exists()


def test_the_replaced_record_is_kept_also_where_the_copies_are_on_another_disk(
    loaded: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def far(*_: object) -> None:
        raise OSError(errno.EXDEV, "another disk")

    path, _ = upkeep.back_up(loaded, None)
    before = loaded.home.vault.read_bytes()
    monkeypatch.setattr("etl.vault.upkeep.backup.os.link", far)
    _, kept = upkeep.restore(loaded, path, None)
    assert kept.read_bytes() == before


def test_returned_files_come_back_to_an_inbox_on_another_disk(
    loaded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file cannot be renamed across disks: it is copied instead, and the home stays usable."""
    loaded.home.inbox.rmdir()
    (tmp_path / "disk").mkdir()
    loaded.home.inbox.symlink_to(tmp_path / "disk")
    path, _ = upkeep.back_up(loaded, None)

    move = Path.rename

    def far(self: Path, target: Path) -> Path:
        if Path(target).resolve().parent == tmp_path / "disk":
            raise OSError(errno.EXDEV, "another disk")
        return move(self, target)

    for name in ("rename", "replace"):
        monkeypatch.setattr(Path, name, far)
    upkeep.restore(loaded, path, 2)
    assert len(list((tmp_path / "disk").iterdir())) == 2
    assert not list(inbox.files_of(loaded.home.received / ISSUE / "xiling"))
    assert {one.outcome for one in loading.load_files(loaded)} == {"accepted"}


def test_a_purge_says_what_may_lie_half_made_elsewhere(loaded: Run, tmp_path: Path) -> None:
    upkeep.back_up(loaded, None)
    gone = tmp_path / "stick" / ".copy.db.part"
    recovery._note_half_made(loaded.home, [gone])
    given = ["--home", str(loaded.home.root), "--campaign", str(loaded.campaign_folder)]
    done = CliRunner().invoke(main, [*given, "vault", "purge", "--before", "2030-01-01", "--by", "甲"])
    assert (done.exit_code, gone.name in done.output) == (0, True), done.output


def test_a_copy_is_not_made_under_a_name_that_is_no_text(loaded: Run, tmp_path: Path) -> None:
    with pytest.raises(FuxueError, match=r"backup\.no_text"):
        upkeep.back_up(loaded, tmp_path / os.fsdecode(b"\xff.db"))


def test_after_a_purge_that_was_undone_and_put_back_another_one_sweeps_again(loaded: Run, tmp_path: Path) -> None:
    asked = replace(loaded, agree=lambda _: True)
    path, _ = upkeep.back_up(loaded, tmp_path / "copy.db")
    upkeep.delete_individuals(loaded, LATER, "甲")
    _, purged = upkeep.restore(asked, path, None)
    inspecting.look_through(asked, 9, 5, "甲")
    upkeep.restore(asked, purged, None)
    assert list(loaded.home.backups.iterdir())
    certificate, _ = upkeep.delete_individuals(asked, LATER, "乙")
    assert certificate["deleted"]["child"] == 0
    assert not [*loaded.home.backups.iterdir(), *loaded.home.reports.iterdir(), *loaded.home.received.iterdir()]
    assert upkeep.verify_record(loaded).breaks == ()


def test_only_certificates_are_counted(loaded: Run) -> None:
    loaded.home.certificates.mkdir()
    for name in ("purge-0007.json", "purge-0001-2.json", "purge-x.json", "purge-².json"):
        (loaded.home.certificates / name).write_text("{}", "utf-8")
    assert recovery.certified(loaded.home) == {7}


def test_a_folder_that_was_no_release_is_not_missed_when_it_is_moved_away(loaded: Run) -> None:
    (loaded.home.released / "0009").mkdir(parents=True)
    path, _ = upkeep.back_up(loaded, None)
    with pytest.raises(FuxueError, match=r"backup\.loses.*release 0009"):
        upkeep.restore(loaded, path, None)
    upkeep.restore(replace(loaded, agree=lambda _: True), path, None)
    (loaded.home.released / "0009").rmdir()
    assert releasing.release_figures(loaded).release.name == "0001"


def test_a_copy_of_a_day_and_length_that_was_taken_gets_another_name(loaded: Run) -> None:
    path, newest = upkeep.back_up(loaded, None)
    upkeep.restore(loaded, path, newest.id - 1)
    with loaded.open_vault() as vault:
        now = chain.head(vault.connection)
    assert now is not None
    loaded.home.backups.joinpath(f"vault-{loaded.day}-{now.id}.db").write_bytes(b"x")
    again, _ = upkeep.back_up(loaded, None)
    assert again.name == f"vault-{loaded.day}-{now.id}-2.db"


def test_the_record_itself_is_never_taken_for_a_copy(loaded: Run) -> None:
    recording.record_deliverable(loaded, "xiling", "annex4", "paper", "甲", signed=True)
    upkeep.restore(loaded, loaded.home.vault, 4)
    certificate, _ = upkeep.delete_individuals(loaded, LATER, "保管人甲")
    assert [Path(name).name for name in certificate["copies"]] == ["replaced-2020-03-16-1.db"]
    assert upkeep.verify_record(loaded).breaks == ()


def test_copies_on_another_disk_are_those_of_this_home(loaded: Run, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    loaded.home.backups.symlink_to(tmp_path / "disk")
    path, _ = upkeep.back_up(loaded, None)
    _, kept = upkeep.restore(loaded, path, None)
    certificate, _ = upkeep.delete_individuals(loaded, LATER, "保管人甲")
    assert (certificate["copies"], certificate["copies_elsewhere"]) == (sorted([path.name, kept.name]), [])
    assert list((tmp_path / "disk").iterdir()) == []


@pytest.mark.parametrize("moment", ["etl.vault.upkeep.backup.sync", "etl.workflow.recovery.build_scopes"])
def test_a_restoration_that_is_killed_still_gives_reports_back(
    loaded: Run, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    path, _ = upkeep.back_up(loaded, None)
    with monkeypatch.context() as patched:
        patched.setattr(moment, die)
        patched.setattr("etl.workflow.recovery.inbox.files_of", lambda _: die())
        with pytest.raises(KeyboardInterrupt):
            upkeep.restore(loaded, path, 2)
    if moment.endswith("sync"):  # died before the record was replaced
        assert upkeep.verify_record(loaded).links > 2
    recovery.recover_unless_busy(loaded)
    taken_back = [path.name for path in loaded.home.inbox.iterdir()]
    assert len(taken_back) == (0 if moment.endswith("sync") else 2)
    assert upkeep.verify_record(loaded).breaks == ()


def test_a_purge_is_not_forgotten_with_the_disk_that_its_record_was_on(loaded: Run, tmp_path: Path) -> None:
    """The certificate remains: its number is not given again, and restoring an older copy needs consent."""
    path, _ = upkeep.back_up(loaded, tmp_path / "copy.db")
    upkeep.delete_individuals(loaded, LATER, "甲")
    loaded.home.vault.unlink()
    with pytest.raises(FuxueError, match=r"backup\.loses.*purge 1"):
        upkeep.restore(loaded, path, None)
    upkeep.restore(replace(loaded, agree=lambda _: True), path, None)
    kept, _ = upkeep.back_up(loaded, None)
    certificate, file = upkeep.delete_individuals(loaded, LATER, "乙")
    assert (certificate["purge"], file.name, kept.exists()) == (2, "purge-0002.json", False)
    assert '"甲"' in recovery.certificate_file(loaded.home, 1).read_text("utf-8")


def test_what_lies_aside_for_a_copy_on_record_and_is_none_never_takes_its_place(loaded: Run) -> None:
    path, _ = upkeep.back_up(loaded, None)
    path.rename(path.with_name("away"))
    path.with_name(f".{path.name}.part").write_bytes(b"half made")
    loading.load_files(loaded)
    assert [one.name for one in loaded.home.backups.iterdir()] == ["away"]


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
    assert [one.outcome for one in loading.load_files(loaded)] == ["accepted", "accepted"]
    assert upkeep.verify_record(loaded).breaks == ()


def test_each_record_that_is_replaced_is_kept(loaded: Run) -> None:
    path, _ = upkeep.back_up(loaded, None)
    kept = [upkeep.restore(loaded, path, None)[1] for _ in range(2)]
    kept[0].unlink()
    kept += [upkeep.restore(loaded, path, None)[1] for _ in range(2)]
    assert len(set(kept[1:])) == 3
    assert all(one.exists() for one in kept)
