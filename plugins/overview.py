"""The bureau's first page: every unit in one table by what is left to do there (`scope_pages.toml`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from etl.rulebook.campaign import BUREAU
from plugins.scope_pages import PageLink


@dataclass(frozen=True)
class UnitLine:
    """A unit's line: its code and name, whether it has reported, and (number, table, query string) by column."""

    unit: str
    name: str
    reported: str
    counts: tuple[tuple[int, str, str], ...]


async def overview(datasette: Any, columns: Sequence[PageLink]) -> list[UnitLine]:
    """All units: first those that have not reported, then those with most left to do."""
    scope = datasette.databases[BUREAU]
    counted = [await _by_unit(scope, column) for column in columns]
    lines = [
        UnitLine(
            row["unit"],
            row["name"],
            row["reported"],
            tuple(
                (of.get(row["unit"], 0), column.table, f"unit={row['unit']}&{column.query}")
                for column, of in zip(columns, counted, strict=True)
            ),
        )
        for row in (await scope.execute("SELECT unit, name, reported FROM progress ORDER BY unit")).rows
    ]
    return sorted(lines, key=lambda line: (line.reported == "已报送", -sum(count for count, _, _ in line.counts)))


async def _by_unit(scope: Any, column: PageLink) -> dict[str, int]:
    where, values = column.condition
    found = await scope.execute(f"SELECT unit, count(*) FROM {column.table} WHERE {where} GROUP BY unit", values)
    return {unit: count for unit, count in found.rows}
