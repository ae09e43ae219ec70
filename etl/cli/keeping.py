"""The record's own upkeep: made sure of, led back, brought to a new version."""

import datetime as dt
import sys
from pathlib import Path

import click

from etl.cli import console, show
from etl.cli.options import Group, Settings, as_of, settings
from etl.cli.run import Run
from etl.released import cell_id, read_release
from etl.vault import published
from etl.vault.keys import new_key
from etl.vault.scopes import build_scopes
from etl.vault.upgrade import upgrade as upgrade_vault
from etl.vault.verify import Verified
from etl.vault.verify import verify as verify_vault


@click.group(cls=Group)
def vault() -> None:
    """The record's own upkeep."""


@vault.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def keygen(file: Path) -> None:
    """Make a new master key file, readable by its owner alone."""
    new_key(file)
    console.say("key.made", file=file)


@vault.command()
@click.option("--head", "paper", default="", help="The head as it stands on the custodian's signed paper.")
@settings
def verify(given: Settings, paper: str) -> None:
    """Go over the whole record: pages, the chain, sums, releases; names the first broken link (exit 3)."""
    found = verified(given.run(), paper)
    show.show_verified(found)
    sys.exit(3 if found.breaks else 0)


def verified(run: Run, paper: str = "") -> Verified:
    """The whole record gone over."""
    vault = run.open_vault()
    try:
        return verify_vault(vault, run.campaign, run.home.released, paper)
    finally:
        vault.close()


@vault.command()
@click.argument("release")
@click.argument("table")
@click.argument("cell")
@settings
def trace(given: Settings, release: str, table: str, cell: str) -> None:
    """Lead a published figure back to its workbooks, such as: vault trace 0001 city city.returned."""
    run = given.run()
    opened = run.open_vault()
    try:
        found = published.trace(opened, run.campaign, release, table, cell)
    finally:
        opened.close()
    row, _, measure = cell.rpartition(".")
    shown = read_release(run.home.released / release).table(table)[row, measure]
    show.show_trace(run.campaign, found, table, cell_id(row, measure), shown)
    sys.exit(0 if found.is_whole else 3)


@vault.command()
@as_of
@settings
def upgrade(given: Settings, as_of: dt.datetime | None) -> None:
    """Bring an older record to this program's version; all in one step, or not at all."""
    run = given.run(as_of)
    with run.home.lock():
        found, now = upgrade_vault(run.home.vault, run.keys, run.campaign, run.day)
        opened = run.open_vault()
        try:
            build_scopes(opened, run.campaign, run.home.scopes)
        finally:
            opened.close()
    console.say("vault.upgraded", found=found, now=now)
