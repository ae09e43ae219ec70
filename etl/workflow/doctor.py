"""Checks if this machine and this home are fit for children's data, and says how to mend what is not (M18)."""

import datetime as dt
import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from etl.findings import FuxueError
from etl.report.typesetting import fonts
from etl.system.dates import parse_date
from etl.system.home import Home
from etl.vault.store import chain
from etl.vault.upkeep.verify import record_breaks
from etl.workflow.run import Run
from etl.workflow.texts import error_texts, text

#: Free disk space that a load, a rekey or a release may need, besides the copies of the record that a rekey makes.
SPARE_BYTES = 500_000_000
SWAPS, BLOCKS = Path("/proc/swaps"), Path("/sys/block")


class Outcome(StrEnum):
    """The outcome of a check. What cannot be determined is a warning, never fine."""

    FINE = "fine"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True)
class Check:
    """The result of one check, with the parameters of its text in `texts.toml`."""

    name: str
    outcome: Outcome
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The key of its text."""
        return f"doctor.{self.name}_{self.outcome}"


def examine(run: Run, key_file: Path) -> list[Check]:
    """Run all checks, the most important first."""
    return [
        _key(run.home, key_file), _closed(run.home), _record(run), _clock(run), _disk(run.home), swap(), _fonts(),
    ]  # fmt: skip


def _key(home: Home, key_file: Path) -> Check:
    """The key file is on another device than the home, so that it can be removed and locked away (M18)."""
    if home.demo_key.exists():
        return Check("key", Outcome.WARNING, {"file": key_file})
    home_device = (home.private if home.private.exists() else home.root.parent).stat().st_dev
    is_apart = key_file.stat().st_dev != home_device
    return Check("key", Outcome.FINE if is_apart else Outcome.WARNING, {"file": key_file})


def _closed(home: Home) -> Check:
    """No private folder or database is accessible to other accounts."""
    paths = [home.private, *(path for path in home.private.rglob("*") if path.is_dir() or path.suffix == ".db")]
    found = [path for path in paths if path.exists() and not path.is_symlink() and _is_open(path)]
    if found:
        return Check("closed", Outcome.BAD, {"file": found[0], "count": len(found)})
    return Check("closed", Outcome.FINE)


def _is_open(path: Path) -> bool:
    return os.name == "posix" and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def _record(run: Run) -> Check:
    if not run.home.vault.exists():
        return Check("record", Outcome.WARNING)
    try:
        vault = run.open_vault()
    except FuxueError as error:
        zh, en = error_texts(error)
        return Check("record", Outcome.BAD, {"reason": en, "reason_zh": zh})
    try:
        found = record_breaks(vault, run.campaign)
    finally:
        vault.close()
    if not found:
        return Check("record", Outcome.FINE)
    zh, en = (text(found[0].key, language, **found[0].params) for language in ("zh", "en"))
    return Check("record", Outcome.BAD, {"reason": en, "reason_zh": zh})


def _clock(run: Run) -> Check:
    """Today is not before the newest link, or before the campaign's notice if there is none."""
    last = run.campaign.noticed
    if run.home.vault.exists():
        try:
            vault = run.open_vault()
        except FuxueError:
            return Check("clock", Outcome.WARNING, {"today": dt.date.today(), "last": "?"})
        try:
            newest = chain.head(vault.connection)
            last = parse_date(newest.day) if newest else last
        finally:
            vault.close()
    params = {"today": dt.date.today(), "last": last}
    return Check("clock", Outcome.FINE if dt.date.today() >= last else Outcome.BAD, params)


def _disk(home: Home) -> Check:
    size = home.vault.stat().st_size if home.vault.exists() else 0
    wanted = SPARE_BYTES + 3 * size
    folder = next(path for path in (home.private, *home.private.absolute().parents) if path.exists())
    free = shutil.disk_usage(folder).free
    params = {"free": f"{free / 1e9:.1f} GB", "wanted": f"{wanted / 1e9:.1f} GB"}
    return Check("disk", Outcome.FINE if free >= wanted else Outcome.BAD, params)


def swap(swaps: Path = SWAPS, blocks: Path = BLOCKS) -> Check:
    """Check that every swap device is encrypted or in memory (zram). The paths are parameters for tests."""
    try:
        devices = [line.split()[0] for line in swaps.read_text(encoding="utf-8").splitlines()[1:] if line.split()]
    except OSError:
        return Check("swap", Outcome.WARNING, {"device": "?"})
    bad = [device for device in devices if not _is_safe(Path(device), blocks)]
    return Check("swap", Outcome.WARNING if bad else Outcome.FINE, {"device": bad[0] if bad else ""})


def _is_safe(device: Path, blocks: Path) -> bool:
    name = Path(os.path.realpath(device)).name
    if name.startswith("zram"):
        return True
    try:
        return (blocks / name / "dm" / "uuid").read_text(encoding="utf-8").startswith("CRYPT-")
    except OSError:
        return False


def _fonts() -> Check:
    """A Chinese font is installed, for printing documents from this machine."""
    try:
        fonts()
    except FuxueError:
        return Check("fonts", Outcome.WARNING)
    return Check("fonts", Outcome.FINE)
