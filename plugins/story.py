"""A child's story on the page of a row: all that the scope's tables have of it, by day (`story.toml`)."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote


@dataclass(frozen=True)
class Telling:
    """How a row of a table is told: what happened, and SQL for its day (NULL: not yet), its text, and who did it."""

    title: str
    table: str
    day: str
    text: str
    who: str = "NULL"


@dataclass(frozen=True)
class Event:
    """One line of a child's story; `who` is a unit or department by name; `link` is the path and query of its row."""

    day: str
    title: str
    who: str
    text: str
    link: str


def tellings() -> tuple[Telling, ...]:
    """The content of `story.toml`."""
    path = Path(__file__).resolve().with_suffix(".toml")
    return tuple(Telling(**one) for one in tomllib.loads(path.read_text(encoding="utf-8"))["events"])


async def story(datasette: Any, database: str, issue: str, serial: str) -> Sequence[Event]:
    """What the scope's tables have of a child, by day, in one statement."""
    scope = datasette.databases[database]
    names = set(await scope.table_names())
    parts = [
        f"SELECT {number} AS number, {one.day} AS day, {one.who} AS who, {one.text} AS text FROM {one.table}"
        " WHERE issue = :issue AND serial = :serial"
        for number, one in enumerate(datasette.tellings)
        if one.table in names
    ]
    if not parts:
        return []
    sql = f"SELECT * FROM ({' UNION ALL '.join(parts)}) WHERE day IS NOT NULL ORDER BY day, number"
    rows = (await scope.execute(sql, {"issue": issue, "serial": serial})).rows
    asked = f"issue={quote(issue)}&serial={quote(serial)}"
    events = []
    for number, day, who, text in rows:
        one = datasette.tellings[number]
        name = datasette.printed_names.get(who, who or "")
        events.append(Event(day, one.title, name, text or "", f"/{database}/{one.table}?{asked}"))
    return events
