"""The province's list: read it, check every row (M7, M8), and split it by unit. Nothing is guessed."""

import io
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import python_calamine

from etl.exchange.child import Child
from etl.exchange.list_rows import ListRow
from etl.findings import Finding
from etl.forms import id_number
from etl.forms.definitions import ANNEX4
from etl.forms.sheet import Grid, cell_address, find_header
from etl.issue.assign import match_units
from etl.rulebook.campaign import Campaign, Unit
from etl.system.file_names import shown_name

_WANTED = tuple(column.key for column in ANNEX4.issued)


@dataclass(frozen=True)
class ProvinceList:
    """A list as read. `at` gives the zero-based column index of each key.

    `taken` are the ID numbers, and `people` the (原始序号, 姓名), of children that were issued before.
    """

    file: str
    sheet: str
    at: Mapping[str, int]
    rows: tuple[ListRow, ...]
    taken: frozenset[str] = field(default=frozenset(), repr=False)
    people: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)

    def finding(self, campaign: Campaign, rule: str, row: ListRow, key: str, **params: Any) -> Finding:
        """A finding at the cell of a row and a column key."""
        cell = cell_address(row.number - 1, self.at[key])
        return campaign.finding(rule, self.file, sheet=self.sheet, cell=cell, **params)


@dataclass(frozen=True)
class Split:
    """A list split by unit. If a finding is an error, nothing is issued.

    `faulty` are rows that must be excluded or corrected in the list, each with a text that names the fault; `unmatched`
    are rows that an officer must assign, each with the units that the address names.
    """

    children: tuple[Child, ...]
    findings: tuple[Finding, ...]
    faulty: tuple[tuple[ListRow, str], ...] = ()
    unmatched: tuple[tuple[ListRow, tuple[Unit, ...]], ...] = ()


def read_list(path: Path, campaign: Campaign) -> tuple[ProvinceList | None, list[Finding]]:
    """Read the sheet whose header names all eight columns: (list, no findings) or (None, why it cannot be read)."""
    try:
        content = path.read_bytes() if path.is_file() else b""  # reading a pipe could take forever
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheets = [(name, book.get_sheet_by_name(name).to_python(skip_empty_area=False)) for name in book.sheet_names]
    except (python_calamine.CalamineError, OSError):
        return None, [campaign.finding("L08", shown_name(path))]
    found = []
    for name, rows in sheets:
        if (header := find_header(rows, ANNEX4, wanted=_WANTED)) is not None:
            found.append(ProvinceList(shown_name(path), name, header[1], tuple(_rows(rows, *header))))
    # A second sheet that has only a header is ignored; one with rows is refused, because its rows would be lost.
    filled = [one for one in found if one.rows]
    if len(filled) > 1:
        return None, [campaign.finding("L11", shown_name(path), count=len(filled))]
    if found:
        return (filled or found)[0], []
    columns = "、".join(column.heading for column in ANNEX4.issued)
    return None, [campaign.finding("L01", shown_name(path), columns=columns)]


def _rows(grid: Grid, header: int, at: Mapping[str, int]) -> list[ListRow]:
    texts = [
        ListRow(number, {key: _text(row[at[key]]) for key in _WANTED})
        for number, row in enumerate(grid[header + 1 :], start=header + 2)
    ]
    return [row for row in texts if any(text.strip() for text in row.texts.values())]


def split_list(
    given: ProvinceList,
    campaign: Campaign,
    *,
    excluded: Collection[int] = (),
    assigned: Mapping[int, str] | None = None,
) -> Split:
    """Check a list and split it by unit.

    Rows whose numbers are in `excluded` are skipped; `assigned` gives the slug of a unit by row number.
    """
    rows = [row for row in given.rows if row.number not in excluded]
    faults, twins = _faults(given, rows, campaign)
    matches = {row.number: tuple(match_units(row.texts["household"], campaign.units)) for row in rows}
    chosen = assigned or {}
    children, findings, unmatched = [], [], []
    for row in rows:
        findings += [finding for finding, _ in faults.get(row.number, [])]
        units = matches[row.number]
        slug = units[0].slug if len(units) == 1 else chosen.get(row.number)
        if slug is not None:
            children.append(Child(unit=slug, **row.texts))
        elif units:
            names = "、".join(unit.name for unit in units)
            findings.append(given.finding(campaign, "L07", row, "household", units=names))
        else:
            findings.append(given.finding(campaign, "L06", row, "household"))
        if len(units) != 1:
            unmatched.append((row, units))
    wrong = {number: "；".join(text for _, text in found) for number, found in faults.items()}
    faulty = [(row, wrong.get(row.number) or twins[row.number]) for row in rows if row.number in {*wrong, *twins}]
    return Split(tuple(children), tuple(findings), tuple(faulty), tuple(unmatched))


