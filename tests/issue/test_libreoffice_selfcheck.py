"""Workbooks check themselves in the real LibreOffice: lists, locks, red cells, progress, 附件5, the printed page."""

import datetime as dt
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pytest

from etl.exchange.bundle import Bundle, child_row
from etl.forms.definitions import ANNEX4, ANNEX5, CASES, CORRECTIONS, FORMS, MANIFEST_SHEET, UNASSIGNED, Form
from etl.forms.layout import FIRST, HEADER, PROGRESS, TITLE, Layout
from etl.forms.manifest import Manifest
from etl.issue.receipts import build_receipts
from etl.issue.selfcheck import OPTIONS_SHEET
from etl.issue.workbook import build_workbook
from etl.rulebook.campaign import Campaign, Unit
from etl.rulebook.choices import Choices, choices_of
from etl.synthetic.population import make_population
from tests.support.libreoffice import find_python
from tests.support.office import Office

PYTHON = find_python()
pytestmark = pytest.mark.skipif(PYTHON is None, reason="LibreOffice with python3-uno is not installed")

ISSUE, DAY = "20190222-01", dt.date(2019, 2, 26)
SEED, CHILDREN = 11, 26
NOTES = "填表说明"
#: Zero-based rows of 附件5 below its headings.
UNIT, TOTAL, CHECK, SIGNED = 3, 4, 5, 6
#: How a cell is shown: wrong, due, or neither; the last is the editable columns' own yellow.
COLOURS = {"#E0464E": "!", "#FBD5D5": "~", "#FFFBE6": "."}
DONE = "#1E7B34"
#: Days since the epoch of spreadsheets.
NUMBER = (DAY - dt.date(1899, 12, 30)).days
FIRST_NUMBER = (dt.date(2019, 2, 19) - dt.date(1899, 12, 30)).days

Row = Mapping[str, str]


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    assert PYTHON is not None
    with Office(PYTHON) as running:
        yield running


def child_rows(campaign: Campaign, count: int = CHILDREN) -> list[Row]:
    return [child_row(person.child) for person in make_population(campaign, count, SEED)]


def work_rows(campaign: Campaign, form: Form, codes: Sequence[str]) -> list[Row]:
    """Rows of a corrections or cases workbook, one for each category code."""
    rows: list[Row] = []
    for child, code in zip(child_rows(campaign, len(codes)), codes, strict=True):
        row = {**child, "reference": f"{ISSUE}-{child['serial']}", "category": campaign.category[code].label}
        row["returned"] = "是"
        rows.append({column.key: row[column.key] for column in form.issued})
    return rows


def bundle_of(campaign: Campaign, form: Form, rows: Sequence[Row] | None = None) -> Bundle:
    """A form's bundle: with made-up rows, or with those given."""
    if form == ANNEX4:
        recipient, made = campaign.units[0].slug, child_rows(campaign)
    elif form in (CORRECTIONS, CASES):
        department = campaign.casework.departments[-1]
        recipient = department.slug if form == CORRECTIONS else campaign.units[0].slug
        made = work_rows(campaign, form, department.opened_by * 4 if form == CORRECTIONS else "IJKLM" * 2)
    else:
        recipient, made = "bureau", [{c.key: f"{c.key}{number}" for c in form.issued} for number in range(5)]
    given = tuple(made if rows is None else rows)
    return Bundle(form, ISSUE, recipient, campaign.recipient_name(recipient), given)


def show(office: Office, campaign: Campaign, form: Form, rows: Sequence[Row] | None = None) -> tuple[Bundle, Layout]:
    """Open a form's workbook."""
    bundle = bundle_of(campaign, form, rows)
    office.open(build_workbook(campaign, bundle, Manifest(form.key, ISSUE, bundle.recipient, bundle.keys, "00")))
    return bundle, Layout(form, len(bundle.rows))


def put(office: Office, layout: Layout, rows: Sequence[Sequence[object]], first: int = 0) -> None:
    """Fill the editable columns of some rows."""
    office.put(layout.form.sheet, layout.at(layout.form.editable[0].key), FIRST + first, rows)


