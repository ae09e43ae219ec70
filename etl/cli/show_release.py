"""Printing a release next to the one before, for the officer who decides whether to publish it."""

from collections.abc import Iterator
from pathlib import Path

from etl.cli import console
from etl.cli.show import empty_table
from etl.exchange.release import Cell, Release, Status, cell_id
from etl.protect.why import Why
from etl.rulebook.campaign import Campaign
from etl.system.home import Home
from etl.workflow.releasing import Made
from etl.workflow.texts import text

WHY = {
    Why.SMALL: "release.why.small",
    Why.SHELTER: "release.why.shelter",
    Why.MOVING: "release.why.moving",
}


def show_release(campaign: Campaign, made: Made, home: Home) -> None:
    """Show how many figures are exact, intervals and rounded, and the head of the chain for the custodian's paper.

    For a dry run also show every figure, with the reason if it is not exact.
    """
    release = made.release
    cells = [(row, cell) for table in release.tables for (row, _), cell in table.cells.items()]
    statuses = [cell.status for _, cell in cells]
    counts = {status.value: statuses.count(status) for status in Status}
    if silent := sorted({row for row, cell in cells if cell.status is Status.NOT_DUE and row in campaign.unit}):
        console.say("release.silent", count=len(silent), units="、".join(campaign.unit[slug].name for slug in silent))
    if not made.head:
        _show_figures(campaign, made)
    folder = home.released / release.name
    key = "release.done" if made.head else "release.dry"
    console.say(key, release=release.name, folder=folder, **counts)
    if made.head:
        console.say("release.head", head=made.head)


def show_release_verified(folder: Path, release: Release) -> None:
    """Show what was verified, to be compared with what is known of it: day, thresholds, numbers of figures."""
    statuses = [cell.status for table in release.tables for cell in table.cells.values()]
    console.say(
        "verify.ok",
        folder=folder,
        campaign=release.campaign,
        release=release.name,
        as_of=release.as_of,
        k=", ".join([str(release.k), *(f"{code}: {k}" for code, k in sorted(release.category_k.items()))]),
        known="、".join(release.known) or "—",
        **{status.value: statuses.count(status) for status in Status},
    )


def _show_figures(campaign: Campaign, made: Made) -> None:
    """Show each figure that is due beside the last release. No count behind a rounded one is shown here either."""
    lines = list(_compared(made.release, made.last))
    if console.wants_json():
        console.result("release", cells=[_as_json(made, *line) for line in lines])
        return
    table = empty_table("表", "行", "指标", "上次", "这次", "变化", "原因", title=text("release.cells"))
    for key, row, measure, now, last in lines:
        why = made.why.get(cell_id(row, measure))
        has_changed = text("release.changes") if made.last and now != last else ""
        cells = (text(f"release.{measure}"), _shown(last), _shown(now), has_changed, text(WHY[why]) if why else "")
        table.add_row(made.release.table(key).title, _row(campaign, row), *cells)
    console.show(table)


def _as_json(made: Made, key: str, row: str, measure: str, now: Cell, last: Cell | None) -> dict[str, object]:
    why = made.why.get(cell_id(row, measure))
    cells = {"now": now, "last": last}
    values = {when: figure_as_json(cell) if cell else None for when, cell in cells.items()}
    return {"table": key, "row": row, "measure": measure, "why": why, **values}


def _compared(release: Release, last: Release | None) -> Iterator[tuple[str, str, str, Cell, Cell | None]]:
    for table in release.tables:
        for (row, measure), cell in table.cells.items():
            before = last.table(table.key).cells.get((row, measure)) if last else None
            if cell.status is not Status.NOT_DUE or (before is not None and before != cell):
                yield table.key, row, measure, cell, before


def _shown(cell: Cell | None) -> str:
    if cell is None or cell.status is Status.NOT_DUE:
        return "—"
    return {Status.ROUNDED: f"约 {cell.value}", Status.INTERVAL: f"{cell.low}–{cell.high}"}.get(
        cell.status, str(cell.value)
    )


def figure_as_json(cell: Cell) -> dict[str, object]:
    """A published figure in a machine-readable result."""
    numbers = {"value": cell.value, "low": cell.low, "high": cell.high, "rounded": cell.rounded}
    return {"status": cell.status.value, **numbers}


def _row(campaign: Campaign, row: str) -> str:
    if row in campaign.unit:
        return campaign.unit[row].name
    areas = {area.key: area.title for area in campaign.publication.areas}
    return campaign.category[row].label if row in campaign.category else areas.get(row, text("release.city"))
