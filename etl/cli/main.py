"""The command line: groups and options in the order of the work (`build.py --help`). All logic lies in the rooms."""

import datetime as dt
import os
import sys
from pathlib import Path

import click

from etl.cli import console, paper_commands, show, staff_commands, vault_commands
from etl.cli.options import FILE, Main, Settings, as_of, settings
from etl.cli.parameters import RETURNED
from etl.cli.show_release import show_release, show_verified
from etl.findings import FuxueError
from etl.rulebook.campaign import load_campaign
from etl.synthetic.population import PROFILES
from etl.workflow import issuing, loading, releasing, serving, verifying
from etl.workflow.demonstrating import run_demo

PORT = click.IntRange(1, 65535)


@click.group(cls=Main, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(context: click.Context) -> None:
    """Fuxue 复学：从省级名单到受保护的公开页面 — from a province list to a protected public page."""
    context.ensure_object(Settings)


@main.command()
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--children", type=click.IntRange(1), default=1200, show_default=True)
@settings
def demo(given: Settings, seed: int, children: int) -> None:
    """The whole main job on synthetic data, in one go; prints where to look."""
    show.show_demo(run_demo(given.home, given.campaign_folder, seed, children, console.bar), given.home)


@main.group()
def synthesize() -> None:
    """Made-up people: a province list, and units that fill their workbooks."""


@synthesize.command("list")
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--children", type=click.IntRange(1), default=1200, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--profile", type=click.Choice(sorted(PROFILES)), default="default", show_default=True)
@settings
def synthesize_list(given: Settings, out: Path, children: int, seed: int, profile: str) -> None:
    """Write a synthetic province list."""
    loading.synthesize_list(load_campaign(given.campaign_folder), out, children, seed, profile)
    console.say("synthetic.list", children=children, file=out)


@synthesize.command("fill")
@click.option("--faults", type=click.FloatRange(0, 1), default=0.0, show_default=True,
              help="Share of units whose workbook is spoiled.")  # fmt: skip
@click.option("--children", type=click.IntRange(1), default=1200, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--profile", type=click.Choice(sorted(PROFILES)), default="default", show_default=True)
@click.option("--form", type=click.Choice(sorted(issuing.FORMS)), help="Corrections or cases instead of 附件4.")
@as_of
@settings
def synthesize_fill(given: Settings, faults: float, children: int, seed: int, profile: str, form: str | None,
                    as_of: dt.datetime | None) -> None:  # fmt: skip
    """Fill the newest issue's workbooks as units would, into private/inbox/ (same seed and children as the list)."""
    run = given.run(as_of)
    if form:
        filled = loading.synthesize_casework(run, form, seed)
    else:
        filled = loading.synthesize_fill(run, children, seed, profile, faults=faults)
    console.say("synthetic.fill", files=len(filled), folder=run.home.inbox)


@main.command()
@click.argument("list_file", metavar="[LIST.xlsx]", type=FILE, required=False)
@click.option("--assign", type=FILE, help="The completed unassigned.xlsx: which unit a child belongs to.")
@click.option("--exclude", type=FILE, help="The completed exclusions.xlsx: which rows are left out, and by whom.")
@click.option("--form", type=click.Choice(sorted(issuing.FORMS)), help="Hand out corrections or cases, not a list.")
@click.option("--to", metavar="X", help="With --form: only this department or unit (slug).")
@as_of
@settings
def issue(given: Settings, list_file: Path | None, assign: Path | None, exclude: Path | None, form: str | None,
          to: str | None, as_of: dt.datetime | None) -> None:  # fmt: skip
    """Seal one workbook per unit (of a province's list, or of its supplement) into private/outbox/.

    With --form: the departments' corrections workbooks, or the units' case workbooks.
    """
    run = given.run(as_of)
    if (list_file is None) == (form is None) or (form and (assign or exclude)) or (to and not form):
        raise FuxueError("issue.list_or_form")
    if form:
        handed = issuing.issue_form(run, form, to)
        console.say("issue.form_done", issue=handed.issue, rows=handed.rows, receivers=handed.receivers,
                    folder=run.home.outbox / handed.issue)  # fmt: skip
    elif list_file:
        show.show_issue(issuing.issue_list(run, list_file, assign=assign, exclude=exclude), run.home)


@main.command()
@click.option("--unit", metavar="X", help="Only this unit's or department's (slug); bureau: the list's papers.")
@settings
def passwords(given: Settings, unit: str | None) -> None:
    """Print the workbooks' passwords: derived from the key, stored nowhere."""
    run = given.run()
    show.show_passwords(run.campaign, issuing.passwords(run, unit))


@main.command()
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=RETURNED)
@click.option("--allow-unsealed", is_flag=True, help="Read unencrypted files too.")
@as_of
@settings
def check(given: Settings, files: tuple[Path, ...], allow_unsealed: bool, as_of: dt.datetime | None) -> None:
    """Read and check returned workbooks, record nothing; exit 1 if one has errors."""
    checked = loading.check(given.run(as_of), files, allow_unsealed=allow_unsealed)
    show.show_checked("check", [(c, "accepted" if c.accepted else "refused") for c in checked])
    sys.exit(0 if all(c.accepted for c in checked) else 1)


