"""The page that asks the database in the browser: from a disk, from below any address, in both languages."""

import csv
import hashlib
import io
import json
import shutil
import sqlite3
import threading
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from etl.findings import FuxueError
from etl.publish.__main__ import publish_site
from etl.publish.hosting import HEADERS
from etl.publish.languages import load_words
from etl.publish.questions import ENGINE, load_questions
from etl.publish.server import SiteHandler
from tests.support.browsing import Visit, visiting
from tests.support.chromium import CHROMIUM
from tests.support.sample_release import CAMPAIGN, TEMPLATES, copied
from tests.support.sample_releases import made_stack

SHA256 = "3dbb4026a62c9e7acdbbc713e2f9009c4902ea624295fc3bb0aab4b1ad0e6ee8"
ZH, EN = load_words(TEMPLATES)
in_browser = pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_stack(tmp_path_factory) / "site"


def test_the_engine_is_the_one_that_was_taken_from_its_makers(site: Path) -> None:
    for path in (TEMPLATES / ENGINE, site / "sql/engine.js"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == SHA256
    assert SHA256 in (TEMPLATES.parent / "docs/dependencies.md").read_text(encoding="utf-8")
    assert "MIT" in (TEMPLATES.parent / "docs/dependencies.md").read_text(encoding="utf-8")
    assert "Permission is hereby granted" in (TEMPLATES / "vendor/sql-wasm-inline.LICENSE").read_text(encoding="utf-8")


@pytest.mark.parametrize("t", [ZH, EN], ids=["zh", "en"])
def test_every_question_has_an_answer_and_shows_a_figure_with_its_ends_and_status(site: Path, t: object) -> None:
    words = ZH if t is ZH else EN
    connection = sqlite3.connect(site / "data/fuxue.db")
    for question in load_questions(TEMPLATES):
        answer = connection.execute(question.sql(words))
        heads, rows = [name for name, *_ in answer.description], answer.fetchall()
        assert rows or question.key == "waiting", question.key
        # Whoever sees a figure sees its ends and its status beside it.
        for at, head in enumerate(heads):
            for way in ("", "before", "after"):
                names = [f"{way}_{one}" if way else one for one in ("low", "high", "status")]
                if head == words(f"sql.head.{way or 'value'}"):
                    assert heads[at + 1 : at + 4] == [words(f"sql.head.{name}") for name in names], question.key
            if head in ("suspected", "returned", "still_out"):
                assert heads[at + 1 : at + 4] == [f"{head}_{one}" for one in ("low", "high", "status")], question.key
    connection.close()


def test_a_question_that_has_no_answer_stops_the_site(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    templates = shutil.copytree(TEMPLATES, tmp_path / "templates")
    text = (templates / "questions.toml").read_text(encoding="utf-8").replace("FROM units_wide", "FROM units_wider")
    (templates / "questions.toml").write_text(text, encoding="utf-8")
    copied(made_stack(tmp_path_factory, 1), tmp_path)
    with pytest.raises(FuxueError, match=r"publish\.question"):
        publish_site(tmp_path / "released", tmp_path / "public", CAMPAIGN, templates)


def answered(visit: Visit) -> list[list[str]]:
    visit.page.wait_for_selector("#answer table")
    rows = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    return list(visit.page.eval_on_selector_all("#answer tr", rows))


@in_browser
@pytest.mark.parametrize(
    ("path", "t"),
    [
        pytest.param("sql/index.html", ZH, id="zh"),
        pytest.param("en/sql/index.html", EN, id="en", marks=pytest.mark.prove),
    ],
)
def test_answers_are_those_of_the_file_and_nothing_is_loaded_before(
    browser: Browser, site: Path, path: str, t: object
) -> None:
    words = ZH if t is ZH else EN
    connection = sqlite3.connect(site / "data/fuxue.db")
    with visiting(browser, site, path, unfold=False) as visit:
        assert [url for url in visit.asked if "engine" in url or "data.js" in url] == []
        for number, question in enumerate(load_questions(TEMPLATES)):
            visit.page.locator("[data-question] button").nth(number).click()
            visit.page.wait_for_function("sql => document.querySelector('#sql').value == sql", arg=question.sql(words))
            visit.page.wait_for_selector("#run:not([disabled])")
            cursor = connection.execute(question.sql(words))
            expected = [[name for name, *_ in cursor.description]]
            expected += [[words("sql.empty") if v is None else str(v) for v in row] for row in cursor]
            assert answered(visit) == expected, question.key
        assert visit.said == []
        assert [url for url in visit.asked if not url.startswith((site.as_uri(), "data:"))] == []
        assert list(visit.axe()) == []
    connection.close()


@in_browser
def test_an_answer_can_be_kept_as_csv_and_a_mistake_is_explained(browser: Browser, site: Path) -> None:
    with visiting(browser, site, "sql/index.html", accept_downloads=True) as visit:
        page = visit.page
        page.fill("#sql", """SELECT '=1+1' AS a, 'x,"y' AS b, NULL AS c, -5 AS d, '＝1' AS e""")
        page.click("#run")
        assert answered(visit)[1] == ["=1+1", 'x,"y', "空", "-5", "＝1"]
        with page.expect_download() as download:
            page.click("#save")
        content = Path(download.value.path()).read_bytes()
        assert content.startswith(b"\xef\xbb\xbf")
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
        assert lines == [["a", "b", "c", "d", "e"], ["'=1+1", 'x,"y', "", "-5", "'＝1"]]
        page.fill("#sql", "SELECT x FROM nowhere")
        page.click("#run")
        page.wait_for_function("() => document.querySelector('#said').textContent.includes('nowhere')")
        assert not page.locator("#save").is_visible()
        page.fill("#sql", " -- nothing")
        page.click("#run")
        page.wait_for_function("() => document.querySelector('#said').textContent.includes('Nothing')")
        page.fill("#sql", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n")
        page.click("#run")
        page.wait_for_function("() => document.querySelector('#said').textContent.includes('5000')")


@in_browser
def test_without_scripts_the_questions_can_be_read(browser: Browser, site: Path) -> None:
    with visiting(browser, site, "sql/index.html", java_script_enabled=False) as visit:
        assert visit.page.locator("noscript").count() == 1
        assert visit.page.locator("[data-question] code").count() == len(load_questions(TEMPLATES))
        assert not visit.page.locator("#ask").is_visible()


@in_browser
def test_the_site_works_below_any_address_with_the_servers_policy(browser: Browser, site: Path, tmp_path: Path) -> None:
    (tmp_path / "a/place").mkdir(parents=True)
    shutil.copytree(site, tmp_path / "a/place/fuxue")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SiteHandler, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_address[1]}/a/place/fuxue/"
    page = browser.new_page()
    try:
        visit = Visit(page, f"{root}sql/index.html", root)
        page.locator("[data-question] button").first.click()
        assert len(answered(visit)) == 31
        for path in ("", "units/", "en/progress/index.html", "data/"):
            answer = page.goto(root + path)
            assert answer
            assert answer.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]
        data = json.loads(page.locator("script[type='application/ld+json']").inner_text())
        assert data["@type"] == "Dataset"
        for one in data["distribution"]:
            assert page.request.head(root + one["contentUrl"].removeprefix("../")).ok
        assert visit.said == []
        assert [url for url in visit.asked if not url.startswith((root, "data:"))] == []
    finally:
        page.close()
        server.shutdown()
        server.server_close()
