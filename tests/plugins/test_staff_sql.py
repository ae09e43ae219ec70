"""Own SQL reads the own scope and does nothing else, however it is asked."""

import asyncio
import csv
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from etl.findings import FuxueError
from etl.vault.store.files import DatabaseError, open_scope
from plugins.databases import authorize
from plugins.statement_limits import library
from tests.support.staff_home import CHILD, CLERK, OTHER, OWN, add_accounts, fill_scope, make_home
from tests.support.staff_instance import COOKIE, Instance


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    home, keys = make_home(tmp_path_factory.mktemp("sql") / "var")
    add_accounts(home, keys)
    made = Instance(home, keys)
    yield made
    made.close()


@pytest.fixture(scope="module")
def clerk(instance: Instance) -> str:
    return instance.log_in(CLERK)


@pytest.fixture
def guarded(instance: Instance) -> Iterator[Any]:
    connection = instance.datasette.get_database(OWN).connect()
    yield connection
    connection.close()


FORBIDDEN = [
    "ATTACH DATABASE '{other}' AS other",
    "ATTACH DATABASE ':memory:' AS other",
    "DETACH DATABASE main",
    "VACUUM INTO '{folder}/copy.db'",
    "VACUUM",
    "PRAGMA key = 'x'",
    "PRAGMA rekey = 'x'",
    "PRAGMA cipher_version",
    "PRAGMA cipher_profile = '{folder}/profile'",
    "PRAGMA writable_schema = 1",
    "PRAGMA schema_version = 99",
    "PRAGMA query_only = 0",
    "PRAGMA database_list",
    "PRAGMA temp_store_directory = '{folder}'",
    "SELECT * FROM pragma_database_list",
    "SELECT load_extension('{folder}/x')",
    "SELECT sqlcipher_export('main')",
    "SELECT fts3_tokenizer('simple')",
    "INSERT INTO children SELECT * FROM children",
    "UPDATE children SET name = 'x'",
    "DELETE FROM children",
    "DROP TABLE children",
    "CREATE TABLE x (y)",
    "CREATE TEMP TABLE x AS SELECT * FROM children",
    "CREATE TEMP VIEW x AS SELECT * FROM children",
    "CREATE VIRTUAL TABLE x USING fts5(y)",
    "CREATE TEMP TRIGGER x AFTER INSERT ON children BEGIN SELECT 1; END",
    "ALTER TABLE children ADD COLUMN x",
    "ANALYZE",
    "REINDEX",
    "BEGIN",
    "SAVEPOINT x",
    "WITH x AS (SELECT 1) DELETE FROM children",
]


@pytest.mark.parametrize("sql", FORBIDDEN)
def test_a_statement_that_does_more_than_read(instance: Instance, clerk: str, guarded: Any, sql: str) -> None:
    home = instance.home
    path = home.scopes / f"{OWN}.db"
    before = hashlib.sha256(path.read_bytes()).digest(), sorted(home.scopes.iterdir())
    statement = sql.format(other=home.scopes / f"{OTHER}.db", folder=home.scopes)
    with pytest.raises(DatabaseError, match="not authorized|prohibited|denied"):
        guarded.execute(statement)
    for query in ({"sql": statement}, {"sql": f"SELECT 1; {statement}"}):
        assert instance.ask(f"/{OWN}/-/query.json", clerk, params=query).status_code == 400
    explained = instance.ask(f"/{OWN}/-/query.json", clerk, params={"sql": f"EXPLAIN {statement}"})
    assert explained.status_code == 400 or str(home.scopes) not in explained.text
    assert (hashlib.sha256(path.read_bytes()).digest(), sorted(home.scopes.iterdir())) == before


def test_even_without_the_guard_the_file_is_read_only(instance: Instance) -> None:
    connection = open_scope(instance.home.scopes, OWN, instance.keys)
    with pytest.raises(DatabaseError, match="readonly"):
        connection.execute("DELETE FROM children")
    connection.close()


