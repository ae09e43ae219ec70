"""A release is a closed list of files: what is not on it is refused by `release`, `verify` and `publish` alike."""

import hashlib
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from etl.exchange import release_folder
from etl.exchange.release import read_release
from etl.exchange.release_folder import SUMS, release_digest, write_sums
from etl.findings import FuxueError
from etl.proof import verify_release
from etl.publish.__main__ import publish_site
from etl.vault.record import releases
from etl.workflow import publishing, releasing, upkeep, verifying
from etl.workflow.run import Run
from tests.support.sample_release import tree


def link_to(file: Path, name: Path) -> None:
    name.symlink_to(file)


#: What somebody does to the folder of a release, and what every command says of it.
INTRUSIONS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a text with a name": (lambda folder: (folder / "names.txt").write_text("…"), "release.unknown_file"),
    "a hidden file": (lambda folder: (folder / ".hidden").write_text("…"), "release.unknown_file"),
    "a folder": (lambda folder: (folder / "more").mkdir(), "release.unknown_file"),
    "a file whose name steers the terminal": (
        lambda folder: (folder / "\x1b[2J\u202e.txt").write_text("…"), "release.unknown_file",
    ),
    "no proof": (lambda folder: (folder / "proof.json").unlink(), "release.missing_file"),
    "another proof": (lambda folder: (folder / "proof.json").write_text("{}"), "release.changed"),
    "another program": (
        lambda folder: (folder / "verify_release.py").write_text("print('Proved')"), "release.changed",
    ),
    "no list": (lambda folder: (folder / SUMS).unlink(), "release.unreadable"),
    "a link in the place of a table": (
        lambda folder: link_to((folder / "units.csv").rename(folder.parent / "u"), folder / "units.csv"),
        "release.no_plain_file",
    ),
}  # fmt: skip
#: What is also listed in a new `SHA256SUMS`.
SEALED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a table that is none": (lambda folder: (folder / "names.csv").write_text("…"), "release.unknown_file"),
    "another program": (
        lambda folder: (folder / "verify_release.py").write_text("print('Proved')"), "release.verifier",
    ),
    "a text with a name": (lambda folder: (folder / "names.txt").write_text("…"), "release.bad_list"),
    "another number": (
        lambda folder: (folder / "release.json").write_text(
            (folder / "release.json").read_text("utf-8").replace('"release": "0001"', '"release": "0002"'), "utf-8"
        ),
        "release.renamed",
    ),
}  # fmt: skip


def refused(run: Run, key: str) -> None:
    """By each command alike, and nothing is published."""
    folder = run.home.released / "0001"
    for command in (
        lambda: verifying.verify_release_folder(run.campaign, folder),
        lambda: publish_site(run.home.released, run.home.public, run.campaign_folder),
        lambda: publishing.publish(run.home, run.campaign_folder),
    ):
        with pytest.raises(FuxueError) as caught:
            command()
        assert caught.value.key == key
        assert all(str(value).isprintable() for value in caught.value.params.values())
    with pytest.raises(FuxueError, match=r"release\.not_on_record"):
        releasing.release_figures(run)
    assert not run.home.public.exists()
    assert [one.key for one in upkeep.verify_record(run).breaks] == ["verify.release_changed"]


def test_what_is_not_on_the_list_is_refused_by_every_command(released: Run) -> None:
    folder = released.home.released / "0001"
    before = tree(folder)
    for make, key in INTRUSIONS.values():
        make(folder)
        refused(released, key)
        restore(folder, before)
    assert verifying.verify_release_folder(released.campaign, folder).name == "0001"


def test_a_folder_that_holds_no_release_is_said_to_hold_none(released: Run, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    with pytest.raises(FuxueError, match=r"verify\.no_release"):
        verifying.verify_release_folder(released.campaign, tmp_path / "notes")


def test_what_is_put_on_the_list_later_is_refused_by_every_command(released: Run) -> None:
    folder = released.home.released / "0001"
    before = tree(folder)
    for make, key in SEALED.values():
        make(folder)
        write_sums(folder)
        refused(released, key)
        restore(folder, before)
    assert verifying.verify_release_folder(released.campaign, folder).name == "0001"


def restore(folder: Path, before: dict[str, bytes]) -> None:
    for path in folder.iterdir():
        path.rmdir() if path.is_dir() else path.unlink()
    for name, content in before.items():
        (folder / name).write_bytes(content)


def test_the_record_keeps_the_digest_of_every_file(released: Run) -> None:
    folder = released.home.released / "0001"
    with released.open_vault() as vault:
        recorded = releases.releases(vault)["0001"]
    assert recorded == release_digest(folder) == hashlib.sha256((folder / SUMS).read_bytes()).hexdigest()
    listed = {line[66:]: line[:64] for line in (folder / SUMS).read_text("utf-8").splitlines()}
    assert listed.keys() == {path.name for path in folder.iterdir()} - {SUMS}
    assert listed.keys() > {"release.json", "proof.json", "verify_release.py", "units.csv"}
    for name, digest in listed.items():
        assert digest == hashlib.sha256((folder / name).read_bytes()).hexdigest()
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content + b" ")
        assert release_digest(folder) != recorded
        (folder / name).write_bytes(content)
    done = subprocess.run(["sha256sum", "--check", "--strict", SUMS], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0


def test_the_archive_on_the_site_holds_the_list_and_nothing_else(released: Run) -> None:
    publishing.publish(released.home, released.campaign_folder)
    folder = released.home.released / "0001"
    with zipfile.ZipFile(released.home.public / "site/data/latest/proof.zip") as packed:
        contents = {name: packed.read(name) for name in packed.namelist()}
    assert contents == {f"0001/{name}": content for name, content in tree(folder).items()}
    assert contents["0001/verify_release.py"] == Path(verify_release.__file__).read_bytes()


def test_a_release_with_a_former_version_of_the_program_stays_valid(
    released: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = released.home.released / "0001"
    former = (folder / "verify_release.py").read_bytes() + b"# a former version\n"
    (folder / "verify_release.py").write_bytes(former)
    write_sums(folder)
    with pytest.raises(FuxueError, match=r"release\.verifier"):
        verifying.verify_release_folder(released.campaign, folder)
    monkeypatch.setattr(release_folder, "FORMER_VERIFIERS", frozenset({hashlib.sha256(former).hexdigest()}))
    assert verifying.verify_release_folder(released.campaign, folder).name == "0001"


def test_a_release_that_is_not_on_record_is_not_built_upon(released: Run) -> None:
    (released.home.released / "0001").rename(released.home.released / "0002")
    with pytest.raises(FuxueError, match=r"release\.not_on_record .*'0001'"):
        releasing.release_figures(released)


def test_what_is_written_otherwise_than_it_was_meant_is_not_released(
    loaded: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releasing, "read_release", lambda folder: replace(read_release(folder), k=7))
    with pytest.raises(FuxueError, match=r"release\.changed"):
        releasing.release_figures(loaded)
    assert list(loaded.home.released.iterdir()) == []
    with loaded.open_vault() as vault:
        assert releases.releases(vault) == {}
