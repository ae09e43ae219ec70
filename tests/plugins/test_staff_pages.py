"""A scope's first page: bars that are its sums, and links each of which leads to the rows that it names."""

import asyncio
import datetime as dt
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from datasette.utils import tilde_encode

from etl.rulebook.campaign import BUREAU, INSPECTORATE, Campaign
from etl.vault.scopes.contents import scopes
from etl.vault.store.files import connect, open_scope, scope_key, scope_path
from etl.workflow import loading
from etl.workflow.run import Run
from plugins.access import CUSTODIAN
from plugins.accounts import add_account
from plugins.launch import build_staff
from plugins.scope_pages import scope_pages
from tests.support.homes import ROOT, at_due
from tests.support.staff_home import PASSWORD
from tests.support.staff_instance import Instance

UNIT = "xiling"


class Loaded(Instance):
    """The staff instance over a home that was loaded."""

    def __init__(self, run: Run) -> None:
        self.home, self.keys = run.home, run.keys
        self.loop = asyncio.new_event_loop()
        self.datasette = build_staff(run.home, run.keys, run.campaign, ROOT)
        self.run(self.datasette.invoke_startup())


def change_scope(of: "Run | Loaded", scope: str, sql: str, values: list[object]) -> None:
    """Change what a scope's file says."""
    connection = connect(scope_path(of.home.scopes, scope), scope_key(of.keys, scope))
    connection.execute(sql, values)
    connection.close()


def flag(run: Run, scope: str) -> None:
    """The small campaign gives no cause for a flag."""
    sql = "INSERT INTO flags VALUES (?, 'S01', '这个单位 20 人中有 19 人填 <A>，须看。', 'Of 20, 19 are A.')"
    change_scope(run, scope, sql, [UNIT])


def give(made: Loaded, username: str, scope: str) -> None:
    """A further scope for an account."""
    sql = "INSERT INTO fuxue_scopes SELECT id, ? FROM datasette_accounts_users WHERE username = ?"
    made.run(made.datasette.get_internal_database().execute_write(sql, [scope, username]))


@pytest.fixture(scope="module")
def loaded(
    tmp_path_factory: pytest.TempPathFactory, issued_once: Path, small: Campaign, small_folder: Path
) -> Iterator[Loaded]:
    root = tmp_path_factory.mktemp("pages") / "var"
    shutil.copytree(issued_once, root)
    run = at_due(root, small, small_folder)
    loading.load_files(run, sorted(run.home.inbox.iterdir()))
    for scope in (UNIT, BUREAU, INSPECTORATE, run.campaign.casework.departments[0].slug):
        add_account(run.home, run.keys, f"of.{scope}", scope, PASSWORD)
    add_account(run.home, run.keys, "of.custodian", CUSTODIAN, PASSWORD)
    add_account(run.home, run.keys, "of.two", UNIT, PASSWORD)
    flag(run, INSPECTORATE)
    flag(run, BUREAU)
    made = Loaded(run)
    give(made, "of.two", INSPECTORATE)
    yield made
    made.close()


@pytest.mark.parametrize("scope", [UNIT, BUREAU, INSPECTORATE, "department"])
def test_every_link_of_a_first_page_leads_somewhere(loaded: Loaded, small: Campaign, scope: str) -> None:
    scope = small.casework.departments[0].slug if scope == "department" else scope
    cookie = loaded.log_in(f"of.{scope}")
    page = loaded.ask(f"/{scope}", cookie).text
    links = [unescape(link) for link in re.findall(rf'href="(/{scope}/\w+\?[^"]+)"', page)]
    assert links
    for link in links:
        assert loaded.ask(link, cookie).status_code == 200, link
    if scope == UNIT:
        assert "/children?category__in=I,J,K,L,M&amp;returned=" in page
        assert "/flags" not in page
    if scope == INSPECTORATE:
        assert "/flags?" in page
        assert "/children?" not in page


