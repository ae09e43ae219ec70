"""Commands that record evidence and decisions, with the person and the day."""

import datetime as dt

import click

from etl.cli import console
from etl.cli.options import Command, Group, Settings, as_of, settings
from etl.cli.parameters import DAY
from etl.findings import FuxueError
from etl.forms.definitions import ACTS, ISSUED_VALUES, PAPERS


@click.group(cls=Group)
def record_command() -> None:
    """Record evidence, wrong values and deliverables, with person and day."""


@record_command.command("police-ref")
@click.option("--serial", required=True, help="原始序号 of the child.")
@click.option("--issue", "issue_id", help="The child's issue, if several lists have this 原始序号.")
@click.option("--reference", required=True, help="The police's reference (文号).")
@click.option("--by", required=True, help="Who records it.")
@as_of
@settings
def record_police_ref_command(given: Settings, serial: str, issue_id: str | None, reference: str, by: str,
                      as_of: dt.datetime | None) -> None:  # fmt: skip
    """Record the police's reference for a missing child (category G)."""
    from etl.workflow import recording

    recording.record_police_ref(given.run(as_of), issue_id, serial, reference, by)
    console.say("record.police", serial=serial)


@record_command.command("signature")
@click.option("--unit", required=True, help="The unit (slug) whose paper it is.")
@click.option("--act", required=True, type=click.Choice(sorted(ACTS)),
              help="Signed for verification, for return, or for a case file's copy at the bureau or unit.")  # fmt: skip
@click.option("--serial", "serials", multiple=True, help="Only this 原始序号 (repeat it for more; default: all).")
@click.option("--issue", "issue_id", help="Only this issue's children.")
@click.option("--by", required=True, help="Who saw the paper.")
@as_of
@settings
def record_signature_command(given: Settings, unit: str, act: str, serials: tuple[str, ...], issue_id: str | None,
                             by: str, as_of: dt.datetime | None) -> None:  # fmt: skip
    """Record that a signed paper was seen (M11, M16); a typed name is no signature."""
    from etl.workflow import recording

    children = recording.record_signature(given.run(as_of), unit, act, list(serials), by, issue_id)
    console.say("record.signature", unit=unit, act=act, children=children)


@record_command.command("deliverable")
@click.option("--unit", required=True, help="The unit (slug) that handed it in.")
@click.option("--what", required=True, type=click.Choice(["annex4", "annex5", "summary"]),
              help="附件4, 附件5 or 工作总结.")  # fmt: skip
@click.option("--medium", required=True, type=click.Choice(["paper", "stick"]), help="On paper or on a USB stick.")
@click.option("--signed", is_flag=True, help="Paper: signed and sealed by the head of the unit.")
@click.option("--by", required=True, help="Who received it.")
@as_of
@settings
def record_deliverable_command(given: Settings, unit: str, what: str, medium: str, signed: bool, by: str,
                       as_of: dt.datetime | None) -> None:  # fmt: skip
    """Record that a unit handed in 附件4, 附件5 or its 工作总结 (M14)."""
    from etl.workflow import recording

    recording.record_deliverable(given.run(as_of), unit, what, medium, by, signed=signed)
    console.say("record.deliverable", unit=unit, what=what, medium=medium)


@record_command.command("correction")
@click.option("--serial", required=True, help="原始序号 of the child.")
@click.option("--issue", "issue_id", help="The child's issue, if several lists have this 原始序号.")
@click.option("--column", "key", required=True, type=click.Choice(ISSUED_VALUES), help="Which issued value is wrong.")
@click.option("--value", prompt="正确的内容 (the right value)", metavar="TEXT",
              help="The right value; left out, it is asked for, so that it is not in the shell's history.")  # fmt: skip
@click.option("--to", "department", required=True, metavar="X", help="The department (slug) that corrects it.")
@click.option("--by", required=True, help="Who records it.")
@as_of
@settings
def record_correction_command(given: Settings, serial: str, issue_id: str | None, key: str, value: str, department: str,
                      by: str, as_of: dt.datetime | None) -> None:  # fmt: skip
    """Record a wrong issued value (M15): the right one goes to a department as a correction; the issued one stays."""
    from etl.workflow import recording

    recording.record_wrong_value(given.run(as_of), issue_id, serial, key, value, department, by)
    console.say("record.correction", serial=serial, department=department)


@record_command.command("paper")
@click.option("--serial", required=True, help="原始序号 of the child.")
@click.option("--issue", "issue_id", help="The child's issue, if several lists have this 原始序号.")
@click.option("--kind", required=True, type=click.Choice(sorted(PAPERS)),
              help="A step towards the guardian (criticism, legal, liability), or a proof.")  # fmt: skip
@click.option("--about", required=True, metavar="TEXT", help="What it is.")
@click.option("--place", required=True, metavar="TEXT", help="Where it lies, e.g. 二号柜三层.")
@click.option("--dated", required=True, type=DAY, metavar="DAY", help="The paper's own date.")
@click.option("--by", required=True, help="Who records it.")
@as_of
@settings
def record_paper_command(given: Settings, serial: str, issue_id: str | None, kind: str, about: str, place: str,
                         dated: dt.datetime, by: str, as_of: dt.datetime | None) -> None:  # fmt: skip
    """Record a paper in a child's case file (M16), or a step taken towards its guardian (M17), and where it lies."""
    from etl.workflow import recording

    recording.record_paper(given.run(as_of), issue_id, serial, kind, about, place, dated.date(), by)
    console.say("record.paper", serial=serial, kind=PAPERS[kind])


@record_command.command("release")
@click.argument("number")
@as_of
@settings
def record_release_command(given: Settings, number: str, as_of: dt.datetime | None) -> None:
    """Record a release that a restored copy does not know, after verifying its folder; begin with the oldest."""
    from etl.workflow import releasing

    head = releasing.adopt_release(given.run(as_of), number)
    console.say("release.adopted", release=number, head=head)


@click.command("lock-base", cls=Command)
@click.option("--by", required=True, help="Who locks it.")
@as_of
@settings
def lock_base_command(given: Settings, by: str, as_of: dt.datetime | None) -> None:
    """Lock the base (锁定底数), once: to return = suspected − deducted. Later changes are listed (report changes).

    Asks first if returned children lack what shows their return (form of schooling, school, date, carer).
    """
    from etl.workflow import inspecting

    run = given.run(as_of)
    if bare := inspecting.bare_return_counts(run):
        units = "、".join(f"{run.campaign.recipient_name(unit)} {count}" for unit, count in bare.items())
        question = FuxueError("base.bare_returns", children=sum(bare.values()), units=units)
        if not run.agree(question):
            raise question
    lock = inspecting.lock_base(run, by)
    console.say("base.done", **vars(lock), to_return=lock.suspected - lock.deducted)
