"""Commands that write sealed documents."""

import datetime as dt
import sys
from pathlib import Path

import click

from etl.cli.options import Group, Settings, as_of, settings
from etl.cli.parameters import RETURNED_FILE


@click.group(cls=Group)
def report_command() -> None:
    """Write sealed documents to private/reports/."""


@report_command.command("feedback")
@click.argument("files", metavar="[FILE…]", nargs=-1, type=RETURNED_FILE)
@click.option("--unit", metavar="X", help="Only this unit's or department's (slug).")
@click.option("--allow-unsealed", is_flag=True, help="Read unencrypted files too.")
@as_of
@settings
def report_feedback_command(given: Settings, files: tuple[Path, ...], unit: str | None, allow_unsealed: bool,
                    as_of: dt.datetime | None) -> None:  # fmt: skip
    """Copies of each unit's newest workbook (or of FILEs) with faulty cells marked, and a list of what to mend."""
    from etl.cli import show
    from etl.workflow import reporting

    run = given.run(as_of)
    made = reporting.feedback(run, files, unit, allow_unsealed=allow_unsealed)
    show.show_feedback(run.campaign, made)
    sys.exit(1 if any(one.failed for one in made) else 0)


@report_command.command("flags")
@click.option("--sample", "size", type=click.IntRange(1), metavar="N",
              help="Also draw and record N children for a second visit, at least one per unit.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**48), help="Seed of the draw (default: random; it is recorded).")
@click.option("--by", default="", help="With --sample: who draws.")
@click.option("--drawn", type=click.IntRange(1), metavar="N", help="Write sample N, which is on record, again.")
@as_of
@settings
def report_flags_command(given: Settings, size: int | None, seed: int | None, by: str, drawn: int | None,
                 as_of: dt.datetime | None) -> None:  # fmt: skip
    """For the inspectorate: flags on unlikely reporting with reasons, and samples; sealed, in private/reports/."""
    from etl.cli import show
    from etl.workflow import inspecting

    if size and drawn:
        raise click.UsageError("--sample draws a new sample, --drawn writes an old one: give one of them.")
    run = given.run(as_of)
    show.show_inspected(run, inspecting.look_through(run, size, seed, by, drawn=drawn))


@report_command.command("changes")
@settings
def report_changes_command(given: Settings) -> None:
    """The locked base, and each answer that changed it since: day, unit, person, category before and after."""
    from etl.cli import show_vault
    from etl.workflow import inspecting

    run = given.run()
    lock, changes = inspecting.base_changes(run)
    show_vault.show_changes(run.campaign, lock, changes)
