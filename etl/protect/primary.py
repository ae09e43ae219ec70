"""Primary suppression: the needs for small counts, and for groups whose members all fall into one part (M4)."""

from collections.abc import Mapping, Sequence

from etl.exchange.counts import Counts, measure
from etl.exchange.release import CITY
from etl.proof.tables import Need, System
from etl.rulebook.publication import ATOMS, Publication


def threshold(publication: Publication, row: str) -> int:
    """The threshold k of a row: a sensitive category may have its own."""
    return publication.category_k.get(row, publication.k)


def find_needs(system: System, values: Sequence[int], publication: Publication) -> list[Need]:
    """All needs of a table: one for each count of 1 … k-1 that is not known, and for each group that is one-sided."""
    needs = []
    for index, (cell, value) in enumerate(zip(system.cells, values, strict=True)):
        k = threshold(publication, cell.row)
        if 0 < value < k and not cell.known:
            needs.append(Need(index, 0, k))
    hidden_zeros: set[int] = set()
    for whole, parts in system.groups:
        if values[whole]:
            all_in = [part for part in parts if values[part] == values[whole]]
            needs += [Need(whole, 0, 1, minus=part) for part in all_in]
            hidden_zeros.update(part for part in parts if all_in and part not in all_in)
        elif whole in hidden_zeros:
            # A published "0 returned" would reveal a hidden "0 to return": if there were children to return, of whom
            # none had returned, that zero would be withheld.
            needs += [Need(part, 0, 1) for part in parts]
    return needs


def true_values(system: System, counts: Counts, publication: Publication) -> list[int]:
    """The confidential value of every cell, in the system's order."""
    atoms: dict[str, Mapping[str, int]] = {unit.unit: unit.atoms for unit in counts.units}
    atoms[CITY] = {atom: sum(unit.atoms[atom] for unit in counts.units) for atom in ATOMS}
    return [
        measure(atoms[cell.row], publication, cell.measure) if cell.row in atoms else counts.categories[cell.row]
        for cell in system.cells
    ]
