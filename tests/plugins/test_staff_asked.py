"""A wrong parameter is a 400 that names it; no statement and no account can stop the others."""

import asyncio
import random
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from etl.findings import FuxueError
from plugins import statement_limits
from plugins.asked import LOOKUPS, MOST_ASKED, faulty_parameter
from plugins.statement_limits import ANSWER_BYTES, HEAVY, LIMITS, WAITING, TooManyError, Turns, library
from tests.support.staff_home import BUREAU, CHIEF, CLERK, OWN, add_accounts, make_home
from tests.support.staff_instance import COOKIE, Instance

COLUMNS = {"children": ("serial", "name", "birth", "category")}
#: Query strings that made an answer of 500, or were ignored, each with the parameter that is wrong.
WRONG = [
    ("children", "_facet=nope", "_facet"),
    ("children", "_facet_array=name", "_facet_array"),
    ("children", "_facet_array=nope", "_facet_array"),
    ("children", "_facet_date=nope", "_facet_date"),
    ("children", "_facet=name&_facet_size=x", "_facet_size"),
    ("children", "_facet_size=99999999999999999999", "_facet_size"),
    ("children", "_timelimit=x", "_timelimit"),
    ("children", "_timelimit=-1", "_timelimit"),
    ("children", "_json_infinity=x", "_json_infinity"),
    ("children", "_where=1%00", "_where"),
    ("children", "_size=-1", "_size"),
    ("children", "_sort=nope", "_sort"),
    ("children", "_col=nope", "_col"),
    ("children", "_shape=nope", "_shape"),
    ("children", "_labels=x", "_labels"),
    ("children", "nope=1", "nope"),
    ("children", "name__nope=1", "name__nope"),
    ("children", "serial__in=%5B", "serial__in"),
    ("children", "serial__in=%7B", ""),
    ("children", "serial__arraycontains=x", "serial__arraycontains"),
    ("children", "_through=%7B%7D", "_through"),
    ("children", "_trace=1", "_trace"),
    ("-/query", "sql=select+1&_timelimit=x", "_timelimit"),
    ("-/query", "sql=select+%00", "sql"),
    ("-/query", "sql=select+1&_shape=nope", "_shape"),
    ("-/query", f"sql={'x' * MOST_ASKED}", "sql"),
]
RIGHT = [
    ("children", "_facet=category&_facet=returned&_facet_size=max&_sort=serial"),
    ("children", "category__in=F,K&birth__gt=2003-03-04&birth__lte=2004-03-04&_sort=birth"),
    (
        "children",
        "_filter_column=name&_filter_op=contains&_filter_value=x&_filter_column_1=&_filter_op_1=&_filter_value_1=",
    ),
    ("children", "category__isnull=1&_json_infinity=1&_nofacet=1&_col=serial&_labels=on&_shape=objects"),
    ("children", "_facet=name&_facet=serial&_facet_size=max"),
    ("-/query", "sql=select+:x&x=1&_hide_sql=1&_timelimit=500"),
]


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    home, keys = make_home(tmp_path_factory.mktemp("asked") / "var")
    add_accounts(home, keys)
    made = Instance(home, keys)
    yield made
    made.close()


@pytest.fixture(scope="module")
def clerk(instance: Instance) -> str:
    return instance.log_in(CLERK)


@pytest.mark.parametrize("form", ["", ".json", ".csv"])
@pytest.mark.parametrize(("page", "query", "name"), [one for one in WRONG if one[2]])
def test_a_wrong_parameter_is_named(
    instance: Instance, clerk: str, page: str, query: str, name: str, form: str
) -> None:
    answer = instance.ask(f"/{OWN}/{page}{form}?{query}", clerk)
    assert (answer.status_code, f"参数 {name} " in answer.text) == (400, True)
    assert faulty_parameter(f"/{page}{form}", query, COLUMNS) == name


@pytest.mark.parametrize("form", ["", ".json"])
@pytest.mark.parametrize("page", ["", "/children/20190219-01,10001"])
def test_a_first_page_and_the_page_of_a_row_take_no_unknown_parameter(
    instance: Instance, clerk: str, page: str, form: str
) -> None:
    for name in ("nope", "_nope", "_sort", "serial"):
        answer = instance.ask(f"/{OWN}{page}{form}?{name}=1", clerk)
        assert (answer.status_code, f"参数 {name} " in answer.text) == (400, True)
    assert instance.ask(f"/{OWN}{page}{form}", clerk).status_code == 200


