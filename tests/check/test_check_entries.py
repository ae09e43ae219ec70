"""What a row of the case workbook may say, cell by cell (M16, M17): judged without a file."""

import datetime as dt

import pytest

from etl.check.entries import check_entries
from etl.exchange.bundle import Bundle
from etl.exchange.submission import Value
from etl.findings import Finding, Severity
from etl.forms.definitions import CASES, CORRECTIONS
from etl.rulebook.campaign import Campaign

DAY = dt.date(2020, 3, 16)
LETTERS = dict(zip((column.key for column in CASES.columns), "ABCDEFGHIJKLMNO", strict=True))
MEASURE = {"measure": "帮扶救助", "department": "学校", "person": "测试员甲"}
BACK = {"schooling": "普通班就读", "date": "2020-03-09", "carer": "测试员乙"}


def judge(campaign: Campaign, returned: str = "是", /, **cells: str | Value) -> tuple[dict[str, str], list[Finding]]:
    """The entry of a case of K with these cells, and what is found in it."""
    issued = dict.fromkeys(LETTERS, "") | {"reference": "1", "category": "K.打工务农", "returned": returned}
    given = {**issued, **cells}
    row = {key: text if isinstance(text, Value) else Value(text, f"{LETTERS[key]}4") for key, text in given.items()}
    bundle = Bundle(CASES, "20200302-02", "donggang", "东港镇", (issued,))
    (entry,), findings = check_entries([(issued, row)], bundle, campaign, "x.xlsx", CASES.sheet, DAY)
    assert entry.reference == "1"
    return {key: text for key, text in entry.values.items() if text}, findings


def places(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.rule, finding.cell) for finding in findings]


@pytest.mark.parametrize(("key", "typed", "kept"), [
    ("measure", " 帮扶救助　", "帮扶救助"), ("measure", "没有的", "没有的"),
    ("department", "乡镇(街道)", "乡镇（街道）"),  # as it is listed, however wide the brackets
    ("person", "测试员\u200b甲 ", "测试员甲"), ("person", "2020.3.9", "2020.3.9"),
    ("date", "2020年3月9日", "2020-03-09"), ("date", "2020.3.9", "2020-03-09"),
    ("date", "２０２０/03/09", "2020-03-09"),
    ("date", "20200309", "20200309"), ("date", "2020-W11-1", "2020-W11-1"), ("date", "2020-069", "2020-069"),
    ("date", "٢٠٢٠-٠٣-٠٩", "٢٠٢٠-٠٣-٠٩"),  # digits, but not those of a date here
    ("date", "2020-02-29", "2020-02-29"), ("date", "2020-02-30", "2020-02-30"), ("date", "昨天", "昨天"),
])  # fmt: skip
def test_a_cell_is_kept_as_what_it_stands_for(small: Campaign, key: str, typed: str, kept: str) -> None:
    values, _ = judge(small, **{key: typed})
    assert values == {key: kept}


