"""tau-ARGUS' own audit of a pattern, whoever made it: what a reader can infer of each cell that is left out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bench.disclosure.argus import SAFE, UNSAFE, Place, Table, Tree, apart, cells_of, mark, read

#: How the engine numbers a cell that is left out to protect others.
SECONDARY = 11


@dataclass(frozen=True)
class Interval:
    """What a reader can infer of a cell; `is_narrow` where tau-ARGUS calls it under-protected."""

    low: float
    high: float
    is_narrow: bool


def audit(
    dimensions: Sequence[Tree], inner: Mapping[Place, int], k: int, cells: Collection[Place]
) -> dict[Place, Interval]:
    """Each of `cells` with its interval. Every other cell is published, zeros and structural zeros among them."""
    return apart(_audit, Table.of(dimensions, inner, k), frozenset(cells))


def _audit(table: Table, cells: frozenset[Place]) -> dict[Place, Interval]:
    engine, back = read(table)
    found = list(cells_of(engine, back))
    published = {at: SAFE for at, (cell, letter) in enumerate(found) if letter == UNSAFE and cell not in cells}
    left_out = {at: SECONDARY for at, (cell, letter) in enumerate(found) if letter != UNSAFE and cell in cells}
    mark(engine, published | left_out)
    return {found[row["cell"]][0]: Interval(row["min"], row["max"], bool(row["unsafe"])) for row in engine.audit(0)}
