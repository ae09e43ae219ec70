"""What every step needs: the home, the campaign, the keys, the day, and a way to show progress."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from etl.campaign import Campaign
from etl.home import Home
from etl.vault import issued
from etl.vault.keys import Keys
from etl.vault.open import Vault, open_vault

Bar = Callable[[str, int], Callable[[], None]]


@dataclass(frozen=True)
class Run:
    """One run of the command line. `bar(title, total)` starts a progress bar and gives its tick."""

    home: Home
    campaign_folder: Path
    campaign: Campaign
    keys: Keys
    day: dt.date
    bar: Bar

    def open_vault(self, *, create: bool = False) -> Vault:
        """The record; the caller closes it."""
        return open_vault(self.home.vault, self.keys, self.campaign, create=create)

    def prove_key(self) -> None:
        """FuxueError unless the key opens the record: else a wrong one would lock files of its own."""
        self.open_vault().close()

    def issued_counts(self) -> dict[str, int]:
        """Children issued, by unit."""
        with self.open_vault() as vault:
            counts: dict[str, int] = {}
            for (_, unit), children in issued.issued_children(vault).items():
                counts[unit] = counts.get(unit, 0) + len(children)
            return counts

    def manifest_mac(self, data: bytes) -> bytes:
        """The bureau's signature on manifests."""
        return self.keys.mac("manifest", data)

    def file_mark(self, data: bytes) -> bytes:
        """The keyed fingerprint of a file that was handed out."""
        return self.keys.mac("handed-file", data)
