"""Finding a child's unit by comparing 户籍地 with the units' names and aliases. Nothing uncertain is guessed."""

import re
from collections.abc import Sequence

from etl.rulebook.campaign import Unit


def match_units(household: str, units: Sequence[Unit]) -> list[Unit]:
    """The units that a household address names: one is a match, none is unmatched, several are ambiguous.

    A name that occurs only within a longer name does not count, such as ``三台`` within ``三台子街道``.
    """
    spans = [
        (found.span(), unit)
        for unit in units
        for name in (unit.name, *unit.aliases)
        for found in re.finditer(re.escape(name), household)
    ]
    whole = [unit for (start, end), unit in spans if not any(_holds(other, (start, end)) for other, _ in spans)]
    return list({unit.slug: unit for unit in whole}.values())


def _holds(outer: tuple[int, int], inner: tuple[int, int]) -> bool:
    return outer != inner and outer[0] <= inner[0] and inner[1] <= outer[1]
