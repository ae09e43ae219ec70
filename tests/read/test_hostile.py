"""Over 400 hostile, broken and merely human files: none breaks a run, none gets in that should not (M8–M11, M18)."""

import hashlib
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest

from etl.system.sealing import unseal
from etl.workflow import loading
from etl.workflow.run import Run
from tests.support import books
from tests.support.books import ISSUE, UNIT
from tests.support.hostile import Case, Fate, Good, Way, corpus
from tests.support.hostile.case import encrypted
from tests.support.watch import Watch, ended_peak, own_peak

MEMORY = 600  # MB, of any process that reads, and of the one that waits for it
OTHER = "xiling"
TABLES = ("workbook", "answer", "entry", "finding")


def good_of(run: Run) -> Good:
    """The good workbook of the one unit, as it was accepted."""
    passwords = {unit: run.keys.password(ISSUE, unit) for unit in (UNIT, OTHER)}
    handed = (run.home.outbox / ISSUE / f"{UNIT}.xlsx").read_bytes()
    plain = books.plain(run)
    return Good(
        plain=plain,
        sealed=books.returned(run).read_bytes(),
        handed=unseal(handed, [passwords[UNIT]]).plain,
        other=books.plain(run, OTHER),
        password=passwords[UNIT],
        other_password=passwords[OTHER],
        answers={a.serial: (a.code, a.returned, a.team) for a in books.check_plain(run, plain).answers},
    )


def print_of(content: bytes) -> str:
    """A fingerprint that does not depend on when a zip was made: else the same file made twice would count as two."""
    timeless = re.sub(rb"(PK\x03\x04.{6}|PK\x01\x02.{8}).{4}", rb"\1", content, flags=re.DOTALL)
    return hashlib.sha256(timeless).hexdigest()


@dataclass
class Campaign:
    """Files handed in one after the other, and what was wrong with their reception."""

    run: Run
    good: Good
    seen: dict[tuple[str, Way], str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    slowest: tuple[float, str] = (0.0, "")
    largest: tuple[int, str] = (0, "")
    stopped: list[str] = field(default_factory=list)

    def hand_in(self, case: Case) -> None:
        """Make the file, load it, judge what became of it; the file is gone afterwards."""
        number = len(self.seen)
        content = case.make()
        before = self.seen.setdefault((print_of(content), case.way), case.name)
        assert before == case.name, f"{case.kind} {case.name} is {before} again"
        path = self.run.home.inbox / case.file.format(number=f"{number:04}")
        path.write_bytes(encrypted(content, self.good.password) if case.way is Way.SEALED else content)
        try:
            self._judge(case, path)
        except Exception as error:  # noqa: BLE001 - what must never happen is listed with all other faults
            self.faults.append(f"{case.kind}: {case.name}: raised {type(error).__name__} {error}")
        finally:
            path.unlink(missing_ok=True)

    def _judge(self, case: Case, path: Path) -> None:
        where = f"{case.kind}: {case.name}"
        if case.way is Way.PLAIN and not case.slow and loading.check_files(self.run, [path])[0].accepted:
            self.faults.append(f"{where}: accepted unsealed without leave")
        with Watch() as watch:
            (loaded,) = loading.load_files(self.run, [path], allow_unsealed=case.way is Way.PLAIN)
        self.slowest = max(self.slowest, (watch.seconds, where))
        self.largest = max(self.largest, (watch.peak, where))
        self.outcomes[case.kind, loaded.outcome] += 1
        if any(finding.rule == "F08" for finding in loaded.checked.findings):
            self.stopped.append(where)
        if watch.peak > MEMORY:
            self.faults.append(f"{where}: {watch.peak} MB")
        findings = repr(loaded.checked.findings)
        if any(secret in findings for secret in self.secrets):
            self.faults.append(f"{where}: a finding names a child")
        if wrong := self._wrong(case, loaded):
            self.faults.append(f"{where}: {wrong}")

    def _wrong(self, case: Case, loaded: loading.Loaded) -> str:
        """What should have become of the file and did not; nothing if all is well."""
        found = {finding.rule for finding in loaded.checked.findings}
        if loaded.outcome == "accepted":
            given = {a.serial: (a.code, a.returned, a.team) for a in loaded.checked.answers}
            expected = [{**self.good.answers, **changed} for changed in case.changed]
            return "wrongly accepted" if case.fate is Fate.REFUSED or given not in expected else ""
        if loaded.outcome == "known" or case.fate is Fate.HARMLESS:
            return f"{case.fate} expected, {loaded.outcome} by {sorted(found)}"
        is_expected = case.fate is Fate.EITHER or not case.rules or case.rules & found
        return "" if is_expected else f"refused by {sorted(found)}, not by {sorted(case.rules)}"

    @cached_property
    def secrets(self) -> list[str]:
        """Names and ID numbers of all children."""
        children = [child for unit in (UNIT, OTHER, "nanshan") for child in books.issued(self.run, unit)]
        return [secret for child in children for secret in (child.name, child.id_number)]


def rows(run: Run) -> dict[str, list[tuple[object, ...]]]:
    """All that the record holds of what came back."""
    with run.open_vault() as vault:
        return {table: vault.connection.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}


def hand_in_all(run: Run, cases: Callable[[Good], Iterable[Case]]) -> Campaign:
    """Hand in file after file; whatever was accepted before must still stand in the record, unchanged."""
    campaign = Campaign(run, good_of(run))
    before = rows(run)
    for case in cases(campaign.good):
        campaign.hand_in(case)
        after = rows(run) if len(campaign.seen) % 25 == 0 else before
        assert all(set(before[table]) <= set(after[table]) for table in TABLES), case
        before = after
    after = rows(run)
    assert all(set(before[table]) <= set(after[table]) for table in TABLES)
    return campaign


def print_figures(campaign: Campaign) -> None:
    """The figures of a run, on one screen."""
    print()
    for kind in sorted({kind for kind, _ in campaign.outcomes}):
        print(kind, {outcome: n for (k, outcome), n in sorted(campaign.outcomes.items()) if k == kind})
    print(f"{len(campaign.seen)} files; slowest {campaign.slowest}, largest reader {campaign.largest} MB")
    print(f"stopped at a limit of time or memory: {campaign.stopped}")
    print("\n".join(campaign.faults))


def spread(good: Good) -> Sequence[Case]:
    """Of each kind a file, by chance but always the same ones."""
    kinds: dict[str, list[Case]] = {}
    for case in corpus(good):
        if not case.slow:
            kinds.setdefault(case.kind, []).append(case)
    random_ = random.Random("spread")
    return [case for cases in kinds.values() for case in random_.sample(cases, 1)]


def test_hostile_files_of_every_kind_do_no_harm(loaded: Run) -> None:
    campaign = hand_in_all(loaded, spread)
    print_figures(campaign)
    assert not campaign.faults
    assert len(campaign.seen) >= 40


@pytest.mark.prove
def test_no_hostile_file_does_harm(loaded: Run) -> None:
    """The whole corpus: no traceback, nobody let in who should not be, and memory within bounds."""
    own, ended = own_peak(), ended_peak()
    campaign = hand_in_all(loaded, corpus)
    print_figures(campaign)
    print(
        f"resident at most: readers {ended_peak()} MB (before: {ended}), this process {own_peak()} MB (before: {own})"
    )
    assert len(campaign.seen) >= 400
    assert not campaign.faults
    assert ended_peak() < max(MEMORY, ended + 1)
    assert own_peak() < max(MEMORY, own + 1)