@main.command()
@click.argument("files", metavar="[FILE…]", nargs=-1, type=RETURNED)
@click.option("--allow-unsealed", is_flag=True, help="Accept unencrypted files, on record.")
@click.option("--again", is_flag=True, help="Take FILEs back that newer ones have replaced.")
@as_of
@settings
def load(given: Settings, files: tuple[Path, ...], allow_unsealed: bool, again: bool,
         as_of: dt.datetime | None) -> None:  # fmt: skip
    """Check and record all of private/inbox/ (or FILEs); each workbook is accepted or refused whole.

    What was heard leaves the inbox, for private/received/ or private/refused/.
    """
    if again and not files:
        raise FuxueError("load.again_needs_files")
    run = given.run(as_of)
    loaded = loading.load(run, files, allow_unsealed=allow_unsealed, again=again)
    if not loaded:
        console.say("load.nothing", folder=run.home.inbox)
        return
    show.show_checked("load", [(one.checked, one.outcome) for one in loaded])
    if left := [one.checked.file for one in loaded if one.is_left]:
        console.say("load.left", count=len(left), files="、".join(left))
    sys.exit(1 if any(one.outcome == "refused" for one in loaded) else 0)


main.add_command(paper_commands.report)
main.add_command(paper_commands.record)
main.add_command(paper_commands.lock_base)
main.add_command(vault_commands.vault)
main.add_command(vault_commands.doctor)


@main.command()
@as_of
@settings
def status(given: Settings, as_of: dt.datetime | None) -> None:
    """Per unit: children issued, workbooks received and refused, days to the deadline."""
    run = given.run(as_of)
    show.show_status(run.campaign, run.day, loading.status(run), run.home)


@main.command()
@as_of
@click.option("--closing", is_flag=True, help="The one exact table at the end of the campaign.")
@click.option("--dry-run", is_flag=True, help="Protect and audit, write nothing.")
@settings
def release(given: Settings, as_of: dt.datetime | None, closing: bool, dry_run: bool) -> None:
    """Count, protect, audit, and write released/NNNN/; rounded before the close; refused (exit 3) if unsafe."""
    run = given.run(as_of)
    made = releasing.release(run, closing=closing, dry_run=dry_run)
    show_release(run.campaign, made, run.home)


@main.command()
@click.option("--production", is_flag=True, help="Refuse a site whose identity (site.toml) is not filled in.")
@click.option("--check", is_flag=True, help="Make all anew and check it first: links, HTML, figures, files, proofs.")
@settings
def publish(given: Settings, production: bool, check: bool) -> None:
    """All releases → public/: a fresh folder, exchanged for the old one in one step. Runs without any key."""
    releasing.publish(given.home, given.campaign_folder, production=production, check=check)
    console.say("publish.done", folder=given.home.public)


@main.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@settings
def verify(given: Settings, folder: Path) -> None:
    """Check a release folder, or a published site, from public figures alone."""
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 - `.` has a name, and no link is followed
    if verifying.is_site(folder):
        found = verifying.verify_site(given.campaign_folder, folder)
        console.say("verify.site_ok", folder=folder, release=found.name, as_of=found.as_of)
        return
    show_verified(folder, releasing.verify(load_campaign(given.campaign_folder), folder))


@main.group(invoke_without_command=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--staff-port", type=PORT, default=8001, show_default=True)
@click.option("--site-port", type=PORT, default=8000, show_default=True)
@click.option("--data-port", type=PORT, default=8002, show_default=True)
@click.pass_context
def serve(context: click.Context, host: str, staff_port: int, site_port: int, data_port: int) -> None:
    """Serve both instances, or `serve staff` or `serve public` alone. Ctrl-C ends."""
    context.meta["at"] = host, serving.Ports(staff_port, site_port, data_port)
    if context.invoked_subcommand is None:
        given: Settings = context.obj
        run = given.run()
        tls = serving.check_addresses(run, host, staff_port, site_port, data_port)
        show.show_addresses(host, {"staff": staff_port, "site": site_port, "data": data_port},
                            serving.demo_logins(given.home, run), tls=tls)  # fmt: skip
        serving.serve_both(run, host, serving.Ports(staff_port, site_port, data_port))


@serve.command("staff")
@click.pass_context
def serve_staff(context: click.Context) -> None:
    """The staff Datasette: login, each account its own scope."""
    host, ports = context.meta["at"]
    run = context.obj.run()
    tls = serving.check_addresses(run, host, ports.staff)
    show.show_addresses(host, {"staff": ports.staff}, serving.demo_logins(context.obj.home, run), tls=tls)
    serving.serve_staff(run, host, ports)


@serve.command("public")
@click.pass_context
def serve_public(context: click.Context) -> None:
    """The static site and a Datasette over fuxue.db; needs no key."""
    host, ports = context.meta["at"]
    serving.check_ports(host, ports.site, ports.data)
    show.show_addresses(host, {"site": ports.site, "data": ports.data}, [])
    serving.serve_public(context.obj.home, host, ports)


main.add_command(staff_commands.staff)
