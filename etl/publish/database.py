"""`fuxue.db`: all releases as an SQLite file; the same releases give the same bytes."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from etl.exchange.release import Release, ReleasedTable
from etl.publish.languages import Words
from etl.publish.source import Source, cells

_SCHEMA = Path(__file__).with_name("schema.sql")
#: By kind of row: the table with the rows' names, its key, and the column by which rows are ordered.
_NAMES = {
    "area": ("area", "key", "position"),
    "unit": ("unit", "slug", "position"),
    "category": ("category", "code", "code"),
}


def write_database(path: Path, source: Source, words: tuple[Words, ...]) -> None:
    """Build the database at `path`, which must not exist; `words` are the two languages, Chinese first."""
    import sqlite_utils  # imported here because it loads slowly and only publishing needs it

    db = sqlite_utils.Database(path)
    try:
        db.executescript(_SCHEMA.read_text(encoding="utf-8"))
        for table, rows in _content(source, *words).items():
            db.table(table).insert_all(rows)
        for released in source.latest.tables:
            db.create_view(f"{released.key}_wide", _wide(released))
        # Without free pages the file depends only on its content and the order of writing.
        db.execute("VACUUM")
    finally:
        db.close()


def ask(path: Path, sql: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Run a query on the database at `path`; return headings and rows. Raises ValueError if the query fails."""
    with closing(_opened(path)) as connection:
        try:
            answer = connection.execute(sql)
        except sqlite3.Error as error:
            raise ValueError(str(error)) from None
        return tuple(name for name, *_ in answer.description or ()), answer.fetchall()


def content_digest(path: Path) -> str:
    """SHA-256 of the content as SQL statements, so that it does not depend on the version of SQLite."""
    with closing(_opened(path)) as connection:
        return hashlib.sha256("\n".join(connection.iterdump()).encode()).hexdigest()


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)


def _content(source: Source, zh: Words, en: Words) -> dict[str, Iterator[dict[str, Any]]]:
    return {
        "release": (_release(release) for release in source.releases),
        "area": _areas(source),
        "unit": _units(source),
        "category": _categories(source),
        "measure": _measures(source, zh, en),
        "cell": (row for release in source.releases for row in _cells(release)),
    }


def _release(release: Release) -> dict[str, Any]:
    return {
        "release": release.name,
        "campaign": release.campaign,
        "as_of": release.as_of.isoformat(),
        "closing": int(release.closing),
        "k": release.k,
    }


def _areas(source: Source) -> Iterator[dict[str, Any]]:
    for position, area in enumerate(source.campaign.publication.areas, start=1):
        yield {"key": area.key, "position": position, "name": area.title, "name_en": area.title_en}


def _units(source: Source) -> Iterator[dict[str, Any]]:
    for position, unit in enumerate(source.campaign.units, start=1):
        yield {
            "slug": unit.slug,
            "position": position,
            "name": unit.name,
            "name_en": unit.name_en,
            "kind": unit.kind,
        }


def _categories(source: Source) -> Iterator[dict[str, Any]]:
    latest = source.latest
    for category in source.campaign.categories:
        yield {
            "code": category.code,
            "name": category.name,
            "name_en": category.name_en,
            "group_key": category.group,
            "definition": category.definition,
            "definition_en": category.definition_en,
            "k": latest.category_k.get(category.code, latest.k),
        }


def _measures(source: Source, zh: Words, en: Words) -> Iterator[dict[str, Any]]:
    printed = {measure for release in source.releases for table in release.tables for measure in table.measures}
    keys = [key for key in source.campaign.publication.measures if key in printed]
    for position, key in enumerate(keys, start=1):
        yield {
            "key": key,
            "position": position,
            "name": zh(f"measure.{key}.name"),
            "name_en": en(f"measure.{key}.name"),
            "definition": zh(f"measure.{key}.definition"),
            "definition_en": en(f"measure.{key}.definition"),
        }


def _cells(release: Release) -> Iterator[dict[str, Any]]:
    for table in release.tables:
        for row, measure, cell in cells(table):
            yield {
                "release": release.name,
                "table_key": table.key,
                "row": row,
                **{kind: row if table.kind == kind else None for kind in _NAMES},
                "measure": measure,
                "status": cell.status.value,
                "value": cell.value,
                "low": cell.low,
                "high": cell.high,
                "rounded": cell.rounded,
            }


def _wide(table: ReleasedTable) -> str:
    """The SQL of a view with one line per release and row of the table: for each measure value, low, high and status.

    Table keys and measures come from the publication's own rules; they are quoted nevertheless.
    """
    columns = ["c.release", "c.row"]
    if table.kind != "city":
        columns += ["n.name", "n.name_en"]
    for measure in table.measures:
        for column in ("value", "low", "high", "status"):
            alias = measure if column == "value" else f"{measure}_{column}"
            columns.append(f"max(CASE c.measure WHEN {_text(measure)} THEN c.{column} END) AS {_name(alias)}")
    names, key, by = _NAMES.get(table.kind, ("", "", ""))
    join, order = (f"JOIN {names} n ON n.{key} = c.row ", f", n.{by}") if names else ("", "")
    return (
        f"SELECT {', '.join(columns)} FROM cell c {join}"
        f"WHERE c.table_key = {_text(table.key)} GROUP BY c.release, c.row ORDER BY c.release{order}"
    )


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _name(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'
