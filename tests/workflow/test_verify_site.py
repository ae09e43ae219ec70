"""``verify`` of a published site: its releases hold, and it is what they make, file by file."""

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from etl.cli.main import main
from etl.exchange.release import Release, read_release
from etl.findings import FuxueError
from etl.rulebook.campaign import Campaign
from etl.workflow import publishing, releasing, verifying_site
from etl.workflow.verifying_site import PUBLISHED_PROOF
from tests.support.homes import at_due


@pytest.fixture(scope="module")
def published(loaded_once: Path, tmp_path_factory: pytest.TempPathFactory, small: Campaign, small_folder: Path) -> Path:
    """A public folder with a rounded and a closing release."""
    root = tmp_path_factory.mktemp("published") / "var"
    shutil.copytree(loaded_once, root)
    run = at_due(root, small, small_folder)
    for closing in (False, True):
        releasing.release_figures(run, closing=closing)
    publishing.publish(run.home, small_folder)
    return run.home.public


@pytest.fixture
def public(published: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(published, tmp_path / "public"))


def invoke(folder: Path, campaign: Path) -> Result:
    return CliRunner().invoke(main, ["--campaign", str(campaign), "verify", str(folder)])


@pytest.mark.parametrize("part", ["", "site"])
def test_a_site_as_it_was_published_holds(public: Path, small_folder: Path, part: str) -> None:
    done = invoke(public / part, small_folder)
    assert (done.exit_code, "0002" in done.output, "2020-03-16" in done.output) == (0, True, True), done.output


def packed(public: Path, files: dict[str, str]) -> None:
    path = public / "site" / PUBLISHED_PROOF
    path.unlink()  # another name of a file that stays
    with zipfile.ZipFile(path, "w") as made:
        for name, content in files.items():
            made.writestr(name, content)


def rewritten(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.unlink()
    path.write_text(text.replace(old, new, 1), "utf-8")


def linked(path: Path, other: Path) -> None:
    path.rename(other)
    path.symlink_to(other)


def damaged(path: Path) -> None:
    """Where the first file's packed content begins."""
    content = bytearray(path.read_bytes())
    path.unlink()
    at = 30 + int.from_bytes(content[26:28], "little") + int.from_bytes(content[28:30], "little")
    content[at] = 0xFF
    path.write_bytes(content)


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a text beside the pages": (lambda public: (public / "site" / "names.txt").write_text("…", "utf-8"), "site"),
    "a text beside the site": (lambda public: (public / "names.txt").write_text("…", "utf-8"), "site"),
    "an empty folder": (lambda public: (public / "site" / "more").mkdir(), "site"),
    "a page that is gone": (lambda public: (public / "site" / "units" / "index.html").unlink(), "site"),
    "another word on a page": (lambda public: rewritten(public / "site" / "index.html", "核查", "检查"), "site"),
    "another figure to take away": (
        lambda public: rewritten(public / "site/data/latest/city.csv", ",exact,", ",rounded,"), "site",
    ),
    "a link in the place of a page": (
        lambda public: linked(public / "site/method/index.html", public.parent / "page"), "site",
    ),
    "no archive": (lambda public: packed(public, {}), "no_proof"),
    "a path that leads elsewhere": (lambda public: packed(public, {"../../x": "…"}), "no_proof"),
    "a release that is none": (lambda public: packed(public, {"0001/release.json": "{}"}), ""),
    "a damaged archive": (lambda public: damaged(public / "site" / PUBLISHED_PROOF), "no_proof"),
    "an archive that is gone": (lambda public: (public / "site" / PUBLISHED_PROOF).unlink(), "no_proof"),
    "a broken archive": (lambda public: (public / "site" / PUBLISHED_PROOF).write_bytes(b"PK"), "no_proof"),
}  # fmt: skip


def test_a_folder_is_verified_from_inside(
    public: Path, published: Path, small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`.` is the site, or the release with its number, to the command and to the citizen's program alike."""
    monkeypatch.chdir(public)
    assert invoke(Path(), small_folder).exit_code == 0
    monkeypatch.chdir(published.parent / "released" / "0002")
    assert invoke(Path(), small_folder).exit_code == 0
    done = subprocess.run([sys.executable, "verify_release.py", "."], capture_output=True, text=True, check=False)
    assert (done.returncode, "0002" in done.stdout) == (0, True), done.stdout


def test_a_site_without_its_archive_is_not_taken_for_a_release(public: Path, small_folder: Path) -> None:
    (public / "site" / PUBLISHED_PROOF).unlink()
    for part in ("", "site"):
        done = invoke(public / part, small_folder)
        assert (done.exit_code, "proof.zip" in done.output) == (2, True), done.output


@pytest.mark.parametrize("name", CHANGES)
def test_a_site_that_differs_in_anything_does_not(public: Path, small_folder: Path, name: str) -> None:
    change, key = CHANGES[name]
    change(public)
    with pytest.raises(FuxueError) as refused:
        verifying_site.verify_site(small_folder, public)
    assert refused.value.key == f"verify.{key}" if key else refused.value.key.startswith("release.")


def test_what_is_wrong_is_said_and_the_exit_code_is_three(public: Path, small_folder: Path) -> None:
    (public / "site" / "\x1b[2J.txt").write_text("…", "utf-8")
    done = invoke(public, small_folder)
    assert (done.exit_code, r"site/\x1b[2J.txt" in done.output) == (3, True), done.output


def test_each_release_that_a_site_offers_is_verified(
    public: Path, small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def verify(_: Campaign, folder: Path) -> Release:
        seen.append(folder.name)
        return read_release(folder)

    monkeypatch.setattr(verifying_site, "verify_release_folder", verify)
    verifying_site.verify_site(small_folder, public)
    assert seen == ["0001", "0002"]
