"""Writing private files so that they survive a power cut: afterwards a file is complete or absent."""

import os
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read (0600), in one step; it is on the disk when this returns."""
    write_whole(path, content, 0o600)


def write_whole(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file in one step; it is on the disk when this returns."""
    fresh = path.with_name(f".{path.name}.part")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    fresh.rename(path)


def make_private(folder: Path) -> None:
    """Make a folder and its missing parents, for the owner alone (0700)."""
    for missing in reversed([folder, *folder.parents]):
        if not missing.exists():
            missing.mkdir(mode=0o700, exist_ok=True)


def copy_private(source: Path, target: Path) -> None:
    """Copy a file for its owner alone (0600); it is on the disk when this returns. An interruption leaves a part."""
    with (
        source.open("rb") as given,
        os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out,
    ):
        while block := given.read(1 << 20):
            out.write(block)
        out.flush()
        os.fsync(out.fileno())


def sync(path: Path) -> None:
    """Write a file, or the entries of a folder, through to the disk, so that a rename survives a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