@pytest.mark.parametrize("form", ["", ".json", ".csv"])
@pytest.mark.parametrize(("page", "query"), RIGHT)
def test_what_the_pages_ask_for_is_answered(instance: Instance, clerk: str, page: str, query: str, form: str) -> None:
    assert instance.ask(f"/{OWN}/{page}{form}?{query}", clerk).status_code in (200, 302)


def test_the_form_offers_each_way_to_compare_and_keeps_that_of_the_page(instance: Instance, clerk: str) -> None:
    pages = instance.datasette.pages
    assert pages
    assert {key.removesuffix("__1") for key in pages.conditions} == LOOKUPS
    page = instance.ask(f"/{OWN}/children?category__in=F,K&birth__gte=2004-01-01&team__isnull=1", clerk).text
    assert re.findall(r'<option value="([^"]+)" selected>', page) == [
        *("birth", "gte", "category", "in", "team", "isnull__1"),
    ]


@pytest.mark.parametrize("order", ["", "&_sort=sex"])
def test_a_wrong_place_to_go_on_from_is_named(instance: Instance, clerk: str, order: str) -> None:
    answer = instance.ask(f"/{OWN}/children?_next=abc{order}", clerk)
    assert (answer.status_code, "参数 _next " in answer.text) == (400, True)


def test_markup_in_the_name_of_a_parameter_is_text(instance: Instance, clerk: str) -> None:
    answer = instance.ask(f"/{OWN}/children?{quote('<script>alert(1)</script>')}=1", clerk)
    assert answer.status_code == 400
    assert "<script>" not in answer.text


def wild_queries(seed: int, many: int) -> Iterator[str]:
    """Query strings of known and unknown parameters with values that suit some of them."""
    draw = random.Random(seed)
    names = ["_facet", "_facet_array", "_facet_date", "_facet_size", "_timelimit", "_json_infinity", "_json", "_where",
             "_size", "_next", "_sort", "_sort_desc", "_sort_by_desc", "_col", "_nocol", "_shape", "_extra", "_labels",
             "_nofacet", "_nocount", "_nl", "_dl", "_header", "_filter_column", "_filter_op", "_filter_value", "_trace",
             "_through", "_search", "_ttl", "serial", "name__contains", "birth__gt", "serial__in", "name__isnull",
             "category__date", "nope", "sql", "_stream", "_fts_table", "_searchmode"]  # fmt: skip
    values = ["", "x", "0", "1", "-1", "1e400", "max", "on", "nope", "serial", "name", "category", "[", "[1]", "{}",
              "a,b", "\0", "'", '"', "%", "select 1", "1=1", "1=(", "～", "2005-01-01", "9" * 30, "array", "object",
              "count,next", "null"]  # fmt: skip
    for _ in range(many):
        yield urlencode([(draw.choice(names), draw.choice(values)) for _ in range(draw.randrange(1, 4))])


@pytest.mark.parametrize("many", [300, pytest.param(20_000, marks=pytest.mark.prove)])
def test_no_way_of_asking_is_an_error_of_the_server(instance: Instance, clerk: str, many: int) -> None:
    pages = [f"/{OWN}/{page}{form}" for page in ("children", "findings", "-/query") for form in ("", ".json", ".csv")]
    for number, query in enumerate(wild_queries(many, many)):
        path = f"{pages[number % len(pages)]}?{query}"
        answer = instance.ask(path, clerk)
        assert answer.status_code in (200, 302, 400), path


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT length(zeroblob({LIMITS[0] + 1}))",
        "WITH RECURSIVE n(i, x) AS (SELECT 1, 'ab' UNION ALL SELECT i + 1, x || x FROM n WHERE i < 30)"
        " SELECT max(length(x)) FROM n",
        f"SELECT 'a' LIKE '{'%a' * LIMITS[8]}'",
        f"SELECT {' + '.join(['1'] * (LIMITS[3] + 2))}",
        " UNION ".join(["SELECT 1"] * (LIMITS[4] + 1)),
        f"SELECT {', '.join(['1'] * (LIMITS[2] + 1))}",
    ],
)
def test_no_step_of_a_statement_can_be_long(instance: Instance, clerk: str, sql: str) -> None:
    answer = instance.ask(f"/{OWN}/-/query.json", clerk, params={"sql": sql})
    assert answer.status_code == 400, answer.text[:200]
    assert instance.ask(f"/{OWN}/-/query.json", clerk, params={"sql": "SELECT 1 AS a"}).json()["rows"] == [{"a": 1}]


