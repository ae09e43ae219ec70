"""Commands for the record's upkeep: keys, verification, traces, copies, retention, new versions."""

import datetime as dt
import sys
from pathlib import Path

import click

from etl.cli import console
from etl.cli.options import FILE, Command, Group, Settings, as_of, settings
from etl.cli.parameters import DAY


@click.group(cls=Group)
def vault_command() -> None:
    """Upkeep of the record: keys, verification, copies, retention, new versions."""


@vault_command.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def keygen_command(file: Path) -> None:
    """Write a new master key to FILE, readable by its owner only."""
    from etl.workflow import upkeep

    upkeep.make_key(file)
    console.say("key.made", file=file)


@vault_command.command("verify")
@click.option("--head", "paper", default="", help="The head from the custodian's signed paper.")
@settings
def verify_record_command(given: Settings, paper: str) -> None:
    """Verify the whole record: pages, chain, sums, releases. Exit 3 with the first faults if it is broken."""
    from etl.cli import show_vault
    from etl.workflow import upkeep

    found = upkeep.verify_record(given.run(), paper)
    show_vault.show_record_verified(found)
    sys.exit(3 if found.breaks else 0)


@vault_command.command()
@click.argument("release")
@click.argument("table")
@click.argument("cell")
@settings
def trace_command(given: Settings, release: str, table: str, cell: str) -> None:
    """Trace a published figure to the workbooks that it counts, such as: vault trace 0001 city city.returned."""
    from etl.cli import show_vault
    from etl.workflow import upkeep

    run = given.run()
    found, shown = upkeep.trace_figure(run, release, table, cell)
    show_vault.show_trace(run.campaign, found, table, cell, shown)
    sys.exit(0 if found.is_whole else 3)


@vault_command.command()
@as_of
@settings
def upgrade_command(given: Settings, as_of: dt.datetime | None) -> None:
    """Upgrade an older record to this program's version, completely or not at all."""
    from etl.workflow import upkeep

    found, now = upkeep.upgrade(given.run(as_of))
    console.say("vault.upgraded", found=found, now=now)


@vault_command.command()
@click.option("--to", "target", type=click.Path(dir_okay=False, path_type=Path),
              help="File to write the copy to (default: a new one in private/backups/).")  # fmt: skip
@as_of
@settings
def backup_command(given: Settings, target: Path | None, as_of: dt.datetime | None) -> None:
    """Make an encrypted copy of the record; it is opened and verified before it is recorded."""
    from etl.workflow import upkeep

    path, newest = upkeep.back_up(given.run(as_of), target)
    console.say("vault.backed_up", file=path, links=newest.id, head=newest.printed)


@vault_command.command()
@click.argument("file", type=FILE)
@click.option("--to", "upto", type=click.IntRange(1), metavar="LINK",
              help="Only up to this link of the chain (see vault history).")  # fmt: skip
@as_of
@settings
def restore_command(given: Settings, file: Path, upto: int | None, as_of: dt.datetime | None) -> None:
    """Replace the record by a copy; the replaced record is kept in private/backups/."""
    from etl.workflow import upkeep

    last, kept = upkeep.restore(given.run(as_of), file, upto)
    console.say("vault.restored", links=last, kept=kept if kept.exists() else "—")


@vault_command.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--by", required=True, help="Who replaces the key.")
@as_of
@settings
def rekey_command(given: Settings, file: Path, by: str, as_of: dt.datetime | None) -> None:
    """Encrypt everything under a new master key in FILE (made if missing). Stop the staff server first."""
    from etl.workflow import upkeep

    upkeep.change_key(given.run(as_of), file, by)
    console.say("vault.rekeyed", file=file)


@vault_command.command()
@click.option("--before", required=True, type=DAY, help="Lists handed out before this day.")
@click.option("--by", required=True, help="Who purges.")
@as_of
@settings
def purge_command(given: Settings, before: dt.datetime, by: str, as_of: dt.datetime | None) -> None:
    """Delete all individuals of old lists, in the record and in every file of this home; sums and releases stay."""
    from etl.workflow import upkeep

    certificate, file = upkeep.delete_individuals(given.run(as_of), before.date(), by)
    known = [*(one["file"] for one in certificate["copies_elsewhere"]), *certificate["half_made"]]
    elsewhere = "、".join(known) or "—"
    console.say("vault.purged", children=certificate["deleted"]["child"], file=file,
                copies=len(certificate["copies"]), elsewhere=elsewhere)  # fmt: skip


@vault_command.command()
@settings
def history_command(given: Settings) -> None:
    """List every link of the chain: what was recorded, and when."""
    from etl.cli import show_vault
    from etl.workflow import upkeep

    show_vault.show_history(upkeep.chain_links(given.run()))


@click.command(cls=Command)
@settings
def doctor_command(given: Settings) -> None:
    """Check this machine and home: key, permissions, record, clock, disk, swap, fonts. Exit 1 if something is bad."""
    from etl.cli import show_vault
    from etl.workflow.doctor import Outcome, examine

    run = given.run()
    checks = examine(run, given.key())
    show_vault.show_checks(checks)
    sys.exit(1 if any(check.outcome is Outcome.BAD for check in checks) else 0)