def colours(office: Office, layout: Layout) -> list[str]:
    """Of each row, the colour of each editable column: ``!`` deep red, ``~`` pale red, ``.`` not red."""
    rows = office.look(layout.form.sheet)[FIRST : layout.last + 1]
    columns = [layout.at(column.key) for column in layout.form.editable]
    return ["".join(COLOURS[row[at]["background"]] for at in columns) for row in rows]


def progress(office: Office, form: Form) -> str:
    return str(office.get(form.sheet, (0, PROGRESS, 0, PROGRESS))[0][0])


def listed(campaign: Campaign, bundle: Bundle) -> dict[str, Choices]:
    return {
        column.key: choices_of(campaign, bundle.recipient, column) for column in bundle.form.editable if column.choices
    }


# Lists and messages


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: form.key)
def test_every_editable_column_says_what_to_type_in_the_first_row_and_the_last(
    office: Office, campaign: Campaign, form: Form
) -> None:
    _, layout = show(office, campaign, form)
    for column in form.columns:
        for row in (FIRST, layout.last):
            found = office.validation(form.sheet, layout.at(column.key), row)
            if not column.editable:
                assert (found["type"], found["message"]) == ("ANY", None)
                continue
            assert found["message"] == [column.heading.split("（")[0], column.hint]
            assert all(found["message"])
            kind = "LIST" if column.choices else {"text": "ANY", "names": "TEXT_LEN", "date": "DATE"}[column.kind]
            assert found["type"] == kind, column.key
            if kind != "ANY":
                assert found["alert"] == "STOP"
                assert all(found["refusal"])
        below = office.validation(form.sheet, layout.at(column.key), layout.footer)
        assert (below["type"], below["message"]) == ("ANY", None)


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: form.key)
def test_a_list_offers_exactly_what_may_be_chosen(office: Office, campaign: Campaign, form: Form) -> None:
    bundle, layout = show(office, campaign, form)
    for key, allowed in listed(campaign, bundle).items():
        if allowed.by is None:
            assert allowed.values
            for row in (FIRST, layout.last):
                found = office.validation(form.sheet, layout.at(key), row)
                assert found["values"] == list(allowed.values)
                assert found["drop_down"]


def test_the_list_of_categories_has_the_thirteen_values(office: Office, campaign: Campaign) -> None:
    _, layout = show(office, campaign, ANNEX4)
    values = office.validation(ANNEX4.sheet, layout.at("category"), FIRST)["values"]
    assert values == [category.label for category in campaign.categories]
    assert "".join(value[0] for value in values) == "ABCDEFGHIJKLM"


def test_the_list_of_returns_follows_the_category_of_its_own_row(office: Office, campaign: Campaign) -> None:
    _, layout = show(office, campaign, ANNEX4)
    at = layout.at("returned")

    def offered(row: int) -> object:
        found = office.validation(ANNEX4.sheet, at, FIRST + row)
        assert (found["type"], found["drop_down"]) == ("LIST", True)
        return found["values"]

    put(office, layout, [[category.label, "", ""] for category in campaign.categories])
    for row, category in enumerate(campaign.categories):
        assert offered(row) == (["无"] if category.code in "ABCDEFGH" else ["是", "否"]), category.code
    assert offered(len(campaign.categories)) is None  # no category yet: nothing to choose
    put(office, layout, [["M.其他原因", "", ""], ["不详", "", ""]])
    assert offered(0) == ["是", "否"]
    assert offered(1) is None


def test_the_lists_of_a_case_follow_its_category(office: Office, campaign: Campaign) -> None:
    bundle, layout = show(office, campaign, CASES)
    for key in ("measure", "schooling"):
        by = listed(campaign, bundle)[key].by
        assert by is not None
        assert len({tuple(values) for values in by.values()}) > 1
        for number, row in enumerate(bundle.rows, start=FIRST):
            found = office.validation(CASES.sheet, layout.at(key), number)
            assert found["values"] == list(by[row["category"]]), (key, number)
            assert found["drop_down"]


def test_a_list_longer_than_a_validation_holds_is_offered_whole(office: Office, campaign: Campaign) -> None:
    units = tuple(Unit(f"u{at}", f"第{at}号很长名字的街道办事处", "街道", f"Unit {at}", ()) for at in range(40))
    _, layout = show(office, replace(campaign, units=units), UNASSIGNED)
    found = office.validation(UNASSIGNED.sheet, layout.at("unit"), layout.last)
    assert found["values"] == [unit.name for unit in units]


