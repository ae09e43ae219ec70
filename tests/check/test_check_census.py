"""Every rule of the rule book: where it fires, at the right cell; what plainly passes; and both sides of its boundary.

A new rule without its cases fails here.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from etl.findings import Severity
from etl.forms.definitions import ANNEX4, ANNEX5, CASES
from etl.read.cells import parse_workbook
from etl.read.marks import Refused
from etl.rulebook.campaign import load_campaign
from etl.workflow.run import Run
from tests.support import books
from tests.support.census import BEYOND, BOUNDARY, FIRES, NOTES, PASSES, WARNINGS, Case, Found
from tests.support.filled_workbooks import case_row
from tests.support.homes import ROOT
from tests.support.workbench import Bench, serials

RULES = {rule.id: rule for rule in load_campaign(ROOT / "campaign").rules}
#: The rules that one input serves, by its first rule.
SERVED = {next(r for r in PASSES if PASSES[r] is case): [r for r in PASSES if PASSES[r] is case]
          for case in PASSES.values()}  # fmt: skip


@pytest.fixture
def bench(request: pytest.FixtureRequest, run: Run, with_limits: Callable[..., Run], tmp_path: Path) -> Bench:
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    if parameters.get("rule", "").startswith("E"):  # their cases stand in what is handed out after the answers
        request.getfixturevalue("cases")
    return Bench(run, with_limits, tmp_path)


def found(case: Case, bench: Bench) -> Found:
    """The case's findings; what reading refuses in this process counts as well."""
    try:
        return case(bench)
    except Refused as refused:
        problem = refused.problem
        return [
            bench.run.campaign.finding(problem.rule, "x.xlsx", sheet=problem.sheet, cell=problem.cell, **problem.params)
        ]


def assert_fires(rule: str, case: Case, cells: str, bench: Bench) -> None:
    """The rule and no other error, at these cells alone, in words that say something."""
    findings = found(case, bench)
    own = [f for f in findings if f.rule == rule]
    row = rule[0] == "E" and case_row(bench.run, "否" if rule == "E06" else "是")[2]
    expected = cells.format(last=4 + len(books.issued(bench.run)), case=row)
    assert [f.cell for f in own] == expected.split(" ")
    assert {f.rule for f in findings if f.severity is Severity.ERROR} <= {rule}
    assert {f.severity for f in own} == {RULES[rule].severity}
    assert all(f.file for f in own)
    if cells:
        assert {f.sheet for f in own} <= {ANNEX4.sheet, ANNEX5.sheet, CASES.sheet, "名单"}
    for finding in own:
        assert any("\u4e00" <= char <= "\u9fff" for char in finding.message)
        for message in (finding.message, finding.message_en):
            assert "{" not in message
            assert "None" not in message


def assert_silent(rules: list[str], case: Case, bench: Bench) -> None:
    """None of the rules, nor any error."""
    findings = found(case, bench)
    assert not set(rules) & {f.rule for f in findings}
    assert not [f for f in findings if f.severity is Severity.ERROR]


def test_the_census_and_the_rule_book_have_the_same_rules() -> None:
    assert set(FIRES) == set(PASSES) == set(BOUNDARY) == set(RULES)
    assert set(BEYOND) <= set(RULES)


def test_what_refuses_what_warns_and_what_informs() -> None:
    said = {rule.id: rule.severity for rule in RULES.values()}
    assert said == {**dict.fromkeys(said, Severity.ERROR), **dict.fromkeys(WARNINGS, Severity.WARNING),
                    **dict.fromkeys(NOTES, Severity.NOTE)}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_fires_at_its_cell_alone(rule: str, bench: Bench) -> None:
    assert_fires(rule, *FIRES[rule], bench)


@pytest.mark.parametrize("rule", SERVED)
def test_a_rule_leaves_a_plainly_valid_input_alone(rule: str, bench: Bench) -> None:
    assert_silent(SERVED[rule], PASSES[rule], bench)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_leaves_the_last_valid_input_alone(rule: str, bench: Bench) -> None:
    assert_silent([rule], BOUNDARY[rule], bench)


@pytest.mark.parametrize("rule", BEYOND)
def test_a_rule_fires_at_the_first_invalid_input(rule: str, bench: Bench) -> None:
    assert_fires(rule, *BEYOND[rule], bench)


def test_a_missing_row_is_named_by_its_serial(bench: Bench) -> None:
    first = serials(bench)[0]
    (finding,) = [f for f in bench.edit(lambda sheet: sheet.delete_rows(4)) if f.rule == "R01"]
    assert finding.serial == first
    assert first in finding.message


def test_the_reader_parses_what_the_bench_changes(bench: Bench) -> None:
    submission = parse_workbook(books.plain(bench.run), bench.run.campaign.limits)
    assert [row["serial"].text for row in submission.rows] == serials(bench)
