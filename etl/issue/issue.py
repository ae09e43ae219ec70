"""Issuing: all workbooks are sealed and opened again in a fresh folder, which then takes its place in one step."""

import os
import shutil
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path

from etl.campaign import Campaign, Unit
from etl.child import Child
from etl.issue.workbook import build_workbook
from etl.manifest import Mac, Manifest
from etl.sealing import seal


def issue_workbooks(
    campaign: Campaign,
    children: Sequence[Child],
    issue: str,
    *,
    mac: Mac,
    password_of: Callable[[str], str],
    outbox: Path,
    executor: Executor,
    done: Callable[[], None] = lambda: None,
) -> Path:
    """Seal one workbook for every unit (a unit without children gets a nil return) into a folder aside.

    `settle` moves it to `outbox/<issue>/` once the issue is on record. `password_of` gives a unit's password; `done` is
    called once per workbook.
    """
    fresh = aside(outbox, issue)
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True, mode=0o700)
    jobs = []
    for unit in campaign.units:
        own = [child for child in children if child.unit == unit.slug]
        manifest = Manifest("annex4", issue, unit.slug, tuple(child.serial for child in own)).signed(mac)
        jobs.append((unit, own, manifest, password_of(unit.slug)))
    for unit, sealed in zip(campaign.units, executor.map(partial(_seal_one, campaign), jobs), strict=True):
        path = fresh / f"{unit.slug}.xlsx"
        with path.open("wb") as handle:
            path.chmod(0o600)
            handle.write(sealed)
            handle.flush()
            os.fsync(handle.fileno())
        done()
    return fresh


def aside(outbox: Path, issue: str) -> Path:
    """Where an issue's workbooks lie until it is on record."""
    return outbox / f".{issue}.new"


def settle(outbox: Path, recorded: Collection[str]) -> None:
    """Move recorded issues into place; delete what an interrupted run sealed and never recorded."""
    for fresh in outbox.glob(".*.new"):
        name = fresh.name.removeprefix(".").removesuffix(".new")
        if name in recorded and not (outbox / name).exists():
            fresh.rename(outbox / name)
        else:
            shutil.rmtree(fresh)


def _seal_one(campaign: Campaign, job: tuple[Unit, list[Child], Manifest, str]) -> bytes:
    unit, children, manifest, password = job
    return seal(build_workbook(campaign, unit, children, manifest), password)
