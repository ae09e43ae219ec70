"""Lists as wild as they come: 0 children lost or doubled between the list and the workbooks.

What must become of a row is said here once more, in plain words of its own: each row with something in it ends exactly
once, as a child in one workbook, as a finding at its own cell that stops the issue, or as decided by a person.
"""

import datetime as dt
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from etl.exchange.bundle import Bundle, child_row
from etl.exchange.list_rows import Decision
from etl.findings import has_errors
from etl.forms.definitions import ANNEX4
from etl.forms.manifest import Manifest
from etl.issue.decisions import decided, exclusions_bundle, unassigned_bundle
from etl.issue.province_list import ProvinceList, Split, read_list, split_list
from etl.issue.workbook import build_workbook
from etl.read.cells import parse_workbook
from etl.rulebook.campaign import Campaign
from tests.support.books import id_number, row_of, write_list

KEYS = tuple(column.key for column in ANNEX4.issued)
#: Runs of `make prove`, side by side; together 10,000 lists.
PARTS, LISTS = 8, 1250

#: Kinds of rows: nothing wrong, something odd, a twin of another, of one or no or several units; or blank.
KINDS = ("good", "good", "good", "odd", "odd", "twin", "twin", "moved", "moved", "spaces", "nothing")

#: Texts as bad as a cell can hold.
nasty = st.sampled_from([
    "=1+1", "=cmd|' /C calc'!A0", "@SUM(1)", "+1", "-1", "http://a.invalid", "mailto:a@b", "'甲", "_x0041_", " 甲 ",
    "𠮷野", "阿依古丽·买买提", "甲\n乙", "甲\r\n乙", "\t甲", "1e5", "0001", "007.50", "TRUE", "#N/A", "{=1}", "无",
    "姓名", "单位", "总计", "😀\U0001f469\u200d\U0001f467", "e\u0301", "\u202e甲", "\ufeff甲", "<a>&amp;", "<![CDATA[",
    '"', "长" * 300, "x" * 2000, "甲\n" * 40 + "乙",
])  # fmt: skip
wild = st.text(
    st.characters(min_codepoint=32, exclude_categories=["Cs", "Cn"], exclude_characters="\x7f"), min_size=1, max_size=8
)
texts = wild | nasty
blanks = st.sampled_from(["", " ", "\u3000", "\n"])


@dataclass(frozen=True)
class WildList:
    """A sheet: lines above the header, headings, and rows below. `at` gives the column of each key."""

    above: tuple[tuple[object, ...], ...]
    headings: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    at: Mapping[str, int]

    def number(self, row: int) -> int:
        """The number, counted from 1, of a row of the table, counted from 0."""
        return len(self.above) + 2 + row

    def cell(self, number: int, key: str) -> str:
        return f"{chr(ord('A') + self.at[key])}{number}"


@st.composite
def spellings(draw: st.DrawFn, key: str) -> str:
    """A heading under any known alias, as people and programs spell it."""
    column = ANNEX4.column(key)
    text = draw(st.sampled_from([column.heading, *column.aliases]))
    if draw(st.booleans()):
        text = text.replace("（", "(").replace("）", ")")
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from([" ", "\n", "\u3000", "\u00a0", "\r\n"])) + text[at:]
    return text


def plain_heading(text: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text))


KNOWN = {plain_heading(text) for c in ANNEX4.columns for text in (c.heading, *c.aliases)}
unknown_headings = (st.just("") | texts).filter(lambda text: plain_heading(text) not in KNOWN)


@st.composite
def numbers(draw: st.DrawFn, order: int) -> tuple[object, str]:
    """(ID number, sex) of a child: its own, one that others have too, at the edge of the dates, or no number at all."""
    kind = draw(st.sampled_from(["own", "twin", "twin", "edge", "old", "odd"]))
    valid = {
        "own": ("20060115", order % 990 + 1),
        "twin": ("20070228", draw(st.integers(1, 2))),
        "edge": (draw(st.sampled_from(["20030831", "20030901", "20120831", "20120901"])), order % 990 + 1),
        "old": (draw(st.sampled_from(["19990101", "20160229", "20310101"])), order % 990 + 1),
    }
    birth, serial = valid.get(kind, ("20060115", order % 990 + 1))
    number = id_number(birth, serial)
    sex = draw(st.just("女男"[serial % 2]) | st.sampled_from(["男", "女", "", "男 ", "M"]))
    if kind != "odd":
        return number, sex
    spoiled: list[object] = [
        "", " ", number[:17], number + "0", number[:17] + "0", number[:-1] + "x", " " + number, number + "\n",
        number.translate({48 + digit: 0xFF10 + digit for digit in range(10)}), id_number("20060230", serial),
        "0" + number[1:], int(number[:15]), float(int(number[:17])), "无", number[:6] + "-" + number[6:],
    ]  # fmt: skip
    return draw(st.sampled_from(spoiled) | texts), sex


