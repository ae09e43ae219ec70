"""The three zones of a home folder: private, released, public."""

import contextlib
import fcntl
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from etl.findings import FuxueError

#: How long a command waits for another one that is changing the home, and how long between two looks; seconds.
_PATIENCE, LOOK = 30.0, 0.05
#: The locks of homes that this process holds: the handle of the open file by its path.
_held: dict[Path, int] = {}


@dataclass(frozen=True)
class Home:
    """Where everything lies. `root` is `var` by default."""

    root: Path

    @property
    def private(self) -> Path:
        """Everything about individuals; 0700."""
        return self.root / "private"

    @property
    def inbox(self) -> Path:
        """Returned workbooks, waiting to be loaded."""
        return self.private / "inbox"

    @property
    def received(self) -> Path:
        """Returned workbooks that were accepted, by issue and receiver."""
        return self.private / "received"

    @property
    def refused(self) -> Path:
        """Returned workbooks that were refused, by issue and receiver as far as those are known."""
        return self.private / "refused"

    @property
    def outbox(self) -> Path:
        """Sealed workbooks to hand out, one folder per issue."""
        return self.private / "outbox"

    @property
    def decisions(self) -> Path:
        """Sealed papers on which a person decides what a list leaves open."""
        return self.private / "decisions"

    @property
    def reports(self) -> Path:
        """Sealed documents for units and the bureau."""
        return self.private / "reports"

    @property
    def vault(self) -> Path:
        """The encrypted record."""
        return self.private / "vault.db"

    @property
    def backups(self) -> Path:
        """Encrypted copies of the record, unless they go elsewhere."""
        return self.private / "backups"

    @property
    def certificates(self) -> Path:
        """What was purged: counts alone."""
        return self.private / "certificates"

    @property
    def scopes(self) -> Path:
        """One encrypted file per scope, derived from the vault."""
        return self.private / "scopes"

    @property
    def staff(self) -> Path:
        """The staff server's own files: accounts, generated configuration."""
        return self.private / "staff"

    @property
    def demo_key(self) -> Path:
        """Only a demo keeps its key under its home; its presence marks the home as a demo."""
        return self.private / "demo.key"

    @property
    def released(self) -> Path:
        """Immutable, protected releases."""
        return self.root / "released"

    @property
    def public(self) -> Path:
        """What everyone may see."""
        return self.root / "public"

    @contextlib.contextmanager
    def lock(self, patience: float | None = None) -> Iterator[None]:
        """One command at a time changes this home. FuxueError if another is still at it after `patience` seconds."""
        self.root.mkdir(parents=True, exist_ok=True)
        with _locked(self.root / ".lock", fcntl.LOCK_EX, _PATIENCE if patience is None else patience) as handle:
            if not handle:
                raise FuxueError("home.busy", folder=self.root)
            _held[self.root] = handle
            try:
                yield
            finally:
                del _held[self.root]

    def held(self) -> tuple[int, ...]:
        """The handle of this home's lock, if this process has it; for `pass_fds` of a process that it starts.

        Such a process keeps the home locked until it ends, also when the one that started it is killed.
        """
        return tuple(handle for root, handle in _held.items() if root == self.root)

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Held by each running staff server. FuxueError while a command runs that no server may see half done."""
        with _locked(self.staff / ".serving", fcntl.LOCK_SH, LOOK) as is_ours:
            if not is_ours:
                raise FuxueError("home.not_now", folder=self.private)
            yield

    @contextlib.contextmanager
    def not_serving(self) -> Iterator[None]:
        """Held while every private file is replaced. FuxueError while a staff server is running."""
        with _locked(self.staff / ".serving", fcntl.LOCK_EX, 0) as is_ours:
            if not is_ours:
                raise FuxueError("home.serving", folder=self.private)
            yield

    def prepare(self) -> None:
        """Make the private folders, closed to others."""
        for folder in (self.private, self.inbox, self.received, self.refused, self.outbox, self.decisions,
                       self.reports, self.scopes, self.staff):  # fmt: skip
            folder.mkdir(parents=True, exist_ok=True)
            if stat.S_IMODE(folder.stat().st_mode) != 0o700:
                folder.chmod(0o700)


@contextlib.contextmanager
def _locked(path: Path, kind: int, patience: float) -> Iterator[int]:
    """The handle of the lock, 0 if it could not be had within so many seconds.

    The lock ends with the block, or with the process, and with every process that was given the handle.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("w") as handle:
        ends = time.monotonic() + patience
        while not (is_ours := _is_locked(handle.fileno(), kind)) and time.monotonic() < ends:
            time.sleep(LOOK)
        yield handle.fileno() if is_ours else 0


def _is_locked(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
