"""``publish --check``: everything that was made is read again and compared with the releases; any fault stops the run.

Pages, CSV files, database, packages and proofs are read as a visitor would, not with the code that writes them.
"""

import base64
import csv
import hashlib
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from etl.exchange.release import Cell, Release
from etl.findings import FuxueError
from etl.publish.charts import ShownFigure, figure, sums_of
from etl.publish.companions import csv_metadata_faults, feed_faults, linked_data_faults
from etl.publish.database import ask
from etl.publish.downloads import EXCEL, LATEST, PACKAGE, PROOF, WHOLE
from etl.publish.drawings import drawing_faults
from etl.publish.languages import Words
from etl.publish.markup import Fault, figure_faults, html_faults, link_faults, parse
from etl.publish.package import NUMBERS
from etl.publish.source import Source, cells
from etl.system.keyless import child_environment

#: The number of faults that the error names.
_MOST = 8


def check_public(public: Path, source: Source, words: tuple[Words, ...], base: str = "") -> None:
    """Raise FuxueError ``publish.check`` with the first faults, if there are any; `base` is the site's address."""
    pages = page_faults(public / "site", source, words, base)
    feeds = (public / "site" / t.prefix / "feed.xml" for t in words)
    faults = [*pages, *(fault for feed in feeds for fault in feed_faults(feed, len(source.releases)))]
    faults += [*data_faults(public, source), *proof_faults(public, source)]
    if faults:
        shown = "；".join(f"{name} {what}" for name, what in faults[:_MOST])
        raise FuxueError("publish.check", number=len(faults), faults=shown, code=3)


def figures_by_address(release: Release) -> dict[str, ShownFigure]:
    """Every figure of a release by its address ``table.row.measure``."""
    found = (figure(table, row, m) for table in release.tables for row, m, _ in cells(table))
    return {one.at: one for one in found}


def _sums_by_address(source: Source) -> dict[str, ShownFigure]:
    """The sums that pages may add up from figures of the newest release, by their address ``table.row.measure``."""
    return {
        f"{table.key}.{row}.{measure}": ShownFigure("", cell)
        for table in source.latest.tables
        for row in table.rows
        for measure, cell in sums_of(
            {measure: table[row, measure] for measure in table.measures}, source.campaign.publication.sums
        ).items()
    }


def _figures_of_all(source: Source) -> dict[str, ShownFigure]:
    """Every figure of every release by its address ``release/table.row.measure``."""
    return {f"{r.name}/{at}": one for r in source.releases for at, one in figures_by_address(r).items()}


def page_faults(site: Path, source: Source, words: tuple[Words, ...], base: str = "") -> Iterator[Fault]:
    """Faults of all pages; in each language, each figure of the newest release must be on some page.

    `base` is the site's address; empty while it is not known.
    """
    site = site.resolve()
    pages = {path: parse(path) for path in sorted(site.rglob("*.html"))}
    latest = figures_by_address(source.latest)
    figures = _sums_by_address(source) | latest | _figures_of_all(source)
    shown: dict[str, set[str]] = {t.lang: set() for t in words}
    for path, page in pages.items():
        name = path.relative_to(site)
        t = next((t for t in words if t.prefix and name.parts[0] == t.prefix.strip("/")), words[0])
        shown[t.lang] |= {at for at, *_ in page.figures()}
        faults = (*html_faults(page), *link_faults(site, page, pages), *figure_faults(page, figures, t),
                  *linked_data_faults(site, page, base))  # fmt: skip
        drawn = drawing_faults(page, figures) if not any(kind == "unknown" for kind, _ in faults) else ()
        yield from ((kind, f"{name}: {what}") for kind, what in (*faults, *drawn))
    for language, seen in shown.items():
        yield from (("missing", f"{language}: {at}") for at in latest if at not in seen)


