"""The command that adds up the forms of many counties; it needs neither a home nor a key."""

import datetime as dt
import sys
from pathlib import Path
from typing import IO

import click

from etl.cli import console
from etl.cli.options import Command, Settings, as_of, settings
from etl.findings import FuxueError


@click.command("rollup", cls=Command)
@click.argument("files", metavar="FILE…", nargs=-1, required=True,
                type=click.Path(exists=True, path_type=Path))  # fmt: skip
@click.option("--name", metavar="PLACE", help="Whose form it is (default: the city of all, else the province).")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Where to write (default: rollup-DAY.xlsx here).")  # fmt: skip
@click.option("--password-file", type=click.File(encoding="utf-8"), metavar="FILE",
              help="The passwords of sealed files, one a line.")  # fmt: skip
@as_of
@settings
def rollup_command(given: Settings, files: tuple[Path, ...], name: str | None, out: Path | None,
                   password_file: IO[str] | None, as_of: dt.datetime | None) -> None:  # fmt: skip
    """Add up the 附件5 of many counties (workbooks, releases' folders, or rollups): sums alone, no child."""
    from etl.cli import show_documents
    from etl.rulebook.campaign import load_campaign
    from etl.system.disk import write_whole
    from etl.workflow import rolling_up

    campaign, day = load_campaign(given.campaign_folder), (as_of.date() if as_of else dt.date.today())
    passwords = [line.strip() for line in password_file] if password_file else []
    places, faults = rolling_up.roll_up(campaign, files, [one for one in passwords if one], console.progress_bar)
    if faults:
        show_documents.show_rollup_faults(faults)
        sys.exit(1)
    target = out or Path(f"rollup-{day}.xlsx")
    if target.exists() and not given.agree(FuxueError("rollup.exists", file=target)):
        raise FuxueError("rollup.exists", file=target)
    cities = {one.city for one in places}
    whose = name or (cities.pop() if len(cities) == 1 else "") or campaign.province
    write_whole(target, rolling_up.rollup_workbook(campaign, whose, places, day))
    console.say("rollup.written", file=target, places=len(places), name=whose)
    console.result("rollup", file=str(target), places=len(places), name=whose)
