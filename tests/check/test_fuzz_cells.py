"""Anything in any cell: refused or accepted as an oracle of its own says, never a traceback, never a name (M8–M11)."""

import os
import time
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, seed
from hypothesis import settings as hypothesis_settings

from etl.check.acceptance import check_submission
from etl.exchange.bundle import Bundle, child_row
from etl.exchange.checked import Checked
from etl.exchange.submission import Candidate
from etl.forms.definitions import ANNEX4
from etl.read.cells import parse_workbook
from etl.read.marks import Refused
from etl.rulebook.campaign import Campaign
from etl.workflow.run import Run
from tests.support import books
from tests.support.books import ISSUE, UNIT
from tests.support.fuzz import Base, Cells, changes, oracle, tidied
from tests.support.homes import at_due

steady = hypothesis_settings(derandomize=True, max_examples=200, deadline=None, database=None)
Outcomes = Counter[str]


@pytest.fixture(scope="module")
def filled_home(issued_once: Path, small: Campaign, small_folder: Path) -> Run:
    """The issued and filled home; nothing here writes to it."""
    return at_due(issued_once, small, small_folder)


def reader(run: Run, base: Base) -> Callable[[bytes], Checked | None]:
    """Reading and checking in this process; None if reading refuses."""
    bundle = Bundle(ANNEX4, ISSUE, UNIT, UNIT, tuple(map(child_row, base.children.values())))

    def read(content: bytes) -> Checked | None:
        try:
            submission = replace(parse_workbook(content, run.campaign.limits), opened_by=0)
        except Refused:
            return None
        candidates = [Candidate(ISSUE, UNIT, "")]
        return check_submission(
            f"{UNIT}.xlsx", submission, candidates, {(ISSUE, UNIT): bundle}, run.campaign, run.is_genuine, run.day
        )

    return read


def is_undecided(team: str) -> bool:
    """True where the notice says nothing: what becomes of such a 备注 is held by the hostile corpus."""
    has_control = any(unicodedata.category(char) == "Cc" and char not in "\t\n\r" for char in team)
    return has_control or tidied(team)[:1] in tuple("=+-@")


def prober(run: Run) -> tuple[Base, Callable[[tuple[Cells, Cells]], str]]:
    """A good workbook, and what holds of it whatever is written into its cells; says what became of it."""
    base = Base(books.plain(run), books.issued(run))
    read = reader(run, base)
    secrets = [secret for child in base.children.values() for secret in (child.name, child.id_number)]

    def probe(changed: tuple[Cells, Cells]) -> str:
        table, manifest = changed
        content = base.made(table, manifest)
        checked, again = read(content), read(content)
        assert checked == again
        if checked is not None:
            findings = repr(checked.findings)
            assert not any(secret in findings for secret in secrets)
        accepted = checked is not None and checked.accepted
        expected = oracle(base, table, manifest)
        if expected is not None and any(is_undecided(team) for _, _, team in expected.values()):
            return "undecided"
        assert accepted == (expected is not None), checked.findings if checked else "not read"
        if checked is not None and expected is not None:
            assert {a.serial: (a.code, a.returned, a.team) for a in checked.answers} == expected
        return "accepted" if accepted else "refused"

    return base, probe


def test_what_stands_in_cells_is_judged_as_the_notice_has_it(filled_home: Run) -> None:
    base, probe = prober(filled_home)
    outcomes: Outcomes = Counter()

    @steady
    @given(changes(base))
    def fuzz(changed: tuple[Cells, Cells]) -> None:
        outcomes[probe(changed)] += 1

    assert probe(({}, {})) == "accepted"
    fuzz()
    assert min(outcomes["accepted"], outcomes["refused"]) >= 25, outcomes


@pytest.mark.prove
def test_cells_for_a_long_while(filled_home: Run) -> None:
    """As many rounds as fit into FUXUE_FUZZ_MINUTES, each of another seed."""
    base, probe = prober(filled_home)
    outcomes: Outcomes = Counter()
    end = time.monotonic() + 60 * float(os.environ.get("FUXUE_FUZZ_MINUTES", "20"))
    rounds = 0
    while time.monotonic() < end:

        @seed(rounds)
        @hypothesis_settings(max_examples=1_000, deadline=None, database=None)
        @given(changes(base))
        def fuzz(changed: tuple[Cells, Cells]) -> None:
            outcomes[probe(changed)] += 1

        fuzz()
        rounds += 1
    print(f"\n{rounds} rounds: {dict(outcomes)}")
    assert min(outcomes["accepted"], outcomes["refused"]) >= 25
