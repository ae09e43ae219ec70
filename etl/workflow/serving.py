"""Running the public and the staff servers. Staff plugins are imported inside functions: they load a web server."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from etl.publish import server
from etl.system.home import ROOT, Home
from etl.system.keyless import child_environment, error_of
from etl.workflow.run import Run


@dataclass(frozen=True)
class Ports:
    """The port of each server: staff instance, static site, public data."""

    staff: int = 8001
    site: int = 8000
    data: int = 8002


def check_addresses(run: Run, host: str, *ports: int) -> bool:
    """True if the staff instance uses TLS on `host`. FuxueError unless it may listen there and every port is free."""
    from plugins.launch import check_host

    tls = check_host(run.home, run.keys, host)
    check_ports(host, *ports)
    return tls is not None


def check_ports(host: str, *ports: int) -> None:
    """FuxueError if one of the ports is taken."""
    for port in ports:
        server.check_free(host, port)


def serve_public(home: Home, host: str, ports: Ports) -> None:
    """Serve the static site and the public Datasette until interrupted."""
    server.run_public_servers(home.public, host=host, site_port=ports.site, data_port=ports.data)


def serve_staff(run: Run, host: str, ports: Ports) -> None:
    """Serve the staff Datasette until interrupted. FuxueError if the key does not open the record."""
    from plugins.launch import run_staff_server as serve

    run.prove_key()
    serve(run.home, run.keys, run.campaign, host=host, port=ports.staff)


def serve_both(run: Run, host: str, ports: Ports) -> None:
    """Serve both until interrupted, the public one in a separate process without a key."""
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
        """Raise the error of the public process, if it has ended by itself with one."""
        if child.poll():
            raise error_of(child.stderr.read() if child.stderr else "", child.returncode)

    try:
        # Wait briefly, so that a taken port is reported before the staff instance starts.
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=1.5)
        stopped()
        yield stopped
    finally:
        child.terminate()
        child.wait()
