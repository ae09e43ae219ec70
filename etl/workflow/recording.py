"""Recording evidence, wrong values and deliverables, with the person who records them and the day."""

import datetime as dt

from etl.check.reconcile import tidy
from etl.findings import FuxueError
from etl.forms.definitions import ANNEX4
from etl.forms.id_number import is_valid
from etl.vault.record import evidence
from etl.workflow.run import Run
from etl.workflow.writing import writing


def _must_be_named(by: str) -> None:
    if not by.strip():
        raise FuxueError("record.nobody")


def record_police_ref(run: Run, issue: str | None, serial: str, reference: str, by: str) -> None:
    """Record the police's reference for a missing child; `issue` is needed if several issues use the serial."""
    _must_be_named(by)
    with writing(run) as vault:
        evidence.insert_police_ref(vault, issue, serial, reference, by, run.day)


def record_paper(
    run: Run, issue: str | None, serial: str, kind: str, about: str, place: str, dated: dt.date, by: str
) -> None:
    """Record a paper in a child's case file, or a step towards its guardian (see `insert_paper`).

    FuxueError if `about`, `place` or `by` is blank, or if the paper is dated after the run's day.
    """
    _must_be_named(by)
    if not tidy(about) or not tidy(place):
        raise FuxueError("record.bare_paper")
    if dated > run.day:
        raise FuxueError("record.paper_not_yet", dated=dated, day=run.day)
    with writing(run) as vault:
        evidence.insert_paper(vault, issue, serial, kind, tidy(about), tidy(place), dated, by, run.day)


def record_wrong_value(
    run: Run, issue: str | None, serial: str, key: str, value: str, department: str, by: str
) -> None:
    """Record that an issued value (column `key`) is wrong, with the right `value`: a correction for a department (M15).

    FuxueError if the department is unknown, the value is not valid, or `by` is blank.
    """
    value = tidy(value)
    if run.campaign.casework.department(department) is None:
        known = "、".join(one.slug for one in run.campaign.casework.departments)
        raise FuxueError("issue.no_recipient", to=department, recipients=known)
    if not value or (key == "id_number" and not is_valid(value)) or (key == "sex" and value not in ("男", "女")):
        raise FuxueError("record.bad_value", column=ANNEX4.column(key).heading)
    _must_be_named(by)
    with writing(run) as vault:
        evidence.insert_wrong_value(vault, issue, serial, key, value, department, by, run.day)


def record_signature(run: Run, unit: str, act: str, serials: list[str], by: str, issue: str | None = None) -> int:
    """Record that a unit's signed paper was seen (see `insert_signature`); return how many children it covers."""
    if unit not in run.campaign.unit:
        raise FuxueError("campaign.no_unit", unit=unit)
    _must_be_named(by)
    with writing(run) as vault:
        return evidence.insert_signature(vault, unit, act, serials, by, run.day, issue)


def record_deliverable(run: Run, unit: str, what: str, medium: str, by: str, *, signed: bool) -> None:
    """Record that a unit handed in a document (see `insert_deliverable`)."""
    if unit not in run.campaign.unit:
        raise FuxueError("campaign.no_unit", unit=unit)
    _must_be_named(by)
    with writing(run) as vault:
        evidence.insert_deliverable(vault, unit, what, medium, by, run.day, signed=signed)
