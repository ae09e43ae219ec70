"""Printing results about the record: its verification, the trace of a figure, its history, changes, the doctor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from etl.cli import console
from etl.cli.show import MOST_SHOWN, empty_table
from etl.cli.show_release import figure_as_json
from etl.exchange.release import Cell
from etl.rulebook.campaign import Campaign
from etl.workflow.doctor import Check, Outcome
from etl.workflow.texts import text

if TYPE_CHECKING:
    from etl.vault.record.inspection import Change, Lock
    from etl.vault.record.releases import Trace
    from etl.vault.store.chain import Link
    from etl.vault.upkeep.verify import Verified


def show_record_verified(found: Verified) -> None:
    """Show if the record is whole, and the first faults if it is not."""
    head = found.head.printed if found.head else "—"
    if console.wants_json():
        breaks = [{"key": one.key, "message": text(one.key, **one.params), **one.params} for one in found.breaks]
        console.result("verify", links=found.links, head=head, breaks=breaks)
        return
    for one in found.breaks[:MOST_SHOWN]:
        console.show(f"✗ {text(one.key, **one.params)}", always=True)
    if found.breaks:
        console.show(text("verify.broken", count=len(found.breaks)), always=True)
        return
    console.say("verify.whole", links=found.links, head=head)
    if found.paper:
        console.say("verify.paper_found", link=found.paper.id, day=found.paper.day)


def show_trace(campaign: Campaign, found: Trace, table: str, cell: str, shown: Cell) -> None:
    """Show a published figure and the workbooks that it adds up, each with its link in the chain."""
    total = sum(one.children for one in found.sources)
    printed = figure_as_json(shown)
    if console.wants_json():
        sources = [vars(one) | {"seal": one.printed} for one in found.sources]
        console.result("trace", release=found.release, table=table, cell=cell, published=printed,
                       recorded=found.recorded, sum=total, sources=sources)  # fmt: skip
        return
    rows = empty_table("单位", "下发", "工作簿", "收到", "证据链", "人数")
    for one in found.sources:
        name = campaign.unit[one.unit].name
        link = f"{one.link}  {one.printed[:9]}" if one.link else "—"
        rows.add_row(
            name, one.issue, console.escape_markup(one.file) or "未报送", one.received, link, str(one.children)
        )
    console.show(rows)
    console.say("trace.done", release=found.release, table=table, cell=cell, recorded=found.recorded, sum=total,
                count=sum(one.workbook is not None for one in found.sources), link=found.link)  # fmt: skip


def show_history(links: Sequence[Link]) -> None:
    """Show the chain, one line per link."""
    if console.wants_json():
        shown = [{"link": o.id, "day": o.day, "kind": o.kind, "subject": o.subject} for o in links]
        console.result("history", links=shown)
        return
    rows = empty_table("第几环", "日期", "种类", "所记", "封印")
    for one in links:
        rows.add_row(str(one.id), one.day, one.kind, console.escape_markup(one.subject), one.printed)
    console.show(rows)


def show_changes(campaign: Campaign, lock: Lock, changes: Sequence[Change]) -> None:
    """Show what changed the base after its lock. Children are named by their serials only."""
    if console.wants_json():
        console.result("changes", lock=vars(lock), changes=[vars(one) for one in changes])
        return
    rows = empty_table("收到", "单位", "下发", "原始序号", "原为", "改为", "填报人", "主管领导", "工作簿")
    for one in changes:
        earlier = campaign.category[one.earlier].label if one.earlier else "未核查"
        moved = earlier, campaign.category[one.code].label
        people = console.escape_markup(one.filler), console.escape_markup(one.leader), console.escape_markup(one.file)
        rows.add_row(one.day.isoformat(), campaign.unit[one.unit].name, one.issue, one.serial, *moved, *people)
    if changes:
        console.show(rows)
    console.say("base.changes", day=lock.day, by=lock.by, to_return=lock.suspected - lock.deducted, count=len(changes))


def show_checks(checks: Sequence[Check]) -> None:
    """Show the result of each check of the machine and the home, one line each."""
    if console.wants_json():
        shown = [{"check": c.name, "outcome": c.outcome.value, "message": text(c.key, **c.params)} for c in checks]
        console.result("doctor", checks=shown)
        return
    marks = {Outcome.FINE: "✓", Outcome.WARNING: "！", Outcome.BAD: "✗"}
    for check in checks:
        line = f"{marks[check.outcome]} {text(check.key, **check.params)}"
        console.show(console.escape_markup(line), always=check.outcome is not Outcome.FINE)
