"""All public tables as one linear system: cells, and equations that everybody knows.

Every measure of every row is a cell, published or not, since a reader can compute unpublished ones by subtraction.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from etl.exchange.release import CITY, Structure, cell_id
from etl.rulebook.campaign import Campaign
from etl.rulebook.publication import ATOMS, UNREPORTED

#: The least and the greatest value of a count; None for no upper bound.
Range = tuple[int, int | None]
#: The measures of the city that are sums of categories.
BY_CODE = ("deducted", "to_return")


@dataclass(frozen=True)
class SystemCell:
    """A cell of the system: one measure of one row.

    `kind` is city, area, unit or category. `printed` says whether a table shows it. `is_zero` marks zeros that follow
    from whether a unit has reported. `known` cells are public anyway: those zeros, the known totals of
    `publication.toml`, and what follows from both by addition.
    """

    id: str
    kind: str
    row: str
    measure: str
    printed: bool
    is_zero: bool
    known: bool


@dataclass(frozen=True)
class System:
    """Cells, equations and links; all refer to cells by index. It holds no confidential value.

    An equation is a whole with the parts that add up to it. In a link the first cell is never less than the second.
    Cells before index `own` belong to earlier releases.
    """

    cells: tuple[SystemCell, ...]
    equations: tuple[tuple[int, tuple[int, ...]], ...]
    links: tuple[tuple[int, int], ...] = ()
    own: int = 0

    @cached_property
    def at(self) -> Mapping[str, int]:
        """Index of a cell by its id."""
        return {cell.id: index for index, cell in enumerate(self.cells)}


def structure_of(campaign: Campaign) -> Structure:
    """The structure of a campaign's figures (units, areas, states, sums, categories), as a release states it."""
    publication = campaign.publication
    units, areas = (unit.slug for unit in campaign.units), {area.key: area.parts for area in publication.areas}
    inner = {part for parts in areas.values() for part in parts}
    return Structure(
        units=tuple(unit.slug for unit in campaign.units),
        areas={CITY: tuple(part for part in (*areas, *units) if part not in inner), **areas},
        states=ATOMS,
        sums=publication.sums,
        categories={
            name: tuple(category.code for category in campaign.categories if category.group == name) for name in BY_CODE
        },
    )


def build_system(campaign: Campaign, reported: Mapping[str, bool]) -> System:
    """The system for a campaign, given which units have reported (a public fact)."""
    printed = {(table.rows, name) for table in campaign.publication.tables for name in table.measures}
    return system_of(structure_of(campaign), reported, campaign.publication.known, printed)


def system_of(
    structure: Structure, reported: Mapping[str, bool], known: Collection[str], printed: Collection[tuple[str, str]]
) -> System:
    """The linear system of a structure.

    `reported` says of each unit whether it has reported; `known` are the ids of known totals; `printed` are the
    (kind of row, measure) that tables show.
    """
    rows = [(CITY if name == CITY else "area", name) for name in structure.areas]
    rows += [("unit", unit) for unit in structure.units]
    names = [(kind, row, name) for kind, row in rows for name in (*structure.sums, *structure.states)]
    names += [("category", code, "verified") for codes in structure.categories.values() for code in codes]
    cells, states = [], reporting(structure, reported)
    for kind, row, name in names:
        is_zero = _is_zero(states[row], states_of(structure, name)) if row in states else states[CITY] == {False}
        fixed = is_zero or cell_id(row, name) in known
        cells.append(SystemCell(cell_id(row, name), kind, row, name, (kind, name) in printed, is_zero, fixed))
    at = {cell.id: index for index, cell in enumerate(cells)}
    equations = tuple(_equations(structure, at))
    for index in _following({at for at, cell in enumerate(cells) if cell.known}, equations):
        cells[index] = replace(cells[index], known=True)
    return System(tuple(cells), equations)


def reporting(structure: Structure, reported: Mapping[str, bool]) -> dict[str, set[bool]]:
    """By unit and area (the city among them): whether units of it have reported, or have not, or both."""
    found = {unit: {is_in} for unit, is_in in reported.items()}

    def of(name: str) -> set[bool]:
        if name not in found:
            found[name] = set().union(*(of(part) for part in structure.areas[name]))
        return found[name]

    return {name: of(name) for name in (*structure.areas, *structure.units)}


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


def states_of(structure: Structure, measure: str) -> frozenset[str]:
    """The states that a measure adds up."""
    if measure not in structure.sums:
        return frozenset([measure])
    return frozenset().union(*(states_of(structure, part) for part in structure.sums[measure]))


def _is_zero(reported: Collection[bool], states: Collection[str]) -> bool:
    """Whether a sum of states follows to be zero in a row whose units have all reported, or of which none has.

    A unit that has reported has no unverified child, since a workbook is accepted whole and every issued child comes
    back (M8); one that has not has no others. Everybody knows both facts.
    """
    return all(reported == ({True} if state == UNREPORTED else {False}) for state in states)


def _equations(structure: Structure, at: Mapping[str, int]) -> Iterator[tuple[int, tuple[int, ...]]]:
    for row in (*structure.areas, *structure.units):
        for total, parts in structure.sums.items():
            yield at[cell_id(row, total)], tuple(at[cell_id(row, part)] for part in parts)
    for area, inner in structure.areas.items():
        # Those of sums follow from those of states, but bounds found by adding are narrower with them.
        for name in (*structure.sums, *structure.states):
            yield at[cell_id(area, name)], tuple(at[cell_id(part, name)] for part in inner)
    for name, codes in structure.categories.items():
        yield at[cell_id(CITY, name)], tuple(at[cell_id(code, "verified")] for code in codes)
