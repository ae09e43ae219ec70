"""A linear system with a price on each cell, and what must stay possible of it: the input of cell suppression."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from etl.proof.tables import Range, System, SystemCell
from etl.rulebook.publication import Publication

__all__ = ["Need", "Priced", "PricedCell", "Range", "needs_of_day", "priced"]

#: Groups (whole: parts) whose members must not be seen to fall all into one part.
GROUPS = {"verified": ("deducted", "to_return"), "to_return": ("returned", "still_out")}
#: The price of withholding a printed figure, by kind of row.
WEIGHTS = {"city": 40, "unit": 1, "category": 4}
#: What the tables printed of units when they were protected by suppression.
FORMERLY = ("suspected", "verified", "to_return", "returned")


@dataclass(frozen=True)
class PricedCell:
    """A cell; `weight` is the price of withholding it, None if no table shows it. `known` cells are public anyway."""

    id: str
    weight: int | None
    known: bool


@dataclass(frozen=True)
class Priced:
    """Cells and equations by cell index; an equation is a whole with its parts. `links` as in `System`."""

    cells: tuple[PricedCell, ...]
    equations: tuple[tuple[int, tuple[int, ...]], ...]
    links: tuple[tuple[int, int], ...] = ()
    own: int = 0

    @cached_property
    def at(self) -> Mapping[str, int]:
        """Index of a cell by its id."""
        return {cell.id: index for index, cell in enumerate(self.cells)}


@dataclass(frozen=True)
class Need:
    """A quantity that must stay possible, for a reader, down to `low` and up to `high`.

    The quantity is the cell at index `cell`, minus the cell at index `minus` if that is given.
    """

    cell: int
    low: int
    high: int
    minus: int | None = None


def priced(system: System, *, formerly: bool) -> Priced:
    """A day's system with the prices of `WEIGHTS` for what its tables print, or for what they formerly did."""

    def weight(cell: SystemCell) -> int | None:
        is_printed = cell.measure in FORMERLY if formerly and cell.kind == "unit" else cell.printed
        return WEIGHTS[cell.kind] if is_printed else None

    return Priced(tuple(PricedCell(cell.id, weight(cell), cell.known) for cell in system.cells), system.equations)


def needs_of_day(system: System, values: Sequence[int], publication: Publication) -> list[Need]:
    """One need for each count of 1 … k-1 that is not known, and for each group that is seen to fall into one part."""
    needs = []
    for at, (cell, value) in enumerate(zip(system.cells, values, strict=True)):
        k = publication.category_k.get(cell.row, publication.k)
        if 0 < value < k and not cell.known:
            needs.append(Need(at, 0, k))
    for cell in system.cells:
        for part in GROUPS.get(cell.measure, ()) if cell.kind in ("city", "unit") else ():
            whole, inner = system.at[cell.id], system.at[f"{cell.row}.{part}"]
            if values[whole] and values[whole] == values[inner]:
                needs.append(Need(whole, 0, 1, minus=inner))
    return needs
