"""Rules for the inspectorate's flags (M19): how `inspection.toml` is declared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import model_validator
from typing_extensions import TypedDict  # in Python 3.11 pydantic does not support typing.TypedDict

from etl.rulebook.declared import Share, Text, at, check_keys, check_template, matching, no_two, one_of
from etl.rulebook.limits import whole

#: By test: (its parameters, the names that its message may mention).
TESTS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "deductions": (("least_difference",), ("count", "of", "share", "peers", "chance")),
    "all_returned": (("least", "plausible"), ("of", "peers", "chance")),
    "same_team": (("most_per_day",), ("count", "days", "rate", "most")),
    "copied_down": (("least",), ("count", "least", "chance")),
    "after_lock": (("least", "plausible"), ("count", "of", "changes")),
    "no_police": (("most",), ("count", "of")),
}
#: The most that a parameter may be; no unit has more children.
MOST = 1_000_000


class _Params(TypedDict, total=False):
    """The parameters of all tests; `TESTS` says which of them a test takes."""

    least_difference: Share
    least: Annotated[int, whole(1, MOST)]
    plausible: Share
    most_per_day: Annotated[int, whole(1, MOST)]
    most: Annotated[int, whole(0, MOST)]


@dataclass(frozen=True)
class FlagRule:
    """A row of the file: a test with its parameters, and the message about a unit that it flags."""

    id: Annotated[str, matching("S[0-9]{2}")]
    basis: Text
    test: Annotated[str, one_of(TESTS)]
    params: _Params
    message: Text
    message_en: Text

    @model_validator(mode="after")
    def _fits(self) -> Self:
        params, mentioned = TESTS[self.test]
        check_keys(self.params, params)
        check_template("message", self.message, mentioned)
        check_template("message_en", self.message_en, mentioned)
        return self


@dataclass(frozen=True)
class Inspection:
    """`alpha` is the most likely that one test flags any unit by chance; `confidence` is that of a sample's bounds."""

    alpha: Share
    confidence: Annotated[Share, at("sample.confidence")]
    flags: Annotated[tuple[FlagRule, ...], no_two("id", "test")]
