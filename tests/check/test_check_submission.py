"""Whose a submission is, whether all of it came back, and what 附件5 beside it says: judged without a file."""

import datetime as dt
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from etl.check.acceptance import check_submission, refuse_rivals
from etl.check.reconcile import match_rows
from etl.exchange.bundle import Bundle, child_row
from etl.exchange.checked import Checked
from etl.exchange.child import Child
from etl.exchange.submission import Candidate, Figure, Problem, Submission, Summary, Value
from etl.forms.definitions import ANNEX4, CASES
from etl.forms.manifest import Manifest
from etl.rulebook.campaign import Campaign
from tests.support.books import ISSUE, UNIT, id_number

DAY = dt.date(2020, 3, 16)
CANDIDATES = [Candidate(ISSUE, UNIT, ""), Candidate(ISSUE, "xiling", "")]


def mac(body: bytes) -> bytes:
    return hmac.digest(b"the bureau's", body, "sha256")


def bundle_of(*serials: str) -> Bundle:
    children = [
        Child(serial, UNIT, "省", "市", "县", f"童{at}", "男", id_number("20060115", 2 * at + 1), "东港")
        for at, serial in enumerate(serials)
    ]
    return Bundle(ANNEX4, ISSUE, UNIT, "东港镇", tuple(map(child_row, children)))


def row_of(issued: Mapping[str, str], number: int, **changed: Value) -> dict[str, Value]:
    """A row as issued, answered in a way of which no rule has anything to say, with some cells changed."""
    texts = {**issued, "category": "B.在校有学籍", "returned": "无", "team": "测试员甲"}
    cells = {column.key: f"{letter}{number}" for letter, column in zip("ABCDEFGHIJK", ANNEX4.columns, strict=True)}
    return {key: Value(texts[key], cell) for key, cell in cells.items()} | changed


BUNDLE = bundle_of("0001", "0002", "0003")
GENUINE = Manifest("annex4", ISSUE, UNIT, tuple(BUNDLE.keys)).signed(mac)


def submission(**changed: object) -> Submission:
    rows = tuple(row_of(issued, number) for number, issued in enumerate(BUNDLE.rows, start=4))
    foot = {"unit": BUNDLE.name, "filler": "测试员甲", "phone": "0000", "leader": "测试员乙"}
    good = Submission(sheet=ANNEX4.sheet, rows=rows, footer=foot, manifest=GENUINE, opened_by=0)
    return replace(good, **changed)  # type: ignore[arg-type]


def is_genuine(manifest: Manifest) -> bool:
    return manifest.is_genuine(mac)


def check(campaign: Campaign, given: Submission, police: Sequence[tuple[str, str]] = ()) -> Checked:
    return check_submission("x.xlsx", given, CANDIDATES, {(ISSUE, UNIT): BUNDLE}, campaign, is_genuine, DAY, police)


def found(checked: Checked) -> list[tuple[str, str]]:
    """What is found, but for the missing 附件5."""
    return [(finding.rule, finding.cell) for finding in checked.findings if finding.rule not in ("R10", "R13")]


def changed(key: str, value: Value) -> Submission:
    return submission(rows=(row_of(BUNDLE.rows[0], 4, **{key: value}), *submission().rows[1:]))


@pytest.mark.parametrize("opened_by", [0, None])
def test_a_whole_submission_is_its_units_sealed_or_not(small: Campaign, opened_by: int | None) -> None:
    checked = check(small, submission(opened_by=opened_by))
    assert found(checked) == []
    assert (checked.issue, checked.unit, checked.accepted) == (ISSUE, UNIT, True)
    assert checked.sealed == (opened_by is not None)
    assert [(a.serial, a.code, a.returned, a.name) for a in checked.answers] == [
        (row["serial"], "B", "无", row["name"]) for row in BUNDLE.rows
    ]
    assert checked.entries == ()


@pytest.mark.parametrize(("given", "rule"), [
    ({"manifest": None}, "F09"),
    ({"manifest": replace(GENUINE, unit="xiling")}, "F09"),  # signed for another
    ({"opened_by": 1}, "F09"),  # sealed by another unit
    ({"manifest": Manifest("annex4", "20200302-09", UNIT, tuple(BUNDLE.keys)).signed(mac)}, "F10"),
    ({"manifest": Manifest("annex4", ISSUE, UNIT, tuple(BUNDLE.keys[:2])).signed(mac)}, "F10"),
    ({"manifest": Manifest("cases", ISSUE, UNIT, tuple(BUNDLE.keys)).signed(mac)}, "F10"),
])  # fmt: skip
def test_what_is_not_provably_the_units_is_refused_and_not_compared(
    small: Campaign, given: dict[str, object], rule: str
) -> None:
    checked = check(small, submission(**given))
    assert [finding.rule for finding in checked.findings] == [rule]
    assert not checked.accepted
    assert (checked.answers, checked.entries) == ((), ())
    # The seal still shows who sent it.
    assert (checked.issue, checked.unit) == (ISSUE, "xiling" if given.get("opened_by") else UNIT)


