"""Begins every CSV answer of the public Datasette with a byte-order mark, by which Excel recognises UTF-8.

`publish` copies this file into the folder that a host starts; nothing imports it.
"""

from typing import Any

from datasette import hookimpl

MARK = b"\xef\xbb\xbf"


@hookimpl  # type: ignore[untyped-decorator]
def asgi_wrapper() -> Any:
    """Wrap the application (ASGI): answers to paths that end with .csv get the mark, refusals do not."""

    def wrap(app: Any) -> Any:
        async def marked(scope: Any, receive: Any, send: Any) -> None:
            due = scope["type"] == "http" and scope["method"] == "GET" and scope["path"].endswith(".csv")

            async def pass_on(message: Any) -> None:
                nonlocal due
                if message["type"] == "http.response.start":
                    due = due and message["status"] == 200
                    kept = [pair for pair in message.get("headers", []) if not due or pair[0] != b"content-length"]
                    message = {**message, "headers": kept}
                elif message["type"] == "http.response.body" and due:
                    message, due = {**message, "body": MARK + message.get("body", b"")}, False
                await send(message)

            await app(scope, receive, pass_on)

        return marked

    return wrap
