"""Forged releases: each is refused by the citizen's program for its own reason, and by the officer's command."""

import random
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from etl.campaign import Campaign
from etl.cli import releasing
from etl.findings import FuxueError
from etl.protect import verify_release
from etl.protect.closing import closing_release
from etl.protect.interim import interim_release
from etl.release_folder import digest
from etl.released import Release
from tests.fixtures.forgeries import FORGERIES
from tests.fixtures.releases import write_proved
from tests.test_protect import make_campaign, make_counts

SECRET = b"a secret of the tests"
ROWS = [(0, 60, 14, 8)] * 3 + [(0, 50, 9, 3), (0, 30, 0, 6), (12, 0, 0, 0)]
LATER = [(0, 60, 16, 6)] * 3 + [(0, 50, 9, 3), (0, 30, 1, 5), (0, 7, 1, 4)]
#: Seconds within which any forgery is refused.
SOON = 5


@pytest.fixture(scope="module")
def few(campaign: Campaign) -> Campaign:
    return make_campaign(campaign, len(ROWS))


def made(few: Campaign, folder: Path, *makes: Callable[..., Release]) -> Path:
    """Releases with their proofs, one after the other; the last one's folder."""
    earlier: list[Release] = []
    for make, rows in zip(makes, (ROWS, LATER, LATER), strict=False):
        one = make(few, make_counts(few, rows, random.Random(4)), earlier, SECRET)
        earlier.append(replace(one, earlier={one.name: digest(folder / one.name) for one in earlier}))
        write_proved(folder, earlier[-1])
    return folder / earlier[-1].name


@pytest.fixture(scope="module")
def bases(few: Campaign, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    ways: dict[str, Sequence[Callable[..., Release]]] = {
        "close": [closing_release],
        "stack": [interim_release, interim_release, closing_release],
    }
    return {name: made(few, tmp_path_factory.mktemp(name), *makes) for name, makes in ways.items()}


def test_there_are_forgeries_of_more_than_sixty_kinds() -> None:
    assert len(FORGERIES) > 150


@pytest.mark.parametrize("base", ["close", "stack"])
def test_what_nobody_forged_is_accepted(few: Campaign, bases: dict[str, Path], base: str) -> None:
    assert verify_release.check(bases[base])["k"] == 5
    releasing.verify(few, bases[base])


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_release_is_refused_for_its_own_reason(
    few: Campaign, bases: dict[str, Path], tmp_path: Path, name: str
) -> None:
    forgery = FORGERIES[name]
    shutil.copytree(bases[forgery.base].parent, tmp_path / "released")
    folder = tmp_path / "released" / bases[forgery.base].name
    forgery.forge(folder)
    began = time.monotonic()
    with pytest.raises(verify_release.Failed) as caught:
        verify_release.check(folder)
    key, *values = forgery.reason
    assert str(caught.value) == str(verify_release.Failed(str(key), *values))
    assert str(caught.value).isprintable()
    with pytest.raises(FuxueError) as refused:
        releasing.verify(few, folder)
    assert all(str(one).isprintable() for one in refused.value.params.values())
    assert time.monotonic() - began < SOON
