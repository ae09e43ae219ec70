"""Commands for publishing: release, publish, verify."""

import datetime as dt
import os
from pathlib import Path

import click

from etl.cli import console
from etl.cli.options import Command, Settings, as_of, settings


@click.command(cls=Command)
@as_of
@click.option("--closing", is_flag=True, help="Exact figures and intervals: once, at the end of the campaign.")
@click.option("--dry-run", is_flag=True, help="Do and check all, then delete the release again.")
@settings
def release_command(given: Settings, as_of: dt.datetime | None, closing: bool, dry_run: bool) -> None:
    """Count, protect, audit, prove, and write released/NNNN/; rounded unless --closing; refused (exit 3) if unsafe."""
    from etl.cli.show_release import show_release
    from etl.workflow import releasing

    run = given.run(as_of)
    made = releasing.release_figures(run, closing=closing, dry_run=dry_run)
    show_release(run.campaign, made, run.home)


@click.command(cls=Command)
@click.option("--production", is_flag=True, help="Refuse a site whose identity (site.toml) is not filled in.")
@click.option("--check", is_flag=True, help="Rebuild all, and check links, HTML, figures, files and proofs first.")
@settings
def publish_command(given: Settings, production: bool, check: bool) -> None:
    """Make public/ from all releases: a new folder that replaces the old one in one step. Needs no key."""
    from etl.workflow import publishing

    publishing.publish(given.home, given.campaign_folder, production=production, check=check)
    console.say("publish.done", folder=given.home.public)


@click.command(cls=Command)
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@settings
def verify_command(given: Settings, folder: Path) -> None:
    """Verify a release folder or a published site, from public figures only. Needs no key."""
    from etl.rulebook.campaign import load_campaign
    from etl.workflow import verifying, verifying_site

    folder = Path(os.path.abspath(folder))  # noqa: PTH100 - `.` has a name, and no link is followed
    if verifying_site.is_site(folder):
        found = verifying_site.verify_site(given.campaign_folder, folder)
        console.say("verify.site_ok", folder=folder, release=found.name, as_of=found.as_of)
        return
    from etl.cli.show_release import show_release_verified

    show_release_verified(folder, verifying.verify_release_folder(load_campaign(given.campaign_folder), folder))
