"""The first page of a scope: its progress, and links to frequently needed views (`scope_pages.toml`)."""

import datetime as dt
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

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


def ready_made(campaign: Campaign) -> tuple[PageLink, ...]:
    """The links of `scope_pages.toml`, with the campaign's categories and dates filled in."""
    return tuple(PageLink(one["title"], one["table"], filled(campaign, one["query"])) for one in declared("pages"))


def declared(what: str) -> list[dict[str, str]]:
    """The entries of `scope_pages.toml` under a heading."""
    found: dict[str, list[dict[str, str]]] = tomllib.loads((_HERE / "scope_pages.toml").read_text(encoding="utf-8"))
    return found[what]


def filled(campaign: Campaign, query: str) -> str:
    """A query string with the campaign's categories and dates filled in."""
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
    """Variables for the template of a scope: bars as (name, count, whole), and links."""
    scope = datasette.databases[database]
    names = set(await scope.table_names())
    links = [link for link in datasette.pages if link.table in names]
    if "progress" not in names:
        return {"bars": [], "links": links}
    sums = (await scope.execute(_SUMS)).first()
    return {"bars": [(name, sums[column] or 0, sums[whole] or 0) for name, column, whole in BARS], "links": links}
