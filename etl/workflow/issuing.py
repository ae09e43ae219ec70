"""Issuing workbooks: from the province's list with an officer's decisions, supplements, corrections and cases."""

import json
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
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
from etl.workflow.documents import BUREAU_DOCUMENTS, document_password
from etl.workflow.run import Run
from etl.workflow.writing import writing

#: Up to this many workbooks are sealed in this process, in less time than it takes to start others.
FEW_WORKBOOKS = 6


@dataclass(frozen=True)
class Handed:
    """The result of issuing.

    `issue` is empty if nothing was issued; then an officer must first fill in the `decision_workbooks`, if there are
    any. `rows` and `recipients` count what was handed out; `known` counts the rows of the list that were known before.
    """

    issue: str
    rows: int
    recipients: int
    findings: tuple[Finding, ...] = ()
    decision_workbooks: tuple[Path, ...] = ()
    known: int = 0
    completeness: Completeness = field(default_factory=Completeness)


@dataclass(frozen=True)
class _Decided:
    """The officer's decisions on a list, and the findings in the decision workbooks."""

    decisions: tuple[Decision, ...] = ()
    findings: tuple[Finding, ...] = ()

    def of(self, kind: str) -> Mapping[int, str]:
        """The decided values of one kind, by the number of the list's row."""
        return {one.row: one.value for one in self.decisions if one.kind == kind}


def issue_list(run: Run, path: Path, *, assign: Path | None = None, exclude: Path | None = None) -> Handed:
    """Split a province's list by unit and issue a sealed workbook to each; children issued before are skipped.

    `assign` and `exclude` are decision workbooks that an officer has filled in. If a finding is an error, nothing is
    issued, and decision workbooks are written for the rows that need a decision.
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
        fresh, warnings, known = _without_known(run, vault, whole)
        if not fresh.rows:
            return _nothing_new(run, vault, moved, known)
        first = split_list(fresh, run.campaign)
        drawn_up = (make(first, run.campaign, "") for make in (unassigned_bundle, exclusions_bundle))
        named = [replace(bundle, issue=_decision_name(run, whole, bundle)) for bundle in drawn_up]
        filled = _read_decisions(run, named, [assign, exclude])
        split = split_list(fresh, run.campaign, excluded=filled.of("excluded"), assigned=filled.of("assigned"))
        findings = [*filled.findings, *warnings, *split.findings]
        if has_errors(findings):
            is_open = (_has_open_addresses(split), split.faulty)
            wanted = [bundle for bundle, needs_decision in zip(named, is_open, strict=True) if needs_decision]
            written = tuple(_write_decision_workbook(run, vault, one, fresh) for one in wanted)
            return Handed("", 0, 0, tuple(findings), written, known)
        handed = _issue_children(run, vault, fresh, split, filled.decisions, findings, known)
        recovery.remove_decided(run.home, vault)
        for one in named:  # also folders from a version that did not write `ROWS`
            shutil.rmtree(run.home.decisions / one.issue, ignore_errors=True)
        return handed


def issue_form(run: Run, key: str, to: str | None) -> Handed:
    """Issue the open corrections to the departments, or the open cases to the units; `to` limits it to one recipient.

    `key` is the form's. FuxueError if there is no such recipient, nothing is open, or all recipients have the same rows
    already.
    """
    form = FORMS[key]
    recipients = (
        [one.slug for one in run.campaign.casework.departments] if form == CORRECTIONS else [*run.campaign.unit]
    )
    if to is not None and to not in recipients:
        raise FuxueError("issue.no_recipient", to=to, recipients="、".join(recipients))
    with writing(run) as vault:
        moved = _put_in_place(run, vault)
        finished = [name for name in moved if name in issued.issues(vault, form.key)]
        if finished and to in (None, *_recipients(run, vault, finished[-1])):
            return _handed(run, vault, finished[-1])
        name = issued.next_issue(vault, run.day, handed_out(run.home.outbox))
        marks = _seal(run, bundles := _open_rows(run, vault, form, name, to))
        issued.record_issue(vault, run.day, name, bundles, marks)
        put_issues_in_place(run.home.outbox, [name])
        return _handed(run, vault, name)


def _open_rows(run: Run, vault: Vault, form: Form, name: str, to: str | None) -> list[Bundle]:
    """Bundles of open rows, without recipients whose newest workbook has exactly these rows."""
    bundles = casework.open_bundles(vault, run.campaign, form, name, to)
    if not bundles:
        raise FuxueError("issue.nothing_open", form=form.sheet)
    last = issued.newest(vault, run.campaign, form)
    fresh = [b for b in bundles if b.recipient not in last or last[b.recipient].rows != b.rows]
    if not fresh:
        before = sorted({last[bundle.recipient].issue for bundle in bundles})
        raise FuxueError("issue.same_rows", issue="、".join(before), folder=run.home.outbox / before[-1])
    return fresh


def _recipients(run: Run, vault: Vault, name: str) -> list[str]:
    return [recipient for issue, recipient in issued.issued(vault, run.campaign) if issue == name]


def _handed(run: Run, vault: Vault, name: str) -> Handed:
    """The result for an issue that is on record and whose folder is in place."""
    bundles = [bundle for (issue, _), bundle in issued.issued(vault, run.campaign).items() if issue == name]
    rows = sum(len(bundle.rows) for bundle in bundles)
    return Handed(name, rows, len(bundles), completeness=issued.completeness(vault))


def list_passwords(run: Run, recipient: str | None) -> list[tuple[str, str, str]]:
    """(issue, recipient, password) of each workbook, then ("—", …) of the documents made for each recipient.

    `recipient` limits it to one recipient.
    """
    documents = {BUREAU: bureau_password(run), INSPECTORATE: inspecting.password(run)}
    recipients = [*run.campaign.unit, *(one.slug for one in run.campaign.casework.departments)]
    known = {*documents, *recipients}
    if recipient is not None and recipient not in known:
        raise FuxueError("campaign.no_unit", unit=recipient)
    own = [("—", name, password) for name, password in documents.items() if recipient in (None, name)]
    if recipient in documents:
        return own
    with run.open_vault() as vault:
        bundles = sorted(issued.issued(vault, run.campaign))
    own += [("—", one, document_password(run, one)) for one in recipients if recipient in (None, one)]
    return [(i, u, run.keys.password(i, u)) for i, u in bundles if recipient in (None, u)] + own


def bureau_password(run: Run) -> str:
    """The password of the bureau's own documents."""
    return run.keys.password(BUREAU_DOCUMENTS, BUREAU)


