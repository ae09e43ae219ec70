"""Runs the tests on mutants, each in a copy of the tree and a process of its own, the likeliest killers first.

python -m tests.support.mutation [WORD…]     # the mutants whose name holds one of the words, or all
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from etl.system.processes import workers
from tests.support.census import BEYOND, BOUNDARY, FIRES
from tests.support.homes import ROOT
from tests.support.mutants import RULES, Mutant, all_mutants

TREE = ("etl", "campaign", "tests", "plugins", "site_templates", "build.py", "metadata.yml", "pyproject.toml")
CENSUS, ANSWERS, ROWS = (
    "tests/check/test_check_census.py",
    "tests/check/test_check_answers.py",
    "tests/check/test_check_rows.py",
)
OUTCOME, CASEWORK, IDENTITY = (
    "tests/workflow/test_check_outcome.py",
    "tests/workflow/test_casework.py",
    "tests/forms/test_id_number.py",
)
EVIDENCE, SUBMISSION = "tests/vault/test_evidence.py", "tests/check/test_check_submission.py"
ENTRIES = "tests/check/test_check_entries.py"
FORGED, PROOF, CLOSED = "tests/proof/test_forged.py", "tests/proof/test_proof.py", "tests/exchange/test_closed_list.py"
RELEASED, STACKS = "tests/exchange/test_released.py", "tests/proof/test_attacks_verify.py"
FORMS, HAND = "tests/proof/test_form_of_files.py", "tests/proof/test_verify_rules.py"
OTHERS, DAYS = "tests/proof/test_other_rules.py", "tests/proof/test_verify_days.py"
INBOX, RECORD, CHAIN = "tests/workflow/test_inbox.py", "tests/vault/test_vault.py", "tests/vault/test_chain.py"
PURGE, UPKEEP, RESTORE = "tests/vault/test_purge.py", "tests/vault/test_upkeep.py", "tests/vault/test_restore.py"
SECONDS = 240


def census(rules: str) -> list[str]:
    """The census tests of the rules whose id begins with `rules`."""
    tests = {"a_rule_fires_at_its_cell_alone": [*FIRES], "a_rule_leaves_the_last_valid_input_alone": [*BOUNDARY],
             "a_rule_fires_at_the_first_invalid_input": [*BEYOND]}  # fmt: skip
    return [f"{CENSUS}::test_{test}[{rule}]" for test, ids in tests.items() for rule in ids if rule.startswith(rules)]


#: The tests of a changed file, the likeliest to fail first; mutants that survive them meet the whole census.
KILLERS = {
    RULES: [f"{CENSUS}::test_what_refuses_what_warns_and_what_informs", ANSWERS, ROWS, *census("A")],
    "etl/check/predicates.py": [ANSWERS, ROWS, *census("A"), EVIDENCE],
    "etl/check/reconcile.py": [SUBMISSION, ROWS, *census("R"), CASEWORK],
    "etl/check/entries.py": [ENTRIES, *census("E"), CASEWORK],
    "etl/check/acceptance.py": [SUBMISSION, *census("F1"), *census("R"), *census("A"), OUTCOME, EVIDENCE, CASEWORK],
    "etl/forms/id_number.py": [IDENTITY, *census("L"), ANSWERS],
    "etl/check/annex5_sums.py": [ANSWERS, *census("R")],
    "etl/proof/verify_release.py": [FORMS, HAND, DAYS, FORGED, STACKS, OTHERS, PROOF, CLOSED],
    "etl/exchange/release.py": [RELEASED, FORGED],
    "etl/exchange/release_folder.py": [RELEASED, CLOSED],
    "etl/vault/record/submissions.py": [INBOX, RECORD, CASEWORK, CHAIN],
    "etl/vault/upkeep/purge.py": [PURGE, UPKEEP, RESTORE, CHAIN],
}
#: Files that no rule of the census concerns.
BESIDE_THE_RULES = (
    "etl/proof/verify_release.py", "etl/exchange/release.py", "etl/exchange/release_folder.py",
    "etl/vault/record/submissions.py", "etl/vault/upkeep/purge.py",
)  # fmt: skip


def killers(file: str) -> list[list[str]]:
    """The tests to be run on a mutant of a file, in turns."""
    return [KILLERS[file]] if file in BESIDE_THE_RULES else [KILLERS[file], [CENSUS]]


@dataclass(frozen=True)
class Fate:
    """What became of a mutant: `killer` is the first test that failed, empty if it survived."""

    mutant: Mutant
    killer: str


class Nest:
    """A copy of the tree, and the process that runs the tests there."""

    def __init__(self, folder: Path) -> None:
        self.tree, self.base = folder / "tree", folder / "tmp"
        self.tree.mkdir(parents=True)
        for name in TREE:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self.tree / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(ROOT / name, self.tree / name)
        # What was compiled of a mutant must never be taken for the file that comes after it.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        self.process = subprocess.Popen(
            [sys.executable, str(self.tree / "tests/support/nest.py"), str(self.tree), str(SECONDS)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip

    def answer(self) -> Any:
        """What the process says next. RuntimeError if it is gone."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the tests' process ended with {self.process.wait()}")
        return json.loads(line)

    def close(self) -> None:
        """End the process."""
        self.process.communicate()

    def killer(self, mutant: Mutant, turns: Sequence[Sequence[str]]) -> str:
        """The first test that fails on the mutant, empty if none does. What does not load, or hangs, is killed too."""
        target = self.tree / mutant.file
        original = target.read_bytes()
        target.write_text(mutant.text, "utf-8")
        # Python compares the age of compiled files in whole seconds: nothing compiled of this file may stay.
        for kept in target.parent.glob(f"__pycache__/{target.stem}.*"):
            kept.unlink()
        try:
            return next(filter(None, (self._first_failure(tests) for tests in turns)), "")
        finally:
            target.write_bytes(original)

    def _first_failure(self, tests: Sequence[str]) -> str:
        assert self.process.stdin is not None
        options = ["-x", "-q", "--tb=no", "-p", "no:cacheprovider", "-m", "not prove"]
        arguments = [*options, f"--basetemp={self.base}", *tests]
        self.process.stdin.write(json.dumps(arguments) + "\n")
        self.process.stdin.flush()
        code, output = self.answer()
        if code == -signal.SIGALRM:
            return "it hangs"
        if code == 2 or "ImportError while loading conftest" in output:
            return "it does not load"
        if code not in (0, 1):
            raise RuntimeError(f"{code} {arguments}\n{output[-3000:]}")
        failed = [line.split(" ")[1] for line in output.splitlines() if line.startswith(("FAILED", "ERROR"))]
        return failed[0] if code else ""


