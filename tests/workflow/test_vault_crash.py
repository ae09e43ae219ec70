"""Killed at any moment of a load, a rekey, a purge, a backup, a restoration, an upgrade or of building the scopes, the
record opens, its chain is whole, and it is exactly as before or exactly as after; the same command again brings it to
its end. The home holds all that a home can: staff accounts, corrections, cases, a locked base, a release.

Moments are those of `tests/workflow/test_issue_crash.py`. The tests have a few of each command, `make prove` has 200.
"""

import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from etl.findings import FuxueError
from etl.rulebook.campaign import Campaign
from tests.support.doomed import case, die
from tests.support.doomed_record import COMMANDS, Doomed, arguments_of, assert_ended, prepare

PROVED = 210


@pytest.fixture(scope="module")
def doomed(
    tmp_path_factory: pytest.TempPathFactory, full_once: tuple[Path, Path], loaded_once: Path, small: Campaign,
    small_folder: Path,
) -> Callable[[str], Doomed]:  # fmt: skip
    made: dict[str, Doomed] = {}

    def make(name: str) -> Doomed:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            prepare(name, folder, full_once, small, small_folder)
            arguments = arguments_of(name, folder, small, small_folder)
            counted = case(folder, folder / "var", arguments, name)
            _clear(folder)
            made[name] = Doomed(name, folder / "var", counted.command, counted.moments, small, small_folder)
        return made[name]

    return make


def _clear(folder: Path) -> None:
    """What a command leaves outside the home."""
    for path in (*folder.glob("*.key"), *folder.glob("*.db"), *folder.glob(".*.part")):
        path.unlink()


def finish(given: Doomed, home: Path, at: int) -> None:
    """Kill before moment `at`, look, and run the command again to its end."""
    died = die(home, given.arguments, at)
    assert died.returncode == -9, (at, died.stderr)
    assert_ended(given, home)


def each(given: Doomed, folder: Path, moments: Sequence[int]) -> None:
    for at in moments:
        home = folder / f"{given.name}-{at}" / "var"
        shutil.copytree(given.home, home)
        try:
            finish(given, home, at)
        except (AssertionError, FuxueError, OSError) as error:
            raise AssertionError(f"killed before moment {at}, {given.moments[at - 1]!r}") from error
        finally:
            _clear(given.home.parent)
        shutil.rmtree(home.parent)


def chosen(given: Doomed, count: int) -> list[int]:
    return sorted(random.Random(given.name).sample(range(1, len(given.moments) + 1), min(count, len(given.moments))))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_kill_leaves_the_record_as_before_or_as_after(
    doomed: Callable[[str], Doomed], name: str, tmp_path: Path
) -> None:
    given = doomed(name)
    each(given, tmp_path, chosen(given, 1))


@pytest.mark.prove
@pytest.mark.parametrize("name", COMMANDS)
def test_a_kill_at_two_hundred_moments(doomed: Callable[[str], Doomed], name: str, tmp_path: Path) -> None:
    given = doomed(name)
    moments = chosen(given, PROVED // len(COMMANDS))
    each(given, tmp_path, moments)
    print(f"{name}: {len(moments)} of {len(given.moments)} moments")
