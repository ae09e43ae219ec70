"""The door of the staff instance: build it, serve it."""

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
from etl.system.home import Home
from etl.system.keyless import ROOT
from etl.system.processes import terminated_as_interrupted
from etl.vault.scopes.contents import scopes
from etl.vault.store.files import scope_names
from etl.vault.store.keys import Keys
from plugins.accounts import add_account, disable_account, list_accounts
from plugins.certificate import Tls, tls_of
from plugins.describe import config, describe_staff, metadata
from plugins.gate import Rules
from plugins.scope_pages import ready_made
from plugins.staff import StaffDatasette

__all__ = ["add_account", "build_staff", "disable_account", "list_accounts", "run_staff_server"]

#: Names that a browser on the same machine may use.
LOOPBACK = frozenset(("127.0.0.1", "localhost", "::1"))


def build_staff(home: Home, keys: Keys, campaign: Campaign, root: Path) -> StaffDatasette:
    """The staff Datasette over all scopes that have been built; `root` is the folder of metadata.yml.

    It starts up with its first request or with `await .invoke_startup()`. FuxueError if there is nothing to serve.
    """
    built = [name for name in scope_names(home.scopes) if name in scopes(campaign)]
    if not built:
        raise FuxueError("serve.nothing", folder=home.scopes)
    described = describe_staff(root)
    return StaffDatasette(
        home,
        keys,
        Rules(tables=tuple(described["tables"]), hosts=LOOPBACK),
        built,
        ready_made(campaign),
        metadata=metadata(described, campaign, built),
        config=config(built),
    )


def run_staff_server(home: Home, keys: Keys, campaign: Campaign, *, host: str = "127.0.0.1", port: int = 8001) -> None:
    """Serve the staff instance until it is interrupted. FuxueError for an address that is not safe or not free."""
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
    """The TLS to serve an address with, None on loopback without a certificate for it (M18).

    FuxueError for an address that other machines reach and that has none, or that is a demo's, whose key is known.
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
    """True for localhost and the addresses of the machine's own loopback."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listening(host: str, port: int) -> socket.socket:
    """A listening socket; FuxueError if something else has the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError:
        raise FuxueError("serve.port_in_use", host=host, port=port) from None


async def _serve(datasette: StaffDatasette, listener: socket.socket, tls: Tls | None) -> None:
    await datasette.invoke_startup()
    settings = uvicorn.Config(
        datasette.app(),
        # Paths and queries hold names and conditions on children: no access log.
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
