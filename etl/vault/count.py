"""The only door from children to sums. All queries look at the record as it stood on a day."""

import datetime as dt
from dataclasses import dataclass

from etl.campaign import Campaign
from etl.counts import Counts, UnitCounts
from etl.publication import ATOMS
from etl.vault.record import Vault

# The newest workbook accepted on or before the day speaks for its unit and issue.
CURRENT = """
WITH current AS (
  SELECT max(id) AS id FROM workbook WHERE status = 'accepted' AND received <= :day GROUP BY issue, unit
), said AS (
  SELECT a.* FROM current JOIN answer a ON a.workbook = current.id
), state AS (
  SELECT c.unit, said.category, said.returned
  FROM child c JOIN issue i ON i.id = c.issue AND i.issued_on <= :day
  LEFT JOIN said ON said.issue = c.issue AND said.serial = c.serial
)
"""


@dataclass(frozen=True)
class UnitStatus:
    """One unit on a day: children issued, workbooks received and refused, whether all are in."""

    unit: str
    children: int
    received: int
    refused: int
    is_complete: bool


def count(vault: Vault, campaign: Campaign, day: dt.date) -> Counts:
    """Confidential sums of the record as it stood on `day`.

    A unit counts as reported once the workbooks of all its issues are accepted; until then all its children count as
    unverified, so that what is said of a unit is either its status or its whole row.
    """
    db = vault.connection
    complete = {status.unit for status in unit_status(vault, campaign, day) if status.is_complete}
    states = {unit.slug: dict.fromkeys(ATOMS, 0) for unit in campaign.units}
    categories = dict.fromkeys((category.code for category in campaign.categories), 0)
    query = f"{CURRENT} SELECT unit, category, returned, count(*) FROM state GROUP BY unit, category, returned"
    for unit, category, returned, number in db.execute(query, {"day": day.isoformat()}):
        if category is None or unit not in complete:
            states[unit]["unverified"] += number
            continue
        categories[category] += number
        if campaign.category[category].group == "deducted":
            states[unit]["deducted"] += number
        else:
            states[unit]["returned" if returned == "是" else "still_out"] += number
    units = tuple(UnitCounts(slug, slug in complete, atoms) for slug, atoms in states.items())
    return Counts(day, units, categories)


def unit_status(vault: Vault, campaign: Campaign, day: dt.date) -> list[UnitStatus]:
    """Where each unit stands on `day`, in the campaign's order."""
    accepted = """EXISTS (SELECT 1 FROM workbook w WHERE w.unit = b.unit AND w.issue = b.issue
                         AND w.status = 'accepted' AND w.received <= :day)"""
    query = f"""
    SELECT b.unit, sum(b.children),
           sum((SELECT count(*) FROM workbook w
                WHERE w.unit = b.unit AND w.issue = b.issue AND w.received <= :day)),
           sum((SELECT count(*) FROM workbook w
                WHERE w.unit = b.unit AND w.issue = b.issue AND w.received <= :day AND w.status = 'refused')),
           min({accepted})
    FROM bundle b JOIN issue i ON i.id = b.issue AND i.form = 'annex4' AND i.issued_on <= :day GROUP BY b.unit
    """
    rows = {
        row[0]: UnitStatus(row[0], row[1], row[2], row[3], bool(row[4]))
        for row in vault.connection.execute(query, {"day": day.isoformat()})
    }
    return [rows.get(unit.slug, UnitStatus(unit.slug, 0, 0, 0, False)) for unit in campaign.units]
