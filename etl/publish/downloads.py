"""Open data for download: one folder for each release, which never changes, and ``latest`` with the newest."""

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from etl.exchange.release import Release, ReleasedTable
from etl.exchange.release_folder import SUMS, sealed_files
from etl.findings import FuxueError
from etl.publish.languages import Words
from etl.publish.package import COLUMNS, NUMBERS, Download, csv_on_the_web, descriptor, readme
from etl.publish.reuse import Kept, link
from etl.publish.source import Source, cells

LATEST = "latest"
PROOF, WHOLE, PACKAGE, README = "proof.zip", "fuxue.zip", "datapackage.json", "README.md"
#: Where readers of CSV on the Web look for what describes the CSV files in the same folder.
CSVW = "csv-metadata.json"
#: The folder of CSV files with a byte-order mark. Excel needs it to recognise UTF-8; other programs do better without.
EXCEL = "excel"
#: Characters with which a formula begins in a spreadsheet; Chinese input methods produce the wide ones.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

Lines = list[tuple[object, ...]]


def write_downloads(site: Path, source: Source, words: tuple[Words, ...], database: Path, kept: Kept) -> list[Download]:
    """Write ``data/`` of the site; return the files of the newest release that the data page offers.

    `words` are the two languages, `database` the finished database file; unchanged releases are reused from `kept`.
    """
    data = site / "data"
    for release in source.releases:
        part = f"data/{release.name}"
        if not kept.again(part, source.prints[release.name]):
            files = _files(source, release, words)
            for name, content in files.items():
                _write(data / release.name / name, content)
            kept.made(part, source.prints[release.name], [data / release.name / name for name in files])
    newest = data / source.latest.name
    for path in sorted(path for path in newest.rglob("*") if path.is_file()):
        link(path, data / LATEST / path.relative_to(newest))
    link(database, data / database.name)
    return [*_offered(source, data), Download(f"data/{database.name}", database.stat().st_size, 0)]


def _offered(source: Source, data: Path) -> Iterable[Download]:
    lines = {f"{table.key}.csv": len(table.cells) for table in source.latest.tables}
    for name in (*lines, WHOLE, PROOF):
        excel = f"data/{LATEST}/{EXCEL}/{name}" if name in lines else ""
        size = (data / LATEST / name).stat().st_size
        yield Download(f"data/{LATEST}/{name}", size, lines.get(name, 0), excel)


def _files(source: Source, release: Release, words: tuple[Words, ...]) -> dict[str, bytes]:
    plain = {f"{table.key}.csv": to_csv(COLUMNS, _lines(source, release, table, words)) for table in release.tables}
    about = descriptor(source, release, words, plain)
    described = {PACKAGE: about, CSVW: csv_on_the_web(source, release, words)}
    packed = {README: readme(source, release, words), **described, **plain}
    return {
        **plain,
        **{f"{EXCEL}/{name}": b"\xef\xbb\xbf" + content for name, content in plain.items()},
        **described,
        WHOLE: _zip({f"fuxue-{release.name}/{name}": content for name, content in packed.items()}),
        PROOF: _zip(_proof(source, release)),
    }


def _lines(source: Source, release: Release, table: ReleasedTable, words: tuple[Words, ...]) -> Lines:
    """The lines of a table's CSV. Where there is no number its column is empty, without any symbol."""
    return [
        (
            release.name,
            release.as_of,
            row,
            *source.row_names(table.kind, row),
            measure,
            *(w(f"measure.{measure}.name") for w in words),
            cell.status.value,
            *(getattr(cell, name) for name in NUMBERS),
        )
        for row, measure, cell in cells(table)
    ]


def to_csv(columns: Sequence[str], lines: Iterable[Sequence[object]]) -> bytes:
    """A table as CSV (RFC 4180) in UTF-8. Raises FuxueError ``publish.formula`` for a text that begins like a formula.

    Such a text is not escaped, since it would then differ from the pages and the database.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for line in lines:
        for text in line:
            if isinstance(text, str) and text.startswith(_FORMULA):
                raise FuxueError("publish.formula", text=text)
        writer.writerow(line)
    return out.getvalue().encode()


def _proof(source: Source, release: Release) -> Mapping[str, bytes]:
    """The sealed files of a release and all before it, by path: tables, proof and the program that checks it."""
    folders = [*(source.released / name for name in sorted(release.earlier)), source.released / release.name]
    files = {f"{f.name}/{name}": content for f in folders for name, content in sealed_files(f).items()}
    sums = {f"{f.name}/{SUMS}": (f / SUMS).read_bytes() for f in folders}
    return dict(sorted({**files, **sums}.items()))


def _zip(files: Mapping[str, bytes]) -> bytes:
    """Always the same bytes for the same files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
