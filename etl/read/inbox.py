"""The inbox: files that wait to be heard, and where they go once they are on record.

`inbox/` holds only what has not been heard. An accepted file goes to ``received/<issue>/<receiver>/NNNN-<day>.<ext>``,
a refused one to the same place below ``refused/``, NNNN being its number on record.
"""

import contextlib
import errno
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from etl.system.disk import copy_private, make_private, sync

#: What systems and programs leave beside people's files: never a workbook, never in the way.
LITTER = re.compile(
    r"\.[^/]*|~\$.*|.*~|thumbs\.db|ehthumbs\.db|desktop\.ini|icon\r|.*\.(?:tmp|lnk|part|crdownload|download)"
    r"|__macosx|system volume information|\$recycle\.bin|recycler|found\.\d{3}",
    re.IGNORECASE | re.DOTALL,
)
#: The folder, in the place of an issue's, of refused files that belong to none as far as is known.
NAMELESS = "unknown"


def unheard(folder: Path) -> list[Path]:
    """Everything in the inbox and its sub-folders that somebody may have meant as a workbook, sorted."""
    return sorted(files_of(folder))


def files_of(folder: Path) -> Iterator[Path]:
    """All files below a folder but litter; links to folders are not followed."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if LITTER.fullmatch(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from files_of(path)
        else:
            yield path


def place_of(folder: Path, issue: str, receiver: str, number: int, day: str, suffix: str) -> Path:
    """Where a file goes that is on record by this number since this day.

    `folder` is that of accepted or of refused files; `suffix` is how the file's own name ends.
    """
    own = Path(issue, receiver) if issue and receiver else Path(NAMELESS)
    kind = suffix.lower() if re.fullmatch(r"\.[A-Za-z]{2,5}", suffix) else ".bin"
    return folder / own / f"{number:04d}-{day}{kind}"


def number_of(path: Path) -> int | None:
    """The number on record of a file that was put where `place_of` says, or None."""
    found = re.match(r"(\d{4,})-", path.name)
    return int(found[1]) if found else None


def is_empty(path: Path) -> bool:
    """True of an ordinary file that holds nothing; False of one that cannot be looked at."""
    try:
        return path.is_file() and path.stat().st_size == 0
    except OSError:
        return False


def highest_number(*folders: Path) -> int:
    """The highest number of a file that was put away, 0 if there is none: a record that was lost gave it, too."""
    files = (path for folder in folders for path in files_of(folder))
    return max((number for path in files if (number := number_of(path)) is not None), default=0)


def free_place(target: Path, content: bytes) -> Path:
    """The place itself if nothing else stands there, or one beside it."""
    for at in itertools.chain([target], (target.with_stem(f"{target.stem}-{n}") for n in itertools.count(2))):
        if not at.exists() or at.read_bytes() == content:
            return at
    raise AssertionError("endless")


def move_away(path: Path, target: Path) -> None:
    """Move a heard file to its place, on the disk before this returns; a copy of what is there already goes.

    Nothing of other content is ever replaced. OSError if it cannot be moved.
    """
    make_private(target.parent)
    target = free_place(target, path.read_bytes())
    try:
        if path.is_symlink():  # what it leads to is kept, not the way
            raise OSError(errno.EXDEV, "a link")
        with contextlib.suppress(OSError):  # another's file: its folder is closed all the same
            path.chmod(0o600)
        path.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy_private(path, target)  # the inbox may be a disk of its own
        path.unlink()
    sync(target.parent)
    sync(path.parent)
