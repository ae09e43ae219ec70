"""The sums of 附件5 (M12): one row of seventeen columns from the answers of 附件4."""

from collections.abc import Iterable, Mapping

from etl.forms.definitions import RETURNED
from etl.rulebook.campaign import Campaign

#: Column keys of `ANNEX5` for the two sums besides the thirteen categories.
SUSPECTED, BACK = "suspected", "returned"


def summarise(campaign: Campaign, answers: Iterable[tuple[str | None, str]]) -> Mapping[str, int]:
    """Sums by column key of 附件5, from (category code, 复学情况) pairs. A pair with code None is not counted.

    Always `suspected` = ΣA..M and `returned` ≤ ΣI..M.
    """
    sums = dict.fromkeys((SUSPECTED, *campaign.category, BACK), 0)
    for code, returned in answers:
        if code is None:
            continue
        sums[SUSPECTED] += 1
        sums[code] += 1
        sums[BACK] += campaign.category[code].group == "to_return" and returned == RETURNED[0]
    return sums
