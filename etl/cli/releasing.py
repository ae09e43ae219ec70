"""The steps from counts to the public: release, verify, publish."""

import datetime as dt
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from etl.campaign import Campaign, load_campaign
from etl.cli.run import Run
from etl.counts import Counts
from etl.findings import FuxueError
from etl.home import Home
from etl.processes import child_environment, error_of
from etl.protect import verify_release as citizen
from etl.protect.closing import closing_release
from etl.protect.interim import interim_release
from etl.protect.reader import verify_release
from etl.protect.search import unprotected
from etl.protect.tables import CITY, structure_of
from etl.protect.why import Why, reasons
from etl.release_folder import digest, put_in_place, release_folders, settle_releases, verifiers
from etl.released import Release, earlier_releases, read_release, write_draft
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
    with run.writing() as vault:
        recorded = published.releases(vault)
        settle_releases(run.home.released, recorded)
        earlier = _on_record(run.home.released, recorded)
        counts = counting.count(vault, run.campaign, run.day)
        if closing and earlier and earlier[-1].closing and published.has_sums(vault, earlier[-1].name, counts):
            raise FuxueError("release.unchanged", release=earlier[-1].name, as_of=earlier[-1].as_of)
        make = closing_release if closing else interim_release
        # The first master's: figures that were drawn with it must hold after a rekey.
        made = make(run.campaign, counts, earlier, run.keys.derive("disclosure", 0))
        made = replace(made, earlier=recorded)
        plan = Made(made, earlier[-1] if earlier else None, reasons(run.campaign, counts, made))
        if dry_run:
            return plan
        fresh = _written(run, made, counts)
        published.record_release(vault, made, digest(fresh), counts, run.day)
        put_in_place(run.home.released, made.name)
        head = chain.head(vault.connection)
        return replace(plan, head=chain.printed(head.seal) if head else "")


def _on_record(released: Path, recorded: Mapping[str, str]) -> list[Release]:
    """The releases so far, oldest first; FuxueError unless the folders are just those on record, untouched."""
    found = {folder.name: digest(folder) for folder in release_folders(released)}
    for name in sorted(found.keys() | recorded.keys()):
        if found.get(name) != recorded.get(name):
            raise FuxueError("release.not_on_record", release=name)
    return [read_release(released / name) for name in sorted(found)]


def _written(run: Run, made: Release, counts: Counts) -> Path:
    """The release as it lies aside, proved, sealed, searched, and read back as it was meant."""
    fresh = write_draft(run.home.released, made)
    try:
        _prove(fresh)
        if places := unprotected(fresh, made, counts, run.campaign):
            raise FuxueError("release.unprotected", places="、".join(places[:5]), code=3)
        if read_release(fresh) != made:
            raise FuxueError("release.changed", release=made.name, file="release.json")
    except BaseException:
        shutil.rmtree(fresh)
        raise
    return fresh


def _prove(folder: Path) -> None:
    """The proof is made by a process that is given the released files and no key; without one nothing is released."""
    command = [sys.executable, "-m", "etl.protect.prove", str(folder.absolute())]
    done = subprocess.run(command, cwd=ROOT, env=child_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise FuxueError("protect.unproved", reason=(done.stderr.strip().splitlines() or [""])[-1][:300], code=3)


def verify(campaign: Campaign, folder: Path) -> Release:
    """Check a release folder: closed, proved, of this campaign and its rules, nothing withheld can be inferred.

    FuxueError says what fails. What the citizen's program refuses is not looked at any further.
    """
    found = read_release(folder)
    try:
        citizen.check(folder, verifiers())
    except citizen.Failed as failed:
        raise FuxueError("verify.bad", folder=folder, reason=str(failed), code=3) from failed
    for what, told, own in _rules(campaign, found):
        if told != own:
            raise FuxueError("verify.rules", folder=folder, what=what, told=told, own=own, code=3)
    if found.assumed not in campaign.publication.assumptions:
        raise FuxueError("verify.assumed", folder=folder, assumed=found.assumed.key, code=3)
    if not campaign.noticed <= found.as_of <= dt.date.today():
        raise FuxueError("verify.day", folder=folder, as_of=found.as_of, first=campaign.noticed, code=3)
    if reason := verify_release(structure_of(campaign), found, earlier_releases(folder.parent, found)):
        raise FuxueError("verify.bad", folder=folder, reason=reason, code=3)
    return found


def _rules(campaign: Campaign, found: Release) -> Iterator[tuple[str, object, object]]:
    """What a release says of itself beside what the campaign says: name, told, own."""
    rules = campaign.publication
    yield "campaign", found.campaign, campaign.id
    yield "k", found.k, rules.k
    yield "category_k", dict(found.category_k), dict(rules.category_k)
    yield "known", list(found.known), list(rules.known)
    told, own = asdict(found.structure), asdict(structure_of(campaign))
    yield from ((part, told[part], own[part]) for part in own)
    tables = [(t.key, t.kind, t.measures, t.title, t.title_en) for t in found.tables]
    yield "tables", tables, [(t.key, t.rows, t.measures, t.title, t.title_en) for t in rules.tables]
    rows = {"city": [CITY], "unit": [*campaign.unit], "category": [*campaign.category]}
    for table in found.tables:
        yield f"tables.{table.key}", list(table.rows), rows[table.kind]


def publish(home: Home, campaign_folder: Path, *, production: bool = False, check: bool = False) -> None:
    """Publish in a process of its own that is given no key: neither as an argument nor in its environment.

    Every release is verified first, as anyone could: nothing is published that has become readable on the way.
    """
    folders = release_folders(home.released)
    if not folders:
        raise FuxueError("release.nothing")
    for folder in folders:
        verify(load_campaign(campaign_folder), folder)
    with home.lock():
        _publish_apart(home, campaign_folder, production=production, check=check)


def _publish_apart(home: Home, campaign_folder: Path, *, production: bool, check: bool) -> None:
    command = [sys.executable, "-m", "etl.publish", "--quiet"]
    command += ["--released", str(home.released.absolute()), "--public", str(home.public.absolute())]
    command += ["--campaign", str(campaign_folder.absolute())]
    command += [name for name, wanted in (("--production", production), ("--check", check)) if wanted]
    done = subprocess.run(command, cwd=ROOT, env=child_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise error_of(done.stderr, done.returncode)
