"""Publishing: the same figures everywhere, each as what it is, all or nothing, the same bytes."""

import datetime as dt
import fcntl
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import jinja2
import pytest
from datasette.utils import parse_metadata

from etl.exchange.release import exact_cell
from etl.findings import FuxueError
from etl.publish.__main__ import main, publish_site
from etl.publish.database import content_digest
from tests.support.markup import written
from tests.support.releases import write_release
from tests.support.sample_release import (
    CAMPAIGN,
    TEMPLATES,
    Reader,
    copied,
    figures,
    made_sample,
    publish_sample,
    query,
    read_csv,
    sample_release,
    tree,
    with_cell,
)

ROOT = CAMPAIGN.parent
NUMBERS = ("value", "low", "high", "rounded")


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_sample(tmp_path_factory)


def test_every_cell_reads_the_same_in_pages_csv_and_database(public: Path) -> None:
    cells = figures(sample_release())
    rows = query(public, f"SELECT table_key || '.' || row || '.' || measure, status, {', '.join(NUMBERS)} FROM cell")
    assert {name: tuple(rest) for name, *rest in rows} == {
        name: (cell.status.value, cell.value, cell.low, cell.high, cell.rounded) for name, cell in cells.items()
    }
    for table in ("city", "units", "categories"):
        for line in read_csv(public / f"site/data/latest/{table}.csv"):
            cell = cells.pop(f"{table}.{line['row']}.{line['measure']}")
            numbers = [getattr(cell, name) for name in NUMBERS]
            assert [line[name] for name in NUMBERS] == ["" if number is None else str(number) for number in numbers]
            assert line["status"] == cell.status
    assert not cells, "a cell is in no CSV"


@pytest.mark.parametrize("language", ["", "en"])
def test_every_cell_stands_on_a_page_and_always_as_what_it_is(public: Path, language: str) -> None:
    cells = figures(sample_release())
    shown = set()
    for page in sorted((public / "site" / language).glob("**/index.html")):
        if not language and "en" in page.relative_to(public / "site").parts:
            continue
        for name, places in Reader(page).cells.items():
            shown.add(name)
            for status, text in places:
                assert (status, text) == (cells[name].status, written(cells[name])[-1 if language else 0]), (page, name)
    assert shown == set(cells)


def test_an_interval_has_no_value_but_both_ends_in_csv_and_database(public: Path) -> None:
    lines = {(n["row"], n["measure"]): n for n in read_csv(public / "site/data/latest/units.csv")}
    columns = list(lines["xinhua", "returned"])
    assert columns[-5:] == ["status", "value", "low", "high", "rounded"]
    for at, numbers in {
        ("xinhua", "returned"): ["exact", "17", "17", "17", ""],
        ("xinhua", "still_out"): ["interval", "", "0", "5", ""],
        ("taiyang", "returned"): ["interval", "", "24", "29", ""],
        ("tiedong", "returned"): ["rounded", "6", "1", "11", "6"],
        ("hongyanhe", "returned"): ["not_due", "", "", "", ""],
    }.items():
        assert list(lines[at].values())[-5:] == numbers
    wide = "SELECT returned, returned_low, returned_high, returned_status FROM units_wide WHERE row = "
    assert query(public, wide + "'xinhua'") == [(17, 17, 17, "exact")]
    assert query(public, wide + "'taiyang'") == [(None, 24, 29, "interval")]
    assert query(public, wide + "'tiedong'") == [(6, 1, 11, "rounded")]
    assert query(public, wide + "'hongyanhe'") == [(None, None, None, "not_due")]


@pytest.mark.parametrize(
    ("status", "change"),
    [
        ("interval", "value = 3"),
        ("interval", "low = NULL"),
        ("interval", "high = low"),
        ("exact", "value = NULL"),
        ("exact", "high = high + 1"),
        ("rounded", "value = value + 6"),
        ("rounded", "high = NULL"),
        ("not_due", "low = 0"),
        ("not_due", "value = 0"),
        ("not_due", "rounded = 0"),
    ],
)
def test_the_database_itself_refuses_numbers_that_are_not_their_status(
    public: Path, tmp_path: Path, status: str, change: str
) -> None:
    copy = shutil.copy(public / "fuxue.db", tmp_path)
    with closing(sqlite3.connect(copy)) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(f"UPDATE cell SET {change} WHERE status = '{status}'")


def test_the_database_keeps_its_references_and_is_the_one_on_the_site(public: Path) -> None:
    assert query(public, "PRAGMA foreign_key_check") == []
    assert query(public, "PRAGMA integrity_check") == [("ok",)]
    assert query(public, "PRAGMA freelist_count") == [(0,)]
    assert (public / "fuxue.db").read_bytes() == (public / "site/data/fuxue.db").read_bytes()


def test_every_csv_lies_there_twice_plain_and_as_excel_reads_its_chinese(public: Path) -> None:
    plain = [path for path in (public / "site/data").rglob("*.csv") if path.parent.name != "excel"]
    assert len(plain) == 6
    for path in plain:
        content = path.read_bytes()
        assert not content.startswith(b"\xef\xbb\xbf")
        assert content.count(b"\r\n") == content.count(b"\n")
        assert (path.parent / "excel" / path.name).read_bytes() == b"\xef\xbb\xbf" + content