def test_serials_of_a_manifest_may_stand_in_any_order(small: Campaign) -> None:
    turned = Manifest("annex4", ISSUE, UNIT, tuple(reversed(BUNDLE.keys))).signed(mac)
    assert found(check(small, submission(manifest=turned))) == []


def test_an_unknown_issue_is_named_as_the_bureau_signed_it(small: Campaign) -> None:
    other = Manifest("annex4", "20200302-09", UNIT, tuple(BUNDLE.keys)).signed(mac)
    (finding,) = check(small, submission(manifest=other)).findings
    assert "20200302-09" in finding.message


def test_an_issued_number_without_a_birth_date_stops_the_check_and_is_not_shown(small: Campaign) -> None:
    """Issuing lets none pass: a child without an age must not slip through the rules about ages."""
    odd = replace(BUNDLE, rows=({**BUNDLE.rows[0], "id_number": "not a number"}, *BUNDLE.rows[1:]))
    given = submission(rows=(row_of(odd.rows[0], 4), *submission().rows[1:]))
    with pytest.raises(ValueError, match=r"^an issued ID number holds no birth date$"):
        check_submission("x.xlsx", given, CANDIDATES, {(ISSUE, UNIT): odd}, small, is_genuine, DAY)


def test_what_a_manifest_says_is_never_shown_unless_the_bureau_signed_it(small: Campaign) -> None:
    """Whatever the rule's message would say: an issue's name in an unsigned manifest is anybody's text."""
    rules = tuple(replace(rule, message="{issue}") if rule.id == "F09" else rule for rule in small.rules)
    (finding,) = check(replace(small, rules=rules), submission(manifest=replace(GENUINE, issue="某人"))).findings
    assert (finding.rule, finding.message) == ("F09", "")


def test_nothing_is_known_of_an_unsealed_file_without_a_manifest(small: Campaign) -> None:
    checked = check(small, submission(manifest=None, opened_by=None))
    assert (checked.issue, checked.unit, checked.sealed, checked.accepted) == ("", "", False, False)


def test_what_reading_refused_is_not_compared_and_what_it_noted_is(small: Campaign) -> None:
    refused = check(small, submission(problems=(Problem("F14", ANNEX4.sheet, "A1"),)))
    assert [(f.rule, f.sheet, f.cell) for f in refused.findings] == [("F14", ANNEX4.sheet, "A1")]
    assert (refused.accepted, refused.issue, refused.unit, refused.answers) == (False, ISSUE, UNIT, ())
    noted = check(small, submission(problems=(Problem("F12"),), opened_by=None))
    assert (found(noted), noted.accepted, len(noted.answers)) == ([("F12", "")], True, 3)


def test_an_issue_is_accepted_only_without_an_error_and_for_a_known_unit() -> None:
    good = Checked("x.xlsx", ISSUE, UNIT, True, (), {}, ())
    assert good.accepted
    assert not replace(good, issue="").accepted


def test_the_police_confirm_one_child_of_one_issue(small: Campaign) -> None:
    given = changed("category", Value("G.失踪失联", "I4"))
    assert found(check(small, given)) == [("A10", "I4")]
    assert found(check(small, given, [(ISSUE, "0002"), ("20200302-09", "0001")])) == [("A10", "I4")]
    assert found(check(small, given, [(ISSUE, "0001")])) == []


@pytest.mark.parametrize(("value", "rules"), [
    (Value("", "I4", is_formula=True), ["R06"]), (Value("", "I4", is_other=True), ["R08"]),
    (Value("", "I4"), ["A01"]), (Value("某", "I4", is_number=True), ["A02"]),
])  # fmt: skip
def test_a_cell_that_is_no_text_is_accused_once(small: Campaign, value: Value, rules: list[str]) -> None:
    assert found(check(small, changed("category", value))) == [(rule, "I4") for rule in rules]


