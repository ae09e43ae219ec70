"""Every route that the running instance registers × who asks × how: what answers, and that no answer leaks.

Paths are made from the routes' own patterns, so a route of a later version or of a new plugin cannot hide.
"""

import asyncio
import itertools
import re
from collections.abc import Iterator
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

import pytest

from etl.system.home import Home
from etl.vault.store.keys import Keys
from plugins import hooks
from plugins.launch import build_staff
from plugins.staff import StaffDatasette
from tests.test_staff_home import (
    BUREAU,
    CHIEF,
    CHILD,
    CLERK,
    OTHER,
    OWN,
    PASSWORD,
    ROOT,
    TEAM,
    add_accounts,
    add_numbers,
    make_home,
    wafangdian,
)

COOKIE = "ds_accounts_session"
OPEN = re.compile(r"/-/login|/favicon\.ico|/-/fuxue/[\w.-]+")
TABLES = ("children", "workbooks", "findings")
#: What only OTHER's clerk and the bureau may read.
FOREIGN = (CHILD[OTHER], TEAM[OTHER], OTHER, "老虎屯")
ALL = (*FOREIGN, CHILD[OWN], TEAM[OWN], OWN, "仙浴湾", *TABLES)
FILL = {"table": "children", "query": "children", "pks": "20190219-01,10001", "path": "staff.css", "rest": "/x"}
FILL |= {"issue": "20190219-01", "serial": "10001"}


class Instance:
    """The staff instance with a loop of its own, asked in process."""

    def __init__(self, home: Home, keys: Keys) -> None:
        self.home, self.keys = home, keys
        self.loop = asyncio.new_event_loop()
        self.datasette: StaffDatasette = build_staff(home, keys, wafangdian(), ROOT)
        self.run(self.datasette.invoke_startup())
        self.put_together()

    def put_together(self) -> None:
        """Routes, gate and all, once for all requests, as the server does it; the client would for each of them."""
        app = type(self.datasette).app(self.datasette)
        self.datasette.app = lambda: app

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def ask(self, path: str, cookie: str | None = None, method: str = "GET", **options: Any) -> Any:
        cookies = {COOKIE: cookie} if cookie else options.pop("cookies", None)
        return self.run(self.datasette.client.request(method, path, cookies=cookies, **options))

    def log_in(self, username: str, password: str = PASSWORD) -> str:
        body = {"username": username, "password": password}
        answer = self.ask("/-/login/api/authenticate", method="POST", json=body)
        assert answer.status_code == 200
        return str(answer.cookies[COOKIE])

    def close(self) -> None:
        self.datasette.close()
        self.loop.close()


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    home, keys = make_home(tmp_path_factory.mktemp("routes") / "var")
    add_numbers(home, keys)
    add_accounts(home, keys)
    made = Instance(home, keys)
    yield made
    made.close()


class Examples:
    """Paths that a route's pattern matches: each optional part left out and put in, named groups filled by name."""

    def __init__(self, pattern: str, fill: dict[str, str]) -> None:
        parsed = _parser.parse(pattern)
        self.fill = fill
        self.names = {number: name for name, number in parsed.state.groupdict.items()}
        self.paths = [path for path in self.join(parsed) if re.match(pattern, path)]

    def join(self, items: Any) -> list[str]:
        pieces = (getattr(self, str(op).lower(), self.sign)(value) for op, value in items)
        return ["".join(parts) for parts in itertools.product(*pieces)]

    def literal(self, value: int) -> list[str]:
        return [chr(value)]

    def at(self, _value: Any) -> list[str]:
        return [""]

    def branch(self, value: Any) -> list[str]:
        return [text for option in value[1] for text in self.join(option)]

    def subpattern(self, value: Any) -> list[str]:
        name = self.names.get(value[0], "")
        return [self.fill[name]] if name in self.fill else self.join(value[3])

    def max_repeat(self, value: Any) -> list[str]:
        low, _, items = value
        return [*([""] if low == 0 else []), *self.join(items)]

    min_repeat = max_repeat

    def sign(self, value: Any) -> list[str]:
        """Of a class of signs: one that fits, or for \\w a word that a format could be."""
        return ["json" if value == [(sre.CATEGORY, sre.CATEGORY_WORD)] else "1"]


