"""Counts of a few made-up units, as confidential as the real ones."""

import datetime as dt
import random
from dataclasses import replace

from etl.exchange.counts import Counts, UnitCounts
from etl.rulebook.campaign import Campaign, Unit
from etl.rulebook.publication import ATOMS

DAY = dt.date(2019, 3, 4)


def make_campaign(campaign: Campaign, units: int, codes: str = "ABCDEFGHIJKLM", k: int = 5) -> Campaign:
    publication = replace(campaign.publication, k=k, category_k={})
    return replace(
        campaign,
        units=tuple(Unit(f"u{at}", f"单位{at}", "镇", f"Unit {at}", ()) for at in range(units)),
        categories=tuple(c for c in campaign.categories if c.code in codes),
        publication=publication,
    )


def make_counts(campaign: Campaign, rows: list[tuple[int, int, int, int]], random_: random.Random) -> Counts:
    """Rows of (unverified, deducted, returned, still out); categories drawn to fit.

    A row that begins with children not verified is a unit that has not reported; its other states are then zero.
    """
    rows = [(row[0], 0, 0, 0) if row[0] else row for row in rows]
    units = []
    for unit, row in zip(campaign.units, rows, strict=True):
        atoms = dict(zip(ATOMS, row, strict=True))
        units.append(UnitCounts(unit.slug, not row[0], atoms))
    categories = dict.fromkeys((c.code for c in campaign.categories), 0)
    for group, total in (("deducted", sum(r[1] for r in rows)), ("to_return", sum(r[2] + r[3] for r in rows))):
        codes = [c.code for c in campaign.categories if c.group == group]
        for code in random_.choices(codes, k=total):
            categories[code] += 1
    return Counts(DAY, tuple(units), categories)
