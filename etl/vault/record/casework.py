"""Corrections (M15) and cases (M16): opened by the current answers, closed by what departments and units send back."""

from collections.abc import Mapping
from dataclasses import dataclass

from etl.exchange.bundle import Bundle
from etl.forms.definitions import ANNEX4, CASES, CORRECTIONS, Form
from etl.rulebook.campaign import Campaign
from etl.vault.store.open import Vault

#: Corrections and cases that the current answers and the bureau's records want, with what the children's rows show.
_WANTED = """
SELECT s.issue, s.serial, {receiver}, max(s.state), c.name, c.sex, c.id_number, c.household, a.category, a.returned
FROM {view} s JOIN child c ON c.issue = s.issue AND c.serial = s.serial
LEFT JOIN current_answer a ON a.issue = s.issue AND a.serial = s.serial
WHERE s.state <> 'withdrawn' GROUP BY s.issue, s.serial, {receiver} ORDER BY s.issue, s.serial
"""
# The newest right value of each column of a child that is wrong, as a department is told.
WRONG = """
SELECT issue, serial, department, key, value FROM wrong_value w
WHERE id = (SELECT max(id) FROM wrong_value v
            WHERE (v.issue, v.serial, v.department, v.key) = (w.issue, w.serial, w.department, w.key)) ORDER BY id
"""
VIEWS = {CORRECTIONS.key: ("correction_state", "s.department"), CASES.key: ("case_state", "s.unit")}
_ENTRIES = "SELECT child_issue, serial, unit, key, value FROM current_entry WHERE form = ? AND value <> ''"


@dataclass(frozen=True)
class Work:
    """One child's correction or case at one receiver; `values` are what was last sent back, blanks left out."""

    issue: str
    serial: str
    recipient: str
    row: Mapping[str, str]
    values: Mapping[str, str]
    is_closed: bool


def work(vault: Vault, campaign: Campaign, form: Form) -> list[Work]:
    """Every correction or case that the current answers want, with what came back of it.

    A correction is closed by its outcome; a case by the child's form of schooling, as long as its unit says that it is
    back: a relapse opens it again.
    """
    back: dict[tuple[str, str, str], dict[str, str]] = {}
    for issue, serial, unit, key, value in vault.connection.execute(_ENTRIES, [form.key]):
        back.setdefault((issue, serial, unit), {})[key] = value
    view, receiver = VIEWS[form.key]
    wrong = _wrong_values(vault) if form == CORRECTIONS else {}
    found = []
    for issue, serial, to, state, name, sex, number, household, code, returned in vault.connection.execute(
        _WANTED.format(view=view, receiver=receiver)
    ):
        said = [campaign.category[code].label] if code else []
        row = {
            "reference": f"{issue}-{serial}", "serial": serial, "name": name, "sex": sex, "id_number": number,
            "household": household, "returned": returned or "",
            "category": "；".join([*said, *wrong.get((issue, serial, to), [])]),
        }  # fmt: skip
        shown = {column.key: row[column.key] for column in form.issued}
        found.append(Work(issue, serial, to, shown, back.get((issue, serial, to), {}), state == "closed"))
    return found


def _wrong_values(vault: Vault) -> dict[tuple[str, str, str], list[str]]:
    """What is wrong and should be, in words, by (issue, serial, department)."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for issue, serial, department, key, value in vault.connection.execute(WRONG):
        found.setdefault((issue, serial, department), []).append(f"{ANNEX4.column(key).heading}应为{value}")
    return found


def open_bundles(vault: Vault, campaign: Campaign, form: Form, issue: str, to: str | None) -> list[Bundle]:
    """The workbooks that are to be handed out now: every open row of each receiver, or of one."""
    rows: dict[str, list[Mapping[str, str]]] = {}
    for one in work(vault, campaign, form):
        if not one.is_closed and to in (None, one.recipient):
            rows.setdefault(one.recipient, []).append(one.row)
    return [Bundle(form, issue, slug, campaign.recipient_name(slug), tuple(own)) for slug, own in sorted(rows.items())]


def progress(vault: Vault, form: Form) -> Mapping[str, tuple[int, int]]:
    """(open, closed) by receiver."""
    view, receiver = VIEWS[form.key]
    query = f"""SELECT {receiver}, sum(s.state = 'open'), sum(s.state = 'closed') FROM {view} s
                WHERE s.state <> 'withdrawn' GROUP BY 1 ORDER BY 1"""
    return {to: (open_, closed) for to, open_, closed in vault.connection.execute(query)}
