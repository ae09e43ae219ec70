"""The first page of a scope: its progress, what is left to do there, and short tables (`scope_pages.toml`)."""

import datetime as dt
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

from datasette.filters import Filters

from etl.rulebook.campaign import Campaign

_HERE = Path(__file__).resolve().parent
#: The bars of a first page: name, column of `progress`, column of the whole.
BARS = (
    ("疑似失学儿童", "suspected", "suspected"),
    ("已核查", "verified", "suspected"),
    ("核减", "deducted", "verified"),
    ("应劝返", "to_return", "verified"),
    ("已复学", "returned", "to_return"),
    ("尚未复学", "still_out", "to_return"),
)
_SUMS = f"SELECT {', '.join(f'sum({column}) AS {column}' for _, column, _ in BARS)} FROM progress"


@dataclass(frozen=True)
class PageLink:
    """A link to a table with filters set; `query` is the query string."""

    title: str
    table: str
    query: str

    @property
    def condition(self) -> tuple[str, dict[str, Any]]:
        """The same rows as an SQL condition on the table, with its parameters: Datasette's own reading of the query."""
        pairs = [pair for pair in parse_qsl(self.query, keep_blank_values=True) if not pair[0].startswith("_")]
        clauses, values = Filters(pairs).build_where_clauses(self.table)
        return " AND ".join(clauses) or "1", values


@dataclass(frozen=True)
class ShortTable:
    """A small table on a first page: `sql` gives its columns; `table` is where all its rows are."""

    title: str
    table: str
    columns: Sequence[str]
    sql: str


@dataclass(frozen=True)
class ScopePages:
    """What first pages show: links by what is left to do, the columns of the bureau's table of units, short tables.

    `conditions` are the ways to compare a column, by Datasette's name for them.
    """

    links: Sequence[PageLink]
    by_unit: Sequence[PageLink]
    tables: Sequence[ShortTable]
    conditions: Mapping[str, str]


def scope_pages(campaign: Campaign) -> ScopePages:
    """The content of `scope_pages.toml`, with the campaign's categories and dates filled in."""
    given = tomllib.loads((_HERE / "scope_pages.toml").read_text(encoding="utf-8"))
    links, by_unit = (
        [PageLink(one["title"], one["table"], _filled(campaign, one["query"])) for one in given[what]]
        for what in ("pages", "left")
    )
    return ScopePages(links, by_unit, [ShortTable(**one) for one in given["tables"]], given["conditions"])


def _filled(campaign: Campaign, query: str) -> str:
    day, years = campaign.ages.reference, campaign.ages.watched_age
    given = {
        "to_return": ",".join(one.code for one in campaign.categories if one.group == "to_return"),
        "born_after": _years_before(day, years + 1),
        "born_until": _years_before(day, years),
    }
    return quote(query.format(**given), safe="=&,_")


def _years_before(day: dt.date, years: int) -> str:
    """The date of birth (ISO) of a person who turns `years` on `day`; for 29 February, 28 February is used."""
    is_leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - years, day=28 if is_leap_day else day.day).isoformat()


async def first_page(datasette: Any, database: str) -> dict[str, Any]:
    """Variables for the template of a scope.

    Bars as (name, count, whole); links as (count, link); short tables as (table, rows), without those that are empty.
    """
    scope = datasette.databases[database]
    names = set(await scope.table_names())
    links = [(await _count(scope, link), link) for link in datasette.pages.links if link.table in names]
    shown = [(one, (await scope.execute(one.sql)).rows) for one in datasette.pages.tables if one.table in names]
    bars: Iterable[tuple[str, int, int]] = ()
    if "progress" in names:
        sums = (await scope.execute(_SUMS)).first()
        bars = [(name, sums[column] or 0, sums[whole] or 0) for name, column, whole in BARS]
    return {"bars": bars, "links": links, "short_tables": [(one, rows) for one, rows in shown if rows]}


async def _count(scope: Any, link: PageLink) -> int:
    where, values = link.condition
    return int((await scope.execute(f"SELECT count(*) FROM {link.table} WHERE {where}", values)).single_value())
