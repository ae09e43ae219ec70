"""Why a figure is not published exactly, for the officer who releases. Confidential: it shows the small counts."""

from collections.abc import Mapping
from enum import StrEnum

from etl.exchange.counts import Counts
from etl.exchange.release import Release, Status, cell_id
from etl.proof.tables import build_system
from etl.protect.primary import find_needs, true_values
from etl.rulebook.campaign import Campaign


class Why(StrEnum):
    """A small count; a one-sided group; a figure that protects others, or earlier releases; before the close."""

    SMALL = "small"
    GROUP = "group"
    SHELTER = "shelter"
    EARLY = "early"


def reasons(campaign: Campaign, counts: Counts, release: Release) -> Mapping[str, Why]:
    """The reason for each rounded or withheld cell of a release, by cell id."""
    system = build_system(campaign, {unit.unit: unit.reported for unit in counts.units})
    small, grouped = set[str](), set[str]()
    for need in find_needs(system, true_values(system, counts, campaign.publication), campaign.publication):
        cells = {system.cells[at].id for at in (need.cell, need.minus) if at is not None}
        (small if need.minus is None else grouped).update(cells)

    def why(cell: str) -> Why:
        if not release.closing:
            return Why.EARLY
        return Why.SMALL if cell in small else Why.GROUP if cell in grouped else Why.SHELTER

    return {
        cell_id(*at): why(cell_id(*at))
        for table in release.tables
        for at, cell in table.cells.items()
        if cell.status in (Status.ROUNDED, Status.SUPPRESSED)
    }
