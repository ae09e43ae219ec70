"""Commands for synthetic data: the demo, a province list, filled workbooks."""

import datetime as dt
from pathlib import Path

import click

from etl.cli import console
from etl.cli.options import Command, Group, Settings, as_of, settings
from etl.forms.definitions import ISSUED_FORMS
from etl.synthetic.profiles import PROFILES


@click.command(cls=Command)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--children", type=click.IntRange(1), default=1200, show_default=True)
@settings
def demo_command(given: Settings, seed: int, children: int) -> None:
    """Do all of the work on synthetic data, from list to site, and print where the results are."""
    from etl.cli import show
    from etl.workflow.demonstrating import run_demo

    show.show_demo(run_demo(given.home, given.campaign_folder, seed, children, console.progress_bar), given.home)


@click.group(cls=Group)
def synthesize_command() -> None:
    """Make synthetic data: a province list, and workbooks filled in as by units."""


@synthesize_command.command("list")
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--children", type=click.IntRange(1), default=1200, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--profile", type=click.Choice(sorted(PROFILES)), default="default", show_default=True)
@settings
def synthesize_list_command(given: Settings, out: Path, children: int, seed: int, profile: str) -> None:
    """Write a synthetic province list."""
    from etl.rulebook.campaign import load_campaign
    from etl.workflow import synthesizing

    synthesizing.synthesize_list(load_campaign(given.campaign_folder), out, children, seed, profile)
    console.say("synthetic.list", children=children, file=out)


@synthesize_command.command("fill")
@click.option("--faults", type=click.FloatRange(0, 1), default=0.0, show_default=True,
              help="Share of units whose workbook gets faults.")  # fmt: skip
@click.option("--children", type=click.IntRange(1), default=1200, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--profile", type=click.Choice(sorted(PROFILES)), default="default", show_default=True)
@click.option("--form", type=click.Choice(sorted(ISSUED_FORMS)), help="Corrections or cases instead of 附件4.")
@as_of
@settings
def synthesize_fill_command(given: Settings, faults: float, children: int, seed: int, profile: str, form: str | None,
                    as_of: dt.datetime | None) -> None:  # fmt: skip
    """Fill in the newest issue's workbooks, into private/inbox/ (use the list's seed and number of children)."""
    from etl.workflow import synthesizing

    run = given.run(as_of)
    if form:
        filled = synthesizing.synthesize_casework(run, form, seed)
    else:
        filled = synthesizing.synthesize_fill(run, children, seed, profile, faults=faults)
    console.say("synthetic.fill", files=len(filled), folder=run.home.inbox)