def route_paths(instance: Instance, database: str) -> list[str]:
    fill = {**FILL, "database": database, "scope": database}
    paths: set[str] = set()
    for regex, _ in instance.datasette._routes():
        found = Examples(regex.pattern, fill).paths
        assert found, f"no path could be made for {regex.pattern}"
        paths.update(found)
    assert len(paths) > 80
    return sorted(paths)


def variants(paths: list[str]) -> Iterator[tuple[str, str]]:
    """Each path as page, JSON, CSV, with a query string, and posted to."""
    for path in paths:
        yield "GET", path
        yield "POST", path
        if not path.endswith((".json", ".csv")):
            yield "GET", f"{path}.json"
            yield "GET", f"{path}.csv"
        yield "GET", f"{path}?sql=select+*+from+children&_where=1=1&_facet=name&_extra=query,debug"


@pytest.fixture(scope="module")
def clerk(instance: Instance) -> str:
    """The clerk's cookie. One login serves all: hashing a password takes a third of a second."""
    return instance.log_in(CLERK)


def test_examples_of_a_pattern() -> None:
    found = Examples(r"/(?P<database>[^\/\.]+)(\.(?P<format>\w+))?$", {"database": "d"})
    assert found.paths == ["/d", "/d.json"]


@pytest.mark.parametrize("database", [OWN, BUREAU, "nowhere"])
def test_anonymous_gets_the_login_page_and_nothing_else(instance: Instance, database: str) -> None:
    opened = set()
    for method, path in variants(route_paths(instance, database)):
        answer = instance.ask(path, method=method)
        plain = path.partition("?")[0]
        if answer.status_code == 200:
            assert OPEN.fullmatch(plain), path
            opened.add(plain)
        elif answer.status_code == 302:
            assert answer.headers["location"].startswith("/-/login?next=")
        else:
            assert answer.status_code in (400, 403, 404, 405), (method, path)
        assert not [word for word in ALL if word in answer.text], (method, path)
    assert "/-/login" in opened


def test_anonymous_answers_do_not_tell_what_exists(instance: Instance) -> None:
    for template in ("/{}", "/{}.json", "/{}/children", "/{}/children.csv", "/{}/-/query?sql=select+1"):
        real, invented = (instance.ask(template.format(name)) for name in (OTHER, "n" * len(OTHER)))
        assert real.status_code == invented.status_code
        assert real.text == invented.text


@pytest.mark.parametrize("database", [OTHER, BUREAU])
def test_a_clerk_gets_nothing_of_another_scope(instance: Instance, clerk: str, database: str) -> None:
    for method, path in variants(route_paths(instance, database)):
        if path.startswith("/-/logout/perform"):
            continue
        answer = instance.ask(path, clerk, method)
        assert answer.status_code < 500, (method, path)
        if path.startswith(f"/{database}"):
            assert answer.status_code == 404, (method, path)
        assert not [word for word in FOREIGN if word in answer.text], (method, path)


def test_a_clerk_sees_the_own_scope_and_no_route_fails(instance: Instance, clerk: str) -> None:
    for method, path in variants(route_paths(instance, OWN)):
        if path.startswith("/-/logout/perform"):
            continue
        answer = instance.ask(path, clerk, method)
        assert answer.status_code < 500, (method, path)
        assert not [word for word in FOREIGN if word in answer.text], (method, path)
        assert method == "GET" or answer.status_code != 200, path
    for path in (f"/{OWN}", f"/{OWN}/children", f"/{OWN}/children.csv", f"/{OWN}/-/query.json?sql=select+1", "/"):
        assert instance.ask(path, clerk).status_code == 200, path
    assert CHILD[OWN] in instance.ask(f"/{OWN}/children.csv", clerk).text


