"""What units reported of each child, without the child: made by the vault, looked through for the inspectorate."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CurrentAnswer:
    """A row's current answer, in the order in which it was handed out, and what came before.

    `first_team` signed for it in the first accepted workbook, which came `days` days after handing out, both days
    counted. `locked` is its category when the base was locked, empty if it was not, or the row had no answer then.
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