def hunt(mutants: Sequence[Mutant], folder: Path, tests: Callable[[str], list[list[str]]] = killers,
         report: Callable[[Fate], object] = bool) -> list[Fate]:  # fmt: skip
    """The fate of each mutant, as many at once as there are processors. RuntimeError if the tests could not be run."""
    nests = [Nest(folder / str(number)) for number in range(workers())]
    free: SimpleQueue[Nest] = SimpleQueue()
    for nest in nests:
        assert nest.answer() == "ready"  # only now may its files change
        free.put(nest)

    def one(mutant: Mutant) -> Fate:
        nest = free.get()
        try:
            fate = Fate(mutant, nest.killer(mutant, tests(mutant.file)))
        finally:
            free.put(nest)
        report(fate)
        return fate

    try:
        with ThreadPoolExecutor(workers()) as pool:
            return list(pool.map(one, mutants))
    finally:
        for nest in nests:
            nest.close()


def main(words: Sequence[str]) -> None:
    """Print each mutant's fate as it is known, then the survivors."""
    chosen = [one for one in all_mutants(ROOT) if not words or any(word in one.name for word in words)]
    with tempfile.TemporaryDirectory() as folder:
        fates = hunt(chosen, Path(folder), report=lambda fate: print(fate.killer or "SURVIVED", fate.mutant.name,
                                                                   sep="\t", flush=True))  # fmt: skip
    survivors = [fate.mutant.name for fate in fates if not fate.killer]
    print(f"killed {len(fates) - len(survivors)} of {len(fates)}", *survivors, sep="\n  ")


if __name__ == "__main__":
    main(sys.argv[1:])
