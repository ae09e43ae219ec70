"""A sample of children for the inspectorate's second visits."""

from collections.abc import Mapping
from dataclasses import dataclass

#: What identifies a child on record: (issue, 原始序号).
Key = tuple[str, str]


@dataclass(frozen=True)
class Sample:
    """The children chosen for a second visit, by unit, and the bounds that hold at the configured confidence.

    `margin`: the share of wrong reports found in the sample, weighted by units, differs from the true share by at most
    this. `if_none`: if no report in the sample is wrong, at most this share of all reports is wrong.
    """

    seed: int
    chosen: Mapping[str, tuple[Key, ...]]
    population: int
    margin: float
    if_none: float

    @property
    def size(self) -> int:
        """The number of children in the sample."""
        return sum(map(len, self.chosen.values()))
