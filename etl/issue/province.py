"""The province's list: read it, hold every row against M7 and M8, and stop before anything is sealed if one fails."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import python_calamine

from etl import identity
from etl.campaign import Campaign
from etl.child import Child
from etl.findings import Finding
from etl.forms import ANNEX4, Grid, cell_address, find_header
from etl.issue.assign import match_units

WANTED = tuple(column.key for column in ANNEX4.issued)


def read_list(path: Path, campaign: Campaign) -> tuple[list[Child], list[Finding]]:
    """Children in the list's order, and what is wrong with it. With an error among the findings nothing is issued."""
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes()))
        sheets = [(name, book.get_sheet_by_name(name).to_python(skip_empty_area=False)) for name in book.sheet_names]
    except (python_calamine.CalamineError, OSError):
        return [], [campaign.finding("L08", path.name)]
    for name, rows in sheets:
        header = find_header(rows, ANNEX4, wanted=WANTED)
        if header is not None:
            reader = _Rows(campaign, path.name, name, header[1])
            children = list(reader.read(rows, header[0] + 1))
            return children, reader.findings
    columns = "、".join(column.heading for column in ANNEX4.issued)
    return [], [campaign.finding("L01", path.name, columns=columns)]


class _Rows:
    """One pass over the rows, remembering serials and ID numbers met."""

    def __init__(self, campaign: Campaign, file: str, sheet: str, at: dict[str, int]) -> None:
        self.campaign, self.file, self.sheet, self.at = campaign, file, sheet, at
        self.findings: list[Finding] = []
        self.serials: set[str] = set()
        self.numbers: set[str] = set()

    def read(self, rows: Grid, first: int) -> Iterator[Child]:
        for number, row in enumerate(rows[first:], start=first + 1):
            texts = {key: _text(row[self.at[key]]) for key in WANTED}
            if not any(text.strip() for text in texts.values()):
                continue
            self._check(number, texts)
            units = match_units(texts["household"], self.campaign.units)
            if len(units) == 1:
                yield Child(unit=units[0].slug, **texts)
            elif units:
                self._find("L07", number, "household", units="、".join(unit.name for unit in units))
            else:
                self._find("L06", number, "household")

    def _check(self, number: int, texts: dict[str, str]) -> None:
        for column in ANNEX4.issued:
            if not texts[column.key].strip() and column.key not in ("serial", "id_number", "household"):
                self._find("L09", number, column.key, column=column.heading)
        if not texts["serial"].strip() or texts["serial"] in self.serials:
            self._find("L02", number, "serial")
        self.serials.add(texts["serial"])
        identifier = texts["id_number"]
        if not identity.is_valid(identifier) or identity.sex_of(identifier) != texts["sex"]:
            self._find("L03", number, "id_number")
            return
        if identifier in self.numbers:
            self._find("L04", number, "id_number")
        self.numbers.add(identifier)
        first, last = self.campaign.births_first, self.campaign.births_last
        birth = identity.birth_of(identifier)
        if birth is None or not first <= birth <= last:
            self._find("L05", number, "id_number", first=first, last=last)

    def _find(self, rule: str, row: int, key: str, **params: Any) -> None:
        cell = cell_address(row - 1, self.at[key])
        self.findings.append(self.campaign.finding(rule, self.file, sheet=self.sheet, cell=cell, **params))


def _text(value: object) -> str:
    # A serial typed as a number is itself; an ID number typed as a number has lost digits and fails its check digit.
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
