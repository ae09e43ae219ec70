"""What every command works with: the home, the campaign, the keys, the day, and a way to show progress."""

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

ProgressBar = Callable[[str, int], Callable[[], None]]


def refuse(_: FuxueError) -> bool:
    """Nobody is there to be asked: no."""
    return False


@dataclass(frozen=True)
class Run:
    """One run of the command line. `bar(title, total)` starts a progress bar and gives its tick.

    `agree` puts a doubt to whoever runs the command; True if the run shall go on all the same.
    """

    home: Home
    campaign_folder: Path
    campaign: Campaign
    keys: Keys
    day: dt.date
    bar: ProgressBar
    agree: Callable[[FuxueError], bool] = refuse

    def open_vault(self, *, create: bool = False) -> Vault:
        """The record; the caller closes it."""
        return open_vault(self.home.vault, self.keys, self.campaign, create=create)

    def ask_about_day(self, newest: dt.date | None) -> None:
        """FuxueError if the run's day is in doubt (`question_of_day`) and nobody agrees to it.

        `newest` is the newest day on record; while nothing is, that of the notice counts.
        """
        question = question_of_day(self.day, newest or self.campaign.noticed, dt.date.today())
        if question is not None and not self.agree(question):
            raise question

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
        """The bureau's signature on manifests, under the present master key."""
        return self.keys.mac("manifest", data, self.keys.number)

    def is_genuine(self, manifest: Manifest) -> bool:
        """True if the bureau signed a manifest, under the key with which its issue was handed out.

        A paper belongs to no issue: it may have been made under any earlier key.
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
    """What is doubtful about working as on a day: it is before the newest on record, or has not come yet; None if fine.

    `first` is the first day that is not.
    """
    if day < first:
        return FuxueError("day.earlier", day=day, first=first)
    if day > today:
        return FuxueError("day.not_yet", day=day, today=today)
    return None
