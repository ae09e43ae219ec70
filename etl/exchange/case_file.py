"""What a case file holds of one child (M16, M17): who it is, what was found and done, and which papers lie where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class CaseFile:
    """A child's case file.

    `child` are the issued columns of 附件4 by key, `work` the filled columns of the case workbook by key (none if none
    came back). `events` are (day, what happened, who); `papers` are (kind, what it is, its date, where it lies);
    `signed` are (act, day when the paper was seen, members).
    """

    issue: str
    unit: str
    child: Mapping[str, str]
    category: str
    returned: str
    team: str
    is_closed: bool
    work: Mapping[str, str]
    events: Sequence[tuple[str, str, str]]
    papers: Sequence[tuple[str, str, str, str]]
    signed: Sequence[tuple[str, str, str]]

    @property
    def serial(self) -> str:
        """原始序号 of the child."""
        return self.child["serial"]
