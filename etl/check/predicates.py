"""The predicates that `rules.toml` may name. Each returns True if an answer passes; an unknown name is an error."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from etl.exchange.checked import Answer
from etl.findings import FuxueError
from etl.forms.id_number import age_on
from etl.rulebook.campaign import Campaign
from etl.rulebook.rules import Rule

#: Characters that count as letters but are invisible (Hangul fillers).
_UNSEEN = "\u115f\u1160\u3164\uffa0"
#: A pattern that may follow a phrase such as 同上: a reference to a row or person.
ROW_MEANT = "(?:第?[0-9一二三四五六七八九十]+[行户人])?"
#: Added to a name, it means the named person.
SELF = "本人"

#: (answer, the rule's parameters, campaign, the answer's attribute that the rule is about) → True if it passes.
Predicate = Callable[[Answer, Mapping[str, Any], Campaign, str], bool]


def _filled(answer: Answer, _: Mapping[str, Any], __: Campaign, column: str) -> bool:
    return bool(getattr(answer, column))


def is_named(value: str) -> bool:
    """True if a text may be a name: at least two visible letters, and not the start of a formula."""
    letters = sum(character.isalpha() and character not in _UNSEEN for character in value)
    return letters >= 2 and value[0] not in "=+-@"


def core(text: str) -> str:
    """The visible letters and digits of a text, casefolded, so that spaces and punctuation make no difference."""
    return "".join(character for character in text if character.isalnum() and character not in _UNSEEN).casefold()


@cache
def _phrases(values: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(f"(?:{'|'.join(re.escape(core(value)) for value in values)})+{ROW_MEANT}")


def _named(answer: Answer, _: Mapping[str, Any], __: Campaign, column: str) -> bool:
    value = getattr(answer, column)
    return not value or is_named(value)  # a blank is checked by `filled`


def _not_among(answer: Answer, params: Mapping[str, Any], _: Campaign, column: str) -> bool:
    value = getattr(answer, column)
    # A text that cannot be a name is checked by `named`.
    return not is_named(value) or _phrases(tuple(params["values"])).fullmatch(core(value)) is None


def _not_own_name(answer: Answer, _: Mapping[str, Any], __: Campaign, column: str) -> bool:
    own, written = core(answer.name), core(getattr(answer, column))
    return not own or own not in written or written.replace(f"{own}{SELF}", own).replace(own, "") != ""


def _police_known(answer: Answer, params: Mapping[str, Any], _: Campaign, __: str) -> bool:
    return answer.code not in params["categories"] or answer.has_police_ref


def _listed(answer: Answer, _: Mapping[str, Any], __: Campaign, ___: str) -> bool:
    return not answer.category or answer.code is not None  # a blank is checked by `filled`


def _one_of(answer: Answer, params: Mapping[str, Any], campaign: Campaign, column: str) -> bool:
    value = getattr(answer, column)
    if answer.code is None or not value or campaign.category[answer.code].group != params["group"]:
        return True  # other rules check for an unlisted category and for a blank
    return value in params["values"]


def _age(answer: Answer, params: Mapping[str, Any], campaign: Campaign) -> tuple[int, int] | None:
    """(the child's age, the configured age) if the rule applies to the answer's category, else None."""
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
    """The rules that an answer fails. FuxueError if a rule names an unknown predicate."""
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
    """Parameters of a rule's message: the configured age, if the rule compares with one."""
    name = rule.params.get("age")
    return {"age": getattr(campaign.ages, name)} if name else {}
