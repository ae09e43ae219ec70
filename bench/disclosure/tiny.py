"""Counties so small that all their tables can be listed: two or three units, one category in each group, k = 3."""

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from etl.exchange.counts import Counts, UnitCounts
from etl.exchange.release import CITY
from etl.proof.tables import BY_CODE, System, build_system
from etl.protect.truth import true_values
from etl.rulebook.campaign import Campaign, Unit

K = 3
STATES = ("deducted", "returned", "still_out")
#: The counts of a table by cell id.
Values = Mapping[str, int]


@dataclass(frozen=True)
class Tiny:
    """A county of a few units, all of which have reported, with so many children in all, which is public."""

    campaign: Campaign
    children: int

    @classmethod
    def of(cls, campaign: Campaign, units: int, children: int) -> "Tiny":
        """The campaign cut down to a few units, and to the first category of each group."""
        first = {one.group: one for one in reversed(campaign.categories)}
        few = replace(
            campaign,
            units=tuple(Unit(f"u{at}", f"单位{at}", "镇", f"Unit {at}", ()) for at in range(units)),
            categories=tuple(first[group] for group in BY_CODE),
            publication=replace(campaign.publication, k=K, category_k={}),
        )
        return cls(few, children)

    @cached_property
    def system(self) -> System:
        """The system of all tables."""
        return build_system(self.campaign, self.reported)

    @property
    def reported(self) -> dict[str, bool]:
        """All units have reported."""
        return {unit.slug: True for unit in self.campaign.units}

    @property
    def top(self) -> int:
        """The greatest small count."""
        return self.campaign.publication.top(CITY)

    @property
    def known(self) -> dict[str, int]:
        """What is public of every table: how many children there are, and that none is unverified."""
        return {cell.id: 0 if cell.is_zero else self.children for cell in self.system.cells if cell.known}

    def tables(self) -> Iterator[Values]:
        """Every table."""
        places = len(self.campaign.units) * len(STATES)
        for bars in itertools.combinations(range(self.children + places - 1), places - 1):
            ends = (-1, *bars, self.children + places - 1)
            yield self._values([right - left - 1 for left, right in itertools.pairwise(ends)])

    def _values(self, counts: Sequence[int]) -> Values:
        rows = [counts[at : at + len(STATES)] for at in range(0, len(counts), len(STATES))]
        units = tuple(
            UnitCounts(unit.slug, True, {"unverified": 0, **dict(zip(STATES, row, strict=True))})
            for unit, row in zip(self.campaign.units, rows, strict=True)
        )
        deducted = sum(row[0] for row in rows)
        by_group = {"deducted": deducted, "to_return": self.children - deducted}
        codes = {one.code: by_group[one.group] for one in self.campaign.categories}
        return true_values(self.campaign, Counts(dt.date(2019, 3, 4), units, codes), self.system)
