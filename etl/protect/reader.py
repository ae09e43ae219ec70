"""What a reader of a release has, and what is wrong with a release by that alone: no confidential figure comes near."""

from collections.abc import Mapping, Sequence

from etl.protect.audit import Attacker, Range, infer_ranges
from etl.protect.tables import System, system_of
from etl.released import Release, ReleasedTable, Status, Structure, cell_id


def public_figures(system: System, tables: Sequence[ReleasedTable]) -> dict[str, int]:
    """Every figure that a reader has: printed cells, and the zeros that follow from which units have reported."""
    figures = {
        cell_id(row, name): cell.value
        for table in tables
        for (row, name), cell in table.cells.items()
        if cell.value is not None
    }
    return {cell.id: 0 for cell in system.cells if cell.is_zero} | figures


def reader_of(release: Release) -> Attacker:
    """The model of somebody who has the release and nothing else."""
    silent = {r for t in release.tables for (r, _), cell in t.cells.items() if cell.status is Status.NOT_DUE}
    reported = {unit: unit not in silent for unit in release.structure.units}
    system = system_of(release.structure, reported, release.known, {})
    return Attacker(system, public_figures(system, release.tables))


def verify_release(structure: Structure, release: Release) -> str:
    """What is wrong with a release, from its public figures alone; empty if nothing is.

    Its figures must hang together as the campaign's do, every equation be solvable, the ranges on file be those that a
    reader infers, no quantity be known to lie within 1 … k-1, and no group to fall whole into one part.
    """
    if release.structure != structure:
        return "its structure is not the campaign's"
    withheld = {
        cell_id(row, name)
        for table in release.tables
        for (row, name), cell in table.cells.items()
        if cell.status is Status.SUPPRESSED
    }
    reader = reader_of(release)
    try:
        everything = infer_ranges(reader, range(len(reader.system.cells)))
    except ValueError as error:
        return str(error)
    if readable := _readable(reader, everything, release):
        return readable
    if {cell: everything[cell] for cell in withheld} != dict(release.ranges):
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
