"""Which unit a child belongs to: 户籍地 against unit names and aliases. What is not certain is never guessed."""

import re
from collections.abc import Sequence

from etl.rulebook.campaign import Unit


def match_units(household: str, units: Sequence[Unit]) -> list[Unit]:
    """The units that a household address names.

    A name that stands only inside a longer one does not count (``三台`` in ``三台子街道`` would), so one unit is a
    match, none is unmatched, several are ambiguous.
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
