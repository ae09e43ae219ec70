"""Bars and shares, drawn from published figures only.

A bar is a start and a width in percent, as texts for SVG attributes, computed in whole numbers so that they are the
same on every machine. A rounded figure's bar ends where the true one may begin; from there a band shows where it may
lie. What is withheld has no bar and enters neither a scale nor a share.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from etl.exchange.release import Cell, Release, ReleasedTable, Status

#: Measures of one family share a scale, so that a part is seen as a part of its whole.
FAMILIES = (frozenset({"suspected", "verified", "deducted"}), frozenset({"to_return", "returned", "still_out"}))
#: Hundredths of a percent below which a bar that is not zero could not be seen.
THINNEST = 60


@dataclass(frozen=True)
class ShownFigure:
    """One cell with its address ``table.row.measure``, as the pages use it; a rounded one is at most `slack` off."""

    at: str
    cell: Cell
    slack: int = 0

    @property
    def status(self) -> str:
        """published, rounded, suppressed or not_due."""
        return self.cell.status.value

    @property
    def value(self) -> int | None:
        """The whole number, or None unless published or rounded."""
        return self.cell.value


@dataclass(frozen=True)
class Band:
    """Where a rounded figure's true one may lie, and where the rounded one stands itself."""

    start: str
    width: str
    middle: str


@dataclass(frozen=True)
class BarShape:
    """Where a bar starts and how long it is, such as ``12.5%`` and ``63.1%``; with a band if the figure is rounded."""

    start: str
    width: str
    band: Band | None = None


def figure(release: Release, table: ReleasedTable, row: str, measure: str) -> ShownFigure:
    """The figure of a table's cell."""
    cell = table[row, measure]
    slack = release.threshold(row) if cell.status is Status.ROUNDED else 0
    return ShownFigure(f"{table.key}.{row}.{measure}", cell, slack)


def past(release: Release, table: ReleasedTable, row: str, measure: str) -> ShownFigure:
    """The same, of a release that need not be the newest: its address begins with the release, ``0001/…``."""
    one = figure(release, table, row, measure)
    return ShownFigure(f"{release.name}/{one.at}", one.cell, one.slack)


def percent(hundredths: int) -> str:
    """Hundredths of a percent as SVG writes it, without trailing zeros: 6310 → ``63.1%``."""
    text = f"{hundredths // 100}.{hundredths % 100:02d}"
    return f"{text.rstrip('0').rstrip('.')}%"


def bar_of(part: Cell, scale: int, start: int = 0, slack: int = 0) -> BarShape | None:
    """The bar of a published cell on a scale of people, `start` people from the left; None if there is none."""
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
    """The greatest number that a cell's figure may stand for; 0 if it has none."""
    return 0 if cell.value is None else cell.value + (slack if cell.status is Status.ROUNDED else 0)


def percentage(part: Cell, whole: Cell) -> str | None:
    """`part` as a percentage of `whole` with one decimal; None unless both are exact and `whole` is not zero.

    Only exact shares read 0 % or 100 %: 1,199 of 1,200 is 99.9 %.
    """
    if part.exact is None or not whole.exact:
        return None
    if part.exact in (0, whole.exact):
        return "100%" if part.exact else "0%"
    tenths = min(max((part.exact * 2000 + whole.exact) // (2 * whole.exact), 1), 999)
    return f"{tenths // 10}.{tenths % 10}%"


def scale(tables: Iterable[ReleasedTable], measure: str, slack: int = 0) -> int:
    """The greatest figure that the measure's family may have, in people; 0 if nothing is published."""
    family = next((names for names in FAMILIES if measure in names), {measure})
    return max(
        (reach(cell, slack) for table in tables for (_, name), cell in table.cells.items() if name in family),
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
            place = at[whole] if row[part].value is None else place + (row[part].value or 0)
    return at