def test_no_answer_is_larger_than_a_county_needs(instance: Instance, clerk: str) -> None:
    rows = ANSWER_BYTES // 90_000
    sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT zeroblob(90000) FROM n"
    for form in (".json", ".csv", ""):
        answer = instance.ask(f"/{OWN}/-/query{form}", clerk, params={"sql": sql.format(rows + 2)})
        assert len(answer.content) < 10_000
        assert form == ".csv" or "16 MB" in answer.text
    assert instance.ask(f"/{OWN}/-/query.json", clerk, params={"sql": sql.format(5)}).status_code == 200


def test_a_library_without_limits_is_not_served(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        @staticmethod
        def sqlite3_limit(*_: Any) -> int:
            return 0

    monkeypatch.setattr(statement_limits, "_sqlite", Other)
    with pytest.raises(FuxueError, match=r"serve\.no_limits"):
        statement_limits.limit_statements(library.connect(":memory:"))


SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000) SELECT count(*) FROM n"


def test_slow_statements_of_one_account_leave_the_threads_to_others(instance: Instance, clerk: str) -> None:
    """Six slow ones are asked for first; another account's page comes before the second of them."""
    chief = instance.log_in(CHIEF)
    done: list[str] = []

    async def ask(name: str, path: str, cookie: str) -> None:
        answer = await instance.datasette.client.get(path, cookies={COOKIE: cookie})
        assert answer.status_code == 200
        done.append(name)

    async def morning() -> None:
        slow = [asyncio.create_task(ask("slow", f"/{OWN}/-/query.json?{urlencode({'sql': SLOW})}", clerk))
                for _ in range(6)]  # fmt: skip
        await asyncio.sleep(0)
        await asyncio.gather(ask("page", f"/{BUREAU}/-/query.json?sql=select+1", chief), *slow)

    instance.run(morning())
    assert done.index("page") <= 1
    assert len(done) == 7


def test_heavy_requests_of_several_accounts_leave_threads_to_others(instance: Instance) -> None:
    turns, at_work, most = Turns(), 0, 0

    async def work(account: str, is_heavy: bool) -> None:
        nonlocal at_work, most
        async with turns.turn(account, is_heavy=is_heavy):
            at_work += is_heavy
            most = max(most, at_work)
            await asyncio.sleep(0)
            at_work -= is_heavy

    async def day() -> None:
        heavy = [asyncio.create_task(work(f"clerk {number}", True)) for number in range(6)]
        await asyncio.sleep(0)
        await work("chief", False)
        assert not heavy[HEAVY].done(), "what is not heavy does not wait for what is"
        await asyncio.gather(*heavy)

    asyncio.run(day())
    assert most == HEAVY < instance.datasette.setting("num_sql_threads")


@pytest.mark.parametrize(
    ("path", "is_heavy"),
    [
        (f"/{OWN}", False),
        (f"/{OWN}/children?_sort=name", False),
        (f"/{OWN}/children.json?_where=1", True),
        (f"/{OWN}/children.json?%5Fw%68ere=1", True),
        (f"/{OWN}/children.json?_search=_where", False),
        (f"/{OWN}/children.csv", True),
        (f"/{OWN}/children.xlsx", True),
        (f"/{OWN}/-/query?sql=select+1", True),
    ],
)
def test_own_sql_and_exports_are_heavy(
    instance: Instance, clerk: str, path: str, is_heavy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, usual = list[dict[str, bool]](), Turns.turn

    def turn(turns: Turns, account: str, **how: bool) -> Any:
        taken.append(how)
        return usual(turns, account, **how)

    monkeypatch.setattr(Turns, "turn", turn)
    assert instance.ask(path, clerk).status_code == 200
    assert taken == [{"is_heavy": is_heavy}]


def test_an_account_waits_with_some_requests_and_no_more() -> None:
    turns, order = Turns(), list[int]()

    async def work(number: int) -> None:
        async with turns.turn("clerk"):
            await asyncio.sleep(0)
            order.append(number)

    async def day() -> list[BaseException | None]:
        return await asyncio.gather(*(work(number) for number in range(WAITING + 5)), return_exceptions=True)

    ended = asyncio.run(day())
    assert order == [*range(WAITING + 1)]
    assert [isinstance(one, TooManyError) for one in ended] == [False] * (WAITING + 1) + [True] * 4
    asyncio.run(work(99))
    assert order[-1] == 99
