"""Releases with their proofs, one of which a test spoils, and what is said of it."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from etl.exchange.release import Release
from etl.findings import FuxueError
from etl.proof import verify_release
from etl.protect.closing import closing_release
from etl.protect.draft import ReleaseDay
from etl.protect.interim import interim_release
from etl.rulebook.campaign import Campaign
from etl.workflow import verifying
from tests.support import naive
from tests.support.releases import write_proved
from tests.support.small_counts import make_campaign, make_counts

SECRET = b"a secret of the tests"
ROWS = [(0, 60, 14, 8)] * 2 + [(0, 60, 3, 14), (0, 50, 9, 3), (0, 30, 0, 6), (12, 0, 0, 0)]
LATER = [(0, 60, 16, 6)] * 2 + [(0, 60, 4, 13), (0, 50, 9, 3), (0, 30, 1, 5), (0, 7, 1, 4)]


@pytest.fixture(scope="module")
def few(campaign: Campaign) -> Campaign:
    return make_campaign(campaign, len(ROWS))


def put(folder: Path, few: Campaign, *makes: Callable[[ReleaseDay], Release]) -> Path:
    """Releases with their proofs, one after the other; the last one's folder."""
    made: list[Release] = []
    folders: list[Path] = []
    for make, rows in zip(makes, (ROWS, LATER, LATER), strict=False):
        made.append(make(ReleaseDay(few, make_counts(few, rows, random.Random(4)), tuple(made), SECRET)))
        folders.append(write_proved(folder, naive.after(made[-1], folders)))
    return folders[-1]


@pytest.fixture(scope="module")
def proved(few: Campaign, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One closing release; one rounded; two rounded; three in a row."""
    ways = {
        "close": [closing_release],
        "rounded": [interim_release],
        "pair": [interim_release] * 2,
        "after": [closing_release, interim_release],
        "stack": [interim_release] * 2 + [closing_release],
    }
    return {name: put(tmp_path_factory.mktemp(name), few, *makes) for name, makes in ways.items()}


@pytest.fixture
def release(proved: dict[str, Path], tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of one of them, to be spoilt."""
    last = proved[request.param]
    shutil.copytree(last.parent, tmp_path / "released")
    return tmp_path / "released" / last.name


def says(few: Campaign, folder: Path) -> list[str]:
    """What the citizen's program says of a release, and what the officer's command does; empty for nothing."""
    said = ["", ""]
    try:
        verify_release.check(folder)
    except verify_release.Failed as failed:
        said[0] = f"{failed.key}: {failed}"
    try:
        verifying.verify_release_folder(few, folder)
    except FuxueError as error:
        said[1] = f"{error.key} {error.params}"
    return said