@pytest.mark.parametrize("form", [CORRECTIONS, CASES], ids=lambda form: form.key)
def test_a_date_begins_with_the_day_of_the_notice(office: Office, campaign: Campaign, form: Form) -> None:
    _, layout = show(office, campaign, form)
    found = office.validation(form.sheet, layout.at("date"), layout.last)
    assert (found["type"], found["operator"]) == ("DATE", "GREATER_EQUAL")
    assert float(found["formula"]) == (campaign.noticed - dt.date(1899, 12, 30)).days


# Locks


def open_cells(office: Office) -> dict[str, set[tuple[int, int]]]:
    """Cells that can be typed in, by sheet, as (row, column); every sheet is protected."""
    found = {}
    for sheet in office.sheets():
        assert sheet["protected"], sheet["name"]
        found[sheet["name"]] = {
            (row, column)
            for left, top, right, bottom in sheet["open"]
            for row in range(top, bottom + 1)
            for column in range(left, right + 1)
        }
    return found


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: form.key)
@pytest.mark.parametrize("is_nil", [False, True], ids=["rows", "nil"])
def test_only_the_editable_columns_and_the_footers_blanks_are_open(
    office: Office, campaign: Campaign, form: Form, is_nil: bool
) -> None:
    _, layout = show(office, campaign, form, () if is_nil else None)
    answers = {(row, layout.at(c.key)) for row in range(FIRST, layout.last + 1) for c in form.editable}
    blanks = {(layout.footer, blank) for _, blank, _ in layout.footer_cells()}
    assert len(blanks) == len(form.footer)
    expected: dict[str, set[tuple[int, int]]] = {form.sheet: answers | blanks, NOTES: set(), MANIFEST_SHEET: set()}
    if any(column.choices for column in form.editable):
        expected[OPTIONS_SHEET] = set()
    if form == ANNEX4:
        at = 3 * [field.key for field in ANNEX5.footer].index("date") + 1
        expected[ANNEX5.sheet] = {(SIGNED, at), (SIGNED, at + 1)}
    assert open_cells(office) == expected


def test_a_locked_cell_refuses_what_an_open_one_takes(office: Office, campaign: Campaign) -> None:
    bundle, layout = show(office, campaign, ANNEX4)
    for sheet, row, column in (
        (ANNEX4.sheet, TITLE, 0), (ANNEX4.sheet, PROGRESS, 0), (ANNEX4.sheet, HEADER, 3), (ANNEX4.sheet, FIRST, 0),
        (ANNEX4.sheet, layout.last, layout.at("household")), (ANNEX4.sheet, layout.footer, 0),
        (ANNEX4.sheet, layout.footer + 1, layout.at("team")), (ANNEX5.sheet, UNIT, 3), (NOTES, 0, 0),
        (OPTIONS_SHEET, 1, 0), (MANIFEST_SHEET, 1, 1),
    ):  # fmt: skip
        before = office.formulas(sheet, (column, row, column, row))
        with pytest.raises(RuntimeError):
            office.put(sheet, column, row, [["改"]])
        assert office.formulas(sheet, (column, row, column, row)) == before
    assert office.get(ANNEX4.sheet, (0, FIRST, 0, FIRST)) == [[bundle.rows[0]["serial"]]]
    office.put(ANNEX4.sheet, layout.at("team"), layout.last, [["甲乙"]])
    assert office.get(ANNEX4.sheet, (layout.right, layout.last, layout.right, layout.last)) == [["甲乙"]]


def test_the_options_and_the_manifest_are_out_of_sight(office: Office, campaign: Campaign) -> None:
    for form in FORMS.values():
        show(office, campaign, form)
        shown = [sheet["name"] for sheet in office.sheets() if sheet["visible"]]
        assert shown == [form.sheet, *([ANNEX5.sheet] if form == ANNEX4 else []), NOTES]


# Red cells


