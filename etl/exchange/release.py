"""A release: protected public tables, written once into `released/NNNN/` and never changed.

A release folder has ``release.json`` (campaign, day, thresholds, structure), one CSV per table in long form
(``row,measure,status,value,low,high,rounded``), ``proof.json`` (the witnesses), ``verify_release.py``, with which
anyone can check the folder, and ``SHA256SUMS``, the list of all these files with their digests (`release_folder`). It
must have no other file.
"""

import csv
import datetime as dt
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from etl.exchange.release_folder import ALWAYS, printable, release_digest, release_folders, sealed_files, set_aside
from etl.findings import FuxueError
from etl.rulebook.publication import Assumption, top_of

#: The assumption of a reader of a single release: nothing.
NOTHING = Assumption("none", (), ())
#: The columns of a table's file.
_COLUMNS = ("row", "measure", "status", "value", "low", "high", "rounded")
#: The row of the city in every table.
CITY = "city"


class Status(StrEnum):
    """How a figure is published: exactly, as an interval, rounded, or not yet, because the unit has not reported."""

    EXACT = "exact"
    INTERVAL = "interval"
    ROUNDED = "rounded"
    NOT_DUE = "not_due"


@dataclass(frozen=True)
class Cell:
    """A published figure: the true count lies from `low` to `high`, both included; all is None if it is not due.

    `rounded` is the rounded figure that every release carries on from the one before: before the close it is all that
    is published; at the close the exact figure or the interval stands beside it. It is None for known totals.
    """

    status: Status
    low: int | None = None
    high: int | None = None
    rounded: int | None = None

    def __post_init__(self) -> None:
        """ValueError if the numbers do not fit the status."""
        ends = (self.low, self.high)
        if self.status is Status.NOT_DUE:
            fits = (*ends, self.rounded) == (None, None, None)
        else:
            fits = self.low is not None and self.high is not None and 0 <= self.low <= self.high
            fits = fits and (self.low == self.high) is (self.status is Status.EXACT)
            fits = fits and (self.status is not Status.ROUNDED or self.rounded is not None)
        if not fits:
            raise ValueError("the numbers of a cell do not fit its status")

    @property
    def value(self) -> int | None:
        """The one number to print: the exact or the rounded figure; None for an interval, or if it is not due."""
        return {Status.EXACT: self.low, Status.ROUNDED: self.rounded}.get(self.status)

    @property
    def exact(self) -> int | None:
        """The exact figure, or None if the cell has none."""
        return self.low if self.status is Status.EXACT else None


def exact_cell(count: int, rounded: int | None = None) -> Cell:
    """An exact figure."""
    return Cell(Status.EXACT, count, count, rounded)


def interval_cell(low: int, high: int, rounded: int | None = None) -> Cell:
    """A figure published as an interval, or exactly if its ends are the same."""
    return Cell(Status.EXACT if low == high else Status.INTERVAL, low, high, rounded)


def rounded_cell(rounded: int, top: int) -> Cell:
    """A rounded figure, which is at most `top` from the true count."""
    return Cell(Status.ROUNDED, max(rounded - top, 0), rounded + top, rounded)


@dataclass(frozen=True)
class ReleasedTable:
    """A protected table: cells by (row, measure).

    `kind` says what the `rows` are: ``city``, ``area`` (keys), ``unit`` (slugs) or ``category`` (codes).
    """

    key: str
    kind: str
    rows: tuple[str, ...]
    measures: tuple[str, ...]
    cells: Mapping[tuple[str, str], Cell]
    title: str
    title_en: str

    def __getitem__(self, at: tuple[str, str]) -> Cell:
        """The cell at (row, measure)."""
        return self.cells[at]


@dataclass(frozen=True)
class Structure:
    """How all figures depend on each other, which is public.

    `areas`: the parts of the city and of each area between it and the units, by name;
    `states`, and `sums` of states; `categories` by the measure of the city that they add up to.
    """

    units: tuple[str, ...]
    areas: Mapping[str, tuple[str, ...]]
    states: tuple[str, ...]
    sums: Mapping[str, tuple[str, ...]]
    categories: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Release:
    """One release.

    `earlier`: the digests of all releases before it, by name; `assumed`: what a reader who combines them was assumed to
    know about how figures change.
    """

    number: int
    campaign: str
    as_of: dt.date
    closing: bool
    k: int
    category_k: Mapping[str, int]
    known: tuple[str, ...]
    structure: Structure
    tables: tuple[ReleasedTable, ...]
    earlier: Mapping[str, str] = field(default_factory=dict)
    assumed: Assumption = NOTHING

    @property
    def name(self) -> str:
        """The number with four digits, which is also the folder's name."""
        return f"{self.number:04d}"

    def threshold(self, row: str) -> int:
        """The threshold k of a row; a sensitive category may have its own."""
        return self.category_k.get(row, self.k)

    def top(self, row: str) -> int:
        """The greatest count of a row that is never published exactly; also the greatest error of a rounded figure."""
        return top_of(self.k, self.threshold(row))

    def with_cells(self, cells: Mapping[tuple[str, str], Cell]) -> "Release":
        """The same release with other cells at these (row, measure), in every table that has them."""

        def changed(table: ReleasedTable) -> ReleasedTable:
            return replace(table, cells={at: cells.get(at, cell) for at, cell in table.cells.items()})

        return replace(self, tables=tuple(changed(table) for table in self.tables))

    def table(self, key: str) -> ReleasedTable:
        """A table by its key."""
        return next(table for table in self.tables if table.key == key)


