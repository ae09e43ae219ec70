"""Serves the static site, and the open database with Datasette in a separate process without plugins.

`python -m etl.publish.server --public DIR` does so in a process that is given no key; errors are JSON on stderr.
"""

import argparse
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from etl.findings import FuxueError
from etl.publish.hosting import DATA, HEADERS
from etl.publish.instance import ARGUMENTS, FOLDER
from etl.system.keyless import child_environment, report_error
from etl.system.processes import terminated_as_interrupted

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".svg": "image/svg+xml",
    ".xml": "application/atom+xml; charset=utf-8",
    ".wasm": "application/wasm",
    ".db": "application/vnd.sqlite3",
    ".zip": "application/zip",
    "": "application/octet-stream",
}


class SiteHandler(SimpleHTTPRequestHandler):
    """Serves the files of the site, without folder listings and without an access log."""

    extensions_map = TYPES
    timeout = 30

    def version_string(self) -> str:
        """The value of the Server header, without any version."""
        return "fuxue"

    def list_directory(self, path: str | os.PathLike[str]) -> None:  # noqa: ARG002 - the base class's signature
        """Answer 404 for a folder without an index page."""
        self.send_error(404)

    def end_headers(self) -> None:
        """Add the headers of every answer."""
        headers = {**HEADERS, "Cache-Control": "no-cache", **(DATA if self.path.startswith("/data/") else {})}
        for name, value in headers.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


class SiteServer(ThreadingHTTPServer):
    """Serves the site as long as the database's process runs."""

    def __init__(self, address: tuple[str, int], site: Path, data: "DataServer") -> None:
        self.data = data
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, partial(SiteHandler, directory=str(site)))

    def service_actions(self) -> None:
        """Between requests: restart the database's process if its folder was replaced; FuxueError if it has stopped."""
        self.data.look_after()


class DataServer:
    """A Datasette process that serves `folder` without plugins; its error output goes to the file `log`."""

    def __init__(self, folder: Path, host: str, port: int, log: Path) -> None:
        self.folder, self.log = folder, log
        self.command = [sys.executable, "-I", "-m", "datasette", *ARGUMENTS, "--host", host, "--port", str(port)]
        self.start()

    def start(self) -> None:
        """Start the process in the folder as it is now; a later publication replaces the folder (see `look_after`)."""
        environment = child_environment()
        # Otherwise the plugins of the staff instance would be loaded here too.
        environment["DATASETTE_LOAD_PLUGINS"] = ""
        self.made = self._made()
        with self.log.open("wb") as errors:
            # In its own session, so that Ctrl-C reaches only this process, which then stops the other properly.
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )

    def look_after(self) -> None:
        """Restart the process if its folder was replaced. Raises FuxueError if the process has ended by itself."""
        if self.process.poll() is not None:
            raise FuxueError("serve.stopped", reason=self.last_error())
        with contextlib.suppress(FileNotFoundError):  # just being replaced
            if self._made() != self.made:
                self.stop()
                self.start()

    def _made(self) -> tuple[int, int]:
        """A value that distinguishes this folder from an earlier one of the same name."""
        found = self.folder.stat()
        return found.st_ino, found.st_ctime_ns

    def stop(self) -> None:
        """End the process and wait until it has ended."""
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def last_error(self) -> str:
        """The last line of the process's error output, at most 200 characters."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else "?"


def run_public_servers(public: Path, *, host: str = "127.0.0.1", site_port: int = 8000, data_port: int = 8002) -> None:
    """Serve `public`/site and `public`/datasette until interrupted or terminated, then stop all processes.

    Raises FuxueError if nothing was published, a port is taken, or the database's process stops.
    """
    site, folder = public / "site", public / FOLDER
    if not site.is_dir() or not folder.is_dir():
        raise FuxueError("serve.nothing_public", folder=public)
    for port in (site_port, data_port):
        check_free(host, port)
    with (
        contextlib.suppress(KeyboardInterrupt),
        terminated_as_interrupted(),
        tempfile.TemporaryDirectory() as logs,
        _data_server(folder, host, data_port, Path(logs) / "log") as data,
        _bound(host, site_port, site, data) as server,
    ):
        server.serve_forever()


def _bound(host: str, port: int, site: Path, data: DataServer) -> SiteServer:
    try:
        return SiteServer((host, port), site, data)
    except OSError:
        raise FuxueError("serve.port_in_use", host=host, port=port) from None


def check_free(host: str, port: int) -> None:
    """Raise FuxueError if the port is taken; checked before anything is started, for a clear message."""
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError:
        raise FuxueError("serve.port_in_use", host=host, port=port) from None


@contextlib.contextmanager
def _data_server(folder: Path, host: str, port: int, log: Path) -> Iterator[DataServer]:
    data = DataServer(folder, host, port, log)
    try:
        yield data
    finally:
        data.stop()


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 0 or the error's exit code."""
    parser = argparse.ArgumentParser(prog="python -m etl.publish.server", description=__doc__)
    parser.add_argument("--public", type=Path, required=True, metavar="DIR", help="folder that was published")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--site-port", type=int, default=8000)
    parser.add_argument("--data-port", type=int, default=8002)
    given = parser.parse_args(arguments)
    try:
        run_public_servers(given.public, host=given.host, site_port=given.site_port, data_port=given.data_port)
    except FuxueError as error:
        return report_error(error)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
