"""The open data as a package: described, whole, safe in a spreadsheet; and what a host is given to serve it."""

import io
import json
import os
import re
import shutil
import subprocess
import time
import venv
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest
import yaml  # type: ignore[import-untyped,unused-ignore]

from etl.findings import FuxueError
from etl.publish.downloads import to_csv
from etl.publish.hosting import HEADERS, POLICY
from etl.publish.instance import REQUIREMENTS
from etl.rulebook.campaign import load_campaign
from tests.support.homes import ROOT
from tests.support.ports import free_ports, is_open
from tests.support.sample_release import CAMPAIGN, Reader, query, read_csv, tree
from tests.support.sample_releases import made_stack, stack

#: What checks packages elsewhere, in an environment of its own: it brings thirty libraries that nothing else needs.
FRICTIONLESS = "frictionless==5.21.0"
#: The same for CSV on the Web.
CSVW = "csvw==4.1.1"


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_stack(tmp_path_factory)


def test_the_licence_of_the_campaign_stands_wherever_the_data_are_offered(public: Path) -> None:
    licence = load_campaign(CAMPAIGN).licence
    for page, title in (("data/index.html", licence.title), ("en/data/index.html", licence.title_en)):
        text = (public / "site" / page).read_text(encoding="utf-8")
        assert f"{title} ({licence.name})" in text
        assert f'"license": "{licence.url}"' in text
        assert licence.url in text
    package = json.loads((public / "site/data/latest/datapackage.json").read_text(encoding="utf-8"))
    assert [(one["name"], one["path"]) for one in package["licenses"]] == [(licence.name, licence.url)]
    shown = yaml.safe_load((public / "datasette/metadata.yml").read_text(encoding="utf-8"))["databases"]["fuxue"]
    assert shown["license_url"] == licence.url


