"""The children that the inspectorate visits again."""

from collections.abc import Mapping
from dataclasses import dataclass

#: A child as the record knows it: issue and 原始序号.
Key = tuple[str, str]


@dataclass(frozen=True)
class Sample:
    """The children to visit again, by unit, and what their number promises.

    `margin`: at the given confidence the share of wrong reports found, weighted by units, is so near to the true share.
    `if_none`: if none is found wrong, at most this share of all reports is.
    """

    seed: int
    chosen: Mapping[str, tuple[Key, ...]]
    population: int
    margin: float
    if_none: float

    @property
    def size(self) -> int:
        """So many children."""
        return sum(map(len, self.chosen.values()))
