"""The public server: site and open database, nothing else, no plugin, no key; and nothing left behind."""

import contextlib
import datetime as dt
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped,unused-ignore]

from etl.findings import FuxueError
from etl.publish import server
from etl.publish.__main__ import publish_site
from etl.publish.hosting import HEADERS
from etl.system import keyless
from tests.support.ports import free_ports, is_open
from tests.support.releases import write_release
from tests.support.sample_release import CAMPAIGN, publish_sample, sample_release
from tests.support.staff_home import ROOT

KEY = "/a/removable/device/master.key"


def start(public: Path, site: int, data: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "etl.publish.server", "--public", str(public)]
    command += ["--site-port", str(site), "--data-port", str(data)]
    environment = {**os.environ, "FUXUE_KEY_FILE": KEY}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE)


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish_sample(tmp_path_factory.mktemp("serve"))


@pytest.fixture(scope="module")
def ports(public: Path) -> Iterator[tuple[int, int]]:
    site, data = free_ports()
    process = start(public, site, data)
    deadline = time.monotonic() + 20
    while not (is_open(site) and is_open(data)):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    yield site, data
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=15) == 0
    assert not is_open(site)
    assert not is_open(data)


def ask(port: int, path: str) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_the_site_is_served_with_its_types(ports: tuple[int, int], public: Path) -> None:
    for path, kind in (("/", "text/html; charset=utf-8"), ("/style.css", "text/css; charset=utf-8")):
        answer, body = ask(ports[0], path)
        assert answer.status == 200
        assert answer.headers["content-type"] == kind
        assert all(answer.headers[name] == value for name, value in HEADERS.items())
        assert answer.headers["server"] == "fuxue"
        assert body == (public / "site" / (path.strip("/") or "index.html")).read_bytes()
    found = sorted({path.suffix for path in (public / "site").rglob("*") if path.is_file()})
    assert not [suffix for suffix in found if suffix not in server.TYPES]


@pytest.mark.parametrize("path", ["/../fuxue.db", "/%2e%2e/fuxue.db", "/units/../../fuxue.db", "//etc/passwd", "/nix"])
def test_nothing_beside_the_site_is_served(ports: tuple[int, int], path: str) -> None:
    assert ask(ports[0], path)[0].status == 404


def test_a_folder_without_a_page_is_not_listed(ports: tuple[int, int], public: Path) -> None:
    (public / "site" / "bare").mkdir()
    (public / "site" / "bare" / "file.txt").write_text("x")
    assert ask(ports[0], "/bare/")[0].status == 404


def test_the_open_database_is_served_with_its_own_plugin_alone(ports: tuple[int, int]) -> None:
    answer, body = ask(ports[1], "/fuxue/cell.json?_size=1")
    assert answer.status == 200
    assert len(json.loads(body)["rows"]) == 1
    assert [one["name"] for one in json.loads(ask(ports[1], "/-/plugins.json")[1])] == ["csv_mark.py"]
    assert list(json.loads(ask(ports[1], "/.json")[1])["databases"][0]["name"]) == list("fuxue")
    assert ask(ports[1], "/-/login")[0].status == 404
    assert "公开数据" in ask(ports[1], "/fuxue")[1].decode()


def test_excel_recognises_every_csv_of_the_open_database(ports: tuple[int, int]) -> None:
    paths = (
        "cell.csv",
        "cell.csv?_stream=on",
        "units_wide.csv?_dl=1&_size=max",
        "waiting.csv",
        "-/query.csv?sql=select+1",
    )
    for path in paths:
        answer, body = ask(ports[1], f"/fuxue/{path}")
        assert answer.status == 200, path
        assert body.startswith(b"\xef\xbb\xbf"), path
        assert body.count(b"\xef\xbb\xbf") == 1, path
    for path in ("cell.json", "nothing.csv", ""):
        assert not ask(ports[1], f"/fuxue/{path}")[1].startswith(b"\xef\xbb\xbf"), path


def test_the_open_database_comes_with_questions_and_names_no_path(ports: tuple[int, int], public: Path) -> None:
    (database,) = json.loads(ask(ports[1], "/-/databases.json")[1])["databases"]
    assert (database["name"], database["path"], database["is_mutable"]) == ("fuxue", "fuxue.db", False)
    for path in ("/-/databases.json", "/-/settings.json", "/-/versions.json", "/-/config.json", "/-/threads.json"):
        assert str(public) not in ask(ports[1], path)[1].decode()
    answer, body = ask(ports[1], "/fuxue/categories.json?_shape=array")
    assert answer.status == 200
    assert len(json.loads(body)) == 13
    page = ask(ports[1], "/fuxue/units-en")[1].decode()
    assert "How far is each township" in page
    facets = json.loads(ask(ports[1], "/fuxue/cell.json?_extra=facet_results")[1])["facet_results"]["results"]
    assert set(facets) == {"release", "table_key", "measure", "status"}
    writes = ask(ports[1], "/fuxue/-/query?sql=delete+from+cell")[0].status
    assert writes in (400, 403, 405)


def test_what_is_published_meanwhile_is_served(tmp_path: Path) -> None:
    public = publish_sample(tmp_path)
    site, data = free_ports()
    process = start(public, site, data)

    def releases() -> int:
        with contextlib.suppress(OSError, ValueError, KeyError):
            return int(json.loads(ask(data, "/fuxue/release.json?_extra=count")[1])["count"])
        return 0

    def until(wanted: int) -> None:
        deadline = time.monotonic() + 30
        while releases() != wanted:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)

    try:
        until(1)
        write_release(tmp_path / "released", sample_release(2, dt.date(2019, 2, 27)))
        publish_site(tmp_path / "released", public, CAMPAIGN)
        until(2)
        assert "第 0002 次公布" in ask(site, "/")[1].decode()
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=15) == 0


def test_the_public_process_knows_nothing_of_staff_or_keys(public: Path) -> None:
    metadata = (public / "datasette/metadata.yml").read_text(encoding="utf-8")
    assert list(yaml.safe_load(metadata)["databases"]) == ["fuxue"]
    assert "staff" not in metadata
    assert not [name for name in keyless.PASSED_ON if "KEY" in name or name.startswith("FUXUE")]


def test_a_port_that_is_taken_and_nothing_published(public: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for ports in ({"site_port": port}, {"data_port": port}):
            with pytest.raises(FuxueError, match=r"serve\.port_in_use"):
                server.run_public_servers(public, **{"site_port": 0, "data_port": 0, **ports})
    with pytest.raises(FuxueError, match=r"serve\.nothing_public"):
        server.run_public_servers(tmp_path)


def test_a_database_that_cannot_be_served_ends_everything(public: Path, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    shutil.copytree(public / "datasette", tmp_path / "datasette")
    (tmp_path / "datasette/fuxue.db").write_bytes(b"not a database at all" * 100)
    site, data = free_ports()
    process = start(tmp_path, site, data)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 2
    assert json.loads(said.decode().strip().splitlines()[-1])["error"] == "serve.stopped"
    assert not is_open(site)