@pytest.mark.parametrize(("cells", "expected"), [
    ({}, []), (MEASURE, []), (BACK, []), (MEASURE | BACK, []),
    (MEASURE | {"measure": "随班就读"}, [("E01", "I4")]), (MEASURE | {"department": "某局"}, [("E01", "J4")]),
    ({"measure": "帮扶救助"}, [("E02", "J4"), ("E02", "K4")]), ({"carer": "测试员乙"}, [("E02", "L4"), ("E02", "M4")]),
    (BACK | {"date": "昨天"}, [("E03", "M4")]), (BACK | {"date": "2020-02-30"}, [("E03", "M4")]),
    *((BACK | {"date": written}, [("E03", "M4")]) for written in (
        "20200309", "2020-W11-1", "2020-W11", "2020W111", "2020-069", "٢٠٢٠-٠٣-٠٩", "२०२०-०३-०९", "+2020-3-9",
        "43899")),
    (BACK | {"date": "2020-03-16"}, []), (BACK | {"date": "2020-03-17"}, [("E04", "M4")]),
    (BACK | {"date": "2020-03-02"}, []), (BACK | {"date": "2020-03-01"}, [("E04", "M4")]),
    (BACK | {"date": "2003-08-31"}, [("E04", "M4")]), (BACK | {"date": "2020年3月1日"}, [("E04", "M4")]),
    (MEASURE | {"person": "甲"}, [("E05", "K4")]), (MEASURE | {"person": "甲乙"}, []),
    (BACK | {"carer": "1"}, [("E05", "N4")]),
    (BACK | {"school": "第三小学五年级二班"}, []), ({"school": "第三小学"}, [("E02", "L4")]),
])  # fmt: skip
def test_a_row_is_blank_complete_or_reported(
    small: Campaign, cells: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    assert places(judge(small, **cells)[1]) == expected


@pytest.mark.parametrize(("cells", "expected"), [
    ({}, []), (MEASURE, []), (BACK, [("E06", "L4")]), (MEASURE | BACK, [("E06", "L4")]),
])  # fmt: skip
def test_schooling_of_a_child_that_is_not_back_is_reported(
    small: Campaign, cells: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    assert places(judge(small, "否", **cells)[1]) == expected


@pytest.mark.parametrize(("value", "expected"), [
    (Value("2020-03-09", "M4", is_other=True, is_date=True), []),
    (Value("2020-03-17", "M4", is_other=True, is_date=True), [("E04", "M4")]),  # a date in a date's cell is judged
    (Value("TRUE", "M4", is_other=True), []),  # R08 reports it
    (Value("昨天", "M4", is_formula=True), []),  # R06 reports it
    (Value("昨天", "M4", is_formula=True, is_other=True, is_date=True), []),
    (Value("昨天", "M4", is_number=True), [("E03", "M4")]),
])  # fmt: skip
def test_what_is_no_text_is_not_accused_twice(small: Campaign, value: Value, expected: list[tuple[str, str]]) -> None:
    assert places(judge(small, **BACK | {"date": value})[1]) == expected


@pytest.mark.parametrize("remark", ["1", "甲", "无误"])
def test_a_remark_may_be_anything(small: Campaign, remark: str) -> None:
    issued = {column.key: "" for column in CORRECTIONS.issued} | {"reference": "1"}
    bundle = Bundle(CORRECTIONS, "20200302-02", "household-registry", "公安户籍部门", (issued,))
    row = {column.key: Value(issued.get(column.key, ""), "A4") for column in CORRECTIONS.columns}
    row["remark"] = Value(remark, "K4")
    (entry,), findings = check_entries([(issued, row)], bundle, small, "x.xlsx", CORRECTIONS.sheet, DAY)
    assert (entry.values["remark"], findings) == (remark, [])


@pytest.mark.parametrize("date", ["2020-03-01", "2020-03-17", "2019-12-31", "2030-01-01"])
def test_a_correction_of_before_the_notice_or_of_tomorrow_is_an_error(small: Campaign, date: str) -> None:
    """What was corrected before anybody asked was not corrected for this campaign; nor is what is still to come."""
    issued = {column.key: "" for column in CORRECTIONS.issued} | {"reference": "1"}
    recipient = small.casework.departments[0]
    bundle = Bundle(CORRECTIONS, "20200302-02", recipient.slug, recipient.name, (issued,))
    given = issued | {"cause": recipient.causes[0], "outcome": recipient.outcomes[0], "date": date, "remark": ""}
    row = {key: Value(text, "J4") for key, text in given.items()}
    _, (finding,) = check_entries([(issued, row)], bundle, small, "x.xlsx", CORRECTIONS.sheet, DAY)
    assert (finding.rule, finding.severity) == ("E04", Severity.ERROR)
    for said in (finding.message, finding.message_en):
        assert "2020-03-02" in said
        assert "2020-03-16" in said


def test_a_fault_names_its_column_as_it_is_read_aloud(small: Campaign) -> None:
    (finding,) = judge(small, **MEASURE | {"measure": "没有的"})[1]
    assert (finding.serial, finding.sheet, finding.file) == ("1", CASES.sheet, "x.xlsx")
    assert "“劝返措施”" in finding.message


def test_a_sheet_that_was_handed_out_before_a_column_existed_is_judged_without_it(small: Campaign) -> None:
    """Nothing is said of the column, and nothing that was on record of it is overwritten."""
    issued = dict.fromkeys(LETTERS, "") | {"reference": "1", "category": "K.打工务农", "returned": "是"}
    row = {key: Value(text, f"{LETTERS[key]}4") for key, text in {**issued, **BACK}.items() if key != "school"}
    bundle = Bundle(CASES, "20200302-02", "donggang", "东港镇", (issued,))
    (entry,), findings = check_entries([(issued, row)], bundle, small, "x.xlsx", CASES.sheet, DAY)
    assert findings == []
    assert "school" not in entry.values
