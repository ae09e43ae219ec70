"""The last check of a release: its files, as written, compared line by line with the true counts.

It does not use the code that writes and reads releases, so that a fault there cannot hide an unprotected count.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from etl.exchange.release import Release, Status, cell_id
from etl.exchange.release_folder import ALWAYS, SUMS
from etl.proof.reader import public_values
from etl.protect.draft import ReleaseDay


def unprotected(folder: Path, release: Release, day: ReleaseDay) -> list[str]:
    """Places such as ``units.csv: xutun.returned`` with a figure that must not be published; unexpected files."""
    tables = {f"{table.key}.csv" for table in release.tables}
    found = sorted(path.name for path in folder.iterdir() if path.name not in tables | ALWAYS | {SUMS})
    for name in sorted(tables):
        found += (f"{name}: {cell}" for cell in _lines(folder / name, release, day))
    return found


def _lines(path: Path, release: Release, day: ReleaseDay) -> Iterator[str]:
    known = {cell.id for cell in day.system.cells if cell.known}
    public = public_values(day.system, [(day.values[cell.id],) * 2 for cell in day.system.cells])
    most = dict(zip(day.system.at, public, strict=True))
    with path.open(encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines):
            at = cell_id(line["row"], line["measure"])
            values = min(release.k, most[at])
            if at not in known and not _may_be_published(line, day.values[at], release.top(line["row"]), values):
                yield at


def _may_be_published(line: dict[str, str], count: int, top: int, values: int) -> bool:
    """Whether a line is allowed: about the true count, and exact only if it is not small.

    An interval must have so many values, unless all of them are great; a rounded figure is a multiple of a step that is
    at most `top` from the count.
    """
    numbers = [line[name] for name in ("value", "low", "high", "rounded")]
    if line["status"] == Status.NOT_DUE:
        return not any(numbers)
    value, low, high, rounded = numbers
    if not low.isdigit() or not high.isdigit() or not int(low) <= count <= int(high):
        return False
    fits = not rounded or (int(rounded) % (top + 1) == 0 and abs(int(rounded) - count) <= top)
    if line["status"] == Status.EXACT:
        return fits and value == low == high and count > top
    if line["status"] == Status.ROUNDED:
        return fits and bool(rounded) and value == rounded
    return fits and not value and (int(low) > top or int(high) - int(low) + 1 >= values)
