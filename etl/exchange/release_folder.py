"""The folder of a release: `SHA256SUMS` lists every file with its SHA-256; the record keeps the SHA-256 of the list.

Every release is read through `sealed_files`, so a file that is not listed, missing or changed is refused by `release`,
`verify` and `publish` alike. The list is in the format of `sha256sum`: ``sha256sum --check SHA256SUMS`` works.
"""

import hashlib
import os
import re
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path

from etl.findings import FuxueError
from etl.system.disk import sync

SUMS = "SHA256SUMS"
#: The files that every release has, besides its tables.
ALWAYS = frozenset({"proof.json", "release.json", "verify_release.py"})
#: The program that goes with each release. It is part of another room; here it is only read as a file.
VERIFIER = Path(__file__).parents[1] / "proof" / "verify_release.py"
#: SHA-256 of former versions of that program; releases with one of them stay valid.
FORMER_VERIFIERS: frozenset[str] = frozenset()
_LINE = re.compile(r"([0-9a-f]{64})  ([a-z_]+\.(?:csv|json|py))")


def release_folders(released: Path) -> list[Path]:
    """The folders of all releases, oldest first."""
    return sorted(p for p in released.glob("[0-9][0-9][0-9][0-9]") if p.is_dir()) if released.is_dir() else []


def sha256(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def verifiers() -> frozenset[str]:
    """The digests of the programs that may go with a release: the present version and former ones."""
    return FORMER_VERIFIERS | {sha256(VERIFIER.read_bytes())}


def _draft(released: Path, name: str) -> Path:
    """The hidden draft folder of a release, until it is on record."""
    return released / f".{name}.new"


def set_aside(released: Path, name: str, files: Mapping[str, bytes]) -> Path:
    """Write files to a new draft folder of a release and return it. FuxueError if the release exists."""
    if (released / name).exists():
        raise FuxueError("release.exists", release=name)
    fresh = _draft(released, name)
    shutil.rmtree(fresh, ignore_errors=True)
    if not released.exists():
        released.mkdir(parents=True)
        sync(released.parent)
    fresh.mkdir()
    for file, content in files.items():
        write_through(fresh / file, content)
    return fresh


def write_through(path: Path, content: bytes) -> None:
    """Write a file; it is on the disk when this returns."""
    with path.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())


def write_sums(folder: Path) -> str:
    """Write `SHA256SUMS`, after all other files of a folder; return the digest of the release."""
    write_through(folder / SUMS, _listing(folder))
    sync(folder)
    sync(folder.parent)
    return release_digest(folder)


def release_digest(folder: Path) -> str:
    """SHA-256 of a release, or empty if there is no folder.

    It is the SHA-256 of `SHA256SUMS` if the folder has exactly the files listed there, unchanged; otherwise another.
    """
    if not folder.is_dir():
        return ""
    listing, path = _listing(folder), folder / SUMS
    stored = path.read_bytes() if path.is_file() else b""
    return sha256(listing if stored == listing else stored + b"\0" + listing)


def _listing(folder: Path) -> bytes:
    """The content that `SHA256SUMS` must have for the files in a folder. Anything but a plain file is marked so."""
    lines = []
    for path in sorted(folder.iterdir()):
        is_file = path.is_file() and not path.is_symlink()
        if path.name != SUMS:
            lines.append(f"{sha256(path.read_bytes()) if is_file else 'no plain file'}  {printable(path.name)}\n")
    return "".join(lines).encode()


def place_release(released: Path, name: str) -> Path:
    """Rename the draft folder to the release's folder and return it; it is on the disk when this returns."""
    folder = _draft(released, name).rename(released / name)
    sync(released)
    return folder


def finish_interrupted_releases(released: Path, recorded: Mapping[str, str]) -> None:
    """Put draft folders of releases that are on record in place; delete all other drafts.

    `recorded` gives the digest by name.
    """
    for fresh in sorted(released.glob(".[0-9][0-9][0-9][0-9].new")):
        name = fresh.name[1:5]
        if release_digest(fresh) == recorded.get(name) and not (released / name).exists():
            place_release(released, name)
        else:
            shutil.rmtree(fresh)


def sealed_files(folder: Path) -> dict[str, bytes]:
    """The content of a release's files by name, exactly those that `SHA256SUMS` lists.

    FuxueError if there is another file, one is missing, changed or no plain file, the list is malformed, or the
    verifier is not one of `verifiers()`. OSError if the folder cannot be read.
    """
    name = folder.name
    if folder.is_symlink():
        raise FuxueError("release.no_plain_file", release=name, file=printable(name))
    sums = _sums(folder)
    present = {path.name for path in folder.iterdir()} - {SUMS}
    for file in sorted(present - sums.keys()):
        raise FuxueError("release.unknown_file", release=name, file=printable(file))
    for file in sorted({*sums, *ALWAYS} - present):
        raise FuxueError("release.missing_file", release=name, file=file)
    files = {file: _plain_file(folder / file) for file in sums}
    for file, content in files.items():
        if sha256(content) != sums[file]:
            raise FuxueError("release.changed", release=name, file=file)
    if sums["verify_release.py"] not in verifiers():
        raise FuxueError("release.verifier", release=name)
    return files


def _sums(folder: Path) -> dict[str, str]:
    *lines, rest = _plain_file(folder / SUMS).decode("ascii", "replace").split("\n")
    found = [_LINE.fullmatch(line) for line in lines]
    sums = {line[2]: line[1] for line in found if line is not None}
    if len(sums) < len(lines) or rest:
        raise FuxueError("release.bad_list", release=folder.name)
    return sums


def _plain_file(path: Path) -> bytes:
    """The content of a plain file. FuxueError for a link, a folder or a device."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise FuxueError("release.no_plain_file", release=path.parent.name, file=printable(path.name))
    return path.read_bytes()


def printable(text: str) -> str:
    """A text with every character that could control a terminal written as an escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)
