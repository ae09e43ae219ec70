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
#: The measures of a unit that has not reported; all its others are zero. One that has reported has every child
#: verified, since a workbook is accepted whole and every issued child comes back (M8). Everybody knows both.
BEFORE_REPORT = ("suspected", "unverified")


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


def build_system(campaign: Campaign, reported: Mapping[str, bool]) -> System:
    """The system for a campaign, given which units have reported (a public fact)."""
    publication = campaign.publication
    weights = {(table.rows, name): table.weight for table in publication.tables for name in table.measures}
    rows = [("city", CITY), *(("unit", unit.slug) for unit in campaign.units)]
    names = [(kind, row, name) for kind, row in rows for name in publication.measures]
    names += [("category", category.code, "verified") for category in campaign.categories]
    cells = []
    for kind, row, name in names:
        is_zero = kind == "unit" and _is_zero(reported[row], name)
        known = is_zero or cell_id(row, name) in publication.known
        cells.append(SystemCell(cell_id(row, name), kind, row, name, weights.get((kind, name)), is_zero, known))
    at = {cell.id: index for index, cell in enumerate(cells)}
    slugs = [row for _, row in rows]
    return System(tuple(cells), tuple(_equations(campaign, slugs, at)), tuple(_groups(campaign, slugs, at)))


def _is_zero(reported: bool, name: str) -> bool:
    return name == "unverified" if reported else name not in BEFORE_REPORT


def _groups(campaign: Campaign, rows: list[str], at: Mapping[str, int]) -> Iterator[tuple[int, tuple[int, ...]]]:
    for row in rows:
        for group in campaign.publication.groups:
            yield at[cell_id(row, group.whole)], tuple(at[cell_id(row, part)] for part in group.parts)
    codes = [(category.group, at[cell_id(category.code, "verified")]) for category in campaign.categories]
    yield at[cell_id(CITY, "verified")], tuple(index for _, index in codes)
    for name in ("deducted", "to_return"):
        yield at[cell_id(CITY, name)], tuple(index for group, index in codes if group == name)


def _equations(campaign: Campaign, rows: list[str], at: Mapping[str, int]) -> Iterator[tuple[int, tuple[int, ...]]]:
    for row in rows:
        for total, parts in campaign.publication.sums.items():
            yield at[cell_id(row, total)], tuple(at[cell_id(row, part)] for part in parts)
    for atom in ATOMS:
        yield at[cell_id(CITY, atom)], tuple(at[cell_id(row, atom)] for row in rows[1:])
    for group in ("deducted", "to_return"):
        codes = [category.code for category in campaign.categories if category.group == group]
        yield at[cell_id(CITY, group)], tuple(at[cell_id(code, "verified")] for code in codes)
