"""The confidential value of every cell of the system, from the sums that the vault made."""

from collections.abc import Mapping

from etl.exchange.counts import Counts, measure
from etl.proof.tables import System, SystemCell, structure_of
from etl.rulebook.campaign import Campaign
from etl.rulebook.publication import ATOMS


def true_values(campaign: Campaign, counts: Counts, system: System) -> Mapping[str, int]:
    """The confidential value of every cell, by its id, in the system's order."""
    atoms: dict[str, Mapping[str, int]] = {unit.unit: unit.atoms for unit in counts.units}
    areas = structure_of(campaign).areas

    def of(row: str) -> Mapping[str, int]:
        if row not in atoms:
            atoms[row] = {atom: sum(of(part)[atom] for part in areas[row]) for atom in ATOMS}
        return atoms[row]

    def value(cell: SystemCell) -> int:
        if cell.kind == "category":
            return counts.categories[cell.row]
        return measure(of(cell.row), campaign.publication, cell.measure)

    return {cell.id: value(cell) for cell in system.cells}