def data_faults(public: Path, source: Source) -> Iterator[Fault]:
    """Faults of downloads and database: figures that differ from the releases, copies that differ from the original."""
    data = public / "site" / "data"
    columns = ", ".join(("release", "table_key", "row", "measure", "status", *NUMBERS))
    rows = ask(public / "fuxue.db", f"SELECT {columns} FROM cell")[1]
    stored = {f"{r}/{table}.{row}.{measure}": tuple(cell) for r, table, row, measure, *cell in rows}
    wanted = {at: _numbers(one.cell) for at, one in _figures_of_all(source).items()}
    yield from (("database", at) for at in sorted(wanted.keys() | stored.keys()) if wanted.get(at) != stored.get(at))
    for release in source.releases:
        folder = data / release.name
        yield from ((kind, f"{release.name}: {what}") for kind, what in _table_faults(folder, release))
        yield from ((kind, f"{release.name}: {what}") for kind, what in _package_faults(folder, release))
        yield from ((kind, f"{release.name}: {what}") for kind, what in csv_metadata_faults(folder))
    newest, latest = data / source.latest.name, data / LATEST
    yield from (("latest", name) for name in _different(newest, latest))
    content = (public / "fuxue.db").read_bytes()
    copies = {path: path.read_bytes() for path in (data / "fuxue.db", public / "datasette" / "fuxue.db")}
    copies[public / "site/sql/data.js"] = base64.b64decode((public / "site/sql/data.js").read_text().split("'")[1])
    yield from (("copy", path.relative_to(public).as_posix()) for path, copy in copies.items() if copy != content)


def _table_faults(folder: Path, release: Release) -> Iterator[Fault]:
    figures = figures_by_address(release)
    seen = set()
    for table in release.tables:
        name = f"{table.key}.csv"
        for line in _read(folder / name):
            at = f"{table.key}.{line['row']}.{line['measure']}"
            one = figures.get(at)
            seen.add(at)
            found = [line[name] for name in ("status", *NUMBERS)]
            if one is None or found != ["" if number is None else str(number) for number in _numbers(one.cell)]:
                yield "csv", at
    yield from (("csv", at) for at in figures if at not in seen)


def _numbers(cell: Cell) -> tuple[str | int | None, ...]:
    """A cell's status and numbers, in the order of the columns."""
    return cell.status.value, *(getattr(cell, name) for name in NUMBERS)


def _read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8"), newline="")))


def _package_faults(folder: Path, release: Release) -> Iterator[Fault]:
    """Faults of a release's package: its description, the archive or the files for Excel do not match the CSV files."""
    about = json.loads((folder / PACKAGE).read_bytes())
    with zipfile.ZipFile(folder / WHOLE) as packed:
        inside = {name.partition("/")[2]: packed.read(name) for name in packed.namelist()}
    for one in about["resources"]:
        content = (folder / one["path"]).read_bytes()
        if one["hash"] != f"sha256:{hashlib.sha256(content).hexdigest()}" or one["bytes"] != len(content):
            yield "package", one["path"]
        excel = (folder / EXCEL / one["path"]).read_bytes()
        if inside.get(one["path"]) != content or excel != b"\xef\xbb\xbf" + content:
            yield "copy", one["path"]
    if {one["path"] for one in about["resources"]} != {f"{table.key}.csv" for table in release.tables}:
        yield "package", PACKAGE


def _different(one: Path, other: Path) -> Iterator[str]:
    sides = [{p.relative_to(f).as_posix(): p.read_bytes() for p in f.rglob("*") if p.is_file()} for f in (one, other)]
    yield from sorted(name for name in sides[0].keys() | sides[1].keys() if sides[0].get(name) != sides[1].get(name))


def proof_faults(public: Path, source: Source) -> Iterator[Fault]:
    """Unpack each proof and run the program that it contains, as a reader would; yield each that fails."""
    for release in source.releases:
        with tempfile.TemporaryDirectory() as folder:
            with zipfile.ZipFile(public / "site" / "data" / release.name / PROOF) as packed:
                packed.extractall(folder)
            program = Path(folder) / release.name / "verify_release.py"
            done = subprocess.run(
                [sys.executable, "-I", str(program), str(program.parent)],
                env=child_environment(), capture_output=True, text=True, check=False,
            )  # fmt: skip
        if done.returncode:
            yield "proof", f"{release.name}: {(done.stderr or done.stdout).strip()[-200:]}"
