"""A full disk and one that can only be read: a clear message, the record as before or as after, and nothing half done.

The home lies on a small file system in memory. Mounting it takes root; without, these tests are skipped.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from etl.rulebook.campaign import Campaign
from tests.support.doomed import again
from tests.support.doomed_record import COMMANDS, Doomed, arguments_of, assert_ended, prepare

PLENTY = 64 << 20
#: Bytes that are left on the disk: nothing, a page, and up to what each command takes.
ROOM = (0, 4 << 10, 64 << 10, 192 << 10, 448 << 10)
WRITING = [name for name in COMMANDS if name != "scopes"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """An empty file system of its own, of plenty of room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if mount("-t", "tmpfs", "-o", f"size={PLENTY},mode=700", "tmpfs", str(folder)):
        pytest.skip("a file system cannot be mounted here (that takes root)")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def mount(*arguments: str) -> int:
    """The exit code of `mount`; 1 if there is no such program."""
    program = shutil.which("mount")
    return subprocess.run([program, *arguments], capture_output=True, check=False).returncode if program else 1


def remount(disk: Path, options: str) -> None:
    assert mount("-o", f"remount,{options}", str(disk)) == 0


@pytest.fixture
def doomed(disk: Path, full_once: tuple[Path, Path], small: Campaign, small_folder: Path) -> Callable[[str], Doomed]:
    def make(name: str) -> Doomed:
        run = prepare(name, disk, full_once, small, small_folder)
        return Doomed(name, run.home.root, arguments_of(name, disk, small, small_folder), (), small, small_folder)

    return make


@pytest.mark.parametrize(
    "room", [pytest.param(room, marks=pytest.mark.prove if room > ROOM[1] else ()) for room in ROOM]
)
@pytest.mark.parametrize("name", WRITING)
def test_on_a_full_disk_the_record_stays_whole_and_the_command_ends_once_there_is_room(
    doomed: Callable[[str], Doomed], disk: Path, name: str, room: int
) -> None:
    given = doomed(name)
    remount(disk, f"size={PLENTY - shutil.disk_usage(disk).free + room}")
    full = again(given.home, given.arguments)
    assert full.exit_code in (0, 2), full.output
    if room == 0:
        assert full.exit_code == 2, full.output
    if full.exit_code:
        assert isinstance(full.exception, SystemExit)
        assert "磁盘" in full.output, full.output
    remount(disk, f"size={PLENTY}")
    assert_ended(given, given.home)


@pytest.mark.parametrize("name", WRITING)
def test_where_nothing_can_be_written_a_command_says_so_and_touches_nothing(
    doomed: Callable[[str], Doomed], disk: Path, name: str
) -> None:
    given = doomed(name)
    before = contents(given.home)
    remount(disk, "ro")
    refused = again(given.home, given.arguments)
    remount(disk, "rw")
    assert (refused.exit_code, type(refused.exception)) == (2, SystemExit), refused.output
    assert "请检查磁盘空间与权限" in refused.output, refused.output
    assert contents(given.home) == before
    assert_ended(given, given.home)


def contents(home: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in home.rglob("*") if path.is_file() and path.suffix != ".lock"}
