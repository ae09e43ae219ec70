"""Which unit a child belongs to: 户籍地 against unit names and aliases. What is not certain is never guessed."""

from collections.abc import Sequence

from etl.campaign import Unit


def match_units(household: str, units: Sequence[Unit]) -> list[Unit]:
    """The units that a household address names.

    A name inside a longer one that also stands there does not count (``三台`` in ``三台子街道`` would), so one unit is
    a match, none is unmatched, several are ambiguous.
    """
    found = [(name, unit) for unit in units for name in (unit.name, *unit.aliases) if name in household]
    whole = [
        (name, unit)
        for name, unit in found
        if not any(name in other and name != other and other_unit is not unit for other, other_unit in found)
    ]
    return list({unit.slug: unit for _, unit in whole}.values())