def test_metadata_describes_every_table_and_column(public: Path) -> None:
    described = parse_metadata((ROOT / "metadata.yml").read_text(encoding="utf-8"))["databases"]["fuxue"]["tables"]
    names = [name for (name,) in query(public, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
    real = {str(n): [c for (c,) in query(public, f"SELECT name FROM pragma_table_info('{n}')")] for n in names}
    assert {name: list(table["columns"]) for name, table in described.items()} | real == real
    assert {name: sorted(columns) for name, columns in real.items()} == {  # type: ignore[type-var]
        name: sorted(table["columns"]) for name, table in described.items()
    }


def test_the_same_releases_give_the_same_bytes_on_another_path_and_day(public: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "ein anderer Ort"
    write_release(elsewhere / "released", sample_release())
    environment = {"PATH": os.environ["PATH"], "TZ": "America/Lima", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-m", "etl.publish", "--quiet", "--campaign", str(CAMPAIGN)]
    command += ["--released", str(elsewhere / "released"), "--public", str(elsewhere / "public")]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    assert tree(elsewhere / "public") == tree(public)


def test_the_databases_content_has_one_digest_however_its_file_was_written(public: Path, tmp_path: Path) -> None:
    first = content_digest(public / "fuxue.db")
    copy = Path(shutil.copy(public / "fuxue.db", tmp_path))
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("PRAGMA page_size = 8192")
        connection.execute("VACUUM")
    assert copy.read_bytes() != (public / "fuxue.db").read_bytes()
    assert content_digest(copy) == first
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("UPDATE cell SET value = 171, low = 171, high = 171 WHERE value = 170")
    assert content_digest(copy) != first


def test_publishing_again_changes_nothing_and_leaves_nothing_behind(public: Path, tmp_path: Path) -> None:
    public = copied(public, tmp_path)
    (public / "stray").write_text("from an earlier version")
    before = tree(public / "site")
    publish_site(tmp_path / "released", public, CAMPAIGN)
    assert tree(public / "site") == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["public", "released"]
    assert sorted(p.name for p in public.iterdir()) == ["datasette", "fuxue.db", "hosting", "made.json", "site"]


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Templates of which the last page of all fails: everything before it has been written by then."""
    templates = tmp_path / "templates"
    shutil.copytree(TEMPLATES, templates)
    with (templates / "data.html").open("a", encoding="utf-8") as handle:
        handle.write("{% block description %}{{ no_such_name }}{% endblock %}")
    return templates


def test_a_failed_run_leaves_the_old_folder_untouched(public: Path, tmp_path: Path, broken: Path) -> None:
    public = copied(public, tmp_path)
    before = tree(public)
    write_release(tmp_path / "released", sample_release(2, dt.date(2019, 2, 27)))
    with pytest.raises(jinja2.TemplateError):
        publish_site(tmp_path / "released", public, CAMPAIGN, broken)
    assert tree(public) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["public", "released", "templates"]


def test_what_a_run_killed_between_its_renames_put_aside_comes_back(public: Path, tmp_path: Path, broken: Path) -> None:
    public = copied(public, tmp_path)
    before = tree(public)
    public.rename(tmp_path / ".public.old")
    (tmp_path / ".public.new").mkdir()
    with pytest.raises(jinja2.TemplateError):
        publish_site(tmp_path / "released", public, CAMPAIGN, broken)
    assert tree(public) == before
    assert not list(tmp_path.glob(".public*"))


def test_two_runs_at_once_do_not_meet(public: Path, tmp_path: Path) -> None:
    public = copied(public, tmp_path)
    handle = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        with pytest.raises(FuxueError) as error:
            publish_site(tmp_path / "released", public, CAMPAIGN)
    finally:
        os.close(handle)
    assert error.value.key == "publish.busy"


def test_a_web_server_can_read_what_a_careful_umask_made(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        public = publish_sample(tmp_path)
    finally:
        os.umask(before)
    for path in [public, *public.rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)


def test_pages_show_the_newest_release_and_the_data_keeps_all(tmp_path: Path) -> None:
    older, newer = sample_release(1, dt.date(2019, 2, 20)), sample_release(2, dt.date(2019, 2, 27))
    newer = with_cell(newer, "units", "xinhua", "suspected", exact_cell(171))
    public = publish_sample(tmp_path, older, newer)
    assert Reader(public / "site/units/index.html").cells["units.xinhua.suspected"] == [("exact", "171")]
    assert query(public, "SELECT release, as_of FROM release") == [("0001", "2019-02-20"), ("0002", "2019-02-27")]
    by_release = "SELECT release, value FROM cell WHERE row = 'xinhua' AND measure = 'suspected'"
    assert query(public, by_release) == [("0001", 170), ("0002", 171)]
    first, latest = (tree(public / "site/data" / name) for name in ("0001", "latest"))
    assert b",170,170,170," in first["units.csv"]
    assert latest == tree(public / "site/data/0002")


def test_the_command_line_reports_its_result_and_its_errors_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = ["--released", str(tmp_path / "released"), "--public", str(tmp_path / "public")]
    arguments = [*folders, "--campaign", str(CAMPAIGN), "--json"]
    assert main(arguments) == 2
    assert json.loads(capsys.readouterr().err) == {"error": "publish.no_release", "params": {"folder": "released"}}
    write_release(tmp_path / "released", sample_release())
    assert main(arguments) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["pages"] == len(list((tmp_path / "public").rglob("*.html")))
    assert said["content"] == content_digest(tmp_path / "public/fuxue.db")
    assert main([*arguments[:-1], "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
