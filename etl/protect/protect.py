"""Counts in, a Release out, or a refusal: no release exists that the audit has not passed."""

from collections.abc import Mapping, Sequence

from etl.campaign import Campaign
from etl.counts import Counts
from etl.findings import FuxueError
from etl.protect.audit import Attacker, broken_promises, infer_ranges
from etl.protect.primary import find_needs, true_values
from etl.protect.reader import public_figures
from etl.protect.secondary import suppress
from etl.protect.tables import CITY, System, build_system, structure_of
from etl.publication import Table
from etl.released import Cell, Release, ReleasedTable, Status, cell_id


def closing_release(campaign: Campaign, counts: Counts, number: int) -> Release:
    """The closing tables, exact where printed, withheld where a person could be seen.

    FuxueError with exit code 3 if a small count cannot be hidden or the audit finds one that is not.
    """
    system = build_system(campaign, {unit.unit: unit.reported for unit in counts.units})
    values = true_values(system, counts, campaign.publication)
    needs = find_needs(system, values, campaign.publication)
    withheld = suppress(system, values, needs)
    tables = tuple(_table(campaign, table, system, values, withheld, counts) for table in campaign.publication.tables)
    attacker = Attacker(system, public_figures(system, tables))
    if failures := broken_promises(attacker, needs):
        # The name of the quantity only: the range would tell the value.
        raise FuxueError("protect.unsafe", cells=", ".join(f.quantity for f in failures), code=3)
    return Release(
        number=number,
        campaign=campaign.id,
        as_of=counts.as_of,
        closing=True,
        k=campaign.publication.k,
        category_k=campaign.publication.category_k,
        known=campaign.publication.known,
        structure=structure_of(campaign),
        tables=tables,
        ranges=infer_ranges(attacker, sorted(withheld)),
    )


def _table(
    campaign: Campaign, table: Table, system: System, values: Sequence[int], withheld: set[int], counts: Counts
) -> ReleasedTable:
    rows = {
        "city": [CITY],
        "unit": [unit.slug for unit in campaign.units],
        "category": [category.code for category in campaign.categories],
    }[table.rows]
    silent = {unit.unit for unit in counts.units if not unit.reported}
    cells: Mapping[tuple[str, str], Cell] = {
        (row, name): _cell(system, system.at[cell_id(row, name)], values, withheld, row in silent)
        for row in rows
        for name in table.measures
    }
    return ReleasedTable(table.key, table.rows, tuple(rows), table.measures, cells, table.title, table.title_en)


def _cell(system: System, index: int, values: Sequence[int], withheld: set[int], silent: bool) -> Cell:
    if silent and system.cells[index].is_zero:
        return Cell(Status.NOT_DUE)
    if index in withheld:
        return Cell(Status.SUPPRESSED)
    return Cell(Status.PUBLISHED, values[index])