@st.composite
def households(draw: st.DrawFn) -> str:
    """An address that names one unit, or none, or several."""
    names = ["东港镇", "东港", "西岭乡", "南山街道", "南山办事处"]
    count = draw(st.integers(0, 3))
    parts = [draw(st.just("虚构省青石县") | texts)]
    for _ in range(count):
        parts += [draw(st.sampled_from(names)), draw(st.sampled_from(["东山村1号", "", "与", "西岭", "南山"]) | texts)]
    return "".join(parts) if count or draw(st.booleans()) else ""


@st.composite
def good_rows(draw: st.DrawFn, order: int) -> dict[str, object]:
    """The eight values of a row that nothing is wrong with, however odd they look."""
    unit = draw(st.sampled_from(["东港镇", "东港", "西岭乡", "南山街道", "南山办事处"]))
    digit = order % 990 + 1
    row: dict[str, object] = {key: draw(texts.filter(str.strip)) for key in ("province", "city", "county", "name")}
    row["serial"] = draw(st.sampled_from([f"{order + 1000}", f"{order + 1:04d}", order + 2000, float(order + 3000)]))
    row |= {"id_number": id_number("20060115", digit), "sex": "女男"[digit % 2]}
    return row | {"household": draw(texts) + unit + draw(st.just("") | texts)}


@st.composite
def odd_rows(draw: st.DrawFn, order: int) -> dict[str, object]:
    """The same with one value or more that may be wrong."""
    row = draw(good_rows(order))
    number, sex = draw(numbers(order))
    serials = [f"{order + 1000}", "1", 1, 1.0, "01", " 1", 1.5, "1.5", "１", "=1+1", "", " "]
    other: dict[str, object] = {
        "serial": draw(st.sampled_from(serials)),
        "household": draw(households()),
        "name": draw(st.integers(0, 10**6) | blanks | texts),
        **{key: draw(blanks | texts) for key in ("province", "city", "county")},
    }
    changed = draw(st.sets(st.sampled_from(["numbers", "numbers", *other]), min_size=1, max_size=3))
    row |= {key: value for key, value in other.items() if key in changed}
    return row | ({"id_number": number, "sex": sex} if "numbers" in changed else {})


@st.composite
def wild_lists(draw: st.DrawFn) -> WildList:
    """The eight columns in any order, unknown ones between them, lines above, blank rows in between."""
    order: list[str] = draw(st.permutations([*KEYS, *[""] * draw(st.integers(0, 4))]))
    at = {key: order.index(key) for key in KEYS}
    headings = [draw(spellings(key) if key else unknown_headings) for key in order]
    title = st.lists(st.just("") | texts | st.sampled_from(["姓名", "性别"]), min_size=1, max_size=3)
    above = draw(st.lists(title, max_size=5))
    rows: list[tuple[object, ...]] = []
    filled: list[dict[str, object]] = []
    for number in range(draw(st.sampled_from([0, 1, 3, 6, 9, 12]))):
        row: dict[str, object] = {}
        kind = draw(st.sampled_from(KINDS))
        if kind in ("good", "odd", "twin", "moved"):
            row = draw(odd_rows(number) if kind == "odd" else good_rows(number))
        if kind == "moved":
            row["household"] = draw(households())
        if kind == "twin" and filled:
            same = draw(st.sampled_from([("serial",), ("id_number", "sex"), KEYS]))
            row |= {key: value for key, value in draw(st.sampled_from(filled)).items() if key in same}
        elif kind == "spaces":
            row = {key: draw(blanks) for key in KEYS}
        filled += [row] if row and kind != "spaces" else []
        rows.append(tuple(row.get(key, "") if key else draw(st.just("") | texts) for key in order))
    return WildList(tuple(map(tuple, above)), tuple(headings), tuple(rows), at)


def write(path: Path, sheet: WildList) -> Path:
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(path, options) as book:
        page = book.add_worksheet("名单")
        for row, cells in enumerate([*sheet.above, sheet.headings, *sheet.rows]):
            for at, value in enumerate(cells):
                page.write(row, at, value)
    return path


# What must become of a row, in words that share nothing with the code.


def as_text(value: object) -> str:
    """What a cell says: a whole number without its point; one that has lost digits as no ID is written."""
    is_whole = isinstance(value, float) and value == round(value) and abs(value) < 1e15
    return f"{value:.0f}" if is_whole else str(value)


def is_number(text: str) -> bool:
    """18 characters, a date, and a sum that leaves 1 when divided by 11 (ISO 7064)."""
    if not re.fullmatch("[1-9][0-9]{16}[0-9X]", text):
        return False
    values = [10 if char == "X" else int(char) for char in text]
    try:
        dt.datetime.strptime(text[6:14], "%Y%m%d")
    except ValueError:
        return False
    return sum(value << (17 - at) for at, value in enumerate(values)) % 11 == 1


