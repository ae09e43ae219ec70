"""Counts in, a Release out, or a refusal: no release exists that the audit has not passed."""

from collections.abc import Mapping, Sequence

from etl.campaign import Campaign
from etl.counts import Counts
from etl.findings import FuxueError
from etl.protect.audit import Attacker, Range, broken_promises, infer_ranges
from etl.protect.primary import find_needs, true_values
from etl.protect.secondary import suppress
from etl.protect.tables import CITY, System, build_system
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
        tables=tables,
        ranges=infer_ranges(attacker, sorted(withheld)),
    )


def public_figures(system: System, tables: Sequence[ReleasedTable]) -> dict[str, int]:
    """Every figure that a reader has: printed cells, and the zeros that follow from which units have reported."""
    figures = {
        cell_id(row, name): cell.value
        for table in tables
        for (row, name), cell in table.cells.items()
        if cell.value is not None
    }
    return {cell.id: 0 for cell in system.cells if cell.is_zero} | figures


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


def verify_release(campaign: Campaign, release: Release) -> str:
    """What is wrong with a release, from its public figures alone; empty if nothing is.

    Every equation must be solvable, the ranges on file must be those that a reader infers, no quantity may be known to
    lie within 1 … k-1, and no group to fall whole into one part.
    """
    silent = {r for t in release.tables for (r, _), cell in t.cells.items() if cell.status is Status.NOT_DUE}
    system = build_system(campaign, {unit.slug: unit.slug not in silent for unit in campaign.units})
    withheld = {
        system.at[cell_id(row, name)]
        for table in release.tables
        for (row, name), cell in table.cells.items()
        if cell.status is Status.SUPPRESSED
    }
    attacker = Attacker(system, public_figures(system, release.tables))
    try:
        ranges = infer_ranges(attacker, sorted(withheld))
        everything = infer_ranges(attacker, range(len(system.cells)))
    except ValueError as error:
        return str(error)
    if readable := _readable(attacker, everything, release):
        return readable
    if ranges != dict(release.ranges):
        return "audit.json does not hold what a reader can infer"
    return ""


def _readable(attacker: Attacker, inferred: Mapping[str, Range], release: Release) -> str:
    """The first small count or one-sided group that a reader can infer; empty if there is none."""
    cells = attacker.system.cells
    for cell in cells:
        low, high = inferred[cell.id]
        k = release.category_k.get(cell.row, release.k)
        if high is not None and low >= 1 and high < k and not cell.known:
            return f"{cell.id} can be inferred to lie within 1 … {k - 1}"
    for whole, parts in attacker.system.groups:
        if inferred[cells[whole].id][0] < 1:
            continue
        for part in parts:
            if attacker.infer(whole, minus=part)[1] == 0:
                return f"all of {cells[whole].id} can be inferred to be {cells[part].id}"
    return ""
