"""附件4 and 附件5 that the bureau makes: equal to the record, to each other and to what staff see, cell by cell."""

import io
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from pypdf import PdfReader

from etl.exchange.counts import measure
from etl.findings import FuxueError
from etl.inspect.flags import find_flags
from etl.rulebook.campaign import BUREAU, Campaign
from etl.system.sealing import unseal
from etl.vault.record.count import count
from etl.vault.scopes.scope_files import build_scopes
from etl.vault.store.files import open_scope
from etl.workflow import annexes
from etl.workflow.documents import Document, document_password
from etl.workflow.run import Run
from tests.support.books import UNIT, issued
from tests.support.fonts import needs_fonts
from tests.support.random_records import random_record

pytestmark = needs_fonts

CODES = "ABCDEFGHIJKLM"


def workbook(run: Run, made: list[Document], scope: str, *, formulas: bool = False) -> list[list[object]]:
    (one,) = [document for document in made if document.scope == scope and document.file.suffix == ".xlsx"]
    plain = unseal(one.file.read_bytes(), [document_password(run, scope)]).plain
    book = openpyxl.load_workbook(io.BytesIO(plain), data_only=not formulas)
    return [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]


def pages(run: Run, made: list[Document], scope: str) -> list[str]:
    (one,) = [document for document in made if document.scope == scope and document.file.suffix == ".pdf"]
    reader = PdfReader(one.file, password=document_password(run, scope))
    return [page.extract_text() for page in reader.pages]


def table(rows: list[list[object]]) -> dict[str, list[int]]:
    """The figures of 附件5 by unit's printed name, and of 总计: 合计, A–M, 复学人数."""
    found = {str(row[1]).partition("·")[2]: row[2:17] for row in rows if row[1] and "·" in str(row[1])}
    (total,) = [row[2:17] for row in rows if row[0] == "总计"]
    return {**found, "总计": total}  # type: ignore[dict-item]


def of_annex4(rows: list[list[object]]) -> Counter[str]:
    """How many rows of 附件4 have each category, and how many 是."""
    body = rows[3:-1]
    found = Counter(str(row[8])[:1] for row in body if row[8])
    return found + Counter("是" for row in body if row[9] == "是")


def check_county(run: Run) -> int:
    """附件5 = counts of 附件4 = sums of the record = the staff instance, for every unit and the city.

    Returns how many units have reported everything, of which alone releases and the staff's progress speak.
    """
    made4, made5 = annexes.write_annex4(run, None, city=False), annexes.write_annex5(run, None, city=False)
    city = table(workbook(run, made5, BUREAU))
    with run.open_vault() as vault:
        build_scopes(vault, run.campaign, run.home.scopes, find_flags)
        counts = count(vault, run.campaign, run.day)
    for unit, sums in zip(run.campaign.units, counts.units, strict=True):
        own = table(workbook(run, made5, unit.slug))
        figures = own[unit.name]
        assert own["总计"] == figures == city[unit.name]
        children = of_annex4(workbook(run, made4, unit.slug))
        assert figures == [sum(children[code] for code in CODES), *(children[code] for code in CODES), children["是"]]
        with closing(open_scope(run.home.scopes, unit.slug, run.keys)) as db:
            query = "SELECT category, count(*) FROM children WHERE category IS NOT NULL GROUP BY 1"
            assert dict(db.execute(query).fetchall()) == {code: children[code] for code in CODES if children[code]}
            progress = db.execute("SELECT verified, returned FROM progress WHERE reported = '已报送'").fetchall()
        wanted = tuple(measure(sums.atoms, run.campaign.publication, key) for key in ("verified", "returned"))
        assert progress == ([wanted] if sums.reported else [])
        assert not sums.reported or wanted == (figures[0], figures[-1])
    columns = [[city[unit.name][at] for unit in run.campaign.units] for at in range(15)]
    assert city["总计"] == [sum(column) for column in columns]
    assert of_annex4(workbook(run, made4, BUREAU)) == sum(
        (of_annex4(workbook(run, made4, unit.slug)) for unit in run.campaign.units), Counter()
    )
    return sum(one.reported for one in counts.units)


def test_every_cell_agrees_in_drawn_counties(tmp_path: Path, small: Campaign, small_folder: Path) -> None:
    homes = (random_record(tmp_path / str(seed), small, small_folder, seed) for seed in range(3))
    assert 0 < sum(map(check_county, homes)) < 9, "some units have reported, some have not"


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(3, 500))
def test_every_cell_agrees_in_a_drawn_county(tmp_path: Path, small: Campaign, small_folder: Path, seed: int) -> None:
    check_county(random_record(tmp_path / "var", small, small_folder, seed))


def test_the_forms_are_those_of_the_notice_with_live_formulas_and_real_text(loaded: Run) -> None:
    made = annexes.write_annex5(loaded, UNIT, city=True)
    assert [one.scope for one in made] == [UNIT, UNIT, BUREAU, BUREAU]
    rows = workbook(loaded, made, BUREAU, formulas=True)
    assert rows[0][0] == "青石县疑似失学儿童核查劝返总体情况汇总表"
    assert (rows[1][3], rows[1][11]) == ("核减项", "应劝返项")
    assert [str(text)[:2] for text in rows[2][3:16]] == [f"{code}." for code in CODES]
    assert (rows[3][2], rows[-3][2]) == ("=SUM(D4:P4)", f"=SUM(C4:C{len(rows) - 3})")
    text = "\n".join(pages(loaded, made, BUREAU))
    for unit in loaded.campaign.units:
        assert f"青石县·{unit.name}" in text.replace("\n", "")
    assert "第 1 页，共 1 页" in text.replace("\xa0", " ")
    assert "盖章" in text


def test_a_form_holds_what_was_known_on_its_day(loaded: Run) -> None:
    before = replace(loaded, day=loaded.campaign.noticed)
    rows = workbook(before, annexes.write_annex4(before, UNIT, city=False), UNIT)
    assert of_annex4(rows) == {}
    assert len(rows[3:-1]) == len(issued(loaded, UNIT))
    made = annexes.write_annex5(before, UNIT, city=False)
    assert table(workbook(before, made, UNIT))["总计"] == [0] * 15


def test_an_unknown_unit_is_an_error_and_nothing_is_written(loaded: Run) -> None:
    with pytest.raises(FuxueError, match=r"campaign\.no_unit"):
        annexes.write_annex4(loaded, "nowhere", city=False)
    assert not list(loaded.home.reports.rglob("*.*"))


def test_a_unit_that_the_campaign_no_longer_has_is_named(loaded: Run) -> None:
    fewer = replace(loaded, campaign=replace(loaded.campaign, units=loaded.campaign.units[1:]))
    for write in (annexes.write_annex4, annexes.write_annex5):
        with pytest.raises(FuxueError, match=r"campaign\.unit_gone"):
            write(fewer, None, city=True)
    assert not list(loaded.home.reports.rglob("*.*"))
