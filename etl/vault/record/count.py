"""Counting: the only place where rows of children become sums. Each query sees the record as it stood on a day."""

import datetime as dt
from dataclasses import dataclass

from etl.exchange.counts import Counts, UnitCounts
from etl.findings import FuxueError
from etl.rulebook.campaign import Campaign
from etl.rulebook.publication import ATOMS
from etl.vault.store.open import Vault

#: Above the number of every link: stands for the whole record.
ALL = 2**62

# `current`: of each unit and issue the newest workbook accepted by the day; `said`: the answers in it.
CURRENT = """
WITH current AS (
  SELECT max(id) AS id, issue, unit FROM workbook
  WHERE status = 'accepted' AND received <= :day AND id <= :last GROUP BY issue, unit
), said AS (
  SELECT a.* FROM current JOIN answer a ON a.workbook = current.id
)
"""
# Children by unit, category and return, from the tallies of those workbooks; `is_in` is 0 where none was accepted.
_SUMS = f"""
{CURRENT}, handed_out AS (
  SELECT b.issue, b.unit, b.children FROM bundle b JOIN issue i ON i.id = b.issue
  WHERE i.form = 'annex4' AND i.issued_on <= :day
    AND i.id IN (SELECT subject FROM link WHERE kind = 'issue' AND id <= :upto)
)
SELECT h.unit, 1 AS is_in, t.category, t.returned, coalesce(sum(t.children), 0)
FROM handed_out h JOIN current USING (issue, unit) LEFT JOIN tally t ON t.workbook = current.id GROUP BY 1, 3, 4
UNION ALL
SELECT h.unit, 0, NULL, NULL, sum(h.children)
FROM handed_out h LEFT JOIN current USING (issue, unit) WHERE current.id IS NULL GROUP BY 1
"""
# The highest number of a workbook among the links up to a given one.
LAST = "SELECT coalesce(max(CAST(subject AS INTEGER)), 0) FROM link WHERE kind = 'workbook' AND id <= ?"


@dataclass(frozen=True)
class UnitStatus:
    """One unit on a day: children issued, workbooks received, those of them refused, and if it has reported all."""

    unit: str
    children: int
    received: int
    refused: int
    is_complete: bool


def moment(vault: Vault, day: dt.date, upto: int = ALL) -> dict[str, str | int]:
    """Parameters of `CURRENT` and `_SUMS` that select the record as of a day, limited to links up to `upto`."""
    last = ALL if upto == ALL else vault.connection.execute(LAST, [upto]).fetchone()[0]
    return {"day": day.isoformat(), "upto": upto, "last": last}


def count(vault: Vault, campaign: Campaign, day: dt.date, upto: int = ALL) -> Counts:
    """Confidential sums of the record as it stood on `day`, limited to links up to `upto`.

    They add up the tallies of the workbooks, which stay when individuals are purged.

    A unit counts as reported once a workbook of each of its issues is accepted. Until then all its children count as
    unverified, so that a release shows of a unit either nothing but its status or its whole row.

    FuxueError if the record has a unit that the campaign no longer has.
    """
    rows = vault.connection.execute(_SUMS, moment(vault, day, upto)).fetchall()
    complete = {unit for unit, *_ in rows} - {unit for unit, is_in, *_ in rows if not is_in}
    states = {unit.slug: dict.fromkeys(ATOMS, 0) for unit in campaign.units}
    for unit in {unit for unit, *_ in rows} - set(states):
        raise FuxueError("campaign.unit_gone", unit=unit)
    categories = dict.fromkeys((category.code for category in campaign.categories), 0)
    for unit, _, category, returned, number in rows:
        if unit not in complete:
            states[unit]["unverified"] += number
        if unit not in complete or category is None:
            continue
        categories[category] += number
        states[unit][state_of(campaign, category, returned)] += number
    units = tuple(UnitCounts(slug, slug in complete, atoms) for slug, atoms in states.items())
    return Counts(day, units, categories)


def state_of(campaign: Campaign, category: str | None, returned: str | None) -> str:
    """The state (one of `ATOMS`) of a child with this answer; `category` None means unverified."""
    if category is None:
        return "unverified"
    if campaign.category[category].group == "deducted":
        return "deducted"
    return "returned" if returned == "是" else "still_out"


def unit_status(vault: Vault, campaign: Campaign, day: dt.date) -> list[UnitStatus]:
    """The status of each unit on `day`, in the campaign's order."""
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
