"""Writing an issue's sealed workbooks to a draft folder, which is renamed to its final name once it is on record."""

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

#: The file that lists an issue's workbooks, in the same folder.
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Handout:
    """An issue in its draft folder, with the keyed fingerprint of each sealed workbook by recipient."""

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
    executor: Executor | None = None,
    done: Callable[[], None] = lambda: None,
) -> Handout:
    """Write a sealed workbook for every bundle of one issue, with receipts and a list, to a draft folder.

    `put_issues_in_place` renames it to `outbox/<issue>/` once the issue is on record. `day` is in ISO form; `mac` signs
    the hidden manifests, `fingerprint` computes that of a sealed file, `password_of` gives a recipient's password;
    `done` is called after each workbook. `executor` makes them; None makes them one after the other in this process.
    """
    issue = bundles[0].issue
    fresh = _draft(outbox, issue)
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True, mode=0o700)
    jobs = [
        (bundle, Manifest(bundle.form.key, issue, bundle.recipient, bundle.keys).signed(mac),
         password_of(bundle.recipient))
        for bundle in bundles
    ]  # fmt: skip
    make = executor.map if executor else map
    fingerprints = {}
    for bundle, sealed in zip(bundles, make(partial(seal_one, campaign), jobs), strict=True):
        write_private(fresh / bundle.file, sealed)
        fingerprints[bundle.recipient] = fingerprint(sealed)
        done()
    write_private(fresh / RECEIPTS, build_receipts(campaign, bundles, fingerprints, day))
    write_private(fresh / MANIFEST, _list(bundles, fingerprints, day))
    sync(fresh)
    return Handout(fresh, fingerprints)


def _list(bundles: Sequence[Bundle], fingerprints: Mapping[str, bytes], day: str) -> bytes:
    """The content of `MANIFEST`: recipients, files and keyed fingerprints, without counts or children."""
    files = [
        {"bundle": f"{b.issue}/{b.recipient}", "name": b.name, "file": b.file,
         "fingerprint": fingerprints[b.recipient].hex()}
        for b in bundles
    ]  # fmt: skip
    content = {"issue": bundles[0].issue, "date": day, "form": bundles[0].form.key, "workbooks": files}
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def seal_one(campaign: Campaign, job: tuple[Bundle, Manifest, str]) -> bytes:
    """Make one sealed workbook; `job` is (bundle, signed manifest, password)."""
    bundle, manifest, password = job
    return seal(build_workbook(campaign, bundle, manifest), password)


def _draft(outbox: Path, issue: str) -> Path:
    """The draft folder of an issue, until it is on record."""
    return outbox / f".{issue}.new"


def put_issues_in_place(outbox: Path, recorded: Collection[str]) -> list[str]:
    """Rename draft folders of issues that are on record and return their ids; delete drafts that are not on record.

    FuxueError, with both folders kept, if the final folder of an issue exists already.
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
    """Names of all folders of issues in the outbox, sorted."""
    return sorted(folder.name for folder in outbox.iterdir() if folder.name[0] != ".")
