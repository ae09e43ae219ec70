"""Datasette's hooks for the staff instance. They apply to the whole process but do nothing for other instances."""

import sys
from pathlib import Path
from typing import Any

from datasette import Response, hookimpl
from datasette import handle_exception as usual
from datasette.app import Datasette
from datasette.database import QueryInterrupted
from datasette.filters import FilterArguments
from datasette.permissions import PermissionSQL
from datasette.plugins import DEFAULT_PLUGINS, pm
from datasette.utils.asgi import Base400, Request
from datasette.views.base import DatasetteError
from jinja2 import Environment, FileSystemLoader

from etl.findings import FuxueError
from etl.rulebook.campaign import BUREAU
from plugins import access
from plugins.answer import log_error_kind
from plugins.describe import heading, titles
from plugins.exports import EXPORTS, export_links, password_of, xlsx_export
from plugins.gate import App, Rules, gate
from plugins.home_page import home_page
from plugins.looks import seen
from plugins.overview import overview
from plugins.password_strength import install_check
from plugins.reveal import ROUTE, audit_page, reveal
from plugins.scope_pages import first_page
from plugins.sessions import install_actor_of
from plugins.sql_errors import in_words
from plugins.story import story

_NAME = "fuxue"
#: Plugins that log in without an account, and the error report, which logs local variables.
REMOVED = (
    "datasette.actor_auth_cookie",
    "datasette.default_permissions.tokens",
    "datasette.default_permissions.root",
    "datasette.handle_exception",
)
#: The plugins that may be installed: Datasette's own, the accounts plugin, and those that it needs.
KNOWN = frozenset((*DEFAULT_PLUGINS, _NAME, "accounts", "plugin_router", "user_profiles", "vite"))
#: The columns that hold the code of a unit or department. Pages show its name, in the templates, since Datasette would
#: call a hook for every cell of a table: a third of a page's time.
CODED = frozenset(("unit", "department"))
#: The rows of a table, apart from the page: Datasette's own templates are asynchronous, which costs thrice the time.
TABLE_BODY = Environment(
    loader=FileSystemLoader(Path(__file__).resolve().parent / "templates"), autoescape=True
).get_template("_table_body.html")
_TOO_LONG = "这个查询用时太长，请加上条件 / the query takes too long: add conditions"
_OR_NEXT = "；或者参数 _next 的值不对，请从第一页开始 / or the parameter _next is wrong: begin with the first page"
_TEXTS = {
    400: "请求有误 / Bad request",
    403: "没有权限 / Not permitted",
    404: "没有这个页面 / Not found",
    500: "内部错误，请告知管理员 / Internal error: inform the administrator",
}


def install() -> None:
    """Register these hooks, once per process, and unregister the plugins in `REMOVED`.

    Raises FuxueError if an unknown plugin is installed, since it could open a way around these hooks.
    """
    for name, plugin in pm.list_name_plugin():
        if plugin is not None and name not in KNOWN:
            raise FuxueError("serve.unknown_plugin", name=name)
    for name in REMOVED:
        if pm.has_plugin(name):
            pm.unregister(name=name)
    if not pm.has_plugin(_NAME):
        pm.register(sys.modules[__name__], _NAME)
    install_check()
    install_actor_of()


def rules_of(datasette: Datasette) -> Rules | None:
    """The gate's rules if this is the staff instance, else None."""
    rules = getattr(datasette, "rules", None)
    return rules if isinstance(rules, Rules) else None


@hookimpl(trylast=True)  # type: ignore[untyped-decorator]
def asgi_wrapper(datasette: Datasette) -> Any:
    """Wrap the application in the gate; the last wrapper is the outermost."""
    rules = rules_of(datasette)

    def wrap(app: App) -> App:
        return gate(datasette, app, rules, datasette.auditor) if rules else app

    return wrap


@hookimpl  # type: ignore[untyped-decorator]
def startup(datasette: Datasette) -> Any:
    """Create the table of the accounts' scopes."""

    async def make() -> None:
        if rules_of(datasette):
            await datasette.get_internal_database().execute_write(access.TABLE)

    return make


@hookimpl  # type: ignore[untyped-decorator]
def permission_resources_sql(datasette: Datasette, actor: dict[str, Any] | None, action: str) -> PermissionSQL | None:
    """The permission rule for an action (see `plugins.access`)."""
    return access.permission(actor, action) if rules_of(datasette) else None


