"""Remembers what does not change until a scope's file is replaced: its schema, and the answers of counting statements.

Datasette asks for both anew at every request.
"""

import re
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from copy import copy
from functools import wraps
from typing import Any

#: Statements that count: the number of rows, that of each value (facets), that of each unit.
COUNTING = re.compile(r"\s*select\s+(?:\S.* as value, |\w+, )?count\(\*\)", re.IGNORECASE)
#: Words by which a statement may give another answer although the file is the same: the time, and chance.
_CHANGING = re.compile(r"now|date|time|julianday|random|current", re.IGNORECASE)
#: The most answers that are kept for a file, and the most rows of one.
MOST_KEPT, MOST_ROWS = 500, 100


class Remembered:
    """Answers by statement and parameters, the least recently used forgotten first."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Hashable, Any] = OrderedDict()

    def key(self, file: Hashable, sql: str, params: Any, rest: Any) -> Hashable | None:
        """The key of a statement about a state of a file; None if it does not count, or may count another time anew."""
        if not COUNTING.match(sql) or _CHANGING.search(sql):
            return None
        values = sorted(params.items()) if isinstance(params, Mapping) else params or ()
        return (file, sql, tuple(values), tuple(sorted(rest.items())))

    def get(self, key: Hashable | None) -> Any:
        """The remembered answer, or None."""
        if key is None or key not in self._answers:
            return None
        self._answers.move_to_end(key)
        return self._answers[key]

    def put(self, key: Hashable | None, answer: Any) -> None:
        """Remember an answer, if it is a small one."""
        if key is not None and len(answer.rows) <= MOST_ROWS:
            self._answers[key] = answer
            if len(self._answers) > MOST_KEPT:
                self._answers.popitem(last=False)


#: Datasette's methods that read the schema of a database.
SCHEMA = (
    *("derived_table_dependencies", "foreign_keys_for_table", "fts_table", "get_all_foreign_keys"),
    *("get_table_definition", "get_view_definition", "hidden_table_names", "label_column_for_table", "primary_keys"),
    *("table_column_details", "table_columns", "table_exists", "table_names", "view_exists", "view_names"),
)


def schema_remembered(database: type) -> type:
    """Let a class of databases answer `SCHEMA` from memory; it has `state()`, which identifies its file's content."""
    for name in SCHEMA:
        setattr(database, name, _once(getattr(database, name)))
    return database


def _once(method: Any) -> Any:
    @wraps(method)
    async def once(self: Any, *args: Any) -> Any:
        key = (self.state(), method.__name__, args)
        if key not in self.schema:
            self.schema[key] = await method(self, *args)
        return copy(self.schema[key])  # Datasette may change what it is given

    return once
