"""Corrections (M15) and cases (M16): opened by the current answers, closed by what departments and units send back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from etl.bundle import Bundle
from etl.campaign import Campaign
from etl.forms import CASES, CORRECTIONS, Form
from etl.vault.record import Vault

#: Current answers with what the children's rows show, and the newest value of one column of one form.
ANSWERED = """
SELECT c.issue, c.serial, c.unit, c.name, c.sex, c.id_number, c.household, a.category, a.returned
FROM current_answer a JOIN child c ON c.issue = a.issue AND c.serial = a.serial ORDER BY c.issue, c.serial
"""
ENTRIES = "SELECT child_issue, serial, unit, key, value FROM current_entry WHERE form = ? AND value <> ''"


@dataclass(frozen=True)
class Work:
    """One child's correction or case at one receiver; `values` are what was last sent back, blanks left out."""

    issue: str
    serial: str
    recipient: str
    row: Mapping[str, str]
    values: Mapping[str, str]
    closes: str

    @property
    def is_closed(self) -> bool:
        """A correction is closed by its outcome, a case by the child's form of schooling."""
        return bool(self.values.get(self.closes))


def work(vault: Vault, campaign: Campaign, form: Form) -> list[Work]:
    """Every correction or case that the current answers open, with what came back of it."""
    back: dict[tuple[str, str, str], dict[str, str]] = {}
    for issue, serial, unit, key, value in vault.connection.execute(ENTRIES, [form.key]):
        back.setdefault((issue, serial, unit), {})[key] = value
    closes = {CORRECTIONS.key: "outcome", CASES.key: "schooling"}[form.key]
    found = []
    for issue, serial, unit, name, sex, number, household, code, returned in vault.connection.execute(ANSWERED):
        row = {
            "reference": f"{issue}-{serial}", "serial": serial, "name": name, "sex": sex, "id_number": number,
            "household": household, "category": campaign.category[code].label, "returned": returned,
        }  # fmt: skip
        shown = {column.key: row[column.key] for column in form.issued}
        for recipient in _recipients(campaign, form, code, unit):
            found.append(Work(issue, serial, recipient, shown, back.get((issue, serial, recipient), {}), closes))
    return found


def _recipients(campaign: Campaign, form: Form, code: str, unit: str) -> Sequence[str]:
    if form == CORRECTIONS:
        return [one.slug for one in campaign.casework.departments if code in one.opened_by]
    return [unit] if campaign.category[code].group == "to_return" else []


def open_bundles(vault: Vault, campaign: Campaign, form: Form, issue: str, to: str | None) -> list[Bundle]:
    """The workbooks that are to be handed out now: every open row of each receiver, or of one."""
    rows: dict[str, list[Mapping[str, str]]] = {}
    for one in work(vault, campaign, form):
        if not one.is_closed and to in (None, one.recipient):
            rows.setdefault(one.recipient, []).append(one.row)
    return [Bundle(form, issue, slug, campaign.recipient_name(slug), tuple(own)) for slug, own in sorted(rows.items())]


def progress(vault: Vault, campaign: Campaign, form: Form) -> Mapping[str, tuple[int, int]]:
    """(open, closed) by receiver."""
    sums: dict[str, tuple[int, int]] = {}
    for one in work(vault, campaign, form):
        open_, closed = sums.get(one.recipient, (0, 0))
        sums[one.recipient] = (open_ + (not one.is_closed), closed + one.is_closed)
    return sums
