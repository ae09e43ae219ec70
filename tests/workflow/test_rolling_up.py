"""Adding up the 附件5 of many counties: right sums, and whoever breaks an invariant is named at the cell."""

import io
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.check.county_forms import RollupFault
from etl.cli.main import main
from etl.report.annex_workbooks import Annex5Row, Annex5Sheet, build_annex5
from etl.rulebook.campaign import Campaign
from etl.system.sealing import seal, unseal
from etl.workflow import annexes
from etl.workflow.documents import document_password
from etl.workflow.rolling_up import Bounds5, roll_up, rollup_workbook
from etl.workflow.run import Run
from tests.support.fonts import needs_fonts
from tests.support.homes import put_in_place, silent_bar

GROUPS = (("核减项", [f"{code}.甲" for code in "ABCDEFGH"]), ("应劝返项", [f"{code}.乙" for code in "IJKLM"]))
COUNTS = st.lists(st.integers(0, 500), min_size=13, max_size=13)


def form(rows: Sequence[Annex5Row], change: Mapping[str, object] | None = None) -> bytes:
    """A county's form, as the program writes it, with cells changed by hand and no formulas left."""
    written = build_annex5([Annex5Sheet("附件5", "某县汇总表", "说明", rows)], GROUPS, {"unit": "某局"})
    values = openpyxl.load_workbook(io.BytesIO(written), data_only=True)
    for cell, value in (change or {}).items():
        values.worksheets[0][cell].value = value
    out = io.BytesIO()
    values.save(out)
    return out.getvalue()


def county(number: int, counts: Sequence[int] = (1,) * 13, returned: int = 2, units: int = 3) -> list[Annex5Row]:
    return [("大连市", f"某县{number}·第{unit}镇", list(counts), returned) for unit in range(units)]


def rolled(campaign: Campaign, folder: Path, files: Mapping[str, bytes]) -> tuple[list[Bounds5], list[RollupFault]]:
    folder.mkdir(exist_ok=True)
    paths = []
    for name, content in files.items():
        paths.append(folder / name)
        paths[-1].write_bytes(content)
    return roll_up(campaign, paths, [], silent_bar)


def table(content: bytes, sheet: int = 0) -> dict[tuple[str, str], list[int]]:
    rows = openpyxl.load_workbook(io.BytesIO(content), data_only=True).worksheets[sheet].iter_rows(values_only=True)
    return {(str(row[0]), str(row[1])): list(row[2:17]) for row in rows if isinstance(row[2], int)}


@given(st.lists(st.tuples(COUNTS, st.integers(1, 4)), min_size=1, max_size=4))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
def test_a_prefectures_figures_are_the_sums_of_its_counties(
    small: Campaign, tmp_path: Path, counties: list[tuple[list[int], int]]
) -> None:
    files, wanted = {}, [0] * 15
    for number, (counts, units) in enumerate(counties):
        returned = min(2, sum(counts[8:]))
        files[f"{number}.xlsx"] = form(county(number, counts, returned, units))
        wanted = [a + units * b for a, b in zip(wanted, [sum(counts), *counts, returned], strict=True)]
    places, faults = rolled(small, tmp_path / "in", files)
    assert faults == []
    found = table(rollup_workbook(small, "大连市", places, small.noticed))
    assert len(found) == len(counties) + 1
    assert found["总计", "None"] == wanted


def test_a_province_is_added_up_from_what_was_added_up_before(small: Campaign, tmp_path: Path) -> None:
    one, faults = rolled(small, tmp_path / "a", {"1.xlsx": form(county(1)), "2.xlsx": form(county(2))})
    assert faults == []
    again = {"大连.xlsx": rollup_workbook(small, "大连市", one, small.noticed),
             "沈阳.xlsx": form([("沈阳市", f"区{n}", [2] * 13, 1) for n in range(3)])}  # fmt: skip
    places, faults = rolled(small, tmp_path / "b", again)
    assert faults == []
    assert [(one.city, one.county) for one in places] == [
        *(("大连市", f"某县{n}") for n in (1, 2)), *(("沈阳市", f"区{n}") for n in range(3)),
    ]  # fmt: skip
    assert table(rollup_workbook(small, "辽宁省", places, small.noticed))["总计", "None"][0] == 2 * 39 + 3 * 26


