"""All releases so far as one system: the model of a reader who combines every figure ever published (M19)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from etl.exchange.release import Release, Status, cell_id
from etl.proof.attacker import Attacker
from etl.proof.tables import Range, System, SystemCell, system_of
from etl.rulebook.publication import Assumption


def units_reported(release: Release) -> dict[str, bool]:
    """For each unit, whether it had reported at the time of the release."""
    silent = {
        row for table in release.tables for (row, _), cell in table.cells.items() if cell.status is Status.NOT_DUE
    }
    return {unit: unit not in silent for unit in release.structure.units}


def system_in(release: Release) -> System:
    """The system of one release, from public facts alone."""
    printed = {(table.kind, measure) for table in release.tables for measure in table.measures}
    return system_of(release.structure, units_reported(release), release.known, printed)


def published_bounds(release: Release, system: System) -> dict[str, Range]:
    """(least, greatest) by cell id of each published figure, of known totals and of zeros that follow from the status.

    At the close a figure's exact value or interval and the interval around its rounded figure hold both.
    """
    bounds: dict[str, Range] = {cell.id: (0, 0) for cell in system.cells if cell.is_zero}
    for table in release.tables:
        for (row, name), cell in table.cells.items():
            if cell.low is not None and cell.high is not None:
                low, high = cell.low, cell.high
                if cell.rounded is not None:
                    top = release.top(row)
                    low, high = max(low, cell.rounded - top), min(high, cell.rounded + top)
                bounds[cell_id(row, name)] = (low, high)
    return bounds


def place(release: Release, cell: str) -> str:
    """The id of a release's cell in the joint system of all releases, such as ``0003/city.returned``."""
    return f"{release.name}/{cell}"


def reader_of(releases: Sequence[Release], assumed: Assumption) -> Attacker:
    """The model of a reader who has these releases (oldest first), assumes `assumed`, and knows nothing else.

    Its cells are those of each release in turn, with the ids that `place` gives. A reader who assumes nothing of how
    figures change can learn nothing of one release from another, so that the model has the last one alone.
    """
    releases = releases if assumed.fixed or assumed.grows else releases[-1:]
    systems = [system_in(release) for release in releases]
    bounds = {
        place(release, cell): ends
        for release, system in zip(releases, systems, strict=True)
        for cell, ends in published_bounds(release, system).items()
    }
    joint = _join(releases, systems, assumed)
    return Attacker(joint, [bounds.get(cell.id, (0, None)) for cell in joint.cells])


def _join(releases: Sequence[Release], systems: Sequence[System], assumed: Assumption) -> System:
    cells, equations = list[SystemCell](), list[tuple[int, tuple[int, ...]]]()
    links, first = list[tuple[int, int]](), 0
    for number, (release, system) in enumerate(zip(releases, systems, strict=True)):
        first = len(cells)
        cells += [replace(cell, id=place(release, cell.id)) for cell in system.cells]
        equations += [(whole + first, tuple(part + first for part in parts)) for whole, parts in system.equations]
        if number:
            before = first - len(systems[number - 1].cells)
            for cell, is_fixed in _moves(releases[number - 1], release, assumed):
                later, sooner = first + system.at[cell], before + systems[number - 1].at[cell]
                links += [(later, sooner), (sooner, later)] if is_fixed else [(later, sooner)]
    return System(tuple(cells), tuple(equations), tuple(links), first)


def _moves(sooner: Release, later: Release, assumed: Assumption) -> Iterator[tuple[str, bool]]:
    """The cells that an assumption links between two releases, each with whether it is fixed (else it may only grow).

    These are cells of units that had reported both times, and the city's categories, which only grow as units report.
    """
    was_in, is_in = units_reported(sooner), units_reported(later)
    for unit in later.structure.units:
        if was_in[unit] and is_in[unit]:
            yield from ((cell_id(unit, name), True) for name in assumed.fixed)
            yield from ((cell_id(unit, name), False) for name in assumed.grows)
    if "verified" in assumed.grows:
        for codes in later.structure.categories.values():
            yield from ((cell_id(code, "verified"), False) for code in codes)