def test_the_guard_denies_what_it_does_not_know() -> None:
    allowed = {action for action in range(-1, 200) if authorize(action, None, None, None, None) == library.SQLITE_OK}
    known = {library.SQLITE_SELECT, library.SQLITE_READ, library.SQLITE_RECURSIVE, library.SQLITE_FUNCTION}
    assert allowed == known


@pytest.mark.parametrize(
    "query",
    [
        {"sql": f"SELECT * FROM {OTHER}.children"},
        {"sql": f"SELECT * FROM [{OTHER}].[children] UNION SELECT * FROM children"},
        {"sql": "SELECT * FROM catalog_databases"},
        {"sql": "SELECT * FROM datasette_accounts_users"},
        {"sql": "SELECT * FROM fuxue_scopes"},
    ],
)
def test_other_files_are_out_of_reach_of_a_query(instance: Instance, clerk: str, query: dict[str, str]) -> None:
    for path in (f"/{OWN}/-/query.json", f"/{OWN}/-/query", f"/{OWN}/-/query.csv"):
        answer = instance.ask(path, clerk, params=query)
        assert CHILD[OTHER] not in answer.text
        assert "password" not in answer.text
        assert path.endswith("query") or answer.status_code == 400


@pytest.mark.parametrize(
    "where",
    [
        f"EXISTS (SELECT 1 FROM {OTHER}.children)",
        "1=1 UNION SELECT * FROM sqlite_master",
        "1=1) UNION SELECT * FROM datasette_accounts_users --",
        "load_extension('x')",
    ],
)
def test_the_where_parameter_is_no_way_out_either(instance: Instance, clerk: str, where: str) -> None:
    for path in (f"/{OWN}/children", f"/{OWN}/children.json", f"/{OWN}/children.csv"):
        answer = instance.ask(path, clerk, params={"_where": where})
        assert answer.status_code == 400
        assert CHILD[OTHER] not in answer.text


def test_a_query_that_never_ends_is_ended(instance: Instance, clerk: str) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    assert instance.ask(f"/{OWN}/-/query.json", clerk, params={"sql": endless}).status_code == 400
    assert instance.ask(f"/{OWN}/-/query.json", clerk, params={"sql": "SELECT 1"}).status_code == 200


@pytest.mark.parametrize(
    "value", ["zeroblob(900000000)", "hex(randomblob(400000000))", "printf('%.*c', 900000000, 'x')"]
)
def test_a_query_that_eats_memory_is_stopped(instance: Instance, clerk: str, value: str) -> None:
    answer = instance.ask(f"/{OWN}/-/query.json", clerk, params={"sql": f"SELECT {value} AS x"})
    assert answer.status_code == 400
    assert len(answer.content) < 1000
    assert instance.ask(f"/{OWN}/children", clerk).status_code == 200


def test_an_own_query_works_and_knows_its_columns(instance: Instance, clerk: str) -> None:
    sql = "WITH k AS (SELECT * FROM children WHERE category = 'K') SELECT count(*) AS n FROM k WHERE returned = :r"
    answer = instance.ask(f"/{OWN}/-/query.json", clerk, params={"sql": sql, "r": "否"})
    assert answer.json()["rows"] == [{"n": 20}]


def test_nothing_writes_to_a_scope(instance: Instance) -> None:
    database = instance.datasette.get_database(OWN)
    for write in (database.execute_write("DELETE FROM children"), database.execute_write_fn(lambda _c: None)):
        with pytest.raises(FuxueError, match=r"serve\.read_only"):
            instance.run(write)


