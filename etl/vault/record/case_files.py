"""Case files (M16) from the record: of every child to return now, all that is on record about it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from etl.exchange.case_file import CaseFile
from etl.forms.definitions import ANNEX4, CASES
from etl.rulebook.campaign import Campaign
from etl.vault.store.open import Vault

_Child: TypeAlias = tuple[str, str]
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
_KEYS = tuple(column.key for column in ANNEX4.issued)
_CASES = f"""
SELECT s.issue, s.serial, s.unit, a.category, a.returned, a.team, s.state = 'closed', i.issued_on,
       {", ".join(f"c.{key}" for key in _KEYS)}
FROM case_state s JOIN child c ON c.issue = s.issue AND c.serial = s.serial JOIN issue i ON i.id = s.issue
JOIN current_answer a ON a.issue = s.issue AND a.serial = s.serial
WHERE s.state <> 'withdrawn' AND s.unit = ? ORDER BY s.issue, s.serial
"""
_ENTRIES = "SELECT child_issue, serial, key, value FROM current_entry WHERE form = ? AND unit = ? AND value <> ''"
# Of a unit's children: (issue, serial, …) of each thing on record.
_OF_UNIT = "JOIN child c ON c.issue = x.issue AND c.serial = x.serial WHERE c.unit = ?"
_PAPERS = f"SELECT x.issue, x.serial, x.kind, x.about, x.dated, x.place FROM paper x {_OF_UNIT} ORDER BY x.dated, x.id"
_POLICE = f"SELECT x.issue, x.serial, x.reference, x.recorded_on FROM police_ref x {_OF_UNIT} ORDER BY x.id"
_SIGNED = f"""
SELECT x.issue, x.serial, g.act, g.recorded_on, x.members
FROM signed_child x JOIN signature g ON g.id = x.signature {_OF_UNIT} ORDER BY g.id
"""
_DRAWN = f"""
SELECT x.issue, x.serial, r.drawn_on, r.drawn_by FROM revisit_child x JOIN revisit r ON r.id = x.revisit
{_OF_UNIT} ORDER BY r.id
"""


def case_files(vault: Vault, campaign: Campaign, unit: str) -> Iterator[CaseFile]:
    """The case files of a unit's children that are to return (closed ones too), in the order of their lists."""
    about = {query: _by_child(vault, query, unit) for query in (_PAPERS, _POLICE, _SIGNED, _DRAWN)}
    answers = _by_child(vault, f"SELECT * FROM ({ANSWERS_OVER_TIME}) WHERE unit = ? ORDER BY workbook", unit)
    work: dict[_Child, dict[str, str]] = defaultdict(dict)
    for issue, serial, key, value in vault.connection.execute(_ENTRIES, [CASES.key, unit]):
        work[issue, serial][key] = value
    for issue, serial, _, code, returned, team, closed, issued_on, *issued in vault.connection.execute(_CASES, [unit]):
        child = (issue, serial)
        events = [(issued_on, "下发", "")]
        events += [(day, _said(campaign, category, back), members)
                   for _, _, day, category, back, members in answers[child]]  # fmt: skip
        events += [(day, f"登记公安机关文号 {reference}", "") for reference, day in about[_POLICE][child]]
        events += [(day, "抽中督导复查", by) for day, by in about[_DRAWN][child]]
        yield CaseFile(
            issue, unit, dict(zip(_KEYS, issued, strict=True)), code, returned, team, bool(closed), work[child],
            sorted(events, key=lambda event: event[0]), about[_PAPERS][child], about[_SIGNED][child],
        )  # fmt: skip


def _by_child(vault: Vault, query: str, unit: str) -> Mapping[_Child, list[Any]]:
    found: dict[_Child, list[Any]] = defaultdict(list)
    for issue, serial, *rest in vault.connection.execute(query, [unit]):
        found[issue, serial].append(tuple(rest))
    return found


def _said(campaign: Campaign, category: str, returned: str) -> str:
    return f"报送结果：{campaign.category[category].label}，复学：{returned}"
