"""The outermost layer of the staff instance: which paths exist, for whom, and the headers of every answer.

A path that is not listed here is "not found" for everyone in the same way, so that an answer never reveals whether a
name exists. Datasette's own permissions, behind this layer, would refuse the same requests.
"""

import html
import json
import re
import sys
import traceback
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

from datasette.app import Datasette
from datasette.utils.asgi import Request

from plugins.access import visible_scopes
from plugins.asked import MOST_EXPORTED, MOST_ON_PAGE, faulty_parameter
from plugins.exports import EXPORTS, attachment
from plugins.harmless import harmless
from plugins.looks import Auditor, Seen, look_of, seen
from plugins.sessions import actor_of, must_wait
from plugins.statement_limits import TooManyError

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Any, Send], Awaitable[None]]

LOGIN = "/-/login"
READ = frozenset(("GET", "HEAD"))
POST = frozenset(("POST",))

#: Open to everyone: the login page and its files, without any personal data.
OPEN = (
    (READ, re.compile(r"/-/login|/favicon\.ico|/-/fuxue/[\w.-]+")),
    (POST, re.compile(r"/-/login/api/authenticate")),
)
#: Open to every account.
STAFF = (
    (READ, re.compile(r"/|/-/(account|logout|audit)")),
    (POST, re.compile(r"/-/logout/perform|/-/account/api/(change-password|revoke-session|logout-others)")),
)
#: Below a scope's name: the form to view a full ID number (`plugins.reveal`).
REVEAL = re.compile(r"/-/number/[\w-]+,[\w-]+", re.ASCII)
_SCOPE = re.compile(r"/(?P<scope>[a-z][a-z0-9-]*)(?P<below>.*)", re.ASCII)

