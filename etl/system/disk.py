"""Files that must be there after a power cut, whole or not at all."""

import os
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """A file for its owner alone, on the disk before this returns, whole or not there."""
    fresh = path.with_name(f".{path.name}.part")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    fresh.rename(path)


def make_private(folder: Path) -> None:
    """A folder, with those above it that are not there yet, for its owner alone."""
    for missing in reversed([folder, *folder.parents]):
        if not missing.exists():
            missing.mkdir(mode=0o700, exist_ok=True)


def copy_private(source: Path, target: Path) -> None:
    """Byte by byte, for its owner alone, on the disk before this returns; not in one step."""
    with (
        source.open("rb") as given,
        os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out,
    ):
        while block := given.read(1 << 20):
            out.write(block)
        out.flush()
        os.fsync(out.fileno())


def sync(path: Path) -> None:
    """A file, or the entries of a folder, on the disk: what was renamed in it is there after a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
