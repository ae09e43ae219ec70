"""The steps from counts to the public: release, verify, publish."""

import datetime as dt
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from etl.exchange.counts import Counts
from etl.exchange.release import Release, earlier_releases, read_release, write_draft
from etl.exchange.release_folder import digest, plain, put_in_place, release_folders, settle_releases, verifiers
from etl.findings import FuxueError
from etl.proof import verify_release as citizen
from etl.proof.reader import verify_release
from etl.proof.tables import CITY, structure_of
from etl.protect.closing import closing_release
from etl.protect.interim import interim_release
from etl.protect.search import unprotected
from etl.protect.why import Why, reasons
from etl.rulebook.campaign import Campaign, load_campaign
from etl.system.home import Home
from etl.system.processes import child_environment, error_of
from etl.vault.record import count as counting
from etl.vault.record import releases
from etl.vault.store import chain
from etl.workflow.run import Run

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
        recorded, lost = releases.releases(vault), releases.lost_releases(vault)
        # One that a restored copy took back while it still lay aside takes its place, to be put on record again.
        settle_releases(run.home.released, {name: one for name, own in lost.items() for one in own} | recorded)
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
        releases.record_release(vault, made, digest(fresh), counts, run.day)
        put_in_place(run.home.released, made.name)
        head = chain.head(vault.connection)
        return replace(plan, head=chain.printed(head.seal) if head else "")


def _on_record(released: Path, recorded: Mapping[str, str], lost: Collection[str]) -> list[Release]:
    """The releases so far, oldest first; FuxueError unless the folders are just those on record, untouched.

    `lost` are those that a restored copy took back: without them nobody knows what the public can combine.
    """
    found = {folder.name: digest(folder) for folder in release_folders(released)}
    for name in sorted({*found, *recorded, *lost}):
        if name not in recorded:
            raise FuxueError("release.unrecorded", release=name, folder=released / name)
        if found.get(name) != recorded[name]:
            raise FuxueError("release.not_on_record", release=name)
    return [read_release(released / name) for name in sorted(found)]


def adopt(run: Run, name: str) -> str:
    """Put a release folder on record again that a restored copy does not know; gives the head of the chain.

    FuxueError unless it is the next one after those on record, all holds that `verify` holds, and it is as it was when
    it came on record first, as far as that is known.
    """
    with run.writing() as vault:
        recorded, folder = releases.releases(vault), run.home.released / name
        if name in recorded:
            raise FuxueError("release.known", release=name)
        if name not in {one.name for one in release_folders(run.home.released)}:
            raise FuxueError("release.no_folder", release=plain(name), folder=run.home.released)
        found = verify(run.campaign, folder)
        if (own := releases.lost_releases(vault).get(name)) and digest(folder) not in own:
            raise FuxueError("release.not_as_it_was", release=name)
        if dict(found.earlier) != recorded:
            raise FuxueError("release.not_next", release=name, earlier="、".join(found.earlier) or "—")
        releases.adopt_release(vault, found, digest(folder), run.day)
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
    done = _apart(["etl.proof.prove", str(folder.absolute())], home.held())
    if done.returncode:
        raise FuxueError("protect.unproved", reason=(done.stderr.strip().splitlines() or [""])[-1][:300], code=3)


def _apart(command: list[str], held: tuple[int, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run a module in a process that is given no key, but locks that are held: they last until it has ended.

    Else, once we are killed, it could still be writing when the next command has begun.
    """
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=child_environment(), pass_fds=held,
                          capture_output=True, text=True, check=False)  # fmt: skip


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
    options = [name for name, wanted in (("--production", production), ("--check", check)) if wanted]
    with home.lock():
        make_site(home.released, home.public, campaign_folder, options, home.held())


def make_site(released: Path, public: Path, campaign_folder: Path, options: Sequence[str] = (),
              held: tuple[int, ...] = ()) -> None:  # fmt: skip
    """Make the site of all releases, in a process that keeps the locks `held` and is given no key."""
    command = ["etl.publish", "--quiet", "--released", str(released.absolute()), "--public", str(public.absolute())]
    done = _apart([*command, "--campaign", str(campaign_folder.absolute()), *options], held)
    if done.returncode:
        raise error_of(done.stderr, done.returncode)
