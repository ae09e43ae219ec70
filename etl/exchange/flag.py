"""A flag: a question that the inspectorate asks a unit (M19)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Flag:
    """A flag on a unit by a rule of `inspection.toml`; the message gives the reason in figures, without any name."""

    rule: str
    unit: str
    message: str
    message_en: str
