"""The brief for the leading group: the state of the city on one page."""

import datetime as dt

from etl.exchange.counts import measure
from etl.findings import FuxueError
from etl.report.brief_page import Brief, brief_page, spread
from etl.report.typesetting import print_pdf
from etl.rulebook.campaign import BUREAU
from etl.vault.record.count import count
from etl.workflow.correspondence import reminders
from etl.workflow.documents import Document, write_document
from etl.workflow.run import Run
from etl.workflow.writing import writing

_MEASURES = ("suspected", "verified", "deducted", "to_return", "returned", "still_out")


def write_brief(run: Run) -> Document:
    """The city's brief as of the run's day. FuxueError if that is before the campaign began."""
    first = run.campaign.noticed
    if run.day < first:
        raise FuxueError("document.too_early", day=run.day, first=first)
    publication = run.campaign.publication
    with writing(run, records=False) as vault:
        counts = count(vault, run.campaign, run.day)
        by_unit = [
            (run.campaign.unit[one.unit].name, measure(one.atoms, publication, "still_out")) for one in counts.units
        ]
        days = spread([first + dt.timedelta(number) for number in range((run.day - first).days + 1)])
        by_day = []
        for day in days:
            then = count(vault, run.campaign, day)
            verified, returned = (
                sum(measure(one.atoms, publication, key) for one in then.units) for key in ("verified", "returned")
            )
            by_day.append((f"{day.month}-{day.day}", verified, returned))
        is_late = run.day > run.campaign.reports_due
        late = [(run.campaign.unit[slug].name, one) for slug, one in reminders(run, vault).items()] if is_late else []
        figures = {key: sum(measure(one.atoms, publication, key) for one in counts.units) for key in _MEASURES}
    late.sort(key=lambda pair: -sum(pair[1].numbers.values()))
    left = (run.campaign.reports_due - run.day).days
    brief = Brief(figures, by_unit, by_day, late)
    page = brief_page(brief, run.campaign.title, run.campaign.organiser["name"], run.day.isoformat(), left)
    printed = print_pdf("brief", page, run.day)
    return write_document(run, "brief", BUREAU, printed.pdf, ".pdf", printed.missing)
