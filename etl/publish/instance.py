"""`public/datasette/`: all that a host needs to serve the open database with Datasette; our own server uses it too.

It holds the database, its descriptions, ready-made queries and facets, pinned versions, a start script, and the plugin
that marks CSV for Excel.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml  # type: ignore[import-untyped]

from etl.findings import FuxueError
from etl.publish.languages import Words
from etl.publish.questions import Question
from etl.publish.reuse import link
from etl.publish.source import Source

FOLDER, _DATABASE = "datasette", "fuxue.db"
METADATA_FILE, CONFIG_FILE = "metadata.yml", "datasette.yml"
#: The entry of metadata.yml for this database; the entries of the staff instance are not published.
_ENTRY = "fuxue"
_METADATA = Path(__file__).resolve().parents[2] / "metadata.yml"
#: Pinned versions; `make lock` makes the file from requirements.lock.
REQUIREMENTS = Path(__file__).with_name("datasette.lock")
_SETTINGS: Mapping[str, Any] = MappingProxyType(
    {"suggest_facets": False, "sql_time_limit_ms": 1000, "max_returned_rows": 1000, "num_sql_threads": 3}
)
#: Arguments for Datasette. The file is given without its folder, because Datasette shows this name to everybody.
PLUGINS, _MARK = "plugins", "csv_mark.py"
ARGUMENTS = ("serve", "-i", _DATABASE, "-m", METADATA_FILE, "-c", CONFIG_FILE, "--plugins-dir", PLUGINS)
FACETS = ("release", "table_key", "measure", "status")


def write_instance(
    public: Path,
    templates: Path,
    source: Source,
    questions: tuple[Question, ...],
    words: tuple[Words, ...],
    metadata: Path = _METADATA,
) -> None:
    """Write the folder into `public`, which must hold the database. FuxueError if metadata.yml lacks its entry."""
    folder = public / FOLDER
    folder.mkdir()
    link(public / _DATABASE, folder / _DATABASE)
    texts = {
        METADATA_FILE: _yaml({"databases": {_ENTRY: _entry(metadata) | _licence(source)}}),
        CONFIG_FILE: _yaml(_config(source, questions, words)),
        "requirements.txt": REQUIREMENTS.read_text(encoding="utf-8"),
        "start.sh": _start(),
        "README.md": "\n".join(t("instance.readme") for t in words),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    (folder / PLUGINS).mkdir()
    (folder / PLUGINS / _MARK).write_bytes((templates / FOLDER / _MARK).read_bytes())


def _yaml(content: Mapping[str, Any]) -> str:
    return str(yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=120))


def _entry(metadata: Path) -> Any:
    try:
        return yaml.safe_load(metadata.read_text(encoding="utf-8"))["databases"][_ENTRY]
    except (OSError, KeyError, TypeError, yaml.YAMLError):
        raise FuxueError("serve.no_metadata", file=metadata.name, entry=f"databases.{_ENTRY}") from None


def _licence(source: Source) -> dict[str, str]:
    """Datasette shows it at the foot of each page."""
    licence = source.campaign.licence
    return {"license": f"{licence.title} / {licence.title_en}", "license_url": licence.url}


def _config(source: Source, questions: tuple[Question, ...], words: tuple[Words, ...]) -> dict[str, Any]:
    queries = {
        f"{question.key}{'-' if t.prefix else ''}{t.prefix.strip('/')}": {
            "title": t(f"question.{question.key}"),
            "description": t("data.symbols_text"),
            "sql": question.sql(t),
        }
        for t in words
        for question in questions
    }
    wide = {f"{table.key}_wide": {"facets": ["release"]} for table in source.latest.tables}
    tables = {"cell": {"facets": list(FACETS)}, **wide}
    return {"settings": dict(_SETTINGS), "databases": {_ENTRY: {"queries": queries, "tables": tables}}}


def _start() -> str:
    """The start script, for any shell. Of plugins it loads only that of the folder, none that is installed."""
    return "\n".join(
        [
            "#!/bin/sh",
            "set -eu",
            'cd "$(dirname "$0")"',
            f'DATASETTE_LOAD_PLUGINS="" exec python3 -m datasette {" ".join(ARGUMENTS)} \\',
            '  --host "${HOST:-127.0.0.1}" --port "${PORT:-8002}" "$@"',
            "",
        ]
    )
