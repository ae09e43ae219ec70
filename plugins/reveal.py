"""Shows the full ID number of one child of the account's scopes, for a recorded reason, so many per hour (M18)."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

from datasette import NotFound, Response
from datasette.utils.asgi import Request

from etl.system.home import Home
from etl.vault.store.audit_log import TOO_MANY
from etl.vault.store.files import open_numbers
from etl.vault.store.keys import Keys
from plugins.access import visible_scopes
from plugins.looks import look_of, now, seen

#: The full numbers that an account may view within an hour; the custodian sees attempts to view more.
_MOST, _WITHIN = 20, timedelta(hours=1)
#: The least and the greatest length of a reason, in characters.
SHORTEST, LONGEST = 4, 200
ROUTE = r"/(?P<scope>[a-z][a-z0-9-]*)/-/number/(?P<issue>[\w-]+),(?P<serial>[\w-]+)$"


def _number_of(home: Home, keys: Keys, scope: str, issue: str, serial: str) -> str | None:
    """The full ID number of a child of the scope; None if the scope has no such child."""
    with closing(open_numbers(home.scopes, scope, keys)) as db:
        query = "SELECT id_number FROM number WHERE issue = ? AND serial = ?"
        row = db.execute(query, [issue, serial]).fetchone()
    return None if row is None else str(row[0])


async def reveal(datasette: Any, request: Request) -> Response:
    """The page with the form and, after POST, the number. It checks permissions again, independently of the gate."""
    scope, issue, serial = (request.url_vars[name] for name in ("scope", "issue", "serial"))
    if not request.actor or scope not in await visible_scopes(datasette, request.actor):
        raise NotFound("")
    number = _number_of(datasette.home, datasette.keys, scope, issue, serial)
    if number is None:
        raise NotFound("")
    shown: dict[str, object] = {"scope": scope, "serial": serial, "most": _MOST}
    if request.method == "POST":
        reason = dict(parse_qsl((await request.post_body()).decode("utf-8", "replace"))).get("reason", "").strip()
        shown |= await _answer(datasette, request, reason, number)
    status = int(str(shown.get("status", 200)))
    return Response.html(await datasette.render_template("number.html", shown, request=request), status=status)


async def _answer(datasette: Any, request: Request, reason: str, number: str) -> dict[str, object]:
    """Variables for the page: the number, once account and reason are recorded, or an error."""
    if not SHORTEST <= len(reason) <= LONGEST:
        return {"error": f"请写明理由（{SHORTEST}–{LONGEST} 字）。", "reason": reason, "status": 400}
    what = seen.get()
    if what is None:  # the request did not come through the gate
        raise NotFound("")
    look = replace(look_of(request.scope, request.actor["username"], 200, what), reason=reason, rows=1)
    entry = await datasette.auditor.write_limited(look, _MOST, now(_WITHIN))
    what.is_recorded = True
    if entry.look.status == TOO_MANY:
        return {"error": f"一小时内已查看 {_MOST} 个号码，请稍后再试；保管人已可见此情况。", "status": TOO_MANY}
    return {"number": f"{number[:6]} {number[6:14]} {number[14:]}"}


async def audit_page(datasette: Any, request: Request) -> Response:
    """The custodian's page: the newest log entries, and refused requests for full numbers in the last week."""
    if not await datasette.is_custodian(request.actor):
        raise NotFound("")
    entries, alarms = await datasette.auditor.newest(200), await datasette.auditor.alarms(now(timedelta(days=7)))
    context = {"entries": entries, "alarms": alarms}
    return Response.html(await datasette.render_template("audit.html", context, request=request))
