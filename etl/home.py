"""The three zones of a home folder: private, released, public."""

import contextlib
import fcntl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from etl.findings import FuxueError


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
    def lock(self) -> Iterator[None]:
        """One writer at a time; FuxueError if another is at work."""
        with (self.private / ".lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise FuxueError("home.busy", folder=self.private) from None
            yield

    def prepare(self) -> None:
        """Make the private folders, closed to others."""
        for folder in (self.private, self.inbox, self.outbox, self.decisions, self.reports, self.scopes, self.staff):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
