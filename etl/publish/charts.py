"""Bars and shares, drawn from published figures only.

A bar is a start and a width in percent, as texts for SVG attributes, computed in whole numbers so that they are the
same on every machine. What is withheld has no bar and enters neither a scale nor a share.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from etl.released import Cell, ReleasedTable, Status

#: Measures of one family share a scale, so that a part is seen as a part of its whole.
FAMILIES = (frozenset({"suspected", "verified", "deducted"}), frozenset({"to_return", "returned", "still_out"}))
#: Hundredths of a percent below which a bar that is not zero could not be seen.
THINNEST = 60


@dataclass(frozen=True)
class Figure:
    """One cell with its address ``table.row.measure``, as the pages use it."""

    at: str
    cell: Cell

    @property
    def status(self) -> str:
        """published, suppressed or not_due."""
        return self.cell.status.value

    @property
    def value(self) -> int | None:
        """The whole number, or None unless published."""
        return self.cell.value


@dataclass(frozen=True)
class Bar:
    """Where a bar starts and how long it is, such as ``12.5%`` and ``63.1%``."""

    start: str
    width: str


def figure(table: ReleasedTable, row: str, measure: str) -> Figure:
    """The figure of a table's cell."""
    return Figure(f"{table.key}.{row}.{measure}", table[row, measure])


def percent(hundredths: int) -> str:
    """Hundredths of a percent as SVG writes it, without trailing zeros: 6310 → ``63.1%``."""
    text = f"{hundredths // 100}.{hundredths % 100:02d}"
    return f"{text.rstrip('0').rstrip('.')}%"


def bar(part: Cell, scale: int, start: int = 0) -> Bar | None:
    """The bar of a published cell on a scale of people, `start` people from the left; None if there is none."""
    if not part.value or scale <= 0:
        return None
    width = min(max(part.value * 10_000 // scale, THINNEST), 10_000)
    left = min(start * 10_000 // scale, 10_000 - width)
    return Bar(percent(left), percent(width))


def share(part: Cell, whole: Cell) -> str | None:
    """`part` as a percentage of `whole` with one decimal; None unless both are published and `whole` is not zero.

    Only exact shares read 0 % or 100 %: 1,199 of 1,200 is 99.9 %.
    """
    if part.value is None or not whole.value:
        return None
    if part.value in (0, whole.value):
        return "100%" if part.value else "0%"
    tenths = min(max((part.value * 2000 + whole.value) // (2 * whole.value), 1), 999)
    return f"{tenths // 10}.{tenths % 10}%"


def scale(tables: Iterable[ReleasedTable], measure: str) -> int:
    """The greatest published figure of the measure's family, in people; 0 if nothing is published."""
    family = next((names for names in FAMILIES if measure in names), {measure})
    return max(
        (
            cell.value
            for table in tables
            for (_, name), cell in table.cells.items()
            if name in family and cell.value is not None
        ),
        default=0,
    )


def starts(row: Mapping[str, Cell], sums: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """How far from the left each measure's bar starts, in people, so that parts lie side by side below their whole.

    A part starts where its whole starts, after the parts before it that the row prints. Behind one that is withheld
    nothing is moved: the gap would tell its value.
    """
    at = dict.fromkeys(row, 0)
    for whole in row:
        place = at[whole]
        for part in sums.get(whole, ()):
            if part not in row:
                continue
            at[part] = place
            place = at[whole] if row[part].status is not Status.PUBLISHED else place + (row[part].value or 0)
    return at
