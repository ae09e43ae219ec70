"""The demo: all of the work from list to site on synthetic data, in a home that is marked as a demo."""

import datetime as dt
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from etl.exchange.release import Release, Status
from etl.findings import FuxueError
from etl.forms.definitions import ISSUED_FORMS
from etl.rulebook.campaign import Campaign, load_campaign
from etl.system.home import Home
from etl.vault.store.keys import demo_master, new_key
from etl.workflow import issuing, loading, publishing, releasing, standing, synthesizing
from etl.workflow.run import ProgressBar, Run
from etl.workflow.staffing import demo_accounts

#: The share of units whose first workbook has faults.
_FAULTS = 0.3
#: The share of the children brought back who are back on each day that is released. Units report on the first three.
_BACK = (0.4, 0.55, 0.7, 0.85, 1.0)
_WAVES = 3


@dataclass(frozen=True)
class DemoResult:
    """The result of the demo: `lines` (step, quantity, seconds), the release, and `accounts` (name, password)."""

    lines: tuple[tuple[str, str, float], ...]
    release: Release
    accounts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Sample:
    """What the list and the filled workbooks are drawn from: the number of children, and the seed."""

    children: int
    seed: int


def run_demo(home: Home, campaign_folder: Path, seed: int, children: int, bar: ProgressBar) -> DemoResult:
    """List → sealed workbooks → filled, some wrongly → refused and sent again, day after day → record → public pages.

    The home's zones are deleted first. FuxueError if the home is not empty and not a demo.
    """
    run = _fresh(home, campaign_folder, seed, bar)
    campaign, clock, sample = run.campaign, _Clock(), _Sample(children, seed)
    path = home.private / "list.xlsx"
    try:
        synthesizing.synthesize_list(campaign, path, children, seed, "default")
        clock.note("省级名单（合成）", f"{children} 名儿童")
        handed = issuing.issue_list(run, path)
    finally:
        path.unlink(missing_ok=True)  # even in a demo, no list of individuals stays unencrypted
    if not handed.issue:
        raise FuxueError("issue.refused", count=len(handed.findings))
    clock.note("拆分、加密下发", f"{len(campaign.units)} 个工作簿")
    _report_day_by_day(run, sample, clock)
    last = _on(run, campaign.reports_due)
    clock.note("更正与建档", _casework(last, seed))
    release = releasing.release_figures(last, closing=True).release
    statuses = [cell.status for table in release.tables for cell in table.cells.values()]
    figures = f"确切 {statuses.count(Status.EXACT)}，区间 {statuses.count(Status.INTERVAL)}"
    clock.note("最终公布", figures)
    publishing.publish(home, campaign_folder)
    clock.note("发布", "网页、CSV、fuxue.db")
    return DemoResult(tuple(clock.lines), release, demo_accounts(run))


def _report_day_by_day(run: Run, sample: _Sample, clock: "_Clock") -> None:
    """Units report, a third of them a day; those refused report again; later all report who is back by then.

    There is a rounded release on each day but the last, which is that of the close.
    """
    units = [unit.slug for unit in run.campaign.units]
    refused: set[str] = set()
    for number, (date, back) in enumerate(zip(_dates(run.campaign), _BACK, strict=True)):
        day, is_first = _on(run, date), number < _WAVES
        again = refused if is_first else {*units} if number + 1 == len(_BACK) else refused | {*units[::_WAVES]}
        accepted, refused = _sent(day, sample, back, again, faults=0)
        if refused:
            raise FuxueError("demo.failed", count=len(refused))
        if is_first:
            more, refused = _sent(day, sample, back, {*units[number::_WAVES]}, faults=_FAULTS)
            accepted |= more
        clock.note(f"{date}：填报、核对", f"收下 {len(accepted)}，退回 {len(refused)}")
        if number + 1 < len(_BACK):
            releasing.release_figures(day)
            clock.note(f"{date}：公布", "约数")


def _sent(day: Run, sample: _Sample, back: float, units: set[str], *, faults: float) -> tuple[set[str], set[str]]:
    """Fill in and load the workbooks of units; return those that were accepted, and those that were refused."""
    filled = synthesizing.synthesize_fill(
        day, sample.children, sample.seed, "default", faults=faults, only=units, back=back
    )
    loaded = loading.load_files(day, filled) if filled else []
    accepted = {Path(one.checked.file).stem for one in loaded if one.outcome == "accepted"}
    return accepted, units - accepted


def _dates(campaign: Campaign) -> list[dt.date]:
    """The days of the demo's releases: three until visits are due, one between, and the one that reports are due."""
    first, due, last = campaign.noticed, campaign.verification_due, campaign.reports_due
    waves = [first + (due - first) * (number + 1) // _WAVES for number in range(_WAVES)]
    return [*waves, due + (last - due) // 2, last]


def _casework(run: Run, seed: int) -> str:
    """Issue corrections and cases and load them filled; return a text with the numbers closed and total."""
    for form in ISSUED_FORMS:
        issuing.issue_form(run, form, None)
        loaded = loading.load_files(run, synthesizing.synthesize_casework(run, form, seed))
        if left := sum(one.outcome != "accepted" for one in loaded):
            raise FuxueError("demo.failed", count=left)
    status = standing.standing_of(run)
    closed = [sum(count for _, count in sums.values()) for sums in (status.corrections, status.cases)]
    total = [sum(map(sum, sums.values())) for sums in (status.corrections, status.cases)]
    return f"更正办结 {closed[0]}/{total[0]}，建档复学 {closed[1]}/{total[1]}"


def _fresh(home: Home, campaign_folder: Path, seed: int, bar: ProgressBar) -> Run:
    campaign = load_campaign(campaign_folder)
    zones = (home.private, home.released, home.public)
    if not home.demo_key.exists() and any(zone.exists() and any(zone.iterdir()) for zone in zones):
        raise FuxueError("demo.not_a_demo", home=home.root)
    for folder in zones:
        shutil.rmtree(folder, ignore_errors=True)
    home.prepare()
    keys = new_key(home.demo_key, demo_master(seed))
    return Run(home, campaign_folder, campaign, keys, campaign.noticed, bar)


def _on(run: Run, day: dt.date) -> Run:
    return Run(run.home, run.campaign_folder, run.campaign, run.keys, day, run.bar)


class _Clock:
    """Measures how many seconds each step takes."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, float]] = []
        self.last = time.monotonic()

    def note(self, what: str, how_much: str) -> None:
        now = time.monotonic()
        self.lines.append((what, how_much, now - self.last))
        self.last = now