def test_the_bureau_sees_every_scope(instance: Instance) -> None:
    chief = instance.log_in(CHIEF)
    for scope in (BUREAU, OTHER, OWN):
        assert instance.ask(f"/{scope}/children", chief).status_code == 200
    assert CHILD[OTHER] in instance.ask(f"/{BUREAU}/children.csv?name={CHILD[OTHER]}", chief).text


@pytest.mark.prove
def test_permissions_alone_would_hold(
    instance: Instance,
    clerk: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """With the gate taken away, Datasette's own permissions refuse the same data: two locks, not one."""
    with monkeypatch.context() as patched:
        patched.setattr(hooks, "gate", lambda _datasette, app, *_: app)
        instance.put_together()
    request.addfinalizer(instance.put_together)
    for (method, path), cookie in itertools.product(variants(route_paths(instance, OTHER)), (None, clerk)):
        if path.startswith("/-/logout/perform"):
            continue
        answer = instance.ask(path, cookie, method)
        said = answer.text.replace(path, "")
        assert not [word for word in (CHILD[OTHER], TEAM[OTHER], "老虎屯") if word in said], (method, path)
        # The list of stored queries answers anyone, with an empty list: there are none.
        if path.startswith((f"/{OTHER}/", f"/{OTHER}.")) and "/-/queries" not in path:
            assert answer.status_code != 200, (method, path)
    assert instance.ask(f"/{OWN}/children", clerk).status_code == 200
    assert "select" not in capfd.readouterr().err.lower()


def test_every_answer_carries_the_headers(instance: Instance, clerk: str) -> None:
    for path, cookie in ((f"/{OWN}/children", clerk), ("/nowhere", clerk), ("/", None), ("/-/fuxue/staff.css", None)):
        headers = instance.ask(path, cookie).headers
        assert headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"


def test_the_server_goes_by_its_own_name_only(instance: Instance) -> None:
    assert instance.ask("/-/login", headers={"host": "evil.example"}).status_code == 400
    assert instance.ask("/-/login", headers={"host": "127.0.0.1:8001"}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        f"/{OWN}/../{OTHER}/children",
        f"/{OWN}/%2e%2e/{OTHER}/children",
        f"//{OTHER}/children",
        f"/{OTHER.replace('l', '%6c', 1)}/children",
        f"/{OTHER.replace('l', '~6C', 1)}/children",
        f"/{OTHER}/children/",
        f"/{OTHER}%2fchildren",
        f"/{OTHER.upper()}/children",
        f"/-/static/..%2f..%2f{OTHER}",
        f"/{OWN}/children/{OTHER},10001",
        f"/{OWN}/sqlite_master",
        "/__INTERNAL__/datasette_accounts_users",
        "/_internal",
        "/_memory",
        f"/{OWN}.db",
        f"/{OWN}/children.blob?_blob_column=name",
        f"/{OWN}/children.csv?_stream=1",
        f"/-/jump?q={OTHER}",
        "/-/databases.json",
        "/-/actor.json",
    ],
)
def test_odd_paths_lead_nowhere(instance: Instance, clerk: str, path: str) -> None:
    answer = instance.ask(path, clerk)
    assert answer.status_code in (400, 404)
    assert not [word for word in FOREIGN if word in answer.text.replace(path, "")]


def test_logs_stay_silent(instance: Instance, clerk: str, capfd: pytest.CaptureFixture[str]) -> None:
    for query in (f"select '{CHILD[OWN]}' from nowhere", f"select {CHILD[OWN]} from children", "select json('')"):
        instance.ask(f"/{OWN}/-/query.json", clerk, params={"sql": query})
        instance.ask(f"/{OWN}/children.csv", clerk, params={"_where": query.removeprefix("select ")})
    said = capfd.readouterr()
    assert said.out + said.err == ""
