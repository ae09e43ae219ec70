"""Handing out: the province's list with what a person must decide of it, supplements, corrections and cases."""

import json
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from etl.check.acceptance import check_submission
from etl.exchange.bundle import Bundle, child_row
from etl.exchange.list_rows import Decision
from etl.exchange.submission import Candidate
from etl.findings import Finding, FuxueError, has_errors
from etl.forms.definitions import ANNEX4, CORRECTIONS, FORMS, Form
from etl.forms.manifest import Manifest
from etl.issue.decisions import decided, exclusions_bundle, unassigned_bundle
from etl.issue.outbox import handed_out, issue_workbooks, put_issues_in_place, seal_one
from etl.issue.province_list import ProvinceList, Split, read_list, split_list
from etl.read.worker import read_workbook, take
from etl.rulebook.campaign import BUREAU, INSPECTORATE
from etl.system.disk import write_private
from etl.system.file_names import shown_name
from etl.system.processes import end_with_parent, forks, workers
from etl.vault.record import casework, issued
from etl.vault.record.issued import Completeness
from etl.vault.store.open import Vault
from etl.workflow import inspecting, recovery
from etl.workflow.run import Run
from etl.workflow.writing import writing

#: What papers of no issue are named by when their password is derived.
PAPERS = "decisions"


@dataclass(frozen=True)
class Handed:
    """What issuing did. `issue` is empty if nothing was issued; `papers` are what a person must fill first."""

    issue: str
    rows: int
    receivers: int
    findings: tuple[Finding, ...] = ()
    papers: tuple[Path, ...] = ()
    known: int = 0
    completeness: Completeness = field(default_factory=Completeness)


@dataclass(frozen=True)
class _Decided:
    """What the officer decided on a list, and what is wrong with the papers."""

    decisions: tuple[Decision, ...] = ()
    findings: tuple[Finding, ...] = ()

    def of(self, kind: str) -> Mapping[int, str]:
        return {one.row: one.value for one in self.decisions if one.kind == kind}


def issue_list(run: Run, path: Path, *, assign: Path | None = None, exclude: Path | None = None) -> Handed:
    """Split a province's list and seal the workbooks; children that were issued before are passed over.

    With an error among the findings nothing is issued.
    """
    whole, findings = read_list(path, run.campaign)
    if whole is None:
        return Handed("", 0, 0, tuple(findings))
    if not whole.rows:
        raise FuxueError("issue.empty_list", file=shown_name(path), code=1)
    run.home.prepare()
    if not run.home.vault.exists() and (left := handed_out(run.home.outbox)):
        raise FuxueError("vault.gone", file=run.home.vault, folder=run.home.outbox / left[-1])
    with writing(run, create=True) as vault:
        moved = _put_in_place(run, vault)
        fresh, warnings, known = _unseen(run, vault, whole)
        if not fresh.rows:
            return _nothing_new(run, vault, moved, known)
        first = split_list(fresh, run.campaign)
        drawn_up = (make(first, run.campaign, "") for make in (unassigned_bundle, exclusions_bundle))
        named = [replace(bundle, issue=_paper_name(run, whole, bundle)) for bundle in drawn_up]
        said = _read_papers(run, named, [assign, exclude])
        split = split_list(fresh, run.campaign, excluded=said.of("excluded"), assigned=said.of("assigned"))
        findings = [*said.findings, *warnings, *split.findings]
        if has_errors(findings):
            wanted = [
                b for b, unsettled in zip(named, (_open_addresses(split), split.faulty), strict=True) if unsettled
            ]
            return Handed(
                "", 0, 0, tuple(findings), tuple(_write_paper(run, vault, one, fresh) for one in wanted), known
            )
        handed = _issue_children(run, vault, fresh, split, said.decisions, findings, known)
        recovery.remove_decided_papers(run.home, vault)
        for one in named:  # also of a version that marked no rows
            shutil.rmtree(run.home.decisions / one.issue, ignore_errors=True)
        return handed


