"""A staff instance in this process, and who asks it."""

import asyncio
import itertools
import re
from collections.abc import Iterator
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

from etl.system.home import Home
from etl.vault.store.keys import Keys
from plugins.launch import build_staff
from plugins.staff import StaffDatasette
from tests.support.staff_home import (
    PASSWORD,
    ROOT,
    wafangdian,
)

COOKIE = "ds_accounts_session"


FILL = {"table": "children", "query": "children", "pks": "20190219-01,10001", "path": "staff.css", "rest": "/x"}


class Instance:
    """The staff instance with a loop of its own, asked in process."""

    def __init__(self, home: Home, keys: Keys) -> None:
        self.home, self.keys = home, keys
        self.loop = asyncio.new_event_loop()
        self.datasette: StaffDatasette = build_staff(home, keys, wafangdian(), ROOT)
        self.run(self.datasette.invoke_startup())
        self.put_together()

    def put_together(self) -> None:
        """Build the application once for all requests, as the server does; the client would build it for each."""
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


class Examples:
    """Paths that a route's pattern matches: each optional part left out and put in, named groups filled by name."""

    def __init__(self, pattern: str, fill: dict[str, str]) -> None:
        parsed = _parser.parse(pattern)
        self.fill = fill
        self.names = {number: name for name, number in parsed.state.groupdict.items()}
        self.paths = [path for path in self.join(parsed) if re.match(pattern, path)]

    def join(self, items: Any) -> list[str]:
        pieces = (getattr(self, str(op).lower(), self.one_character)(value) for op, value in items)
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

    def one_character(self, value: Any) -> list[str]:
        """Of a character class: one that fits, or for \\w a word that a format could be."""
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
