"""The bureau's first page: every unit in one table, by what is left to do there (`scope_pages.toml`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from etl.rulebook.campaign import BUREAU, Campaign
from plugins.scope_pages import declared, filled


@dataclass(frozen=True)
class LeftToDo:
    """A column of the table: its heading, SQL for a unit's number, and the table and filters that show the rows."""

    title: str
    count: str
    table: str
    query: str


@dataclass(frozen=True)
class UnitLine:
    """A unit's line: its code and name, whether it has reported, and (number, table, query string) by column."""

    unit: str
    name: str
    reported: str
    counts: tuple[tuple[int, str, str], ...]


def left_to_do(campaign: Campaign) -> tuple[LeftToDo, ...]:
    """The columns, with the campaign's categories filled in."""
    return tuple(LeftToDo(**one | {"query": filled(campaign, one["query"])}) for one in declared("left"))


async def overview(datasette: Any, columns: Sequence[LeftToDo]) -> list[UnitLine]:
    """All units: first those that have not reported, then those with most left to do."""
    names = [f"left_{at}" for at, _ in enumerate(columns)]
    counts = ", ".join(f"{one.count} AS {name}" for one, name in zip(columns, names, strict=True))
    order = f"reported = '已报送', {' + '.join(names)} DESC, unit"
    sql = f"SELECT unit, name, reported, {counts} FROM progress p ORDER BY {order}"
    return [
        UnitLine(
            row["unit"],
            row["name"],
            row["reported"],
            tuple(
                (row[at], one.table, f"unit={row['unit']}&{one.query}") for one, at in zip(columns, names, strict=True)
            ),
        )
        for row in (await datasette.databases[BUREAU].execute(sql)).rows
    ]
