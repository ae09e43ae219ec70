"""Adding up the 附件5 of many counties into a prefecture's or a province's (M12): sums alone, never a child."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from etl.check.county_forms import RollupFault, form_faults
from etl.exchange.release import CITY, Release, read_release
from etl.exchange.release_folder import verifiers
from etl.exchange.submission import CountyRow
from etl.findings import FuxueError
from etl.forms.annex5_layout import GROUP_NAMES
from etl.forms.definitions import ANNEX5
from etl.proof import verify_release as citizen
from etl.read.annex5 import CODES
from etl.read.county_form import read_county_form
from etl.read.worker import readers
from etl.report.annex_workbooks import Annex5Row, Annex5Sheet, build_annex5
from etl.rulebook.campaign import Campaign
from etl.workflow.texts import text

#: Separates a county from its unit in the column 区县 of a county's own form.
_OF_UNIT = "·"


@dataclass(frozen=True)
class Bounds5:
    """A place's figures of the form: at least and at most; equal in a form, an interval's ends in a release."""

    city: str
    county: str
    low: Sequence[int]
    high: Sequence[int]
    returned: tuple[int, int]


def roll_up(
    campaign: Campaign, paths: Sequence[Path], passwords: Sequence[str], bar: Callable[[str, int], Callable[[], None]]
) -> tuple[list[Bounds5], list[RollupFault]]:
    """(the places of all files, sorted; what is wrong). Nothing may be added up while there are faults."""
    places: dict[tuple[str, str], tuple[Bounds5, str]] = {}
    faults: list[RollupFault] = []
    done = bar("汇总", len(paths))
    with readers(campaign.limits) as pool:
        for path in paths:
            if path.is_dir():
                own, wrong = _release(path)
            else:
                read = read_county_form(path, passwords, campaign.limits, pool)
                own, wrong = ([], [RollupFault(path.name, f"rollup.{read}")]) if isinstance(read, str) else _form(
                    path.name, *read
                )  # fmt: skip
            faults += wrong
            for one in own:
                key = (one.city, one.county)
                if key in places:
                    place = " ".join(filter(None, key))
                    faults.append(RollupFault(path.name, "rollup.twice", place=place, params={"other": places[key][1]}))
                places.setdefault(key, (one, path.name))
            done()
    return [place for _, (place, _) in sorted(places.items())], faults


def _form(file: str, sheet: str, rows: Sequence[CountyRow]) -> tuple[list[Bounds5], list[RollupFault]]:
    """(the places of a form: its county, or each of its counties; what is wrong with it)."""
    faults = list(form_faults(file, sheet, rows))
    if faults:
        return [], faults
    *own, total = rows
    counties = {(row.city, row.county.partition(_OF_UNIT)[0]) for row in own}
    if len(counties) == 1 and any(_OF_UNIT in row.county for row in own):
        ((city, county),) = counties
        return [_place(city, county, total)], []
    return [_place(row.city, row.county, row) for row in own], []


def _place(city: str, county: str, row: CountyRow) -> Bounds5:
    numbers = [row.figures[code].number or 0 for code in CODES]
    returned = row.figures["returned"].number or 0
    return Bounds5(city, county, numbers, numbers, (returned, returned))


def _release(folder: Path) -> tuple[list[Bounds5], list[RollupFault]]:
    """The categories of a release, which its own proof must show: exact figures, or the ends of their intervals."""
    try:
        citizen.check(folder, verifiers())
        found = read_release(folder)
    except (citizen.Failed, FuxueError):
        return [], [RollupFault(folder.name, "rollup.bad_release")]
    cells = [_cell(found, "category", code, "verified") for code in CODES]
    returned = _cell(found, "city", CITY, "returned")
    if returned is None or None in cells:
        return [], [RollupFault(folder.name, "rollup.not_in_release", place=found.campaign)]
    low, high = ([cell[end] for cell in cells if cell] for end in (0, 1))
    return [Bounds5("", found.campaign, low, high, returned)], []


def _cell(found: Release, kind: str, row: str, measure: str) -> tuple[int, int] | None:
    for table in found.tables:
        if table.kind == kind and (row, measure) in table.cells:
            cell = table[row, measure]
            if cell.low is not None and cell.high is not None:
                return cell.low, cell.high
    return None


def rollup_workbook(campaign: Campaign, name: str, places: Sequence[Bounds5], day: dt.date) -> bytes:
    """The form with a row for each place; with intervals among them, twice: at least and at most. Unencrypted: sums."""
    title = ANNEX5.title.format(county=name)
    groups = [
        (group_name, [category.label for category in campaign.categories if category.group == group])
        for group, group_name in GROUP_NAMES.items()
    ]
    note = text("rollup.note", places=len(places), day=day)
    is_exact = all(one.low == one.high and one.returned[0] == one.returned[1] for one in places)
    ends = ((0, ANNEX5.sheet, note),) if is_exact else (
        (0, "至少", text("rollup.at_least", note=note)), (1, "至多", text("rollup.at_most", note=note))
    )  # fmt: skip
    sheets = [Annex5Sheet(sheet, title, line, [_row(one, end) for one in places]) for end, sheet, line in ends]
    return build_annex5(sheets, groups, {"unit": name, "date": day.isoformat()})


def _row(one: Bounds5, end: int) -> Annex5Row:
    return one.city, one.county, (one.low, one.high)[end], one.returned[end]
