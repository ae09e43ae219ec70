"""The province's list: read with the cells that are at fault, split without a child lost, doubled or guessed."""

import io
import json
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from etl.exchange.bundle import Bundle, child_row
from etl.exchange.child import Child
from etl.forms.definitions import ANNEX4
from etl.forms.manifest import Manifest
from etl.issue import outbox as issuing
from etl.issue.assign import match_units
from etl.issue.workbook import build_workbook
from etl.read.cells import parse_workbook
from etl.rulebook.campaign import Campaign, Unit
from tests.support.books import id_number, read_and_split, row_of, write_list

steady = hypothesis_settings(
    derandomize=True, max_examples=40, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
#: Names and addresses as bad as a cell can hold.
wild = st.text(
    st.characters(min_codepoint=32, exclude_categories=["Cs", "Cn"], exclude_characters="\x7f"), min_size=1, max_size=12
).filter(str.strip)
nasty = st.sampled_from([
    "=1+1", "=cmd|' /C calc'!A0", "@SUM(1)", "+1", "-1", "http://a.invalid", "'甲", "_x0041_", " 甲 ", "𠮷野",
    "阿依古丽·买买提",
    "甲\n乙", "1e5", "0001", "TRUE", "#N/A", "{=1}", "单位：", "无",
])  # fmt: skip


def findings(small: Campaign, path: Path) -> list[tuple[str, str]]:
    return [(finding.rule, finding.cell) for finding in read_and_split(path, small)[1]]


@pytest.mark.parametrize(("household", "slugs"), [
    ("虚构省青石县东港镇山村1号", ["donggang"]),
    ("青石县东港山村", ["donggang"]),                # an alias
    ("青石县南山街道东港路3号", ["donggang", "nanshan"]),   # both stand there on their own: never guessed
    ("青石县南山办事处", ["nanshan"]),
    ("青石县西岭", []),                             # no alias says so
    ("", []),
    ("东港镇东港镇", ["donggang"]),
])  # fmt: skip
def test_a_household_names_one_unit_or_is_left_to_a_person(small: Campaign, household: str, slugs: list[str]) -> None:
    assert sorted(unit.slug for unit in match_units(household, small.units)) == slugs


def unit(slug: str, name: str, *aliases: str) -> Unit:
    return Unit(slug, name, "镇", slug, aliases)


@pytest.mark.parametrize(("household", "slugs"), [
    ("三台子街道1号", ["b"]),             # 三台 stands only inside the longer name
    ("三台三台子街道", ["a", "b"]),        # here it stands by itself as well
    ("三台子街道三台", ["a", "b"]),
    ("三台乡", ["a"]),
    ("东三台西", ["a"]),
    ("甲乙丙", ["c", "d"]),              # 甲乙 and 乙丙 overlap: neither is inside the other
])  # fmt: skip
def test_a_name_inside_a_longer_one_does_not_count(household: str, slugs: list[str]) -> None:
    units = [unit("a", "三台乡", "三台"), unit("b", "三台子街道"), unit("c", "甲乙"), unit("d", "乙丙")]
    assert sorted(one.slug for one in match_units(household, units)) == slugs


@steady
@given(st.data())
def test_a_units_own_name_is_always_among_the_matches(campaign: Campaign, data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(campaign.units))
    name = data.draw(st.sampled_from([one.name, *one.aliases]))
    around = st.text(st.sampled_from("瓦房店市大连村屯路0123号 "), max_size=8)
    household = data.draw(around) + name + data.draw(around)
    assert match_units(household, campaign.units) == [one]


@steady
@given(st.text(st.sampled_from("东港镇西岭乡南山街道办事处1号"), max_size=12))
def test_what_is_matched_stands_in_the_address(small: Campaign, household: str) -> None:
    matched = match_units(household, small.units)
    assert len({one.slug for one in matched}) == len(matched)
    for one in small.units:
        named = any(name in household for name in (one.name, *one.aliases))
        assert (one in matched) == named  # no name of this campaign stands inside another unit's


def test_every_fault_is_reported_with_its_cell(small: Campaign, tmp_path: Path) -> None:
    rows = [
        row_of("1"),
        row_of("2", id_number=990101200601150010.0),
        row_of("3", household="虚构省"),
        row_of("", name=""),
        row_of("5", id_number=id_number("20120901", 11)),
        row_of("1", id_number=id_number("20070115", 11)),
        row_of("7", province="", city="", county=""),
    ]
    expected = [("L03", "G4"), ("L06", "H5"), ("L09", "E6"), ("L02", "A6"), ("L05", "G7"), ("L02", "A8"), ("L09", "B9"),
                ("L09", "C9"), ("L09", "D9")]  # fmt: skip
    assert findings(small, write_list(tmp_path / "list.xlsx", rows)) == expected


def test_a_list_further_down_and_with_other_headings_is_read(small: Campaign, tmp_path: Path) -> None:
    headings = {"id_number": "公民身份号码", "household": "户籍地址", "name": "儿童姓名"}
    path = write_list(tmp_path / "list.xlsx", [row_of("1"), row_of("2", sex="女")], headings, above=4)
    assert findings(small, path) == [("L03", "G7")]
    assert [child.serial for child in read_and_split(path, small)[0]] == ["1", "2"]


def test_serials_typed_as_numbers_are_whole_numbers(small: Campaign, tmp_path: Path) -> None:
    path = write_list(tmp_path / "list.xlsx", [row_of("1") | {"serial": 1}, row_of("2") | {"serial": 2.0}])
    children, found = read_and_split(path, small)
    assert ([child.serial for child in children], found) == (["1", "2"], [])


def test_blank_rows_are_passed_over_and_rows_of_spaces_too(small: Campaign, tmp_path: Path) -> None:
    blank: dict[str, object] = dict.fromkeys(row_of("1"), "")
    spaces: dict[str, object] = dict.fromkeys(row_of("1"), "  ")
    path = write_list(tmp_path / "list.xlsx", [row_of("1"), blank, spaces, row_of("2")])
    children, found = read_and_split(path, small)
    assert ([child.serial for child in children], found) == (["1", "2"], [])


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"text", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)])
def test_what_is_no_workbook_is_no_list(small: Campaign, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "list.xlsx").write_bytes(content)
    assert findings(small, tmp_path / "list.xlsx") == [("L08", "")]


