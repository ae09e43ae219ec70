"""What a request may ask of a table or of own SQL: every parameter is on a list, and its value is of the right kind.

Datasette takes many more parameters, ignores those that it does not know, and fails (500) on some values.
"""

import json
import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from datasette.filters import Filters

#: The most bytes of a query string, own SQL included.
MOST_ASKED = 16_000
#: The most rows of an export or of JSON, of a page, and of a facet.
MOST_EXPORTED, MOST_ON_PAGE, MOST_FACETS = 100_000, 1_000, 1_000
#: The most cells of a page: drawing them keeps all others waiting.
MOST_CELLS_ON_PAGE = 50_000
#: The paths of exports, which hold all rows.
EXPORTED = (".csv", ".xlsx")

_Check = Callable[[str], object]


def _number(most: int) -> _Check:
    return lambda value: re.fullmatch("[1-9][0-9]{0,5}", value) and int(value) <= most


def _one_of(*values: str) -> _Check:
    return lambda value: value in values


def _any(_: str) -> bool:
    return True


_FLAG = _one_of("0", "1", "on", "off", "true", "false", "")
_SHAPE = _one_of("arrays", "arrayfirst", "objects", "object", "array")
#: Of both: how an answer is shaped.
_SHARED: Mapping[str, _Check] = {
    "_timelimit": _number(1_000),
    "_shape": _SHAPE,
    "_header": _one_of("off"),
    "_extra": re.compile(r"[a-z_,]*").fullmatch,
    **dict.fromkeys(("_json_infinity", "_labels", "_nl", "_dl"), _FLAG),
}
_OF_SQL: Mapping[str, _Check] = {
    **_SHARED,
    **dict.fromkeys(("_hide_sql", "_show_sql"), _FLAG),
    "_json": _any,
}
_OF_TABLE: Mapping[str, _Check] = {
    **_SHARED,
    "_facet_size": lambda value: value == "max" or _number(MOST_FACETS)(value),
    **dict.fromkeys(("_nofacet", "_nocount", "_nosuggest"), _FLAG),
    **dict.fromkeys(("_where", "_next", "_search"), _any),
}
_WITH_COLUMN = frozenset(("_facet", "_facet_date", "_sort", "_sort_desc", "_col", "_nocol", "_json"))
_FORM = re.compile(r"_filter_(column|op|value)(_[0-9]{1,3})?|_sort_by_desc")
#: The ways to compare a column, such as `contains` in ``name__contains``; no column holds a list.
LOOKUPS = frozenset(one.key for one in Filters._filters) - {"arraycontains", "arraynotcontains"}


def faulty_parameter(below: str, query: str, columns: Mapping[str, tuple[str, ...]]) -> str:
    """The name of the first parameter of a query string that is unknown or has a wrong value; empty if there is none.

    `below` is the path below a scope's name, `columns` are those of each table.
    """
    if len(query) > MOST_ASKED:
        return "sql" if below.startswith("/-/query") else "_where"
    table = re.split("[/.]", below.lstrip("/"))[0]
    for name, value in parse_qsl(query, keep_blank_values=True):
        if "\0" in name + value or not _is_fit(below, name, value, columns.get(table)):
            return name
    return ""


def _is_fit(below: str, name: str, value: str, columns: tuple[str, ...] | None) -> object:
    if name == "_size":
        if below.endswith(EXPORTED):
            return value == "max"
        return value in ("0", "max") or _number(MOST_EXPORTED)(value) if "." in below else _number(MOST_ON_PAGE)(value)
    if name == "_next" and below.endswith(EXPORTED):
        return False  # the rows from there on only
    if below.startswith("/-/query"):
        return _OF_SQL[name](value) if name in _OF_SQL else not name.startswith("_")  # the values of :named parameters
    if columns is None or not re.fullmatch(r"/[a-z_]+(\.json|\.csv|\.xlsx)?", below):
        return name in _SHARED and _SHARED[name](value)  # a row, or a scope's first page
    if name in _OF_TABLE:
        return _OF_TABLE[name](value)
    if name in _WITH_COLUMN:
        return value in columns
    return _FORM.fullmatch(name) or _is_condition(name, value, columns)


def _is_condition(name: str, value: str, columns: tuple[str, ...]) -> bool:
    """Whether a parameter is a condition on a column that can be evaluated, such as ``birth__gt=2005-01-01``."""
    column, _, lookup = (name, "", "exact") if name in columns else name.rpartition("__")
    if column not in columns or lookup not in LOOKUPS:
        return False
    if lookup not in ("in", "notin") or not value.startswith("["):
        return True
    try:
        return isinstance(json.loads(value), list)  # what begins like a list in JSON is read as one
    except (ValueError, RecursionError):
        return False