def test_answers_turn_red_where_they_are_due_blank_wrong_or_contradict(office: Office, campaign: Campaign) -> None:
    _, layout = show(office, campaign, ANNEX4)
    assert set(colours(office, layout)) == {"~~~"}  # nothing typed yet: all due, nothing wrong
    cases = [
        (("", "", ""), "~~~"),
        ((" ", "", "  "), "~~~"),  # spaces are no answer
        (("A.户籍原因", "", ""), ".!!"),  # a row that is begun is finished or wrong
        (("", "无", ""), "!!!"),
        (("", "", "甲某、乙某"), "!!."),
        (("A.户籍原因", "无", ""), "..!"),
        (("A.户籍原因", "无", "  "), "..!"),
        (("A.户籍原因", "是", "甲某"), ".!."),
        (("H.出国在外", "否", "甲某"), ".!."),
        (("K.打工务农", "无", "甲某"), ".!."),
        (("M.其他原因", "也许", "甲某"), ".!."),
        (("Z.不详", "无", "甲某"), "!!."),
        (("户籍原因", "无", "甲某"), "!!."),
        (("A", "无", "甲某"), "!!."),
        (("A.户籍原因", "无", "甲"), "..!"),
        (("A.户籍原因", "无", " 甲 "), "..!"),
        (("A.户籍原因", "无", "甲某"), "..."),
        (("K.打工务农", "是", "甲某、乙某"), "..."),
        (("K.打工务农", "否", "甲某、乙某"), "..."),
    ]
    put(office, layout, [typed for typed, _ in cases])
    assert colours(office, layout)[: len(cases)] == [shown for _, shown in cases]


@pytest.mark.parametrize("typed", ["a.户籍原因", "m.其他原因"])
def test_a_category_in_another_case_is_wrong_as_it_does_not_count(
    office: Office, campaign: Campaign, typed: str
) -> None:
    _, layout = show(office, campaign, ANNEX4)
    put(office, layout, [[typed, "无" if typed[0] == "a" else "是", "甲某"]])
    assert colours(office, layout)[0][0] == "!"
    assert progress(office, ANNEX4) == f"已填 0 / 共 {CHILDREN}，待改 1"


@pytest.mark.parametrize(
    ("category", "returned", "shown"),
    [("K.打工务农", "?", ".!."), ("K.打工务农", "*", ".!."), ("*", "无", "!!."), ("A*", "无", "!!."),
     ("?.户籍原因", "无", "!!."), (".*", "无", "!!."), ("~", "无", "!!.")],
)  # fmt: skip
def test_a_wildcard_stands_for_itself_alone(
    office: Office, campaign: Campaign, category: str, returned: str, shown: str
) -> None:
    _, layout = show(office, campaign, ANNEX4)
    put(office, layout, [[category, returned, "甲某"]])
    assert colours(office, layout)[0] == shown
    assert progress(office, ANNEX4) == f"已填 0 / 共 {CHILDREN}，待改 1"


def test_red_goes_as_soon_as_the_answer_is_right_and_comes_back(office: Office, campaign: Campaign) -> None:
    _, layout = show(office, campaign, ANNEX4)
    for category, shown in (("K.打工务农", ".!."), ("A.户籍原因", "..."), ("", "!!."), ("A.户籍原因", "...")):
        put(office, layout, [[category, "无", "甲某"]], first=layout.count - 1)
        assert colours(office, layout) == ["~~~"] * (layout.count - 1) + [shown], category


def test_a_correction_begun_and_not_finished_is_red(office: Office, campaign: Campaign) -> None:
    bundle, layout = show(office, campaign, CORRECTIONS)
    allowed = listed(campaign, bundle)
    cause, outcome = allowed["cause"].values[0], allowed["outcome"].values[0]
    cases: list[tuple[tuple[object, ...], str]] = [
        (("", "", "", ""), "...."),  # still open
        ((cause, "", "", ""), "...."),  # the cause is found, nothing done yet
        (("", "", "", "说明"), "...."),
        (("", outcome, "", ""), "!.!."),
        ((cause, outcome, "", ""), "..!."),
        ((cause, "", NUMBER, ""), ".!.."),
        ((cause, outcome, "昨天", ""), "..!."),
        ((cause, "不知道", NUMBER, ""), ".!.."),
        (("不知道", outcome, NUMBER, ""), "!..."),
        ((cause, outcome, NUMBER, ""), "...."),
        ((cause, outcome, FIRST_NUMBER, ""), "...."),
        ((cause, outcome, FIRST_NUMBER - 1, ""), "..!."),  # before the notice: pasted, past the validation
    ]
    put(office, layout, [typed for typed, _ in cases[:8]])
    assert colours(office, layout) == [shown for _, shown in cases[:8]]
    assert progress(office, CORRECTIONS) == "已填 2 / 共 8，待改 5"
    put(office, layout, [typed for typed, _ in cases[8:]])
    assert colours(office, layout)[:4] == [shown for _, shown in cases[8:]]


