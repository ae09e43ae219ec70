"""What is documented of the staff tables is what they are; how they are shown fits; who may be served, and where."""

import re
import socket
from pathlib import Path

import pytest
from datasette.plugins import pm

from etl.findings import FuxueError
from etl.rulebook.campaign import Campaign
from etl.system.home import Home
from etl.vault.store.files import connect
from etl.vault.store.keys import Keys, demo_master
from plugins import hooks
from plugins.describe import LANGUAGE_SEPARATOR, TABLE_DISPLAY, describe_staff, heading
from plugins.launch import build_staff, check_host, run_staff_server
from plugins.statement_limits import library
from tests.support.staff_home import BUREAU, OWN, ROOT, make_home, wafangdian

CHINESE = re.compile("[一-鿿]")


def real_tables(folder: Path) -> dict[str, list[str]]:
    connection = connect(folder / "x.db", demo_master(1), create=True)
    connection.executescript((ROOT / "etl/vault/store/scope.sql").read_text())
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    columns = {name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")] for name in names}
    connection.close()
    return columns


def test_documented_tables_and_columns_are_the_real_ones(tmp_path: Path) -> None:
    described = describe_staff(ROOT)["tables"]
    assert {name: list(table["columns"]) for name, table in described.items()} == real_tables(tmp_path)


def test_every_table_and_column_has_a_chinese_and_an_english_name() -> None:
    for table in describe_staff(ROOT)["tables"].values():
        for text in (table["title"], *table["columns"].values()):
            chinese, found, rest = text.partition(LANGUAGE_SEPARATOR)
            assert found, text
            assert CHINESE.search(chinese), text
            assert re.search("[A-Za-z]", rest), text
        names = [heading(text, "?") for text in table["columns"].values()]
        assert len(set(names)) == len(names)


def test_every_table_is_shown_in_some_way_by_columns_that_it_has(tmp_path: Path) -> None:
    tables = real_tables(tmp_path)
    assert set(TABLE_DISPLAY) == set(tables)
    for name, shown in TABLE_DISPLAY.items():
        # Without a label Datasette would look for one in a way that the guard denies.
        used = {shown["label_column"], shown.get("sort") or shown["sort_desc"], *shown.get("facets", [])}
        assert used <= set(tables[name])


def test_a_description_that_is_missing_stops_the_server(tmp_path: Path) -> None:
    (tmp_path / "metadata.yml").write_text("databases:\n  fuxue: {}\n")
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(FuxueError, match=r"serve\.no_metadata"):
            describe_staff(folder)


@pytest.fixture(scope="module")
def home_and_keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Keys]:
    return make_home(tmp_path_factory.mktemp("describe") / "var")


@pytest.fixture(scope="module")
def campaign() -> Campaign:
    return wafangdian()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org", ""])  # noqa: S104 - refused
def test_only_the_own_machine_is_served(home_and_keys: tuple[Home, Keys], campaign: Campaign, host: str) -> None:
    home, keys = home_and_keys
    with pytest.raises(FuxueError, match=r"serve\.demo_not_loopback"):
        run_staff_server(home, keys, campaign, host=host, port=1)
    with pytest.raises(FuxueError, match=r"serve\.not_loopback"):
        check_host(Home(home.root / "not a demo"), keys, host)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.9.9.9"])
def test_loopback_is_let_pass(home_and_keys: tuple[Home, Keys], host: str) -> None:
    assert check_host(*home_and_keys, host) is None


def test_a_port_that_is_taken(home_and_keys: tuple[Home, Keys], campaign: Campaign) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(FuxueError, match=r"serve\.port_in_use"):
            run_staff_server(*home_and_keys, campaign, port=port)


def test_a_home_without_scopes_is_not_served(tmp_path: Path, campaign: Campaign) -> None:
    home = Home(tmp_path / "var")
    home.prepare()
    with pytest.raises(FuxueError, match=r"serve\.nothing"):
        build_staff(home, Keys(demo_master(1)), campaign, ROOT)


def test_a_strange_file_among_the_scopes_is_not_attached(home_and_keys: tuple[Home, Keys], campaign: Campaign) -> None:
    home, keys = home_and_keys
    for name in ("elsewhere.db", f".{OWN}.new.db"):
        (home.scopes / name).write_bytes(b"x")
    datasette = build_staff(home, keys, campaign, ROOT)
    assert set(datasette.databases) == {OWN, "laohutun", BUREAU}
    datasette.close()


def test_what_the_process_no_longer_has(home_and_keys: tuple[Home, Keys], campaign: Campaign) -> None:
    build_staff(*home_and_keys, campaign, ROOT).close()
    assert not [name for name in hooks.REMOVED if pm.has_plugin(name)]
    assert pm.has_plugin("accounts")


def test_an_unknown_plugin_stops_the_server(home_and_keys: tuple[Home, Keys], campaign: Campaign) -> None:
    pm.register(object(), "datasette_something")
    try:
        with pytest.raises(FuxueError, match=r"serve\.unknown_plugin"):
            build_staff(*home_and_keys, campaign, ROOT)
    finally:
        pm.unregister(name="datasette_something")


def test_rows_and_errors_are_those_of_the_encrypting_library(
    home_and_keys: tuple[Home, Keys], campaign: Campaign
) -> None:
    datasette = build_staff(*home_and_keys, campaign, ROOT)
    import datasette.database as loaded  # type: ignore[import-untyped,unused-ignore]

    assert loaded.sqlite3 is library
    datasette.close()