def issue_form(run: Run, key: str, to: str | None) -> Handed:
    """Hand out the open corrections to the departments, or the open cases to the units; `to` names one receiver."""
    form = FORMS[key]
    receivers = [one.slug for one in run.campaign.casework.departments] if form == CORRECTIONS else [*run.campaign.unit]
    if to is not None and to not in receivers:
        raise FuxueError("issue.no_receiver", to=to, receivers="、".join(receivers))
    with writing(run) as vault:
        moved = _put_in_place(run, vault)
        finished = [name for name in moved if name in issued.issues(vault, form.key)]
        if finished and to in (None, *_receivers(run, vault, finished[-1])):
            return _handed(run, vault, finished[-1])
        name = issued.next_issue(vault, run.day, handed_out(run.home.outbox))
        marks = _seal(run, bundles := _open_rows(run, vault, form, name, to))
        issued.record_issue(vault, run.day, name, bundles, marks)
        put_issues_in_place(run.home.outbox, [name])
        return _handed(run, vault, name)


def _open_rows(run: Run, vault: Vault, form: Form, name: str, to: str | None) -> list[Bundle]:
    """What is open, for each receiver who does not have exactly these rows already."""
    bundles = casework.open_bundles(vault, run.campaign, form, name, to)
    if not bundles:
        raise FuxueError("issue.nothing_open", form=form.sheet)
    last = issued.newest(vault, run.campaign, form)
    fresh = [b for b in bundles if b.recipient not in last or last[b.recipient].rows != b.rows]
    if not fresh:
        before = sorted({last[bundle.recipient].issue for bundle in bundles})
        raise FuxueError("issue.same_rows", issue="、".join(before), folder=run.home.outbox / before[-1])
    return fresh


def _receivers(run: Run, vault: Vault, name: str) -> list[str]:
    return [receiver for issue, receiver in issued.issued(vault, run.campaign) if issue == name]


def _handed(run: Run, vault: Vault, name: str) -> Handed:
    """An issue that is on record and in its place."""
    bundles = [bundle for (issue, _), bundle in issued.issued(vault, run.campaign).items() if issue == name]
    rows = sum(len(bundle.rows) for bundle in bundles)
    return Handed(name, rows, len(bundles), completeness=issued.completeness(vault))


def list_passwords(run: Run, receiver: str | None) -> list[tuple[str, str, str]]:
    """(issue, receiver, password) of each workbook, or of one receiver's; then of the bureau's and inspectorate's."""
    papers = {BUREAU: paper_password(run), INSPECTORATE: inspecting.password(run)}
    known = {*papers, *run.campaign.unit, *(one.slug for one in run.campaign.casework.departments)}
    if receiver is not None and receiver not in known:
        raise FuxueError("campaign.no_unit", unit=receiver)
    own = [("—", name, word) for name, word in papers.items() if receiver in (None, name)]
    if receiver in papers:
        return own
    with run.open_vault() as vault:
        bundles = sorted(issued.issued(vault, run.campaign))
    return [(i, u, run.keys.password(i, u)) for i, u in bundles if receiver in (None, u)] + own


def paper_password(run: Run) -> str:
    """Of the bureau's own papers."""
    return run.keys.password(PAPERS, BUREAU)


def _put_in_place(run: Run, vault: Vault) -> list[str]:
    """Bring interrupted issues to their end: those that were put in place now."""
    return put_issues_in_place(run.home.outbox, issued.issues(vault))


def _unseen(run: Run, vault: Vault, whole: ProvinceList) -> tuple[ProvinceList, list[Finding], int]:
    """The list without the rows that were issued or excluded before; warnings where such a row has changed."""
    known = issued.split_known(vault, whole.rows)
    findings = [
        whole.finding(run.campaign, "L10", row, key, column=ANNEX4.column(key).heading) for row, key in known.changed
    ]
    return replace(whole, rows=known.new, taken=known.taken, people=known.people), findings, known.count


def _nothing_new(run: Run, vault: Vault, moved: Sequence[str], known: int) -> Handed:
    lists = issued.issues(vault, ANNEX4.key)
    finished = [name for name in moved if name in lists]
    if not finished:
        raise FuxueError("issue.same_list", issue="、".join(lists))
    done = _handed(run, vault, finished[-1])
    return replace(done, known=known - done.rows)


def _open_addresses(split: Split) -> bool:
    return any(finding.rule in ("L06", "L07") for finding in split.findings)