def test_a_case_begun_and_not_finished_is_red(office: Office, campaign: Campaign) -> None:
    bundle, layout = show(office, campaign, CASES, work_rows(campaign, CASES, "K" * 12))
    allowed = listed(campaign, bundle)
    assert allowed["measure"].by is not None
    assert allowed["schooling"].by is not None
    label = campaign.category["K"].label
    measure, schooling = allowed["measure"].by[label][0], allowed["schooling"].by[label][0]
    foreign = next(
        m for m in allowed["measure"].by[campaign.category["I"].label] if m not in allowed["measure"].by[label]
    )
    duty = allowed["department"].values[0]
    cases: list[tuple[tuple[object, ...], str]] = [
        (("", "", "", "", "", "", ""), "......."),
        (("", "", "", "", "", "", "第三小学"), "...!..."),
        ((measure, "", "", "", "", "", ""), ".!!...."),
        (("", duty, "", "", "", "", ""), "!.!...."),
        (("", "", "甲某", "", "", "", ""), "!!....."),
        ((measure, duty, "甲", "", "", "", ""), "..!...."),
        ((foreign, duty, "甲某", "", "", "", ""), "!......"),
        ((measure, "无人", "甲某", "", "", "", ""), ".!....."),
        ((measure, duty, "甲某", schooling, "", "", ""), "....!!."),
        ((measure, duty, "甲某", "", NUMBER, "", ""), "...!.!."),
        ((measure, duty, "甲某", schooling, "春天", "乙某", ""), "....!.."),
        ((measure, duty, "甲某", schooling, NUMBER, "乙某", "第三小学"), "......."),
    ]
    put(office, layout, [typed for typed, _ in cases])
    assert colours(office, layout) == [shown for _, shown in cases]
    assert progress(office, CASES) == "已填 1 / 共 12，待改 10"


# The progress line


def test_the_progress_line_counts_what_is_filled_and_what_is_wrong(office: Office, campaign: Campaign) -> None:
    _, layout = show(office, campaign, ANNEX4)
    assert progress(office, ANNEX4) == f"已填 0 / 共 {CHILDREN}，待改 0"
    office.recalculate()
    assert progress(office, ANNEX4) == f"已填 0 / 共 {CHILDREN}，待改 0"
    assert office.look(ANNEX4.sheet)[PROGRESS][0]["background"] == ""
    put(office, layout, [["A.户籍原因", "无", "甲某"], ["K.打工务农", "无", "甲某"], ["I.因病因残", "", ""]])
    assert progress(office, ANNEX4) == f"已填 1 / 共 {CHILDREN}，待改 2"
    assert office.look(ANNEX4.sheet)[PROGRESS][0]["background"] == "#E0464E"
    put(office, layout, [["A.户籍原因", "无", "甲某"]] * CHILDREN)
    assert progress(office, ANNEX4) == f"已填 {CHILDREN} / 共 {CHILDREN}，待改 0"
    line = office.look(ANNEX4.sheet)[PROGRESS][0]
    assert (line["background"], line["colour"]) == ("", DONE)


def test_the_progress_line_is_right_for_any_filling(office: Office, campaign: Campaign) -> None:
    _, layout = show(office, campaign, ANNEX4)
    random_ = random.Random(SEED)
    allowed = {c.label: ("无",) if c.code in "ABCDEFGH" else ("是", "否") for c in campaign.categories}
    for _ in range(40):
        share = random_.random()
        rows = []
        for _ in range(CHILDREN):
            row = [random_.choice(list(allowed)), random_.choice("是否无"), "甲某、乙某"]
            for at, others in enumerate((("", "  ", "不详"), ("", "不详"), ("", "甲", " "))):
                if random_.random() < share / 2:
                    row[at] = random_.choice(others)
            rows.append(["", "", ""] if random_.random() < share / 3 else row)
        put(office, layout, rows)
        begun = [row for row in rows if any(text.strip() for text in row)]
        right = [row for row in begun if row[1] in allowed.get(row[0], ()) and len(row[2].strip()) >= 2]
        expected = f"已填 {len(right)} / 共 {CHILDREN}，待改 {len(begun) - len(right)}"
        assert progress(office, ANNEX4) == expected, rows


