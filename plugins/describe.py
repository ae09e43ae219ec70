"""The descriptions of the staff instance's tables (from `metadata.yml`), and the way the tables are shown."""

from pathlib import Path
from typing import Any

from datasette.utils import parse_metadata

from etl.findings import FuxueError
from etl.rulebook.campaign import BUREAU, Campaign
from plugins.asked import MOST_EXPORTED

#: The entry of `metadata.yml` that describes the scopes' files; a table means the same in all of them.
_ENTRY = "staff"
#: Separates the Chinese name of a column from the rest of its description.
LANGUAGE_SEPARATOR = " / "

#: How tables are shown: facets, order, rows per page, and the column whose value is the text of a link to a row.
TABLE_DISPLAY: dict[str, dict[str, Any]] = {
    "children": {"facets": ["category_name", "returned"], "sort": "serial", "size": 50, "label_column": "serial"},
    "progress": {"sort": "unit", "size": 50, "label_column": "name"},
    "workbooks": {"facets": ["status"], "sort_desc": "id", "size": 50, "label_column": "file"},
    "findings": {"facets": ["severity", "rule"], "sort": "id", "size": 50, "label_column": "rule"},
    "corrections": {"facets": ["state", "category_name"], "sort": "serial", "size": 50, "label_column": "serial"},
    "cases": {"facets": ["state", "category_name"], "sort": "serial", "size": 50, "label_column": "serial"},
    "answers": {"facets": ["category_name"], "sort_desc": "received", "size": 50, "label_column": "serial"},
    "signatures": {"facets": ["act"], "sort": "serial", "size": 50, "label_column": "serial"},
    "changes": {"facets": ["unit"], "sort": "id", "size": 50, "label_column": "serial"},
    "deliverables": {"facets": ["state", "what"], "sort": "unit", "size": 50, "label_column": "what"},
    "flags": {"facets": ["rule"], "sort": "unit", "size": 50, "label_column": "rule"},
    "visits": {"facets": ["sample", "unit"], "sort": "serial", "size": 50, "label_column": "serial"},
}

#: The most milliseconds of a statement of an export.
EXPORT_MS = 10_000
SETTINGS: dict[str, Any] = {
    "allow_download": False,
    "allow_csv_stream": False,
    "allow_signed_tokens": False,
    "suggest_facets": False,
    "default_page_size": 50,
    "max_returned_rows": MOST_EXPORTED,
    "sql_time_limit_ms": 1000,
    "facet_time_limit_ms": 500,
    "default_cache_ttl": 0,
    "max_post_body_bytes": 64 * 1024,
    "max_csv_mb": 0,  # Datasette would end a larger one with an error in its last line; answers are limited as a whole
    "truncate_cells_html": 0,
    "template_debug": False,
    "trace_debug": False,
}
ACCOUNTS = {"session_ttl_days": 1, "password_min_length": 10, "lockout_threshold": 0}  # see plugins/sessions.py


def describe_staff(root: Path) -> dict[str, Any]:
    """The staff entry of metadata.yml in the folder `root`: title, description, tables. FuxueError if malformed."""
    try:
        entry = parse_metadata((root / "metadata.yml").read_text(encoding="utf-8"))["databases"][_ENTRY]
        tables: dict[str, Any] = {
            name: {key: table[key] for key in ("title", "description", "columns")}
            for name, table in entry["tables"].items()
        }
    except (OSError, KeyError, TypeError, ValueError):
        raise FuxueError("serve.no_metadata", file="metadata.yml", entry=f"databases.{_ENTRY}") from None
    return {"title": entry.get("title", ""), "description": entry.get("description", ""), "tables": tables}


def scope_title(campaign: Campaign, scope: str) -> str:
    """The title of a scope: the name of its recipient, or that of all units for the bureau."""
    return f"{campaign.county}全部单位" if scope == BUREAU else campaign.recipient_name(scope)


def metadata(described: dict[str, Any], campaign: Campaign, scopes: list[str]) -> dict[str, Any]:
    """Datasette's metadata: every scope has its own title, and the same `described` (see `describe_staff`)."""
    databases = {
        scope: {"title": scope_title(campaign, scope), "description": described["description"]}
        | {"tables": described["tables"]}
        for scope in scopes
    }
    return {"title": described["title"], "description": campaign.title, "databases": databases}


#: Datasette's metadata tables and their fields.
METADATA = {
    "metadata_instance": ("key", "value"),
    "metadata_databases": ("database_name", "key", "value"),
    "metadata_resources": ("database_name", "resource_name", "key", "value"),
    "metadata_columns": ("database_name", "resource_name", "column_name", "key", "value"),
}


def metadata_rows(given: dict[str, Any]) -> dict[str, list[tuple[str, ...]]]:
    """The rows of the tables in `METADATA`, made from Datasette's metadata."""
    rows: dict[str, list[tuple[str, ...]]] = {table: [] for table in METADATA}
    rows["metadata_instance"] = [(key, given[key]) for key in ("title", "description") if key in given]
    for name, database in (given.get("databases") or {}).items():
        rows["metadata_databases"] += [(name, key, database[key]) for key in ("title", "description")]
        for table, entry in database["tables"].items():
            rows["metadata_resources"] += [(name, table, key, entry[key]) for key in ("title", "description")]
            rows["metadata_columns"] += [
                (name, table, column, "description", text) for column, text in entry["columns"].items()
            ]
    return rows


def heading(description: str | None, column: str) -> str:
    """The Chinese name of a column, taken from its description; otherwise the column's own name."""
    name, found, _ = (description or "").partition(LANGUAGE_SEPARATOR)
    return name if found else column


def titles(given: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Variables for the templates: titles of scopes and tables, descriptions of tables and columns."""
    databases: dict[str, Any] = given.get("databases") or {}
    first: dict[str, Any] = next(iter(databases.values()), {})
    tables: dict[str, Any] = first.get("tables", {})
    return {
        "scope_titles": {name: entry["title"] for name, entry in databases.items()},
        "table_titles": {name: table["title"].partition(LANGUAGE_SEPARATOR)[0] for name, table in tables.items()},
        "table_descriptions": {name: table["description"] for name, table in tables.items()},
        "column_texts": {name: table["columns"] for name, table in tables.items()},
    }
