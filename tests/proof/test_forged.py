"""Forged releases: each is refused by the citizen's program for its own reason, and by the officer's command."""

import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from etl.exchange.release import Release, Status, read_release
from etl.exchange.release_folder import release_digest
from etl.findings import FuxueError
from etl.proof import verify_release
from etl.protect.closing import closing_release
from etl.protect.draft import ReleaseDay
from etl.protect.interim import interim_release
from etl.rulebook.campaign import Campaign
from etl.workflow import verifying
from tests.support.forgeries import FORGERIES
from tests.support.releases import loaded, write_proved
from tests.support.small_counts import make_campaign, make_counts

SECRET = b"a secret of the tests"
ROWS = [(0, 60, 14, 8)] * 3 + [(0, 50, 9, 3), (0, 30, 0, 6), (12, 0, 0, 0)]
LATER = [(0, 60, 16, 6)] * 3 + [(0, 50, 9, 3), (0, 30, 1, 5), (0, 7, 1, 4)]
WAYS: dict[str, Sequence[Callable[[ReleaseDay], Release]]] = {
    "close": [closing_release],
    "pair": [interim_release, interim_release],
    "stack": [interim_release, interim_release, closing_release],
    "after": [closing_release, interim_release],
}
#: Seconds within which any forgery is refused.
SOON = 10


class TooLong(BaseException):
    """The program is still at work; it must not take this for an error of the files."""


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """TooLong if it takes longer."""

    def stop(*_: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def few(campaign: Campaign) -> Campaign:
    return make_campaign(campaign, len(ROWS))


def made(few: Campaign, folder: Path, *makes: Callable[[ReleaseDay], Release]) -> Path:
    """Releases with their proofs, one after the other; the last one's folder."""
    earlier: list[Release] = []
    for make, rows in zip(makes, (ROWS, LATER, LATER), strict=False):
        one = make(ReleaseDay(few, make_counts(few, rows, random.Random(4)), tuple(earlier), SECRET))
        earlier.append(replace(one, earlier={one.name: release_digest(folder / one.name) for one in earlier}))
        write_proved(folder, earlier[-1])
    return folder / earlier[-1].name


@pytest.fixture(scope="module")
def bases(few: Campaign, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: made(few, tmp_path_factory.mktemp(name), *makes) for name, makes in WAYS.items()}


def test_there_are_forgeries_of_more_than_a_hundred_and_fifty_kinds_for_every_reason() -> None:
    assert len(FORGERIES) > 150
    assert {forgery.key for forgery in FORGERIES.values()} == set(verify_release.SAYS)


@pytest.mark.parametrize("base", WAYS)
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
    with within(SOON), pytest.raises(verify_release.Failed) as caught:
        verify_release.check(folder)
    assert caught.value.key == forgery.key
    assert str(caught.value).isprintable()
    with pytest.raises(FuxueError) as refused:
        verifying.verify_release_folder(few, folder)
    assert all(str(one).isprintable() for one in refused.value.params.values())


def test_what_a_release_may_hold_is_bounded_and_no_less_than_that(
    bases: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each bound is reached by a release that is accepted; one less, and the same release is refused."""
    folder = bases["pair"]
    proof, rows = loaded(folder / "proof.json"), len(ROWS) + 13 + 1
    files = [path for one in folder.parent.iterdir() for path in one.iterdir()]
    bounds = {
        "MOST_BYTES": (max(path.stat().st_size for path in files), "file"),
        "MOST_ROWS": (rows, "entry"),
        "MOST_NUMBERS": (len(proof["examples"]) * len(proof["counts"]), "file"),
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


@pytest.mark.parametrize("base", WAYS)
def test_what_was_checked_is_printed_in_both_languages(
    bases: dict[str, Path], base: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = bases[base]
    monkeypatch.setattr("sys.argv", ["verify_release.py", str(folder)])
    assert verify_release.main() == 0
    printed, release = capsys.readouterr().out, read_release(folder)
    cells = [cell.status for table in release.tables for cell in table.cells.values()]
    found = verify_release.check(folder)
    assert {status: found[status.value] for status in Status} == {status: cells.count(status) for status in Status}
    assert found["count"] == len(cells)
    assert found["examples"] == len(loaded(folder / "proof.json")["examples"])
    assert found["release"] == release.name
    for text in (*verify_release.PROVED, *verify_release.NOT_PROVED):
        assert text.format(**found) in printed
    assert release.assumed.key in str(found["assumed"])


def test_a_terminal_without_chinese_gets_the_result_all_the_same(bases: dict[str, Path]) -> None:
    command = [sys.executable, "-I", "-S", str(bases["close"] / "verify_release.py")]
    done = subprocess.run(command, env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "Proved" in done.stdout
