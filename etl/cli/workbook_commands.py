"""Commands about workbooks: issue, passwords, check, load, status."""

import datetime as dt
import sys
from pathlib import Path

import click

from etl.cli import console
from etl.cli.options import FILE, Command, Settings, as_of, settings
from etl.cli.parameters import RETURNED_FILE
from etl.findings import FuxueError
from etl.forms.definitions import ISSUED_FORMS


@click.command(cls=Command)
@click.argument("list_file", metavar="[LIST.xlsx]", type=FILE, required=False)
@click.option("--assign", type=FILE, help="The completed unassigned.xlsx: which unit a child belongs to.")
@click.option("--exclude", type=FILE, help="The completed exclusions.xlsx: which rows are left out, and by whom.")
@click.option("--form", type=click.Choice(sorted(ISSUED_FORMS)), help="Hand out corrections or cases, not a list.")
@click.option("--to", metavar="X", help="With --form: only this department or unit (slug).")
@as_of
@settings
def issue_command(given: Settings, list_file: Path | None, assign: Path | None, exclude: Path | None, form: str | None,
          to: str | None, as_of: dt.datetime | None) -> None:  # fmt: skip
    """Seal one workbook per unit (of a province's list, or of its supplement) into private/outbox/.

    With --form: the departments' corrections workbooks, or the units' case workbooks.
    """
    from etl.cli import show
    from etl.workflow import issuing

    run = given.run(as_of)
    if (list_file is None) == (form is None) or (form and (assign or exclude)) or (to and not form):
        raise FuxueError("issue.list_or_form")
    if form:
        handed = issuing.issue_form(run, form, to)
        console.say("issue.form_done", issue=handed.issue, rows=handed.rows, recipients=handed.recipients,
                    folder=run.home.outbox / handed.issue)  # fmt: skip
    elif list_file:
        show.show_issue(issuing.issue_list(run, list_file, assign=assign, exclude=exclude), run.home)


@click.command(cls=Command)
@click.option("--unit", metavar="X", help="Only this unit's or department's (slug); bureau: of decision workbooks.")
@settings
def passwords_command(given: Settings, unit: str | None) -> None:
    """Print the workbooks' passwords. They are derived from the key and not stored."""
    from etl.cli import show
    from etl.workflow import issuing

    run = given.run()
    show.show_passwords(run.campaign, issuing.list_passwords(run, unit))


@click.command(cls=Command)
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=RETURNED_FILE)
@click.option("--allow-unsealed", is_flag=True, help="Read unencrypted files too.")
@as_of
@settings
def check_command(given: Settings, files: tuple[Path, ...], allow_unsealed: bool, as_of: dt.datetime | None) -> None:
    """Read and check returned workbooks without recording them; exit 1 if one has errors."""
    from etl.cli import show
    from etl.workflow import loading

    checked = loading.check_files(given.run(as_of), files, allow_unsealed=allow_unsealed)
    show.show_checked("check", [(c, "accepted" if c.accepted else "refused") for c in checked])
    sys.exit(0 if all(c.accepted for c in checked) else 1)


@click.command(cls=Command)
@click.argument("files", metavar="[FILE…]", nargs=-1, type=RETURNED_FILE)
@click.option("--allow-unsealed", is_flag=True, help="Accept unencrypted files too; that is recorded.")
@click.option("--again", is_flag=True, help="Also load FILEs that newer ones have replaced.")
@as_of
@settings
def load_command(given: Settings, files: tuple[Path, ...], allow_unsealed: bool, again: bool,
         as_of: dt.datetime | None) -> None:  # fmt: skip
    """Check and record all of private/inbox/ (or FILEs); each workbook is accepted or refused whole.

    Recorded files move from the inbox to private/received/ or private/refused/.
    """
    from etl.cli import show
    from etl.workflow import loading

    if again and not files:
        raise FuxueError("load.again_needs_files")
    run = given.run(as_of)
    loaded = loading.load_files(run, files, allow_unsealed=allow_unsealed, again=again)
    if not loaded:
        console.say("load.nothing", folder=run.home.inbox)
        return
    show.show_checked("load", [(one.checked, one.outcome) for one in loaded])
    if left := [one.checked.file for one in loaded if one.is_left]:
        console.say("load.left", count=len(left), files="、".join(left))
    sys.exit(1 if any(one.outcome == "refused" for one in loaded) else 0)


@click.command(cls=Command)
@as_of
@settings
def status_command(given: Settings, as_of: dt.datetime | None) -> None:
    """Show for each unit the children issued and the workbooks received and refused; and the days left."""
    from etl.cli import show
    from etl.workflow import standing

    run = given.run(as_of)
    show.show_status(run.campaign, run.day, standing.standing_of(run), run.home)
