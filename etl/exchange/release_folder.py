"""A release as files: a closed list, each file with its SHA-256 in `SHA256SUMS`, whose own SHA-256 the record keeps.

Nothing else may lie in the folder of a release. Whoever reads a release reads it through `sealed_files`, so a file that
is not listed, not there, or not as it was when it was sealed is refused by `release`, `verify` and `publish` alike.
The list is in the format of `sha256sum`: ``sha256sum --check SHA256SUMS`` works in the folder.
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
#: What every release holds beside its tables.
ALWAYS = frozenset({"audit.json", "proof.json", "release.json", "verify_release.py"})
#: The program that goes with each release. It belongs to another room and is only read here, as a file.
VERIFIER = Path(__file__).parents[1] / "proof" / "verify_release.py"
#: SHA-256 of former versions of that program: releases that carry one of them stay valid.
FORMER_VERIFIERS = frozenset(
    {
        "743a0a929617e4f394edc3a945cd9029db96a75bc979f9fbd4bf6038d42beae5",
        "43a672e3f4efc9733ac20401c1ed55ad3b9b85e8ca46ff7743b6eec3eeb4b3e4",
    }
)
_LINE = re.compile(r"([0-9a-f]{64})  ([a-z_]+\.(?:csv|json|py))")


def release_folders(released: Path) -> list[Path]:
    """All releases, oldest first."""
    return sorted(p for p in released.glob("[0-9][0-9][0-9][0-9]") if p.is_dir()) if released.is_dir() else []


def sha256(content: bytes) -> str:
    """The digest in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def verifiers() -> frozenset[str]:
    """The digests of the programs that may go with a release: this version's, and those of former ones."""
    return FORMER_VERIFIERS | {sha256(VERIFIER.read_bytes())}


def _aside(released: Path, name: str) -> Path:
    """Where a release lies until it is on record: hidden, beside its place."""
    return released / f".{name}.new"


def set_aside(released: Path, name: str, files: Mapping[str, bytes]) -> Path:
    """Write files into a fresh hidden folder beside the place of the release; FuxueError if that is taken."""
    if (released / name).exists():
        raise FuxueError("release.exists", release=name)
    fresh = _aside(released, name)
    shutil.rmtree(fresh, ignore_errors=True)
    if not released.exists():
        released.mkdir(parents=True)
        sync(released.parent)
    fresh.mkdir()
    for file, content in files.items():
        write_through(fresh / file, content)
    return fresh


def write_through(path: Path, content: bytes) -> None:
    """Write a file; it is on the disk before this returns."""
    with path.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())


def write_sums(folder: Path) -> str:
    """List all files of a folder in `SHA256SUMS`, the last to be written; the digest of that list."""
    write_through(folder / SUMS, _listing(folder))
    sync(folder)
    sync(folder.parent)
    return release_digest(folder)


def release_digest(folder: Path) -> str:
    """SHA-256 of a release, empty if there is no folder.

    That of its `SHA256SUMS` if just the files that are listed there lie in the folder, unchanged; else another.
    """
    if not folder.is_dir():
        return ""
    listing, path = _listing(folder), folder / SUMS
    told = path.read_bytes() if path.is_file() else b""
    return sha256(listing if told == listing else told + b"\0" + listing)


def _listing(folder: Path) -> bytes:
    """What `SHA256SUMS` must say of the files in a folder; for what is no plain file, that it is none."""
    lines = []
    for path in sorted(folder.iterdir()):
        is_file = path.is_file() and not path.is_symlink()
        if path.name != SUMS:
            lines.append(f"{sha256(path.read_bytes()) if is_file else 'no plain file'}  {printable(path.name)}\n")
    return "".join(lines).encode()


def place_release(released: Path, name: str) -> Path:
    """What was set aside becomes the release, in one step that is on the disk before this returns."""
    folder = _aside(released, name).rename(released / name)
    sync(released)
    return folder


def finish_interrupted_releases(released: Path, recorded: Mapping[str, str]) -> None:
    """End what an interrupted run began: a release on record takes its place, what is on no record is deleted.

    `recorded` gives the digest by number.
    """
    for fresh in sorted(released.glob(".[0-9][0-9][0-9][0-9].new")):
        name = fresh.name[1:5]
        if release_digest(fresh) == recorded.get(name) and not (released / name).exists():
            place_release(released, name)
        else:
            shutil.rmtree(fresh)


def sealed_files(folder: Path) -> dict[str, bytes]:
    """The files of a release by name: just those that `SHA256SUMS` lists, each with the digest that it had then.

    FuxueError if there is any other file, one is missing, changed or no plain file, the list is not in its form, or the
    verifier is not the program's own. Raises OSError for a folder that is none.
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
    """The content of a file that is no link, no folder and no device."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise FuxueError("release.no_plain_file", release=path.parent.name, file=printable(path.name))
    return path.read_bytes()


def printable(text: str) -> str:
    """A text that may be printed: whatever could steer a terminal is written as an escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)
