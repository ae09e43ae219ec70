"""Issuing: all workbooks are sealed and opened again in a fresh folder, which then takes its place in one step."""

import os
import shutil
from collections.abc import Callable, Sequence
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
    """Seal one workbook for every unit (a unit without children gets a nil return) into `outbox/<issue>/`.

    The folder appears whole or not at all. `password_of` gives a unit's password; `done` is called once per workbook.
    """
    target, fresh = outbox / issue, outbox / f".{issue}.new"
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
    fresh.rename(target)
    return target


def _seal_one(campaign: Campaign, job: tuple[Unit, list[Child], Manifest, str]) -> bytes:
    unit, children, manifest, password = job
    return seal(build_workbook(campaign, unit, children, manifest), password)
