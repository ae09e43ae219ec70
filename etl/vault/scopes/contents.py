"""What the staff of each scope may see of the record: which tables, and which rows of them (M4, M15, M18)."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence

from etl.exchange.counts import measure
from etl.exchange.current_answer import CurrentAnswer
from etl.exchange.flag import Flag
from etl.forms.definitions import ANNEX4
from etl.forms.id_number import birth_of, mask
from etl.rulebook.campaign import BUREAU, INSPECTORATE, Campaign
from etl.vault.record.count import count
from etl.vault.record.inspection import current_answers
from etl.vault.record.submissions import REPLACED
from etl.vault.scopes import received
from etl.vault.store.open import Vault

_Row = tuple[object, ...]
#: Rows by the name of their table.
Tables = Mapping[str, Sequence[_Row]]
#: A function that finds the inspectorate's flags in all current answers.
FindFlags = Callable[[Sequence[CurrentAnswer], Campaign], Sequence[Flag]]
_PROGRESS = ("suspected", "verified", "deducted", "to_return", "returned", "still_out")
OF_UNIT = (
    "children", "progress", "workbooks", "findings", "corrections", "cases", "answers", "signatures", "changes",
    "deliverables",
)  # fmt: skip
OF_DEPARTMENT = ("corrections", "workbooks", "findings")
OF_INSPECTORATE = ("progress", "flags", "visits", "changes", "deliverables")
OF_BUREAU = (*OF_UNIT, "flags", "visits")
#: The table of full ID numbers, in a separate file.
_NUMBER = "number"

CHILDREN = """
SELECT c.issue, c.serial, c.id_number, c.unit, c.name, c.sex, c.household, a.category, a.returned, a.team, i.issued_on
FROM child c JOIN issue i ON i.id = c.issue LEFT JOIN current_answer a ON a.issue = c.issue AND a.serial = c.serial
"""
# A cell that was left blank is '' in the record and NULL here, so that staff find it as "empty".
_CORRECTIONS = """
SELECT s.issue, s.serial, c.id_number, s.department, c.unit, c.name, c.sex, c.household, s.category, s.wrong,
       s.opened_on,
       CASE s.state WHEN 'open' THEN '办理中' ELSE '已办结' END,
       nullif(s.cause, ''), nullif(s.outcome, ''), nullif(s.closed_on, ''), nullif(s.remark, '')
FROM correction_state s JOIN child c ON c.issue = s.issue AND c.serial = s.serial WHERE s.state <> 'withdrawn'
"""
_CASES = """
SELECT s.issue, s.serial, c.id_number, s.unit, c.name, c.sex, a.category, s.opened_on,
       CASE s.state WHEN 'open' THEN '劝返中' ELSE '已结案' END, m.received,
       nullif(s.measure, ''), nullif(s.department, ''), nullif(s.person, ''), nullif(s.schooling, ''),
       nullif(s.returned_on, ''), nullif(s.carer, ''),
       iif(s.bureau_copy, '已收', '未收'), iif(s.unit_copy, '已收', '未收')
FROM case_state s JOIN child c ON c.issue = s.issue AND c.serial = s.serial
LEFT JOIN (SELECT e.child_issue, e.serial, e.unit, max(w.received) AS received FROM current_entry e
           JOIN workbook w ON w.id = e.workbook WHERE e.form = 'cases' GROUP BY 1, 2, 3) m
  ON m.child_issue = s.issue AND m.serial = s.serial AND m.unit = s.unit
JOIN current_answer a ON a.issue = s.issue AND a.serial = s.serial WHERE s.state <> 'withdrawn'
"""
VISITS = """
SELECT c.issue, c.serial, c.id_number, r.id, r.drawn_on, c.unit, c.name, c.sex, c.household, a.category, a.returned
FROM revisit_child v JOIN revisit r ON r.id = v.revisit JOIN child c ON c.issue = v.issue AND c.serial = v.serial
LEFT JOIN current_answer a ON a.issue = v.issue AND a.serial = v.serial
"""
WORKBOOKS = f"""
SELECT w.id, w.unit, coalesce(n.name, ''), w.received,
       CASE WHEN w.status = 'accepted' THEN '收下' WHEN {REPLACED} THEN '已重报' ELSE '退回' END,
       coalesce(sum(f.severity = 'error'), 0), coalesce(sum(f.severity = 'warning'), 0),
       coalesce(sum(f.severity = 'note'), 0)
FROM workbook w LEFT JOIN file_name n ON n.workbook = w.id LEFT JOIN finding f ON f.workbook = w.id
WHERE w.unit IS NOT NULL GROUP BY w.id
"""
FINDINGS = f"""
SELECT w.unit, f.id, f.workbook,
       CASE f.severity WHEN 'error' THEN '错误' WHEN 'warning' THEN '提示' ELSE '备注' END,
       CASE WHEN f.severity <> 'error' THEN '不须' WHEN {REPLACED} THEN '已重报' ELSE '须改正' END,
       f.rule, f.sheet, f.cell, w.issue, f.serial, f.message