def units_of(household: str, campaign: Campaign) -> list[str]:
    """No name of this campaign stands inside another: whatever stands in the address is meant."""
    return [unit.slug for unit in campaign.units if any(name in household for name in (unit.name, *unit.aliases))]


@dataclass
class Fate:
    """What becomes of a row: the unit that gets it, or the cells at fault."""

    texts: dict[str, str]
    faults: list[tuple[str, str]]
    unit: str = ""


def fates(
    sheet: WildList, campaign: Campaign, excluded: Collection[int], assigned: Mapping[int, str]
) -> dict[int, Fate]:
    """By row number. Of rows with one serial or number, every one but the first is at fault."""
    found: dict[int, Fate] = {}
    serials: set[str] = set()
    numbers_: set[str] = set()
    for at, cells in enumerate(sheet.rows):
        row = {key: as_text(cells[sheet.at[key]]) for key in KEYS}
        number = sheet.number(at)
        if not "".join(row.values()).strip() or number in excluded:
            continue
        faults = [("L09", key) for key in ("province", "city", "county", "name", "sex") if not row[key].strip()]
        faults += [("L13", key) for key in KEYS if len(row[key]) > campaign.limits.cell_characters]
        serial = unicodedata.normalize("NFKC", row["serial"]).strip()  # as a person reads it
        if not serial or serial in serials:
            faults.append(("L02", "serial"))
        serials.add(serial)
        text = row["id_number"]
        if not is_number(text) or row["sex"] != "女男"[int(text[16]) % 2]:
            faults.append(("L03", "id_number"))
        else:
            if text in numbers_:
                faults.append(("L04", "id_number"))
            numbers_.add(text)
            if not "20030901" <= text[6:14] <= "20120831":
                faults.append(("L05", "id_number"))
        units = units_of(row["household"], campaign)
        unit = units[0] if len(units) == 1 else assigned.get(number, "")
        if not unit:
            faults.append(("L07" if units else "L06", "household"))
        found[number] = Fate(row, faults, unit)
    return found


def assert_reported(sheet: WildList, split: Split, expected: Mapping[int, Fate]) -> None:
    """Every fault at its own cell, no other finding; an error wherever there is one."""
    found = Counter((finding.rule, finding.cell) for finding in split.findings)
    assert found == Counter(
        (rule, sheet.cell(number, key)) for number, fate in expected.items() for rule, key in fate.faults
    )
    assert has_errors(split.findings) == any(fate.faults for fate in expected.values())


def decide(
    given_: ProvinceList, split: Split, expected: Mapping[int, Fate], campaign: Campaign, data: st.DataObject
) -> tuple[list[Decision], list[Decision]]:
    """(exclusions, assignments) of all that is open, by the decision workbooks, filled as an officer does.

    Rows at fault are left out; of the rows that are offered besides (the first of two twins), some.
    """
    bundles = exclusions_bundle(split, campaign, "list-0"), unassigned_bundle(split, campaign, "list-0")
    faulty = {n for n, fate in expected.items() if any(rule not in ("L06", "L07") for rule, _ in fate.faults)}
    assert faulty <= {int(row["row"]) for row in bundles[0].rows} <= set(expected)
    assert [int(row["row"]) for row in bundles[1].rows] == [
        n for n, fate in expected.items() if len(units_of(fate.texts["household"], campaign)) != 1
    ]
    by_number = {str(row.number): row.texts for row in given_.rows}
    names = [unit.name for unit in campaign.units]
    left_out: dict[str, dict[str, str]] = {}
    for row in bundles[0].rows:
        assert row["serial"] == by_number[row["row"]]["serial"]
        is_out = int(row["row"]) in faulty or data.draw(st.booleans())
        left_out[row["row"]] = {
            "decision": "排除" if is_out else "",
            "reason": data.draw(st.sampled_from(["", "重复"])),
        }
    chosen = {row["row"]: {"unit": data.draw(st.sampled_from(names))} for row in bundles[1].rows}
    units = [(unit.name, unit.slug) for unit in campaign.units]
    return decided(bundles[0], left_out, "甲", units), decided(bundles[1], chosen, "甲", units)


