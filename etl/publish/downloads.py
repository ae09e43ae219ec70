"""Open data for download: a CSV per table, in long form, one folder per release and one that is always the newest."""

import csv
import io
import shutil
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from etl.publish.source import Source, cells
from etl.publish.words import Words
from etl.released import Release, ReleasedTable

LATEST = "latest"
COLUMNS = ("release", "as_of", "row", "row_name", "row_name_en", "measure", "measure_name", "measure_name_en")
PROOF = "proof.zip"
RANGE_COLUMNS = ("release", "as_of", "row", "measure", "low", "high")


@dataclass(frozen=True)
class Download:
    """A file that the data page offers: `path` relative to the site, size in bytes, lines without the heading."""

    path: str
    size: int
    lines: int


def write_downloads(site: Path, source: Source, words: tuple[Words, ...], database: Path) -> list[Download]:
    """Write ``data/`` of the site and give the newest files, tables first, database last."""
    data = site / "data"
    for release in source.releases:
        for name, (content, _) in _files(source, release, words).items():
            _write(data / release.name / name, content)
    newest = []
    for name, (content, lines) in _files(source, source.latest, words).items():
        _write(data / LATEST / name, content)
        newest.append(Download(f"data/{LATEST}/{name}", len(content), lines))
    shutil.copyfile(database, data / database.name)
    return [*newest, Download(f"data/{database.name}", database.stat().st_size, 0)]


def _files(source: Source, release: Release, words: tuple[Words, ...]) -> dict[str, tuple[bytes, int]]:
    files = {f"{table.key}.csv": _table(source, release, table, words) for table in release.tables}
    ranges = [
        (release.name, release.as_of, *cell.rsplit(".", 1), low, "" if high is None else high)
        for cell, (low, high) in sorted(release.ranges.items())
    ]
    return {
        **files,
        "ranges.csv": (_csv(RANGE_COLUMNS, ranges), len(ranges)),
        PROOF: (_zip(source.released / release.name), 0),
    }


def _table(source: Source, release: Release, table: ReleasedTable, words: tuple[Words, ...]) -> tuple[bytes, int]:
    """A table in long form. A withheld cell has an empty value, never a number or a sign in its place."""
    lines = [
        (
            release.name,
            release.as_of,
            row,
            *source.row_names(table.kind, row),
            measure,
            *(w(f"measure.{measure}.name") for w in words),
            "" if cell.value is None else cell.value,
            cell.status.value,
        )
        for row, measure, cell in cells(table)
    ]
    return _csv((*COLUMNS, "value", "status"), lines), len(lines)


def _csv(columns: Sequence[str], lines: Iterable[Sequence[object]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(lines)
    # With a byte-order mark Excel reads the Chinese; without it, it guesses the local code page.
    return out.getvalue().encode("utf-8-sig")


def _zip(folder: Path) -> bytes:
    """A release as it was made, with its proof and the program that checks it; the same bytes whenever it is packed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.iterdir()):
            packed.writestr(zipfile.ZipInfo(f"{folder.name}/{path.name}"), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
