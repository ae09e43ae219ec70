"""Confidential sums: whole numbers per unit and per category, no child. Made by the vault, eaten by `protect`."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from etl.rulebook.publication import ATOMS, Publication


@dataclass(frozen=True)
class UnitCounts:
    """Children of one unit by state (`ATOMS`); `reported` is whether all its workbooks were accepted."""

    unit: str
    reported: bool
    atoms: Mapping[str, int]


@dataclass(frozen=True)
class Counts:
    """The campaign on one day. The categories' sum is the number of verified children (M12); checked here."""

    as_of: dt.date
    units: tuple[UnitCounts, ...]
    categories: Mapping[str, int]

    def __post_init__(self) -> None:
        """Refuse sums that contradict each other: nothing downstream may start from a wrong total."""
        verified = sum(u.atoms[a] for u in self.units for a in ATOMS if a != "unverified")
        numbers = [n for u in self.units for n in u.atoms.values()] + list(self.categories.values())
        if verified != sum(self.categories.values()) or min(numbers, default=0) < 0:
            raise ValueError("counts contradict each other")
        for unit in self.units:
            if set(unit.atoms) != set(ATOMS):
                raise ValueError("a unit's counts are not the four states")
            if any(unit.atoms[a] for a in ATOMS if (a == "unverified") is unit.reported):
                raise ValueError("a unit's counts are not those of one that has reported, or has not")


def measure(atoms: Mapping[str, int], publication: Publication, key: str) -> int:
    """A measure of one row, summed from its states as `publication.toml` says."""
    if key in ATOMS:
        return atoms[key]
    return sum(measure(atoms, publication, part) for part in publication.sums[key])
