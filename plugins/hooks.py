"""Datasette's hooks for the staff instance. They are known to the whole process and answer for no other instance."""

import sys
from typing import Any

from datasette import Response, hookimpl
from datasette import handle_exception as usual
from datasette.app import Datasette
from datasette.permissions import PermissionSQL
from datasette.plugins import DEFAULT_PLUGINS, pm
from datasette.utils.asgi import Base400, Request
from datasette.views.base import DatasetteError

from etl.findings import FuxueError
from plugins import access
from plugins.describe import heading, titles
from plugins.gate import App, Rules, gate, log_error_kind
from plugins.reveal import ROUTE, audit_page, reveal
from plugins.scope_pages import first_page

_NAME = "fuxue"
#: Ways of becoming someone without an account, and the error report, which prints local variables to the log.
REMOVED = (
    "datasette.actor_auth_cookie",
    "datasette.default_permissions.tokens",
    "datasette.default_permissions.root",
    "datasette.handle_exception",
)
#: All that may be there: Datasette's own, the accounts plugin, and what that one needs.
KNOWN = frozenset((*DEFAULT_PLUGINS, _NAME, "accounts", "plugin_router", "user_profiles", "vite"))
_WORDS = {
    400: "请求有误 / Bad request",
    403: "没有权限 / Not permitted",
    404: "没有这个页面 / Not found",
    500: "内部错误，请告知管理员 / Internal error, tell the administrator",
}


def install() -> None:
    """Register these hooks, once in a process, and take away what REMOVED names.

    FuxueError if the environment holds a plugin that nobody has looked at: it could open a way around these hooks.
    """
    for name, plugin in pm.list_name_plugin():
        if plugin is not None and name not in KNOWN:
            raise FuxueError("serve.unknown_plugin", name=name)
    for name in REMOVED:
        if pm.has_plugin(name):
            pm.unregister(name=name)
    if not pm.has_plugin(_NAME):
        pm.register(sys.modules[__name__], _NAME)


def rules_of(datasette: Datasette) -> Rules | None:
    """The gate's rules if this is the staff instance."""
    rules = getattr(datasette, "rules", None)
    return rules if isinstance(rules, Rules) else None


@hookimpl(trylast=True)  # type: ignore[untyped-decorator]
def asgi_wrapper(datasette: Datasette) -> Any:
    """The gate; last means outermost."""
    rules = rules_of(datasette)

    def wrap(app: App) -> App:
        return gate(datasette, app, rules, datasette.auditor) if rules else app

    return wrap


@hookimpl  # type: ignore[untyped-decorator]
def startup(datasette: Datasette) -> Any:
    """Make the table of scopes beside the accounts."""

    async def make() -> None:
        if rules_of(datasette):
            await datasette.get_internal_database().execute_write(access.TABLE)

    return make


@hookimpl  # type: ignore[untyped-decorator]
def permission_resources_sql(datasette: Datasette, actor: dict[str, Any] | None, action: str) -> PermissionSQL | None:
    """What an account may see."""
    return access.permission(actor, action) if rules_of(datasette) else None


@hookimpl  # type: ignore[untyped-decorator]
def extra_template_vars(
    datasette: Datasette, request: Request | None, view_name: str, template: str | None, database: str | None
) -> Any:
    """For our templates: Chinese titles of scopes, tables and columns; on first pages, what stands on them."""
    if not rules_of(datasette):
        return {}
    words = titles(datasette._metadata_local) | {"heading": heading}

    async def with_keeper() -> dict[str, Any]:
        return words | {"keeps_log": await datasette.is_custodian(request.actor if request else None)}

    async def with_pages() -> dict[str, Any]:
        return words | await first_page(datasette, str(database))

    if template == "database.html" and database:
        return with_pages
    return with_keeper if view_name == "index" else words


@hookimpl(tryfirst=True)  # type: ignore[untyped-decorator]
def register_routes(datasette: Datasette) -> list[tuple[str, Any]]:
    """Ours; the logout page in place of the accounts plugin's, whose script is inline and thus against the policy."""
    ours = [(r"/-/logout$", logout), (r"/-/audit$", audit_page), (ROUTE, reveal)]
    return ours if rules_of(datasette) else []


async def logout(datasette: Datasette, request: Request) -> Response:
    """A page with a button: a link alone must end no session."""
    return Response.html(await datasette.render_template("logout.html", request=request))


@hookimpl(tryfirst=True)  # type: ignore[untyped-decorator]
def handle_exception(datasette: Datasette, request: Request, exception: Exception) -> Any:
    """Say what went wrong without statements, values or variables, neither on the page nor in the log."""
    if not rules_of(datasette):
        return usual.handle_exception(datasette, request, exception)
    status = exception.status if isinstance(exception, Base400 | DatasetteError) else 500
    if status == 500:
        log_error_kind(exception)
    # A bad request is the asker's own words, such as a column that does not exist; the rest gets fixed words.
    said = getattr(exception, "plain_message", None) or str(exception) if status == 400 else ""

    async def answer() -> Response:
        path = request.path
        words = _WORDS.get(status, _WORDS[400])
        if path.endswith(".json"):
            return Response.error([f"{words}: {said}" if said else words], status)
        if path.endswith(".csv"):
            return Response.text(words, status=status)
        context = {"title": words, "error": said, "status": status}
        page = await datasette.render_template("error.html", context, request=request)
        return Response.html(page, status=status)

    return answer
