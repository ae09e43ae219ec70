"""Builds and serves the staff instance."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import socket
from dataclasses import replace
from pathlib import Path

import uvicorn

from etl.findings import FuxueError
from etl.rulebook.campaign import Campaign
from etl.system.home import ROOT, Home
from etl.system.processes import terminated_as_interrupted
from etl.vault.scopes.contents import scopes
from etl.vault.store.files import scope_names
from etl.vault.store.keys import Keys
from plugins.accounts import add_account, disable_account, enable_account, list_accounts, reset_account
from plugins.certificate import Tls, tls_of
from plugins.describe import ACCOUNTS, describe_staff, heading, metadata
from plugins.gate import Rules
from plugins.scope_pages import scope_pages
from plugins.staff import StaffDatasette

__all__ = [
    "add_account",
    "build_staff",
    "disable_account",
    "enable_account",
    "list_accounts",
    "reset_account",
    "run_staff_server",
]

#: Host names that a browser on the same machine may use.
LOOPBACK = frozenset(("127.0.0.1", "localhost", "::1"))


def build_staff(home: Home, keys: Keys, campaign: Campaign, root: Path) -> StaffDatasette:
    """The staff instance with all scopes that have been built; `root` is the folder of metadata.yml.

    It starts up with its first request or with `await .invoke_startup()`. Raises FuxueError if there is no scope.
    """
    built = [name for name in scope_names(home.scopes) if name in scopes(campaign)]
    if not built:
        raise FuxueError("serve.nothing", folder=home.scopes)
    described = describe_staff(root)
    return StaffDatasette(
        home,
        keys,
        Rules(
            {name: (heading(table["title"], name), table["columns"]) for name, table in described["tables"].items()},
            LOOPBACK,
        ),
        built,
        scope_pages(campaign),
        metadata=metadata(described, campaign, built),
        config={"plugins": {"datasette-accounts": ACCOUNTS}},
    )


def run_staff_server(home: Home, keys: Keys, campaign: Campaign, *, host: str = "127.0.0.1", port: int = 8001) -> None:
    """Serve the staff instance until interrupted. Raises FuxueError if the address is not safe or the port is taken."""
    tls = check_host(home, keys, host)
    with (
        home.serving(),
        listening(host, port) as listener,
        contextlib.suppress(KeyboardInterrupt),
        terminated_as_interrupted(),
    ):
        datasette = build_staff(home, keys, campaign, ROOT)
        hosts = LOOPBACK | {host} | (tls.hosts if tls else frozenset())
        datasette.rules = replace(datasette.rules, hosts=hosts, is_tls=tls is not None)
        asyncio.run(_serve(datasette, listener, tls))


def check_host(home: Home, keys: Keys, host: str) -> Tls | None:
    """The TLS files for an address; None on loopback if there is no certificate for it (M18).

    Raises FuxueError for an address that other machines can reach, if it has no certificate or the home is a demo's
    (whose key is public).
    """
    if is_loopback(host):
        with contextlib.suppress(FuxueError):
            return tls_of(home, keys, host, dt.date.today())
        return None
    if home.demo_key.exists():
        raise FuxueError("serve.demo_not_loopback", host=host)
    if (tls := tls_of(home, keys, host, dt.date.today())) is None:
        raise FuxueError("serve.not_loopback", host=host)
    return tls


def is_loopback(host: str) -> bool:
    """Whether a host is localhost or a loopback address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listening(host: str, port: int) -> socket.socket:
    """Open a listening socket. Raises FuxueError if the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError:
        raise FuxueError("serve.port_in_use", host=host, port=port) from None


async def _serve(datasette: StaffDatasette, listener: socket.socket, tls: Tls | None) -> None:
    await datasette.invoke_startup()
    settings = uvicorn.Config(
        datasette.app(),
        # No access log, since paths and queries contain names and conditions on children.
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
        ssl_keyfile_password=tls.password if tls else None,
    )
    await uvicorn.Server(settings).serve(sockets=[listener])
