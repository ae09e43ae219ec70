"""Killed at any moment of `release` and of `publish`: a release is on record and whole or not there at all, and one
whole site stands in its place, the old one or the new one; the same command again brings it to its end.

Moments are those of `tests/workflow/test_issue_crash.py`, and the exchange of the two sites. The tests have a few
of each, `make prove` has 120 of `release` and 80 of `publish`.
"""

import ctypes
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from etl.exchange import release_folder
from etl.exchange.release_folder import SUMS, place_release, set_aside, write_sums
from etl.findings import FuxueError
from etl.proof import verify_release
from etl.publish import swap
from etl.rulebook.campaign import Campaign
from etl.system import keyless
from etl.system.home import Home
from etl.vault.record import releases
from etl.workflow import releasing, upkeep
from etl.workflow.recovery import recover_unless_busy
from etl.workflow.run import Run
from tests.support import warm
from tests.support.doomed import DOOMED, Case, again, case, die
from tests.support.homes import at_due
from tests.support.releases import write_release
from tests.support.sample_release import CAMPAIGN, publish_sample, sample_release, tree

RELEASES, SITES = 120, 80
#: `publish` in this process, with the exchange as a moment of its own; at each moment somebody looks at the site.
PUBLISHES = """
from etl.publish import swap
from etl.publish.__main__ import main
exchange, missed, site = swap.exchange, [], Path(home) / "public/site/index.html"

def counted(*given):
    moment("exchange")
    return exchange(*given)

swap.exchange = counted
if "--twice" in arguments:
    arguments.remove("--twice")
    swap._exchanger = lambda: None
"""
DOOMED_SITE = (
    DOOMED.replace("from etl.cli.main import main\n", PUBLISHES)
    .replace('main(["--home", home, *arguments], standalone_mode=False)', "assert main(arguments) == 0")
    .replace("    moments.append(name)\n", "    moments.append(name)\n    if not seen(site): missed.append(name)\n")
    .replace("moments = []\n", "moments = []\nfrom os.path import exists as seen\n")
    .replace("json.dumps(moments)", "json.dumps([moments, missed])")
)


@pytest.fixture(scope="module")
def doomed(
    tmp_path_factory: pytest.TempPathFactory, loaded_once: Path, small: Campaign, small_folder: Path
) -> tuple[Case, Campaign, Path]:
    """A release that is about to be made, and its moments."""
    folder = tmp_path_factory.mktemp("release")
    shutil.copytree(loaded_once, folder / "var")
    recover_unless_busy(at_due(folder / "var", small, small_folder))
    arguments = ("--campaign", str(small_folder), "release", "--closing", "--as-of", str(small.reports_due))
    return case(folder, folder / "var", arguments, "release"), small, small_folder


def assert_released_or_not(run: Run, *, is_finished: bool) -> int:
    """Whatever can be seen in `released/` is on record, whole, and proved; how many there are."""
    with run.open_vault() as vault:
        recorded = releases.releases(vault)
    shown = [folder.name for folder in release_folder.release_folders(run.home.released)]
    assert set(shown) <= recorded.keys()
    for name in shown:
        verify_release.check(run.home.released / name)
    if is_finished:
        assert shown == sorted(recorded)
        assert sorted(path.name for path in run.home.released.glob("*")) == shown
    recover_unless_busy(run)
    assert upkeep.verify_record(run).breaks == ()
    return len(recorded)


def kill_release(given: tuple[Case, Campaign, Path], folder: Path, moments: Sequence[int]) -> None:
    counted, campaign, campaign_folder = given
    for at in moments:
        home = folder / f"release-{at}" / "var"
        shutil.copytree(counted.home, home)
        died = die(home, counted.command, at)
        assert died.returncode == -9, (at, died.stderr)
        run = at_due(home, campaign, campaign_folder)
        before = assert_released_or_not(run, is_finished=False)
        done = again(home, counted.command)
        # What was on record already is put in its place, and there is nothing new to release.
        assert done.exit_code == (2 if before else 0), (at, counted.moments[at - 1], done.output)
        assert assert_released_or_not(run, is_finished=True) == 1
        shutil.rmtree(home.parent)