def test_a_nil_return_says_so_and_sums_to_nothing(office: Office, campaign: Campaign) -> None:
    show(office, campaign, ANNEX4, ())
    office.recalculate()
    assert progress(office, ANNEX4) == "本次没有需要填写的行（零报告）：请填写表尾后报回。"
    right = len(ANNEX5.columns) - 1
    assert office.get(ANNEX5.sheet, (2, UNIT, right, TOTAL)) == [[0] * (right - 1)] * 2
    assert office.get(ANNEX5.sheet, (0, CHECK, 0, CHECK)) == [["与附件4人数相符（0 人）。"]]


# 附件5


def annex5_of(campaign: Campaign, rows: Sequence[Sequence[str]]) -> list[int]:
    """附件5 of some answers, computed by us: the sum, each category, the returned."""
    to_return = {category.label for category in campaign.categories if category.group == "to_return"}
    answers = [(category.strip(" "), returned.strip(" ")) for category, returned, _ in rows]
    counts = [sum(answer == category.label for answer, _ in answers) for category in campaign.categories]
    return [sum(counts), *counts, sum(answer in to_return and returned == "是" for answer, returned in answers)]


def random_rows(random_: random.Random, campaign: Campaign, count: int) -> list[list[str]]:
    """Answers as people leave them: most right, some blank, contradictory, unlisted, in another case, with spaces."""
    labels = [category.label for category in campaign.categories]

    def category() -> str:
        label = random_.choice(labels)
        others = ("", label.lower(), f"{label} ", f"  {label}", label[2:], label[0], f"{label}。", "N.不详", "*",
                  f"{label[0]}*", "?.户籍原因", label.replace(".", "．"), label.replace(".", ". "))  # fmt: skip
        return label if random_.random() < 0.6 else random_.choice(others)

    def returned() -> str:
        others = ("", " 是", "是 ", "?", "*", "否 ", "是的", "y", "1")
        return random_.choice("是否无") if random_.random() < 0.7 else random_.choice(others)

    def team() -> str:
        return random_.choice(("甲某、乙某", "甲某、乙某", "甲", ""))

    return [[category(), returned(), team()] for _ in range(count)]


def test_annex_5_equals_ours_cell_by_cell_for_200_random_fillings(office: Office, campaign: Campaign) -> None:
    _, layout = show(office, campaign, ANNEX4)
    right = len(ANNEX5.columns) - 1
    random_ = random.Random(SEED)
    seen: set[int] = set()
    for number in range(200):
        rows = random_rows(random_, campaign, CHILDREN)
        put(office, layout, rows)
        expected = annex5_of(campaign, rows)
        assert office.get(ANNEX5.sheet, (2, UNIT, right, TOTAL)) == [expected, expected], number
        missing = CHILDREN - expected[0]
        ((check,),) = office.get(ANNEX5.sheet, (0, CHECK, 0, CHECK))
        assert check == f"附件4还有 {missing} 人未填或填错，暂不要打印。", number
        seen |= set(expected)
    assert len(seen) > 10


def test_annex_5_is_formulas_alone_and_stands_as_in_the_notice(office: Office, campaign: Campaign) -> None:
    bundle, _ = show(office, campaign, ANNEX4)
    right = len(ANNEX5.columns) - 1
    for row in office.formulas(ANNEX5.sheet, (2, UNIT, right, TOTAL)):
        assert all(formula.startswith("=") for formula in row)
    rows = office.get(ANNEX5.sheet, (0, 0, right, SIGNED))
    assert rows[0][0] == f"{campaign.county}疑似失学儿童核查劝返总体情况汇总表"
    assert (rows[1][:3], rows[1][right]) == (["地市", "区县", "疑似失学儿童合计"], "复学人数")
    assert (rows[1][3], rows[1][11]) == ("核减项", "应劝返项")
    assert rows[2][3:right] == [category.label for category in campaign.categories]
    assert rows[UNIT][:2] == [campaign.city, f"{campaign.county}·{bundle.name}"]
    assert rows[TOTAL][0] == "总计"