_HEADERS = (
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
#: Only with TLS: makes browsers use TLS for this host name from now on.
STRICT = (b"strict-transport-security", b"max-age=31536000")
REPLACED = frozenset(name for name, _ in _HEADERS) | {b"server"}
_PAGE = """<!DOCTYPE html><html lang="zh-CN"><meta charset="utf-8"><title>复学</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/-/fuxue/staff.css">
<main class="refused"><h1>{status}</h1><p>{text}</p><p><a href="/">返回首页 / Home</a></p></main></html>
"""
_TEXTS = {
    302: "请先登录 / Log in first",
    400: "请求有误 / Bad request",
    403: "请先登录 / Log in first",
    404: "没有这个页面 / Not found",
    429: "请求或登录失败过多，请过一刻钟再试 / Too many requests or failed logins: wait a quarter of an hour",
    503: "查阅日志无法写入，不能给出数据，请告知保管人 / The log cannot be written: no data. Inform the custodian",
}
_WRONG = "：参数 {name} 不认识，或者值不对 / the parameter {name} is unknown or has a wrong value"


def log_error_kind(error: BaseException) -> None:
    """Log the type and place of an error, but never its message or variables, which may contain personal data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
    print(f"staff: {type(error).__name__} at {place}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Rules:
    """The tables of scopes (title, descriptions of columns), and the host names by which the server may be called."""

    tables: Mapping[str, tuple[str, Mapping[str, str]]]
    hosts: frozenset[str]
    is_tls: bool = False

    @cached_property
    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """The names of the columns of each table."""
        return {name: tuple(columns) for name, (_, columns) in self.tables.items()}

    def columns_of(self, table: str | None) -> Mapping[str, str]:
        """The descriptions of a table's columns; empty for own SQL."""
        return self.tables[table][1] if table else {}

    @cached_property
    def below(self) -> re.Pattern[str]:
        """The paths below a scope's name: its page, the SQL page, and the documented tables with their rows."""
        known = "|".join(map(re.escape, self.tables))
        rows, kinds = r"/[\w~,-]+(\.json)?", r"(\.json|\.csv|\.xlsx)?"
        return re.compile(rf"(\.json|/-/query{kinds}|/({known})({kinds}|{rows}))?", re.ASCII)

    def title_of(self, below: str) -> str:
        """The Chinese title of the table that a path below a scope's name is about."""
        return self.tables.get(below.lstrip("/").partition(".")[0], ("查询结果", {}))[0]

    def exists(self, method: str, below: str) -> bool:
        """Whether the path `below` a scope's name exists for a method."""
        if REVEAL.fullmatch(below):
            return method in READ | POST
        return method in READ and self.below.fullmatch(below) is not None


def gate(datasette: Datasette, app: App, given: Rules, auditor: Auditor) -> App:
    """Wrap `app`: only listed requests reach it, and no answer leaves before `auditor` has recorded it."""

    async def guarded(scope: Message, receive: Any, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        rules = getattr(datasette, "rules", given)  # the launcher sets hosts and TLS only at the end
        answer = _Answer(send, scope, auditor, (*_HEADERS, *([STRICT] if rules.is_tls else [])))
        path = _path(scope)
        answer.seen.is_export = path.endswith((*EXPORTS,))
        answer.seen.most_rows = MOST_ON_PAGE if _wants_page(Request(scope, receive), path) else MOST_EXPORTED
        token = seen.set(answer.seen)
        try:
            refusal = await _refusal(datasette, scope, receive, rules, answer)
            if refusal is not None:
                await answer.refuse(*refusal)
            elif answer.actor:
                async with datasette.turns.turn(answer.actor):
                    await app(scope, receive, answer)
            else:
                await app(scope, receive, answer)
        except TooManyError:
            await answer.refuse(429, None)
        except Exception as error:  # noqa: BLE001 - no error may reach the server's own log
            log_error_kind(error)
            await answer.refuse_at_last()
        finally:
            seen.reset(token)

    return guarded


async def _refusal(
    datasette: Datasette, scope: Message, receive: Any, rules: Rules, answer: "_Answer"
) -> tuple[int, str | None] | None:
    """None if the request is allowed, else the status and the target of a redirect; sets `answer.actor`."""
    request = Request(scope, receive)
    if not _host_known(request, rules.hosts):
        return 400, None
    path = _path(scope)
    if _listed(OPEN, request.method, path):
        if request.method == "POST":
            answer.actor = ""
            if await must_wait(datasette, str((scope.get("client") or ("",))[0])):
                return 429, None
        return None
    await datasette.idle_sessions.end(datasette)
    actor = await actor_of(datasette, request)
    if not actor:
        return (302, f"{LOGIN}?next={quote(path)}") if _wants_page(request, path) else (403, None)
    answer.actor = actor["username"]
    if _listed(STAFF, request.method, path):
        return None
    return await _refusal_below_scope(datasette, scope, rules, answer, actor)


async def _refusal_below_scope(
    datasette: Datasette, scope: Message, rules: Rules, answer: "_Answer", actor: dict[str, Any]
) -> tuple[int, str | None] | None:
    """The same for a path that begins with a scope's name."""
    found = _SCOPE.fullmatch(_path(scope))
    if not found or not rules.exists(scope["method"], found["below"]):
        return 404, None
    if found["scope"] not in await visible_scopes(datasette, actor):
        return 404, None
    query = scope.get("query_string", b"")
    answer.wrong = faulty_parameter(found["below"], query.decode("latin-1"), rules.columns)
    if answer.wrong:
        return 400, None
    if answer.seen.is_export:
        answer.title = rules.title_of(found["below"])
        if b"_size=" not in query:  # Datasette would give the rows of one page
            scope["query_string"] = query + b"&_size=max" if query else b"_size=max"
    return None


def _listed(rules: tuple[tuple[frozenset[str], re.Pattern[str]], ...], method: str, path: str) -> bool:
    return any(method in methods and pattern.fullmatch(path) for methods, pattern in rules)


def _path(scope: Message) -> str:
    """The path by which Datasette routes: as sent, not decoded."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.decode("ascii", "replace").partition("?")[0]


def _host_known(request: Request, hosts: frozenset[str]) -> bool:
    """Whether the Host header names this server; else a foreign page may have its name point here (DNS rebinding)."""
    name = re.sub(r":\d+$", "", request.headers.get("host") or "")
    return name.strip("[]").lower() in hosts


def _wants_page(request: Request, path: str) -> bool:
    accept = request.headers.get("accept") or ""
    data = path.endswith((".json", *EXPORTS)) or "application/json" in accept
    return request.method in READ and not data


class NotRecordedError(Exception):
    """The audit log could not be written; the cause is not included."""


class _Answer:
    """Sends the answer, or a refusal, with our headers; it is recorded before its first byte leaves.

    `actor` is the account's name, empty for an attempt to log in, None for a request that needs no record. `wrong` is
    the name of the parameter for which the request is refused; `title` names the file of an export.
    """

    def __init__(self, send: Send, scope: Message, auditor: Auditor, headers: Sequence[tuple[bytes, bytes]]) -> None:
        self._send, self._scope, self._auditor, self._headers = send, scope, auditor, headers
        self.actor: str | None = None
        self.wrong = self.title = ""
        self.seen = Seen()
        self._recorded = -1
        self._held: Message | None = None
        self._status = 0
        self._table: list[bytes] | None = None
        self._left = False

    async def __call__(self, message: Message) -> None:
        """Pass on an ASGI message of the answer.

        The head is held back until the first part of the body, when all queries of the request are known. CSV is
        collected and sent as a whole.
        """
        if message["type"] == "http.response.start":
            kept = [(name, value) for name, value in message.get("headers", []) if name.lower() not in REPLACED]
            if message["status"] == 200 and self.title:
                extension = f".{_path(self._scope).rpartition('.')[2]}"
                dropped = (b"content-type", b"content-disposition")
                kept = [pair for pair in kept if pair[0].lower() not in dropped]
                kept += [(b"content-type", EXPORTS[extension].encode())]
                kept += [(b"content-disposition", attachment(self.title, extension).encode())]
                self._table = [] if extension == ".csv" and self._scope["method"] == "GET" else None
            self._held = {**message, "headers": [*kept, *self._headers]}
            self._status = message["status"]
            return
        await self._record()
        if self._table is not None:
            self._table.append(message.get("body", b""))
            if message.get("more_body"):
                return
            message = {**message, "body": harmless(b"".join(self._table))}
        self._left = True
        if self._held is not None:
            head, self._held = self._held, None
            await self._send(head)
        await self._send(message)

    async def _record(self) -> None:
        """Record the request; again only if there were further queries. Raises NotRecordedError if that fails."""
        if self.actor is not None and not self.seen.is_recorded and self._recorded < self.seen.statements:
            try:
                await self._auditor.write(look_of(self._scope, self.actor, self._status, self.seen))
            except Exception as error:  # noqa: BLE001 - Datasette prints what breaks while it writes CSV
                log_error_kind(error)
                raise NotRecordedError from None
            self._recorded = self.seen.statements

    async def refuse_at_last(self) -> None:
        """After an error: send a refusal if nothing has been sent yet; it is not recorded if the log itself failed."""
        if not self._left:
            self._held, failed = None, self._recorded < self.seen.statements and bool(self._status)
            self.actor = None if failed else self.actor
            await self.refuse(503 if failed else 400, None)

    async def refuse(self, status: int, location: str | None) -> None:
        """Send a refusal, which is the same for everyone and every path, but for the name of a wrong parameter."""
        self.title = ""
        headers = [(b"content-type", b"text/html; charset=utf-8")]
        text = _TEXTS.get(status, "") + (_WRONG.format(name=self.wrong[:80]) if self.wrong else "")
        body = _PAGE.format(text=html.escape(text), status=status).encode()
        if location:
            headers.append((b"location", location.encode()))
        elif _path(self._scope).endswith(".json") or "/api/" in _path(self._scope):
            headers = [(b"content-type", b"application/json; charset=utf-8")]
            body = json.dumps({"ok": False, "error": text, "status": status}, ensure_ascii=False).encode()
        elif _path(self._scope).endswith((*EXPORTS,)):
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            body = f"{text}\n".encode()
        await self({"type": "http.response.start", "status": status, "headers": headers})
        await self({"type": "http.response.body", "body": b"" if self._scope["method"] == "HEAD" else body})
