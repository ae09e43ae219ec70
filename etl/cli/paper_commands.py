"""Commands about paper: documents that the bureau makes, and what was seen or done on paper, with who and when."""

import datetime as dt
import sys
from pathlib import Path

import click

from etl.cli import console, show, show_vault
from etl.cli.options import Command, Group, Settings, as_of, settings
from etl.cli.parameters import RETURNED
from etl.vault.record.evidence import ISSUED_VALUES, SIGNED
from etl.workflow import inspecting, loading, releasing, reporting


@click.group(cls=Group)
def report() -> None:
    """Sealed documents into private/reports/."""


@report.command("feedback")
@click.argument("files", metavar="[FILE…]", nargs=-1, type=RETURNED)
@click.option("--unit", metavar="X", help="Only this unit's or department's (slug).")
@click.option("--allow-unsealed", is_flag=True, help="Read unencrypted files too.")
@as_of
@settings
def report_feedback(given: Settings, files: tuple[Path, ...], unit: str | None, allow_unsealed: bool,
                    as_of: dt.datetime | None) -> None:  # fmt: skip
    """Each unit's newest workbook (or FILEs) with its faulty cells marked, and a page that says what to mend."""
    run = given.run(as_of)
    made = reporting.feedback(run, files, unit, allow_unsealed=allow_unsealed)
    show.show_feedback(run.campaign, made)
    sys.exit(1 if any(one.failed for one in made) else 0)


@click.group(cls=Group)
def record() -> None:
    """What was seen on paper, with who and when."""


@record.command("police-ref")
@click.option("--serial", required=True, help="原始序号 of the child.")
@click.option("--issue", "issue_id", help="Its issue, where two lists have this 原始序号.")
@click.option("--reference", required=True, help="The police's reference (文号).")
@click.option("--by", required=True, help="Who records it.")
@as_of
@settings
def record_police_ref(given: Settings, serial: str, issue_id: str | None, reference: str, by: str,
                      as_of: dt.datetime | None) -> None:  # fmt: skip
    """The police's word that a child is missing (category G)."""
    loading.record_police_ref(given.run(as_of), issue_id, serial, reference, by)
    console.say("record.police", serial=serial)


@record.command("signature")
@click.option("--unit", required=True, help="The unit (slug) whose paper it is.")
@click.option("--act", required=True, type=click.Choice(sorted(SIGNED)),
              help="Signed for verification, for return, or for a case file's copy at the bureau or unit.")  # fmt: skip
@click.option("--serial", "serials", multiple=True, help="Only this 原始序号 (repeat it for more; default: all).")
@click.option("--issue", "issue_id", help="Only this issue's children.")
@click.option("--by", required=True, help="Who saw the paper.")
@as_of
@settings
def record_signature(given: Settings, unit: str, act: str, serials: tuple[str, ...], issue_id: str | None, by: str,
                     as_of: dt.datetime | None) -> None:  # fmt: skip
    """A signed paper was seen (M11, M16); a typed name is no signature."""
    children = loading.record_signature(given.run(as_of), unit, act, list(serials), by, issue_id)
    console.say("record.signature", unit=unit, act=act, children=children)


@record.command("deliverable")
@click.option("--unit", required=True, help="The unit (slug) that handed it in.")
@click.option("--what", required=True, type=click.Choice(["annex4", "annex5", "summary"]),
              help="附件4, 附件5 or 工作总结.")  # fmt: skip
@click.option("--medium", required=True, type=click.Choice(["paper", "stick"]), help="On which it came.")
@click.option("--signed", is_flag=True, help="Paper: signed and sealed by the head of the unit.")
@click.option("--by", required=True, help="Who received it.")
@as_of
@settings
def record_deliverable(given: Settings, unit: str, what: str, medium: str, signed: bool, by: str,
                       as_of: dt.datetime | None) -> None:  # fmt: skip
    """附件4, 附件5 or 工作总结 came in (M14)."""
    loading.record_deliverable(given.run(as_of), unit, what, medium, by, signed=signed)
    console.say("record.deliverable", unit=unit, what=what, medium=medium)


@record.command("correction")
@click.option("--serial", required=True, help="原始序号 of the child.")
@click.option("--issue", "issue_id", help="Its issue, where two lists have this 原始序号.")
@click.option("--column", "key", required=True, type=click.Choice(ISSUED_VALUES), help="Which issued value is wrong.")
@click.option("--value", prompt="正确的内容 (the right value)", metavar="TEXT",
              help="The right value; asked for if left out, so that it stays out of the shell's history.")  # fmt: skip
@click.option("--to", "department", required=True, metavar="X", help="The department (slug) that corrects it.")
@click.option("--by", required=True, help="Who records it.")
@as_of
@settings
def record_correction(given: Settings, serial: str, issue_id: str | None, key: str, value: str, department: str,
                      by: str, as_of: dt.datetime | None) -> None:  # fmt: skip
    """An issued value is wrong (M15): the right one goes to a department as a correction; what was issued stays."""
    loading.record_wrong_value(given.run(as_of), issue_id, serial, key, value, department, by)
    console.say("record.correction", serial=serial, department=department)


@record.command("release")
@click.argument("number")
@as_of
@settings
def record_release(given: Settings, number: str, as_of: dt.datetime | None) -> None:
    """A release that a restored copy does not know, from its folder, which is verified first; the oldest first."""
    head = releasing.adopt(given.run(as_of), number)
    console.say("release.adopted", release=number, head=head)


@report.command("flags")
@click.option("--sample", "size", type=click.IntRange(1), metavar="N",
              help="Also draw N children for a second visit, at least one a unit; on record.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**48), help="Draw by this seed (default: a new one; it is recorded).")
@click.option("--by", default="", help="With --sample: who draws.")
@click.option("--drawn", type=click.IntRange(1), metavar="N", help="Print sample N, which is on record, again.")
@as_of
@settings
def report_flags(given: Settings, size: int | None, seed: int | None, by: str, drawn: int | None,
                 as_of: dt.datetime | None) -> None:  # fmt: skip
    """For the inspectorate: unlikely reporting with its reasons, and the sample; sealed into private/reports/."""
    if size and drawn:
        raise click.UsageError("--sample draws a new sample, --drawn prints an old one: give one of them.")
    run = given.run(as_of)
    show.show_inspected(run, inspecting.look_through(run, size, seed, by, drawn=drawn))


@report.command("changes")
@settings
def report_changes(given: Settings) -> None:
    """The base as it was locked, and each answer that moved it since: when, which unit, who, from what to what."""
    run = given.run()
    lock, changes = inspecting.base_changes(run)
    show_vault.show_changes(run.campaign, lock, changes)


@click.command("lock-base", cls=Command)
@click.option("--by", required=True, help="Who locks it.")
@as_of
@settings
def lock_base(given: Settings, by: str, as_of: dt.datetime | None) -> None:
    """Lock the base (锁定底数), once: to return = suspected − deducted. What changes afterwards is told."""
    lock = inspecting.lock_base(given.run(as_of), by)
    console.say("base.done", **vars(lock), to_return=lock.suspected - lock.deducted)
