"""What the rule book says of every combination of answers, against the notice's own words: M9–M11, M15, M17."""

import datetime as dt
from collections.abc import Iterator
from itertools import product

import pytest

from etl.check.annex5_sums import summarise
from etl.check.predicates import failed_rules
from etl.exchange.checked import Answer
from etl.forms.definitions import NOT_ASKED, RETURNED
from etl.rulebook.campaign import Campaign

NAME, TEAM = "陆明远", "测试员甲"
DAY = dt.date(2019, 2, 27)  # the campaign's reference date
CODES = "ABCDEFGHIJKLM"
#: A category as it was written, with its code.
CATEGORIES = [*((f"{code}.某", code) for code in CODES), ("", None), ("不清楚", None)]
WRITTEN = ("", "是", "否", "无", "是否")
#: Completed years on the day: at their birthday and a day before the next.
BIRTHS = {
    years: (dt.date(DAY.year - years, 2, 27), dt.date(DAY.year - years - 1, 2, 28)) for years in (5, 6, 14, 15, 16, 17)
}


def answers() -> Iterator[tuple[Answer, int]]:
    for (category, code), returned, (years, births), known in product(
        CATEGORIES, WRITTEN, BIRTHS.items(), (True, False)
    ):
        for birth in births:
            yield Answer("1", category, code, returned, TEAM, birth, NAME, known), years


def expected(answer: Answer, years: int) -> set[str]:
    """The rules that the notice and its readings name for category and 复学情况."""
    code, returned = answer.code or "", answer.returned
    is_deducted = code in tuple("ABCDEFGH")
    said = {
        "A01": answer.category == "",
        "A02": answer.category == "不清楚",
        "A03": returned == "",
        "A04": code in tuple("IJKLM") and returned in ("无", "是否"),
        "A05": is_deducted and returned in ("是", "否", "是否"),
        "A07": code == "E" and years >= 6,
        "A08": code == "F" and years < 16,
        "A09": code in ("F", "K") and years == 15,
        "A10": code == "G" and not answer.has_police_ref,
        "A11": code == "H",
        "A12": code in ("C", "D"),
    }
    return {rule for rule, is_said in said.items() if is_said}


def test_every_combination_of_category_return_and_age_is_judged_as_the_notice_says(campaign: Campaign) -> None:
    assert campaign.ages.reference == DAY
    for answer, years in answers():
        assert {rule.id for rule in failed_rules(answer, campaign)} == expected(answer, years), (answer.code, years)


@pytest.mark.parametrize(("team", "rules"), [
    ("", {"A06"}),
    (TEAM, set()), ("甲乙", set()), ("Li", set()), ("张三1", set()), ("同上海", set()), ("工作小组张三", set()),
    ("1", {"A13"}), ("甲", {"A13"}), ("L", {"A13"}), ("12345", {"A13"}), ("、、", {"A13"}), ("〃", {"A13"}),
    *[(f"{char}甲乙", {"A13"}) for char in "=+-@"], ("甲-乙", set()),
    ("\"", {"A13"}), ("′′", {"A13"}), ("——", {"A13"}), ("1、2", {"A13"}),
    ("同上", {"A14"}), ("同前", {"A14"}), ("如上", {"A14"}), ("同上。", {"A14"}), ("入户核查", {"A14"}),
    ("已核查", {"A14"}), ("工作小组", {"A14"}),
    *[(text, {"A14"}) for text in (
        "同 上", "同上！", "同上同上", "同上、同上", "同上（第4行）", "同上第三行", "上同", "见上", "见上行", "同上行",
        "同第一行", "Ditto", "无无", "暂无", "没有", "不详", "待定", "是是", "否否", "父亲", "母亲", "父母", "爷爷",
        "奶奶", "家长", "监护人", "本人", "工作小组、已核查",
    )],
    ("母亲王小明", set()), ("\u3164\u3164", {"A13"}), ("\u1160甲", {"A13"}), ("甲\u1160乙", set()),
    ("无", {"A13"}), ("同\u3164上", {"A14"}),
    (f"{NAME[0]} {NAME[1:]}", {"A15"}), (f"{NAME}本人", {"A15"}), (f"{NAME}乙", set()),
    (NAME, {"A15"}), (f"{NAME}、", {"A15"}), (f"{NAME} {NAME}", {"A15"}), (f"{NAME}、{TEAM}", set()),
    (f"{NAME}{TEAM}", set()),
])  # fmt: skip
def test_a_team_is_named_and_each_mistake_is_reported_once(campaign: Campaign, team: str, rules: set[str]) -> None:
    answer = Answer("1", "B.在校有学籍", "B", "无", team, dt.date(2010, 1, 15), NAME)
    assert {rule.id for rule in failed_rules(answer, campaign)} == rules


def test_a_child_without_a_name_makes_no_team_its_own(campaign: Campaign) -> None:
    answer = Answer("1", "B.在校有学籍", "B", "无", "", dt.date(2010, 1, 15))
    assert {rule.id for rule in failed_rules(answer, campaign)} == {"A06"}


def test_each_answer_rule_points_at_the_column_that_it_asks(campaign: Campaign) -> None:
    columns = {rule.id: rule.column for rule in campaign.rules if rule.predicate}
    returned, team = ("A03", "A04", "A05"), ("A06", "A13", "A14", "A15")
    assert columns == {
        **dict.fromkeys(columns, "category"), **dict.fromkeys(returned, "returned"), **dict.fromkeys(team, "team")
    }  # fmt: skip


def test_the_rule_book_allows_what_the_drop_down_list_offers(campaign: Campaign) -> None:
    values = {rule.id: tuple(rule.params["values"]) for rule in campaign.rules if rule.predicate == "one_of"}
    assert values == {"A04": RETURNED, "A05": (NOT_ASKED,)}


def test_annex_5_counts_every_listed_category_and_the_returned_of_those_to_be_returned(campaign: Campaign) -> None:
    """Every category once with each 复学情况, and one more returned of K; what is not listed counts nowhere."""
    given = [(code, returned) for code in CODES for returned in ("是", "否", "无")]
    sums = summarise(campaign, [*given, ("K", "是"), (None, "是")])
    assert sums == {"suspected": 40, **dict.fromkeys(CODES, 3), "K": 4, "returned": 6}
