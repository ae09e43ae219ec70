"""The HTTP headers of the site, written as configuration for three kinds of host; our own server sends them too.

Each page also names a narrower policy of its own. A browser applies both, so this one allows all that any page needs.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

POLICY: Mapping[str, str] = MappingProxyType(
    {
        "default-src": "'none'",
        # Our own scripts; the page that queries the database compiles SQLite (WebAssembly).
        "script-src": "'self' 'wasm-unsafe-eval'",
        "style-src": "'self'",
        # No page needs it, but audit tools fetch robots.txt from within a page.
        "connect-src": "'self'",
        # The icon is part of the page.
        "img-src": "'self' data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        # Only a header can set this; a page cannot.
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
#: Headers of downloads: pages of other sites may fetch the data.
DATA = MappingProxyType({"Access-Control-Allow-Origin": "*"})
#: Content types that web servers do not know by default, by file ending.
_TYPES = MappingProxyType({"db": "application/vnd.sqlite3", "csv": "text/csv; charset=utf-8"})


def write_hosting(public: Path) -> None:
    """Write ``site/_headers`` for hosts that read it; as examples ``hosting/nginx.conf`` and ``hosting/Caddyfile``."""
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
    # A location that adds a header does not inherit those of the server block, so they are repeated.
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
