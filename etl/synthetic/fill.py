"""Filling in 附件4 as units would: open the issued workbooks, fill the three columns, save and seal them."""

import io
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from etl.forms.definitions import ANNEX4, NOT_ASKED
from etl.rulebook.campaign import Campaign, Unit
from etl.synthetic.faults import FAULTS, RESEALED
from etl.synthetic.population import Person, chinese_faker
from etl.system.sealing import seal, unseal

_COLUMN = {column.key: at for at, column in enumerate(ANNEX4.columns, start=1)}
OWN_PASSWORD = "123456"  # noqa: S105 - a typical careless password


def fill_issue(
    campaign: Campaign,
    units: Sequence[Unit],
    folder: Path,
    inbox: Path,
    people: Sequence[Person],
    *,
    password_of: Callable[[str], str],
    seed: int,
    faults: Mapping[str, str],
    back: float = 1,
    done: Callable[[], None] = lambda: None,
) -> list[Path]:
    """Fill in the workbooks of `units` from an outbox folder and put them into `inbox`; return their paths.

    `people` are the list's population; `faults` gives the kind of fault by unit; `back` is the share of the children
    brought back who are back already; `done` is called after each workbook.
    """
    truth = {person.child.serial: _by_now(person, back, seed) for person in people}
    written = []
    for unit in units:
        source = folder / f"{unit.slug}.xlsx"
        password = password_of(unit.slug)
        plain = unseal(source.read_bytes(), [password]).plain
        random_ = random.Random(f"fill:{seed}:{unit.slug}")
        filled = fill_workbook(campaign, plain, truth, random_, fault=faults.get(unit.slug))
        if faults.get(unit.slug) == RESEALED:
            password = OWN_PASSWORD
        target = inbox / source.name
        target.write_bytes(seal(filled, password))
        written.append(target)
        done()
    return written


def fill_workbook(
    campaign: Campaign,
    plain: bytes,
    truth: Mapping[str, Person],
    random_: random.Random,
    fault: str | None = None,
) -> bytes:
    """The unsealed workbook `plain` with its three columns and footer filled in, and with a fault if given.

    `truth` is what visits found, by serial.
    """
    book = openpyxl.load_workbook(io.BytesIO(plain))
    sheet = book[ANNEX4.sheet]
    rows = [row for row in range(1, sheet.max_row) if sheet.cell(row, 1).value in truth]
    teams = ["、".join(made_up_name(random_) for _ in range(random_.randint(2, 3))) for _ in range(4)]
    for row in rows:
        person = truth[str(sheet.cell(row, 1).value)]
        sheet.cell(row, _COLUMN["category"]).value = campaign.category[person.category].label
        sheet.cell(row, _COLUMN["returned"]).value = _returned(campaign, person)
        sheet.cell(row, _COLUMN["team"]).value = random_.choice(teams)
    fill_footer(sheet, random_)
    if fault is not None and fault in FAULTS:
        FAULTS[fault](sheet, rows)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def choose_faults(campaign: Campaign, people: Sequence[Person], share: float, seed: int) -> dict[str, str]:
    """Choose units with children for faults, a `share` of all units; return the kind of fault by unit slug."""
    busy = sorted({person.child.unit for person in people})
    random_ = random.Random(f"faults:{seed}")
    spoiled = sorted(random_.sample(busy, k=min(len(busy), round(share * len(campaign.units)))))
    kinds = [*FAULTS, RESEALED]
    return {unit: kinds[at % len(kinds)] for at, unit in enumerate(spoiled)}


def _by_now(person: Person, back: float, seed: int) -> Person:
    """A person, not back yet unless among the first; with a greater share `back` nobody is out of school again."""
    is_early = random.Random(f"back:{seed}:{person.child.serial}").random() < back
    return replace(person, is_back=person.is_back and is_early)


def _returned(campaign: Campaign, person: Person) -> str:
    if campaign.category[person.category].group == "deducted":
        return NOT_ASKED
    return "是" if person.is_back else "否"


def made_up_name(random_: random.Random) -> str:
    """A synthetic name, determined by the state of `random_`."""
    fake = chinese_faker()
    fake.random = random_
    return str(fake.name())


def fill_footer(sheet: Worksheet, random_: random.Random) -> None:
    """Fill in the footer, after the labels in the last row."""
    values = {"填报人：": made_up_name(random_), "联系电话：": "00000000", "主管领导：": made_up_name(random_)}
    for cell in sheet[sheet.max_row]:
        if cell.value in values:
            sheet.cell(cell.row, cell.column + 1).value = values[str(cell.value)]
