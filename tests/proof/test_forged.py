"""Forged releases: each is refused by the citizen's program for its own reason, and by the officer's command."""

import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from etl.exchange.release import Release, Status, read_release
from etl.exchange.release_folder import release_digest
from etl.findings import FuxueError
from etl.proof import verify_release
from etl.protect.closing import closing_release
from etl.protect.interim import interim_release
from etl.rulebook.campaign import Campaign
from etl.workflow import verifying
from tests.support.forgeries import FORGERIES
from tests.support.releases import loaded, write_proved
from tests.support.small_counts import make_campaign, make_counts

SECRET = b"a secret of the tests"
ROWS = [(0, 60, 14, 8)] * 3 + [(0, 50, 9, 3), (0, 30, 0, 6), (12, 0, 0, 0)]
LATER = [(0, 60, 16, 6)] * 3 + [(0, 50, 9, 3), (0, 30, 1, 5), (0, 7, 1, 4)]
#: Seconds within which any forgery is refused.
SOON = 20


@pytest.fixture(scope="module")
def few(campaign: Campaign) -> Campaign:
    return make_campaign(campaign, len(ROWS))


def made(few: Campaign, folder: Path, *makes: Callable[..., Release]) -> Path:
    """Releases with their proofs, one after the other; the last one's folder."""
    earlier: list[Release] = []
    for make, rows in zip(makes, (ROWS, LATER, LATER), strict=False):
        one = make(few, make_counts(few, rows, random.Random(4)), earlier, SECRET)
        earlier.append(replace(one, earlier={one.name: release_digest(folder / one.name) for one in earlier}))
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
    verifying.verify_release_folder(few, bases[base])


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
        verifying.verify_release_folder(few, folder)
    assert all(str(one).isprintable() for one in refused.value.params.values())
    assert time.monotonic() - began < SOON


def test_what_a_release_may_hold_is_bounded_and_no_less_than_that(
    bases: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each bound is reached by a release that is accepted; one less, and the same release is refused."""
    folder = bases["stack"]
    proof, rows = loaded(folder / "proof.json")["tables"], len(ROWS) + 13
    bounds = {
        "MOST_BYTES": (max(path.stat().st_size for path in folder.iterdir()), "file"),
        "MOST_ROWS": (rows + 1, "entry"),
        "MOST_SUMS": (3, "entry"),
        "MOST_ALL_ROWS": (3 * rows, "many"),
        "MOST_FIGURES": (len(proof) * len(proof[0]), "many"),
    }
    for name, (bound, key) in bounds.items():
        with monkeypatch.context() as patched:
            patched.setattr(verify_release, name, bound)
            verify_release.check(folder)
            patched.setattr(verify_release, name, bound - 1)
            with pytest.raises(verify_release.Failed) as caught:
                verify_release.check(folder)
            assert caught.value.key == key


@pytest.mark.parametrize("k", [3, 4])
def test_the_least_k_that_is_accepted_is_three(campaign: Campaign, tmp_path: Path, k: int) -> None:
    few = make_campaign(campaign, len(ROWS), k=k)
    assert verify_release.check(made(few, tmp_path, closing_release))["k"] == k


def test_a_release_that_takes_nothing_as_known_says_so(campaign: Campaign, tmp_path: Path) -> None:
    few = make_campaign(campaign, len(ROWS))
    few = replace(few, publication=replace(few.publication, known=()))
    assert verify_release.check(made(few, tmp_path, closing_release))["known"] == "–"


def test_what_was_checked_is_printed_to_be_held_against_what_a_reader_knows(
    few: Campaign, bases: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for base in bases.values():
        monkeypatch.setattr("sys.argv", ["verify_release.py", str(base)])
        assert verify_release.main() == 0
        printed = capsys.readouterr().out
        release = read_release(base)
        cells = [cell.status for table in release.tables for cell in table.cells.values()]
        count = {status: cells.count(status) for status in Status}
        assert (
            f"Checked: wafangdian-2019, release {release.name}, as of 2019-03-04, the close, after"
            f" {release.number - 1} releases. k = 5; taken as known to everybody: city.suspected; assumed:"
        ) in printed
        assert (
            f"Figures: {count[Status.PUBLISHED]} exact, {count[Status.ROUNDED]} rounded, {count[Status.SUPPRESSED]}"
            f" withheld, {count[Status.NOT_DUE]} not reported yet; tables: city.csv 6, units.csv 24, categories.csv 13."
        ) in printed
        assert f"如实公布 {count[Status.PUBLISHED]} 个，取约数 {count[Status.ROUNDED]} 个" in printed
        examples = len(loaded(base / "proof.json")["tables"])
        assert f"Proved: {examples} sets of complete tables of whole numbers fit" in printed
        assert f"of {count[Status.SUPPRESSED]} withheld figures, both ends of its range are reached" in printed
    assert "assumed: still; fixed deducted, to_return; grows verified, returned." in printed
    sooner = bases["stack"].parent / "0002"
    monkeypatch.setattr("sys.argv", ["verify_release.py", str(sooner)])
    assert verify_release.main() == 0
    assert "release 0002, as of 2019-03-04, before the close, after 1 releases." in capsys.readouterr().out


def test_a_terminal_without_chinese_gets_the_result_all_the_same(bases: dict[str, Path]) -> None:
    command = [sys.executable, "-I", "-S", str(bases["close"] / "verify_release.py")]
    done = subprocess.run(command, env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "Proved" in done.stdout
