"""A release: protected public tables, written once into `released/NNNN/` and read from there ever after.

A release folder holds ``release.json`` (what, when, under which thresholds, digests of the other files), one CSV per
table in long form (``row,measure,value,status``), ``audit.json`` (for every withheld cell the range of whole numbers
that a reader can infer), ``proof.json`` (whole tables, one for each release so far, that fit everything published) and
``verify_release.py``, with which anyone can check all of it. Nothing else of the private side is in it.
"""

import csv
import datetime as dt
import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from etl.findings import FuxueError
from etl.publication import Assumption

#: What is taken for granted of a single release.
NOTHING = Assumption("none", (), ())


class Status(StrEnum):
    """What a cell says: a figure, a rounded one, one withheld to protect people, or nothing yet: the unit is not done.

    A rounded figure lies at most k from the true one, k the threshold of its row (`Release.threshold`).
    """

    PUBLISHED = "published"
    ROUNDED = "rounded"
    SUPPRESSED = "suppressed"
    NOT_DUE = "not_due"


@dataclass(frozen=True)
class Cell:
    """A public cell; `value` is None unless published or rounded."""

    status: Status
    value: int | None = None

    def __post_init__(self) -> None:
        """A withheld value must not even be carried along."""
        if (self.value is None) == (self.status in (Status.PUBLISHED, Status.ROUNDED)):
            raise ValueError("a cell has a value exactly if it is published or rounded")

    @property
    def exact(self) -> int | None:
        """The true figure, or None unless published."""
        return self.value if self.status is Status.PUBLISHED else None


@dataclass(frozen=True)
class ReleasedTable:
    """A protected table: cells by (row, measure). Rows are ``city``, unit slugs or category codes, in order."""

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
    """How all figures hang together, as everybody knows: a unit's states, their sums, groups, categories by sum."""

    units: tuple[str, ...]
    states: tuple[str, ...]
    sums: Mapping[str, tuple[str, ...]]
    groups: tuple[tuple[str, tuple[str, ...]], ...]
    categories: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Release:
    """Everything of one release. `ranges` gives (low, high) for each withheld cell by its id ``row.measure``.

    `earlier` gives the digests of all releases before it by name; `assumed` is what a reader who combines them was
    taken to know of how figures move between them.
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
    ranges: Mapping[str, tuple[int, int | None]]
    earlier: Mapping[str, str] = field(default_factory=dict)
    assumed: Assumption = NOTHING

    @property
    def name(self) -> str:
        """Four digits, also the folder's name."""
        return f"{self.number:04d}"

    def threshold(self, row: str) -> int:
        """The k of a row: a sensitive category may have its own."""
        return self.category_k.get(row, self.k)

    def table(self, key: str) -> ReleasedTable:
        """A table by its key."""
        return next(table for table in self.tables if table.key == key)


def cell_id(row: str, measure: str) -> str:
    """The name of a cell in every table that shows it, such as ``city.returned``."""
    return f"{row}.{measure}"


def release_folders(released: Path) -> list[Path]:
    """All releases, oldest first."""
    return sorted(p for p in released.glob("[0-9][0-9][0-9][0-9]") if p.is_dir()) if released.is_dir() else []


def write_release(released: Path, release: Release) -> Path:
    """Write `released/NNNN/` whole or not at all; an existing number is refused (releases are immutable)."""
    set_aside(released, release)
    return put_in_place(released, release.name)


def set_aside(released: Path, release: Release) -> str:
    """Write a release beside its place, under a hidden name, and return the SHA-256 of its `release.json`."""
    if (released / release.name).exists():
        raise FuxueError("release.exists", release=release.name)
    fresh = released / f".{release.name}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name, content in _files(release).items():
        with (fresh / name).open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
    return digest(fresh)


def put_in_place(released: Path, name: str) -> Path:
    """What was set aside becomes the release, in one step."""
    return (released / f".{name}.new").rename(released / name)


