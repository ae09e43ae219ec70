"""An answer of the staff instance on its way out: its headers, its record in the audit log, and refusals."""

import html
import json
import sys
import traceback
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from plugins.exports import EXPORTS, attachment
from plugins.harmless import harmless
from plugins.looks import Auditor, Seen, look_of

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

#: Headers of every answer.
SECURITY_HEADERS = (
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
_REPLACED = frozenset(name for name, _ in SECURITY_HEADERS) | {b"server"}
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


def path_of(scope: Message) -> str:
    """The path by which Datasette routes: as sent, not decoded."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.decode("ascii", "replace").partition("?")[0]


class NotRecordedError(Exception):
    """The audit log could not be written; the cause is not included."""


class GuardedAnswer:
    """Sends the answer, or a refusal, with our headers; it is recorded before its first byte leaves.

    `actor` is the account's name, empty for an attempt to log in, None for a request that needs no record. `wrong` is
    the name of the parameter for which the request is refused; `title` names the file of an export. A request that
    `is_heavy` may take long: own SQL and exports.
    """

    def __init__(self, send: Send, scope: Message, auditor: Auditor, headers: Sequence[tuple[bytes, bytes]]) -> None:
        self._send, self._scope, self._auditor, self._headers = send, scope, auditor, headers
        self.actor: str | None = None
        self.wrong = self.title = ""
        self.is_heavy = False
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
            kept = [(name, value) for name, value in message.get("headers", []) if name.lower() not in _REPLACED]
            if message["status"] == 200 and self.seen.has_failed:  # a page that shows the error of own SQL
                message = {**message, "status": 400}
            if message["status"] == 200 and self.title:
                extension = f".{path_of(self._scope).rpartition('.')[2]}"
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
        elif path_of(self._scope).endswith(".json") or "/api/" in path_of(self._scope):
            headers = [(b"content-type", b"application/json; charset=utf-8")]
            body = json.dumps({"ok": False, "error": text, "status": status}, ensure_ascii=False).encode()
        elif path_of(self._scope).endswith((*EXPORTS,)):
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            body = f"{text}\n".encode()
        await self({"type": "http.response.start", "status": status, "headers": headers})
        await self({"type": "http.response.body", "body": b"" if self._scope["method"] == "HEAD" else body})