def rows(loaded: Loaded, scope: str, sql: str) -> list[tuple[object, ...]]:
    connection = open_scope(loaded.home.scopes, scope, loaded.keys)
    try:
        return [tuple(row) for row in connection.execute(sql)]
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("title", "where"),
    [
        ("还没有核查", "category IS NULL"),
        ("应劝返，尚未复学", "category BETWEEN 'I' AND 'M' AND returned = '否'"),
        ("已经复学", "returned = '是'"),
        ("失踪失联", "category = 'G'"),
    ],
)
def test_a_link_shows_just_the_rows_that_it_names(loaded: Loaded, small: Campaign, title: str, where: str) -> None:
    (link,) = [one for one in scope_pages(small).links if one.title == title]
    answer = loaded.ask(f"/{BUREAU}/{link.table}.json?{link.query}&_size=max&_shape=array", loaded.log_in("of.bureau"))
    wanted = rows(loaded, BUREAU, f"SELECT serial FROM children WHERE {where} ORDER BY serial")
    assert sorted(row["serial"] for row in answer.json()) == [serial for (serial,) in wanted]


@pytest.mark.parametrize(
    ("reference", "bounds"),
    [
        (dt.date(2019, 2, 27), ("2003-02-27", "2004-02-27")),
        (dt.date(2020, 2, 29), ("2004-02-28", "2005-02-28")),
    ],
)
def test_fifteen_is_after_the_fifteenth_birthday_and_before_the_sixteenth(
    campaign: Campaign, reference: dt.date, bounds: tuple[str, str]
) -> None:
    dated = replace(campaign, ages=replace(campaign.ages, reference=reference))
    (link,) = [one for one in scope_pages(dated).links if "15" in one.title]
    assert f"birth__gt={bounds[0]}&birth__lte={bounds[1]}" in link.query


@pytest.mark.parametrize("scope", [UNIT, BUREAU])
def test_bars_are_the_sums_of_the_scope(loaded: Loaded, scope: str) -> None:
    page = loaded.ask(f"/{scope}", loaded.log_in(f"of.{scope}")).text
    shown = [int(count) for count in re.findall(r"<meter [^>]*>(\d+)</meter>", page)]
    columns = ("suspected", "verified", "deducted", "to_return", "returned", "still_out")
    wanted = rows(loaded, scope, f"SELECT {', '.join(f'sum({column})' for column in columns)} FROM progress")
    assert shown == list(wanted[0])
    assert shown[0] == shown[1] > 0


def test_a_child_is_found_by_two_characters_of_the_name_or_by_the_serial(loaded: Loaded) -> None:
    cookie = loaded.log_in(f"of.{UNIT}")
    everybody = rows(loaded, UNIT, "SELECT serial, name FROM children ORDER BY serial")
    for serial, name in everybody[:5]:
        for text in (str(name)[:2], str(name)[-2:], str(serial)):
            answer = loaded.ask(f"/{UNIT}/children.json?_search={quote(text)}&_size=max&_shape=array", cookie)
            found = {(row["serial"], row["name"]) for row in answer.json()}
            assert found == {one for one in everybody if text in one[0] or text in one[1]}  # type: ignore[operator]
    for text in ("%", "_", "'", '"'):
        assert loaded.ask(f"/{UNIT}/children.json?_search={quote(text)}&_shape=array", cookie).json() == []
    page = loaded.ask(f"/{UNIT}/children?_search={quote(str(everybody[0][1]))}", cookie).text
    assert f'value="{everybody[0][1]}"' in page


def test_the_bureau_sees_all_units_in_one_table_by_what_is_left_to_do(loaded: Loaded, small: Campaign) -> None:
    cookie = loaded.log_in("of.bureau")
    page = loaded.ask(f"/{BUREAU}", cookie).text
    table = page[page.index("各单位还有什么没做完") :]
    table = table[: table.index("</table>")]
    units = re.findall(r'<th scope="row"><a href="/([^"]+)">([^<]+)</a>', table)
    assert sorted(units) == sorted((unit.slug, unit.name) for unit in small.units)
    links = [
        (unescape(link), int(count)) for link, count in re.findall(r'<td class="int"><a href="([^"]+)">(\d+)<', table)
    ]
    assert len(links) >= 3
    for link, count in links:
        path, _, query = link.partition("?")
        assert len(loaded.ask(f"{path}.json?{query}&_size=max&_shape=array", cookie).json()) == count, link
    lefts = [
        sum(map(int, re.findall(r"<td class=\"int\">(?:<a [^>]*>)?(\d+)", line))) for line in table.split("<tr>")[2:]
    ]
    assert lefts == sorted(lefts, reverse=True)
    assert "各单位还有什么没做完" not in loaded.ask(f"/{UNIT}", loaded.log_in(f"of.{UNIT}")).text


