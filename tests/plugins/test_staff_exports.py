"""Exports of what a page shows: all of its rows or a refusal, safe in a spreadsheet, sealed if a workbook."""

import csv
import io
import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import quote, unquote

import openpyxl
import pytest
from datasette import database

from etl.system.sealing import WrongPassword, unseal
from etl.vault.store.files import connect, scope_key, scope_path
from plugins import asked, gate, statement_limits
from plugins.describe import EXPORT_MS
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


def said(answer: Any) -> str:
    """The text of an answer; JSON writes Chinese as escapes."""
    is_json = answer.headers["content-type"].startswith("application/json")
    return json.dumps(answer.json(), ensure_ascii=False) if is_json else str(answer.text)


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


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("more", ["_facet=sex&_facet_size=5", "_where=1+or+name='%26_size=1'", "_size=max"])
def test_no_other_parameter_cuts_an_export(instance: Instance, kind: str, more: str) -> None:
    answer = instance.ask(f"/{OTHER}/children.{kind}?{more}", instance.log_in(STRANGER))
    assert len(of_csv(answer.content) if kind == "csv" else of_xlsx(instance, answer.content, OTHER)) == 1 + MANY


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("path", ["children.{}?_size=5", "-/query.{}?sql=select+1&_size=5"])
def test_an_export_of_some_rows_is_refused(instance: Instance, clerk: str, kind: str, path: str) -> None:
    answer = instance.ask(f"/{OWN}/{path.format(kind)}", clerk)
    assert (answer.status_code, "参数 _size " in answer.text) == (400, True)


@pytest.mark.parametrize("order", ["_sort=sex", "_sort_desc=category", "_sort=category_name&category__notnull=1"])
def test_paging_through_a_sorted_table_shows_each_row_once(instance: Instance, order: str) -> None:
    stranger, pages = instance.log_in(STRANGER), []
    path, size = f"/{OTHER}/children.json?{order}&_size=70&_shape=objects", None
    wanted = instance.ask(f"/{OTHER}/children.json?{order}&_size=max", stranger).json()["rows"]
    while path:
        page = instance.ask(path, stranger).json()
        pages += [(row["issue"], row["serial"]) for row in page["rows"]]
        size = f"&_next={quote(page['next'])}" if page.get("next") else ""
        path = f"/{OTHER}/children.json?{order}&_size=70&_shape=objects{size}" if size else ""
    assert pages == [(row["issue"], row["serial"]) for row in wanted]
    assert len(set(pages)) == len(pages) > 700


@pytest.mark.parametrize("kind", ["", ".json", ".csv", ".xlsx"])
def test_a_statement_that_takes_too_long_is_refused_in_words(instance: Instance, clerk: str, kind: str) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i - -1 FROM n) SELECT max(i) FROM n"
    answer = instance.ask(f"/{OWN}/-/query{kind}?sql={endless}&_timelimit=50", clerk)
    assert (answer.status_code, "用时太长" in said(answer)) == (400, True)


def test_an_export_has_more_time_than_a_page(instance: Instance, clerk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What each form's own statement may take, as it is given to SQLite."""
    given, usual = list[int](), database.sqlite_timelimit

    def noted(connection: Any, ms: int) -> Any:
        given.append(ms)
        return usual(connection, ms)

    monkeypatch.setattr(database, "sqlite_timelimit", noted)
    for kind, has_more in (("", False), (".json", False), (".csv", True), (".xlsx", True)):
        given.clear()
        assert instance.ask(f"/{OWN}/children{kind}?category=K", clerk).status_code == 200
        assert (EXPORT_MS in given) is has_more, kind


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select nope from children", "没有列 nope"),
        ("select 1 from nope", "没有表 nope"),
        ("selekt 1", "以 SELECT 或 WITH 开头"),
        ("select 1; select 2", "一次只能执行一条语句"),
        ("select (", "语句不完整"),
    ],
)
@pytest.mark.parametrize("kind", ["", ".json", ".csv", ".xlsx"])
def test_why_own_sql_fails_is_said_in_chinese(instance: Instance, clerk: str, kind: str, sql: str, reason: str) -> None:
    answer = instance.ask(f"/{OWN}/-/query{kind}", clerk, params={"sql": sql})
    assert (answer.status_code, reason in said(answer)) == (400, True), answer.text


def test_blobs_are_refused_since_they_would_be_links_that_lead_nowhere(instance: Instance, clerk: str) -> None:
    for kind in ("csv", "xlsx"):
        answer = instance.ask(f"/{OWN}/-/query.{kind}?sql=select+zeroblob(3)", clerk)
        assert (answer.status_code, "hex()" in answer.text) == (400, True)


def test_a_header_does_not_lift_the_limit_of_a_page(
    instance: Instance, clerk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "MOST_ON_PAGE", 7)
    ask = f"/{OWN}/-/query?sql=select+serial+from+children"
    for accept in ("text/html", "application/json", "*/*"):
        page = instance.ask(ask, clerk, headers={"accept": accept}).text
        assert page.count("<tr>") == 1 + 7


def test_a_page_has_no_more_cells_than_it_can_draw(
    instance: Instance, clerk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "MOST_CELLS_ON_PAGE", 40)
    columns = ", ".join(f"1 AS c{number}" for number in range(10))
    page = instance.ask(f"/{OWN}/-/query?sql=select+{columns}+from+children", clerk).text
    assert (page.count("<tr>"), "只显示前一部分" in page) == (1 + 4, True)
    assert len(of_csv(instance.ask(f"/{OWN}/-/query.csv?sql=select+{columns}+from+children", clerk).content)) == 61


def test_numbers_count_toward_the_size_of_an_answer(
    instance: Instance, clerk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise an answer of numbers could be as large as its rows allow."""
    monkeypatch.setattr(statement_limits, "ANSWER_BYTES", 60 * 3 * statement_limits.NUMBER_BYTES)
    for columns, status in (("1, 2, NULL", 200), ("1, 2, NULL, 4", 400)):
        answer = instance.ask(f"/{OWN}/-/query.json?sql=select+{columns}+from+children", clerk)
        assert (answer.status_code, "16 MB" in said(answer)) == (status, status == 400)


def test_a_workbook_has_every_value_as_it_is(instance: Instance, clerk: str) -> None:
    sql = "select 9007199254740993 a, 123456789012345 b, 1.5 c, 9e999 d, null e, '=1' f, -9e999 g"
    content = instance.ask(f"/{OWN}/-/query.xlsx", clerk, params={"sql": sql}).content
    assert of_xlsx(instance, content, OWN)[1] == ["9007199254740993", 123456789012345, 1.5, "inf", None, "=1", "-inf"]
    long = instance.ask(f"/{OWN}/-/query.xlsx?sql=select+printf('%25032768d',+1)", clerk)
    assert (long.status_code, "32767 字" in long.text) == (400, True)
    labelled = instance.ask(f"/{OWN}/findings.xlsx?_labels=on", clerk).content
    assert of_xlsx(instance, labelled, OWN)[1][1] == f"{OWN}.xlsx"


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
