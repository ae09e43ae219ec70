"""The rules of `rules.toml` (M7–M11 and the readings): loaded, and held against what the code asks of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from etl.findings import Severity
from etl.forms.definitions import NOT_ASKED, RETURNED
from etl.rulebook.datafile import Reader

GROUPS = ("deducted", "to_return")
#: The configured ages that a rule may compare with, in the order of `campaign.Ages`.
AGES = ("over_age", "under_age", "watched_age")
ANSWER_COLUMNS = ("category", "returned", "team")
#: What each predicate of `etl/check/predicates.py` takes, and of which columns it can be asked.
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
ASKED_OF: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(PREDICATES, ("category",)),
    **{"filled": ANSWER_COLUMNS, "one_of": ("returned",)},
    **dict.fromkeys(("named", "not_among", "not_own_name"), ("team",)),
}
#: Rules that reading and comparing raise by id, with what their messages may mention besides the serial.
RAISED: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("L02", "L03", "L04", "L06", "L08", "L12"), ()),
    **{"L01": ("columns",), "L05": ("first", "last"), "L07": ("units",), "L09": ("column",)},
    **{f"F{number:02d}": () for number in range(1, 23)},
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


#: What must be asked of every answer, by rule: the record has no place for any other (M9, M10).
REQUIRED: Mapping[str, tuple[str, str, str]] = {
    "A01": ("filled", "category", ""),
    "A02": ("listed", "category", ""),
    "A03": ("filled", "returned", ""),
    "A04": ("one_of", "returned", "to_return"),
    "A05": ("one_of", "returned", "deducted"),
}
#: Rules that refuse and cannot do less: behind each of them there is nothing that could be recorded.
REFUSING = frozenset((
    *REQUIRED, "L01", "L02", "L03", "L06", "L07", "L08", "L11",
    *(f"F{number:02d}" for number in (*range(1, 11), 14, 16, 17, 20, 21)),
))  # fmt: skip
#: What 复学情况 can be in each group (M10).
ANSWERS: Mapping[str, tuple[str, ...]] = {"to_return": RETURNED, "deducted": (NOT_ASKED,)}
KEYS = ("id", "basis", "severity", "message", "message_en", "predicate", "column", "params")


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
    get.only("", ("rules",))
    tables = [one.value(name, "[[rules]] …") for one, name in get.tables("rules", KEYS)]
    names = [f"rules[{_name(table, number)}]" for number, table in enumerate(tables, start=1)]
    rules = tuple(
        _rule(Reader(get.path, {name: table}), name, categories) for name, table in zip(names, tables, strict=True)
    )
    ids = [rule.id for rule in rules]
    for name in ids:
        if ids.count(name) > 1:
            get.fail(f"id {name}", "each value once")
    for name in (*RAISED, *REQUIRED):
        if name not in ids:
            get.fail(name, "a rule of this id")
    return rules


def _name(table: Mapping[str, Any], number: int) -> str:
    """What a row is called where something is wrong in it: by its id, or its number if it has none."""
    return str(table["id"]) if re.fullmatch(r"[A-Z][0-9]{2}", str(table.get("id"))) else str(number)


def _rule(get: Reader, key: str, categories: Sequence[str]) -> Rule:
    name = get.text(f"{key}.id", "[A-Z][0-9]{2}")
    severity = get.text(f"{key}.severity", "|".join(Severity))
    if name in REFUSING and severity != Severity.ERROR:
        get.fail(f"{key}.severity", "error: without it there would be nothing to record")
    table = get.value(key, "[[rules]] …")
    column = get.text(f"{key}.column", "|".join(ANSWER_COLUMNS)) if "column" in table else ""
    predicate = _predicate(get, key, name, column)
    params = _params(get, key, predicate, categories)
    _check_required(get, key, name, (predicate, column, str(params.get("group", ""))))
    allowed = {"serial", *RAISED.get(name, ()), *({"age"} if "age" in params else ())}
    return Rule(
        id=name,
        basis=get.text(f"{key}.basis"),
        severity=Severity(severity),
        message=get.template(f"{key}.message", allowed),
        message_en=get.template(f"{key}.message_en", allowed),
        predicate=predicate,
        column=column,
        params=params,
    )


def _predicate(get: Reader, key: str, name: str, column: str) -> str:
    """The predicate of a rule that is asked of every answer; empty for one that reading and comparing raise."""
    table = get.value(key, "[[rules]] …")
    if name in RAISED:
        for wrong in ("predicate", "column", "params"):
            if wrong in table:
                get.fail(f"{key}.{wrong}", f"nothing: {name} is raised by reading and comparing")
        return ""
    predicate = get.text(f"{key}.predicate", "|".join(PREDICATES))
    if column not in ASKED_OF[predicate]:
        get.fail(f"{key}.column", "|".join(ASKED_OF[predicate]))
    return predicate


def _params(get: Reader, key: str, predicate: str, categories: Sequence[str]) -> Mapping[str, Any]:
    wanted = PREDICATES.get(predicate, ())
    if not wanted:
        if "params" in get.value(key, "[[rules]] …"):
            get.only(f"{key}.params", ())
        return {}
    get.only(f"{key}.params", wanted)
    params: dict[str, Any] = {}
    for name in wanted:
        at = f"{key}.params.{name}"
        if name in ("age", "group"):
            params[name] = get.text(at, "|".join(AGES if name == "age" else GROUPS))
        elif name == "categories":
            params[name] = list(get.texts(at, categories))
        else:
            params[name] = list(get.texts(at, ANSWERS[params["group"]] if "group" in params else ()))
    return params


def _check_required(get: Reader, key: str, name: str, asked: tuple[str, str, str]) -> None:
    for what, wanted, found in zip(
        ("predicate", "column", "params.group"), REQUIRED.get(name, ()), asked, strict=False
    ):
        if wanted != found:
            get.fail(f"{key}.{what}", f"{wanted}: {name} is asked of every answer")
