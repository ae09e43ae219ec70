"""Corrections (M15) and cases (M16): current answers open them; what departments and units send back closes them."""

from collections.abc import Mapping
from dataclasses import dataclass

from etl.exchange.bundle import Bundle
from etl.forms.definitions import ANNEX4, CASES, CORRECTIONS, Form
from etl.rulebook.campaign import Campaign
from etl.vault.store.open import Vault

#: Corrections or cases that are open or closed (not withdrawn), with the child's issued values and current answer.
_WANTED = """
SELECT s.issue, s.serial, {recipient}, max(s.state), c.name, c.sex, c.id_number, c.household, a.category, a.returned
FROM {view} s JOIN child c ON c.issue = s.issue AND c.serial = s.serial
LEFT JOIN current_answer a ON a.issue = s.issue AND a.serial = s.serial
WHERE s.state <> 'withdrawn' GROUP BY s.issue, s.serial, {recipient} ORDER BY s.issue, s.serial
"""
# For each wrong value of a child and each department: the newest right value on record.
WRONG = """
SELECT issue, serial, department, key, value FROM wrong_value w
WHERE id = (SELECT max(id) FROM wrong_value v
            WHERE (v.issue, v.serial, v.department, v.key) = (w.issue, w.serial, w.department, w.key)) ORDER BY id
"""
VIEWS = {CORRECTIONS.key: ("correction_state", "s.department"), CASES.key: ("case_state", "s.unit")}
_ENTRIES = "SELECT child_issue, serial, unit, key, value FROM current_entry WHERE form = ? AND value <> ''"


@dataclass(frozen=True)
class Work:
    """One child's correction or case at one recipient.

    `row` holds the issued columns by key; `values` the columns that were last sent back, without blanks.
    """

    issue: str
    serial: str
    recipient: str
    row: Mapping[str, str]
    values: Mapping[str, str]
    is_closed: bool


def work(vault: Vault, campaign: Campaign, form: Form) -> list[Work]:
    """Every correction or case that is not withdrawn, with what its recipient last sent back.

    An outcome closes a correction. A form of schooling closes a case while the unit reports the child as returned; if
    the child drops out again, the case is open again.
    """
    back: dict[tuple[str, str, str], dict[str, str]] = {}
    for issue, serial, unit, key, value in vault.connection.execute(_ENTRIES, [form.key]):
        back.setdefault((issue, serial, unit), {})[key] = value
    view, recipient = VIEWS[form.key]
    wrong = _wrong_values(vault) if form == CORRECTIONS else {}
    found = []
    for issue, serial, to, state, name, sex, number, household, code, returned in vault.connection.execute(
        _WANTED.format(view=view, recipient=recipient)
    ):
        label = [campaign.category[code].label] if code else []
        row = {
            "reference": f"{issue}-{serial}", "serial": serial, "name": name, "sex": sex, "id_number": number,
            "household": household, "returned": returned or "",
            "category": "；".join([*label, *wrong.get((issue, serial, to), [])]),
        }  # fmt: skip
        shown = {column.key: row[column.key] for column in form.issued}
        found.append(Work(issue, serial, to, shown, back.get((issue, serial, to), {}), state == "closed"))
    return found


def _wrong_values(vault: Vault) -> dict[tuple[str, str, str], list[str]]:
    """Texts that name a wrong column and its right value, by (issue, serial, department)."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for issue, serial, department, key, value in vault.connection.execute(WRONG):
        found.setdefault((issue, serial, department), []).append(f"{ANNEX4.column(key).heading}应为{value}")
    return found


def open_bundles(vault: Vault, campaign: Campaign, form: Form, issue: str, to: str | None) -> list[Bundle]:
    """Bundles for `issue` with every open row of each recipient, or only of the recipient `to`."""
    rows: dict[str, list[Mapping[str, str]]] = {}
    for one in work(vault, campaign, form):
        if not one.is_closed and to in (None, one.recipient):
            rows.setdefault(one.recipient, []).append(one.row)
    return [Bundle(form, issue, slug, campaign.recipient_name(slug), tuple(own)) for slug, own in sorted(rows.items())]


def progress(vault: Vault, form: Form) -> Mapping[str, tuple[int, int]]:
    """How many corrections or cases are (open, closed), by recipient."""
    view, recipient = VIEWS[form.key]
    query = f"""SELECT {recipient}, sum(s.state = 'open'), sum(s.state = 'closed') FROM {view} s
                WHERE s.state <> 'withdrawn' GROUP BY 1 ORDER BY 1"""
    return {to: (open_, closed) for to, open_, closed in vault.connection.execute(query)}


def corrections_by_unit(vault: Vault) -> list[tuple[str, str, int, int]]:
    """(unit of the child, department, open, closed): how many corrections; withdrawn ones are not counted."""
    query = """SELECT c.unit, s.department, sum(s.state = 'open'), sum(s.state = 'closed') FROM correction_state s
               JOIN child c ON c.issue = s.issue AND c.serial = s.serial
               WHERE s.state <> 'withdrawn' GROUP BY 1, 2 ORDER BY 2, 1"""
    return [(unit, to, open_, closed) for unit, to, open_, closed in vault.connection.execute(query)]
