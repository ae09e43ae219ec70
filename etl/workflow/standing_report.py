"""The standing report (M23): what changed between two days, in the forms of 附件4 and 附件5."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from etl.exchange.annex_rows import AnsweredChild, UnitSums
from etl.findings import FuxueError
from etl.forms.definitions import ANNEX5
from etl.report.annex_workbooks import Annex5Sheet
from etl.rulebook.campaign import BUREAU
from etl.vault.record import annex_counts
from etl.workflow.annexes import annex5_rows, annex_footer, write_annex4_sheet, write_annex5_sheets
from etl.workflow.documents import Document
from etl.workflow.run import Run
from etl.workflow.texts import text
from etl.workflow.writing import writing

_KIND = "standing"


def write_standing_report(run: Run, first: dt.date, last: dt.date) -> list[Document]:
    """Sums before `first`, at the end of `last`, and their difference; and the children whose answer changed between.

    FuxueError if `last` is before `first`.
    """
    if last < first:
        raise FuxueError("document.wrong_period", first=first, last=last)
    before, at_end = first - dt.timedelta(days=1), replace(run, day=last)
    with writing(run, records=False) as vault:
        sums = [annex_counts.unit_sums(vault, run.campaign, day) for day in (before, last)]
        children = changed_children(*(annex_counts.answered_children(vault, day) for day in (before, last)))
        footer = annex_footer(at_end, vault, BUREAU)
    title = ANNEX5.title.format(county=run.campaign.county)
    tables = ((f"{before}", sums[0], before), (f"{last}", sums[1], last), ("变化", differences(*sums), None))
    sheets = [
        Annex5Sheet(name, title, _note(day, first, last, own), annex5_rows(run.campaign, own))
        for name, own, day in tables
    ]
    name = f"{BUREAU}-{first}-{last}"
    note = text("document.changed_note", first=first, last=last, children=len(children))
    return [
        *write_annex5_sheets(at_end, _KIND, BUREAU, sheets, footer, name=f"{name}-annex5"),
        *write_annex4_sheet(at_end, _KIND, BUREAU, note, children, footer, name=f"{name}-annex4"),
    ]


def _note(day: dt.date | None, first: dt.date, last: dt.date, sums: Sequence[UnitSums]) -> str:
    issued = sum(one.issued for one in sums)
    unverified = issued - sum(one.verified for one in sums)
    if day is None:
        return text("document.difference_note", first=first, last=last, issued=issued, unverified=unverified)
    return text("document.annex5_note", day=day, issued=issued, unverified=unverified)


def differences(before: Sequence[UnitSums], after: Sequence[UnitSums]) -> list[UnitSums]:
    """What was added (negative: taken away) in each figure of each unit."""
    return [
        UnitSums(
            new.unit,
            new.issued - old.issued,
            {code: number - old.categories[code] for code, number in new.categories.items()},
            new.returned - old.returned,
        )
        for old, new in zip(before, after, strict=True)
    ]


def changed_children(before: Sequence[AnsweredChild], after: Sequence[AnsweredChild]) -> list[AnsweredChild]:
    """The children of `after` that have another answer than in `before`, or were issued since."""
    known = {(child.unit, tuple(child.issued.items())): child for child in before}
    return [child for child in after if known.get((child.unit, tuple(child.issued.items()))) != child]