def digest(folder: Path) -> str:
    """SHA-256 of a release's `release.json`, which holds those of its other files; empty if there is none."""
    path = folder / "release.json"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def settle_releases(released: Path, recorded: Mapping[str, str]) -> None:
    """End what an interrupted run began: a release on record takes its place, what is on no record is deleted.

    `recorded` gives the digest by number.
    """
    for fresh in sorted(released.glob(".[0-9][0-9][0-9][0-9].new")):
        name = fresh.name[1:5]
        if digest(fresh) == recorded.get(name) and not (released / name).exists():
            put_in_place(released, name)
        else:
            shutil.rmtree(fresh)


def _files(release: Release) -> dict[str, bytes]:
    files = {f"{table.key}.csv": _csv(table) for table in release.tables}
    ranges = {key: list(release.ranges[key]) for key in sorted(release.ranges)}
    files["audit.json"] = _json({"ranges": ranges})
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
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())},
    }
    files["release.json"] = _json(about)
    return files


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _csv(table: ReleasedTable) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("row", "measure", "value", "status"))
    for row in table.rows:
        for measure in table.measures:
            cell = table[row, measure]
            writer.writerow((row, measure, "" if cell.value is None else cell.value, cell.status.value))
    return out.getvalue().encode()


def read_release(folder: Path) -> Release:
    """Read a release folder; FuxueError if a file is missing, changed since it was written, or malformed."""
    try:
        about = json.loads((folder / "release.json").read_text(encoding="utf-8"))
        files = {name: _own_file(folder, name).read_bytes() for name in about["sha256"]}
        for name, content in files.items():
            if hashlib.sha256(content).hexdigest() != about["sha256"][name]:
                raise FuxueError("release.changed", release=folder.name, file=name)
        if folder.name not in (about["release"], f".{about['release']}.new"):
            raise FuxueError("release.changed", release=folder.name, file="release.json")
        ranges = json.loads(files["audit.json"])["ranges"]
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
            ranges={key: (low, high) for key, (low, high) in ranges.items()},
            earlier=about["earlier"],
            assumed=Assumption(about["assumed"]["key"], *(tuple(about["assumed"][how]) for how in ("fixed", "grows"))),
        )
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise FuxueError("release.unreadable", release=folder.name, reason=type(error).__name__) from error


def earlier_releases(released: Path, release: Release) -> list[Release]:
    """The releases before one, oldest first; FuxueError unless they are those that it was made after."""
    folders = [folder for folder in release_folders(released) if folder.name < release.name]
    if {folder.name: digest(folder) for folder in folders} != dict(release.earlier):
        raise FuxueError("release.earlier", release=release.name)
    return [read_release(folder) for folder in folders]


def _structure(told: Mapping[str, Any]) -> Structure:
    return Structure(
        units=tuple(told["units"]),
        states=tuple(told["states"]),
        sums={name: tuple(parts) for name, parts in told["sums"].items()},
        groups=tuple((whole, tuple(parts)) for whole, parts in told["groups"]),
        categories={name: tuple(codes) for name, codes in told["categories"].items()},
    )


def _own_file(folder: Path, name: str) -> Path:
    """A plain file of the release; ValueError for a name that leads elsewhere."""
    path = folder / name
    if not re.fullmatch(r"[a-z0-9_]+\.(csv|json)", name) or path.is_symlink() or not path.is_file():
        raise ValueError(name)
    return path


def _read_table(about: Mapping[str, Any], content: bytes) -> ReleasedTable:
    cells = {}
    rows: dict[str, None] = {}
    for line in csv.DictReader(io.StringIO(content.decode())):
        value = int(line["value"]) if line["value"] else None
        cells[line["row"], line["measure"]] = Cell(Status(line["status"]), value)
        rows[line["row"]] = None
    if not rows:
        raise ValueError("an empty table")
    return ReleasedTable(
        key=about["key"],
        kind=about["rows"],
        rows=tuple(rows),
        measures=tuple(about["measures"]),
        cells=cells,
        title=about["title"],
        title_en=about["title_en"],
    )
