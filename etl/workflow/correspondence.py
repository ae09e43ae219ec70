"""Letters of the bureau: correction notices to departments (M15), and reminders to units that are late (M14)."""

from collections import Counter

from etl.findings import FuxueError
from etl.forms.definitions import CASES, CORRECTIONS
from etl.report.letters import Reminder, letter_page, notice_table, reminder_tables
from etl.report.typesetting import print_pdf
from etl.vault.record import annex_counts, casework, submissions
from etl.vault.record.ledger import OWED_DOCUMENTS, OWED_ON, bare_returns, owed_documents
from etl.vault.store.open import Vault
from etl.workflow.documents import Document, write_document
from etl.workflow.run import Run
from etl.workflow.writing import writing


def write_notices(run: Run, department: str | None) -> list[Document]:
    """A notice for one department, or for each, with every correction that is open there; none if nothing is.

    FuxueError for an unknown department.
    """
    known = {one.slug: one for one in run.campaign.casework.departments}
    if department is not None and department not in known:
        raise FuxueError("issue.no_recipient", to=department, recipients="、".join(known))
    made = []
    with writing(run, records=False) as vault:
        work = casework.work(vault, run.campaign, CORRECTIONS)
        for slug, one in known.items():
            rows = [{**own.row, **own.values} for own in work if own.recipient == slug and not own.is_closed]
            if rows and department in (None, slug):
                facts = {
                    "title": run.campaign.title,
                    "count": len(rows),
                    "causes": "、".join(one.causes),
                    "outcomes": "、".join(one.outcomes),
                }
                made.append(_letter(run, "notice", slug, facts, notice_table(rows)))
    return made


def write_reminders(run: Run, unit: str | None) -> list[Document]:
    """A reminder for one unit, or for each, that has not done or handed in everything; none before the due day is over.

    FuxueError for an unknown unit.
    """
    if unit is not None and unit not in run.campaign.unit:
        raise FuxueError("campaign.no_unit", unit=unit)
    late = (run.day - run.campaign.reports_due).days
    if late <= 0:
        return []
    facts = {"notice": run.campaign.notice, "due": run.campaign.reports_due, "day": run.day, "days": late}
    with writing(run, records=False) as vault:
        due = reminders(run, vault)
        wanted = [slug for slug in run.campaign.unit if unit in (None, slug) and due[slug].is_due]
        return [_letter(run, "reminder", slug, facts, reminder_tables(due[slug])) for slug in wanted]


def reminders(run: Run, vault: Vault) -> dict[str, Reminder]:
    """What each unit has left to do, by unit."""
    sums = {one.unit: one for one in annex_counts.unit_sums(vault, run.campaign, run.day)}
    refused = Counter(submissions.refused_and_not_replaced(vault))
    bare: dict[str, list[tuple[str, str, list[str]]]] = {slug: [] for slug in run.campaign.unit}
    for one in bare_returns(vault):
        bare[one.unit].append((one.serial, one.name, list(one.missing)))
    idle = Counter(
        one.recipient
        for one in casework.work(vault, run.campaign, CASES)
        if not one.is_closed and not one.values.get("measure")
    )
    owed = owed_documents(vault, run.campaign, run.day)
    return {
        slug: Reminder(
            {
                "unverified": sums[slug].issued - sums[slug].verified,
                "refused": refused[slug],
                "without_measure": idle[slug],
            },
            [
                (OWED_DOCUMENTS[one.what], OWED_ON[one.medium], one.state, one.received_on, one.received_by)
                for one in owed
                if one.unit == slug and one.state != "received"
            ],
            bare[slug],
        )
        for slug in run.campaign.unit
    }


def _letter(run: Run, kind: str, to: str, facts: dict[str, object], tables: object) -> Document:
    sender = run.campaign.organiser["name"]
    page = letter_page(kind, run.campaign.recipient_name(to), sender, run.day.isoformat(), facts, tables)
    printed = print_pdf("letter", page, run.day)
    return write_document(run, f"{kind}s", to, printed.pdf, ".pdf", printed.missing)