@pytest.mark.parametrize("release", ["0001", "0002", "0003", "latest"])
def test_the_archive_holds_the_files_their_description_and_what_to_know(public: Path, release: str) -> None:
    folder = public / "site/data" / release
    with zipfile.ZipFile(folder / "fuxue.zip") as packed:
        inside = {name.partition("/")[2]: packed.read(name) for name in packed.namelist()}
        assert {info.date_time for info in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    plain = {name: content for name, content in tree(folder).items() if name.endswith((".csv", ".json"))}
    assert {name: content for name, content in plain.items() if "/" not in name} == {
        name: content for name, content in inside.items() if name != "README.md"
    }
    about = json.loads(inside["datapackage.json"])
    for one in about["resources"]:
        fields = [field["name"] for field in one["schema"]["fields"]]
        lines = read_csv(folder / one["path"])
        assert all(list(line) == fields for line in lines)
        assert f"`{one['path']}`" in inside["README.md"].decode()
        assert all(f"`{name}`" in inside["README.md"].decode() for name in fields)
        keys = [tuple(line[name] for name in one["schema"]["primaryKey"]) for line in lines]
        assert len(keys) == len(set(keys))
        for field in one["schema"]["fields"]:
            values = [line[field["name"]] for line in lines]
            assert all(values) or "required" not in field["constraints"]
            if field["type"] == "integer":
                assert all(re.fullmatch(r"\d*", value) for value in values)
            assert set(values) <= set(field["constraints"].get("enum", values))


def test_addresses_of_old_releases_and_of_the_newest_stay(
    public: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = made_stack(tmp_path_factory, 2)
    for name in ("0001", "0002"):
        assert tree(before / "site/data" / name) == tree(public / "site/data" / name)
    assert tree(public / "site/data/latest") == tree(public / "site/data/0003")
    assert {path.name for path in (public / "site/data/latest").iterdir()} == {
        *(f"{table.key}.csv" for table in stack()[0].tables),
        "excel", "datapackage.json", "csv-metadata.json", "fuxue.zip", "proof.zip",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1+1", "＠x"])
def test_a_text_that_a_spreadsheet_would_run_is_refused(text: str) -> None:
    with pytest.raises(FuxueError, match=r"publish\.formula"):
        to_csv(("a", "b"), [("x", text)])
    lines = [('汉, "字"', -1), ("x", None)]
    assert to_csv(("a", "b"), lines).decode().split("\r\n") == ["a,b", '"汉, ""字""",-1', "x,", ""]


@pytest.mark.parametrize("page", ["data/index.html", "en/data/index.html"])
def test_search_engines_are_told_of_the_data(public: Path, page: str) -> None:
    path = public / "site" / page
    (text,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', path.read_text(encoding="utf-8"))
    about = json.loads(text)
    assert (about["@context"], about["@type"], about["version"]) == ("https://schema.org", "Dataset", "0003")
    assert about["temporalCoverage"] == "2019-02-19/2019-03-04"
    for one in about["distribution"]:
        file = (path.parent / one["contentUrl"]).resolve()
        assert file.stat().st_size == int(one["contentSize"].removesuffix(" B"))
    assert len(about["distribution"]) == 6


def test_the_policy_of_every_host_allows_what_each_page_asks_for_and_no_more_than_one_does(public: Path) -> None:
    asked: dict[str, set[str]] = {}
    for path in (public / "site").rglob("*.html"):
        (policy,) = [a["content"] for tag, a in Reader(path).tags if tag == "meta" and "http-equiv" in a]
        for part in policy.split("; "):
            name, *sources = part.split()
            asked.setdefault(name, set()).update(sources)
    said = {name: set(sources.split()) for name, sources in POLICY.items() if name != "frame-ancestors"}
    assert asked == said
    assert POLICY["default-src"] == "'none'"
    for file in ("site/_headers", "hosting/nginx.conf", "hosting/Caddyfile"):
        text = (public / file).read_text(encoding="utf-8")
        assert all(name in text and value in text for name, value in HEADERS.items()), file


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
def test_nginx_serves_the_site_as_its_example_says(public: Path, tmp_path: Path) -> None:
    port, _ = free_ports()
    text = (public / "hosting/nginx.conf").read_text(encoding="utf-8")
    text = text.replace("/srv/fuxue/public", str(public)).replace("listen 80", f"listen 127.0.0.1:{port}")
    text = text.replace("include mime.types", "include /etc/nginx/mime.types")
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{text}\n}}\n", encoding="utf-8"
    )
    server = subprocess.Popen(["nginx", "-c", str(tmp_path / "nginx.conf"), "-g", "daemon off; user root;"])
    try:
        _wait(port, server)
        for path in ("/", "/data/latest/units.csv", "/data/fuxue.db"):
            with urlopen(f"http://127.0.0.1:{port}{path}") as answer:
                assert all(answer.headers[name] == value for name, value in HEADERS.items())
                assert (answer.headers["access-control-allow-origin"] == "*") == path.startswith("/data/")
    finally:
        server.terminate()
        server.wait()


def _wait(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while not is_open(port):
        assert server.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_hosts_versions_are_ours(public: Path) -> None:
    pinned = re.compile(r"^([a-z0-9-]+==\S+)", re.M)
    ours = set(pinned.findall((ROOT / "requirements.lock").read_text(encoding="utf-8")))
    theirs = set(pinned.findall(REQUIREMENTS.read_text(encoding="utf-8")))
    assert theirs <= ours
    assert "datasette==1.0a41" in theirs
    assert not [name for name in theirs if "accounts" in name or "sqlcipher" in name]
    assert (public / "datasette/requirements.txt").read_bytes() == REQUIREMENTS.read_bytes()


def test_the_hosts_settings_name_real_tables_and_columns(public: Path) -> None:
    config = yaml.safe_load((public / "datasette/datasette.yml").read_text(encoding="utf-8"))["databases"]["fuxue"]
    for table, settings in config["tables"].items():
        columns = [name for (name,) in query(public, f"SELECT name FROM pragma_table_info('{table}')")]
        assert set(settings["facets"]) <= set(columns)
    assert len(config["queries"]) == 12
    for question in config["queries"].values():
        query(public, question["sql"])


def _fresh(folder: Path, *arguments: str) -> Path:
    venv.create(folder, with_pip=True)
    python = folder / "bin/python"
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True)
    return python


@pytest.mark.prove
def test_frictionless_finds_every_package_valid(public: Path, tmp_path: Path) -> None:
    python = _fresh(tmp_path / "venv", FRICTIONLESS)
    for number in ("0001", "0002", "0003"):
        with zipfile.ZipFile(io.BytesIO((public / f"site/data/{number}/fuxue.zip").read_bytes())) as packed:
            packed.extractall(tmp_path)
        for folder in (public / "site/data" / number, tmp_path / f"fuxue-{number}"):
            command = [str(python), "-m", "frictionless", "validate", "--json", "datapackage.json"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            report = json.loads(done.stdout)
            assert report["valid"], done.stdout[:2000]
            assert report["stats"]["tasks"] == 3


@pytest.mark.parametrize("release", ["0001", "0002", "0003", "latest"])
def test_csv_on_the_web_describes_each_column_of_each_file(public: Path, release: str) -> None:
    folder = public / "site/data" / release
    about = json.loads((folder / "csv-metadata.json").read_text(encoding="utf-8"))
    assert {table["url"] for table in about["tables"]} == {path.name for path in folder.glob("*.csv")}
    for table in about["tables"]:
        lines = read_csv(folder / table["url"])
        columns = table["tableSchema"]["columns"]
        assert [one["titles"] for one in columns] == list(lines[0])
        assert all(one["dc:description"].keys() == {"zh-CN", "en"} for one in columns)
        assert not [one for one in columns if one["required"] and any(line[one["name"]] == "" for line in lines)]


@pytest.mark.prove
def test_the_csvw_library_reads_every_file_as_it_is_described(public: Path, tmp_path: Path) -> None:
    python = _fresh(tmp_path / "venv", CSVW)
    said = "import sys, csvw; sys.exit(not csvw.CSVW(sys.argv[1], validate=True).is_valid)"
    for number in ("0001", "0002", "0003"):
        command = [str(python), "-c", said, "csv-metadata.json"]
        subprocess.run(command, cwd=public / "site/data" / number, check=True)


@pytest.mark.prove
def test_a_host_with_the_folder_alone_serves_the_database(public: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(public / "datasette", tmp_path / "datasette")
    python = _fresh(tmp_path / "venv", "--require-hashes", "-r", str(folder / "requirements.txt"))
    port, _ = free_ports()
    environment = {**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}", "PORT": str(port)}
    environment.pop("PYTHONPATH", None)
    server = subprocess.Popen(["sh", str(folder / "start.sh")], cwd="/", env=environment, stderr=subprocess.DEVNULL)
    try:
        _wait(port, server)
        for path, text in (
            ("/fuxue/units", "各乡镇（街道）进展如何？"),
            ("/fuxue/statuses-en.json?_shape=array", "rounded"),
            ("/-/databases.json", '"path": "fuxue.db"'),
            ("/fuxue", "公开数据"),
        ):
            with urlopen(f"http://127.0.0.1:{port}{path}") as answer:
                body = answer.read().decode()
                assert text in body
                assert str(tmp_path) not in body
    finally:
        server.terminate()
        server.wait()
