"""All public tables as one linear system: cells, and equations that everybody knows.

Every measure of every row is a cell, published or not, since a reader can compute unpublished ones by subtraction.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from etl.exchange.release import CITY, Structure, cell_id
from etl.rulebook.campaign import Campaign
from etl.rulebook.publication import ATOMS

#: The least and the greatest value of a count; None for no upper bound.
Range = tuple[int, int | None]
#: The measures that can be above zero for a unit that has not reported. A unit that has reported has no unverified
#: child, since a workbook is accepted whole and every issued child comes back (M8). Everybody knows both facts.
BEFORE_REPORT = ("suspected", "unverified")
#: The measures of the city that are sums of categories.
BY_CODE = ("deducted", "to_return")


@dataclass(frozen=True)
class SystemCell:
    """A cell of the system: one measure of one row.

    `kind` is city, unit or category. `weight` is the price of withholding the cell, None if no table shows it.
    `is_zero` marks zeros that follow from whether a unit has reported. `known` cells are public anyway: those zeros,
    the known totals of `publication.toml`, and what follows from both by addition.
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
    """Cells, equations, groups and links; all refer to cells by index. It holds no confidential value.

    An equation is a whole with the parts that add up to it. A group is a whole whose members must not be seen to fall
    all into one part; outer groups come before inner ones. In a link the first cell is never less than the second.
    Cells before index `own` belong to earlier releases.
    """

    cells: tuple[SystemCell, ...]
    equations: tuple[tuple[int, tuple[int, ...]], ...]
    groups: tuple[tuple[int, tuple[int, ...]], ...]
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

    def shifted(self, by: int) -> "Need":
        """The same need in a joint system in which these cells start at index `by`."""
        return replace(self, cell=self.cell + by, minus=None if self.minus is None else self.minus + by)


def structure_of(campaign: Campaign) -> Structure:
    """The structure of a campaign's figures (units, states, sums, groups, categories), as a release states it."""
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
    """The linear system of a structure.

    `reported` says of each unit whether it has reported; `known` are the ids of known totals; `weights` are the prices
    by (kind of row, measure), without an entry for what no table shows.
    """
    rows = [("city", CITY), *(("unit", unit) for unit in structure.units)]
    names = [(kind, row, name) for kind, row in rows for name in (*structure.sums, *structure.states)]
    names += [("category", code, "verified") for codes in structure.categories.values() for code in codes]
    cells, none_reported = [], not any(reported.values())
    for kind, row, name in names:
        is_zero = _is_zero(reported[row], name) if kind == "unit" else none_reported and name not in BEFORE_REPORT
        fixed = is_zero or cell_id(row, name) in known
        cells.append(SystemCell(cell_id(row, name), kind, row, name, weights.get((kind, name)), is_zero, fixed))
    at = {cell.id: index for index, cell in enumerate(cells)}
    equations = tuple(_equations(structure, at))
    for index in _following({at for at, cell in enumerate(cells) if cell.known}, equations):
        cells[index] = replace(cells[index], known=True)
    return System(tuple(cells), equations, tuple(_groups(structure, at)))


def _following(known: Iterable[int], equations: Sequence[tuple[int, tuple[int, ...]]]) -> set[int]:
    """Indices of the known cells and of those that follow from them by addition or subtraction.

    For example, when all units have reported, "verified" of the city is its listed total.
    """
    found, before = set(known), -1
    while len(found) > before:
        before = len(found)
        for whole, parts in equations:
            unknown = {whole, *parts} - found
            found |= unknown if len(unknown) == 1 else set()
    return found


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
