"""Counties so small that an attacker can try all their tables."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from etl.exchange.release import Release
from etl.protect.draft import ReleaseDay
from etl.rulebook.campaign import Campaign
from etl.rulebook.publication import Area
from tests.support.attacks import Known, secrets_of
from tests.support.small_counts import make_campaign, make_counts

SECRET = b"a secret of the tests"
K = 3
Rows = Sequence[tuple[int, int, int, int]]


def tiny(campaign: Campaign, units: int) -> Campaign:
    """A county of a few units and four categories, with a threshold of `K`."""
    return make_campaign(campaign, units, codes="ABIK", k=K)


def with_area(campaign: Campaign) -> Campaign:
    """The county with its first two units in an area of its own, whose figures are printed as those of units are."""
    publication = campaign.publication
    units = next(table for table in publication.tables if table.rows == "unit")
    areas = replace(units, key="areas", rows="area")
    parts = tuple(unit.slug for unit in campaign.units[:2])
    north = Area("north", "北片", "North", parts)
    return replace(campaign, publication=replace(publication, areas=(north,), tables=(*publication.tables, areas)))


def day_of(few: Campaign, rows: Rows, seed: int = 1, earlier: Sequence[Release] = ()) -> ReleaseDay:
    """A day with children not verified, deducted, returned, still out of each unit; categories are drawn to fit."""
    return ReleaseDay(few, make_counts(few, [*rows], random.Random(seed)), earlier, SECRET)


def small(day: ReleaseDay, folder: Path) -> dict[str, int]:
    """Small counts of the release of a day by the names that a stranger has for them."""
    top = day.campaign.publication.top
    names = {f"{folder.name}/{at}": value for at, value in day.values.items() if value <= top(at.split(".")[0])}
    return {name: names[name] for name in secrets_of([folder]) if name in names}


def own_row(days: Sequence[ReleaseDay], unit: str) -> Known:
    """What a unit knows of all releases: its own row on each of these days, by the names that a stranger has."""
    return {
        f"{number:04}/{cell}": value
        for number, day in enumerate(days, 1)
        for cell, value in day.values.items()
        if cell.startswith(f"{unit}.")
    }