def cell_id(row: str, measure: str) -> str:
    """The id of a cell, such as ``city.returned``; it is the same in every table that has the cell."""
    return f"{row}.{measure}"


def write_draft(released: Path, release: Release) -> Path:
    """Write a release, still without proof and seal, to a hidden draft folder; return that folder."""
    return set_aside(released, release.name, _files(release))


def _files(release: Release) -> dict[str, bytes]:
    files = {f"{table.key}.csv": _csv(table) for table in release.tables}
    about = {
        "release": release.name,
        "campaign": release.campaign,
        "as_of": release.as_of.isoformat(),
        "closing": release.closing,
        "k": release.k,
        "category_k": dict(release.category_k),
        "known": list(release.known),
        "structure": asdict(release.structure),
        "earlier": dict(release.earlier),
        "assumed": asdict(release.assumed),
        "tables": [
            {"key": t.key, "rows": t.kind, "measures": list(t.measures), "title": t.title, "title_en": t.title_en}
            for t in release.tables
        ],
    }
    files["release.json"] = _json(about)
    return files


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _csv(table: ReleasedTable) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in table.rows:
        for measure in table.measures:
            cell = table[row, measure]
            writer.writerow((row, measure, cell.status.value, cell.value, cell.low, cell.high, cell.rounded))
    return out.getvalue().encode()


def read_release(folder: Path) -> Release:
    """Read a release. FuxueError if a file is unknown, missing, changed since it was sealed, or malformed."""
    return _understood(folder, sealed_files)


def read_draft(folder: Path) -> Release:
    """Read what `write_draft` wrote, without proof and seal. FuxueError if it is malformed."""
    return _understood(folder, lambda here: {path.name: path.read_bytes() for path in here.iterdir()})


def _understood(folder: Path, files_of: Callable[[Path], Mapping[str, bytes]]) -> Release:
    try:
        files = files_of(folder)
        about = json.loads(files["release.json"].decode())
        tables = {f"{table['key']}.csv" for table in about["tables"]}
        for name in sorted(files.keys() - tables - ALWAYS):
            raise FuxueError("release.unknown_file", release=folder.name, file=printable(name))
        if folder.name not in (about["release"], f".{about['release']}.new"):
            raise FuxueError("release.renamed", release=folder.name, name=printable(about["release"]))
        return _release(about, files)
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RecursionError, csv.Error) as error:
        raise FuxueError("release.unreadable", release=folder.name, reason=type(error).__name__) from error


def _release(about: Mapping[str, Any], files: Mapping[str, bytes]) -> Release:
    _must_be_printable(about)
    return Release(
        number=int(about["release"]),
        campaign=about["campaign"],
        as_of=dt.date.fromisoformat(about["as_of"]),
        closing=about["closing"],
        k=about["k"],
        category_k=about["category_k"],
        known=tuple(about["known"]),
        structure=_structure(about["structure"]),
        tables=tuple(_read_table(table, files[f"{table['key']}.csv"]) for table in about["tables"]),
        earlier=about["earlier"],
        assumed=Assumption(about["assumed"]["key"], *(tuple(about["assumed"][how]) for how in ("fixed", "grows"))),
    )


def _must_be_printable(content: object) -> None:
    """ValueError if a text anywhere in JSON content has characters that could control a terminal."""
    if isinstance(content, str) and not content.isprintable():
        raise ValueError("a control character")
    if isinstance(content, dict):
        content = [*content, *content.values()]
    for one in content if isinstance(content, list) else ():
        _must_be_printable(one)


def earlier_releases(released: Path, release: Release) -> list[Release]:
    """The releases before one, oldest first. FuxueError unless their digests are those in `release.earlier`."""
    folders = [folder for folder in release_folders(released) if folder.name < release.name]
    if {folder.name: release_digest(folder) for folder in folders} != dict(release.earlier):
        raise FuxueError("release.earlier", release=release.name)
    return [read_release(folder) for folder in folders]


def _structure(content: Mapping[str, Any]) -> Structure:
    return Structure(
        units=tuple(content["units"]),
        areas={name: tuple(parts) for name, parts in content["areas"].items()},
        states=tuple(content["states"]),
        sums={name: tuple(parts) for name, parts in content["sums"].items()},
        categories={name: tuple(codes) for name, codes in content["categories"].items()},
    )


def _read_table(about: Mapping[str, Any], content: bytes) -> ReleasedTable:
    cells = {}
    rows: dict[str, None] = {}
    for line in csv.DictReader(io.StringIO(content.decode()), strict=True):
        _must_be_printable([*line.values()])
        numbers = [line[name] for name in _COLUMNS[3:]] if tuple(line) == _COLUMNS else ["-"]
        if not all(re.fullmatch("(?:0|[1-9][0-9]{0,8})?", number) for number in numbers):
            raise ValueError("no line of a table")
        if (line["row"], line["measure"]) in cells:
            raise ValueError("a cell occurs twice")
        value, low, high, rounded = (int(number) if number else None for number in numbers)
        cell = cells[line["row"], line["measure"]] = Cell(Status(line["status"]), low, high, rounded)
        if cell.value != value:
            raise ValueError("a value that is not the figure's")
        rows[line["row"]] = None
    if not rows or cells.keys() != {(row, measure) for row in rows for measure in about["measures"]}:
        raise ValueError("not every measure of every row")
    return ReleasedTable(
        key=about["key"],
        kind=about["rows"],
        rows=tuple(rows),
        measures=tuple(about["measures"]),
        cells=cells,
        title=about["title"],
        title_en=about["title_en"],
    )