def test_a_load_under_the_running_server_is_seen_at_once(
    instance: Instance, clerk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.databases.QUIET_SECONDS", 0)
    path = f"/{OWN}/children.csv?_where=serial='10001'&_shape=array"
    for name in ("新来甲", "新来乙", "新来丙", CHILD[OWN]):
        fill_scope(instance.home, instance.keys, OWN, name=name)
        assert name in instance.ask(path, clerk).text
    database = instance.datasette.get_database(OWN)
    threads = instance.datasette.setting("num_sql_threads")
    assert len(database._all_connections) + len(database._retired) <= 2 * threads


def test_many_at_once_while_files_are_replaced(instance: Instance, clerk: str) -> None:
    """No error, no stale answer after the last load, from several threads at a time."""
    client, cookies = instance.datasette.client, {COOKIE: clerk}
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT count(*) FROM n"

    async def visitors() -> list[int]:
        answers = []
        for name in ("新来甲", "新来乙", CHILD[OWN]):
            paths = [f"/{OWN}/children", f"/{OWN}/children.csv", f"/{OWN}/-/query.json?sql={quote(slow)}"] * 6
            waiting = [asyncio.create_task(client.get(path, cookies=cookies)) for path in paths]
            await asyncio.sleep(0.05)
            fill_scope(instance.home, instance.keys, OWN, name=name)
            answers += [answer.status_code for answer in await asyncio.gather(*waiting)]
        return answers

    assert set(instance.run(visitors())) == {200}
    assert CHILD[OWN] in instance.ask(f"/{OWN}/children.csv", clerk).text


def test_markup_in_a_name_is_text(instance: Instance, clerk: str) -> None:
    name = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    fill_scope(instance.home, instance.keys, OWN, name=name)
    try:
        query = f"/{OWN}/-/query?sql=select+name,'<b>'+from+children+limit+1"
        for path in (f"/{OWN}/children", f"/{OWN}/children/20190219-01,10001", query):
            page = instance.ask(path, clerk).text
            assert "&lt;script&gt;alert(1)" in page
            assert "<script>alert" not in page
            assert "<img" not in page
    finally:
        fill_scope(instance.home, instance.keys, OWN)


def test_what_would_be_a_formula_is_text_in_csv(instance: Instance, clerk: str) -> None:
    name = '=HYPERLINK("http://evil.example","x")'
    fill_scope(instance.home, instance.keys, OWN, name=name)
    try:
        for path in (f"/{OWN}/children.csv", f"/{OWN}/-/query.csv?sql=select+name,-5+as+less+from+children"):
            content = instance.ask(path, clerk).content
            assert content.startswith(b"\xef\xbb\xbf")
            cells = [cell for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))) for cell in row]
            assert f"'{name}" in cells
            assert not [cell for cell in cells if cell.startswith("=")]
            assert "甄自己" not in cells
        assert "-5" in cells
    finally:
        fill_scope(instance.home, instance.keys, OWN)


@pytest.mark.parametrize(
    "cell", ["=1+1", " =1+1", "\t=1+1", "\n=1+1", "\u200b=1+1", "＝1+1", "@SUM(1)", "+1+1", "-1-1", "x;=1"]
)
def test_no_way_of_asking_for_csv_gives_a_formula(instance: Instance, clerk: str, cell: str) -> None:
    """A file's name or a remark is a stranger's text, wherever it is asked for."""
    query = quote(f"select '{cell}' as remark, file from workbooks")
    for path in (f"/{OWN}/-/query.csv?sql={query}", f"/{OWN}/-/query?sql={query}&_format=csv",
                 f"/{OWN}/-/query.csv?sql={query}&_dl=1", f"/{OWN}/-/query.csv?sql={query}&_header=off"):  # fmt: skip
        answer = instance.ask(path, clerk)
        if not answer.headers["content-type"].startswith("text/html"):
            lines = answer.content.decode("utf-8-sig")
            (row,) = [row for row in csv.reader(io.StringIO(lines, newline="")) if f"{OWN}.xlsx" in row]
            assert row[0] == (cell if cell == "x;=1" else f"'{cell}")
            assert lines.splitlines()[0].startswith('"')  # all in quotes: not split at a semicolon


def test_scope_files_are_encrypted(instance: Instance) -> None:
    for path in Path(instance.home.scopes).iterdir():
        content = path.read_bytes()
        assert not content.startswith(b"SQLite format 3")
        assert CHILD[OWN].encode() not in content
