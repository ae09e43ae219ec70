"""The rules for lists and workbooks (M7–M11): how `rules.toml` is declared, and what the code requires of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Self

from pydantic import Field, model_validator
from typing_extensions import TypedDict  # in Python 3.11 pydantic does not support typing.TypedDict

from etl.findings import Severity
from etl.forms.definitions import NOT_ASKED, RETURNED
from etl.rulebook.declared import GROUP_OF, Text, Texts, check_keys, check_template, hold, matching, one_of, some_of

GROUPS = ("deducted", "to_return")
#: The ages of `campaign.Ages` that a rule may compare with.
AGES = ("over_age", "under_age", "watched_age")
ANSWER_COLUMNS = ("category", "returned", "team")
#: The parameters of each predicate of `etl/check/predicates.py`.
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
#: The columns for which each predicate can be used.
ASKED_OF: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(PREDICATES, ("category",)),
    **{"filled": ANSWER_COLUMNS, "one_of": ("returned",)},
    **dict.fromkeys(("named", "not_among", "not_own_name"), ("team",)),
}
#: Rules that code raises by id, with the names that their messages may mention besides the serial.
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

#: Rules that must exist, with their (predicate, column, group): the record can only store answers that pass (M9, M10).
REQUIRED: Mapping[str, tuple[str, str, str]] = {
    "A01": ("filled", "category", ""),
    "A02": ("listed", "category", ""),
    "A03": ("filled", "returned", ""),
    "A04": ("one_of", "returned", "to_return"),
    "A05": ("one_of", "returned", "deducted"),
}
#: Rules whose severity must be error, because without them there is nothing that could be recorded.
REFUSING = frozenset((
    *REQUIRED, "L01", "L02", "L03", "L06", "L07", "L08", "L11",
    *(f"F{number:02d}" for number in (*range(1, 11), 14, 16, 17, 20, 21)),
))  # fmt: skip
#: The values of 复学情况 by group (M10).
ANSWERS: Mapping[str, tuple[str, ...]] = {"to_return": RETURNED, "deducted": (NOT_ASKED,)}


class _Params(TypedDict, total=False):
    """The parameters of all predicates; `PREDICATES` says which of them a predicate takes."""

    group: Annotated[str, one_of(GROUPS)]
    values: Texts
    categories: Annotated[tuple[str, ...], some_of(GROUP_OF)]
    age: Annotated[str, one_of(AGES)]


#: The parameters of a rule that has no `params` at all; compared by identity, so an empty table differs.
NO_PARAMS: _Params = {}


@dataclass(frozen=True)
class Rule:
    """A row of `rules.toml`: a predicate with parameters for a column, and the message if an answer fails it."""

    id: Annotated[str, matching("[A-Z][0-9]{2}")]
    basis: Text
    severity: Severity
    message: Text
    message_en: Text
    predicate: Annotated[str, one_of(PREDICATES)] = ""
    column: Annotated[str, one_of(ANSWER_COLUMNS)] = ""
    params: _Params = field(default_factory=lambda: NO_PARAMS)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        hold(self.id not in REFUSING or self.severity == Severity.ERROR, ("severity",), "refuses")
        self._check_raised() if self.id in RAISED else self._check_asked()
        allowed = {"serial", *RAISED.get(self.id, ()), *({"age"} & self.params.keys())}
        check_template("message", self.message, allowed)
        check_template("message_en", self.message_en, allowed)
        return self

    def _check_raised(self) -> None:
        """A rule that code raises: it must have no predicate, column and parameters."""
        asking = {"predicate": self.predicate, "column": self.column, "params": self.params is not NO_PARAMS}
        for name, given in asking.items():
            hold(not given, (name,), "not_asked", id=self.id)

    def _check_asked(self) -> None:
        """A rule for every answer: its predicate must suit its column and have its parameters."""
        hold(self.predicate, ("predicate",))
        hold(self.column in ASKED_OF[self.predicate], ("column",), "enum", enum=ASKED_OF[self.predicate])
        takes = PREDICATES[self.predicate]
        hold(not takes or self.params is not NO_PARAMS, ("params",), "keys", names=takes)
        check_keys(self.params, takes)
        if "group" in self.params:
            possible = ANSWERS[self.params["group"]]
            hold(set(self.params["values"]) <= set(possible), ("params", "values"), "some_of", enum=possible)
        asked = {"predicate": self.predicate, "column": self.column, "params.group": self.params.get("group", "")}
        for wanted, (key, found) in zip(REQUIRED.get(self.id, ()), asked.items(), strict=False):
            hold(wanted == found, key.split("."), "required", wanted=wanted, id=self.id)


@dataclass(frozen=True)
class RuleBook:
    """The whole file: every rule occurs once, and all rules that the code needs are there."""

    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        ids = [rule.id for rule in self.rules]
        for name in ids:
            hold(ids.count(name) == 1, (f"id {name}",), "once")
        for name in (*RAISED, *REQUIRED):
            hold(name in ids, (name,), "rule", id=name)
        return self
