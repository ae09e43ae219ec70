"""Rows of the province's list, and an officer's decisions on them."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ListRow:
    """A row of the list: its number in the sheet, counted from 1, and the text of the eight issued columns."""

    number: int
    texts: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Decision:
    """An officer's decision on a row of the list. `value` is a unit's slug, or the reason for an exclusion."""

    row: int
    serial: str
    kind: str  # assigned or excluded
    value: str = field(repr=False)
    officer: str = field(repr=False)
