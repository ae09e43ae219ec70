"""Exports of what a page shows: all of its rows or a refusal, safe in a spreadsheet, sealed if a workbook."""

import csv
import io
import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import quote, unquote

import openpyxl
import pytest

from etl.system.sealing import WrongPassword, unseal
from etl.vault.store.files import connect, scope_key, scope_path
from plugins import asked, gate
from tests.support.staff_home import CHILD, CLERK, OTHER, OWN, STRANGER, add_accounts, fill_scope, make_home
from tests.support.staff_instance import Instance

MANY = 1_200


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    home, keys = make_home(tmp_path_factory.mktemp("exports") / "var")
    fill_scope(home, keys, OTHER, MANY)
    connection = connect(scope_path(home.scopes, OWN), scope_key(keys, OWN))
    connection.execute("UPDATE children SET household = '=1+1' WHERE serial = '10002'")
    connection.close()
    add_accounts(home, keys)
    made = Instance(home, keys)
    yield made
    made.close()


@pytest.fixture(scope="module")
def clerk(instance: Instance) -> str:
    return instance.log_in(CLERK)


def of_csv(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def of_xlsx(instance: Instance, content: bytes, scope: str) -> list[list[object]]:
    plain = unseal(content, [instance.keys.password("export", scope)]).plain
    return [list(row) for row in openpyxl.load_workbook(io.BytesIO(plain)).active.iter_rows(values_only=True)]


def links(page: str) -> dict[str, str]:
    found = re.findall(r'<a href="([^"]+\.(csv|xlsx)\?[^"]*)"', page)
    return {extension: unescape(link) for link, extension in found}


def test_an_export_has_all_rows_and_not_only_those_of_a_page(instance: Instance) -> None:
    stranger = instance.log_in(STRANGER)
    page = instance.ask(f"/{OTHER}/children?_sort=serial&_facet=sex", stranger).text
    assert page.count('<td class="open">') == 50
    assert f'<span class="count">{MANY}</span>' in page, "counted to the end"
    second = unescape(re.findall(r'class="next" href="[^"]*(/laohutun/[^"]+)"', page)[0])
    for shown in (page, instance.ask(second, stranger).text):
        table = of_csv(instance.ask(links(shown)["csv"], stranger).content)
        assert len(table) == 1 + MANY
        assert len({row[0] for row in table}) == 1 + MANY
    assert len(of_csv(instance.ask(f"/{OTHER}/children.csv", stranger).content)) == 1 + MANY
    assert len(of_xlsx(instance, instance.ask(links(page)["xlsx"], stranger).content, OTHER)) == 1 + MANY


def test_an_export_keeps_conditions_search_and_order(instance: Instance, clerk: str) -> None:
    page = instance.ask(f"/{OWN}/children?category=K&_sort_desc=serial&_search=1000", clerk).text
    serials = [row[0] for row in of_csv(instance.ask(links(page)["csv"], clerk).content)[1:]]
    assert serials == ["10009", "10006", "10003"]
    assert [row[0] for row in of_xlsx(instance, instance.ask(links(page)["xlsx"], clerk).content, OWN)[1:]] == serials


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_more_rows_than_an_export_may_have_are_refused_and_not_cut(
    instance: Instance, clerk: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "MOST_EXPORTED", 1_000)
    monkeypatch.setattr(gate, "MOST_ON_PAGE", 100)
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i - -1 FROM n WHERE i < {}) SELECT i FROM n"
    ask = f"/{OWN}/-/query.{kind}?sql={{}}"
    assert instance.ask(ask.format(numbers.format(1_000)), clerk).status_code == 200
    answer = instance.ask(ask.format(numbers.format(1_001)), clerk)
    assert answer.status_code == 400
    page = instance.ask(f"/{OWN}/-/query?sql={numbers.format(1_001)}", clerk).text
    assert "只显示前一部分" in page
    assert page.count("<tr>") == 1 + 100
    for wrong in ("_next=10001", f"_size={asked.MOST_EXPORTED + 1}"):
        answer = instance.ask(f"/{OWN}/children.{kind}?{wrong}", clerk)
        assert (answer.status_code, wrong.partition("=")[0] in answer.text) == (400, True)


@pytest.mark.parametrize("kind", ["", ".json", ".csv", ".xlsx"])
def test_a_statement_that_takes_too_long_is_refused_in_words(instance: Instance, clerk: str, kind: str) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i - -1 FROM n) SELECT max(i) FROM n"
    answer = instance.ask(f"/{OWN}/-/query{kind}?sql={endless}&_timelimit=50", clerk)
    assert answer.status_code == 400


def test_an_answer_that_is_too_large_is_refused_whole(instance: Instance, clerk: str) -> None:
    large = quote(
        "SELECT printf('%090000d', serial) FROM children, (SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4)"
    )
    for kind in ("csv", "xlsx", "json"):
        assert instance.ask(f"/{OWN}/-/query.{kind}?sql={large}", clerk).status_code == 400
    assert "16 MB" in instance.ask(f"/{OWN}/-/query?sql={large}", clerk).text


def test_a_workbook_opens_with_the_scopes_password_alone_and_has_chinese_headings(
    instance: Instance, clerk: str
) -> None:
    answer = instance.ask(f"/{OWN}/children.xlsx", clerk)
    assert unquote(answer.headers["content-disposition"]).startswith("attachment;")
    assert re.search(r"疑似失学儿童-\d{4}-\d\d-\d\d\.xlsx$", unquote(answer.headers["content-disposition"]))
    assert instance.keys.password("export", OWN) in instance.ask(f"/{OWN}", clerk).text
    with pytest.raises(WrongPassword):
        unseal(answer.content, [instance.keys.password("export", OTHER)])
    rows = of_xlsx(instance, answer.content, OWN)
    assert rows[0][:4] == ["原始序号", "下发批次", "单位", "姓名"]
    assert rows[1][:4] == ["10001", "20190219-01", "仙浴湾镇", CHILD[OWN]]
    assert rows[2][7] == "=1+1"


def test_no_text_of_an_export_is_a_formula(instance: Instance, clerk: str) -> None:
    plain = unseal(instance.ask(f"/{OWN}/children.xlsx", clerk).content, [instance.keys.password("export", OWN)]).plain
    sheet = openpyxl.load_workbook(io.BytesIO(plain)).active
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
    answer = instance.ask(f"/{OWN}/children.csv", clerk)
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert "疑似失学儿童" in unquote(answer.headers["content-disposition"])
    assert of_csv(answer.content)[2][7] == "'=1+1"


def test_an_export_is_on_record_with_its_rows(instance: Instance, clerk: str) -> None:
    for kind in ("csv", "xlsx"):
        instance.ask(f"/{OWN}/children.{kind}?category=K", clerk)
        (newest,) = instance.run(instance.datasette.auditor.newest(1))
        assert (newest.look.path, newest.look.rows, newest.look.status) == (f"/{OWN}/children.{kind}", 20, 200)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_nobody_exports_another_scope(instance: Instance, clerk: str, kind: str) -> None:
    assert instance.ask(f"/{OTHER}/children.{kind}", clerk).status_code == 404
    assert instance.ask(f"/{OTHER}/children.{kind}").status_code == 403
