"""A folder is replaced whole or not at all: built beside its place, written through to disk, then swapped by rename."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from etl.disk import sync
from etl.findings import FuxueError


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give an empty folder beside `target`; on leaving without an error it takes the place of `target`.

    After an error `target` is untouched and the fresh folder is gone. FuxueError ``publish.busy`` if another run is
    replacing it, ``publish.not_written`` if the disk refuses.
    """
    fresh, old = (target.with_name(f".{target.name}.{suffix}") for suffix in ("new", "old"))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target.parent):
            _recover(target, fresh, old)
            try:
                fresh.mkdir()
                yield fresh
                _settle(fresh)
                _swap(target, fresh, old)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        raise FuxueError("publish.not_written", folder=target.name, reason=error.strerror or "") from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a lock on the folder itself, so that no lock file is left behind."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise FuxueError("publish.busy", folder=folder.name) from None
    finally:
        os.close(handle)


def _recover(target: Path, fresh: Path, old: Path) -> None:
    """Clear what a killed run left; if it died between the two renames, put the old folder back."""
    if old.exists() and not target.exists():
        old.rename(target)
    for folder in (fresh, old):
        _remove(folder)


def _remove(folder: Path) -> None:
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def _settle(folder: Path) -> None:
    """Make everything readable by a web server, whatever the umask, and force it to disk."""
    for path in [folder, *sorted(folder.rglob("*"))]:
        path.chmod(0o755 if path.is_dir() else 0o644)
        sync(path)


def _swap(target: Path, fresh: Path, old: Path) -> None:
    if target.exists():
        target.rename(old)
    try:
        fresh.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    sync(target.parent)
    _remove(old)
