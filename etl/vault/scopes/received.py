"""What came in, over time: answers of children, signed papers, changes of the locked base, and deliverables."""

from collections.abc import Iterator, Mapping

from etl.rulebook.campaign import Campaign
from etl.vault.record.inspection import changes
from etl.vault.store.open import Vault

_Row = tuple[object, ...]

#: A child's answers: the first that was accepted, and each later one that differs from the one before.
ANSWERS_OVER_TIME = """
WITH version AS (
  SELECT a.*, w.received, a.category || ' ' || a.returned || ' ' || a.team AS said,
         lag(a.category || ' ' || a.returned || ' ' || a.team) OVER (PARTITION BY a.issue, a.serial ORDER BY a.workbook)
           AS said_before
  FROM answer a JOIN workbook w ON w.id = a.workbook
)
SELECT v.issue, v.serial, v.workbook, c.unit, v.received, v.category, v.returned, v.team
FROM version v JOIN child c ON c.issue = v.issue AND c.serial = v.serial
WHERE v.said IS NOT v.said_before
"""
SIGNATURES = """
SELECT o.issue, o.serial, s.id, c.unit,
       CASE s.act WHEN 'verification' THEN '核查结果' WHEN 'return' THEN '复学情况'
                  WHEN 'case-bureau' THEN '档案（市局一份）' ELSE '档案（单位一份）' END, s.recorded_on, o.members
FROM signed_child o JOIN signature s ON s.id = o.signature JOIN child c ON c.issue = o.issue AND c.serial = o.serial
"""
# For each thing that a unit owes (M14): the newest receipt, preferring one that bears signature and seal.
DELIVERABLES = """
WITH newest AS (
  SELECT unit, what, medium, max(signed) AS signed, max(recorded_on) AS recorded_on FROM deliverable GROUP BY 1, 2, 3
), owed(what, name) AS (VALUES ('annex4', '附件4'), ('annex5', '附件5'), ('summary', '工作总结')),
medium(medium, name) AS (VALUES ('paper', '纸质'), ('stick', 'U盘'))
SELECT o.name, m.name,
       CASE WHEN n.unit IS NULL THEN '未收' WHEN m.medium = 'paper' AND NOT n.signed THEN '未签字盖章' ELSE '已收' END,
       n.recorded_on
FROM owed o JOIN medium m LEFT JOIN newest n ON n.unit = ? AND n.what = o.what AND n.medium = m.medium
ORDER BY o.what, m.medium
"""


def answers(vault: Vault, names: Mapping[str, str]) -> Iterator[tuple[str, _Row]]:
    """(unit, row of the table `answers`); `names` are those of the categories by code."""
    for issue, serial, workbook, unit, received, code, returned, team in vault.connection.execute(ANSWERS_OVER_TIME):
        yield unit, (issue, serial, workbook, unit, received, code, names.get(code), returned, team)


def signatures(vault: Vault) -> Iterator[tuple[str, _Row]]:
    """(unit, row of the table `signatures`)."""
    for row in vault.connection.execute(SIGNATURES):
        yield row[3], row


def lock_changes(vault: Vault, campaign: Campaign) -> Iterator[tuple[str, _Row]]:
    """(unit, row of the table `changes`): every answer that changed the locked base (M13)."""
    names = {category.code: category.name for category in campaign.categories}
    deducted = [category.code for category in campaign.categories if category.group == "deducted"]
    for number, one in enumerate(changes(vault, deducted), 1):
        before, after = (f"{code} {names.get(code, '')}" if code else "未核查" for code in (one.earlier, one.code))
        row = (number, one.day.isoformat(), one.unit, one.issue, one.serial, before, after, one.filler, one.leader)
        yield one.unit, row


def deliverables(vault: Vault, campaign: Campaign) -> Iterator[tuple[str, _Row]]:
    """(unit, row of the table `deliverables`): six that each unit owes, received or not."""
    for unit in campaign.units:
        for row in vault.connection.execute(DELIVERABLES, [unit.slug]):
            yield unit.slug, (unit.slug, *row)
