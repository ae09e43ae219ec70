"""The order of the stages: each function joins rooms that do not know each other."""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from etl.campaign import Campaign
from etl.check.check import Checked, check_submission, refuse_rivals
from etl.cli.run import Run
from etl.findings import FuxueError
from etl.foreign import shown_name
from etl.forms import ANNEX4, CASES, CORRECTIONS
from etl.issue.issue import settle
from etl.issue.receipts import shown
from etl.processes import workers
from etl.read.worker import read_workbook, readers, take
from etl.submission import Candidate
from etl.synthetic.casework import fill_casework
from etl.synthetic.fill import choose_faults, fill_issue
from etl.synthetic.population import make_population
from etl.synthetic.province import write_list
from etl.vault import casework, evidence, issued, record
from etl.vault import count as counting
from etl.vault.open import Vault
from etl.vault.scoped import scopes
from etl.vault.scopes import build_scopes, mark_stale


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
    """Fill the newest list's workbooks into the inbox; `only` names units, `faults` is the share that is spoiled."""
    names = _issues(run, ANNEX4.key)
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


def synthesize_casework(run: Run, form: str, seed: int) -> list[Path]:
    """Fill the newest corrections or case workbooks into the inbox, as departments and units would."""
    name = _issues(run, form)[-1]
    with run.open_vault() as vault:
        bundles = [bundle for bundle in issued.issued(vault, run.campaign).values() if bundle.issue == name]
    return fill_casework(
        run.campaign, bundles, run.home.outbox / name, run.home.inbox,
        password_of=partial(run.keys.password, name), seed=seed, day=run.day, done=run.bar("填报", len(bundles)),
    )  # fmt: skip


def _issues(run: Run, form: str) -> list[str]:
    with run.open_vault() as vault:
        names = issued.issues(vault, form)
    if not names:
        raise FuxueError("issue.none")
    return names


def inbox(run: Run) -> list[Path]:
    """All that came back, also what turns out to be no file; FuxueError if there is nothing."""
    paths = sorted(run.home.inbox.glob("[!.~]*"))
    if not paths:
        raise FuxueError("load.nothing", folder=run.home.inbox)
    return paths


def check(run: Run, paths: Sequence[Path], *, allow_unsealed: bool = False) -> list[Checked]:
    """Read and check files; nothing is recorded."""
    with run.open_vault() as vault:
        contents = {path: take(path, run.campaign.limits) for path in paths}
        return _check(run, vault, contents, allow_unsealed=allow_unsealed)


def _check(run: Run, vault: Vault, contents: Mapping[Path, bytes], *, allow_unsealed: bool) -> list[Checked]:
    handed = issued.issued(vault, run.campaign)
    marks = issued.fingerprints(vault)
    police = evidence.police_refs(vault)
    done = run.bar("读取核对", len(contents))
    newest = [Candidate(i, u, run.keys.password(i, u)) for i, u in sorted(handed, reverse=True)]
    files = {key: bundle.file for key, bundle in handed.items()}

    def one(path: Path) -> Checked:
        mark = run.file_mark(contents[path])
        if mark in marks:  # the very file that was handed out: one finding says so, not one for every cell
            done()
            finding = run.campaign.finding("F16", shown_name(path), fingerprint=shown(mark))
            return Checked(shown_name(path), *marks[mark], True, (), {}, (finding,))
        # The file's name is a hint at what it is; its seal and manifest decide.
        candidates = sorted(newest, key=lambda c: (files[c.issue, c.unit] != path.name, c.unit not in path.stem))
        submission = read_workbook(
            contents[path], candidates, run.campaign.limits, allow_unsealed=allow_unsealed, pool=pool
        )
        checked = check_submission(
            shown_name(path), submission, candidates, handed, run.campaign, run.manifest_mac, run.day, police
        )
        done()
        return checked

    # Threads only wait, and check: files are read in processes of their own.
    with readers(run.campaign.limits) as pool, ThreadPoolExecutor(workers()) as threads:
        return list(threads.map(one, contents))


def load(run: Run, paths: Sequence[Path], *, allow_unsealed: bool = False) -> list[Loaded]:
    """Check and record files; each workbook is accepted or refused whole, in a transaction of its own."""
    with run.home.lock(), run.open_vault() as vault:
        settle(run.home.outbox, issued.issues(vault))
        content = {path: take(path, run.campaign.limits) for path in paths}
        known = _known(vault, content)
        fresh = {path: data for path, data in content.items() if path not in known}
        results = refuse_rivals(_check(run, vault, fresh, allow_unsealed=allow_unsealed), run.campaign)
        checked = dict(zip(fresh, results, strict=True))
        mark_stale(run.home.scopes)
        for path, result in checked.items():
            record.record_workbook(vault, run.campaign, result, content[path], run.day)
        build_scopes(vault, run.campaign, run.home.scopes, run.bar("分发查询库", len(scopes(run.campaign))))
    return [
        Loaded(checked[path], "accepted" if checked[path].accepted else "refused")
        if path in checked
        else Loaded(_known_already(run, path), "known")
        for path in content
    ]


def _known_already(run: Run, path: Path) -> Checked:
    name = shown_name(path)
    return Checked(name, "", "", True, (), {}, (run.campaign.finding("F11", name),))


def _known(vault: Vault, content: Mapping[Path, bytes]) -> set[Path]:
    """Files that are current already, and second copies of one file (unreadable files are nobody's copies)."""
    first: dict[bytes, Path] = {}
    copies = {path for path, data in content.items() if data and first.setdefault(data, path) is not path}
    return copies | {path for path, data in content.items() if record.is_current(vault, data)}


def record_police_ref(run: Run, issue: str | None, serial: str, reference: str, by: str) -> None:
    """Record the police's reference for a missing child of an issue (by default of the first list)."""
    with run.open_vault() as vault:
        first = issued.issues(vault, ANNEX4.key)
        evidence.record_police_ref(vault, issue or (first[0] if first else ""), serial, reference, by, run.day)


def record_signature(run: Run, unit: str, act: str, serials: list[str], by: str) -> int:
    """Record that a unit's signed paper was seen; how many children it concerns."""
    if unit not in run.campaign.unit:
        raise FuxueError("campaign.no_unit", unit=unit)
    with run.open_vault() as vault:
        return evidence.record_signature(vault, unit, act, serials, by, run.day)


def record_deliverable(run: Run, unit: str, what: str, medium: str, by: str, *, signed: bool) -> None:
    """Record that a unit handed something in."""
    if unit not in run.campaign.unit:
        raise FuxueError("campaign.no_unit", unit=unit)
    with run.open_vault() as vault:
        evidence.record_deliverable(vault, unit, what, medium, by, run.day, signed=signed)


@dataclass(frozen=True)
class Status:
    """Where everything stands: units, completeness of the list, (open, closed) corrections and cases by receiver."""

    units: Sequence[counting.UnitStatus]
    completeness: issued.Completeness
    corrections: Mapping[str, tuple[int, int]]
    cases: Mapping[str, tuple[int, int]]


def status(run: Run) -> Status:
    """Where everything stands on the run's day."""
    with run.open_vault() as vault:
        return Status(
            counting.unit_status(vault, run.campaign, run.day),
            issued.completeness(vault),
            casework.progress(vault, CORRECTIONS),
            casework.progress(vault, CASES),
        )
