"""Figures as the pages show them, their bars and shares, all computed from published figures only.

A bar is a start and a width in percent, as texts for SVG attributes; they are computed in whole numbers, so that they
are the same on every machine. A bar is solid up to the least count that the figure allows; from there to the greatest
one goes a stretch: hatched for an interval, pale and with a mark at the rounded figure for a rounded one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from etl.exchange.release import Cell, Release, ReleasedTable, Status

#: Measures of one family share a scale, so that a part is seen as a part of its whole.
FAMILIES = (frozenset({"suspected", "verified", "deducted"}), frozenset({"to_return", "returned", "still_out"}))
#: The least width of a bar above zero and of an interval, in hundredths of a percent, so that it can be seen.
THINNEST = 60
#: The least count of a whole of which a share is given as a band: of a smaller one the band would say next to nothing.
LEAST_WHOLE = 24


@dataclass(frozen=True)
class ShownFigure:
    """A cell with its address ``table.row.measure`` on the pages."""

    at: str
    cell: Cell

    @property
    def status(self) -> str:
        """The status as text: exact, interval, rounded or not_due."""
        return self.cell.status.value

    @property
    def value(self) -> int | None:
        """The exact or rounded figure; None for an interval, or if it is not due."""
        return self.cell.value

    @property
    def low(self) -> int | None:
        """The least count that it allows; None if it is not due."""
        return self.cell.low

    @property
    def high(self) -> int | None:
        """The greatest count that it allows; None if it is not due."""
        return self.cell.high

    @property
    def slack(self) -> int:
        """The most by which a rounded figure differs from the true one; 0 for others."""
        is_rounded = self.cell.status is Status.ROUNDED
        return (self.cell.high or 0) - (self.cell.rounded or 0) if is_rounded else 0


@dataclass(frozen=True)
class Band:
    """Where the true figure may lie: start and width in percent; `middle` is the rounded figure, empty if none is."""

    start: str
    width: str
    middle: str = ""


@dataclass(frozen=True)
class BarShape:
    """The solid bar's start and width, such as ``12.5%`` and ``63.1%``, and the band after it unless it is exact."""

    start: str
    width: str
    band: Band | None = None


def figure(table: ReleasedTable, row: str, measure: str) -> ShownFigure:
    """The figure of a cell of the newest release, with the address that the pages use."""
    return ShownFigure(f"{table.key}.{row}.{measure}", table[row, measure])


def past(release: Release, table: ReleasedTable, row: str, measure: str) -> ShownFigure:
    """The figure of a cell of any release: its address begins with the release's name, ``0001/…``."""
    return ShownFigure(f"{release.name}/{table.key}.{row}.{measure}", table[row, measure])


def added(cells: Iterable[Cell]) -> Cell:
    """The sum of published figures: as wide as they are together, not due if one of them is not."""
    cells = list(cells)
    statuses = {cell.status for cell in cells}
    if Status.NOT_DUE in statuses:
        return Cell(Status.NOT_DUE)
    low, high = (sum(getattr(cell, end) for cell in cells) for end in ("low", "high"))
    if Status.ROUNDED in statuses and Status.INTERVAL not in statuses:
        return Cell(Status.ROUNDED, low, high, sum(cell.value or 0 for cell in cells))
    return Cell(Status.EXACT if low == high else Status.INTERVAL, low, high)


def sums_of(cells: Mapping[str, Cell], sums: Mapping[str, tuple[str, ...]]) -> dict[str, Cell]:
    """The sums that a row of cells by measure does not have, but all of whose parts it has."""
    return {
        whole: added(cells[part] for part in parts)
        for whole, parts in sums.items()
        if whole not in cells and set(parts) <= cells.keys()
    }


def percent(hundredths: int) -> str:
    """Hundredths of a percent as SVG writes it, without trailing zeros: 6310 → ``63.1%``."""
    text = f"{hundredths // 100}.{hundredths % 100:02d}"
    return f"{text.rstrip('0').rstrip('.')}%"


def bar_of(part: Cell, scale: int, start: int = 0) -> BarShape | None:
    """The bar of a cell; None if it is zero or not due.

    `scale` is the number of people at full width, `start` where the bar begins.
    """
    if part.low is None or part.high is None or scale <= 0 or not part.high:
        return None
    if part.status is Status.EXACT:
        width = min(max(part.low * 10_000 // scale, THINNEST), 10_000)
        left = min(start * 10_000 // scale, 10_000 - width)
        return BarShape(percent(left), percent(width))
    left, low, high, middle = (
        min((start + people) * 10_000 // scale, 10_000) for people in (0, part.low, part.high, part.value or 0)
    )
    if part.status is Status.ROUNDED:
        return BarShape(percent(left), percent(low - left), Band(percent(low), percent(high - low), percent(middle)))
    stretch = max(high - low, THINNEST)
    begin = min(low, 10_000 - stretch)
    return BarShape(percent(left), percent(max(begin - left, 0)), Band(percent(begin), percent(stretch)))


def reach(cell: Cell) -> int:
    """The greatest count that a cell allows; 0 if it is not due."""
    return cell.high or 0


def share_of(part: Cell, whole: Cell) -> str | None:
    """`part` as a percentage of `whole`, or None if nothing useful can be said.

    Both exact: with one decimal, and 0 % or 100 % only if that is exactly true: 1,199 of 1,200 is 99.9 %. Otherwise a
    band of whole percents that surely holds it, such as ``93–97%``, unless the whole may be below `LEAST_WHOLE`.
    """
    if part.low is None or part.high is None or not whole.low or not whole.high:
        return None
    if part.exact is not None and whole.exact:
        if part.exact in (0, whole.exact):
            return "100%" if part.exact else "0%"
        tenths = min(max((part.exact * 2000 + whole.exact) // (2 * whole.exact), 1), 999)
        return f"{tenths // 10}.{tenths % 10}%"
    if whole.low < LEAST_WHOLE:
        return None
    # A part is never more than its whole, even where both are rounded.
    low, high = min(part.low * 100 // whole.high, 100), min(-(-part.high * 100 // whole.low), 100)
    return f"{low}–{high}%" if low < high else f"{low}%"


def scale(tables: Iterable[ReleasedTable], measure: str) -> int:
    """The greatest count that a figure of the measure's family allows in `tables`; 0 if nothing is due."""
    family = next((names for names in FAMILIES if measure in names), {measure})
    return max(
        (reach(cell) for table in tables for (_, name), cell in table.cells.items() if name in family), default=0
    )


def starts(row: Mapping[str, Cell], sums: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Where each measure's bar starts, in people from the left, so that parts lie side by side below their whole.

    `row` holds the cells by measure, `sums` the parts by whole. The first part starts where its whole starts, each
    further one where the one before it ends; after an interval it starts at that interval's low end.
    """
    at = dict.fromkeys(row, 0)
    for whole in row:
        place = at[whole]
        for part in sums.get(whole, ()):
            if part in row:
                at[part] = place
                place += row[part].low or 0 if row[part].value is None else row[part].value or 0
    return at
