"""What the staff instance remembers between requests, and that it forgets it in time."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from datasette.app import Datasette
from datasette.database import Database
from datasette.resources import DatabaseResource, TableResource

from etl.rulebook.campaign import BUREAU
from etl.vault.store.files import scope_path
from plugins import sessions
from plugins.access import SCOPED_ACTIONS
from plugins.remembered import COUNTING
from tests.support.staff_home import CHIEF, CLERK, OTHER, OWN, STRANGER, add_accounts, fill_scope, make_home
from tests.support.staff_instance import Instance

TABLE = f"/{OWN}/children?_facet=sex"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    home, keys = make_home(tmp_path_factory.mktemp("remembered") / "var")
    add_accounts(home, keys)
    made = Instance(home, keys)
    yield made
    made.close()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that reach a scope's file."""
    made: list[str] = []
    usual = Database.execute

    async def noted(self: Any, sql: str, *args: Any, **options: Any) -> Any:
        if self.name == OWN:
            made.append(sql)
        return await usual(self, sql, *args, **options)

    monkeypatch.setattr(Database, "execute", noted)
    return made


def counted(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'class="count">(\d+)<', page)]


def test_nothing_is_counted_twice_until_the_file_is_replaced(instance: Instance, asked: list[str]) -> None:
    cookie = instance.log_in(CLERK)
    first = instance.ask(TABLE, cookie).text
    assert any(COUNTING.match(sql) for sql in asked)
    asked.clear()
    assert counted(instance.ask(TABLE, cookie).text) == counted(first)
    assert [sql for sql in asked if not sql.startswith("select serial")] == [], "only the rows are read again"
    fill_scope(instance.home, instance.keys, OWN, 70)
    assert counted(instance.ask(TABLE, cookie).text)[0] == 70
    assert any(COUNTING.match(sql) for sql in asked)
    fill_scope(instance.home, instance.keys, OWN, 60)
    assert counted(instance.ask(TABLE, cookie).text)[0] == 60


def test_what_is_remembered_of_one_condition_is_not_said_of_another(instance: Instance) -> None:
    cookie = instance.log_in(CLERK)
    for _ in range(2):
        numbers = [counted(instance.ask(f"{TABLE}&category={code}", cookie).text)[0] for code in "KBZ"]
        assert numbers == [20, 20, 0]
    count = f"/{OWN}/-/query.json?sql=select+count(*)+from+children+where+category+=+:c&_shape=arrays&c="
    for _ in range(2):
        assert [instance.ask(count + code, cookie).json()["rows"][0][0] for code in "KBZ"] == [20, 20, 0]


@pytest.mark.parametrize("told", ["random()", "date('now')", "current_timestamp"])
def test_what_the_time_or_chance_changes_is_counted_each_time(instance: Instance, asked: list[str], told: str) -> None:
    cookie = instance.log_in(CLERK)
    count = f"select count(*) from children where birth < {told}"
    for _ in range(2):
        assert instance.ask(f"/{OWN}/-/query.json", cookie, params={"sql": count}).status_code == 200
    assert asked.count(count) == 2


def test_a_look_that_is_answered_from_memory_is_on_record_as_any_other(instance: Instance) -> None:
    cookie = instance.log_in(CLERK)
    looks = []
    for _ in range(2):
        instance.ask(TABLE, cookie)
        (newest,) = instance.run(instance.datasette.auditor.newest(1))
        looks.append((newest.look.path, newest.look.rows, newest.look.statements > 0))
    assert looks[0] == looks[1]
    assert looks[0][1] == 51, "a page, and whether there is another"


def test_who_asks_is_looked_up_once_in_a_request(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    cookie, found = instance.log_in(CLERK), []
    usual = getattr(sessions, "resolve_actor")  # noqa: B009 - not exported there

    async def noted(*given: Any) -> Any:
        found.append(await usual(*given))
        return found[-1]

    monkeypatch.setattr(sessions, "resolve_actor", noted)
    for number in (1, 2):
        assert instance.ask(TABLE, cookie).status_code == 200
        assert [actor["username"] for actor in found] == [CLERK] * number


def test_permissions_are_those_that_datasette_itself_would_find(instance: Instance) -> None:
    datasette = instance.datasette
    names = {CLERK: {OWN}, STRANGER: {OTHER}, CHIEF: {OWN, OTHER, BUREAU}}
    query = "SELECT username, id FROM datasette_accounts_users"
    actors = dict(tuple(row) for row in instance.run(datasette.get_internal_database().execute(query)).rows)
    actions = sorted({*datasette.actions} & {*SCOPED_ACTIONS, "insert-row", "update-row", "drop-table", "view-query"})
    assert len(actions) > len(SCOPED_ACTIONS)
    for username, visible in names.items():
        actor = {"id": actors[username], "username": username}
        for scope in (OWN, OTHER, BUREAU):
            for action in actions:
                kind = datasette.actions[action].resource_class
                resource = DatabaseResource(scope) if kind is DatabaseResource else TableResource(scope, "children")
                given = {"actions": [action], "resource": resource, "actor": actor}
                ours = instance.run(datasette.allowed_many(**given))[action]
                assert ours is instance.run(Datasette.allowed_many(datasette, **given))[action], (username, action)
                assert ours is (scope in visible and action in SCOPED_ACTIONS), (username, scope, action)
                assert instance.run(datasette.allowed_many(**given | {"actor": None}))[action] is False


def test_a_scope_that_is_removed_under_a_running_server_is_not_found_and_others_go_on(
    instance: Instance, tmp_path: Path
) -> None:
    chief, stranger = instance.log_in(CHIEF), instance.log_in(STRANGER)
    assert instance.ask(f"/{OTHER}/children", stranger).status_code == 200
    path = scope_path(instance.home.scopes, OTHER)
    path.rename(tmp_path / path.name)
    instance.run(instance.datasette.refresh_schemas(force=True))
    try:
        for cookie, pages in ((chief, {f"/{BUREAU}": 200, f"/{OWN}/children": 200, f"/{OTHER}/children": 404}),
                              (stranger, {f"/{OTHER}": 404, f"/{OTHER}/children.json": 404})):  # fmt: skip
            for page, status in pages.items():
                assert instance.ask(page, cookie).status_code == status, page
    finally:
        (tmp_path / path.name).rename(path)
