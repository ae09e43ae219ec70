"""The steps from counts to the public: release, verify, publish."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from etl.campaign import Campaign, load_campaign
from etl.cli.run import Run
from etl.findings import FuxueError
from etl.home import Home
from etl.processes import child_environment, error_of
from etl.protect import verify_release as citizen
from etl.protect.closing import closing_release
from etl.protect.interim import interim_release
from etl.protect.reader import verify_release
from etl.protect.search import unprotected
from etl.protect.tables import structure_of
from etl.protect.why import Why, reasons
from etl.released import (
    Release,
    earlier_releases,
    put_in_place,
    read_release,
    release_folders,
    set_aside,
    settle_releases,
)
from etl.released import digest as digest_of
from etl.vault import chain, published
from etl.vault import count as counting

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Made:
    """A release, and the head of the chain once it is on record: for the custodian's paper. Empty for a dry run.

    `last` is the release before it, `why` the reason of each cell that is not exact: for the officer alone.
    """

    release: Release
    last: Release | None
    why: Mapping[str, Why]
    head: str = ""


def release(run: Run, *, closing: bool = True, dry_run: bool = False) -> Made:
    """Count, protect, audit and, unless it is a dry run, put on record, write the release and read it back.

    Rounded before the close, exact at the close; exact again to correct it, as far as the difference tells nothing.
    All earlier releases are in the system that it is protected in. FuxueError if nothing has changed since the close.
    """
    with run.home.lock(), run.open_vault() as vault:
        settle_releases(run.home.released, published.releases(vault))
        folders = release_folders(run.home.released)
        earlier = [read_release(folder) for folder in folders]
        counts = counting.count(vault, run.campaign, run.day)
        if closing and earlier and earlier[-1].closing and published.has_sums(vault, earlier[-1].name, counts):
            raise FuxueError("release.unchanged", release=earlier[-1].name, as_of=earlier[-1].as_of)
        make = closing_release if closing else interim_release
        # The first master's: figures that were drawn with it must hold after a rekey.
        made = make(run.campaign, counts, earlier, run.keys.derive("disclosure", 0))
        made = replace(made, earlier={folder.name: digest_of(folder) for folder in folders})
        plan = Made(made, earlier[-1] if earlier else None, reasons(run.campaign, counts, made))
        if dry_run:
            return plan
        digest = set_aside(run.home.released, made)
        fresh = run.home.released / f".{made.name}.new"
        _prove(fresh)
        if places := unprotected(fresh, made, counts, run.campaign):
            shutil.rmtree(fresh)
            raise FuxueError("release.unprotected", places="、".join(places[:5]), code=3)
        published.record_release(vault, made, digest, counts, run.day)
        if read_release(put_in_place(run.home.released, made.name)) != made:
            raise FuxueError("release.changed", release=made.name, file="release.json")
        head = chain.head(vault.connection)
        return replace(plan, head=chain.printed(head.seal) if head else "")


def _prove(folder: Path) -> None:
    """The proof is made by a process that is given the released files and no key; without one nothing is released."""
    command = [sys.executable, "-m", "etl.protect.prove", str(folder.absolute())]
    done = subprocess.run(command, cwd=ROOT, env=child_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(folder)
        raise FuxueError("protect.unproved", reason=(done.stderr.strip().splitlines() or [""])[-1][:300], code=3)


def verify(campaign: Campaign, folder: Path) -> Release:
    """Check a release folder: unchanged, sums agree, nothing withheld can be inferred. FuxueError says what fails."""
    found, rules = read_release(folder), campaign.publication
    if (found.k, dict(found.category_k), found.known) != (rules.k, dict(rules.category_k), rules.known):
        raise FuxueError("verify.rules", folder=folder, k=found.k, known="、".join(found.known), code=3)
    if found.assumed not in rules.assumptions:
        raise FuxueError("verify.assumed", folder=folder, assumed=found.assumed.key, code=3)
    reason = verify_release(structure_of(campaign), found, earlier_releases(folder.parent, found))
    try:
        citizen.check(folder)  # the proof that goes with it, as anyone would check it
    except citizen.Failed as failed:
        reason = reason or str(failed)
    if reason:
        raise FuxueError("verify.bad", folder=folder, reason=reason, code=3)
    return found


def publish(home: Home, campaign_folder: Path, *, production: bool = False, check: bool = False) -> None:
    """Publish in a process of its own that is given no key: neither as an argument nor in its environment.

    Every release is verified first, as anyone could: nothing is published that has become readable on the way.
    """
    folders = release_folders(home.released)
    if not folders:
        raise FuxueError("release.nothing")
    for folder in folders:
        verify(load_campaign(campaign_folder), folder)
    command = [sys.executable, "-m", "etl.publish", "--quiet"]
    command += ["--released", str(home.released.absolute()), "--public", str(home.public.absolute())]
    command += ["--campaign", str(campaign_folder.absolute())]
    command += [name for name, wanted in (("--production", production), ("--check", check)) if wanted]
    done = subprocess.run(command, cwd=ROOT, env=child_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise error_of(done.stderr, done.returncode)