#: The text for a fault in the decision workbook of exclusions, by rule.
FAULT_TEXTS = {
    "L02": "原始序号为空或重复", "L03": "身份证号不合规", "L04": "身份证号重复", "L05": "出生日期不在核查范围内",
    "L09": "有空白项", "L13": "有过长的项", "L12": "与以前下发的儿童同序号同姓名",
}  # fmt: skip


def _faults(
    given: ProvinceList, rows: list[ListRow], campaign: Campaign
) -> tuple[dict[int, list[tuple[Finding, str]]], dict[int, str]]:
    """(findings by row number, each with a short text; texts for rows that a later row repeats, by row number).

    Of two rows with the same serial or ID number either may be the wrong one, so the officer may exclude either.
    """
    found: dict[int, list[tuple[Finding, str]]] = {}
    twins: dict[int, str] = {}
    first: dict[tuple[str, str], ListRow] = {}
    for row in rows:
        for rule, key, params in _row_faults(row, campaign, first, given):
            text = FAULT_TEXTS[rule]
            earlier = first.get((key, _same(row.texts[key]) if key == "serial" else row.texts[key]))
            if rule in ("L02", "L04") and earlier is not None and earlier is not row:
                text += f"（与第 {earlier.number} 行）"
                twins.setdefault(earlier.number, f"被第 {row.number} 行重复")
            found.setdefault(row.number, []).append((given.finding(campaign, rule, row, key, **params), text))
    return found, twins


def _row_faults(
    row: ListRow, campaign: Campaign, first: dict[tuple[str, str], ListRow], given: ProvinceList
) -> list[tuple[str, str, dict[str, Any]]]:
    """(rule, column key, parameters) of each fault of a row.

    `first` collects the first row of each serial and ID number, by (column key, value).
    """
    texts = row.texts
    faults: list[tuple[str, str, dict[str, Any]]] = [
        ("L09", column.key, {"column": column.heading})
        for column in ANNEX4.issued
        if not texts[column.key].strip() and column.key not in ("serial", "id_number", "household")
    ]
    most = campaign.limits.cell_characters
    faults += [
        ("L13", column.key, {"column": column.heading, "most": most})
        for column in ANNEX4.issued
        if len(texts[column.key]) > most
    ]
    if not texts["serial"].strip() or first.setdefault(("serial", _same(texts["serial"])), row) is not row:
        faults.append(("L02", "serial", {}))
    identifier = texts["id_number"]
    if not id_number.is_valid(identifier) or id_number.sex_of(identifier) != texts["sex"]:
        return [*faults, ("L03", "id_number", {})]
    if first.setdefault(("id_number", identifier), row) is not row or identifier in given.taken:
        faults.append(("L04", "id_number", {}))
    elif (texts["serial"], texts["name"]) in given.people:
        faults.append(("L12", "id_number", {}))
    birth = id_number.birth_of(identifier)
    if birth is None or not campaign.births_first <= birth <= campaign.births_last:
        faults.append(("L05", "id_number", {"first": campaign.births_first, "last": campaign.births_last}))
    return faults


def _same(serial: str) -> str:
    """A serial normalised: 3, full-width ３ and 3 with a space are the same."""
    return unicodedata.normalize("NFKC", serial).strip()


def _text(value: object) -> str:
    # Serials may be numbers in Excel. An ID number stored as a number has lost digits and fails its check digit.
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
