"""The outermost wrapper: which paths exist at all, for whom, and with which headers every answer leaves.

What is not listed here is not found, alike for everyone, so that an answer never tells what a name stands for.
Datasette's permissions stand behind it and would refuse the same.
"""

import json
import re
import sys
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

from datasette.app import Datasette
from datasette.utils.asgi import Request
from datasette_accounts import resolve_actor

from plugins.scopes import visible

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Any, Send], Awaitable[None]]

LOGIN = "/-/login"
READ = frozenset(("GET", "HEAD"))
POST = frozenset(("POST",))

#: Open to everyone: the login page and what it is made of. Nothing of this is about anyone.
OPEN = (
    (READ, re.compile(r"/-/login|/favicon\.ico|/-/fuxue/[\w.-]+")),
    (POST, re.compile(r"/-/login/api/authenticate")),
)
#: For every account.
STAFF = (
    (READ, re.compile(r"/|/-/(account|logout)")),
    (POST, re.compile(r"/-/logout/perform|/-/account/api/change-password")),
)
SCOPE = re.compile(r"/(?P<scope>[a-z][a-z0-9-]*)(?P<below>.*)", re.ASCII)

HEADERS = (
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"x-robots-tag", b"noindex"),
)
REPLACED = frozenset(name for name, _ in HEADERS) | {b"server"}
PAGE = """<!DOCTYPE html><html lang="zh-CN"><meta charset="utf-8"><title>复学</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/-/fuxue/staff.css">
<main class="refused"><h1>{status}</h1><p>{words}</p><p><a href="/">返回首页 / Home</a></p></main></html>
"""
WORDS = {
    302: "请先登录 / Log in first",
    400: "请求有误 / Bad request",
    403: "请先登录 / Log in first",
    404: "没有这个页面 / Not found",
}


def report(error: BaseException) -> None:
    """Log what kind of error struck where: never its message or variables, which may hold a person's data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
    print(f"staff: {type(error).__name__} at {place}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Rules:
    """What the gate knows: the tables of a scope, and the names that a request may call the server by."""

    tables: tuple[str, ...]
    hosts: frozenset[str]

    @cached_property
    def below(self) -> re.Pattern[str]:
        """What exists below a scope's name: its page, own SQL, and the documented tables with their rows."""
        known = "|".join(map(re.escape, self.tables))
        rows = r"/[\w~,-]+(\.json)?"
        return re.compile(rf"(\.json|/-/query(\.json|\.csv)?|/({known})((\.json|\.csv)?|{rows}))?", re.ASCII)


def gate(datasette: Datasette, app: App, rules: Rules) -> App:
    """Wrap `app`, so that nothing but what is listed here reaches it."""

    async def guarded(scope: Message, receive: Any, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        answer = _Answer(send)
        try:
            refusal = await _refusal(datasette, scope, receive, rules)
            if refusal is None:
                await app(scope, receive, answer)
            else:
                await answer.refuse(scope, *refusal)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not reach the server's own log
            report(error)
            if not answer.started:
                await answer.refuse(scope, 400, None)

    return guarded


async def _refusal(datasette: Datasette, scope: Message, receive: Any, rules: Rules) -> tuple[int, str | None] | None:
    """None to let the request in, else the status and, for a redirect, where to."""
    request = Request(scope, receive)
    if not _host_known(request, rules.hosts):
        return 400, None
    path = _path(scope)
    if _listed(OPEN, request.method, path):
        return None
    actor = await resolve_actor(datasette, request)
    if not actor:
        return (302, f"{LOGIN}?next={quote(path)}") if _wants_page(request, path) else (403, None)
    if _listed(STAFF, request.method, path):
        return None
    found = SCOPE.fullmatch(path)
    if not found or request.method not in READ or not rules.below.fullmatch(found["below"]):
        return 404, None
    return None if found["scope"] in await visible(datasette, actor) else (404, None)


def _listed(rules: tuple[tuple[frozenset[str], re.Pattern[str]], ...], method: str, path: str) -> bool:
    return any(method in methods and pattern.fullmatch(path) for methods, pattern in rules)


def _path(scope: Message) -> str:
    """The path that Datasette will route by: as sent, undecoded."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.decode("ascii", "replace").partition("?")[0]


def _host_known(request: Request, hosts: frozenset[str]) -> bool:
    """False for a foreign Host: a page elsewhere whose name was pointed at this address (DNS rebinding)."""
    name = re.sub(r":\d+$", "", request.headers.get("host") or "")
    return name.strip("[]").lower() in hosts


def _wants_page(request: Request, path: str) -> bool:
    accept = request.headers.get("accept") or ""
    data = path.endswith((".json", ".csv")) or "application/json" in accept
    return request.method in READ and not data


class _Answer:
    """The response on its way out: adds the headers, and makes the refusals."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            kept = [(name, value) for name, value in message.get("headers", []) if name.lower() not in REPLACED]
            message = {**message, "headers": [*kept, *HEADERS]}
        await self.send(message)

    async def refuse(self, scope: Message, status: int, location: str | None) -> None:
        """The same few bytes for everyone and every path."""
        headers = [(b"content-type", b"text/html; charset=utf-8")]
        body = PAGE.format(words=WORDS.get(status, ""), status=status).encode()
        if location:
            headers.append((b"location", location.encode()))
        elif _path(scope).endswith(".json"):
            headers = [(b"content-type", b"application/json; charset=utf-8")]
            body = json.dumps({"ok": False, "error": WORDS[status], "status": status}, ensure_ascii=False).encode()
        await self({"type": "http.response.start", "status": status, "headers": headers})
        await self({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
