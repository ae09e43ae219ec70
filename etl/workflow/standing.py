"""The status of the work on a day: units, the list, corrections, cases, the inbox."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from etl.forms.definitions import CASES, CORRECTIONS
from etl.vault.record import casework, issued
from etl.vault.record import count as counting
from etl.workflow.loading import never_loaded
from etl.workflow.run import Run


@dataclass(frozen=True)
class Standing:
    """The status of the work: units, completeness of the list, (open, closed) corrections and cases by recipient.

    `not_loaded` is how many files of the inbox were never loaded.
    """

    units: Sequence[counting.UnitStatus]
    completeness: issued.Completeness
    corrections: Mapping[str, tuple[int, int]]
    cases: Mapping[str, tuple[int, int]]
    not_loaded: int


def standing_of(run: Run) -> Standing:
    """The status of the work on the run's day."""
    with run.open_vault() as vault:
        return Standing(
            counting.unit_status(vault, run.campaign, run.day),
            issued.completeness(vault),
            casework.progress(vault, CORRECTIONS),
            casework.progress(vault, CASES),
            len(never_loaded(run, vault)),
        )
