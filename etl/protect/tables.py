"""All public tables and what they imply, as one linear system: cells, and equations that everybody knows.

Every measure of every row is a cell, printed or not: a difference that a reader can compute is as good as printed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from etl.campaign import Campaign
from etl.publication import ATOMS
from etl.released import cell_id

CITY = "city"
#: What is known of a unit before it has reported; its other measures are zero, and everybody knows it.
BEFORE_REPORT = ("suspected", "unverified")


@dataclass(frozen=True)
class SystemCell:
    """`weight` is the price of withholding a printed cell, None if it is printed nowhere.

    `known` cells are public whatever we do: totals named in `publication.toml`, zeros of units that have not reported.
    """

    id: str
    row: str
    measure: str
    weight: int | None
    known: bool


@dataclass(frozen=True)
class System:
    """Cells with, in each equation, a total (index) and its parts (indices). Holds no value."""

    cells: tuple[SystemCell, ...]
    equations: tuple[tuple[int, tuple[int, ...]], ...]

    @cached_property
    def at(self) -> Mapping[str, int]:
        """Index of a cell by its id."""
        return {cell.id: index for index, cell in enumerate(self.cells)}


@dataclass(frozen=True)
class Need:
    """A reader must find it possible that a quantity is as low as `low` and as high as `high`.

    The quantity is the cell at index `cell`, less the one at `minus` if that is given.
    """

    cell: int
    low: int
    high: int
    minus: int | None = None


def build_system(campaign: Campaign, reported: Mapping[str, bool]) -> System:
    """The system for a campaign, given which units have reported (a public fact)."""
    publication = campaign.publication
    rows = [CITY, *(unit.slug for unit in campaign.units)]
    codes = [category.code for category in campaign.categories]
    weights = {(table.rows, name): table.weight for table in publication.tables for name in table.measures}
    cells = [
        SystemCell(
            id=cell_id(row, name),
            row=row,
            measure=name,
            weight=weights.get(("city" if row == CITY else "unit", name)),
            known=cell_id(row, name) in publication.known or _is_structural_zero(reported.get(row, True), name),
        )
        for row in rows
        for name in publication.measures
    ]
    cells += [
        SystemCell(cell_id(code, "verified"), code, "verified", weights.get(("category", "verified")), False)
        for code in codes
    ]
    at = {cell.id: index for index, cell in enumerate(cells)}
    return System(tuple(cells), tuple(_equations(campaign, rows, at)))


def _is_structural_zero(reported: bool, name: str) -> bool:
    return not reported and name not in BEFORE_REPORT


def _equations(campaign: Campaign, rows: list[str], at: Mapping[str, int]) -> Iterator[tuple[int, tuple[int, ...]]]:
    for row in rows:
        for total, parts in campaign.publication.sums.items():
            yield at[cell_id(row, total)], tuple(at[cell_id(row, part)] for part in parts)
    for atom in ATOMS:
        yield at[cell_id(CITY, atom)], tuple(at[cell_id(row, atom)] for row in rows[1:])
    for group in ("deducted", "to_return"):
        codes = [category.code for category in campaign.categories if category.group == group]
        yield at[cell_id(CITY, group)], tuple(at[cell_id(code, "verified")] for code in codes)
