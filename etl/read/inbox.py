"""The inbox: files that were not loaded yet, and where they are moved once they are on record.

An accepted file goes to ``received/<issue>/<recipient>/NNNN-<day>.<ext>``, a refused one to the same path below
``refused/``. NNNN is its number on record.
"""

import contextlib
import errno
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from etl.system.disk import copy_private, make_private, sync

#: Names of files that operating systems and programs leave in folders; they are ignored.
LITTER = re.compile(
    r"\.[^/]*|~\$.*|.*~|thumbs\.db|ehthumbs\.db|desktop\.ini|icon\r|.*\.(?:tmp|lnk|part|crdownload|download)"
    r"|__macosx|system volume information|\$recycle\.bin|recycler|found\.\d{3}",
    re.IGNORECASE | re.DOTALL,
)
#: The folder, instead of an issue's, for refused files whose issue is unknown.
NAMELESS = "unknown"


def not_loaded(folder: Path) -> list[Path]:
    """All files in the inbox `folder` and its sub-folders, sorted, without `LITTER`."""
    return sorted(files_of(folder))


def files_of(folder: Path) -> Iterator[Path]:
    """All files below a folder, without `LITTER`. Links to folders are given as files and not followed."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if LITTER.fullmatch(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from files_of(path)
        else:
            yield path


def place_of(folder: Path, issue: str, recipient: str, number: int, day: str, suffix: str) -> Path:
    """The path for a file that is on record with this number since this day (ISO form).

    `folder` is the home's `received` or `refused`; `suffix` is that of the file's original name.
    """
    own = Path(issue, recipient) if issue and recipient else Path(NAMELESS)
    kind = suffix.lower() if re.fullmatch(r"\.[A-Za-z]{2,5}", suffix) else ".bin"
    return folder / own / f"{number:04d}-{day}{kind}"


def number_of(path: Path) -> int | None:
    """The number on record in the name of a file that has a name as from `place_of`, or None."""
    found = re.match(r"(\d{4,})-", path.name)
    return int(found[1]) if found else None


def is_empty(path: Path) -> bool:
    """True if a path is a regular file without content; False if it cannot be examined."""
    try:
        return path.is_file() and path.stat().st_size == 0
    except OSError:
        return False


def highest_number(*folders: Path) -> int:
    """The highest number in the names of files in these folders, or 0; a record that was lost may have given it."""
    files = (path for folder in folders for path in files_of(folder))
    return max((number for path in files if (number := number_of(path)) is not None), default=0)


def free_place(target: Path, content: bytes) -> Path:
    """`target` if there is no file or one with the same content, else the same name with a number added."""
    for at in itertools.chain([target], (target.with_stem(f"{target.stem}-{n}") for n in itertools.count(2))):
        if not at.exists() or at.read_bytes() == content:
            return at
    raise AssertionError("endless")


def move_away(path: Path, target: Path) -> None:
    """Move a recorded file from the inbox to `target`; it is on the disk when this returns.

    A file with other content is never replaced (`free_place`). OSError if the file cannot be moved.
    """
    make_private(target.parent)
    target = free_place(target, path.read_bytes())
    try:
        if path.is_symlink():  # copy the content that the link points to, below
            raise OSError(errno.EXDEV, "a link")
        with contextlib.suppress(OSError):  # the file may have another owner; its new folder is private anyway
            path.chmod(0o600)
        path.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy_private(path, target)  # the inbox may be on another disk
        path.unlink()
    sync(target.parent)
    sync(path.parent)
