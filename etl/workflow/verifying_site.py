"""Verifying a published site: each of its releases is verified, and the site must be exactly what they produce."""

import lzma
import re
import tempfile
import zipfile
import zlib
from pathlib import Path

from etl.exchange.release import Release
from etl.exchange.release_folder import printable, release_folders
from etl.findings import FuxueError
from etl.rulebook.campaign import load_campaign
from etl.workflow.publishing import make_site
from etl.workflow.verifying import verify_release_folder

#: The archive in a site with the folders of the newest release and all before it.
PUBLISHED_PROOF = Path("data/latest/proof.zip")
#: The names allowed in that archive, and the most bytes that it may unpack to.
_NAME, _MOST = re.compile(r"[0-9]{4}/[A-Za-z0-9_]+(\.[a-z]+)?"), 1 << 30
#: The errors that a damaged archive raises.
BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, ValueError)
#: The most files that an error names.
_SHOWN = 5


def is_site(folder: Path) -> bool:
    """True if a folder is one that `publish` writes, or the `site/` in it, which is what a web server has."""
    return any((folder / part / PUBLISHED_PROOF).parent.is_dir() for part in ("", "site"))


def verify_site(campaign_folder: Path, public: Path) -> Release:
    """Verify each release in a published folder and make the site from them again; return the newest release.

    FuxueError if a release fails, or if a file of the site is missing, additional, or different.
    """
    campaign = load_campaign(campaign_folder)
    part = "" if (public / PUBLISHED_PROOF).parent.is_dir() else "site"
    with tempfile.TemporaryDirectory() as scratch:
        released, fresh = Path(scratch) / "released", Path(scratch) / "public"
        _unpack(public / part / PUBLISHED_PROOF, released)
        found = [verify_release_folder(campaign, folder) for folder in release_folders(released)]
        if not found:
            raise FuxueError("verify.no_proof", file=PUBLISHED_PROOF)
        make_site(released, fresh, campaign_folder)
        differing = _differing(public, fresh if part else fresh / "site")
    if differing:
        files = "、".join(printable(name) for name in differing[:_SHOWN])
        raise FuxueError("verify.site", folder=public, count=len(differing), files=files, code=3)
    return found[-1]


def _unpack(proof: Path, released: Path) -> None:
    """Unpack the releases of a proof archive into `released`.

    FuxueError if it is damaged, too large, or has names that are not allowed (such as paths outside `released`).
    """
    try:
        with zipfile.ZipFile(proof) as packed:
            inside = packed.infolist()
            if sum(one.file_size for one in inside) > _MOST or not all(_NAME.fullmatch(one.filename) for one in inside):
                raise FuxueError("verify.no_proof", file=PUBLISHED_PROOF)
            packed.extractall(released)
    except (*BROKEN, OSError) as error:
        raise FuxueError("verify.no_proof", file=PUBLISHED_PROOF) from error


def _differing(one: Path, other: Path) -> list[str]:
    """Relative paths of files, links and folders that are not the same in both folders."""
    sides = [{path.relative_to(folder).as_posix(): _content(path) for path in folder.rglob("*")}
             for folder in (one, other)]  # fmt: skip
    return sorted(name for name in {**sides[0], **sides[1]} if sides[0].get(name, 0) != sides[1].get(name, 0))


def _content(path: Path) -> bytes | str | None:
    """The bytes of a file, or the target of a link; None for a folder."""
    if path.is_symlink():
        return str(path.readlink())
    return path.read_bytes() if path.is_file() else None
