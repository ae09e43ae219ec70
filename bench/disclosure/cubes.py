"""Tables of any geography by category and by whether a child came back, as a linear system: for measuring alone.

A cube has a tree for each dimension; its cells are all combinations of codes, its equations every sum along one tree.
"""

import itertools
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp

from bench.disclosure.suppression.priced import Need, Priced, PricedCell

#: A code's parent by code; the top has none ("").
Tree = Mapping[str, str]
Place = tuple[str, ...]
#: The thirteen categories under their two sums, with shares as uneven as reported ones.
DEDUCTED = {"A": 30, "B": 10, "C": 14, "D": 9, "E": 3, "F": 5, "G": 1, "H": 1}
TO_RETURN = {"I": 6, "J": 3, "K": 9, "L": 4, "M": 5}


@dataclass(frozen=True)
class Cube:
    """`inner` counts by the leaves of each dimension; a combination that is not in it cannot be."""

    trees: tuple[Tree, ...]
    inner: Mapping[Place, int]

    def totals(self) -> dict[Place, int]:
        """The value of every cell, sums included."""
        above = [{code: list(_above(tree, code)) for code in tree} for tree in self.trees]
        values: dict[Place, int] = {}
        for place, value in self.inner.items():
            for cell in itertools.product(*(lines[code] for lines, code in zip(above, place, strict=True))):
                values[cell] = values.get(cell, 0) + value
        return values


def _above(tree: Tree, code: str) -> Iterator[str]:
    while code:
        yield code
        code = tree[code]


def geography(*widths: int) -> Tree:
    """A tree in which each place of a level has as many parts as `widths` says."""
    tree, level = {"0": ""}, ["0"]
    for width in widths:
        parts = {f"{place}.{number}": place for place in level for number in range(width)}
        tree.update(parts)
        level = list(parts)
    return tree


def leaves(tree: Tree) -> list[str]:
    """The codes that are nobody's parent."""
    inside = set(tree.values())
    return [code for code in tree if code not in inside]


def campaign_cube(seed: int, *widths: int) -> Cube:
    """Made-up counts: units of uneven size, a few common categories, a long tail."""
    draw, places = random.Random(seed), geography(*widths)  # noqa: S311 - made-up children
    categories = {"verified": "", "deducted": "verified", "to_return": "verified"}
    categories |= dict.fromkeys(DEDUCTED, "deducted") | dict.fromkeys(TO_RETURN, "to_return")
    codes, shares = zip(*{**DEDUCTED, **TO_RETURN}.items(), strict=True)
    inner: dict[Place, int] = {}
    for unit in leaves(places):
        inner.update(dict.fromkeys(((unit, code, "no") for code in codes), 0))
        inner.update(dict.fromkeys(((unit, code, "yes") for code in TO_RETURN), 0))
        for code in draw.choices(codes, weights=shares, k=max(1, round(exp(draw.gauss(3.9, 0.8))))):
            is_back = code in TO_RETURN and draw.random() < 0.6
            inner[unit, code, "yes" if is_back else "no"] += 1
    return Cube((places, categories, {"all": "", "yes": "all", "no": "all"}), inner)


@dataclass(frozen=True)
class Linear:
    """The system of a cube: places that are always equal are one cell. `of` gives the cell of each place."""

    system: Priced
    values: Sequence[int]
    of: Mapping[Place, int]

    def cost(self, cells: Iterable[int]) -> int:
        """What withholding some cells costs."""
        return sum(self.system.cells[cell].weight or 0 for cell in cells)


def linear(cube: Cube, costs: str, *, as_argus: bool = False) -> Linear:
    """The cube as a linear system; `costs` is "count" or "value". A zero may be withheld, and costs one all the same.

    As tau-ARGUS has it, zeros are known to everybody, and a cell counts once for each of its places.
    """
    totals = cube.totals()
    sums = [(whole, parts) for tree, turn in _turns(cube.trees) for whole, parts in _sums(tree, turn, totals)]
    same = {parts[0]: whole for whole, parts in sums if len(parts) == 1}
    own = [place for place in totals if place not in same]
    of = {place: index for index, place in enumerate(own)}
    of |= {place: of[_last(same, place)] for place in same}
    weights = [max(1, totals[place]) if costs == "value" else 1 for place in own]
    times = Counter(of.values()) if as_argus else Counter(dict.fromkeys(of.values(), 1))
    cells = [
        PricedCell("|".join(place), weights[at] * times[at], as_argus and not value)
        for at, (place, value) in enumerate((place, totals[place]) for place in own)
    ]
    equations = dict.fromkeys((of[whole], tuple(of[part] for part in parts)) for whole, parts in sums if len(parts) > 1)
    return Linear(Priced(tuple(cells), tuple(equations)), [totals[place] for place in own], of)


def _last(same: Mapping[Place, Place], place: Place) -> Place:
    while place in same:
        place = same[place]
    return place


def _turns(trees: Sequence[Tree]) -> Iterator[tuple[Mapping[str, list[str]], int]]:
    for dimension, tree in enumerate(trees):
        parts_of: dict[str, list[str]] = {}
        for code, parent in tree.items():
            parts_of.setdefault(parent, []).append(code)
        yield parts_of, dimension


def _sums(
    parts_of: Mapping[str, list[str]], dimension: int, places: Mapping[Place, int]
) -> Iterator[tuple[Place, list[Place]]]:
    for place in places:
        others = [(*place[:dimension], part, *place[dimension + 1 :]) for part in parts_of.get(place[dimension], [])]
        if parts := [other for other in others if other in places]:
            yield place, parts


def needs_of(values: Sequence[int], k: int, *, doubled: bool = False) -> list[Need]:
    """Every count of 1 … k-1 must reach 0 and k; or 0 and twice itself."""
    return [Need(at, 0, 2 * value if doubled else k) for at, value in enumerate(values) if 0 < value < k]
