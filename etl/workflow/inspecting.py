"""For the inspectorate (M4, M19): locking the base, finding flags, drawing samples of children for second visits."""

import datetime as dt
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from etl.exchange.current_answer import CurrentAnswer
from etl.exchange.flag import Flag
from etl.exchange.sample import Sample
from etl.findings import FuxueError
from etl.inspect.flags import find_flags
from etl.inspect.revisit import draw_sample
from etl.report.inspectorate_workbook import build_inspection
from etl.rulebook.campaign import INSPECTORATE
from etl.system.disk import write_private
from etl.system.sealing import seal
from etl.vault.record import inspection
from etl.vault.record.ledger import bare_returns
from etl.vault.store.open import Vault
from etl.workflow.run import Run
from etl.workflow.texts import text
from etl.workflow.writing import writing


@dataclass(frozen=True)
class Inspected:
    """The result of `look_through`: flags, the sample if any, the number of answers, and the sealed workbook."""

    flags: list[Flag]
    sample: inspection.RecordedSample | None
    answers: int
    is_locked: bool
    file: Path


def password(run: Run) -> str:
    """The password of the inspectorate's workbooks."""
    return run.keys.password("inspection", INSPECTORATE)


def lock_base(run: Run, by: str) -> inspection.Lock:
    """Lock the base (锁定底数, M13): once, with the day and the person. FuxueError if it is locked already."""
    if not by.strip():
        raise FuxueError("base.nobody")
    with writing(run) as vault:
        return inspection.insert_base_lock(vault, _deducted(run), by.strip(), run.day)


def bare_return_counts(run: Run) -> dict[str, int]:
    """What to ask about before the base is locked; empty once it is.

    Gives how many children each unit reports as returned without all that shows it (`SHOWN_BY`), where there are any.
    """
    with run.open_vault() as vault:
        is_locked = inspection.base_lock(vault) is not None
        return {} if is_locked else dict(Counter(one.unit for one in bare_returns(vault)))


def base_changes(run: Run) -> tuple[inspection.Lock, list[inspection.Change]]:
    """The locked base, and the changes since. FuxueError if it is not locked."""
    with run.open_vault() as vault:
        lock = inspection.base_lock(vault)
        if lock is None:
            raise FuxueError("base.open")
        return lock, inspection.changes(vault, _deducted(run))


def _deducted(run: Run) -> list[str]:
    return [category.code for category in run.campaign.categories if category.group == "deducted"]


def look_through(run: Run, size: int | None, seed: int | None, by: str, *, drawn: int | None = None) -> Inspected:
    """Find flags in the answers as of the run's day and write them to a sealed workbook.

    With `size`, also draw a sample of that many children and record it with `seed` (None: random) and the person `by`.
    With `drawn`, the number of a sample on record, write that sample again, with the flags of its day. FuxueError if
    `size` is given without `by`.
    """
    if size is not None and not by.strip():
        raise FuxueError("flags.nobody")
    with writing(run, records=size is not None) as vault:
        sample = None
        if drawn is not None:
            sample = inspection.recorded_sample(vault, drawn)
        day = sample.day if sample else run.day
        answers = inspection.current_answers(vault, day)
        if size is not None:
            sample = inspection.recorded_sample(vault, _draw(run, vault, answers, size, seed, by))
        flags = find_flags(answers, run.campaign)
        suffix = f"-sample-{sample.number:04d}" if sample else ""
        target = run.home.reports / f"inspection-{day.isoformat()}{suffix}.xlsx"
        write_private(target, _build(run, flags, sample, day))
        is_locked = inspection.base_lock(vault) is not None
    return Inspected(flags, sample, len(answers), is_locked, target)


def _draw(run: Run, vault: Vault, answers: Sequence[CurrentAnswer], size: int, seed: int | None, by: str) -> int:
    """Draw a sample and record it; return its number."""
    children: dict[str, list[tuple[str, str]]] = {unit.slug: [] for unit in run.campaign.units}
    for row in answers:
        children[row.unit].append((row.issue, row.serial))
    chance = secrets.randbits(48) if seed is None else seed
    sample = draw_sample(children, size, chance, run.campaign.inspection.confidence)
    return inspection.record_sample(vault, sample, by.strip(), run.day)


def _build(run: Run, flags: Sequence[Flag], sample: inspection.RecordedSample | None, day: dt.date) -> bytes:
    campaign = run.campaign
    lines: list[tuple[str, ...]] = []
    notes: list[str] = []
    if sample is not None:
        for one in sample.children:
            lines.append((campaign.unit[one.unit].name, one.serial, one.name, one.household,
                          campaign.category[one.code].label, one.returned))  # fmt: skip
        size, population = sample.sample.size, sample.sample.population
        notes = [
            text("flags.drawn", number=sample.number, by=sample.by, day=sample.day, seed=sample.sample.seed, size=size,
                 of=population or "—"),
            text("flags.bound", **bounds(run, sample.sample)),
        ]  # fmt: skip
    title = f"{campaign.county}疑似失学儿童核查督导表（{day.isoformat()}）"
    shown = [(campaign.unit[flag.unit].name, flag.rule, flag.message) for flag in flags]
    return seal(build_inspection(title, shown, lines, notes), password(run))


def bounds(run: Run, sample: Sample) -> dict[str, str]:
    """The confidence and the bounds of a sample as texts, in percent; the bounds are rounded up."""
    return {
        "confidence": f"{run.campaign.inspection.confidence:.0%}",
        "margin": _up(sample.margin),
        "if_none": _up(sample.if_none),
    }


def _up(share: float) -> str:
    return f"{-(-share * 1000 // 1) / 10:.1f}%"
