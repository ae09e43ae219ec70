"""What came in, over time: answers of children, signed papers, changes of the locked base, and deliverables."""

import datetime as dt
from collections.abc import Iterator, Mapping

from etl.rulebook.campaign import Campaign
from etl.vault.record.case_files import ANSWERS_OVER_TIME
from etl.vault.record.inspection import changes
from etl.vault.record.ledger import OWED_DOCUMENTS, OWED_ON, owed_documents
from etl.vault.store.open import Vault

_Row = tuple[object, ...]

SIGNATURES = """
SELECT o.issue, o.serial, s.id, c.unit,
       CASE s.act WHEN 'verification' THEN '核查结果' WHEN 'return' THEN '复学情况'
                  WHEN 'case-bureau' THEN '档案（市局一份）' ELSE '档案（单位一份）' END, s.recorded_on, o.members
FROM signed_child o JOIN signature s ON s.id = o.signature JOIN child c ON c.issue = o.issue AND c.serial = o.serial
"""
_STATES = {"missing": "未收", "unsigned": "未签字盖章", "received": "已收"}


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
    for one in owed_documents(vault, campaign, dt.date.max):
        came = (one.received_on or None, one.received_by or None)
        yield one.unit, (one.unit, OWED_DOCUMENTS[one.what], OWED_ON[one.medium], _STATES[one.state], *came)
