"""The rules of `rules.toml` (M7–M11 and the readings): loaded, and held against what the code asks of them."""

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from etl.datafile import Reader
from etl.findings import Severity

GROUPS = ("deducted", "to_return")
#: The configured ages that a rule may compare with, in the order of `campaign.Ages`.
AGES = ("over_age", "under_age", "watched_age")
ANSWER_COLUMNS = ("category", "returned", "team")
#: What each predicate of `etl/check/predicates.py` takes.
PREDICATES: Mapping[str, tuple[str, ...]] = {
    "filled": (),
    "listed": (),
    "named": (),
    "one_of": ("group", "values"),
    "age_below": ("categories", "age"),
    "age_at_least": ("categories", "age"),
    "age_is_not": ("categories", "age"),
    "never": ("categories",),
    "not_among": ("values",),
    "not_own_name": (),
    "police_known": ("categories",),
}
#: Rules that reading and comparing raise by id, with what their messages may mention besides the serial.
RAISED: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("L02", "L03", "L04", "L06", "L08", "L12"), ()),
    **{"L01": ("columns",), "L05": ("first", "last"), "L07": ("units",), "L09": ("column",)},
    **{f"F{number:02d}": () for number in range(1, 22)},
    **{"F04": ("reason",), "F05": ("limit",), "F10": ("issue",)},
    **{"L10": ("column",), "L11": ("count",), "L13": ("column", "most")},
    **{"R09": ("column", "found", "expected"), "R11": ("column",), "R12": ("expected",)},
    **dict.fromkeys(("R10", "R13"), ()),
    **dict.fromkeys(("R01", "R02", "R03", "R05"), ()),
    **dict.fromkeys(("E01", "E02", "E03", "E05"), ("column",)),
    "E04": ("column", "first", "last"),
    **dict.fromkeys(("E06", "D01"), ()),
    **{"F16": ("fingerprint",), "F17": ("kind",), "F18": ("kind",), "F20": ("most",)},
    **dict.fromkeys(("R06", "R07", "R08"), ("column",)),
    "R04": ("column", "at", "was", "found"),
}


@dataclass(frozen=True)
class Rule:
    """A row of `rules.toml`: what is asked (`predicate`, `params`) of which `column`, and what is said if it fails."""

    id: str
    basis: str
    severity: Severity
    message: str
    message_en: str
    predicate: str = ""
    column: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


def load_rules(get: Reader, categories: Sequence[str]) -> tuple[Rule, ...]:
    """All rules in the file's order. FuxueError names the key of the first that the code could not use."""
    tables = get.value("rules", "[[rules]] …")
    if not isinstance(tables, list) or not all(isinstance(table, Mapping) for table in tables):
        get.fail("rules", "[[rules]] …")
    names = [f"rules[{_name(table, number)}]" for number, table in enumerate(tables, start=1)]
    rules = tuple(
        _rule(Reader(get.path, {name: table}), name, categories) for name, table in zip(names, tables, strict=True)
    )
    ids = [rule.id for rule in rules]
    for name in ids:
        if ids.count(name) > 1:
            get.fail(f"id {name}", "each value once")
    for name in RAISED:
        if name not in ids:
            get.fail(name, "a rule of this id")
    return rules


def _name(table: Mapping[str, Any], number: int) -> str:
    """What a row is called where something is wrong in it: by its id, or its number if it has none."""
    return str(table["id"]) if re.fullmatch(r"[A-Z][0-9]{2}", str(table.get("id"))) else str(number)


def _rule(get: Reader, key: str, categories: Sequence[str]) -> Rule:
    table = get.value(key, "[[rules]] …")
    severity = get.text(f"{key}.severity")
    if severity not in {s.value for s in Severity}:
        get.fail(f"{key}.severity", "error, warning or note")
    rule = Rule(
        id=get.text(f"{key}.id"),
        basis=get.text(f"{key}.basis"),
        severity=Severity(severity),
        message=get.text(f"{key}.message"),
        message_en=get.text(f"{key}.message_en"),
        predicate=_optional(get, key, table, "predicate", str, "text"),
        column=_optional(get, key, table, "column", str, "text"),
        params=_optional(get, key, table, "params", dict, "{ … }"),
    )
    _check_predicate(get, key, rule, categories)
    for name in ("message", "message_en"):
        _check_placeholders(get, f"{key}.{name}", getattr(rule, name), rule)
    return rule


def _optional(get: Reader, key: str, table: Mapping[str, Any], name: str, kind: type, expected: str) -> Any:
    value = table.get(name, kind())
    if not isinstance(value, kind):
        get.fail(f"{key}.{name}", expected)
    return value


def _check_predicate(get: Reader, key: str, rule: Rule, categories: Sequence[str]) -> None:
    if not rule.predicate and rule.id in RAISED:
        return
    if rule.predicate not in PREDICATES:
        get.fail(f"{key}.predicate", "|".join(PREDICATES))
    if rule.column not in ANSWER_COLUMNS:
        get.fail(f"{key}.column", "|".join(ANSWER_COLUMNS))
    params = rule.params
    if set(params) != set(PREDICATES[rule.predicate]):
        get.fail(f"{key}.params", ", ".join(PREDICATES[rule.predicate]) or "none")
    possible: Mapping[str, Sequence[str]] = {"categories": categories, "age": AGES, "group": GROUPS}
    for name, values in params.items():
        given = values if isinstance(values, list) else [values]
        wrong = [value for value in given if not isinstance(value, str) or value not in possible.get(name, [value])]
        if wrong or not given:
            get.fail(f"{key}.params.{name}", "|".join(possible.get(name, ["texts"])))


def _check_placeholders(get: Reader, key: str, message: str, rule: Rule) -> None:
    allowed = {"serial", *RAISED.get(rule.id, ()), *({"age"} if "age" in rule.params else ())}
    try:
        used = {name for _, name, _, _ in string.Formatter().parse(message) if name is not None}
    except ValueError:
        used = {message}
    if not used <= allowed:
        get.fail(key, " ".join(f"{{{name}}}" for name in sorted(allowed)))
