"""All public tables and what they imply, as one linear system: cells, and equations that everybody knows.

Every measure of every row is a cell, printed or not: a difference that a reader can compute is as good as printed.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from etl.campaign import Campaign
from etl.publication import ATOMS
from etl.released import Structure, cell_id

CITY = "city"
#: The measures of a unit that has not reported; all its others are zero. One that has reported has every child
#: verified, since a workbook is accepted whole and every issued child comes back (M8). Everybody knows both.
BEFORE_REPORT = ("suspected", "unverified")
#: The measures of the city that the categories add up to.
BY_CODE = ("deducted", "to_return")


@dataclass(frozen=True)
class SystemCell:
    """`weight` is the price of withholding a printed cell, None if it is printed nowhere.

    `kind` is city, unit or category. `is_zero` marks the zeros that follow from whether a unit has reported; they and
    the totals named in `publication.toml` are `known` whatever we do.
    """

    id: str
    kind: str
    row: str
    measure: str
    weight: int | None
    is_zero: bool
    known: bool


@dataclass(frozen=True)
class System:
    """Cells; equations and groups, each a whole (index) with its parts (indices). Holds no confidential value.

    A group is a whole whose members must not all be seen to fall into one part; outer groups come before inner ones.
    """

    cells: tuple[SystemCell, ...]
    equations: tuple[tuple[int, tuple[int, ...]], ...]
    groups: tuple[tuple[int, tuple[int, ...]], ...]

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


def structure_of(campaign: Campaign) -> Structure:
    """What a release says of how its figures hang together."""
    publication = campaign.publication
    return Structure(
        units=tuple(unit.slug for unit in campaign.units),
        states=ATOMS,
        sums=publication.sums,
        groups=tuple((group.whole, group.parts) for group in publication.groups),
        categories={
            name: tuple(category.code for category in campaign.categories if category.group == name) for name in BY_CODE
        },
    )


def build_system(campaign: Campaign, reported: Mapping[str, bool]) -> System:
    """The system for a campaign, given which units have reported (a public fact)."""
    weights = {(table.rows, name): table.weight for table in campaign.publication.tables for name in table.measures}
    return system_of(structure_of(campaign), reported, campaign.publication.known, weights)


def system_of(
    structure: Structure, reported: Mapping[str, bool], known: Collection[str], weights: Mapping[tuple[str, str], int]
) -> System:
    """The system of a structure; `weights` are the prices by (kind of row, measure)."""
    rows = [("city", CITY), *(("unit", unit) for unit in structure.units)]
    names = [(kind, row, name) for kind, row in rows for name in (*structure.sums, *structure.states)]
    names += [("category", code, "verified") for codes in structure.categories.values() for code in codes]
    cells = []
    for kind, row, name in names:
        is_zero = kind == "unit" and _is_zero(reported[row], name)
        fixed = is_zero or cell_id(row, name) in known
        cells.append(SystemCell(cell_id(row, name), kind, row, name, weights.get((kind, name)), is_zero, fixed))
    at = {cell.id: index for index, cell in enumerate(cells)}
    return System(tuple(cells), tuple(_equations(structure, at)), tuple(_groups(structure, at)))


def _is_zero(reported: bool, name: str) -> bool:
    return name == "unverified" if reported else name not in BEFORE_REPORT


def _groups(structure: Structure, at: Mapping[str, int]) -> Iterator[tuple[int, tuple[int, ...]]]:
    for row in (CITY, *structure.units):
        for whole, parts in structure.groups:
            yield at[cell_id(row, whole)], tuple(at[cell_id(row, part)] for part in parts)
    codes = {name: [at[cell_id(code, "verified")] for code in held] for name, held in structure.categories.items()}
    yield at[cell_id(CITY, "verified")], tuple(index for held in codes.values() for index in held)
    for name, held in codes.items():
        yield at[cell_id(CITY, name)], tuple(held)


def _equations(structure: Structure, at: Mapping[str, int]) -> Iterator[tuple[int, tuple[int, ...]]]:
    for row in (CITY, *structure.units):
        for total, parts in structure.sums.items():
            yield at[cell_id(row, total)], tuple(at[cell_id(row, part)] for part in parts)
    for state in structure.states:
        yield at[cell_id(CITY, state)], tuple(at[cell_id(unit, state)] for unit in structure.units)
    for name, codes in structure.categories.items():
        yield at[cell_id(CITY, name)], tuple(at[cell_id(code, "verified")] for code in codes)
