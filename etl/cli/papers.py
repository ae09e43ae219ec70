"""Commands about paper: documents that the bureau makes, and what was seen or done on paper, with who and when."""

import datetime as dt
from pathlib import Path

import click

from etl.cli import console, inspecting, reporting, show, steps
from etl.cli.options import FILE, Command, Group, Settings, as_of, settings


@click.group(cls=Group)
def report() -> None:
    """Sealed documents into private/reports/."""


@report.command("feedback")
@click.argument("files", metavar="[FILE…]", nargs=-1, type=FILE)
@click.option("--unit", metavar="X", help="Only this unit's or department's (slug).")
@click.option("--allow-unsealed", is_flag=True, help="Read unencrypted files too.")
@as_of
@settings
def report_feedback(given: Settings, files: tuple[Path, ...], unit: str | None, allow_unsealed: bool,
                    as_of: dt.datetime | None) -> None:  # fmt: skip
    """Workbooks of private/inbox/ (or FILEs) with their faulty cells marked, and a page that says what to mend."""
    run = given.run(as_of)
    paths = list(files) or steps.inbox(run)
    show.show_feedback(run.campaign, reporting.feedback(run, paths, unit, allow_unsealed=allow_unsealed))


@click.group(cls=Group)
def record() -> None:
    """What was seen on paper, with who and when."""


@record.command("police-ref")
@click.option("--serial", required=True, help="原始序号 of the child.")
@click.option("--issue", "issue_id", help="Its issue (default: the first list).")
@click.option("--reference", required=True, help="The police's reference (文号).")
@click.option("--by", required=True, help="Who records it.")
@as_of
@settings
def record_police_ref(given: Settings, serial: str, issue_id: str | None, reference: str, by: str,
                      as_of: dt.datetime | None) -> None:  # fmt: skip
    """The police's word that a child is missing (category G)."""
    steps.record_police_ref(given.run(as_of), issue_id, serial, reference, by)
    console.say("record.police", serial=serial)


@report.command("flags")
@click.option("--sample", "size", type=click.IntRange(1), metavar="N",
              help="Also draw N children for a second visit, and record it.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**48), help="Draw by this seed (default: a new one; it is recorded).")
@click.option("--by", default="", help="With --sample: who draws.")
@as_of
@settings
def report_flags(given: Settings, size: int | None, seed: int | None, by: str, as_of: dt.datetime | None) -> None:
    """For the inspectorate: unlikely reporting with its reasons, and the sample; sealed into private/reports/."""
    run = given.run(as_of)
    show.show_inspected(run, inspecting.look_through(run, size, seed, by))


@click.command("lock-base", cls=Command)
@click.option("--by", required=True, help="Who locks it.")
@as_of
@settings
def lock_base(given: Settings, by: str, as_of: dt.datetime | None) -> None:
    """Lock the base (锁定底数), once: to return = suspected − deducted. What changes afterwards is told."""
    lock = inspecting.lock_base(given.run(as_of), by)
    console.say("base.done", **vars(lock), to_return=lock.suspected - lock.deducted)
