"""What a web server should say with each file: one policy, written for three kinds of host, and said by our own.

Each page names its own policy, which is narrower. Both hold, so the server's is what the page that needs most needs.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

POLICY: Mapping[str, str] = MappingProxyType(
    {
        "default-src": "'none'",
        # Scripts of our own; the page that asks the database compiles SQLite (WebAssembly).
        "script-src": "'self' 'wasm-unsafe-eval'",
        "style-src": "'self'",
        # No page needs it; auditors' tools ask for robots.txt from within one.
        "connect-src": "'self'",
        # The icon is drawn in the page.
        "img-src": "'self' data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        # Only a server can say this one.
        "frame-ancestors": "'none'",
    }
)
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": "; ".join(f"{name} {sources}" for name, sources in POLICY.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
)
#: Data may be fetched by pages of others, and what is said to be a download is one.
DATA = MappingProxyType({"Access-Control-Allow-Origin": "*"})
#: What hosts get wrong if nobody tells them.
_TYPES = MappingProxyType({"db": "application/vnd.sqlite3", "csv": "text/csv; charset=utf-8"})


def write_hosting(public: Path) -> None:
    """``site/_headers`` for hosts that read it, ``hosting/nginx.conf`` and ``hosting/Caddyfile`` as examples."""
    (public / "site" / "_headers").write_text(_headers(), encoding="utf-8", newline="\n")
    folder = public / "hosting"
    folder.mkdir()
    for name, content in (("nginx.conf", _nginx()), ("Caddyfile", _caddy())):
        (folder / name).write_text(content, encoding="utf-8", newline="\n")


def _headers() -> str:
    lines = ["/*", *(f"  {name}: {value}" for name, value in HEADERS.items())]
    return "\n".join([*lines, "/data/*", *(f"  {name}: {value}" for name, value in DATA.items())]) + "\n"


def _nginx() -> str:
    always = [f'add_header {name} "{value}" always;' for name, value in HEADERS.items()]
    data = [f'add_header {name} "{value}" always;' for name, value in DATA.items()]
    # A location that adds a header forgets those of the server: all of them stand in it again.
    location = ["    location /data/ {", *(f"        {line}" for line in [*always, *data]), "    }"]
    types = [f"    {kind.partition(';')[0]} {ending};" for ending, kind in _TYPES.items()]
    return "\n".join(
        [
            "# 示例：放入 nginx 的 http 段；改 server_name 和 root，并按本单位规定配置 TLS。",
            "# An example for nginx's http section: put in your name, the folder, and TLS as you are bound to.",
            "server {",
            "    listen 80;",
            "    server_name www.example.gov.cn;",
            "    root /srv/fuxue/public/site;",
            "    index index.html;",
            "    charset utf-8;",
            "    gzip on;",
            "    gzip_types text/css text/csv text/javascript application/atom+xml application/json;",
            "    include mime.types;",
            "    types {",
            *(f"    {line}" for line in types),
            "    }",
            *(f"    {line}" for line in always),
            *location,
            "}",
            "",
        ]
    )


def _caddy() -> str:
    return "\n".join(
        [
            "# 示例：改域名和 root。 An example: put in your name and the folder.",
            "www.example.gov.cn {",
            "\troot * /srv/fuxue/public/site",
            "\tencode gzip",
            "\theader {",
            *(f'\t\t{name} "{value}"' for name, value in HEADERS.items()),
            "\t\t-Server",
            "\t}",
            *(f'\theader /data/* {name} "{value}"' for name, value in DATA.items()),
            *(f'\theader *.{ending} Content-Type "{kind}"' for ending, kind in _TYPES.items()),
            "\tfile_server",
            "}",
            "",
        ]
    )
