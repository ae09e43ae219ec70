"""Commands that make the bureau's own documents: the annexes, case files, notices, reminders, briefs."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import click

from etl.cli.options import Settings, as_of, settings
from etl.cli.parameters import DAY
from etl.cli.report_commands import report_command


def of_whom(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which a document is wanted of one unit, of the city, or (without them) of all."""
    command = click.option("--city", is_flag=True, help="Only the city's (with --unit: the unit's and the city's).")(
        command
    )
    return click.option("--unit", metavar="U", help="Only this unit's (slug).")(command)


@report_command.command("annex4")
@of_whom
@as_of
@settings
def report_annex4_command(given: Settings, unit: str | None, city: bool, as_of: dt.datetime | None) -> None:
    """附件4 with the current answers, of each unit and of the city: sealed workbook and PDF, to print and sign."""
    from etl.cli import show_documents
    from etl.workflow import annexes

    run = given.run(as_of)
    show_documents.show_documents(run.campaign, annexes.write_annex4(run, unit, city=city))


@report_command.command("annex5")
@of_whom
@as_of
@settings
def report_annex5_command(given: Settings, unit: str | None, city: bool, as_of: dt.datetime | None) -> None:
    """附件5 from the record, of each unit and of the city: sealed workbook and PDF, to print and sign."""
    from etl.cli import show_documents
    from etl.workflow import annexes

    run = given.run(as_of)
    show_documents.show_documents(run.campaign, annexes.write_annex5(run, unit, city=city))


@report_command.command("cases")
@click.option("--unit", metavar="U", help="Only this unit's (slug).")
@as_of
@settings
def report_cases_command(given: Settings, unit: str | None, as_of: dt.datetime | None) -> None:
    """Case files (一人一档): a sealed PDF per child to return, in two copies, and bound volumes with contents."""
    from etl.cli import show_documents
    from etl.workflow import case_filing

    run = given.run(as_of)
    show_documents.show_documents(run.campaign, list(case_filing.write_case_files(run, unit)))


@report_command.command("notices")
@click.option("--to", "department", metavar="X", help="Only this department's (slug).")
@as_of
@settings
def report_notices_command(given: Settings, department: str | None, as_of: dt.datetime | None) -> None:
    """Correction notices: for each department a sealed PDF with every correction that is open there (M15)."""
    from etl.cli import show_documents
    from etl.workflow import correspondence

    run = given.run(as_of)
    show_documents.show_documents(run.campaign, correspondence.write_notices(run, department))


@report_command.command("reminders")
@click.option("--unit", metavar="U", help="Only this unit's (slug).")
@as_of
@settings
def report_reminders_command(given: Settings, unit: str | None, as_of: dt.datetime | None) -> None:
    """Reminders after the due day: for each unit that is late a sealed PDF with what is missing (M14)."""
    from etl.cli import show_documents
    from etl.workflow import correspondence

    run = given.run(as_of)
    show_documents.show_documents(run.campaign, correspondence.write_reminders(run, unit))


@report_command.command("brief")
@as_of
@settings
def report_brief_command(given: Settings, as_of: dt.datetime | None) -> None:
    """One page for the leading group: the state in figures, two charts, what is late and whose it is; sealed PDF."""
    from etl.cli import show_documents
    from etl.workflow import briefing

    run = given.run(as_of)
    show_documents.show_documents(run.campaign, [briefing.write_brief(run)])


@report_command.command("standing")
@click.option("--from", "first", required=True, type=DAY, metavar="DAY", help="The first day of the period.")
@click.option("--to", "last", required=True, type=DAY, metavar="DAY", help="Its last day.")
@settings
def report_standing_command(given: Settings, first: dt.datetime, last: dt.datetime) -> None:
    """What changed in a month or quarter (M23): 附件5 before, after and between, 附件4 of changed children; sealed."""
    from etl.cli import show_documents
    from etl.workflow import standing_report

    run = given.run()
    made = standing_report.write_standing_report(run, first.date(), last.date())
    show_documents.show_documents(run.campaign, made)


@report_command.command("summary")
@of_whom
@as_of
@settings
def report_summary_command(given: Settings, unit: str | None, city: bool, as_of: dt.datetime | None) -> None:
    """Drafts of the work summary (工作总结), of each unit and of the city: sealed Word documents, with sources."""
    from etl.cli import show_documents
    from etl.workflow import summarizing

    run = given.run(as_of)
    show_documents.show_documents(run.campaign, summarizing.write_summaries(run, unit, city=city))
