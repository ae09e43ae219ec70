"""The room rule: which parts of a published sum may be exact, decided by what will be published alone.

A part is first an interval: the step of the grid that holds it. It is made exact only if, whatever its value in that
interval, the parts that stay intervals could together still be `room` more and `room` fewer. So a decision never
depends on a number that is not published, and whoever repeats it for another table that fits the published figures
decides alike (the idea of Kenthapadi, Mishra and Nissim 2005, "Simulatable auditing", for tables).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

#: The least and the greatest value of a figure as it is published, both included.
Span = tuple[int, int]


@dataclass(frozen=True)
class Summand:
    """A figure that is part of a sum, with the interval in which it is published unless it is exact.

    `stays` marks an interval that is never made exact: a small count, or one that shelters a small count. `known` is
    what readers know of it anyway.
    """

    name: str
    value: int
    low: int
    high: int
    stays: bool
    known: Span | None = None

    @property
    def least(self) -> int:
        """The least value that the figure can have for a reader of its interval."""
        return max(self.low, self.known[0]) if self.known else self.low

    @property
    def most(self) -> int:
        """The greatest value that the figure can have for a reader of its interval."""
        return min(self.high, self.known[1]) if self.known else self.high

    @property
    def width(self) -> int:
        """How far the figure can move for a reader of its interval."""
        return self.most - self.least


def room_for(parts: Sequence[Summand], top: int, *, insiders: bool, extra: int) -> int:
    """How much a sum's intervals must be able to move, so that each small count in it keeps all its values.

    As much as a small count can, up to `top`; with `insiders`, plus as much as any part, which may be known to one
    reader. `extra` is added. 0 if all parts may be exact.
    """
    if not any(part.stays for part in parts):
        return 0
    return top + extra + (max(part.width for part in parts) if insiders else 0)


def make_exact(total: Span, parts: Sequence[Summand], room: int, *, insiders: bool) -> dict[str, Span]:
    """How each part of a sum is published, by name: exactly as far as the rule allows, the smallest steps first.

    `total` is what a reader knows of the sum. The largest figures stay intervals, since a step of the grid costs their
    readers least.
    """
    (first, last), low, high = total, sum(part.least for part in parts), sum(part.most for part in parts)
    spare = max((part.width for part in parts), default=0) if insiders else 0
    found = {part.name: (part.low, part.high) for part in parts}
    for part in sorted((part for part in parts if not part.stays), key=lambda part: (part.low, part.name)):
        keeps_parts = not room or min(last - low, high - first) - part.width >= room
        keeps_total = first == last or min(first - low, high - last) - part.width >= spare
        if keeps_parts and keeps_total:
            found[part.name] = (part.value, part.value)
            first, last, low, high = first - part.value, last - part.value, low - part.least, high - part.most
    return found


def total_of(own: Summand, base: int, floor: int, parts: Sequence[Summand], room: int) -> Summand:
    """A sum over `parts` as a part of a greater sum: it stays an interval where its parts would lack room.

    `own` is the sum by itself, `base` its least value, `floor` the least value of it that may be exact.
    """
    low, high = sum(part.least for part in parts), sum(part.most for part in parts)
    first = max(floor, low + room + 1) if room else floor
    last = high - room - 1 if room else max(high, own.value)
    if own.value < first:
        return replace(own, low=max(base, sum(part.low for part in parts)), high=first - 1, stays=True)
    if own.value > last:
        return replace(own, low=max(first, last + 1), high=max(sum(part.high for part in parts), first), stays=True)
    return replace(own, low=max(own.low, first), high=min(own.high, last), stays=False)
