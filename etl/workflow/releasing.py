"""Making a release: count, protect, prove, record; and adopting one that a restored copy does not know."""

import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

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
from etl.protect.draft import ReleaseDay
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
    """A new release.

    `last` is the release before it; `why` gives the reason for each cell that is not exact, for the officer only;
    `head` is the printed head of the chain, for the custodian's paper, or empty after a dry run.
    """

    release: Release
    last: Release | None
    why: Mapping[str, Why]
    head: str = ""


def release_figures(run: Run, *, closing: bool = False, dry_run: bool = False) -> Made:
    """Count, protect, audit, write, prove and record a release; a dry run deletes it again before it is recorded.

    With `closing`, figures are exact or intervals, which happens once; otherwise they are rounded, before the close and
    after it. Protection takes all earlier releases into account.
    """
    with writing(run) as vault:
        recorded, lost = releases.releases(vault), releases.lost_releases(vault)
        # Drafts of releases that a restored copy took back are put in place, too, so that they can be adopted.
        finish_interrupted_releases(
            run.home.released, {name: one for name, own in lost.items() for one in own} | recorded
        )
        earlier = _on_record(run.home.released, recorded, lost)
        counts = counting.count(vault, run.campaign, run.day)
        make = closing_release if closing else interim_release
        # The first master key: random choices in earlier releases were derived from it and must not change by a rekey.
        day = ReleaseDay(run.campaign, counts, earlier, run.keys.derive("disclosure", 0))
        made = replace(make(day), earlier=recorded)
        plan = Made(made, earlier[-1] if earlier else None, reasons(day, made))
        fresh = _written(run, made, day)
        if dry_run:
            shutil.rmtree(fresh)
            return plan
        releases.insert_release(vault, made, release_digest(fresh), counts, run.day)
        place_release(run.home.released, made.name)
        head = chain.head(vault.connection)
        return replace(plan, head=chain.printed(head.seal) if head else "")


def _on_record(released: Path, recorded: Mapping[str, str], lost: Collection[str]) -> list[Release]:
    """The releases so far, oldest first. FuxueError unless the folders are exactly those on record, unchanged.

    `lost` are releases that a restored copy took back; they must be adopted first, because the public may have them.
    """
    found = {folder.name: release_digest(folder) for folder in release_folders(released)}
    for name in sorted({*found, *recorded, *lost}):
        if name not in recorded:
            raise FuxueError("release.unrecorded", release=name, folder=released / name)
        if found.get(name) != recorded[name]:
            raise FuxueError("release.not_on_record", release=name)
    return [read_release(released / name) for name in sorted(found)]


def adopt_release(run: Run, name: str) -> str:
    """Record a release folder again that a restored copy does not know; return the printed head of the chain.

    FuxueError unless it is the next release after those on record, passes `verify_release_folder`, and has the digest
    that it had on record before, if that is known.
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


def _written(run: Run, made: Release, day: ReleaseDay) -> Path:
    """Write the release to its draft folder, prove and seal it, search it for unprotected figures and read it back.

    FuxueError, with the draft deleted, if any of that fails.
    """
    fresh = write_draft(run.home.released, made)
    try:
        _prove(run.home, fresh)
        if places := unprotected(fresh, made, day):
            raise FuxueError("release.unprotected", places="、".join(places[:5]), code=3)
        if read_release(fresh) != made:
            raise FuxueError("release.changed", release=made.name, file="release.json")
    except BaseException:
        shutil.rmtree(fresh)
        raise
    return fresh


def _prove(home: Home, folder: Path) -> None:
    """Make the proof and the seal, in a process that reads the draft only and has no key. FuxueError if it fails."""
    done = run_module(["etl.proof.prove", str(folder.absolute())], home.held())
    if done.returncode:
        raise FuxueError("protect.unproved", reason=(done.stderr.strip().splitlines() or [""])[-1][:300], code=3)