def read_back(split: Split, campaign: Campaign) -> dict[str, list[dict[str, str]]]:
    """The rows of every unit's workbook, built and read again; the seal is left off."""
    back = {}
    for unit in campaign.units:
        rows = tuple(child_row(child) for child in split.children if child.unit == unit.slug)
        bundle = Bundle(ANNEX4, "20200302-01", unit.slug, unit.name, rows)
        manifest = Manifest(ANNEX4.key, bundle.issue, unit.slug, bundle.keys).signed(lambda data: data[:4])
        submission = parse_workbook(build_workbook(campaign, bundle, manifest), campaign.limits)
        assert submission.manifest == manifest
        assert submission.footer == {"unit": unit.name, "filler": "", "phone": "", "leader": ""}
        values = [{key: value.text for key, value in row.items()} for row in submission.rows]
        assert all((row["category"], row["returned"], row["team"]) == ("", "", "") for row in values)
        back[unit.slug] = [{key: row[key] for key in KEYS} for row in values]
    return back


def assert_in_workbooks(split: Split, expected: Mapping[int, Fate], campaign: Campaign) -> None:
    """Each row in its unit's workbook, cell by cell, in the list's order, and nothing else in any."""
    back = read_back(split, campaign)
    for unit in campaign.units:
        assert back[unit.slug] == [fate.texts for fate in expected.values() if fate.unit == unit.slug]
    assert sum(map(len, back.values())) == len(expected)


def hold(sheet: WildList, campaign: Campaign, path: Path, data: st.DataObject) -> None:
    """A list from its file to the workbooks: as it is, half decided, decided."""
    province_list, found = read_list(write(path, sheet), campaign)
    assert found == []
    assert province_list is not None
    everything = fates(sheet, campaign, (), {})
    assert {row.number: dict(row.texts) for row in province_list.rows} == {
        n: fate.texts for n, fate in everything.items()
    }
    split = split_list(province_list, campaign)
    assert_reported(sheet, split, everything)

    anywhere = st.sampled_from([*everything] or [0])
    some = data.draw(st.sets(anywhere, max_size=3))
    # An assignment says nothing of a row whose address names one unit.
    sent = data.draw(st.dictionaries(anywhere, st.sampled_from([*campaign.unit]), max_size=3))
    half, expected = (
        split_list(province_list, campaign, excluded=some, assigned=sent),
        fates(sheet, campaign, some, sent),
    )
    assert_reported(sheet, half, expected)
    assert [(child.serial, child.unit) for child in half.children] == [
        (fate.texts["serial"], fate.unit) for fate in expected.values() if fate.unit
    ]

    exclusions, assignments = decide(province_list, split, everything, campaign, data)
    excluded = [one.row for one in exclusions]
    assigned = {one.row: one.value for one in assignments}
    assert len(set(excluded)) == len(excluded)
    last = split_list(province_list, campaign, excluded=excluded, assigned=assigned)
    expected = fates(sheet, campaign, excluded, assigned)
    assert_reported(sheet, last, expected)
    assert not last.findings
    assert len(last.children) + len(excluded) == len(everything)
    assert_in_workbooks(last, expected, campaign)


steady = settings(
    derandomize=True, max_examples=15, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


@steady
@given(sheet=wild_lists(), data=st.data())
def test_every_row_of_a_wild_list_ends_exactly_once(
    small: Campaign, tmp_path: Path, sheet: WildList, data: st.DataObject
) -> None:
    hold(sheet, small, tmp_path / "list.xlsx", data)


@pytest.mark.prove
@pytest.mark.parametrize("part", range(PARTS))
def test_every_row_of_ten_thousand_wild_lists_ends_exactly_once(small: Campaign, tmp_path: Path, part: int) -> None:
    seen = Counter[str]()

    @seed(part)
    @settings(steady, derandomize=False, max_examples=LISTS)
    @given(sheet=wild_lists(), data=st.data())
    def held(sheet: WildList, data: st.DataObject) -> None:
        hold(sheet, small, tmp_path / "list.xlsx", data)
        seen["lists"] += 1

    held()
    assert seen["lists"] >= LISTS


def test_a_list_on_two_sheets_is_never_read_by_half(small: Campaign, tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "list.xlsx") as book:
        for serial in ("1", "2"):
            page = book.add_worksheet(f"名单{serial}")
            for at, column in enumerate(ANNEX4.issued):
                page.write_string(0, at, column.heading)
                page.write_string(1, at, str(row_of(serial)[column.key]))
    province_list, found = read_list(tmp_path / "list.xlsx", small)
    assert has_errors(found) or (province_list is not None and len(province_list.rows) == 2)


@pytest.mark.parametrize(("name", "household"), [("填报人：", "单位：东港镇"), ("主管领导", "联系电话：东港镇")])
def test_a_row_that_looks_like_the_footer_is_still_a_row(
    small: Campaign, tmp_path: Path, name: str, household: str
) -> None:
    path = write_list(tmp_path / "list.xlsx", [row_of("1", name=name, household=household), row_of("2")])
    province_list, found = read_list(path, small)
    assert province_list is not None
    split = split_list(province_list, small)
    assert has_errors([*found, *split.findings]) or len(read_back(split, small)["donggang"]) == 2
