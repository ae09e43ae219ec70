"""How the server of the staff instance is started: which hosts it answers to, its certificate, what it never logs."""

import datetime as dt
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from etl.system.home import Home
from etl.vault.store.keys import Keys
from plugins import launch
from plugins.certificate import sign_certificate
from plugins.gate import Rules
from plugins.launch import build_staff
from plugins.staff import StaffDatasette
from tests.support.staff_home import make_home, wafangdian
from tests.support.staff_served import free_port


class Server:
    """Takes the place of the web server: keeps what it is given, and serves nothing."""

    started: list["Server"] = []  # noqa: RUF012 - the fixture empties it

    def __init__(self, config: Any) -> None:
        self.config = config

    async def serve(self, sockets: list[socket.socket]) -> None:
        self.address = sockets[0].getsockname()
        Server.started.append(self)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Home, Keys, int], tuple[Server, Rules]]]:
    """Starts a server that serves nothing; gives it, and the rules of its gate."""
    built: list[StaffDatasette] = []

    def build(*given: Any) -> StaffDatasette:
        built.append(build_staff(*given))
        return built[-1]

    def start(home: Home, keys: Keys, port: int) -> tuple[Server, Rules]:
        launch.run_staff_server(home, keys, wafangdian(), port=port)
        return Server.started[-1], built[-1].rules

    monkeypatch.setattr(launch, "build_staff", build)
    monkeypatch.setattr("uvicorn.Server", Server)
    yield start
    Server.started.clear()
    for datasette in built:
        datasette.close()


def test_the_server_has_its_hosts_and_its_certificate_and_keeps_no_log_of_what_is_asked(
    tmp_path: Path, started: Callable[[Home, Keys, int], tuple[Server, Rules]]
) -> None:
    home, keys = make_home(tmp_path / "var")
    for more_hosts in (set[str](), {"staff.example"}):
        if more_hosts:
            sign_certificate(home, keys, "瓦房店市", ["127.0.0.1", *more_hosts], 30, dt.date.today())
        port = free_port()
        server, rules = started(home, keys, port)
        assert server.address == ("127.0.0.1", port)
        config = server.config
        assert (config.access_log, config.server_header, config.proxy_headers) == (False, False, False)
        assert config.is_ssl == rules.is_tls == bool(more_hosts)
        assert rules.hosts == launch.LOOPBACK | more_hosts
