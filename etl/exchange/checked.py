"""A returned workbook after checking: its issue and unit, its answers, and its findings."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from etl.findings import Finding, has_errors


@dataclass(frozen=True)
class Answer:
    """The three filled columns of one row of 附件4, normalised, with the child's data that rules need.

    `code` is the category's code, or None if the text `category` is not one of the thirteen values.
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
    """One returned row of another form: the normalised text of each editable column by key; dates as 2019-02-26."""

    reference: str
    values: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Checked:
    """A checked submission. `issue` and `unit` (the recipient) are empty if the file does not identify them reliably.

    `answers` are the rows of 附件4, `entries` those of any other form; `footer` is the text of its fields by key.
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
        """True if the workbook is accepted; it is accepted or refused as a whole."""
        return bool(self.issue) and not has_errors(self.findings)