def test_annex_5_shows_the_same_before_anything_is_calculated(office: Office, campaign: Campaign) -> None:
    show(office, campaign, ANNEX4)
    area = (0, 0, len(ANNEX5.columns) - 1, SIGNED)
    fresh = office.get(ANNEX5.sheet, area)
    assert fresh[CHECK][0] == f"附件4还有 {CHILDREN} 人未填或填错，暂不要打印。"
    office.recalculate()
    assert office.get(ANNEX5.sheet, area) == fresh


def test_annex_5_says_when_it_agrees_and_takes_over_the_footer(office: Office, campaign: Campaign) -> None:
    bundle, layout = show(office, campaign, ANNEX4)
    put(office, layout, [["K.打工务农", "是", "甲某"]] * CHILDREN)
    assert office.get(ANNEX5.sheet, (0, CHECK, 0, CHECK)) == [[f"与附件4人数相符（{CHILDREN} 人）。"]]
    put(office, layout, [["k.打工务农", "是", "甲某"]])
    assert office.get(ANNEX5.sheet, (0, CHECK, 0, CHECK)) == [["附件4还有 1 人未填或填错，暂不要打印。"]]
    right = len(ANNEX5.columns) - 1

    def footer() -> list[str]:
        return [text for text in office.get(ANNEX5.sheet, (0, SIGNED, right, SIGNED))[0] if text]

    labels = ["单位：", "填报人：", "联系电话：", "主管领导：", "日期："]
    assert footer() == [labels[0], bundle.name, *labels[1:]]
    typed = {"filler": "测试员甲", "phone": "0411-00000000", "leader": "=测试员乙"}
    for _, blank, field in layout.footer_cells():
        if field.key in typed:
            office.put(ANNEX4.sheet, blank, layout.footer, [[typed[field.key]]])
    office.put(ANNEX5.sheet, 3 * 4 + 1, SIGNED, [["2019-02-26"]])
    values = [bundle.name, *typed.values(), "2019-02-26"]
    assert footer() == [text for pair in zip(labels, values, strict=True) for text in pair]


# The printed page


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: form.key)
def test_the_table_prints_wide_on_a4_with_head_page_number_and_signatures(
    office: Office, campaign: Campaign, form: Form
) -> None:
    _, layout = show(office, campaign, form)
    assert office.page(form.sheet) == {
        "landscape": True,
        "millimetres": [297, 210],
        "pages": [1, 0],  # as wide as a page, as long as it is
        "repeated": [TITLE, HEADER],
        "areas": [[0, TITLE, layout.right, layout.footer]],
        "footer": [form.sign, "", "第 {PageNumber} 页，共 {PageCount} 页"],
    }
    assert "签字" in form.sign
    notes = office.page(NOTES)
    assert (notes["millimetres"], notes["pages"]) == ([210, 297], [1, 0])


def test_annex_5_prints_on_one_page_to_be_signed(office: Office, campaign: Campaign) -> None:
    show(office, campaign, ANNEX4)
    assert office.page(ANNEX5.sheet) == {
        "landscape": True,
        "millimetres": [297, 210],
        "pages": [1, 1],
        "repeated": None,
        "areas": [[0, 0, len(ANNEX5.columns) - 1, SIGNED]],
        "footer": ["单位负责人签字：＿＿＿＿＿＿＿＿（盖章）", "", "第 {PageNumber} 页，共 {PageCount} 页"],
    }


def test_a_long_table_takes_more_pages_and_annex_5_and_the_notes_one_each(office: Office, campaign: Campaign) -> None:
    show(office, campaign, ANNEX4, ())
    assert office.pages() == 3
    show(office, campaign, ANNEX4, child_rows(campaign, 120))
    assert office.pages() >= 3 + 3


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: form.key)
def test_title_progress_and_head_stay_in_sight(office: Office, campaign: Campaign, form: Form) -> None:
    show(office, campaign, form)
    assert office.frozen(form.sheet) == [0, FIRST]


