"""Bars and shares, drawn from published figures only.

A bar is a start and a width in percent, as texts for SVG attributes; they are computed in whole numbers, so that they
are the same on every machine. The bar of a rounded figure ends at the low end of its rounding interval, which a band
shows. A withheld figure has no bar and is part of no scale and no share.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from etl.exchange.release import Cell, Release, ReleasedTable, Status

#: Measures of one family share a scale, so that a part is seen as a part of its whole.
FAMILIES = (frozenset({"suspected", "verified", "deducted"}), frozenset({"to_return", "returned", "still_out"}))
#: The least width of a bar above zero, in hundredths of a percent, so that it can be seen.
THINNEST = 60


@dataclass(frozen=True)
class ShownFigure:
    """A cell with its address ``table.row.measure`` on the pages; a rounded figure differs by at most `slack`."""

    at: str
    cell: Cell
    slack: int = 0

    @property
    def status(self) -> str:
        """The status as text: published, rounded, suppressed or not_due."""
        return self.cell.status.value

    @property
    def value(self) -> int | None:
        """The whole number, or None unless published or rounded."""
        return self.cell.value


@dataclass(frozen=True)
class Band:
    """A rounding interval (start and width in percent), and the position of the rounded figure in it."""

    start: str
    width: str
    middle: str


@dataclass(frozen=True)
class BarShape:
    """A bar's start and width, such as ``12.5%`` and ``63.1%``, and its band if the figure is rounded."""

    start: str
    width: str
    band: Band | None = None


def figure(release: Release, table: ReleasedTable, row: str, measure: str) -> ShownFigure:
    """The figure of a cell of the newest release, with the address that the pages use."""
    cell = table[row, measure]
    slack = release.threshold(row) if cell.status is Status.ROUNDED else 0
    return ShownFigure(f"{table.key}.{row}.{measure}", cell, slack)


def past(release: Release, table: ReleasedTable, row: str, measure: str) -> ShownFigure:
    """The figure of a cell of any release: its address begins with the release's name, ``0001/…``."""
    one = figure(release, table, row, measure)
    return ShownFigure(f"{release.name}/{one.at}", one.cell, one.slack)


def percent(hundredths: int) -> str:
    """Hundredths of a percent as SVG writes it, without trailing zeros: 6310 → ``63.1%``."""
    text = f"{hundredths // 100}.{hundredths % 100:02d}"
    return f"{text.rstrip('0').rstrip('.')}%"


def bar_of(part: Cell, scale: int, start: int = 0, slack: int = 0) -> BarShape | None:
    """The bar of a cell; None if it is zero or has no figure.

    `scale` is the number of people at full width, `start` where the bar begins, `slack` the greatest rounding error.
    """
    if part.value is None or scale <= 0:
        return None
    if part.status is Status.ROUNDED:
        return _banded(part.value, scale, start, slack)
    if not part.value:
        return None
    width = min(max(part.value * 10_000 // scale, THINNEST), 10_000)
    left = min(start * 10_000 // scale, 10_000 - width)
    return BarShape(percent(left), percent(width))


def _banded(value: int, scale: int, start: int, slack: int) -> BarShape:
    left, low, high, middle = (
        min((start + people) * 10_000 // scale, 10_000) for people in (0, max(value - slack, 0), value + slack, value)
    )
    return BarShape(percent(left), percent(low - left), Band(percent(low), percent(high - low), percent(middle)))


def reach(cell: Cell, slack: int) -> int:
    """The greatest value that the true figure of a cell can have; 0 if the cell has no figure."""
    return 0 if cell.value is None else cell.value + (slack if cell.status is Status.ROUNDED else 0)


def percentage(part: Cell, whole: Cell) -> str | None:
    """`part` as a percentage of `whole` with one decimal; None unless both are exact and `whole` is not zero.

    It is 0 % or 100 % only if that is exactly true: 1,199 of 1,200 is 99.9 %.
    """
    if part.exact is None or not whole.exact:
        return None
    if part.exact in (0, whole.exact):
        return "100%" if part.exact else "0%"
    tenths = min(max((part.exact * 2000 + whole.exact) // (2 * whole.exact), 1), 999)
    return f"{tenths // 10}.{tenths % 10}%"


def scale(tables: Iterable[ReleasedTable], measure: str, slack: int = 0) -> int:
    """The greatest possible value of the measure's family in `tables`, in people; 0 if nothing is published."""
    family = next((names for names in FAMILIES if measure in names), {measure})
    return max(
        (reach(cell, slack) for table in tables for (_, name), cell in table.cells.items() if name in family),
        default=0,
    )


def starts(row: Mapping[str, Cell], sums: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Where each measure's bar starts, in people from the left, so that parts lie side by side below their whole.

    `row` holds the cells by measure, `sums` the parts by whole. The first part starts where its whole starts, each
    further one where the one before it ends. After a withheld part, the next starts where the whole does: a gap would
    reveal the withheld value.
    """
    at = dict.fromkeys(row, 0)
    for whole in row:
        place = at[whole]
        for part in sums.get(whole, ()):
            if part not in row:
                continue
            at[part] = place
            place = at[whole] if row[part].value is None else place + (row[part].value or 0)
    return at
