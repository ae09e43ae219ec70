"""Serving and staff accounts on the command line. The staff plugins load a web server: only when one of these runs."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from etl.campaign import BUREAU
from etl.cli.run import Run
from etl.cli.steps import ROOT
from etl.findings import FuxueError
from etl.home import Home
from etl.processes import child_environment, error_of
from etl.publish import server
from etl.vault.scoped import scopes


@dataclass(frozen=True)
class Ports:
    """Where each server listens."""

    staff: int = 8001
    site: int = 8000
    data: int = 8002


def check_addresses(home: Home, host: str, *ports: int) -> None:
    """FuxueError unless the staff instance may listen there and every port is free: before anything is shown."""
    from plugins.launch import check_host

    check_host(home, host)
    check_ports(host, *ports)


def check_ports(host: str, *ports: int) -> None:
    """FuxueError if one of the ports is taken."""
    for port in ports:
        server.check_free(host, port)


def serve_public(home: Home, host: str, ports: Ports) -> None:
    """The static site and the public Datasette, until interrupted."""
    server.serve_public(home.public, host=host, site_port=ports.site, data_port=ports.data)


def serve_staff(run: Run, host: str, ports: Ports) -> None:
    """The staff Datasette, until interrupted."""
    from plugins.launch import serve_staff as serve

    run.prove_key()
    serve(run.home, run.keys, run.campaign, host=host, port=ports.staff)


def serve_both(run: Run, host: str, ports: Ports) -> None:
    """Both until interrupted, the public one in a process of its own that is given no key."""
    with _public_process(run.home, host, ports) as stopped:
        try:
            serve_staff(run, host, ports)
        finally:
            stopped()


@contextlib.contextmanager
def _public_process(home: Home, host: str, ports: Ports) -> Iterator[Callable[[], None]]:
    command = [sys.executable, "-m", "etl.publish.server", "--public", str(home.public.absolute()), "--host", host]
    command += ["--site-port", str(ports.site), "--data-port", str(ports.data)]
    child = subprocess.Popen(command, cwd=ROOT, env=child_environment(), stderr=subprocess.PIPE, text=True)

    def stopped() -> None:
        """Raise what the process died of, if it died by itself."""
        if child.poll():
            raise error_of(child.stderr.read() if child.stderr else "", child.returncode)

    try:
        # A port that is taken is told at once, not after the staff instance has started.
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=1.5)
        stopped()
        yield stopped
    finally:
        child.terminate()
        child.wait()


def demo_accounts(run: Run) -> tuple[tuple[str, str], ...]:
    """The demo's accounts (name, password): the bureau, and the clerk of the unit with the most children."""
    from plugins.launch import add_account

    issued = sorted(run.issued_counts().items(), key=lambda pair: (-pair[1], pair[0]))
    made = []
    for scope in (BUREAU, issued[0][0]):
        password = run.keys.demo_password(scope)
        made.append((scope, add_account(run.home, run.keys, scope, scope, password)))
    return tuple(made)


def add_staff(run: Run, name: str, scope: str) -> str:
    """Make a staff account and return its one-time password."""
    from plugins.launch import add_account

    run.prove_key()
    if scope not in scopes(run.campaign):
        raise FuxueError("staff.unknown_scope", scope=scope)
    return add_account(run.home, run.keys, name, scope)


def disable_staff(run: Run, name: str) -> None:
    """Shut a staff account out at once."""
    from plugins.launch import disable_account

    run.prove_key()
    disable_account(run.home, run.keys, name)


def list_staff(run: Run) -> list[tuple[str, str, bool, str]]:
    """(name, scopes, disabled, last login) of every staff account."""
    from plugins.launch import list_accounts

    run.prove_key()
    return [(a.username, " ".join(a.scopes), a.disabled, a.last_login or "") for a in list_accounts(run.home, run.keys)]


def demo_logins(home: Home, run: Run) -> list[tuple[str, str]]:
    """The demo's accounts that are still there, with their derived passwords; empty for a home that is no demo."""
    if not home.demo_key.exists():
        return []
    known = {BUREAU, *run.campaign.unit}
    return [(name, run.keys.demo_password(name)) for name, *_ in list_staff(run) if name in known]
