"""A home folder with its three zones (private, released, public), and the locks that protect it."""

import contextlib
import fcntl
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from etl.findings import FuxueError

#: The program's own folder. Processes of the program run there, so that they can import it.
ROOT = Path(__file__).resolve().parents[2]
#: Seconds that a command waits for another one that is changing the home, and seconds between two attempts.
_PATIENCE, LOOK = 30.0, 0.05
#: The locks that this process holds: file handle by the root of the home.
_held: dict[Path, int] = {}


@dataclass(frozen=True)
class Home:
    """The paths of everything in a home. `root` is `var` by default."""

    root: Path

    @property
    def private(self) -> Path:
        """The zone of everything about individuals; 0700."""
        return self.root / "private"

    @property
    def inbox(self) -> Path:
        """Returned workbooks, waiting to be loaded."""
        return self.private / "inbox"

    @property
    def received(self) -> Path:
        """Returned workbooks that were accepted, by issue and recipient."""
        return self.private / "received"

    @property
    def refused(self) -> Path:
        """Returned workbooks that were refused, by issue and recipient as far as those are known."""
        return self.private / "refused"

    @property
    def outbox(self) -> Path:
        """Sealed workbooks to hand out, one folder per issue."""
        return self.private / "outbox"

    @property
    def decisions(self) -> Path:
        """Sealed decision workbooks, in which an officer decides about rows that the list leaves open."""
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
        """Encrypted copies of the record; the default place."""
        return self.private / "backups"

    @property
    def certificates(self) -> Path:
        """Certificates of purges, which hold counts only."""
        return self.private / "certificates"

    @property
    def scopes(self) -> Path:
        """One encrypted file per scope, derived from the vault."""
        return self.private / "scopes"

    @property
    def staff(self) -> Path:
        """The staff server's own files: accounts, generated configuration, audit log."""
        return self.private / "staff"

    @property
    def demo_key(self) -> Path:
        """The key of a demo. No other home contains its key, so this file marks a home as a demo."""
        return self.private / "demo.key"

    @property
    def released(self) -> Path:
        """The zone of protected releases, which never change."""
        return self.root / "released"

    @property
    def public(self) -> Path:
        """The zone of everything that may be published."""
        return self.root / "public"

    @contextlib.contextmanager
    def lock(self, patience: float | None = None) -> Iterator[None]:
        """Lock the home, so that one command at a time changes it. FuxueError if it is still locked after `patience`.

        `patience` is in seconds; None means `_PATIENCE`.
        """
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
        """The handle of this home's lock, or nothing if this process does not hold it.

        It is passed to a child process (`pass_fds`), which then keeps the home locked even if its parent is killed.
        """
        return tuple(handle for root, handle in _held.items() if root == self.root)

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """The shared lock of running staff servers. FuxueError while a command holds `not_serving`."""
        with _locked(self.staff / ".serving", fcntl.LOCK_SH, LOOK) as is_ours:
            if not is_ours:
                raise FuxueError("home.not_now", folder=self.private)
            yield

    @contextlib.contextmanager
    def not_serving(self) -> Iterator[None]:
        """The lock of a command that replaces every private file. FuxueError while a staff server is running."""
        with _locked(self.staff / ".serving", fcntl.LOCK_EX, 0) as is_ours:
            if not is_ours:
                raise FuxueError("home.serving", folder=self.private)
            yield

    def prepare(self) -> None:
        """Make the private folders, with access for their owner only."""
        for folder in (self.private, self.inbox, self.received, self.refused, self.outbox, self.decisions,
                       self.reports, self.scopes, self.staff):  # fmt: skip
            folder.mkdir(parents=True, exist_ok=True)
            if stat.S_IMODE(folder.stat().st_mode) != 0o700:
                folder.chmod(0o700)


@contextlib.contextmanager
def _locked(path: Path, kind: int, patience: float) -> Iterator[int]:
    """Lock a file, shared or exclusive (`kind`); yield its handle, or 0 if that failed for `patience` seconds.

    The lock ends with the block or the process, but not before every child process that inherited the handle has ended.
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
