"""The first page of a scope: how far it has come, and links to what is looked for most (`scope_pages.toml`)."""

import datetime as dt
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from etl.rulebook.campaign import Campaign

_HERE = Path(__file__).resolve().parent
#: Bars of a first page: name, column of `progress`, the column that it is a part of.
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
    """A ready-made page: a table with filters set."""

    title: str
    table: str
    query: str


def ready_made(campaign: Campaign) -> tuple[PageLink, ...]:
    """The links of `scope_pages.toml`, with the campaign's categories and dates filled in."""
    day, years = campaign.ages.reference, campaign.ages.watched_age
    filled = {
        "to_return": ",".join(one.code for one in campaign.categories if one.group == "to_return"),
        "born_after": _years_before(day, years + 1),
        "born_until": _years_before(day, years),
    }
    pages = tomllib.loads((_HERE / "scope_pages.toml").read_text(encoding="utf-8"))["pages"]
    return tuple(
        PageLink(one["title"], one["table"], quote(one["query"].format(**filled), safe="=&,_")) for one in pages
    )


def _years_before(day: dt.date, years: int) -> str:
    """The birthday of somebody who completes so many years on a day; of the 29th of February the day before."""
    is_leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - years, day=28 if is_leap_day else day.day).isoformat()


async def first_page(datasette: Any, database: str) -> dict[str, Any]:
    """For the template of a scope: its sums as (name, count, of how many), and its links."""
    scope = datasette.databases.get(database)
    if scope is None:
        return {}
    names = set(await scope.table_names())
    links = [link for link in datasette.pages if link.table in names]
    if "progress" not in names:
        return {"bars": [], "links": links}
    sums = (await scope.execute(_SUMS)).first()
    return {"bars": [(name, sums[column] or 0, sums[whole] or 0) for name, column, whole in BARS], "links": links}
