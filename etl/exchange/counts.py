"""Confidential sums per unit and per category, without any child; made by the vault and used by `protect`."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from etl.rulebook.publication import ATOMS, Publication


@dataclass(frozen=True)
class UnitCounts:
    """Number of a unit's children by state (`ATOMS`); `reported` says that all its workbooks were accepted."""

    unit: str
    reported: bool
    atoms: Mapping[str, int]


@dataclass(frozen=True)
class Counts:
    """The sums of the campaign on one day: by unit, and by category code (verified children only)."""

    as_of: dt.date
    units: tuple[UnitCounts, ...]
    categories: Mapping[str, int]

    def __post_init__(self) -> None:
        """ValueError if the sums contradict each other, such as categories and units (M12)."""
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
    """The value of a measure (its key), summed from the states in `atoms` as `publication.toml` defines it."""
    if key in ATOMS:
        return atoms[key]
    return sum(measure(atoms, publication, part) for part in publication.sums[key])
