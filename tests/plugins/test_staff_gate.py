"""What stands beside and behind the gate: other connections, errors halfway, and locks that hold without it."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from datasette import NotFound
from datasette.app import Datasette
from datasette.utils.asgi import Request

from etl.vault.store.files import DatabaseError
from plugins import hooks
from plugins.answer import Message
from plugins.gate import App, gate
from tests.support.staff_home import CHILD, CLERK, OTHER, OWN, SHOWN, add_accounts, add_numbers, fill_scope, make_home
from tests.support.staff_instance import Instance

PAGE = {"type": "http", "method": "GET", "path": "/-/login", "headers": [(b"host", b"127.0.0.1")], "query_string": b""}
START = {"type": "http.response.start", "status": 200, "headers": []}
PART = {"type": "http.response.body", "body": b"a part", "more_body": True}


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    home, keys = make_home(tmp_path_factory.mktemp("gate") / "var")
    add_numbers(home, keys)
    add_accounts(home, keys)
    made = Instance(home, keys)
    yield made
    made.close()


@pytest.fixture
def ungated(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> Iterator[Instance]:
    """The instance without its gate: Datasette and our pages alone."""
    with monkeypatch.context() as patched:
        patched.setattr(hooks, "gate", lambda _datasette, app, *_: app)
        instance.put_together()
    yield instance
    instance.put_together()


def sent(instance: Instance, app: App, scope: Message) -> list[Message]:
    """All that goes out for a connection, behind the gate, to an application."""
    out: list[Message] = []

    async def send(message: Message) -> None:
        out.append(message)

    datasette = instance.datasette
    instance.run(gate(datasette, app, datasette.rules, datasette.auditor)(scope, None, send))
    return out


async def never(*_: object) -> None:
    raise AssertionError("the application was reached")


def test_a_web_socket_is_closed_and_reaches_nothing(instance: Instance) -> None:
    assert sent(instance, never, {**PAGE, "type": "websocket"}) == [{"type": "websocket.close", "code": 1008}]


def test_the_servers_own_start_and_end_reach_the_application(instance: Instance) -> None:
    async def app(scope: Message, _receive: Any, send: Any) -> None:
        assert scope["type"] == "lifespan"
        await send({"type": "lifespan.startup.complete"})

    assert sent(instance, app, {"type": "lifespan"}) == [{"type": "lifespan.startup.complete"}]


def test_an_error_after_the_first_part_ends_the_answer_and_adds_nothing(
    instance: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    async def app(_scope: Message, _receive: Any, send: Any) -> None:
        await send(START)
        await send(PART)
        raise ValueError(CHILD[OWN])

    head, part = sent(instance, app, dict(PAGE))
    assert (head["status"], part) == (200, PART)
    said = capsys.readouterr().err
    assert said.startswith("staff: ValueError at ")
    assert CHILD[OWN] not in said


def test_an_error_before_the_first_part_is_a_refusal(instance: Instance) -> None:
    async def app(_scope: Message, _receive: Any, send: Any) -> None:
        await send(START)
        raise ValueError("x")

    head, body = sent(instance, app, dict(PAGE))
    assert head["status"] == 503
    assert b"<h1>503</h1>" in body["body"]


def test_without_the_gate_a_number_is_shown_to_nobody(ungated: Instance) -> None:
    """Of another scope there is none; of the own one, nobody has opened an entry of the log."""
    cookie = ungated.log_in(CLERK)
    for scope, method, who in ((OTHER, "GET", cookie), (OTHER, "POST", cookie), (OWN, "POST", cookie)):
        answer = ungated.ask(f"/{scope}/-/number/20190219-01,10001", who, method, data={"reason": "家长来电核对号码"})
        assert answer.status_code == 404, (scope, method)
        assert SHOWN not in answer.text
    assert ungated.ask(f"/{OWN}/-/number/20190219-01,10001", cookie).status_code == 200
    for method in ("GET", "POST"):
        assert ungated.ask(f"/{OWN}/-/number/20190219-01,10001", method=method).status_code == 404


def test_nobody_is_the_custodian_without_an_account(instance: Instance) -> None:
    for actor in (None, {}, {"id": None}, {"id": "nobody"}):
        assert instance.run(instance.datasette.is_custodian(actor)) is False


def test_a_statement_is_looked_into_on_a_guarded_connection_that_is_closed_again_and_nothing_is_logged(
    instance: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    database = instance.datasette.get_database(OWN)
    instance.run(database.execute("SELECT 1"))
    assert instance.run(database.execute_isolated_fn(lambda db: db.execute("SELECT 7").fetchone()[0])) == 7
    with pytest.raises(DatabaseError, match="not authorized"):
        instance.run(database.execute_isolated_fn(lambda db: db.execute("DELETE FROM children")))
    assert capsys.readouterr().err == ""
    kept: list[Any] = []
    instance.run(database.execute_isolated_fn(kept.append))
    with pytest.raises(Exception, match="closed database"):
        kept[0].execute("SELECT 1")
    assert kept[0] not in database._all_connections


def test_a_load_while_a_statement_is_looked_into_does_not_disturb_it(instance: Instance) -> None:
    database = instance.datasette.get_database(OWN)

    def load(db: Any) -> int:
        fill_scope(instance.home, instance.keys, OWN)
        database._follow_file()  # another request notices the new file
        return int(db.execute("SELECT count(*) FROM children").fetchone()[0])

    assert instance.run(database.execute_isolated_fn(load)) == 60


def test_another_datasette_in_the_same_process_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """These hooks belong to the whole process: without our rules they give no table, no variables, no error page."""
    monkeypatch.setattr("datasette.handle_exception.rich", None)  # it would print the error with all variables

    async def ask(other: Datasette) -> tuple[Any, Any]:
        await hooks.startup(other)()
        wrong = hooks.handle_exception(other, Request.fake("/nowhere.json"), NotFound("no such thing"))
        return await other.get_internal_database().table_names(), await wrong()

    other = Datasette()
    tables, wrong = asyncio.run(ask(other))
    other.close()
    assert tables == []
    assert (wrong.status, json.loads(wrong.body)["error"]) == (404, "no such thing")
    assert hooks.extra_template_vars(other, None, "index", "index.html", None, None) == {}
    assert hooks.register_routes(other) == []
    assert hooks.permission_resources_sql(other, {"id": "root"}, "view-instance") is None
