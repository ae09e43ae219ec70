"""The ledger of deliverables (M14): what each unit owes, what came, when, and who received it; receipts of return."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from etl.forms.definitions import CASES
from etl.rulebook.campaign import Campaign
from etl.vault.store.open import Vault

#: What a unit owes, and on what, with their printed names.
OWED_DOCUMENTS = {"annex4": "附件4", "annex5": "附件5", "summary": "工作总结"}
OWED_ON = {"paper": "纸质", "stick": "U盘"}
#: Of each thing that came by a day: the newest receipt, preferring one that bears signature and seal.
_RECEIVED = """
SELECT unit, what, medium, signed, recorded_on, recorded_by FROM (
  SELECT *, row_number() OVER (PARTITION BY unit, what, medium ORDER BY signed DESC, id DESC) AS place
  FROM deliverable WHERE recorded_on <= ?
) WHERE place = 1
"""
#: The columns of the case workbook that show a return: how and where the child is schooled, since when, who cares.
SHOWN_BY = ("schooling", "school", "date", "carer")
_BACK = f"""
WITH shown AS (
  SELECT child_issue, serial, unit, group_concat(key) AS keys FROM current_entry
  WHERE form = '{CASES.key}' AND value <> '' AND key IN {SHOWN_BY} GROUP BY 1, 2, 3
)
SELECT c.unit, a.issue, a.serial, c.name, coalesce(s.keys, '') FROM current_answer a
JOIN child c ON c.issue = a.issue AND c.serial = a.serial
LEFT JOIN shown s ON s.child_issue = a.issue AND s.serial = a.serial AND s.unit = c.unit
WHERE a.returned = '是' ORDER BY c.unit, a.issue, a.serial
"""


@dataclass(frozen=True)
class Owed:
    """A document that a unit owes, on paper or on a stick; `received_on` and `received_by` are empty until it came.

    Paper counts as received only with signature and seal (`is_signed`).
    """

    unit: str
    what: str
    medium: str
    received_on: str = ""
    received_by: str = ""
    is_signed: bool = False

    @property
    def state(self) -> str:
        """``missing``, ``unsigned`` or ``received``."""
        if not self.received_on:
            return "missing"
        return "unsigned" if self.medium == "paper" and not self.is_signed else "received"


@dataclass(frozen=True)
class BareReturn:
    """A child reported as returned without all that shows it: `missing` are keys of `SHOWN_BY`."""

    unit: str
    issue: str
    serial: str
    name: str
    missing: Sequence[str]


def owed_documents(vault: Vault, campaign: Campaign, day: dt.date) -> list[Owed]:
    """Six documents for each unit, in the campaign's order, as they stood on `day`."""
    came = {
        (unit, what, medium): (on, by, bool(signed))
        for unit, what, medium, signed, on, by in vault.connection.execute(_RECEIVED, [day.isoformat()])
    }
    return [
        Owed(unit.slug, what, medium, *came.get((unit.slug, what, medium), ()))
        for unit in campaign.units
        for what in OWED_DOCUMENTS
        for medium in OWED_ON
    ]


def bare_returns(vault: Vault) -> list[BareReturn]:
    """Every child that is reported as returned, without a complete receipt of it in the case workbook."""
    found = []
    for unit, issue, serial, name, keys in vault.connection.execute(_BACK):
        if missing := [key for key in SHOWN_BY if key not in keys.split(",")]:
            found.append(BareReturn(unit, issue, serial, name, missing))
    return found