FROM finding f JOIN workbook w ON w.id = f.workbook WHERE w.unit IS NOT NULL
"""


def scopes(campaign: Campaign) -> list[str]:
    """Every scope: the units, the departments, the inspectorate, the bureau."""
    departments = [department.slug for department in campaign.casework.departments]
    return [*(unit.slug for unit in campaign.units), *departments, INSPECTORATE, BUREAU]


def tables_of(campaign: Campaign, scope: str) -> tuple[str, ...]:
    """The tables of a scope's file."""
    if scope in (BUREAU, INSPECTORATE):
        return OF_BUREAU if scope == BUREAU else OF_INSPECTORATE
    return OF_DEPARTMENT if campaign.casework.department(scope) else OF_UNIT


#: (table, scopes that see the row besides the bureau, the row, (issue, serial, full ID number) of its child or None).
_Seen = tuple[str, tuple[str, ...], _Row, _Row | None]


def rows_by_scope(vault: Vault, campaign: Campaign, find_flags: FindFlags) -> dict[str, tuple[Tables, Tables]]:
    """By scope: (the tables that it sees, the table of full ID numbers of the children in them)."""
    tables = {scope: {table: list[_Row]() for table in tables_of(campaign, scope)} for scope in scopes(campaign)}
    numbers: dict[str, set[_Row]] = {scope: set() for scope in tables}
    for table, seen_by, row, child in _all(vault, campaign, find_flags):
        for scope in {*seen_by, BUREAU}:
            if table in tables.get(scope, {}):  # a unit or department that the campaign no longer has gets no file
                tables[scope][table].append(row)
                if child is not None:
                    numbers[scope].add(child)
    return {scope: (own, {_NUMBER: sorted(numbers[scope])}) for scope, own in tables.items()}


def _all(vault: Vault, campaign: Campaign, find_flags: FindFlags) -> Iterator[_Seen]:
    names = {category.code: category.name for category in campaign.categories}
    yield from _children(vault, names)
    yield from _corrections(vault, names)
    yield from _cases(vault, names)
    yield from _visits(vault, names)
    for row in vault.connection.execute(WORKBOOKS):
        yield "workbooks", (row[1],), row, None
    for unit, *rest in vault.connection.execute(FINDINGS):
        yield "findings", (unit,), tuple(rest), None
    yield from _progress(vault, campaign)
    yield from (("answers", (unit,), row, None) for unit, row in received.answers(vault, names))
    yield from (("signatures", (unit,), row, None) for unit, row in received.signatures(vault))
    for unit, row in received.lock_changes(vault, campaign):
        yield "changes", (unit, INSPECTORATE), row, None
    for unit, row in received.deliverables(vault, campaign):
        yield "deliverables", (unit, INSPECTORATE), row, None
    for flag in find_flags(current_answers(vault, dt.date.max), campaign):
        yield "flags", (INSPECTORATE,), (flag.unit, flag.rule, flag.message, flag.message_en), None


def _children(vault: Vault, names: Mapping[str, str]) -> Iterator[_Seen]:
    rows = vault.connection.execute(CHILDREN)
    for issue, serial, number, unit, name, sex, household, code, returned, team, issued_on in rows:
        row = (serial, issue, unit, name, sex, mask(number), str(birth_of(number)), household, code, names.get(code),
               returned, team, issued_on)  # fmt: skip
        yield "children", (unit,), row, (issue, serial, number)


def _corrections(vault: Vault, names: Mapping[str, str]) -> Iterator[_Seen]:
    rows = vault.connection.execute(_CORRECTIONS)
    for issue, serial, number, department, unit, name, sex, household, code, wrong, *rest in rows:
        # The right value is only in the department's sealed workbook.
        about = (wrong, f"{ANNEX4.column(wrong).heading}有误") if wrong else (code, names.get(code))
        row = (issue, serial, department, unit, name, sex, mask(number), household, *about, *rest)
        yield "corrections", (unit, department), row, (issue, serial, number)


def _cases(vault: Vault, names: Mapping[str, str]) -> Iterator[_Seen]:
    for issue, serial, number, unit, name, sex, code, *rest in vault.connection.execute(_CASES):
        row = (issue, serial, unit, name, sex, mask(number), code, names.get(code), *rest)
        yield "cases", (unit,), row, (issue, serial, number)


def _visits(vault: Vault, names: Mapping[str, str]) -> Iterator[_Seen]:
    rows = vault.connection.execute(VISITS)
    for issue, serial, number, sample, drawn_on, unit, name, sex, household, code, returned in rows:
        row = (
            sample,
            drawn_on,
            issue,
            serial,
            unit,
            name,
            sex,
            mask(number),
            household,
            code,
            names.get(code),
            returned,
        )
        yield "visits", (INSPECTORATE,), row, (issue, serial, number)


def _progress(vault: Vault, campaign: Campaign) -> Iterator[_Seen]:
    counts = count(vault, campaign, dt.date.max)
    for unit, sums in zip(campaign.units, counts.units, strict=True):
        figures = [measure(sums.atoms, campaign.publication, key) for key in _PROGRESS]
        row = (unit.slug, unit.name, "已报送" if sums.reported else "未报送", *figures)
        yield "progress", (unit.slug, INSPECTORATE), row, None