@pytest.mark.parametrize(
    ("change", "key", "cell", "place"),
    [
        ({"C4": 14, "C7": 40}, "rollup.wrong_sum", "C4", "大连市 某县1·第0镇"),
        ({"Q5": 9, "Q7": 13}, "rollup.too_many_returned", "Q5", "大连市 某县1·第1镇"),
        ({"F7": 4, "C7": 40}, "rollup.wrong_total", "F7", "总计"),
        ({"E6": "一"}, "rollup.no_number", "E6", "大连市 某县1·第2镇"),
        ({"E6": 1.5}, "rollup.no_number", "E6", "大连市 某县1·第2镇"),
        ({"E6": -1}, "rollup.no_number", "E6", "大连市 某县1·第2镇"),
        ({"B5": None}, "rollup.no_place", "C5", ""),
        ({"A7": "小计"}, "rollup.no_total", "", ""),
        ({"Q2": "别的"}, "rollup.no_column", "", ""),
        ({"D3": "N.别的"}, "rollup.no_form", "", ""),
    ],
)
def test_whoever_breaks_an_invariant_is_named_with_the_cell(
    small: Campaign, tmp_path: Path, change: Mapping[str, object], key: str, cell: str, place: str
) -> None:
    broken = form(county(1), change)
    places, faults = rolled(small, tmp_path / "in", {"bad.xlsx": broken, "good.xlsx": form(county(2))})
    assert (key, cell, place) in [(one.key, one.cell, one.place) for one in faults]
    assert {one.file for one in faults} == {"bad.xlsx"}
    assert [one.county for one in places] == ["某县2"]


def test_a_county_is_counted_once(small: Campaign, tmp_path: Path) -> None:
    _, faults = rolled(small, tmp_path / "in", {"a.xlsx": form(county(1)), "b.xlsx": form(county(1))})
    ((key, file, other),) = [(one.key, one.file, one.params["other"]) for one in faults]
    assert (key, file, other) == ("rollup.twice", "b.xlsx", "a.xlsx")


def invoke(small_folder: Path, *arguments: object) -> Result:
    common = ["--campaign", str(small_folder)]
    done = CliRunner().invoke(main, [*common, "rollup", *map(str, arguments)], env={"COLUMNS": "200"})
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


def test_what_is_no_form_is_refused_in_words_and_nothing_is_written(small_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.xlsx"
    files = {"text": b"text", "empty": b"", "sealed": seal(form(county(1)), "abcd"), "zip": b"PK\x03\x04" + b"x" * 99}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        done = invoke(small_folder, tmp_path / name, "--out", out)
        assert (done.exit_code, name in done.output, "没有汇总" in done.output) == (1, True, True), done.output
    assert not out.exists()
    assert invoke(small_folder, tmp_path / "nowhere.xlsx").exit_code == 2


def test_a_sealed_form_is_opened_and_a_file_is_replaced_only_when_told(small_folder: Path, tmp_path: Path) -> None:
    out, words = tmp_path / "out.xlsx", tmp_path / "words.txt"
    (tmp_path / "a.xlsx").write_bytes(seal(form(county(1)), "abcd-efgh"))
    words.write_text("other\nabcd-efgh\n")
    given_ = (tmp_path / "a.xlsx", "--password-file", words, "--out", out)
    assert invoke(small_folder, *given_).exit_code == 0
    assert table(out.read_bytes())["大连市", "某县1"][0] == 39
    kept = out.read_bytes()
    assert invoke(small_folder, *given_, "--name", "另一处").exit_code == 2
    assert out.read_bytes() == kept
    assert invoke(small_folder, *given_, "--name", "另一处", "--yes").exit_code == 0
    assert out.read_bytes() != kept


def test_a_release_is_added_with_the_ends_of_its_intervals(
    run: Run, released_once: Path, small: Campaign, tmp_path: Path
) -> None:
    put_in_place(run, released_once)
    folder = run.home.released / "0001"
    places, faults = roll_up(small, [folder], [], silent_bar)
    assert faults == []
    content = rollup_workbook(small, "某市", places, small.noticed)
    low, high = (table(content, sheet)["总计", "None"] for sheet in (0, 1))
    with run.open_vault() as vault:
        query = "SELECT category, count(*) FROM current_answer GROUP BY 1"
        true = dict(vault.connection.execute(query).fetchall())
    for at, code in enumerate("ABCDEFGHIJKLM", start=1):
        assert low[at] <= true.get(code, 0) <= high[at], code
    forged = shutil.copytree(folder, tmp_path / "forged")
    table_file = forged / "categories.csv"
    table_file.write_bytes(table_file.read_bytes().replace(b",verified,", b",verified ,", 1))
    assert [one.key for one in roll_up(small, [forged], [], silent_bar)[1]] == ["rollup.bad_release"]


@needs_fonts
def test_what_the_bureau_writes_can_be_added_up(loaded: Run) -> None:
    made = annexes.write_annex5(loaded, None, city=True)
    (one,) = [document for document in made if document.file.suffix == ".xlsx"]
    places, faults = roll_up(loaded.campaign, [one.file], [document_password(loaded, one.scope)], silent_bar)
    assert faults == []
    plain = unseal(one.file.read_bytes(), [document_password(loaded, one.scope)]).plain
    total = table(plain)["总计", "None"]
    assert [(place.county, sum(place.low), place.returned[0]) for place in places] == [("青石县", total[0], total[-1])]
