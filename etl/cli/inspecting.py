"""For the inspectorate (M4, M19): the base is locked, reports are looked through, children are drawn for a visit."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from etl.campaign import INSPECTORATE
from etl.check.flags import Flag, find_flags
from etl.check.revisit import Sample, draw
from etl.cli.run import Run
from etl.cli.texts import text
from etl.disk import write_private
from etl.findings import FuxueError
from etl.report.inspection import build_inspection
from etl.sealing import seal
from etl.vault import inspect
from etl.vault.open import Vault
from etl.vault.scopes import build_scopes, mark_stale


@dataclass(frozen=True)
class Inspected:
    """What was found and drawn, how many answers were looked through, and the sealed workbook that tells."""

    flags: list[Flag]
    sample: Sample | None
    answers: int
    is_locked: bool
    file: Path


def password(run: Run) -> str:
    """Of the inspectorate's workbooks."""
    return run.keys.password("inspection", INSPECTORATE)


def lock_base(run: Run, by: str) -> inspect.Lock:
    """Lock the base (锁定底数, M13): once, with the day and the person. FuxueError if it is locked already."""
    if not by.strip():
        raise FuxueError("base.nobody")
    with run.open_vault() as vault:
        return inspect.lock_base(vault, _deducted(run), by.strip(), run.day)


def base_changes(run: Run) -> tuple[inspect.Lock, list[inspect.Change]]:
    """The base as it was locked, and what moved it since. FuxueError while it is not locked."""
    with run.open_vault() as vault:
        lock = inspect.base_lock(vault)
        if lock is None:
            raise FuxueError("base.open")
        return lock, inspect.changes(vault, _deducted(run))


def _deducted(run: Run) -> list[str]:
    return [category.code for category in run.campaign.categories if category.group == "deducted"]


def look_through(run: Run, size: int | None, seed: int | None, by: str) -> Inspected:
    """Flags over the answers as of the day; with `size`, a sample is drawn and recorded, by whom and by which seed."""
    if size is not None and not by.strip():
        raise FuxueError("flags.nobody")
    run.home.prepare()
    with run.open_vault() as vault:
        answers = inspect.reported(vault, run.day)
        flags = find_flags(answers, run.campaign)
        sample = None
        if size is not None:
            children: dict[str, list[tuple[str, str]]] = {unit.slug: [] for unit in run.campaign.units}
            for row in answers:
                children[row.unit].append((row.issue, row.serial))
            chance = secrets.randbits(48) if seed is None else seed
            sample = draw(children, size, chance, run.campaign.inspection.confidence)
            mark_stale(run.home.scopes)
        content = _build(run, vault, flags, sample, by)
        if sample is not None:  # whom to visit is in the inspectorate's file
            build_scopes(vault, run.campaign, run.home.scopes)
        is_locked = inspect.base_lock(vault) is not None
    target = run.home.reports / f"inspection-{run.day.isoformat()}.xlsx"
    write_private(target, content)
    return Inspected(flags, sample, len(answers), is_locked, target)


def _build(run: Run, vault: Vault, flags: list[Flag], sample: Sample | None, by: str) -> bytes:
    campaign = run.campaign
    lines: list[tuple[str, ...]] = []
    notes: list[str] = []
    if sample is not None:
        for one in inspect.record_sample(vault, sample, by.strip(), run.day):
            lines.append((campaign.unit[one.unit].name, one.serial, one.name, one.household,
                          campaign.category[one.code].label, one.returned))  # fmt: skip
        notes = [
            text("flags.drawn", by=by.strip(), day=run.day, seed=sample.seed, size=sample.size, of=sample.population),
            text("flags.bound", **bounds(run, sample)),
        ]
    title = f"{campaign.county}疑似失学儿童核查督导表（{run.day.isoformat()}）"
    told = [(campaign.unit[flag.unit].name, flag.rule, flag.message) for flag in flags]
    return seal(build_inspection(title, told, lines, notes), password(run))


def bounds(run: Run, sample: Sample) -> dict[str, str]:
    """The sample's promises, as percentages rounded up."""
    return {
        "confidence": f"{run.campaign.inspection.confidence:.0%}",
        "margin": _up(sample.margin),
        "if_none": _up(sample.if_none),
    }


def _up(share: float) -> str:
    return f"{-(-share * 1000 // 1) / 10:.1f}%"
