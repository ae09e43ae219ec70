"""The current answer for each row, without the child; made by the vault, searched for flags by `inspect`."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CurrentAnswer:
    """The current answer for one row, with earlier facts about it.

    `first_team` is the team in the unit's first accepted workbook, which came on the `days`-th day, counting the day of
    issue as the first. `locked` is the category in the locked base, or empty if there is none.
    """

    unit: str
    issue: str
    serial: str
    code: str
    returned: str
    first_team: str = field(repr=False)
    days: int
    locked: str = ""
    has_police_ref: bool = False
