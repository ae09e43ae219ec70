"""Serve what is public: the static site, and the open database in a Datasette of its own process without plugins.

`python -m etl.publish.server --public DIR` does so in a process that was given no key; errors go to stderr as JSON.
"""

import argparse
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from etl.findings import FuxueError
from etl.processes import child_environment, report, terminated_as_interrupted

DATABASE = "fuxue.db"
#: The entry of metadata.yml for that database. The staff instance's entries stay out of the public process.
ENTRY = "fuxue"
METADATA = Path(__file__).resolve().parents[2] / "metadata.yml"
SETTINGS = {"suggest_facets": "off", "sql_time_limit_ms": "1000", "max_returned_rows": "1000"}
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".db": "application/vnd.sqlite3",
    ".zip": "application/zip",
    "": "application/octet-stream",
}


class SiteHandler(SimpleHTTPRequestHandler):
    """Files of the site: no listing of folders, no log of who reads what."""

    extensions_map = TYPES
    timeout = 30

    def version_string(self) -> str:
        """Name no versions."""
        return "fuxue"

    def list_directory(self, path: str | os.PathLike[str]) -> None:  # noqa: ARG002 - the base class's signature
        """Not found: folders without an index page do not exist."""
        self.send_error(404)

    def end_headers(self) -> None:
        """Add what every answer carries."""
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class SiteServer(ThreadingHTTPServer):
    """Serves the site as long as the database's process lives."""

    def __init__(self, address: tuple[str, int], site: Path, data: "DataServer") -> None:
        self.data = data
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, partial(SiteHandler, directory=str(site)))

    def service_actions(self) -> None:
        """Called between requests: stop if the database's process is gone."""
        if self.data.process.poll() is not None:
            raise FuxueError("serve.stopped", reason=self.data.last_words())


@dataclass(frozen=True)
class DataServer:
    """The database's process, and the file with what it said."""

    process: subprocess.Popen[bytes]
    log: Path

    def last_words(self) -> str:
        """The last line that it wrote: why it stopped."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else "?"


def serve_public(
    public: Path, *, host: str = "127.0.0.1", site_port: int = 8000, data_port: int = 8002, metadata: Path = METADATA
) -> None:
    """Serve `public`/site and `public`/fuxue.db until interrupted or terminated; then nothing is left running.

    FuxueError if nothing was published, a port is taken, or the database's server does not start or stops.
    """
    site, database = public / "site", public / DATABASE
    if not site.is_dir() or not database.is_file():
        raise FuxueError("serve.nothing_public", folder=public)
    for port in (site_port, data_port):
        check_free(host, port)
    with (
        contextlib.suppress(KeyboardInterrupt),
        terminated_as_interrupted(),
        tempfile.TemporaryDirectory() as folder,
        _data_server(database, _filtered(metadata, Path(folder)), host, data_port) as data,
        _bound(host, site_port, site, data) as server,
    ):
        server.serve_forever()


def _bound(host: str, port: int, site: Path, data: DataServer) -> SiteServer:
    try:
        return SiteServer((host, port), site, data)
    except OSError:
        raise FuxueError("serve.port_in_use", host=host, port=port) from None


def check_free(host: str, port: int) -> None:
    """Before anything is started: taken while it is asked for, a port fails later, less politely."""
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError:
        raise FuxueError("serve.port_in_use", host=host, port=port) from None


def _filtered(metadata: Path, folder: Path) -> Path:
    """A copy of metadata.yml that holds the public database's entry alone."""
    try:
        entry = yaml.safe_load(metadata.read_text(encoding="utf-8"))["databases"][ENTRY]
    except (OSError, KeyError, TypeError, yaml.YAMLError):
        raise FuxueError("serve.no_metadata", file=metadata.name, entry=f"databases.{ENTRY}") from None
    copy = folder / "metadata.yml"
    copy.write_text(yaml.safe_dump({"databases": {ENTRY: entry}}, allow_unicode=True), encoding="utf-8")
    return copy


@contextlib.contextmanager
def _data_server(database: Path, metadata: Path, host: str, port: int) -> Iterator[DataServer]:
    command = [sys.executable, "-I", "-m", "datasette", "serve", "-i", str(database.absolute())]
    command += ["--metadata", str(metadata), "--host", host, "--port", str(port)]
    for name, value in SETTINGS.items():
        command += ["--setting", name, value]
    environment = child_environment()
    # Else every plugin that is installed for the staff instance would load itself here too.
    environment["DATASETTE_LOAD_PLUGINS"] = ""
    log = metadata.with_name("log")
    with log.open("wb") as said:
        # Its own session: Ctrl-C reaches this process, which ends the other in order.
        child = subprocess.Popen(
            command,
            cwd=metadata.parent,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        )
    try:
        yield DataServer(child, log)
    finally:
        child.terminate()
        try:
            child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code is 0 or the error's code."""
    parser = argparse.ArgumentParser(prog="python -m etl.publish.server", description=__doc__)
    parser.add_argument("--public", type=Path, required=True, metavar="DIR", help="folder that was published")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--site-port", type=int, default=8000)
    parser.add_argument("--data-port", type=int, default=8002)
    given = parser.parse_args(arguments)
    try:
        serve_public(given.public, host=given.host, site_port=given.site_port, data_port=given.data_port)
    except FuxueError as error:
        return report(error)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
