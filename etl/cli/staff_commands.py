"""Commands about the staff instance: its accounts, its certificate, and its audit log."""

import datetime as dt
import sys
from pathlib import Path

import click

from etl.cli import console
from etl.cli.options import FILE, Command, Group, Settings, as_of, settings
from etl.cli.parameters import DAY

#: The longest validity of a certificate, in days, that all browsers accept from a private authority.
MOST_DAYS = 825


@click.group(cls=Group)
def staff_command() -> None:
    """Manage accounts, certificate and audit log of the staff instance."""


@staff_command.command("add")
@click.argument("name")
@click.option(
    "--scope",
    required=True,
    help="bureau, inspectorate, custodian (keeps the log), a department's or unit's slug.",
)
@settings
def staff_add_command(given: Settings, name: str, scope: str) -> None:
    """Make an account and print its one-time password."""
    from etl.workflow import staffing

    console.say("staff.added", name=name, scope=scope, password=staffing.add_staff(given.run(), name, scope))


@staff_command.command("import")
@click.argument("file", metavar="STAFF.xlsx", type=FILE)
@as_of
@settings
def staff_import_command(given: Settings, file: Path, as_of: dt.datetime | None) -> None:
    """Make all accounts of a list (columns 账号 and 范围), or none; passwords are written to a sealed workbook."""
    from etl.workflow import staffing

    made, accounts = staffing.import_staff(given.run(as_of), file)
    console.say("staff.imported", accounts=accounts, file=made)


@staff_command.command("list")
@settings
def staff_list_command(given: Settings) -> None:
    """List all accounts with their scopes."""
    from etl.cli import show
    from etl.workflow import staffing

    show.show_staff(staffing.list_staff(given.run()))


@staff_command.command("disable")
@click.argument("name")
@settings
def staff_disable_command(given: Settings, name: str) -> None:
    """Disable an account, with immediate effect."""
    from etl.workflow import staffing

    staffing.disable_staff(given.run(), name)
    console.say("staff.disabled", name=name)


@staff_command.command("enable")
@click.argument("name")
@settings
def staff_enable_command(given: Settings, name: str) -> None:
    """Let a disabled account log in again, with its former password."""
    from etl.workflow import staffing

    staffing.enable_staff(given.run(), name)
    console.say("staff.enabled", name=name)


@staff_command.command("reset")
@click.argument("name")
@settings
def staff_reset_command(given: Settings, name: str) -> None:
    """Give an account a new one-time password; whoever is logged in with it is out."""
    from etl.workflow import staffing

    console.say("staff.reset", name=name, password=staffing.reset_staff(given.run(), name))


@staff_command.command("certificate")
@click.option("--host", "hosts", multiple=True, required=True,
              help="Name or address by which browsers reach the server (repeat it for more).")  # fmt: skip
@click.option("--days", type=click.IntRange(1, MOST_DAYS), default=397, show_default=True, help="How long it is valid.")
@as_of
@settings
def staff_certificate_command(given: Settings, hosts: tuple[str, ...], days: int, as_of: dt.datetime | None) -> None:
    """Make a TLS certificate, and the authority that office machines must trust. Both replace earlier ones."""
    from etl.workflow import staffing

    made = staffing.make_certificate(given.run(as_of), hosts, days)
    console.say("tls.made", file=made.authority, fingerprint=made.fingerprint, hosts="、".join(made.hosts),
                until=made.until)  # fmt: skip


@staff_command.group(cls=Group)
def audit_command() -> None:
    """The audit log of the staff instance, for its custodian."""


@audit_command.command("verify", cls=Command)
@click.option("--head", "paper", default="", help="The head from the custodian's signed paper.")
@settings
def audit_verify_command(given: Settings, paper: str) -> None:
    """Verify the whole log and print its head for the custodian's paper. Exit 3 with the first faults, if any."""
    from etl.cli import show
    from etl.workflow import auditing
    from etl.workflow.texts import text

    found = auditing.verify_log(given.run(), paper)
    faults = [(file, text(key, number=number)) for file, key, number in found.breaks]
    if console.wants_json():
        breaks = [{"file": file, "message": message} for file, message in faults]
        console.result("audit", entries=found.entries, files=found.files, head=found.head, breaks=breaks)
    else:
        for file, message in faults[: show.MOST_SHOWN]:
            console.show(f"✗ {file}：{message}", always=True)
        if not faults:
            console.say("audit.whole", entries=found.entries, head=found.head or "—")
    sys.exit(3 if faults else 0)


@audit_command.command("export", cls=Command)
@click.option("--since", type=DAY, help="Only entries of this day (UTC) or later.")
@as_of
@settings
def audit_export_command(given: Settings, since: dt.datetime | None, as_of: dt.datetime | None) -> None:
    """Write the log to a sealed workbook in private/reports/, under the password of the bureau's documents."""
    from etl.workflow import auditing

    file, entries = auditing.export(given.run(as_of), since.date() if since else None)
    console.say("audit.exported", entries=entries, file=file)


@audit_command.command("rotate", cls=Command)
@click.option("--before", required=True, type=DAY, help="A day at least 183 days ago.")
@as_of
@settings
def audit_rotate_command(given: Settings, before: dt.datetime, as_of: dt.datetime | None) -> None:
    """Move entries before a day to a file of their own, which is still verified together with the log."""
    from etl.workflow import auditing

    file = auditing.rotate_log(given.run(as_of), before.date())
    console.say("audit.put_away" if file else "audit.nothing_old", file=file, before=before.date())
