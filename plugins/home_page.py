"""The home page leads on to where work begins; whoever has several scopes, none of them the bureau's, chooses one."""

from typing import Any

from datasette import Forbidden, Response
from datasette.utils.asgi import Request

from etl.rulebook.campaign import BUREAU
from plugins.access import visible_scopes


async def home_page(datasette: Any, request: Request) -> Response:
    """Forbidden to an account without a scope. Datasette's own page would count every table of every scope."""
    scopes = await visible_scopes(datasette, request.actor) if request.actor else []
    keeps_log = await datasette.is_custodian(request.actor)
    if not scopes and not keeps_log:
        raise Forbidden("")
    if not keeps_log and (len(scopes) == 1 or BUREAU in scopes):
        return Response.redirect(datasette.urls.database(scopes[0]))  # the bureau's is the first
    if not scopes:
        return Response.redirect(datasette.urls.path("/-/audit"))
    context = {"scopes": scopes, "keeps_log": keeps_log, "title": datasette._metadata_local.get("description", "")}
    return Response.html(await datasette.render_template("index.html", context, request=request, view_name="index"))
