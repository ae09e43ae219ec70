"""Checking one submission: which unit's it is, if every row came back as issued, and if its answers obey the rules."""

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from etl.check.annex5_sums import summarise
from etl.check.entries import check_entries
from etl.check.predicates import failed_rules, message_params
from etl.check.reconcile import match_rows, tidy
from etl.exchange.bundle import Bundle
from etl.exchange.checked import Answer, Checked, Entry
from etl.exchange.submission import Candidate, Submission, Value
from etl.findings import Finding, has_errors
from etl.forms.definitions import ANNEX4, ANNEX5
from etl.forms.id_number import birth_of
from etl.forms.manifest import Manifest
from etl.rulebook.campaign import Campaign

#: Bundles that were handed out, by (issue, recipient).
Issued = Mapping[tuple[str, str], Bundle]


def check_submission(
    file: str,
    submission: Submission,
    candidates: Sequence[Candidate],
    issued: Issued,
    campaign: Campaign,
    is_genuine: Callable[[Manifest], bool],
    day: dt.date,
    police: Collection[tuple[str, str]] = (),
) -> Checked:
    """Check one returned workbook as of `day`; return its findings and, as far as they could be read, its answers.

    `candidates` are those that reading was given, in the same order. `is_genuine` says if the bureau signed a manifest.
    `police` are the (issue, serial) of children with a police reference on record.
    """
    findings = [campaign.finding(p.rule, file, sheet=p.sheet, cell=p.cell, **p.params) for p in submission.problems]
    opened = candidates[submission.opened_by] if submission.opened_by is not None else None
    owner: tuple[str, str] | None = None
    if not has_errors(findings):
        owner, problem = _owner(submission, opened, issued, is_genuine)
        findings += _unknown(problem, submission, campaign, file)
    answers: list[Answer] = []
    entries: list[Entry] = []
    if owner is not None:
        bundle = issued[owner]
        pairs, differences = match_rows(submission, bundle, campaign, file)
        findings += [*differences, *_foot(submission, bundle, campaign, file)]
        if bundle.form == ANNEX4:
            answers = [_answer(row, back, campaign, (bundle.issue, row["serial"]) in police) for row, back in pairs]
            for answer, (_, back) in zip(answers, pairs, strict=True):
                findings += _judge(answer, back, campaign, file, submission.sheet)
            findings += _reconcile(submission, answers, campaign, file)
        else:
            entries, faults = check_entries(pairs, bundle, campaign, file, submission.sheet, day)
            findings += faults
    issue, unit = owner or ((opened.issue, opened.unit) if opened else ("", ""))
    return Checked(
        file, issue, unit, opened is not None, tuple(answers), submission.footer, tuple(findings), tuple(entries)
    )


def refuse_rivals(checked: Sequence[Checked], campaign: Campaign) -> list[Checked]:
    """Refuse all acceptable files of one load that belong to the same unit and issue: the newer one is not guessed."""
    owners = [(one.issue, one.unit) for one in checked if one.accepted]
    return [
        replace(one, findings=(*one.findings, campaign.finding("F15", one.file)))
        if one.accepted and owners.count((one.issue, one.unit)) > 1
        else one
        for one in checked
    ]


def _unknown(problem: str, submission: Submission, campaign: Campaign, file: str) -> Iterator[Finding]:
    """The finding for a submission whose owner is unknown; `problem` is the rule, or empty."""
    if problem:
        # With F10 the bureau signed the manifest, so its issue id is safe to show; otherwise it could be any text.
        issue = submission.manifest.issue if problem == "F10" and submission.manifest else ""
        yield campaign.finding(problem, file, issue=issue)


def _foot(submission: Submission, bundle: Bundle, campaign: Campaign, file: str) -> Iterator[Finding]:
    """Findings about the footer of a unit's or department's sheet (M6): blank fields, or another unit's name."""
    if bundle.form.footer[0].key != "unit":
        return
    for column in bundle.form.footer:
        filled = tidy(submission.footer.get(column.key, ""))
        if not filled:
            yield campaign.finding("R11", file, sheet=submission.sheet, column=column.heading)
        elif column.key == "unit" and filled != tidy(bundle.name):
            yield campaign.finding("R12", file, sheet=submission.sheet, expected=bundle.name)


def _reconcile(submission: Submission, answers: Sequence[Answer], campaign: Campaign, file: str) -> list[Finding]:
    """Compare 附件5 as handed in, cell by cell, with the sums computed from 附件4 (M12)."""
    handed_in = submission.summary
    sums = summarise(campaign, ((answer.code, answer.returned) for answer in answers))
    if handed_in is None:
        return [campaign.finding("R10", file)]
    figures = [pair for row in handed_in.rows for pair in row.items()]
    if all(figure.number is None for _, figure in figures):
        return [campaign.finding("R13", file, sheet=handed_in.sheet)]
    return [
        campaign.finding("R09", file, sheet=handed_in.sheet, cell=figure.cell, column=ANNEX5.column(key).heading,
                         found="空" if figure.number is None else figure.number, expected=sums[key])
        for key, figure in figures
        if figure.number != sums[key]
    ]  # fmt: skip


def _owner(
    submission: Submission, opened: Candidate | None, issued: Issued, is_genuine: Callable[[Manifest], bool]
) -> tuple[tuple[str, str] | None, str]:
    """((issue, unit) of a submission, "") or (None, the rule that says why its owner is unknown)."""
    manifest = submission.manifest
    if manifest is None or not is_genuine(manifest):
        return None, "F09"
    key = (manifest.issue, manifest.unit)
    bundle = issued.get(key)
    if bundle is None or (bundle.form.key, sorted(bundle.keys)) != (manifest.form, sorted(manifest.serials)):
        return None, "F10"
    if opened is not None and (opened.issue, opened.unit) != key:
        return None, "F09"
    return key, ""


def _answer(issued: Mapping[str, str], row: Mapping[str, Value], campaign: Campaign, has_police_ref: bool) -> Answer:
    # A formula or an error value has a finding of its own (R06, R08); `_judge` does not add another.
    text = {key: tidy(row[key].text) for key in ("category", "returned", "team")}
    birth = birth_of(issued["id_number"])
    if birth is None:
        raise ValueError("an issued ID number holds no birth date")
    return Answer(
        issued["serial"],
        text["category"],
        campaign.code_of.get(text["category"]),
        text["returned"],
        text["team"],
        birth,
        tidy(issued["name"]),
        has_police_ref,
    )


def _judge(answer: Answer, row: Mapping[str, Value], campaign: Campaign, file: str, sheet: str) -> list[Finding]:
    return [
        campaign.finding(
            rule.id,
            file,
            sheet=sheet,
            cell=row[rule.column].cell,
            serial=answer.serial,
            **message_params(rule, campaign),
        )
        for rule in failed_rules(answer, campaign)
        if not (row[rule.column].is_formula or row[rule.column].is_other)
    ]
