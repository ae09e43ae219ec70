"""The order of the stages: each function joins rooms that do not know each other."""

import datetime as dt
import multiprocessing
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from etl.campaign import Campaign, load_campaign
from etl.check.check import Checked, check_submission, refuse_rivals
from etl.child import Child
from etl.findings import Finding, FuxueError, has_errors
from etl.home import Home
from etl.issue.issue import issue_workbooks, settle
from etl.issue.province import read_list
from etl.processes import child_environment, end_with_parent, error_of, workers
from etl.protect.protect import closing_release, verify_release
from etl.read.worker import read_workbook, take
from etl.released import Release, read_release, release_folders, write_release
from etl.submission import Candidate
from etl.synthetic.fill import choose_faults, fill_issue
from etl.synthetic.population import make_population
from etl.synthetic.province import write_list
from etl.vault import count as counting
from etl.vault import record
from etl.vault.keys import Keys
from etl.vault.scopes import build_scopes

ROOT = Path(__file__).resolve().parents[2]
Bar = Callable[[str, int], Callable[[], None]]


@dataclass(frozen=True)
class Run:
    """What every step needs. `bar(title, total)` starts a progress bar and gives its tick."""

    home: Home
    campaign_folder: Path
    campaign: Campaign
    keys: Keys
    day: dt.date
    bar: Bar

    def open_vault(self, *, create: bool = False) -> record.Vault:
        """The record; the caller closes it."""
        return record.open_vault(self.home.vault, self.keys, self.campaign, create=create)

    def prove_key(self) -> None:
        """FuxueError unless the key opens the record: else a wrong one would lock files of its own."""
        self.open_vault().close()

    def issued_counts(self) -> dict[str, int]:
        """Children issued, by unit."""
        vault = self.open_vault()
        try:
            return {unit: len(children) for (_, unit), children in record.issued(vault).items()}
        finally:
            vault.close()

    def manifest_mac(self, data: bytes) -> bytes:
        """The bureau's signature on manifests."""
        return self.keys.mac("manifest", data)


@dataclass(frozen=True)
class Loaded:
    """What became of one file: `outcome` is accepted, refused or known."""

    checked: Checked
    outcome: str


def synthesize_list(campaign: Campaign, out: Path, children: int, seed: int, profile: str) -> None:
    """Write a synthetic province list."""
    write_list(out, make_population(campaign, children, seed, profile))


def synthesize_fill(run: Run, children: int, seed: int, profile: str, *, faults: float = 0.0,
                    only: Collection[str] | None = None) -> list[Path]:  # fmt: skip
    """Fill the newest issue's workbooks into the inbox; `only` names units, `faults` is the share that is spoiled."""
    vault = run.open_vault()
    try:
        names = record.issues(vault)
    finally:
        vault.close()
    if not names:
        raise FuxueError("issue.none")
    people = make_population(run.campaign, children, seed, profile)
    units = [unit for unit in run.campaign.units if only is None or unit.slug in only]
    return fill_issue(
        run.campaign,
        units,
        run.home.outbox / names[-1],
        run.home.inbox,
        people,
        password_of=partial(run.keys.password, names[-1]),
        seed=seed,
        faults=choose_faults(run.campaign, people, faults, seed),
        done=run.bar("填报", len(units)),
    )


def passwords(run: Run, unit: str | None) -> list[tuple[str, str, str]]:
    """(issue, unit, password) of every workbook on record, or of one unit's."""
    if unit is not None and unit not in run.campaign.unit:
        raise FuxueError("campaign.no_unit", unit=unit)
    vault = run.open_vault()
    try:
        bundles = sorted(record.issued(vault))
    finally:
        vault.close()
    return [(i, u, run.keys.password(i, u)) for i, u in bundles if unit in (None, u)]


def issue(run: Run, path: Path) -> tuple[str, int, list[Finding]]:
    """Split a province's list and seal the workbooks: (issue id, children, findings).

    With an error among the findings nothing is issued and the id is empty.
    """
    run.home.prepare()
    children, findings = read_list(path, run.campaign)
    if has_errors(findings):
        return "", 0, findings
    handed_out = [folder for folder in run.home.outbox.iterdir() if folder.name[0] != "."]
    if handed_out and not run.home.vault.exists():
        raise FuxueError("vault.gone", file=run.home.vault, folder=run.home.outbox)
    with run.home.lock():
        vault = run.open_vault(create=True)
        try:
            settle(run.home.outbox, record.issues(vault))
            build_scopes(vault, run.campaign, run.home.scopes)
            record.check_unissued(vault, children)
            name = _issue(run, vault, children)
        finally:
            vault.close()
    return name, len(children), findings


def _issue(run: Run, vault: record.Vault, children: list[Child]) -> str:
    name = record.next_issue(vault, run.day)
    # Processes of their own that never held the key or the record, and that end when this one does.
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(workers(), mp_context=context, initializer=end_with_parent) as pool:
        issue_workbooks(
            run.campaign,
            children,
            name,
            mac=run.manifest_mac,
            password_of=partial(run.keys.password, name),
            outbox=run.home.outbox,
            executor=pool,
            done=run.bar("加密下发", len(run.campaign.units)),
        )
    record.record_issue(vault, name, run.day, [unit.slug for unit in run.campaign.units], children)
    settle(run.home.outbox, [name])
    build_scopes(vault, run.campaign, run.home.scopes)
    return name