def test_a_date_is_no_text_in_annex_4(small: Campaign) -> None:
    date = Value("2020-03-09", "K4", is_other=True, is_date=True)
    assert found(check(small, changed("team", date))) == [("R08", "K4")]


def test_a_date_in_a_column_for_dates_is_as_good_as_its_text(small: Campaign) -> None:
    issued = dict.fromkeys((column.key for column in CASES.columns), "") | {"reference": "1"}
    bundle = Bundle(CASES, ISSUE, UNIT, "东港镇", (issued,))
    row = {key: Value(text, "A4") for key, text in issued.items()}
    for key, is_date, rules in (("date", True, []), ("date", False, ["R08"]), ("measure", True, ["R08"])):
        other = row | {key: Value("2020-03-09", "M4", is_other=True, is_date=is_date)}
        _, findings = match_rows(Submission("一人一档", (other,)), bundle, small, "x.xlsx")
        assert [finding.rule for finding in findings] == rules


@pytest.mark.parametrize(("serials", "typed", "is_number", "rules"), [
    (["0008"], "8", True, ["R04"]),  # a number has lost its zeros, and is still that row
    (["000"], "0", True, ["R04"]),
    (["0008"], "8", False, ["R03", "R01"]),  # a text is what it says
    (["0008", "8"], "8", True, ["R01"]),
    (["08", "008"], "8", True, ["R03", "R01", "R01"]),  # which of the two is not guessed
    (["8"], "8", True, []),
    (["0080"], "8", True, ["R03", "R01"]),
])  # fmt: skip
def test_a_serial_typed_as_a_number_is_the_one_that_it_can_be(
    small: Campaign, serials: list[str], typed: str, is_number: bool, rules: list[str]
) -> None:
    bundle = bundle_of(*serials)
    row = row_of(bundle.rows[0], 4, serial=Value(typed, "A4", is_number=is_number))
    if "8" in serials:
        row = row_of(next(one for one in bundle.rows if one["serial"] == "8"), 4, serial=row["serial"])
    _, findings = match_rows(Submission(ANNEX4.sheet, (row,)), bundle, small, "x.xlsx")
    assert [finding.rule for finding in findings] == rules


def annex5(**numbers: int | None) -> Summary:
    """附件5 of three rows of B, with some figures changed."""
    right = {"suspected": 3, **dict.fromkeys("ABCDEFGHIJKLM", 0), "B": 3, "returned": 0}
    return Summary("附件5", ({key: Figure(number, key) for key, number in {**right, **numbers}.items()},))


def test_annex_5_is_held_against_annex_4_figure_by_figure(small: Campaign) -> None:
    assert check(small, submission(summary=annex5())).findings == ()
    findings = check(small, submission(summary=annex5(B=2, C=1, returned=None))).findings
    assert [(f.rule, f.sheet, f.cell) for f in findings] == [("R09", "附件5", key) for key in ("B", "C", "returned")]
    assert [f.message.split("，")[:2] for f in findings] == [
        ["附件5“B”为 2", "按附件4应为 3。附件5由公式自动汇总"], ["附件5“C”为 1", "按附件4应为 0。附件5由公式自动汇总"],
        ["附件5“复学人数”为 空", "按附件4应为 0。附件5由公式自动汇总"],
    ]  # fmt: skip


def test_an_annex_5_that_is_missing_or_was_never_calculated_is_noted(small: Campaign) -> None:
    never = annex5(**dict.fromkeys(("suspected", *"ABCDEFGHIJKLM", "returned")))
    for summary, rule, sheet in ((None, "R10", ""), (never, "R13", "附件5"), (Summary("附件5", ()), "R13", "附件5")):
        findings = check(small, submission(summary=summary)).findings
        assert [(f.rule, f.sheet) for f in findings] == [(rule, sheet)]


def test_rivals_are_the_acceptable_files_of_one_unit_and_issue_alone(small: Campaign) -> None:
    good = Checked("x.xlsx", ISSUE, UNIT, True, (), {}, ())
    refused = replace(good, findings=(small.finding("F09", "x.xlsx"),))
    others = [
        replace(good, unit="xiling"),
        replace(good, issue="20200302-02"),
        replace(good, issue="", unit=""),
    ]
    for files, expected in (
        ([good], [[]]),
        ([good, *others], [[], [], [], []]),
        ([good, refused], [[], ["F09"]]),
        ([good, good, refused], [["F15"], ["F15"], ["F09"]]),
        ([good, others[0], good], [["F15"], [], ["F15"]]),
    ):
        assert [[f.rule for f in one.findings] for one in refuse_rivals(files, small)] == expected
