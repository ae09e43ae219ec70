"""How a release is forged, and what the citizen's program must say of it; `forgeries` and `forgeries_told` list them.

A forger is no fool: what he changed he seals anew (`SHA256SUMS`, and the digests by which later releases name earlier
ones), unless the seal is what he forges. ``close`` is one closing release of six units, of which the last has not
reported; ``stack`` two rounded releases and a closing one.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etl.exchange.release_folder import SUMS, release_digest, write_sums
from tests.support.releases import loaded, sealed_anew, stored

ABOUT, AUDIT, PROOF, UNITS, CITY = "release.json", "audit.json", "proof.json", "units.csv", "city.csv"
PROGRAM, HEAD = "verify_release.py", b"row,measure,value,status\n"


@dataclass(frozen=True)
class Forgery:
    """`make` changes the folder of the last release; `reason` is the key and what fills its words."""

    make: Callable[[Path], object]
    reason: tuple[object, ...]
    base: str = "close"
    is_sealed: bool = True

    def forge(self, folder: Path) -> None:
        """Change the release, and seal it and all that come after what was changed."""
        self.make(folder)
        if self.is_sealed:
            resealed(folder)


def resealed(folder: Path) -> None:
    """Seals of all releases, oldest first, each of which names those before it."""
    sums: dict[str, str] = {}
    for one in sorted(path for path in folder.parent.iterdir() if re.fullmatch("[0-9]{4}", path.name)):
        about = loaded(one / ABOUT) if sums else {}
        if sums and isinstance(about, dict) and about.get("earlier"):
            stored(
                one / ABOUT, about | {"earlier": {name: sums.get(name, old) for name, old in about["earlier"].items()}}
            )
        try:
            sealed_anew(one)
        except (ValueError, RecursionError):  # what he wrote is no JSON
            write_sums(one)
        sums[one.name] = release_digest(one)


def about(**entries: Any) -> Callable[[Path], object]:
    """Other entries of release.json."""
    return lambda folder: stored(folder / ABOUT, loaded(folder / ABOUT) | entries)


def edit(name: str, change: Callable[[Any], object]) -> Callable[[Path], object]:
    """A change of what a JSON file says."""

    def make(folder: Path) -> None:
        told = loaded(folder / name)
        change(told)
        stored(folder / name, told)

    return make


def structure(change: Callable[[Any], object]) -> Callable[[Path], object]:
    """A change of how the figures hang together."""
    return edit(ABOUT, lambda told: change(told["structure"]))


def raw(name: str, old: str, new: str) -> Callable[[Path], object]:
    """Other bytes in a file, at the first place that fits a pattern."""

    def make(folder: Path) -> None:
        text = (folder / name).read_bytes().decode()
        changed, count = re.subn(old, lambda found: found.expand(new), text, count=1, flags=re.M)
        assert count == 1, old
        (folder / name).write_bytes(changed.encode("utf-8", "surrogateescape"))

    return make


def put(name: str, content: bytes) -> Callable[[Path], object]:
    """A file with other content."""
    return lambda folder: (folder / name).write_bytes(content)


def gone(name: str) -> Callable[[Path], object]:
    """A file that is not there."""
    return lambda folder: (folder / name).unlink()


def linked(name: str) -> Callable[[Path], object]:
    """A file whose name leads elsewhere."""

    def make(folder: Path) -> None:
        (folder / name).rename(folder.parent / name)
        (folder / name).symlink_to(folder.parent / name)

    return make


def piped(folder: Path) -> None:
    """A pipe in the place of a table: whoever reads it waits for ever."""
    (folder / UNITS).unlink()
    os.mkfifo(folder / UNITS)


def large(folder: Path) -> None:
    with (folder / PROOF).open("ab") as handle:
        handle.truncate((1 << 24) + 1)


def moved(folder: Path) -> None:
    folder.rename(folder.parent / "real")
    folder.symlink_to(folder.parent / "real")


def each(*makes: Callable[[Path], object]) -> Callable[[Path], object]:
    """Several changes."""
    return lambda folder: [make(folder) for make in makes]


def sooner(make: Callable[[Path], object], name: str = "0001") -> Callable[[Path], object]:
    """A change of an earlier release."""
    return lambda folder: make(folder.parent / name)


def whole_unit(row: str, status: str, value: str = "") -> Callable[[Path], object]:
    """Everything that is told of a unit but the listed children."""

    def make(folder: Path) -> None:
        lines = (folder / UNITS).read_text("utf-8").splitlines()
        told = [re.sub(rf"^({row},(?!suspected)[a-z_]+),.*", rf"\1,{value},{status}", line) for line in lines]
        (folder / UNITS).write_text("\n".join(told) + "\n", "utf-8")

    return make


def table_too(folder: Path) -> None:
    """A second table of the units."""
    (folder / "more.csv").write_bytes((folder / UNITS).read_bytes())
    edit(ABOUT, lambda told: told["tables"].append(told["tables"][1] | {"key": "more"}))(folder)


def table_less(folder: Path) -> None:
    (folder / "categories.csv").unlink()
    edit(ABOUT, lambda told: told["tables"].pop())(folder)


def sums_line(change: Callable[[str], str]) -> Callable[[Path], object]:
    """Other lines in the list of files."""
    return lambda folder: (folder / SUMS).write_bytes(
        change((folder / SUMS).read_text("utf-8")).encode("utf-8", "surrogateescape")
    )


def nested(told: Any) -> None:
    """Sums of sums, each of the one before twice: whoever adds them up in turn never ends."""
    told["sums"] |= {"s0": ["returned"], **{f"s{n}": [f"s{n - 1}", f"t{n - 1}"] for n in range(1, 60)}}
    told["sums"] |= {"t0": ["returned"], **{f"t{n}": [f"s{n - 1}", f"t{n - 1}"] for n in range(1, 60)}}


def first_of(told: Any, value: Any) -> None:
    told["tables"][0][0] = value


BAD_ABOUT, BAD_PROOF, BAD_AUDIT, BAD_SUMS = (("file", name) for name in (ABOUT, PROOF, AUDIT, SUMS))
STRUCTURE = ("entry", "structure")
