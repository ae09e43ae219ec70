"""Hostile, broken and merely human files, made from one unit's good workbook by script: over 400, no two alike."""

from collections.abc import Iterator

from tests.support.hostile import bombs, cells, editable, files, manifests, packages, parts, sheets
from tests.support.hostile.case import Case, Fate, Good, Way

__all__ = ["Case", "Fate", "Good", "Way", "corpus"]


def corpus(good: Good) -> Iterator[Case]:
    """All cases, kind by kind; none is made before it is asked for."""
    for room in (files, packages, bombs, parts, sheets, manifests, cells, editable):
        yield from room.cases(good)