def _paper_name(run: Run, whole: ProvinceList, bundle: Bundle) -> str:
    """What a paper is called: a keyed mark of the list and of the rows that are asked about."""
    content = [[dict(row.texts) for row in whole.rows], [dict(row) for row in bundle.rows]]
    return f"list-{run.keys.mac('paper', json.dumps(content, ensure_ascii=False).encode()).hex()[:10]}"


def _read_papers(run: Run, bundles: Sequence[Bundle], paths: Sequence[Path | None]) -> _Decided:
    decisions: list[Decision] = []
    findings: list[Finding] = []
    units = [(unit.name, unit.slug) for unit in run.campaign.units]
    for bundle, path in zip(bundles, paths, strict=True):
        if path is None:
            continue
        # One that was half filled when the master key was replaced still has its password.
        words = run.keys.passwords(PAPERS, BUREAU)
        candidates = [Candidate(bundle.issue, BUREAU, word) for word in words]
        content = take(path, run.campaign.limits)
        submission = read_workbook(content, candidates, run.campaign.limits, allow_unsealed=False)
        known = {(bundle.issue, BUREAU): bundle}
        checked = check_submission(
            shown_name(path), submission, candidates, known, run.campaign, run.is_genuine, run.day
        )
        findings += checked.findings
        officer = checked.footer.get("officer", "")
        if checked.accepted and not officer:
            findings.append(run.campaign.finding("D01", shown_name(path), sheet=bundle.form.sheet))
        elif checked.accepted:
            entries = {entry.reference: entry.values for entry in checked.entries}
            decisions += decided(bundle, entries, officer, units)
    return _Decided(tuple(decisions), tuple(findings))


def _write_paper(run: Run, vault: Vault, bundle: Bundle, listed: ProvinceList) -> Path:
    """The sealed paper for the officer; one that lies there already may be half filled and is left alone."""
    folder = run.home.decisions / bundle.issue
    path = folder / f"{bundle.form.key}.xlsx"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        texts = {str(row.number): row.texts for row in listed.rows}
        recovery.mark_rows(folder, vault, [texts[row["row"]] for row in bundle.rows])
        manifest = Manifest(bundle.form.key, bundle.issue, BUREAU, bundle.keys).signed(run.manifest_mac)
        write_private(path, seal_one(run.campaign, (bundle, manifest, paper_password(run))))
    return path


def _issue_children(run: Run, vault: Vault, fresh: ProvinceList, split: Split, decisions: Sequence[Decision],
                    findings: Sequence[Finding], known: int) -> Handed:  # fmt: skip
    name = issued.next_issue(vault, run.day, handed_out(run.home.outbox))
    is_first = not issued.issues(vault, ANNEX4.key)
    bundles = []
    for unit in run.campaign.units:
        rows = tuple(child_row(child) for child in split.children if child.unit == unit.slug)
        # The first issue asks every unit, if need be for a nil return; a supplement only those whom it concerns.
        if rows or is_first:
            bundles.append(Bundle(ANNEX4, name, unit.slug, unit.name, rows))
    marks = _seal(run, bundles) if bundles else {}
    texts = {row.number: row.texts for row in fresh.rows}
    excluded = {one.row for one in decisions if one.kind == "excluded"}
    used = [(d, texts[d.row]) for d in decisions if d.kind == "excluded" or d.row not in excluded]
    issued.record_issue(vault, run.day, name, bundles, marks, split.children, used)
    # The folder takes its place last: as long as it lies aside, another run finishes what this one did not.
    put_issues_in_place(run.home.outbox, [name])
    return Handed(name, len(split.children), len(bundles), tuple(findings), known=known,
                  completeness=issued.completeness(vault))  # fmt: skip


def _seal(run: Run, bundles: Sequence[Bundle]) -> Mapping[str, bytes]:
    """Seal the workbooks of one issue into a folder aside: their fingerprints by receiver."""
    # Processes of their own that never held the key or the record, and that end when this one does.
    with ProcessPoolExecutor(workers(), mp_context=forks(), initializer=end_with_parent) as pool:
        return issue_workbooks(
            run.campaign,
            bundles,
            day=run.day.isoformat(),
            mac=run.manifest_mac,
            fingerprint=run.file_mark,
            password_of=partial(run.keys.password, bundles[0].issue),
            outbox=run.home.outbox,
            executor=pool,
            done=run.bar("加密下发", len(bundles)),
        ).fingerprints
