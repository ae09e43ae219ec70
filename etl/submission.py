"""A returned workbook as read: cells with their addresses, made by `read`, eaten by `check` and the vault."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from etl.manifest import Manifest


@dataclass(frozen=True)
class Problem:
    """Something that reading ran into: a rule's id, a place, parameters of its message (never personal)."""

    rule: str
    sheet: str = ""
    cell: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Value:
    """A cell: its text as shown, its address, and what it is if it is not text.

    `is_other` is an error value, a truth value, a date or a time; `is_date` a date alone.
    """

    text: str = field(repr=False)
    cell: str
    is_number: bool = False
    is_formula: bool = False
    is_other: bool = False
    is_date: bool = False


@dataclass(frozen=True)
class Figure:
    """A cell of 附件5: its whole number, None if it holds none (a formula that nobody calculated, a word)."""

    number: int | None
    cell: str


@dataclass(frozen=True)
class Summary:
    """The 附件5 in a workbook: every row of figures by column key."""

    sheet: str
    rows: tuple[Mapping[str, Figure], ...]


@dataclass(frozen=True)
class Submission:
    """What a returned workbook holds. With an error among `problems` the rest may be empty.

    `opened_by` is the index of the candidate whose password opened it, None if it came unsealed.
    """

    sheet: str = ""
    rows: tuple[Mapping[str, Value], ...] = ()
    footer: Mapping[str, str] = field(default_factory=dict)
    manifest: Manifest | None = None
    summary: Summary | None = None
    opened_by: int | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """An issue and unit that a returned workbook may belong to, with the password that would open it."""

    issue: str
    unit: str
    password: str = field(repr=False)