def check(run: Run, paths: Sequence[Path], *, allow_unsealed: bool = False) -> list[Checked]:
    """Read and check files; nothing is recorded."""
    vault = run.open_vault()
    try:
        contents = {path: take(path, run.campaign.limits) for path in paths}
        return _check(run, vault, contents, allow_unsealed=allow_unsealed)
    finally:
        vault.close()


def _check(run: Run, vault: record.Vault, contents: Mapping[Path, bytes], *, allow_unsealed: bool) -> list[Checked]:
    issued = record.issued(vault)
    done = run.bar("读取核对", len(contents))

    def one(path: Path) -> Checked:
        # The file's name is a hint at its unit; its seal and manifest decide.
        keys = sorted(issued, key=lambda key: (key[1] != path.stem, key))
        candidates = [Candidate(i, u, run.keys.password(i, u)) for i, u in keys]
        submission = read_workbook(contents[path], candidates, run.campaign.limits, allow_unsealed=allow_unsealed)
        checked = check_submission(path.name, submission, candidates, issued, run.campaign, run.manifest_mac)
        done()
        return checked

    # Threads only wait: each file is read in a process of its own.
    with ThreadPoolExecutor(workers()) as pool:
        return list(pool.map(one, contents))


def load(run: Run, paths: Sequence[Path], *, allow_unsealed: bool = False) -> list[Loaded]:
    """Check and record files; each workbook is accepted or refused whole, in a transaction of its own."""
    with run.home.lock():
        vault = run.open_vault()
        try:
            content = {path: take(path, run.campaign.limits) for path in paths}
            known = _known(vault, content)
            fresh = {path: data for path, data in content.items() if path not in known}
            results = refuse_rivals(_check(run, vault, fresh, allow_unsealed=allow_unsealed), run.campaign)
            checked = dict(zip(fresh, results, strict=True))
            for path, result in checked.items():
                record.record_workbook(vault, result, content[path], run.day)
            # Always: an earlier run may have been interrupted between recording and this.
            build_scopes(vault, run.campaign, run.home.scopes, run.bar("分发查询库", len(run.campaign.units) + 1))
        finally:
            vault.close()
    return [
        Loaded(checked[path], "accepted" if checked[path].accepted else "refused")
        if path in checked
        else Loaded(Checked(path.name, "", "", True, (), {}, (run.campaign.finding("F11", path.name),)), "known")
        for path in content
    ]


def _known(vault: record.Vault, content: Mapping[Path, bytes]) -> set[Path]:
    """Files that were accepted before, and second copies of one file (unreadable files are nobody's copies)."""
    first: dict[bytes, Path] = {}
    copies = {path for path, data in content.items() if data and first.setdefault(data, path) is not path}
    return copies | {path for path, data in content.items() if record.is_accepted(vault, data)}


def status(run: Run) -> list[counting.UnitStatus]:
    """Where every unit stands on the run's day."""
    vault = run.open_vault()
    try:
        return counting.unit_status(vault, run.campaign, run.day)
    finally:
        vault.close()


def release(run: Run, *, dry_run: bool = False) -> Release:
    """Count, protect, audit and, unless it is a dry run, write the closing release and read it back.

    There is one: the difference of two exact releases would tell what each of them withholds.
    """
    if folders := release_folders(run.home.released):
        raise FuxueError("release.closed", release=folders[-1].name, code=3)
    vault = run.open_vault()
    try:
        counts = counting.count(vault, run.campaign, run.day)
    finally:
        vault.close()
    made = closing_release(run.campaign, counts, 1)
    if not dry_run and read_release(write_release(run.home.released, made)) != made:
        raise FuxueError("release.changed", release=made.name, file="release.json")
    return made


def verify(campaign: Campaign, folder: Path) -> Release:
    """Check a release folder: unchanged, sums agree, nothing withheld can be inferred. FuxueError says what fails."""
    found = read_release(folder)
    if reason := verify_release(campaign, found):
        raise FuxueError("verify.bad", folder=folder, reason=reason, code=3)
    return found


def publish(home: Home, campaign_folder: Path) -> None:
    """Publish in a process of its own that is given no key: neither as an argument nor in its environment.

    Every release is verified first, as anyone could: nothing is published that has become readable on the way.
    """
    folders = release_folders(home.released)
    if not folders:
        raise FuxueError("release.nothing")
    if len(folders) > 1:
        raise FuxueError("release.closed", release=folders[0].name, code=3)
    for folder in folders:
        verify(load_campaign(campaign_folder), folder)
    command = [sys.executable, "-m", "etl.publish", "--quiet"]
    command += ["--released", str(home.released.absolute()), "--public", str(home.public.absolute())]
    command += ["--campaign", str(campaign_folder.absolute())]
    done = subprocess.run(command, cwd=ROOT, env=child_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise error_of(done.stderr, done.returncode)
