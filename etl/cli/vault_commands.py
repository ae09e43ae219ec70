"""The record's own upkeep: made sure of, led back, brought to a new version."""

import datetime as dt
import sys
from pathlib import Path

import click

from etl.cli import console, show_vault
from etl.cli.options import FILE, Command, Group, Settings, as_of, settings
from etl.cli.parameters import DAY
from etl.exchange.release import cell_id, read_release
from etl.vault.record import releases
from etl.vault.store import chain
from etl.vault.store.keys import new_key
from etl.vault.upkeep.verify import Verified
from etl.vault.upkeep.verify import verify as verify_vault
from etl.workflow import upkeep
from etl.workflow.doctor import Outcome, examine
from etl.workflow.run import Run


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
    show_vault.show_verified(found)
    sys.exit(3 if found.breaks else 0)


def verified(run: Run, paper: str = "") -> Verified:
    """The whole record gone over."""
    with run.home.lock(), run.open_vault() as vault:  # no other command is between the record and its scope files
        return verify_vault(vault, run.campaign, run.home.released, run.home.scopes, paper)


@vault.command()
@click.argument("release")
@click.argument("table")
@click.argument("cell")
@settings
def trace(given: Settings, release: str, table: str, cell: str) -> None:
    """Lead a published figure back to its workbooks, such as: vault trace 0001 city city.returned."""
    run = given.run()
    with run.open_vault() as opened:
        found = releases.trace(opened, run.campaign, release, table, cell)
    row, _, measure = cell.rpartition(".")
    shown = read_release(run.home.released / release).table(table)[row, measure]
    show_vault.show_trace(run.campaign, found, table, cell_id(row, measure), shown)
    sys.exit(0 if found.is_whole else 3)


@vault.command()
@as_of
@settings
def upgrade(given: Settings, as_of: dt.datetime | None) -> None:
    """Bring an older record to this program's version; all in one step, or not at all."""
    found, now = upkeep.upgrade(given.run(as_of))
    console.say("vault.upgraded", found=found, now=now)


@vault.command()
@click.option("--to", "target", type=click.Path(dir_okay=False, path_type=Path),
              help="Where the copy goes (default: private/backups/).")  # fmt: skip
@as_of
@settings
def backup(given: Settings, target: Path | None, as_of: dt.datetime | None) -> None:
    """Copy the record, encrypted; the copy is opened and its chain verified before it counts."""
    path, newest = upkeep.back_up(given.run(as_of), target)
    console.say("vault.backed_up", file=path, links=newest.id, head=chain.printed(newest.seal))


@vault.command()
@click.argument("file", type=FILE)
@click.option("--to", "upto", type=click.IntRange(1), metavar="LINK",
              help="Only as far as this link of the chain (see vault history).")  # fmt: skip
@as_of
@settings
def restore(given: Settings, file: Path, upto: int | None, as_of: dt.datetime | None) -> None:
    """Put a copy in the record's place; the record that it replaces is kept beside."""
    last, kept = upkeep.restore(given.run(as_of), file, upto)
    console.say("vault.restored", links=last, kept=kept if kept.exists() else "—")


@vault.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--by", required=True, help="Who replaces the key.")
@as_of
@settings
def rekey(given: Settings, file: Path, by: str, as_of: dt.datetime | None) -> None:
    """Encrypt everything under a new master key (made in FILE if it is not there). Stop the staff server first."""
    upkeep.change_key(given.run(as_of), file, by)
    console.say("vault.rekeyed", file=file)


@vault.command()
@click.option("--before", required=True, type=DAY, help="Lists handed out before this day.")
@click.option("--by", required=True, help="Who purges.")
@as_of
@settings
def purge(given: Settings, before: dt.datetime, by: str, as_of: dt.datetime | None) -> None:
    """Delete all individuals of old lists, here and in every file of this home; sums and releases stay."""
    certificate, file = upkeep.delete_individuals(given.run(as_of), before.date(), by)
    known = [*(one["file"] for one in certificate["copies_elsewhere"]), *certificate["half_made"]]
    elsewhere = "、".join(known) or "—"
    console.say("vault.purged", children=certificate["deleted"]["child"], file=file,
                copies=len(certificate["copies"]), elsewhere=elsewhere)  # fmt: skip


@vault.command()
@settings
def history(given: Settings) -> None:
    """Every link of the chain: what came on record, and when."""
    with given.run().open_vault() as opened:
        show_vault.show_history(list(chain.links(opened.connection)))


@click.command(cls=Command)
@settings
def doctor(given: Settings) -> None:
    """Is this machine fit: key, permissions, record, clock, disk, swap, fonts; exit 1 if something is bad."""
    run = given.run()
    checks = examine(run, given.key())
    show_vault.show_checks(checks)
    sys.exit(1 if any(check.outcome is Outcome.BAD for check in checks) else 0)
