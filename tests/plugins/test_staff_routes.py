"""Every route that the running instance registers × who asks × how: what answers, and that no answer leaks.

Paths are made from the routes' own patterns, so a route of a later version or of a new plugin cannot hide.
"""

import itertools
import re
from collections.abc import Iterator

import pytest

from plugins import hooks
from tests.support.staff_home import BUREAU, CHIEF, CHILD, CLERK, OTHER, OWN, TEAM, add_accounts, add_numbers, make_home
from tests.support.staff_instance import (
    FILL,
    Examples,
    Instance,
    route_paths,
    variants,
)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    home, keys = make_home(tmp_path_factory.mktemp("routes") / "var")
    add_numbers(home, keys)
    add_accounts(home, keys)
    made = Instance(home, keys)
    yield made
    made.close()


OPEN = re.compile(r"/-/login|/favicon\.ico|/-/fuxue/[\w.-]+")
TABLES = ("children", "workbooks", "findings")
#: What only OTHER's clerk and the bureau may read.
FOREIGN = (CHILD[OTHER], TEAM[OTHER], OTHER, "老虎屯")
ALL = (*FOREIGN, CHILD[OWN], TEAM[OWN], OWN, "仙浴湾", *TABLES)
FILL |= {"issue": "20190219-01", "serial": "10001"}


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


def test_anonymous_answers_do_not_reveal_what_exists(instance: Instance) -> None:
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
    for path in (f"/{OWN}", f"/{OWN}/children", f"/{OWN}/children.csv", f"/{OWN}/-/query.json?sql=select+1"):
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