def test_whoever_has_one_scope_or_the_bureaus_begins_there(loaded: Loaded, small: Campaign) -> None:
    for scope in (UNIT, BUREAU, INSPECTORATE):
        answer = loaded.ask("/", loaded.log_in(f"of.{scope}"))
        assert (answer.status_code, answer.headers["location"]) == (302, f"/{scope}")
    page = loaded.ask(f"/{BUREAU}", loaded.log_in("of.bureau")).text
    assert all(f'href="/{scope}"' in page for scope in scopes(small) if scope != BUREAU)


def test_whoever_has_several_scopes_chooses_and_a_custodian_begins_at_the_log(loaded: Loaded, small: Campaign) -> None:
    cookie = loaded.log_in("of.two")
    page = loaded.ask("/", cookie).text
    others = [unit.slug for unit in small.units if unit.slug != UNIT]
    assert f'href="/{UNIT}">{small.unit[UNIT].name}<' in page
    assert f'href="/{INSPECTORATE}"' in page
    assert not any(f'href="/{unit}"' in page for unit in others)
    answer = loaded.ask("/", loaded.log_in("of.custodian"))
    assert (answer.status_code, answer.headers["location"]) == (302, "/-/audit")


def test_on_pages_units_and_departments_go_by_their_names(loaded: Loaded, small: Campaign) -> None:
    cookie, name = loaded.log_in("of.bureau"), small.unit[UNIT].name
    page = loaded.ask(f"/{BUREAU}/children?_facet=unit&unit={UNIT}", cookie).text
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", page)
    assert name in cells
    assert UNIT not in cells
    assert f"<strong>{name}</strong>" in page
    department = small.casework.departments[0]
    found = loaded.ask(f"/{BUREAU}/corrections?_facet=department", cookie).text
    assert department.slug not in re.findall(r">([^<>]+)<", found)


def test_a_search_goes_on_with_conditions_and_is_offered_where_there_are_names(loaded: Loaded) -> None:
    cookie = loaded.log_in(f"of.{UNIT}")
    assert 'action="/xiling/children" method="get" role="search"' in loaded.ask(f"/{UNIT}", cookie).text
    assert 'name="_search"' in loaded.ask(f"/{UNIT}/children", cookie).text
    assert 'name="_search"' not in loaded.ask(f"/{UNIT}/findings", cookie).text
    (serial, name, category), *_ = rows(loaded, UNIT, "SELECT serial, name, category FROM children ORDER BY serial")
    for code, many in ((category, 1), ("Z", 0)):
        path = f"/{UNIT}/children.json?_search={serial}&category={code}&name={quote(str(name))}&_shape=array"
        assert len(loaded.ask(path, cookie).json()) == many


@pytest.mark.parametrize("scope", [UNIT, BUREAU, INSPECTORATE])
def test_the_number_beside_a_link_is_the_number_of_rows_behind_it(loaded: Loaded, small: Campaign, scope: str) -> None:
    cookie = loaded.log_in(f"of.{scope}")
    page = loaded.ask(f"/{scope}", cookie).text
    shown = re.findall(r'<li>(?:<a href="([^"]+)"|<span)><b>(\d+)</b> ([^<]+)<', page)
    queries = {link.title: link for link in scope_pages(small).links}
    assert len(shown) >= 4
    assert any(int(count) for _, count, _ in shown)
    for link, count, title in shown:
        query = queries[title].query
        assert (unescape(link) == f"/{scope}/{queries[title].table}?{query}") is (count != "0"), title
        answer = loaded.ask(f"/{scope}/{queries[title].table}.json?{query}&_size=max&_shape=array", cookie)
        assert len(answer.json()) == int(count), title


def test_a_row_page_tells_a_childs_whole_story_by_day(loaded: Loaded) -> None:
    cookie = loaded.log_in(f"of.{UNIT}")
    issue, serial, category = rows(loaded, UNIT, "SELECT issue, serial, category FROM cases ORDER BY serial LIMIT 1")[0]
    page = loaded.ask(f"/{UNIT}/children/{issue},{serial}", cookie).text
    told = re.findall(r"<li><time [^>]*>([^<]+)</time> <a href=\"([^\"]+)\">([^<]+)</a> <span>([^<]*)<", page)
    assert [title for _, _, title, _ in told][:2] == ["下发", "报送结果"]
    assert {"下发", "报送结果", "建档"} <= {title for _, _, title, _ in told}
    days = [day for day, _, _, _ in told]
    assert days == sorted(days)
    assert any(title == "报送结果" and text.startswith(f"{category} ") for _, _, title, text in told)
    for _, link, _, _ in told:
        path, _, query = unescape(link).partition("?")
        assert loaded.ask(f"{path}.json?{query}&_shape=array", cookie).json(), link
    assert UNIT not in "".join(text for _, _, _, text in told)  # by name, not by code


