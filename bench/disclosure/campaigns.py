"""Made-up campaigns of fifteen days: units report one after another, children are returned, a few answers corrected."""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from etl.exchange.counts import Counts, UnitCounts
from etl.rulebook.campaign import Campaign
from etl.rulebook.publication import ATOMS

DAYS = 15
FIRST = dt.date(2019, 2, 20)


@dataclass(frozen=True)
class Style:
    """`sizes`: of the lognormal that a unit's children are drawn from; chances are per child and day."""

    name: str
    sizes: tuple[float, float]
    returns: float
    corrections: float


#: Units as uneven as those of a real county; and large units that all change every day, with many corrections.
REALISTIC = Style("realistic", (3.3, 0.9), 0.12, 0.0005)
STRESS = Style("stress", (5.2, 0.5), 0.25, 0.004)
#: How likely each category is among the deducted and among those to be returned: a few common ones, a long tail.
SHARES = (34, 21, 13, 9, 7, 5, 3, 2)


def days(campaign: Campaign, style: Style, seed: int) -> Iterator[Counts]:
    """The confidential counts of each day."""
    draw = random.Random(seed)  # noqa: S311 - made-up children
    children = {
        unit.slug: [_child(campaign, draw) for _ in range(max(1, round(draw.lognormvariate(*style.sizes))))]
        for unit in campaign.units
    }
    # Reports come thick towards the middle of the fortnight; the last units report on the last day but one.
    reports = {unit.slug: min(DAYS - 1, max(1, round(draw.gauss(6, 3)))) for unit in campaign.units}
    for day in range(1, DAYS + 1):
        for unit, those in children.items():
            for child in those if reports[unit] < day else ():
                _move(campaign, style, child, draw)
        yield _count(campaign, children, reports, day)


def _child(campaign: Campaign, draw: random.Random) -> dict[str, str]:
    is_deducted = draw.random() < 0.55
    code = _category(campaign, "deducted" if is_deducted else "to_return", draw)
    state = "deducted" if is_deducted else "returned" if draw.random() < 0.3 else "still_out"
    return {"code": code, "state": state}


def _category(campaign: Campaign, group: str, draw: random.Random) -> str:
    codes = [category.code for category in campaign.categories if category.group == group]
    return draw.choices(codes, weights=SHARES[: len(codes)])[0]


def _move(campaign: Campaign, style: Style, child: dict[str, str], draw: random.Random) -> None:
    if child["state"] == "still_out" and draw.random() < style.returns:
        child["state"] = "returned"
    elif draw.random() < style.corrections:
        child.update(_child(campaign, draw))


def _count(campaign: Campaign, children: dict[str, list[dict[str, str]]], reports: dict[str, int], day: int) -> Counts:
    units, categories = [], dict.fromkeys((category.code for category in campaign.categories), 0)
    for unit, those in children.items():
        atoms = dict.fromkeys(ATOMS, 0)
        if day < reports[unit]:
            atoms["unverified"] = len(those)
        else:
            for child in those:
                atoms[child["state"]] += 1
                categories[child["code"]] += 1
        units.append(UnitCounts(unit, day >= reports[unit], atoms))
    return Counts(FIRST + dt.timedelta(days=day - 1), tuple(units), categories)


def plain(campaign: Campaign, k: int) -> Campaign:
    """The campaign with one threshold for all rows."""
    return replace(campaign, publication=replace(campaign.publication, k=k, category_k={}))
