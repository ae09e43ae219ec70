"""The outermost layer of the staff instance: which paths exist, for whom, and the headers of every answer.

A path that is not listed here is "not found" for everyone in the same way, so that an answer never reveals whether a
name exists. Datasette's own permissions, behind this layer, would refuse the same requests.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, quote

from datasette.app import Datasette
from datasette.utils.asgi import Request

from plugins.access import visible_scopes
from plugins.answer import SECURITY_HEADERS, STRICT, GuardedAnswer, Message, Send, log_error_kind, path_of
from plugins.asked import EXPORTED, MOST_CELLS_ON_PAGE, MOST_EXPORTED, MOST_ON_PAGE, faulty_parameter
from plugins.looks import Auditor, seen
from plugins.sessions import actor_of, must_wait
from plugins.statement_limits import TooManyError

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
        answer = GuardedAnswer(send, scope, auditor, (*SECURITY_HEADERS, *([STRICT] if rules.is_tls else [])))
        path = path_of(scope)
        answer.seen.is_export, is_data = path.endswith(EXPORTED), path.endswith((".json", *EXPORTED))
        answer.seen.most_rows = MOST_EXPORTED if is_data else MOST_ON_PAGE
        answer.seen.most_cells = 0 if is_data else MOST_CELLS_ON_PAGE
        token = seen.set(answer.seen)
        try:
            refusal = await _refusal(datasette, scope, receive, rules, answer)
            if refusal is not None:
                await answer.refuse(*refusal)
            elif answer.actor:
                async with datasette.turns.turn(answer.actor, is_heavy=answer.is_heavy):
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
    datasette: Datasette, scope: Message, receive: Any, rules: Rules, answer: GuardedAnswer
) -> tuple[int, str | None] | None:
    """None if the request is allowed, else the status and the target of a redirect; sets `answer.actor`."""
    request = Request(scope, receive)
    if not _host_known(request, rules.hosts):
        return 400, None
    path = path_of(scope)
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
    datasette: Datasette, scope: Message, rules: Rules, answer: GuardedAnswer, actor: dict[str, Any]
) -> tuple[int, str | None] | None:
    """The same for a path that begins with a scope's name."""
    found = _SCOPE.fullmatch(path_of(scope))
    if not found or not rules.exists(scope["method"], found["below"]):
        return 404, None
    if found["scope"] not in await visible_scopes(datasette, actor):
        return 404, None
    query = scope.get("query_string", b"")
    answer.wrong = faulty_parameter(found["below"], query.decode("latin-1"), rules.columns)
    if answer.wrong:
        return 400, None
    table = found["below"].lstrip("/").partition(".")[0]
    answer.seen.table = table if table in rules.tables else ""
    answer.is_heavy = answer.seen.is_export or "/-/query" in found["below"] or _has_own_sql(query)
    if answer.seen.is_export:
        answer.title = rules.title_of(found["below"])
        scope["query_string"] = query + b"&_size=max"  # Datasette would give the rows of one page
    return None


def _has_own_sql(query: bytes) -> bool:
    """Whether a query string has a condition in SQL (``_where``), however its name is written."""
    return any(name == "_where" for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True))


def _listed(rules: tuple[tuple[frozenset[str], re.Pattern[str]], ...], method: str, path: str) -> bool:
    return any(method in methods and pattern.fullmatch(path) for methods, pattern in rules)


def _host_known(request: Request, hosts: frozenset[str]) -> bool:
    """Whether the Host header names this server; else a foreign page may have its name point here (DNS rebinding)."""
    name = re.sub(r":\d+$", "", request.headers.get("host") or "")
    return name.strip("[]").lower() in hosts


def _wants_page(request: Request, path: str) -> bool:
    accept = request.headers.get("accept") or ""
    data = path.endswith((".json", *EXPORTED)) or "application/json" in accept
    return request.method in READ and not data
