"""The steps from counts to the public: release, verify, publish."""

import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from etl.exchange.counts import Counts
from etl.exchange.release import Release, read_release, write_draft
from etl.exchange.release_folder import (
    finish_interrupted_releases,
    place_release,
    printable,
    release_digest,
    release_folders,
)
from etl.findings import FuxueError
from etl.protect.closing import closing_release
from etl.protect.interim import interim_release
from etl.protect.search import unprotected
from etl.protect.why import Why, reasons
from etl.system.home import Home
from etl.system.keyless import run_module
from etl.vault.record import count as counting
from etl.vault.record import releases
from etl.vault.store import chain
from etl.workflow.run import Run
from etl.workflow.verifying import verify_release_folder
from etl.workflow.writing import writing


@dataclass(frozen=True)
class Made:
    """A release, and the head of the chain once it is on record: for the custodian's paper. Empty for a dry run.

    `last` is the release before it, `why` the reason of each cell that is not exact: for the officer alone.
    """

    release: Release
    last: Release | None
    why: Mapping[str, Why]
    head: str = ""


def release_figures(run: Run, *, closing: bool = True, dry_run: bool = False) -> Made:
    """Count, protect, audit and, unless it is a dry run, put on record, write the release and read it back.

    Rounded before the close, exact at the close; exact again to correct it, as far as the difference tells nothing.
    All earlier releases are in the system that it is protected in. FuxueError if nothing has changed since the close.
    """
    with writing(run) as vault:
        recorded, lost = releases.releases(vault), releases.lost_releases(vault)
        # One that a restored copy took back while it still lay aside takes its place, to be put on record again.
        finish_interrupted_releases(
            run.home.released, {name: one for name, own in lost.items() for one in own} | recorded
        )
        earlier = _on_record(run.home.released, recorded, lost)
        counts = counting.count(vault, run.campaign, run.day)
        if closing and earlier and earlier[-1].closing and releases.has_sums(vault, earlier[-1].name, counts):
            raise FuxueError("release.unchanged", release=earlier[-1].name, as_of=earlier[-1].as_of)
        make = closing_release if closing else interim_release
        # The first master's: figures that were drawn with it must hold after a rekey.
        made = make(run.campaign, counts, earlier, run.keys.derive("disclosure", 0))
        made = replace(made, earlier=recorded)
        plan = Made(made, earlier[-1] if earlier else None, reasons(run.campaign, counts, made))
        if dry_run:
            return plan
        fresh = _written(run, made, counts)
        releases.insert_release(vault, made, release_digest(fresh), counts, run.day)
        place_release(run.home.released, made.name)
        head = chain.head(vault.connection)
        return replace(plan, head=chain.printed(head.seal) if head else "")


def _on_record(released: Path, recorded: Mapping[str, str], lost: Collection[str]) -> list[Release]:
    """The releases so far, oldest first; FuxueError unless the folders are just those on record, untouched.

    `lost` are those that a restored copy took back: without them nobody knows what the public can combine.
    """
    found = {folder.name: release_digest(folder) for folder in release_folders(released)}
    for name in sorted({*found, *recorded, *lost}):
        if name not in recorded:
            raise FuxueError("release.unrecorded", release=name, folder=released / name)
        if found.get(name) != recorded[name]:
            raise FuxueError("release.not_on_record", release=name)
    return [read_release(released / name) for name in sorted(found)]


def adopt_release(run: Run, name: str) -> str:
    """Put a release folder on record again that a restored copy does not know; gives the head of the chain.

    FuxueError unless it is the next one after those on record, all holds that `verify` holds, and it is as it was when
    it came on record first, as far as that is known.
    """
    with writing(run) as vault:
        recorded, folder = releases.releases(vault), run.home.released / name
        if name in recorded:
            raise FuxueError("release.known", release=name)
        if name not in {one.name for one in release_folders(run.home.released)}:
            raise FuxueError("release.no_folder", release=printable(name), folder=run.home.released)
        found = verify_release_folder(run.campaign, folder)
        if (own := releases.lost_releases(vault).get(name)) and release_digest(folder) not in own:
            raise FuxueError("release.not_as_it_was", release=name)
        if dict(found.earlier) != recorded:
            raise FuxueError("release.not_next", release=name, earlier="、".join(found.earlier) or "—")
        releases.insert_known_release(vault, found, release_digest(folder), run.day)
        head = chain.head(vault.connection)
    return chain.printed(head.seal) if head else ""


def _written(run: Run, made: Release, counts: Counts) -> Path:
    """The release as it lies aside, proved, sealed, searched, and read back as it was meant."""
    fresh = write_draft(run.home.released, made)
    try:
        _prove(run.home, fresh)
        if places := unprotected(fresh, made, counts, run.campaign):
            raise FuxueError("release.unprotected", places="、".join(places[:5]), code=3)
        if read_release(fresh) != made:
            raise FuxueError("release.changed", release=made.name, file="release.json")
    except BaseException:
        shutil.rmtree(fresh)
        raise
    return fresh


def _prove(home: Home, folder: Path) -> None:
    """The proof is made by a process that is given the released files and no key; without one nothing is released."""
    done = run_module(["etl.proof.prove", str(folder.absolute())], home.held())
    if done.returncode:
        raise FuxueError("protect.unproved", reason=(done.stderr.strip().splitlines() or [""])[-1][:300], code=3)
