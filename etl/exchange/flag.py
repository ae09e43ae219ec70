"""A question that the inspectorate asks of a unit (M19)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Flag:
    """A unit to which a rule of `inspection.toml` points, with the reason in words; holds sums, and nobody's name."""

    rule: str
    unit: str
    message: str
    message_en: str
