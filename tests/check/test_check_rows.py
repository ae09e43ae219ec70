"""Comparing with what was issued, and tidying what was typed: as properties, and at their edges."""

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from etl.check.predicates import PREDICATE_FUNCTIONS, failed_rules
from etl.check.reconcile import INVISIBLE, match_rows, tidy
from etl.exchange.bundle import Bundle, child_row
from etl.exchange.checked import Answer
from etl.exchange.child import Child
from etl.exchange.submission import Row, Submission, Value
from etl.findings import FuxueError, Severity
from etl.forms.definitions import ANNEX4
from etl.forms.id_number import birth_of
from etl.rulebook.campaign import Campaign
from etl.rulebook.rules import Rule
from etl.workflow.run import Run
from tests.support.books import check_edit, id_number, issued, places, setting

steady = hypothesis_settings(
    derandomize=True, max_examples=120, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
CHILDREN = [
    Child(str(n), "donggang", "省", "市", "县", f"童{n}", "男", id_number("20060115", 2 * n + 1), "东港")
    for n in range(5)
]
BUNDLE = Bundle(ANNEX4, "20200302-01", "donggang", "东港镇", tuple(map(child_row, CHILDREN)))


def test_a_row_of_which_every_filled_cell_needs_tidying_has_a_note_for_each(campaign: Campaign) -> None:
    letters = {column.key: chr(ord("A") + at) for at, column in enumerate(ANNEX4.columns)}
    filled = {"category": "Ｋ.打工务农", "returned": "否 ", "team": "张\u200b三"}
    rows = [Row(letters, 4 + at, [*row.values(), *filled.values()], {}) for at, row in enumerate(BUNDLE.rows)]
    _, findings = match_rows(Submission("附件4", tuple(rows)), BUNDLE, campaign, "x.xlsx")
    assert [(f.rule, f.cell) for f in findings] == [("R07", f"{c}{4 + n}") for n in range(5) for c in "IJK"]


@steady
@given(st.text(max_size=30))
def test_tidying_twice_is_tidying_once(text: str) -> None:
    once = tidy(text)
    assert tidy(once) == once
    assert once == once.strip()
    assert unicodedata.is_normalized("NFKC", once)
    assert not set(once) & {chr(code) for code in INVISIBLE}


@steady
@given(
    st.text(st.sampled_from("ＡＩＭ．.、 　\u200b\ufeff\u00a0\t\n户籍原因是否无"), max_size=12),
    st.sampled_from("　 \u200b\n"),
)
def test_tidying_makes_the_same_of_what_looks_the_same(text: str, around: str) -> None:
    assert tidy(around + text + around) == tidy(text)


@pytest.mark.parametrize(("typed", "meant"), [
    ("Ａ．户籍原因", "A.户籍原因"), (" A.户籍原因\u3000", "A.户籍原因"), ("A.户籍\u200b原因", "A.户籍原因"),
    ("A.户籍原因\r\n", "A.户籍原因"), ("\ufeff是", "是"), ("A. 户籍原因", "A. 户籍原因"), ("", ""),
])  # fmt: skip
def test_typing_in_full_width_or_with_spaces_is_understood(typed: str, meant: str) -> None:
    assert tidy(typed) == meant


def row(child: Child, number: int, **changed: str) -> dict[str, Value]:
    texts = {column.key: getattr(child, column.key, "") for column in ANNEX4.columns} | changed
    return {
        key: Value(text, f"{letter}{number}") for letter, (key, text) in zip("ABCDEFGHIJK", texts.items(), strict=True)
    }


@steady
@given(st.lists(st.integers(0, 7), max_size=9))
def test_each_issued_child_comes_back_exactly_once_or_is_reported(small: Campaign, order: list[int]) -> None:
    """Rows in any order, left out, doubled, foreign: what is not reported is in its place."""
    known = {child.serial: child for child in CHILDREN}
    rows = [row(known.get(str(n), CHILDREN[0]), at, serial=str(n)) for at, n in enumerate(order, start=4)]
    pairs, findings = match_rows(Submission("附件4", tuple(rows)), BUNDLE, small, "x.xlsx")
    assert [issued["serial"] for issued, _ in pairs] == [c.serial for c in CHILDREN if int(c.serial) in order]
    found = [(f.rule, f.cell, f.serial) for f in findings]
    seen: set[int] = set()
    expected: list[tuple[str, str, str | None]] = []
    for at, n in enumerate(order, start=4):
        if n >= len(CHILDREN):
            expected.append(("R03", f"A{at}", None))
        elif n in seen:
            expected.append(("R02", f"A{at}", str(n)))
        seen.add(n)
    expected += [("R01", "", c.serial) for c in CHILDREN if int(c.serial) not in seen]
    assert found == expected


@steady
@given(st.sampled_from([c.key for c in ANNEX4.issued if c.key != "serial"]), st.text(max_size=6))
def test_any_other_text_in_an_issued_cell_is_reported(small: Campaign, key: str, text: str) -> None:
    rows = tuple(row(child, at, **({key: text} if at == 5 else {})) for at, child in enumerate(CHILDREN, start=4))
    _, findings = match_rows(Submission("附件4", rows), BUNDLE, small, "x.xlsx")
    cell = {column.key: letter for letter, column in zip("ABCDEFGHIJK", ANNEX4.columns, strict=True)}[key] + "5"
    same = text == getattr(CHILDREN[1], key)
    assert [(f.rule, f.cell) for f in findings] == ([] if same else [("R04", cell)])


def test_issued_values_are_never_tidied(run: Run) -> None:
    first = issued(run)[0]
    for cell, value in (("E4", f"{first.name} "), ("H4", f"{first.household}\u200b"), ("G4", f" {first.id_number}")):
        assert places(check_edit(run, setting(**{cell: value}))) == [("R04", cell)]


def answer(code: str | None, returned: str, team: str = "测试员甲") -> Answer:
    birth = birth_of(id_number("20100115", 1))
    assert birth is not None
    return Answer("1", f"{code}.", code, returned, team, birth)


@pytest.mark.parametrize("returned", ["是", "否", "无", "已复学", "YES"])
def test_being_back_goes_with_the_category_in_both_directions(campaign: Campaign, returned: str) -> None:
    """M10, over all thirteen categories."""
    for category in campaign.categories:
        failed = {r.id for r in failed_rules(answer(category.code, returned), campaign) if r.severity is Severity.ERROR}
        is_right = returned in (("无",) if category.code <= "H" else ("是", "否"))
        assert failed == (set() if is_right else {"A05" if category.code <= "H" else "A04"}), category.code


def test_an_unlisted_category_is_reported_once(campaign: Campaign) -> None:
    assert [rule.id for rule in failed_rules(answer(None, "也许"), campaign)] == ["A02"]


def test_an_unknown_predicate_stops_the_run(campaign: Campaign) -> None:
    rule = Rule("Z99", "M1", Severity.ERROR, "错", "wrong", predicate="no_such")
    broken = replace(campaign, rules=(rule,))
    with pytest.raises(FuxueError, match="Z99"):
        failed_rules(answer("A", "无"), broken)


def test_every_predicate_is_used_by_a_rule_and_every_rule_names_a_known_one(campaign: Campaign) -> None:
    assert {rule.predicate for rule in campaign.rules if rule.predicate} == set(PREDICATE_FUNCTIONS)


def test_every_rule_cites_what_it_rests_on(campaign: Campaign) -> None:
    for rule in campaign.rules:
        assert rule.basis.startswith(("M", "reading of "))
        assert (rule.predicate == "") == (rule.column == "")


@pytest.mark.parametrize(("old", "new", "message"), [
    ("村", "屯", "第 {2} 个字起不同（下发 {0} 个字，收到 {0} 个字）"),
    ("号", "", "第 {0} 个字起不同（下发 {0} 个字，收到 {1} 个字）"),
])  # fmt: skip
def test_a_difference_is_reported_precisely_and_without_the_texts(run: Run, old: str, new: str, message: str) -> None:
    household = issued(run)[0].household
    changed = household[::-1].replace(old, new, 1)[::-1]
    (finding,) = [f for f in check_edit(run, setting(H4=changed)).findings if f.rule == "R04"]
    assert message.format(len(household), len(household) - 1, household.rindex(old) + 1) in finding.message
    assert household[-6:] not in finding.message
