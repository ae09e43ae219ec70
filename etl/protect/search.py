"""The last check of a release: its files, as written, compared line by line with the true counts.

It does not use the code that writes and reads releases, so that a fault there cannot hide an unprotected count.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from etl.exchange.counts import Counts
from etl.exchange.release import Release, Status, cell_id
from etl.exchange.release_folder import ALWAYS, SUMS
from etl.proof.tables import build_system
from etl.protect.primary import true_values
from etl.rulebook.campaign import Campaign


def unprotected(folder: Path, release: Release, counts: Counts, campaign: Campaign) -> list[str]:
    """Places such as ``units.csv: xutun.returned`` with a figure that must not be published; unexpected files."""
    system = build_system(campaign, {unit.unit: unit.reported for unit in counts.units})
    values = dict(zip(system.at, true_values(system, counts, campaign.publication), strict=True))
    known = {cell.id for cell in system.cells if cell.known}
    tables = {f"{table.key}.csv" for table in release.tables}
    found = sorted(path.name for path in folder.iterdir() if path.name not in tables | ALWAYS | {SUMS})
    for name in sorted(tables):
        found += (f"{name}: {cell}" for cell in _lines(folder / name, release, values, known))
    ranges = json.loads((folder / "audit.json").read_text(encoding="utf-8"))["ranges"]
    return found + [f"audit.json: {cell}" for cell, (low, high) in ranges.items() if low == high]


def _lines(path: Path, release: Release, values: Mapping[str, int], known: set[str]) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines):
            at = cell_id(line["row"], line["measure"])
            k = release.threshold(line["row"])
            if at not in known and not _may_be_published(line["status"], line["value"], values[at], k):
                yield at


def _may_be_published(status: str, value: str, count: int, k: int) -> bool:
    """Whether `value` is allowed: an exact count that is not small, a multiple within k of the count, or nothing."""
    if status == Status.PUBLISHED:
        return value == str(count) and not 0 < count < k
    if status == Status.ROUNDED:
        return value.isdigit() and int(value) % (k + 1) == 0 and abs(int(value) - count) <= k
    return not value
