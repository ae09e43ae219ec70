"""What the inspectorate looks at (M19), as data: how `inspection.toml` is declared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import model_validator
from typing_extensions import TypedDict  # of Python 3.11, pydantic does not read typing's own

from etl.rulebook.declared import Share, Text, at, check_keys, check_template, matching, no_two, one_of
from etl.rulebook.limits import whole

#: Of each test: its parameters, and what its message may mention.
TESTS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "deductions": (("least_difference",), ("count", "of", "share", "peers", "chance")),
    "all_returned": (("least", "plausible"), ("of", "peers", "chance")),
    "same_team": (("most_per_day",), ("count", "days", "rate", "most")),
    "copied_down": (("least",), ("count", "least", "chance")),
    "after_lock": (("least", "plausible"), ("count", "of", "changes")),
    "no_police": (("most",), ("count", "of")),
}
#: No unit has more children.
MOST = 1_000_000


class _Params(TypedDict, total=False):
    """What a test takes; `TESTS` says which of it."""

    least_difference: Share
    least: Annotated[int, whole(1, MOST)]
    plausible: Share
    most_per_day: Annotated[int, whole(1, MOST)]
    most: Annotated[int, whole(0, MOST)]


@dataclass(frozen=True)
class FlagRule:
    """A row of the file: which test, with which parameters, and what is said of a unit that it flags."""

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
    """`alpha`: how likely one test flags anything in an honest campaign; `confidence`: of the sample's bound."""

    alpha: Share
    confidence: Annotated[Share, at("sample.confidence")]
    flags: Annotated[tuple[FlagRule, ...], no_two("id", "test")]
