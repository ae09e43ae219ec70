"""What every command needs: the home, the campaign, the keys, the day, and a way to show progress."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from etl.findings import FuxueError
from etl.forms.manifest import Manifest
from etl.rulebook.campaign import Campaign
from etl.system.home import Home
from etl.vault.record import issued
from etl.vault.store.keys import Keys
from etl.vault.store.open import Vault, open_vault

#: Starts a progress bar with a title and a total; returns the function to call after each step.
ProgressBar = Callable[[str, int], Callable[[], None]]


def refuse(_: FuxueError) -> bool:
    """The default of `Run.agree`: answer no, for runs without a person to ask."""
    return False


@dataclass(frozen=True)
class Run:
    """One run of the command line.

    `agree` shows a question to the person who runs the command; it returns True if the run shall go on.
    """

    home: Home
    campaign_folder: Path
    campaign: Campaign
    keys: Keys
    day: dt.date
    bar: ProgressBar
    agree: Callable[[FuxueError], bool] = refuse

    def open_vault(self, *, create: bool = False) -> Vault:
        """Open the record (see `open_vault`); the caller closes it."""
        return open_vault(self.home.vault, self.keys, self.campaign, create=create)

    def ask_about_day(self, newest: dt.date | None) -> None:
        """FuxueError if the run's day is doubtful (`question_of_day`) and the person does not agree to it.

        `newest` is the latest day on record; None means the day of the campaign's notice.
        """
        question = question_of_day(self.day, newest or self.campaign.noticed, dt.date.today())
        if question is not None and not self.agree(question):
            raise question

    def prove_key(self) -> None:
        """FuxueError unless the key opens the record. Otherwise new files would be encrypted under a wrong key."""
        self.open_vault().close()

    def issued_counts(self) -> dict[str, int]:
        """The number of children issued, by unit."""
        with self.open_vault() as vault:
            counts: dict[str, int] = {}
            for (_, unit), children in issued.issued_children(vault).items():
                counts[unit] = counts.get(unit, 0) + len(children)
            return counts

    def manifest_mac(self, data: bytes) -> bytes:
        """Compute the bureau's signature of a manifest, with the current master key."""
        return self.keys.mac("manifest", data, self.keys.number)

    def is_genuine(self, manifest: Manifest) -> bool:
        """True if the bureau signed a manifest with the master key that its issue used.

        Decision workbooks belong to no issue on record; any master key is accepted for them.
        """
        numbers = range(self.keys.number + 1)
        if manifest.issue in self.keys.issues:
            numbers = range(self.keys.issues[manifest.issue], self.keys.issues[manifest.issue] + 1)
        return any(manifest.is_genuine(partial(self._manifest_mac, number)) for number in numbers)

    def _manifest_mac(self, number: int, data: bytes) -> bytes:
        return self.keys.mac("manifest", data, number)

    def file_mark(self, data: bytes) -> bytes:
        """The keyed fingerprint of a file that was handed out."""
        return self.keys.mac("handed-file", data)


def question_of_day(day: dt.date, first: dt.date, today: dt.date) -> FuxueError | None:
    """A question if working as of `day` is doubtful: it is before `first` or after `today`. None if it is fine."""
    if day < first:
        return FuxueError("day.earlier", day=day, first=first)
    if day > today:
        return FuxueError("day.not_yet", day=day, today=today)
    return None
