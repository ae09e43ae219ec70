"""A rival to the room rule: a fixed ladder of codings, of which the first that passes the audit is taken.

How a figure is coded depends on its own value and on one level for its table alone: 0 to `top` or exact; steps of six
below 12, 24, and so on; then all figures in steps of six, then of twelve.
"""

from collections.abc import Iterator

from bench.disclosure.reading import broken, broken_for_insiders, reader_of_table
from etl.protect.draft import ReleaseDay
from etl.protect.room import Span

#: For each level: up to which value figures are in steps, and the width of a step.
LEVELS = ((0, 1), (12, 6), (24, 6), (48, 6), (96, 6), (10**6, 6), (10**6, 12), (10**6, 24), (10**6, 48))


def coded(value: int, top: int, level: int) -> Span:
    """The span of a figure at a level."""
    if value <= top:
        return 0, top
    below, step = LEVELS[level]
    return (value // step * step, value // step * step + step - 1) if value < below else (value, value)


def climb(day: ReleaseDay) -> dict[str, Span]:
    """The table at the lowest levels (of the units, and of the categories) that break no promise."""
    for units, categories in _pairs():
        figures = dict(_figures(day, units, categories))
        reader = reader_of_table(day, figures)
        if not broken(day, reader) and not broken_for_insiders(day, reader):
            return figures
    raise ValueError("no level of the ladder is safe")


def _pairs() -> Iterator[tuple[int, int]]:
    """Pairs of levels, those with the lowest sum first."""
    yield from sorted(((one, other) for one in range(len(LEVELS)) for other in range(len(LEVELS))), key=sum)


def _figures(day: ReleaseDay, units: int, categories: int) -> Iterator[tuple[str, Span]]:
    for cell in day.system.cells:
        if cell.printed and not cell.known:
            level = {"unit": units, "category": categories}.get(cell.kind, 0)
            yield cell.id, coded(day.values[cell.id], day.campaign.publication.top(cell.row), level)
