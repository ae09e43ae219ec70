"""A folder is replaced whole or not at all: built beside its place, written through to disk, exchanged in one step.

The two folders change names in one system call (`renameat2` with RENAME_EXCHANGE on Linux, `renamex_np` with
RENAME_SWAP on macOS), so that at every moment a whole folder stands in the place: the old one or the new one. Where the
system or the disk cannot do that, two renames do it; a run that is killed between them leaves the place empty, and the
next run puts the old folder back.
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

#: `linux/fcntl.h` and `linux/fs.h`; `sys/stdio.h` of macOS.
AT_FDCWD, RENAME_EXCHANGE, RENAME_SWAP = -100, 2, 2
#: What a system says that cannot exchange names, or not on this disk.
CANNOT = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP)


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
    """Clear what a killed run left; if it died between two renames, put the old folder back."""
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
    """The fresh folder stands in the place, on the disk, before the old one is deleted."""
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
    """Let two folders change names in one step; False if that cannot be done here. OSError if the disk refuses."""
    call = _exchanger()
    if call is None:
        return False
    if call(os.fsencode(one), os.fsencode(other)) == 0:
        return True
    if (number := ctypes.get_errno()) in CANNOT:
        return False
    raise OSError(number, os.strerror(number), str(one))


def _exchanger() -> Callable[[bytes, bytes], int] | None:
    """The system's call that exchanges two names, if it has one."""
    library = ctypes.CDLL(None, use_errno=True)
    if hasattr(library, "renameat2"):
        return lambda one, other: int(library.renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE))
    if hasattr(library, "renamex_np"):
        return lambda one, other: int(library.renamex_np(one, other, RENAME_SWAP))
    return None