def _put_in_place(run: Run, vault: Vault) -> list[str]:
    """Put the folders of interrupted issues in place; return the ids of these issues."""
    return put_issues_in_place(run.home.outbox, issued.issues(vault))


def _without_known(run: Run, vault: Vault, whole: ProvinceList) -> tuple[ProvinceList, list[Finding], int]:
    """(the list without rows issued or excluded before, warnings about such rows that changed, how many they are)."""
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


def _has_open_addresses(split: Split) -> bool:
    return any(finding.rule in ("L06", "L07") for finding in split.findings)


def _decision_name(run: Run, whole: ProvinceList, bundle: Bundle) -> str:
    """The name of a decision workbook's folder: a keyed digest of the list and of the rows to decide."""
    content = [[dict(row.texts) for row in whole.rows], [dict(row) for row in bundle.rows]]
    return f"list-{run.keys.mac('paper', json.dumps(content, ensure_ascii=False).encode()).hex()[:10]}"


def _read_decisions(run: Run, bundles: Sequence[Bundle], paths: Sequence[Path | None]) -> _Decided:
    """Read the decision workbooks at `paths`, as they were drawn up in `bundles`; None stands for one not given."""
    decisions: list[Decision] = []
    findings: list[Finding] = []
    units = [(unit.name, unit.slug) for unit in run.campaign.units]
    for bundle, path in zip(bundles, paths, strict=True):
        if path is None:
            continue
        # A decision workbook made before the master key was replaced still has its old password.
        passwords = run.keys.passwords(BUREAU_DOCUMENTS, BUREAU)
        candidates = [Candidate(bundle.issue, BUREAU, password) for password in passwords]
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


def _write_decision_workbook(run: Run, vault: Vault, bundle: Bundle, listed: ProvinceList) -> Path:
    """Write the sealed decision workbook for the officer. An existing one is kept: it may be partly filled in."""
    folder = run.home.decisions / bundle.issue
    path = folder / f"{bundle.form.key}.xlsx"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        texts = {str(row.number): row.texts for row in listed.rows}
        recovery.mark_rows(folder, vault, [texts[row["row"]] for row in bundle.rows])
        manifest = Manifest(bundle.form.key, bundle.issue, BUREAU, bundle.keys).signed(run.manifest_mac)
        write_private(path, seal_one(run.campaign, (bundle, manifest, bureau_password(run))))
    return path


def _issue_children(run: Run, vault: Vault, fresh: ProvinceList, split: Split, decisions: Sequence[Decision],
                    findings: Sequence[Finding], known: int) -> Handed:  # fmt: skip
    name = issued.next_issue(vault, run.day, handed_out(run.home.outbox))
    is_first = not issued.issues(vault, ANNEX4.key)
    bundles = []
    for unit in run.campaign.units:
        rows = tuple(child_row(child) for child in split.children if child.unit == unit.slug)
        # In the first issue every unit gets a workbook, even an empty one; in a supplement only units with new rows.
        if rows or is_first:
            bundles.append(Bundle(ANNEX4, name, unit.slug, unit.name, rows))
    marks = _seal(run, bundles) if bundles else {}
    texts = {row.number: row.texts for row in fresh.rows}
    excluded = {one.row for one in decisions if one.kind == "excluded"}
    used = [(d, texts[d.row]) for d in decisions if d.kind == "excluded" or d.row not in excluded]
    issued.record_issue(vault, run.day, name, bundles, marks, split.children, used)
    # The draft folder is renamed last: after an interruption the next run finds and finishes it.
    put_issues_in_place(run.home.outbox, [name])
    return Handed(name, len(split.children), len(bundles), tuple(findings), known=known,
                  completeness=issued.completeness(vault))  # fmt: skip


def _seal(run: Run, bundles: Sequence[Bundle]) -> Mapping[str, bytes]:
    """Write the sealed workbooks of one issue to a draft folder; return their fingerprints by recipient."""
    with _sealers() if len(bundles) > FEW_WORKBOOKS else nullcontext() as executor:
        return issue_workbooks(
            run.campaign,
            bundles,
            day=run.day.isoformat(),
            mac=run.manifest_mac,
            fingerprint=run.file_mark,
            password_of=partial(run.keys.password, bundles[0].issue),
            outbox=run.home.outbox,
            executor=executor,
            done=run.bar("加密下发", len(bundles)),
        ).fingerprints


def _sealers() -> ProcessPoolExecutor:
    """Processes that seal workbooks. They never held the key or the record, and they end when this process does."""
    return ProcessPoolExecutor(workers(), mp_context=forks(), initializer=end_with_parent)
