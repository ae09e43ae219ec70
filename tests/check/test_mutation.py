"""The tests of what decides about a workbook notice every small change of it: mutants of predicates and rule book."""

import random
import tomllib
from pathlib import Path

import pytest

from tests.support.homes import ROOT
from tests.support.mutants import PYTHON, RULES, Mutant, all_mutants, python_mutants, rule_mutants
from tests.support.mutation import ANSWERS, KILLERS, hunt

#: Mutants that do the same as the product, and why; no test can distinguish them.
EQUIVALENT = {
    "etl/check/reconcile.py _key: value.is_number and value.text not in issued → value.is_number":
        "of a number that is itself a key, that key is found, alone or not; it is asked first to save the search",
    "etl/check/reconcile.py _is_as_issued: texts[column.key] == issued[column.key]"
    " → texts[column.key] != issued[column.key]":
        "a row is paired by its key, which is as issued: every row is then compared cell by cell, to the same end",
    "etl/check/acceptance.py _unknown: problem == 'F10' and submission.manifest → problem == 'F10'":
        "F10 is reported only where there is a manifest; the question is there for the type checker",
    "etl/vault/record/submissions.py newest_workbooks: unit or '' → unit":
        "a file that names no unit is nobody's, whether that is empty or none",
    **dict.fromkeys(
        ("etl/vault/upkeep/purge.py _certificate: 0 → -1", "etl/vault/upkeep/purge.py _certificate: 0 → -1 (2)",
         "etl/vault/upkeep/purge.py _certificate: 0 → -1 (3)", "etl/vault/upkeep/purge.py _forget: 0 → -1"),
        "the answer has one column: its first value is its last",
    ),
}  # fmt: skip

MODULE = """
def late(day, last, known):
    if day < last and not known:
        return day in (1,)
    return [one for one in known if one]
"""
CHANGED = {
    "day < last and (not known) → day < last or not known",
    "day < last and (not known) → not known",
    "day < last and (not known) → day < last",
    "day < last → day >= last",
    "day < last → day <= last",
    "not known → known",
    "day in (1,) → day not in (1,)",
    "1 → 2",
    "1 → 0",
    "one → not one",
}
RULE = """
[[rules]]
id = "A08"
severity = "warning"
predicate = "age_below"
column = "category"
params = { categories = ["E", "F"], age = "under_age" }
"""


@pytest.fixture(scope="module")
def mutants() -> list[Mutant]:
    """All that there are: to make them takes longer than to look at them."""
    return list(all_mutants(ROOT))


def test_a_module_is_changed_in_each_of_its_decisions() -> None:
    mutants = list(python_mutants("late.py", MODULE))
    assert [one.change for one in mutants if one.change not in CHANGED] == []
    assert {one.change for one in mutants} == CHANGED
    assert len({one.text for one in mutants}) == len(CHANGED)
    for one in mutants:
        compile(one.text, one.file, "exec")


def test_a_rule_is_changed_in_each_of_its_values() -> None:
    mutants = list(rule_mutants(RULE))
    kinds = [one.change.split(" = ")[0] for one in mutants]
    assert {kind: kinds.count(kind) for kind in kinds} == {"severity": 2, "predicate": 2, "column": 2, "params": 6}
    assert len({one.text for one in mutants}) == len(mutants)
    assert any('params = { categories = ["F"], age = "under_age" }' in one.text for one in mutants)
    assert any('params = { categories = ["E", "F"], age = "over_age" }' in one.text for one in mutants)


def test_each_mutant_has_a_name_of_its_own_and_each_exception_is_one_of_them(mutants: list[Mutant]) -> None:
    names = [one.name for one in mutants]
    assert len(set(names)) == len(names)
    assert set(EQUIVALENT) <= set(names)
    assert all("rules" in tomllib.loads(one.text) for one in mutants if one.file == RULES)
    assert set(KILLERS) == {RULES, *PYTHON}
    files = {test.split("::")[0] for tests in KILLERS.values() for test in tests}
    assert [file for file in files if not (ROOT / file).is_file()] == []


def test_a_sample_of_mutants_is_killed_and_what_is_unchanged_survives(mutants: list[Mutant], tmp_path: Path) -> None:
    judged = [one for one in mutants if one.file == PYTHON[0] or one.change.startswith("params")]
    chosen = random.Random(4).sample([one for one in judged if one.name not in EQUIVALENT], 2)
    unchanged = Mutant(PYTHON[0], "", "", (ROOT / PYTHON[0]).read_text("utf-8"))
    broken = Mutant(PYTHON[0], "", "broken", "import nothing_of_this_name")
    fates = hunt([unchanged, broken, *chosen], tmp_path, lambda _: [[ANSWERS]])
    killers = {fate.mutant.name: fate.killer for fate in fates}
    assert killers.pop(unchanged.name) == ""
    assert killers.pop(broken.name) == "it does not load"
    assert len(killers) == 2
    assert {killer.split("::")[0] for killer in killers.values()} == {ANSWERS}


@pytest.mark.prove
def test_every_mutant_is_killed(mutants: list[Mutant], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = [one for one in mutants if one.name not in EQUIVALENT]
    survivors = [fate.mutant.name for fate in hunt(wanted, tmp_path) if not fate.killer]
    with capsys.disabled():
        print(f"\nkilled {len(wanted) - len(survivors)} of {len(wanted)} mutants; {len(EQUIVALENT)} are equivalent")
    assert survivors == []
