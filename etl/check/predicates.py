"""The closed set of predicates that `rules.toml` may name. Each says whether an answer passes; unknown never does."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from etl.exchange.checked import Answer
from etl.findings import FuxueError
from etl.forms.id_number import age_on
from etl.rulebook.campaign import Campaign
from etl.rulebook.rules import Rule

#: Signs that count as letters, but that nobody sees (Hangul fillers).
_UNSEEN = "\u115f\u1160\u3164\uffa0"
#: What may follow a phrase such as 同上: the row that is meant.
ROW_MEANT = "(?:第?[0-9一二三四五六七八九十]+[行户人])?"
#: Added to a name: herself, himself.
SELF = "本人"


Predicate = Callable[[Answer, Mapping[str, Any], Campaign, str], bool]


def _filled(answer: Answer, _: Mapping[str, Any], __: Campaign, column: str) -> bool:
    return bool(getattr(answer, column))


def is_named(value: str) -> bool:
    """True if somebody's name can stand there; a text that a spreadsheet would take for a formula is none."""
    return sum(sign.isalpha() and sign not in _UNSEEN for sign in value) >= 2 and value[0] not in "=+-@"


def core(text: str) -> str:
    """Letters and digits alone: however a word is spaced, marked or repeated, it says the same."""
    return "".join(sign for sign in text if sign.isalnum() and sign not in _UNSEEN).casefold()


@cache
def _phrases(values: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(f"(?:{'|'.join(re.escape(core(value)) for value in values)})+{ROW_MEANT}")


def _named(answer: Answer, _: Mapping[str, Any], __: Campaign, column: str) -> bool:
    value = getattr(answer, column)
    return not value or is_named(value)  # blank is the business of `filled`


def _not_among(answer: Answer, params: Mapping[str, Any], _: Campaign, column: str) -> bool:
    value = getattr(answer, column)
    # A text that holds no name at all is the business of `named`.
    return not is_named(value) or _phrases(tuple(params["values"])).fullmatch(core(value)) is None


def _not_own_name(answer: Answer, _: Mapping[str, Any], __: Campaign, column: str) -> bool:
    own, said = core(answer.name), core(getattr(answer, column))
    return not own or own not in said or said.replace(f"{own}{SELF}", own).replace(own, "") != ""


def _police_known(answer: Answer, params: Mapping[str, Any], _: Campaign, __: str) -> bool:
    return answer.code not in params["categories"] or answer.has_police_ref


def _listed(answer: Answer, _: Mapping[str, Any], __: Campaign, ___: str) -> bool:
    return not answer.category or answer.code is not None  # blank is the business of `filled`


def _one_of(answer: Answer, params: Mapping[str, Any], campaign: Campaign, column: str) -> bool:
    value = getattr(answer, column)
    if answer.code is None or not value or campaign.category[answer.code].group != params["group"]:
        return True  # an unlisted category and a blank have findings of their own
    return value in params["values"]


def _age(answer: Answer, params: Mapping[str, Any], campaign: Campaign) -> tuple[int, int] | None:
    """(age, the configured age) if the rule concerns this answer's category."""
    if answer.code not in params["categories"]:
        return None
    return age_on(answer.birth, campaign.ages.reference), getattr(campaign.ages, params["age"])


def _age_below(answer: Answer, params: Mapping[str, Any], campaign: Campaign, _: str) -> bool:
    ages = _age(answer, params, campaign)
    return ages is None or ages[0] < ages[1]


def _age_at_least(answer: Answer, params: Mapping[str, Any], campaign: Campaign, _: str) -> bool:
    ages = _age(answer, params, campaign)
    return ages is None or ages[0] >= ages[1]


def _age_is_not(answer: Answer, params: Mapping[str, Any], campaign: Campaign, _: str) -> bool:
    ages = _age(answer, params, campaign)
    return ages is None or ages[0] != ages[1]


def _never(answer: Answer, params: Mapping[str, Any], _: Campaign, __: str) -> bool:
    return answer.code not in params["categories"]


PREDICATE_FUNCTIONS: Mapping[str, Predicate] = {
    "filled": _filled,
    "named": _named,
    "not_among": _not_among,
    "not_own_name": _not_own_name,
    "police_known": _police_known,
    "listed": _listed,
    "one_of": _one_of,
    "age_below": _age_below,
    "age_at_least": _age_at_least,
    "age_is_not": _age_is_not,
    "never": _never,
}


def failed_rules(answer: Answer, campaign: Campaign) -> list[Rule]:
    """The answer rules that this answer fails. FuxueError if a rule names an unknown predicate."""
    failed = []
    for rule in campaign.rules:
        if not rule.predicate:
            continue
        predicate = PREDICATE_FUNCTIONS.get(rule.predicate)
        if predicate is None:
            raise FuxueError(
                "campaign.bad_value", file="rules.toml", key=rule.id, expected="|".join(PREDICATE_FUNCTIONS)
            )
        if not predicate(answer, rule.params, campaign, rule.column):
            failed.append(rule)
    return failed


def message_params(rule: Rule, campaign: Campaign) -> dict[str, object]:
    """What a rule's message may mention: the configured age that it compares with."""
    name = rule.params.get("age")
    return {"age": getattr(campaign.ages, name)} if name else {}
