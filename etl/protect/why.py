"""Why a figure is not published exactly, for the officer who releases. Confidential: it shows the small counts."""

from collections.abc import Mapping
from enum import StrEnum

from etl.exchange.release import Release, Status, cell_id
from etl.protect.draft import ReleaseDay


class Why(StrEnum):
    """A small count; a figure that shelters others; a release while figures still change."""

    SMALL = "small"
    SHELTER = "shelter"
    MOVING = "moving"


def reasons(day: ReleaseDay, release: Release) -> Mapping[str, Why]:
    """The reason for each figure of a release that is rounded or an interval, by cell id."""

    def why(row: str, cell: str) -> Why:
        if not release.closing:
            return Why.MOVING
        return Why.SMALL if day.values[cell] <= release.top(row) else Why.SHELTER

    return {
        cell_id(*at): why(at[0], cell_id(*at))
        for table in release.tables
        for at, cell in table.cells.items()
        if cell.status in (Status.ROUNDED, Status.INTERVAL)
    }