def long_rows(campaign: Campaign, form: Form) -> list[Row]:
    """Rows with a name of up to 12 and an address of up to 90 characters."""
    rows = bundle_of(campaign, form).rows
    address = "虚构省青石县东港镇东山村第二村民小组原供销社家属院三单元四层西户靠河一侧" * 3
    made: list[Row] = []
    for number in range(41):
        row = dict(rows[number % len(rows)])
        row["name"] = ("买买提阿卜杜热合曼江某某" * 2)[: 2 + number % 11]
        for key in {"household", "fault", "candidates"} & set(row):
            row[key] = address[: 10 + 2 * number]
        made.append(row)
    assert len(made[-1]["household" if "household" in made[-1] else "fault"]) == 90
    assert max(len(row["name"]) for row in made) == 12
    return made


def longest(campaign: Campaign, bundle: Bundle) -> list[list[object]]:
    """What is longest to choose in each row, and names of six people."""
    allowed = listed(campaign, bundle)
    rows = []
    for row in bundle.rows:
        typed: list[object] = []
        for column in bundle.form.editable:
            if column.key in allowed:
                by = allowed[column.key].by
                values = allowed[column.key].values if by is None else by.get(row.get(column.depends, ""), ("无",))
                typed.append(max(values, key=len))
            elif column.kind == "date":
                typed.append(NUMBER)
            elif column.key == "team":
                typed.append("、".join(["测试员"] * 6))
            else:
                typed.append("欧阳测试员")
        rows.append(typed)
    return rows


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: form.key)
def test_every_row_is_as_high_as_its_text_wraps(office: Office, campaign: Campaign, form: Form) -> None:
    bundle, layout = show(office, campaign, form, long_rows(campaign, form))
    put(office, layout, longest(campaign, bundle))
    found = office.heights(form.sheet)
    assert_high_enough(found, form.sheet)
    assert max(row["needs"] for row in found) > 60  # text does wrap
    assert {row["row"] for row in found} >= set(range(layout.footer + 1))


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: form.key)
def test_the_notes_are_as_high_as_their_text_wraps(office: Office, campaign: Campaign, form: Form) -> None:
    show(office, campaign, form)
    found = office.heights(NOTES)
    assert_high_enough(found, NOTES)
    assert max(row["needs"] for row in found) > 25


def test_annex_5_is_as_high_as_its_text_wraps(office: Office, campaign: Campaign) -> None:
    _, layout = show(office, campaign, ANNEX4)
    put(office, layout, [["K.打工务农", "是", "甲某"]] * CHILDREN)
    found = office.heights(ANNEX5.sheet)
    assert_high_enough(found, ANNEX5.sheet)
    assert max(row["needs"] for row in found) > 25


def assert_high_enough(found: Sequence[Mapping[str, float]], sheet: str) -> None:
    """No row is lower than its text; LibreOffice rounds by up to a tenth of a point."""
    low = {int(row["row"]): (row["has"], row["needs"]) for row in found if row["has"] < row["needs"] - 0.1}
    assert not low, sheet


# Receipts


def test_receipts_are_one_page_each_and_name_no_child(office: Office, campaign: Campaign) -> None:
    rows = child_rows(campaign, 120)
    bundles = [
        Bundle(ANNEX4, ISSUE, unit.slug, unit.name, tuple(rows[at::30])) for at, unit in enumerate(campaign.units)
    ]
    marks = {bundle.recipient: random.Random(bundle.recipient).randbytes(32) for bundle in bundles}
    office.open(build_receipts(campaign, bundles, marks, DAY.isoformat()))
    sheets = office.sheets()
    assert len(sheets) == len(bundles) == 30
    assert all(sheet["visible"] for sheet in sheets)
    assert office.pages() == len(bundles)
    for bundle, sheet in zip(bundles, sheets, strict=True):
        texts = [str(value) for row in office.get(sheet["name"], (0, 0, 5, 60)) for value in row if value != ""]
        assert bundle.name in texts
        assert bundle.file in texts
        text = "\n".join(texts)
        for child in rows:
            for key in ("name", "id_number", "household"):
                assert child[key] not in text
        page = office.page(sheet["name"])
        assert (page["landscape"], page["millimetres"], page["pages"]) == (False, [210, 297], [1, 1])
        assert any("{PageNumber}" in part for part in page["footer"])
    assert_high_enough(office.heights(sheets[0]["name"]), "receipts")