def at_and_around(given: Case, moment: str) -> list[int]:
    return [number for number, name in enumerate(given.moments, 1) if name.startswith(moment)]


def test_a_kill_while_a_release_is_made_leaves_none_or_a_whole_one(
    doomed: tuple[Case, Campaign, Path], tmp_path: Path
) -> None:
    counted = doomed[0]
    (renamed,) = at_and_around(counted, "os.rename /released/.0001.new")
    kill_release(doomed, tmp_path, [renamed])


@pytest.mark.prove
def test_a_kill_at_many_moments_of_a_release(doomed: tuple[Case, Campaign, Path], tmp_path: Path) -> None:
    counted = doomed[0]
    chosen = set(at_and_around(counted, "os.rename /released")) | set(at_and_around(counted, "sql COMMIT"))
    chosen |= {at for at, name in enumerate(counted.moments, 1) if "/released" in name or name == "fsync"}
    rest = sorted(set(range(1, len(counted.moments) + 1)) - chosen)
    chosen |= set(random.Random(4).sample(rest, max(0, min(len(rest), RELEASES - len(chosen)))))
    kill_release(doomed, tmp_path, sorted(chosen))
    print(f"release: {len(chosen)} of {len(counted.moments)} moments")


def test_a_proof_that_is_killed_leaves_no_release(loaded: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    killed = subprocess.CompletedProcess[str]([], -9, "", "")
    monkeypatch.setattr(releasing, "run_module", lambda *_: killed)
    with pytest.raises(FuxueError, match=r"protect\.unproved"):
        releasing.release_figures(loaded)
    assert list(loaded.home.released.iterdir()) == []


def test_a_proof_that_outlives_its_command_keeps_the_home_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it could still write into the folder that the next release is made in."""
    home, begun, end = Home(tmp_path / "var"), tmp_path / "begun", tmp_path / "end"
    os.mkfifo(begun)
    os.mkfifo(end)
    slow = tmp_path / "slow"
    slow.write_text(f"#!/bin/sh\necho > '{begun}'\nread _ < '{end}'\n")
    slow.chmod(0o700)
    monkeypatch.setattr(releasing, "run_module", keyless.run_module)  # which tests replace otherwise
    monkeypatch.setattr(sys, "executable", str(slow))
    command = os.fork()
    if command == 0:
        try:
            with home.lock():
                releasing._prove(home, tmp_path)
        finally:
            os._exit(0)
    begun.read_text()
    os.kill(command, signal.SIGKILL)
    os.waitpid(command, 0)
    with pytest.raises(FuxueError, match=r"home\.busy"), home.lock(patience=0):
        pass
    end.write_text("\n")
    with home.lock():
        assert len(home.held()) == 1
    assert home.held() == ()


def test_a_folder_is_on_the_disk_before_it_counts_and_after_it_was_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[object] = []
    monkeypatch.setattr(release_folder, "sync", done.append)
    monkeypatch.setattr(os, "fsync", lambda _: done.append("file"))
    released = tmp_path / "home" / "released"
    released.parent.mkdir()
    fresh = set_aside(released, "0001", {"release.json": b"{}", "units.csv": b""})
    assert done == [released.parent, "file", "file"]
    done.clear()
    write_sums(fresh)
    assert done == ["file", fresh, released]
    assert (fresh / SUMS).exists()
    done.clear()
    place_release(released, "0001")
    assert done == [released]


@dataclass(frozen=True)
class Site:
    """A home whose site is about to be replaced, the sites before and after, and all moments between."""

    home: Path
    before: dict[str, bytes]
    after: dict[str, bytes]
    moments: tuple[str, ...]
    missed: tuple[str, ...]


def run_publish(home: Path, at: int, out: str = "-", *more: str) -> subprocess.CompletedProcess[str]:
    arguments = [
        "--released",
        str(home / "released"),
        "--public",
        str(home / "public"),
        "--campaign",
        str(CAMPAIGN),
        *more,
    ]
    return warm.run([str(at), out, str(home), "--quiet", *arguments], script=DOOMED_SITE)


def site_of(folder: Path, *more: str) -> Site:
    home, copy, out = folder / "home", folder / "copy", folder / "moments.json"
    publish_sample(home)
    write_release(home / "released", replace(sample_release(), number=2))
    shutil.copytree(home, copy)
    done = run_publish(copy, 0, str(out), *more)
    assert done.returncode == 0, done.stderr
    moments, missed = json.loads(out.read_text())
    return Site(home, tree(home / "public"), tree(copy / "public"), tuple(moments), tuple(missed))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return site_of(tmp_path_factory.mktemp("site"))


def kill_publish(given: Site, folder: Path, moments: Sequence[int]) -> None:
    for at in moments:
        home = folder / f"site-{at}"
        shutil.copytree(given.home, home)
        died = run_publish(home, at)
        assert died.returncode == -9, (at, died.stderr)
        assert tree(home / "public") in (given.before, given.after), given.moments[at - 1]
        assert run_publish(home, 0).returncode == 0
        assert tree(home / "public") == given.after
        assert sorted(path.name for path in home.iterdir()) == ["public", "released"]
        shutil.rmtree(home)


def test_at_every_moment_of_publishing_a_site_stands_in_its_place(site: Site) -> None:
    assert len(site.moments) > 500
    assert "exchange" in site.moments
    assert site.missed == ()
    assert site.before != site.after


def test_a_kill_after_the_exchange_leaves_one_whole_site(site: Site, tmp_path: Path) -> None:
    kill_publish(site, tmp_path, [site.moments.index("exchange") + 2])


@pytest.mark.prove
def test_a_kill_at_many_moments_of_publishing_leaves_one_whole_site(site: Site, tmp_path: Path) -> None:
    at, last = site.moments.index("exchange") + 1, len(site.moments)
    near = [*range(at - 5, at + 1), *range(at + 1, min(at + 20, last))]
    chosen = sorted({*near, *random.Random(4).sample(range(1, last + 1), SITES - len(near))})
    kill_publish(site, tmp_path, chosen)
    print(f"publish: {len(chosen)} of {last} moments")


@pytest.mark.prove
def test_two_renames_leave_the_place_empty_for_a_moment_and_the_watch_notices(tmp_path: Path) -> None:
    assert {name.split(" ")[0] for name in site_of(tmp_path, "--twice").missed} == {"os.rename"}


def test_where_names_cannot_be_exchanged_two_renames_do_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swap, "_exchanger", lambda: None)
    for content in ("old", "new"):
        with swap.replacing(tmp_path / "public") as fresh:
            (fresh / "page").write_text(content)
    assert tree(tmp_path) == {"public/page": b"new"}


def test_a_disk_that_refuses_leaves_the_old_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with swap.replacing(tmp_path / "public") as fresh:
        (fresh / "page").write_text("old")

    def refuses(*_: bytes) -> int:
        ctypes.set_errno(5)
        return -1

    monkeypatch.setattr(swap, "_exchanger", lambda: refuses)
    with pytest.raises(FuxueError, match=r"publish\.not_written"), swap.replacing(tmp_path / "public") as fresh:
        (fresh / "page").write_text("new")
    assert tree(tmp_path) == {"public/page": b"old"}


@pytest.mark.parametrize("number", swap.CANNOT)
def test_a_disk_that_cannot_exchange_names_is_distinguished_from_one_that_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def cannot(*_: bytes) -> int:
        ctypes.set_errno(number)
        return -1

    monkeypatch.setattr(swap, "_exchanger", lambda: cannot)
    assert not swap.exchange(tmp_path / "a", tmp_path / "b")
