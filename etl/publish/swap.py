"""Replaces a folder in one step: the new one is built beside it, written to disk, and then exchanged with it.

The two folders exchange their names in one system call (`renameat2` with RENAME_EXCHANGE on Linux, `renamex_np` with
RENAME_SWAP on macOS), so that the target is always a complete folder, the old one or the new one. Where the system or
the disk does not support this, two renames are used; if a run is killed between them the target is missing, and the
next run restores the old folder.
"""

import ctypes
import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from etl.findings import FuxueError
from etl.system.disk import sync

#: Constants from `linux/fcntl.h` and `linux/fs.h`; the last from `sys/stdio.h` of macOS.
AT_FDCWD, RENAME_EXCHANGE, RENAME_SWAP = -100, 2, 2
#: Error numbers that mean that the system or the disk cannot exchange names.
CANNOT = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Provide an empty folder; if the context ends without an error, it replaces `target`.

    After an error `target` is unchanged and the new folder is deleted. Raises FuxueError ``publish.busy`` if another
    run is replacing it, ``publish.not_written`` if the disk refuses.
    """
    fresh, old = (target.with_name(f".{target.name}.{suffix}") for suffix in ("new", "old"))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target.parent):
            _recover(target, fresh, old)
            try:
                fresh.mkdir()
                yield fresh
                _write_through(fresh)
                _swap(target, fresh, old)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        raise FuxueError("publish.not_written", folder=target.name, reason=error.strerror or "") from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a lock on the folder itself, which leaves no lock file behind. Raises FuxueError if it is locked."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise FuxueError("publish.busy", folder=folder.name) from None
    finally:
        os.close(handle)


def _recover(target: Path, fresh: Path, old: Path) -> None:
    """Delete what a killed run left; if it was killed between two renames, restore the old folder."""
    if old.exists() and not target.exists():
        old.rename(target)
    for folder in (fresh, old):
        _remove(folder)


def _remove(folder: Path) -> None:
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def _write_through(folder: Path) -> None:
    """Make everything readable for a web server, independent of the umask, and force it to disk."""
    for path in [folder, *sorted(folder.rglob("*"))]:
        path.chmod(0o755 if path.is_dir() else 0o644)
        sync(path)


def _swap(target: Path, fresh: Path, old: Path) -> None:
    """Replace `target` by `fresh`; the old folder is deleted only once this is on disk."""
    if not target.exists():
        fresh.rename(target)
    elif exchange(fresh, target):
        old = fresh
    else:
        _rename_twice(target, fresh, old)
    sync(target.parent)
    _remove(old)


def _rename_twice(target: Path, fresh: Path, old: Path) -> None:
    target.rename(old)
    try:
        fresh.rename(target)
    except OSError:
        old.rename(target)
        raise


def exchange(one: Path, other: Path) -> bool:
    """Exchange the names of two folders in one step; False if the system cannot. Raises OSError if the disk refuses."""
    call = _exchanger()
    if call is None:
        return False
    if call(os.fsencode(one), os.fsencode(other)) == 0:
        return True
    if (number := ctypes.get_errno()) in CANNOT:
        return False
    raise OSError(number, os.strerror(number), str(one))


def _exchanger() -> Callable[[bytes, bytes], int] | None:
    """The system call that exchanges two names; None if there is none."""
    library = ctypes.CDLL(None, use_errno=True)
    if hasattr(library, "renameat2"):
        return lambda one, other: int(library.renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE))
    if hasattr(library, "renamex_np"):
        return lambda one, other: int(library.renamex_np(one, other, RENAME_SWAP))
    return None