def test_missing_headings_of_a_list_are_named(small: Campaign, tmp_path: Path) -> None:
    path = write_list(tmp_path / "list.xlsx", [row_of("1")], {"sex": "男女"})
    (finding,) = read_and_split(path, small)[1]
    assert finding.rule == "L01"
    assert all(column.heading in finding.message for column in ANNEX4.issued)


def test_findings_of_a_list_name_no_child(small: Campaign, tmp_path: Path) -> None:
    rows = [row_of("1", name="王某某", id_number="990101200601150019", household="某某村"),
            row_of("2", name="王某某", household="东港镇西岭乡某某村")]  # fmt: skip
    shown = repr(read_and_split(write_list(tmp_path / "list.xlsx", rows), small)[1])
    assert "L06" in shown
    assert "L07" in shown
    for secret in ("王某某", "990101200601150019", "某某村", str(rows[1]["id_number"])):
        assert secret not in shown


class Here(Executor):
    """Does it at once, in this process."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def unsealed(plain: bytes, _: str) -> bytes:
    """In place of the seal."""
    return plain


def sample_mac(data: bytes) -> bytes:
    return data[:4]


def split(small: Campaign, children: list[Child], outbox: Path) -> dict[str, bytes]:
    """The plain workbooks of an issue, by unit: issuing with the seal left off."""
    bundles = [
        Bundle(ANNEX4, "20200302-01", one.slug, one.name, tuple(child_row(c) for c in children if c.unit == one.slug))
        for one in small.units
    ]
    handout = issuing.issue_workbooks(
        small, bundles, day="2020-03-02", mac=sample_mac, fingerprint=sample_mac, password_of=str, outbox=outbox,
        executor=Here(),
    )  # fmt: skip
    others = {"receipts.xlsx", "manifest.json"}
    assert others < {path.name for path in handout.folder.iterdir()}
    marks = {path.stem: sample_mac(path.read_bytes()) for path in handout.folder.iterdir() if path.name not in others}
    assert handout.fingerprints == marks
    listed = json.loads((handout.folder / "manifest.json").read_bytes())["workbooks"]
    assert {one["file"]: one["fingerprint"] for one in listed} == {f"{k}.xlsx": v.hex() for k, v in marks.items()}
    return {path.stem: path.read_bytes() for path in handout.folder.iterdir() if path.name not in others}


@pytest.mark.parametrize("examples", [12, pytest.param(40, marks=pytest.mark.prove)])
def test_no_child_is_lost_doubled_or_changed_between_list_and_workbooks(
    small: Campaign, tmp_path_factory: pytest.TempPathFactory, examples: int
) -> None:
    units = st.sampled_from(["东港镇", "西岭乡", "南山办事处"])

    @hypothesis_settings(steady, max_examples=examples)
    @given(rows=st.lists(st.tuples(wild | nasty, wild | nasty, units), max_size=12))
    def none_is_lost(rows: list[tuple[str, str, str]]) -> None:
        assert_none_lost(small, tmp_path_factory.mktemp("wild"), rows)

    none_is_lost()


def assert_none_lost(small: Campaign, folder: Path, rows: list[tuple[str, str, str]]) -> None:
    wanted = [
        row_of(str(at), name=name, household=f"{around}{place}", id_number=id_number("20060115", 2 * at + 1))
        for at, (name, around, place) in enumerate(rows)
    ]
    children, found = read_and_split(write_list(folder / "list.xlsx", wanted), small)
    lost = [finding for finding in found if finding.rule not in ("L06", "L07")]
    assert lost == []
    assert len(children) + len(found) == len(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(issuing, "seal", unsealed)
        workbooks = split(small, children, folder)
    assert set(workbooks) == set(small.unit)
    back: list[dict[str, str]] = []
    for slug, content in workbooks.items():
        submission = parse_workbook(content, small.limits)
        texts = [{key: value.text for key, value in row.items()} for row in submission.rows]
        assert submission.manifest is not None
        assert submission.manifest.is_genuine(sample_mac)
        assert submission.manifest.unit == slug
        assert list(submission.manifest.serials) == [text["serial"] for text in texts]
        assert {text["serial"] for text in texts} == {child.serial for child in children if child.unit == slug}
        back += texts
    assert sorted(text["serial"] for text in back) == sorted(child.serial for child in children)
    for text in back:
        row = wanted[int(text["serial"])]
        assert {key: text[key] for key in row} == row
        assert (text["category"], text["returned"], text["team"]) == ("", "", "")


def test_a_folder_of_workbooks_appears_whole_or_not_at_all(
    small: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def fail_on_the_second(plain: bytes, password: str) -> bytes:
        calls.append(password)
        if len(calls) == 2:
            raise OSError("disk full")
        return plain

    monkeypatch.setattr(issuing, "seal", fail_on_the_second)
    with pytest.raises(OSError, match="disk full"):
        split(small, [], tmp_path)
    issuing.put_issues_in_place(tmp_path, [])
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(issuing, "seal", unsealed)
    assert set(split(small, [], tmp_path)) == set(small.unit)
    assert [path.name for path in tmp_path.iterdir()] == [".20200302-01.new"]
    issuing.put_issues_in_place(tmp_path, ["20200302-01"])
    assert [path.name for path in tmp_path.iterdir()] == ["20200302-01"]


def test_a_unit_without_children_gets_a_nil_return(small: Campaign) -> None:
    manifest = Manifest("annex4", "20200302-01", "xiling", ()).signed(sample_mac)
    content = build_workbook(small, Bundle(ANNEX4, "20200302-01", "xiling", "西岭乡"), manifest)
    submission = parse_workbook(content, small.limits)
    assert submission.rows == ()
    assert submission.footer["unit"] == "西岭乡"
    assert submission.manifest == manifest
    assert openpyxl.load_workbook(io.BytesIO(content))[ANNEX4.sheet].data_validations.dataValidation == []
