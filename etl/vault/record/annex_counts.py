"""The rows of 附件4 and 附件5 from the record as it stood on a day (M12); both count the same newest workbooks."""

import datetime as dt

from etl.exchange.annex_rows import AnsweredChild, UnitSums
from etl.findings import FuxueError
from etl.forms.definitions import ANNEX4
from etl.rulebook.campaign import Campaign
from etl.vault.record.count import CURRENT, moment
from etl.vault.store.open import Vault

_KEYS = tuple(column.key for column in ANNEX4.issued)
_CHILDREN = f"""
{CURRENT}
SELECT c.unit, coalesce(s.category, ''), coalesce(s.returned, ''), coalesce(s.team, ''),
       {", ".join(f"c.{key}" for key in _KEYS)}
FROM child c JOIN issue i ON i.id = c.issue AND i.issued_on <= :day
LEFT JOIN said s ON s.issue = c.issue AND s.serial = c.serial
WHERE :unit IS NULL OR c.unit = :unit ORDER BY c.issue, c.serial
"""
_SUMS = f"""
{CURRENT}, annex4 AS (SELECT id FROM issue WHERE form = '{ANNEX4.key}' AND issued_on <= :day)
SELECT unit, NULL, NULL, sum(children) FROM bundle WHERE issue IN annex4 GROUP BY 1
UNION ALL
SELECT c.unit, t.category, t.returned, sum(t.children)
FROM current c JOIN tally t ON t.workbook = c.id WHERE c.issue IN annex4 GROUP BY 1, 2, 3
"""
# Who filled in the newest accepted workbook of a unit.
_FILLER = f"""
{CURRENT}
SELECT f.name, f.phone, f.leader FROM current c JOIN issue i ON i.id = c.issue AND i.form = '{ANNEX4.key}'
JOIN filler f ON f.workbook = c.id WHERE c.unit = :unit ORDER BY c.id DESC LIMIT 1
"""


def answered_children(vault: Vault, day: dt.date, unit: str | None = None) -> list[AnsweredChild]:
    """Every child issued by `day` (of one unit, if it is given), with its answer on that day."""
    given = {**moment(vault, day), "unit": unit}
    return [
        AnsweredChild(own, dict(zip(_KEYS, issued, strict=True)), category, returned, team)
        for own, category, returned, team, *issued in vault.connection.execute(_CHILDREN, given)
    ]


def unit_sums(vault: Vault, campaign: Campaign, day: dt.date) -> list[UnitSums]:
    """The sums of each unit on `day`, in the campaign's order; they add up the tallies, which outlive a purge.

    FuxueError if the record has a unit that the campaign no longer has.
    """
    issued = dict.fromkeys(campaign.unit, 0)
    categories = {unit: dict.fromkeys(campaign.category, 0) for unit in campaign.unit}
    returned = dict.fromkeys(campaign.unit, 0)
    for unit, category, back, number in vault.connection.execute(_SUMS, moment(vault, day)):
        if unit not in issued:
            raise FuxueError("campaign.unit_gone", unit=unit)
        if category is None:
            issued[unit] += number
            continue
        categories[unit][category] += number
        returned[unit] += number if back == "是" else 0
    return [UnitSums(unit, issued[unit], categories[unit], returned[unit]) for unit in campaign.unit]


def filler(vault: Vault, day: dt.date, unit: str) -> dict[str, str]:
    """The footer of the unit's newest workbook by key: ``filler``, ``phone``, ``leader``; empty texts if none came."""
    found = vault.connection.execute(_FILLER, {**moment(vault, day), "unit": unit}).fetchone()
    return dict(zip(("filler", "phone", "leader"), found or ("", "", ""), strict=True))
