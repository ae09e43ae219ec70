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

from etl.rulebook.campaign import BUREAU, INSPECTORATE, Campaign
from etl.vault.store.files import open_scope
from etl.workflow import loading
from etl.workflow.run import Run
from plugins.accounts import add_account
from plugins.launch import build_staff
from plugins.scope_pages import ready_made
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
    made = Loaded(run)
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
        assert "/children?category__isnull=1" in page
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
    (link,) = [one for one in ready_made(small) if one.title == title]
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
    (link,) = [one for one in ready_made(dated) if "15" in one.title]
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


def test_who_sees_many_scopes_has_the_own_first_and_the_others_as_a_list(loaded: Loaded, small: Campaign) -> None:
    page = loaded.ask("/", loaded.log_in("of.bureau")).text
    assert page.count('<section class="card">') == 2
    assert page.index(f'href="/{BUREAU}"') < page.index("各单位和部门")
    listed = page[page.index("各单位和部门") :]
    assert all(f'href="/{unit.slug}">{unit.name}<' in listed for unit in small.units)


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