def test_a_story_tells_of_each_day_only_what_is_of_that_day(loaded: Loaded) -> None:
    """A measure that came in later is not told under the day on which the case was opened."""
    issue, serial = rows(loaded, UNIT, "SELECT issue, serial FROM cases ORDER BY serial LIMIT 1")[0]
    given = "UPDATE cases SET measured_on = ?, measure = ?, person = ?, returned_on = ? WHERE serial = ?"
    told = {}
    for values in ((None, None, None, None), ("2020-03-20", None, None, None),
                   ("2020-03-20", "上门劝返", "甄老师", "2020-03-19")):  # fmt: skip
        change_scope(loaded, UNIT, given, [*values, serial])
        page = loaded.ask(f"/{UNIT}/children/{issue},{serial}", loaded.log_in(f"of.{UNIT}")).text
        found = re.findall(r"<time [^>]*>([^<]+)</time> <a [^>]*>([^<]+)</a> <span>([^<]*)<", page)
        told[values] = [one for one in found if one[1] in ("建档", "报送措施", "复学")]
    opened = ("2020-03-16", "建档", "应劝返，一人一档")
    assert list(told.values()) == [
        [opened],
        [opened, ("2020-03-20", "报送措施", "还没有措施")],
        [opened, ("2020-03-19", "复学", ""), ("2020-03-20", "报送措施", "上门劝返；责任人：甄老师")],
    ]


@pytest.mark.parametrize("scope", [INSPECTORATE, "department"])
def test_whoever_has_no_list_of_children_searches_what_there_is(loaded: Loaded, small: Campaign, scope: str) -> None:
    table = "corrections" if scope == "department" else "visits"
    scope = small.casework.departments[0].slug if scope == "department" else scope
    cookie = loaded.log_in(f"of.{scope}")
    page = unescape(loaded.ask(f"/{scope}", cookie).text)
    assert f'action="/{scope}/{table}" method="get" role="search"' in page
    assert loaded.ask(f"/{scope}/{table}?_search=1", cookie).status_code == 200
    (sample,) = re.findall(r"<textarea[^>]*>(select [^<]+)</textarea>", page)
    assert loaded.ask(f"/{scope}/-/query", cookie, params={"sql": sample}).status_code == 200


def test_a_row_and_a_full_number_lead_back_by_names(loaded: Loaded, small: Campaign) -> None:
    cookie = loaded.log_in("of.bureau")
    key = ",".join(map(tilde_encode, (UNIT, "附件4", "纸质")))
    page = loaded.ask(f"/{BUREAU}/deliverables/{key}", cookie).text
    assert f"{small.unit[UNIT].name} · 附件4 · 纸质</h1>" in page
    issue, serial = rows(loaded, UNIT, "SELECT issue, serial FROM children LIMIT 1")[0]
    page = loaded.ask(f"/{UNIT}/-/number/{issue},{serial}", loaded.log_in(f"of.{UNIT}")).text
    assert f'<a href="/{UNIT}">返回' in page


def test_a_departments_row_tells_only_what_the_department_sees(loaded: Loaded, small: Campaign) -> None:
    scope = small.casework.departments[0].slug
    issue, serial, category = rows(loaded, scope, "SELECT issue, serial, category FROM corrections LIMIT 1")[0]
    page = loaded.ask(f"/{scope}/corrections/{issue},{serial},{scope},{category}", loaded.log_in(f"of.{scope}")).text
    assert re.findall(r"</time> <a [^>]*>([^<]+)</a>", page) == ["提出更正"]


def test_the_inspectorate_reads_each_flag_with_its_reason_at_once(loaded: Loaded) -> None:
    page = unescape(loaded.ask(f"/{INSPECTORATE}", loaded.log_in("of.inspectorate")).text)
    flags = rows(loaded, INSPECTORATE, "SELECT message FROM flags ORDER BY unit, rule LIMIT 60")
    assert flags
    for (message,) in flags:
        assert f"<td>{message}</td>" in page
