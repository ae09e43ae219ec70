"""A returned workbook as checked: whose it is, its answers, and what is wrong with it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from etl.findings import Finding, has_errors


@dataclass(frozen=True)
class Answer:
    """The three columns of one row, normalised, with what the rules need of the child.

    `code` is the category's code, None if the text is none of the thirteen values.
    """

    serial: str
    category: str = field(repr=False)
    code: str | None
    returned: str
    team: str = field(repr=False)
    birth: dt.date = field(repr=False)
    name: str = field(repr=False, default="")
    has_police_ref: bool = False


@dataclass(frozen=True)
class Entry:
    """What came back in one row: the text of each editable column by key, normalised; dates as 2019-02-26."""

    reference: str
    values: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Checked:
    """A checked submission. `issue` and `unit` (the receiver) are empty if the file does not tell them reliably.

    `answers` are the rows of 附件4, `entries` those of any other form.
    """

    file: str
    issue: str
    unit: str
    sealed: bool
    answers: tuple[Answer, ...]
    footer: Mapping[str, str]
    findings: tuple[Finding, ...]
    entries: tuple[Entry, ...] = ()

    @property
    def accepted(self) -> bool:
        """A workbook is accepted or refused whole."""
        return bool(self.issue) and not has_errors(self.findings)