@hookimpl  # type: ignore[untyped-decorator]
def extra_template_vars(
    datasette: Datasette,
    request: Request | None,
    view_name: str,
    template: str | None,
    database: str | None,
    table: str | None,
) -> Any:
    """Variables for our templates: Chinese titles of scopes, tables and columns; the content of first pages."""
    rules = rules_of(datasette)
    if not rules:
        return {}
    # In `progress` a unit has its code beside its name.
    coded = CODED if table != "progress" else frozenset()
    names = {"heading": heading, "coded": coded, "printed_names": datasette.printed_names}
    texts = titles(datasette._metadata_local) | names

    async def with_pages() -> dict[str, Any]:
        return texts | await first_page_of(datasette, rules, str(database))

    async def story_of(issue: str, serial: str) -> Any:
        return await story(datasette, str(database), issue, serial)

    if template == "database.html" and database:
        return with_pages
    if view_name == "table" and request:
        can_search = bool(searched_columns(rules, str(table)))
        texts |= {"can_search": can_search, "searched": request.args.get("_search") or ""}
        texts |= {"conditions": datasette.pages.conditions, "table_body": TABLE_BODY.render}
        return texts | {"exports": export_links(request)}
    if template == "query.html" and request:
        what = seen.get()
        return texts | {"exports": export_links(request), "is_cut": what is not None and what.is_cut}
    return texts | {"story_of": story_of} if view_name == "row" else texts


async def first_page_of(datasette: Any, rules: Rules, scope: str) -> dict[str, Any]:
    """Variables of a scope's first page; the bureau's has a line for every unit."""
    columns = datasette.pages.by_unit
    lines = await overview(datasette, columns) if scope == BUREAU else []
    listed = {scope, *(line.unit for line in lines)}
    searched = (name for name in await datasette.databases[scope].table_names() if searched_columns(rules, name))
    return await first_page(datasette, scope) | {
        "units": lines,
        "left": columns,
        "others": [name for name in datasette.databases if name not in listed] if lines else [],
        "opened": datasette.databases,
        "export_password": password_of(datasette.keys, scope),
        "searched_table": min(searched, key=list(rules.columns).index, default=""),
    }


@hookimpl  # type: ignore[untyped-decorator]
def register_output_renderer() -> dict[str, Any]:
    """The sealed workbook (`plugins.exports`); our templates link to it."""

    async def render(
        datasette: Datasette, columns: Any, rows: Any, database: str, table: str | None, error: str | None
    ) -> Any:
        if error:
            raise DatasetteError(error, status=400)
        return await xlsx_export(datasette, columns, rows, database, table) if rules_of(datasette) else None

    return {"extension": "xlsx", "render": render, "can_render": lambda: False}


@hookimpl  # type: ignore[untyped-decorator]
def filters_from_request(request: Request, table: str, datasette: Datasette) -> FilterArguments | None:
    """The search (``_search``): rows whose name or serial holds the text, character for character."""
    rules, text = rules_of(datasette), (request.args.get("_search") or "").strip()
    if not rules or not text:
        return None
    where = " OR ".join(f"instr([{column}], :searched)" for column in searched_columns(rules, table))
    return FilterArguments([f"({where})"], {"searched": text}) if where else None


def searched_columns(rules: Rules, table: str) -> list[str]:
    """The columns of a table that are searched; empty if its rows are not about a child by name."""
    return ["name", "serial"] if {"name", "serial"} <= {*rules.columns.get(table, ())} else []


@hookimpl(tryfirst=True)  # type: ignore[untyped-decorator]
def register_routes(datasette: Datasette) -> list[tuple[str, Any]]:
    """Our routes. Our logout page replaces that of the accounts plugin, whose inline script the policy forbids."""
    ours = [(r"/$", home_page), (r"/-/logout$", logout), (r"/-/audit$", audit_page), (ROUTE, reveal)]
    return ours if rules_of(datasette) else []


async def logout(datasette: Datasette, request: Request) -> Response:
    """The logout page, with a button, since following a link must not end a session."""
    return Response.html(await datasette.render_template("logout.html", request=request))


@hookimpl(tryfirst=True)  # type: ignore[untyped-decorator]
def handle_exception(datasette: Datasette, request: Request, exception: Exception) -> Any:
    """Answer an error without statements, values or variables, neither on the page nor in the log."""
    if not rules_of(datasette):
        return usual.handle_exception(datasette, request, exception)
    status = exception.status if isinstance(exception, Base400 | DatasetteError) else 500
    # CSV alone gets here with the first; of all others Datasette makes the second.
    if isinstance(exception, QueryInterrupted) or getattr(exception, "title", "") == "SQL Interrupted":
        status, exception = 400, DatasetteError(_TOO_LONG, status=400)
    if status == 500:
        log_error_kind(exception)
    # The message of a bad request repeats only the request, e.g. an unknown column; other errors get a fixed text.
    message = in_words(getattr(exception, "plain_message", None) or str(exception)) if status == 400 else ""
    if message and "_next" in request.args:  # it must fit the order of the rows
        message += _OR_NEXT

    async def answer() -> Response:
        path = request.path
        text = _TEXTS.get(status, _TEXTS[400])
        whole = f"{text}: {message}" if message else text
        if path.endswith(".json"):
            return Response.error([whole], status)
        if path.endswith((*EXPORTS,)):
            return Response.text(f"{whole}\n", status=status)
        context = {"title": text, "error": message, "status": status}
        page = await datasette.render_template("error.html", context, request=request)
        return Response.html(page, status=status)

    return answer
