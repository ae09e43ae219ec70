"""Reuse of parts of the site that an earlier run made from the same sources, since old releases never change.

`made.json` beside the site holds for each part a digest of its sources and the digests of its files. A part is made
again if its sources or one of its files changed. ``publish --check`` reuses nothing.
"""

import contextlib
import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict, TypeGuard

import jinja2

_MANIFEST = "made.json"


class Part(TypedDict):
    """A part: the digest of its sources, and the digests of its files by path below the public folder."""

    key: str
    files: dict[str, str]


def digest_of_parts(parts: Iterable[bytes]) -> str:
    """SHA-256 of a sequence of byte strings, each preceded by its length, so that different sequences differ."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big"))
        whole.update(part)
    return whole.hexdigest()


def print_of(*folders: Path) -> str:
    """The digest of the names and contents of all files in the folders."""
    files = [(path, path.relative_to(folder)) for folder in folders for path in sorted(folder.rglob("*"))]
    pairs = ((str(name).encode(), path.read_bytes()) for path, name in files if _counts(path))
    return digest_of_parts(part for pair in pairs for part in pair)


def _counts(path: Path) -> bool:
    return path.is_file() and path.suffix != ".pyc"


def link(old: Path, new: Path) -> None:
    """Make `new` a hard link to `old`, or a copy where the disk does not support links."""
    new.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(old, new)
    except OSError:
        shutil.copyfile(old, new)


class Kept:
    """Reuses parts of the old public folder (if any), and records what the parts of the fresh one were made from."""

    def __init__(self, fresh: Path, old: Path | None, makers: Iterable[Path]) -> None:
        """`makers` are the folders on which every page depends: code, templates, rule book."""
        self.fresh, self.old = fresh, old
        self._makers = digest_of_parts(
            [print_of(*makers).encode(), jinja2.__version__.encode(), zlib.ZLIB_RUNTIME_VERSION.encode()]
        )
        self._known = _read(old / _MANIFEST) if old else {}
        self._made: dict[str, Part] = {}

    def again(self, part: str, source: str) -> bool:
        """Reuse `part` if it is intact and the same makers made it from `source` (a digest); return whether it is."""
        known = self._known.get(part)
        key = digest_of_parts([self._makers.encode(), source.encode()])
        if self.old is None or known is None or known["key"] != key:
            return False
        found = {name: self.old / name for name in known["files"]}
        if any(_digest(path) != known["files"][name] for name, path in found.items()):
            return False
        for name, path in found.items():
            link(path, self.fresh / name)
        self._made[part] = known
        return True

    def made(self, part: str, source: str, files: Iterable[Path]) -> None:
        """Record that `part`, consisting of `files` of the fresh folder, was made from `source` (a digest)."""
        names = {path.relative_to(self.fresh).as_posix(): _digest(path) for path in files}
        self._made[part] = {"key": digest_of_parts([self._makers.encode(), source.encode()]), "files": names}

    def save(self) -> None:
        """Write `made.json`."""
        content = json.dumps(self._made, indent=1, sort_keys=True) + "\n"
        (self.fresh / _MANIFEST).write_text(content, encoding="utf-8", newline="\n")


def _digest(path: Path) -> str:
    if path.is_symlink() or not path.is_file():
        return ""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read(path: Path) -> dict[str, Part]:
    """The content of made.json; empty if it is missing or malformed, and then everything is made again."""
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return {name: part for name, part in found.items() if _is_part(part)}
    return {}


def _is_part(value: object) -> TypeGuard[Part]:
    """Whether a value is a part whose files all lie in the folder; a forged made.json must not lead outside."""
    if not isinstance(value, dict) or not isinstance(value.get("key"), str) or not isinstance(value.get("files"), dict):
        return False
    return not any(name.startswith("/") or ".." in name.split("/") for name in value["files"])
