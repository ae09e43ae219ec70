"""What 附件4 and 附件5 hold when the bureau makes them: children with their answers, and the sums of units (M12)."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class AnsweredChild:
    """A row of 附件4: the issued columns by key, and the current answer; its three texts are empty until verified."""

    unit: str
    issued: Mapping[str, str]
    category: str
    returned: str
    team: str


@dataclass(frozen=True)
class UnitSums:
    """A row of 附件5: children issued to a unit, verified children by category code, and how many have returned."""

    unit: str
    issued: int
    categories: Mapping[str, int]
    returned: int

    @property
    def verified(self) -> int:
        """疑似失学儿童合计 of the form: the sum of the categories."""
        return sum(self.categories.values())
