"""The status of the work on a day: units, the list, corrections, cases, the inbox."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from etl.forms.definitions import CASES, CORRECTIONS
from etl.vault.record import casework, issued
from etl.vault.record import count as counting
from etl.vault.record.ledger import BareReturn, Owed, bare_returns, owed_documents
from etl.workflow.loading import never_loaded
from etl.workflow.run import Run


@dataclass(frozen=True)
class Standing:
    """The status of the work: units, completeness of the list, (open, closed) corrections and cases by recipient.

    `ledger` is what each unit owes and what came (M14); `bare_returns` are children reported as returned without all
    that shows it. `not_loaded` is how many files of the inbox were never loaded.
    """

    units: Sequence[counting.UnitStatus]
    completeness: issued.Completeness
    corrections: Mapping[str, tuple[int, int]]
    cases: Mapping[str, tuple[int, int]]
    ledger: Sequence[Owed]
    bare_returns: Sequence[BareReturn]
    not_loaded: int


def standing_of(run: Run) -> Standing:
    """The status of the work on the run's day."""
    with run.open_vault() as vault:
        return Standing(
            counting.unit_status(vault, run.campaign, run.day),
            issued.completeness(vault),
            casework.progress(vault, CORRECTIONS),
            casework.progress(vault, CASES),
            owed_documents(vault, run.campaign, run.day),
            bare_returns(vault),
            len(never_loaded(run, vault)),
        )
