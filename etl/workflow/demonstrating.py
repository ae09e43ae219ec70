"""The demo: all of the work from list to site on synthetic data, in a home that is marked as a demo."""

import datetime as dt
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from etl.exchange.release import Release, Status
from etl.findings import FuxueError
from etl.forms.definitions import ISSUED_FORMS
from etl.rulebook.campaign import load_campaign
from etl.system.home import Home
from etl.vault.store.keys import demo_master, new_key
from etl.workflow import issuing, loading, publishing, releasing, standing, synthesizing
from etl.workflow.run import ProgressBar, Run
from etl.workflow.staffing import demo_accounts

_FAULTS = 0.3


@dataclass(frozen=True)
class DemoResult:
    """The result of the demo: `lines` (step, quantity, seconds), the release, and `accounts` (name, password)."""

    lines: tuple[tuple[str, str, float], ...]
    release: Release
    accounts: tuple[tuple[str, str], ...]


def run_demo(home: Home, campaign_folder: Path, seed: int, children: int, bar: ProgressBar) -> DemoResult:
    """List → sealed workbooks → filled, some wrongly → refused and sent again → record → release → public pages.

    The home's zones are deleted first. FuxueError if the home is not empty and not a demo.
    """
    run = _fresh(home, campaign_folder, seed, bar)
    campaign, clock = run.campaign, _Clock()
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
    filled = synthesizing.synthesize_fill(run, children, seed, "default", faults=_FAULTS)
    clock.note("乡镇填报", f"{len(filled)} 个工作簿")
    first = loading.load_files(_on(run, campaign.verification_due), filled)
    refused = [one.checked for one in first if one.outcome == "refused"]
    clock.note("核对入库", f"收下 {len(first) - len(refused)}，退回 {len(refused)}")
    releasing.release_figures(_on(run, campaign.verification_due), closing=False)
    clock.note("中期公布", "约数")
    again = synthesizing.synthesize_fill(run, children, seed, "default", only={Path(c.file).stem for c in refused})
    second = loading.load_files(_on(run, campaign.reports_due), again)
    if left := sum(one.outcome != "accepted" for one in second):
        raise FuxueError("demo.failed", count=left)
    clock.note("退回后重报", f"收下 {len(second)}")
    clock.note("更正与建档", _casework(_on(run, campaign.reports_due), seed))
    release = releasing.release_figures(_on(run, campaign.reports_due), closing=True).release
    statuses = [cell.status for table in release.tables for cell in table.cells.values()]
    figures = f"确切 {statuses.count(Status.EXACT)}，区间 {statuses.count(Status.INTERVAL)}"
    clock.note("汇总、保护、审核", figures)
    publishing.publish(home, campaign_folder)
    clock.note("发布", "网页、CSV、fuxue.db")
    return DemoResult(tuple(clock.lines), release, demo_accounts(run))


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
