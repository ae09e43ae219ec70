"""How a release is forged, and what the citizen's program must say; `forgeries` and `forgeries_of_figures` list them.

The forger seals every changed release anew (`SHA256SUMS`, and the digests of earlier releases in later ones), unless
the seal itself is forged. The base ``close`` is one closing release of six units, and the last unit has not reported;
``pair`` is two rounded releases, read together; ``stack`` is two rounded releases and a closing one. Each function
below makes, or returns, a change to a release.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etl.exchange.release_folder import SUMS, release_digest, write_sums
from tests.support.releases import loaded, sealed_anew, stored

ABOUT, PROOF, UNITS, CITY, CATEGORIES = "release.json", "proof.json", "units.csv", "city.csv", "categories.csv"
PROGRAM, HEAD = "verify_release.py", b"row,measure,status,value,low,high,rounded\n"


@dataclass(frozen=True)
class Forgery:
    """`make` changes the folder of the last release; `key` names the reason for which it must be refused."""

    make: Callable[[Path], object]
    key: str
    base: str = "close"
    is_sealed: bool = True

    def forge(self, folder: Path) -> None:
        """Change the release; if `is_sealed`, then seal all releases again."""
        self.make(folder)
        if self.is_sealed:
            resealed(folder)


def resealed(folder: Path) -> None:
    """Seal all releases again, oldest first; each names the digests of those before it."""
    sums: dict[str, str] = {}
    for one in sorted(path for path in folder.parent.iterdir() if re.fullmatch("[0-9]{4}", path.name)):
        about = loaded(one / ABOUT) if sums else {}
        if sums and isinstance(about, dict) and about.get("earlier"):
            stored(
                one / ABOUT, about | {"earlier": {name: sums.get(name, old) for name, old in about["earlier"].items()}}
            )
        try:
            sealed_anew(one)
        except (ValueError, RecursionError):  # the forged file is no JSON
            write_sums(one)
        sums[one.name] = release_digest(one)


def about(**entries: Any) -> Callable[[Path], object]:
    """Replace entries of release.json."""
    return lambda folder: stored(folder / ABOUT, loaded(folder / ABOUT) | entries)


def edit(name: str, change: Callable[[Any], object]) -> Callable[[Path], object]:
    """Change the data of a JSON file."""

    def make(folder: Path) -> None:
        data = loaded(folder / name)
        change(data)
        stored(folder / name, data)

    return make


def structure(change: Callable[[Any], object]) -> Callable[[Path], object]:
    """Change the `structure` in release.json, which says how figures add up."""
    return edit(ABOUT, lambda data: change(data["structure"]))


def raw(name: str, old: str, new: str) -> Callable[[Path], object]:
    """Replace the first match of the pattern `old` in a file with `new`."""

    def make(folder: Path) -> None:
        text = (folder / name).read_bytes().decode()
        changed, count = re.subn(old, lambda found: found.expand(new), text, count=1, flags=re.M)
        assert count == 1, old
        (folder / name).write_bytes(changed.encode("utf-8", "surrogateescape"))

    return make


def put(name: str, content: bytes) -> Callable[[Path], object]:
    """Write a file with this content."""
    return lambda folder: (folder / name).write_bytes(content)


def gone(name: str) -> Callable[[Path], object]:
    """Delete a file."""
    return lambda folder: (folder / name).unlink()


def linked(name: str) -> Callable[[Path], object]:
    """Move a file away and put a symbolic link to it in its place."""

    def make(folder: Path) -> None:
        (folder / name).rename(folder.parent / name)
        (folder / name).symlink_to(folder.parent / name)

    return make


def piped(folder: Path) -> None:
    """Replace a table with a pipe: a program that reads it waits for ever."""
    (folder / UNITS).unlink()
    os.mkfifo(folder / UNITS)


def large(folder: Path) -> None:
    with (folder / PROOF).open("ab") as handle:
        handle.truncate((1 << 26) + 1)


def moved(folder: Path) -> None:
    folder.rename(folder.parent / "real")
    folder.symlink_to(folder.parent / "real")


def each(*makes: Callable[[Path], object]) -> Callable[[Path], object]:
    """Make several changes, in order."""
    return lambda folder: [make(folder) for make in makes]


def sooner(make: Callable[[Path], object], name: str = "0001") -> Callable[[Path], object]:
    """Make the change to the earlier release `name` instead."""
    return lambda folder: make(folder.parent / name)


def figure(row: str, name: str, rest: str, table: str = UNITS) -> Callable[[Path], object]:
    """Replace a line of a table: ``status,value,low,high,rounded`` of one measure of one row."""
    return raw(table, rf"^({row},{name}),.*", rf"\1,{rest}")


def unit_figures(row: str, rest: str) -> Callable[[Path], object]:
    """Give every figure of a unit the same rest of its line."""
    return each(*(figure(row, name, rest) for name in ("suspected", "returned", "still_out")))


def table_too(folder: Path) -> None:
    """Add a copy of the units' table as a further table."""
    (folder / "more.csv").write_bytes((folder / UNITS).read_bytes())
    edit(ABOUT, lambda data: data["tables"].append(data["tables"][1] | {"key": "more"}))(folder)


def table_less(folder: Path) -> None:
    (folder / "categories.csv").unlink()
    edit(ABOUT, lambda data: data["tables"].pop())(folder)


def sums_line(change: Callable[[str], str]) -> Callable[[Path], object]:
    """Change the text of `SHA256SUMS`."""
    return lambda folder: (folder / SUMS).write_bytes(
        change((folder / SUMS).read_text("utf-8")).encode("utf-8", "surrogateescape")
    )


def nested(data: Any) -> None:
    """Add 60 levels of sums, each made of both sums one level down: adding them up recursively takes 2^59 steps."""
    data["sums"] |= {"s0": ["returned"], **{f"s{n}": [f"s{n - 1}", f"t{n - 1}"] for n in range(1, 60)}}
    data["sums"] |= {"t0": ["returned"], **{f"t{n}": [f"s{n - 1}", f"t{n - 1}"] for n in range(1, 60)}}


def examples(change: Callable[[Any], object]) -> Callable[[Path], object]:
    """Change the list of examples in proof.json."""
    return edit(PROOF, lambda data: change(data["examples"]))


def first(value: Any) -> Callable[[Path], object]:
    """Put a value in the place of the first number of the first example."""
    return examples(lambda rows: rows[0].__setitem__(0, value))


def moved_in_examples(name: str, step: int) -> Callable[[Path], object]:
    """Add a number to one count in the first example alone."""

    def change(data: Any) -> None:
        data["examples"][0][data["counts"].index(name)] += step

    return edit(PROOF, change)


def areas(**parts: Any) -> Callable[[Path], object]:
    """Change the tree of areas; what is None is taken out."""

    def change(data: Any) -> None:
        data["areas"] = {name: inner for name, inner in {**data["areas"], **parts}.items() if inner is not None}

    return structure(change)
