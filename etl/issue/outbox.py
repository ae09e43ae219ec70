"""Issuing: all workbooks are sealed and opened again in a fresh folder, which then takes its place in one step."""

import json
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from etl.exchange.bundle import Bundle
from etl.findings import FuxueError
from etl.forms.manifest import Mac, Manifest
from etl.issue.receipts import RECEIPTS, build_receipts
from etl.issue.workbook import build_workbook
from etl.rulebook.campaign import Campaign
from etl.system.disk import sync, write_private
from etl.system.sealing import seal

#: The list of an issue's workbooks, beside them.
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Handout:
    """An issue that lies aside: its folder, and the keyed fingerprint of each sealed workbook by receiver."""

    folder: Path
    fingerprints: Mapping[str, bytes]


def issue_workbooks(
    campaign: Campaign,
    bundles: Sequence[Bundle],
    *,
    day: str,
    mac: Mac,
    fingerprint: Mac,
    password_of: Callable[[str], str],
    outbox: Path,
    executor: Executor,
    done: Callable[[], None] = lambda: None,
) -> Handout:
    """Seal one workbook for every bundle of one issue, with receipts and a manifest, into a folder aside.

    `put_issues_in_place` moves it to `outbox/<issue>/` once the issue is on record. `password_of` gives a receiver's
    password, `mac` signs the hidden manifests, `fingerprint` marks the sealed files; `done` is called once a workbook.
    """
    issue = bundles[0].issue
    fresh = _aside(outbox, issue)
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True, mode=0o700)
    jobs = [
        (bundle, Manifest(bundle.form.key, issue, bundle.recipient, bundle.keys).signed(mac),
         password_of(bundle.recipient))
        for bundle in bundles
    ]  # fmt: skip
    fingerprints = {}
    for bundle, sealed in zip(bundles, executor.map(partial(seal_one, campaign), jobs), strict=True):
        write_private(fresh / bundle.file, sealed)
        fingerprints[bundle.recipient] = fingerprint(sealed)
        done()
    write_private(fresh / RECEIPTS, build_receipts(campaign, bundles, fingerprints, day))
    write_private(fresh / MANIFEST, _list(bundles, fingerprints, day))
    sync(fresh)
    return Handout(fresh, fingerprints)


def _list(bundles: Sequence[Bundle], fingerprints: Mapping[str, bytes], day: str) -> bytes:
    """What was handed out to whom, without a count or a child: the files and their keyed fingerprints."""
    files = [
        {"bundle": f"{b.issue}/{b.recipient}", "name": b.name, "file": b.file,
         "fingerprint": fingerprints[b.recipient].hex()}
        for b in bundles
    ]  # fmt: skip
    content = {"issue": bundles[0].issue, "date": day, "form": bundles[0].form.key, "workbooks": files}
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def seal_one(campaign: Campaign, job: tuple[Bundle, Manifest, str]) -> bytes:
    """One sealed workbook: (content, signed manifest, password)."""
    bundle, manifest, password = job
    return seal(build_workbook(campaign, bundle, manifest), password)


def _aside(outbox: Path, issue: str) -> Path:
    """Where an issue's workbooks lie until it is on record."""
    return outbox / f".{issue}.new"


def put_issues_in_place(outbox: Path, recorded: Collection[str]) -> list[str]:
    """Move issues that are on record into place, and say which; delete what was sealed and never recorded.

    FuxueError if something stands in the place already: nothing of it is touched.
    """
    moved = []
    for fresh in sorted(outbox.glob(".*.new")):
        name = fresh.name.removeprefix(".").removesuffix(".new")
        if name not in recorded:
            shutil.rmtree(fresh)
        elif (outbox / name).exists():
            raise FuxueError("issue.in_the_way", issue=name, folder=outbox)
        else:
            fresh.rename(outbox / name)
            moved.append(name)
    sync(outbox)
    return moved


def handed_out(outbox: Path) -> list[str]:
    """Names of all issues whose workbooks lie in the outbox."""
    return sorted(folder.name for folder in outbox.iterdir() if folder.name[0] != ".")
