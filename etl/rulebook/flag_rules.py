"""What the inspectorate looks at (M19), as data: loads and validates `inspection.toml`."""

from collections.abc import Mapping
from dataclasses import dataclass

from etl.rulebook.datafile import Reader

#: Of each test: its parameters, and what its message may mention.
_TESTS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "deductions": (("least_difference",), ("count", "of", "share", "peers", "chance")),
    "all_returned": (("least", "plausible"), ("of", "peers", "chance")),
    "same_team": (("most_per_day",), ("count", "days", "rate", "most")),
    "copied_down": (("least",), ("count", "least", "chance")),
    "after_lock": (("least", "plausible"), ("count", "of", "changes")),
    "no_police": (("most",), ("count", "of")),
}
#: Parameters that are shares; the others are whole numbers.
SHARES = ("least_difference", "plausible")
#: No unit has more children.
_MOST = 1_000_000
FLAG = ("id", "basis", "test", "params", "message", "message_en")


@dataclass(frozen=True)
class FlagRule:
    """A row of the file: which test, with which parameters, and what is said of a unit that it flags."""

    id: str
    basis: str
    test: str
    params: Mapping[str, float]
    message: str
    message_en: str


@dataclass(frozen=True)
class Inspection:
    """`alpha`: how likely one test flags anything in an honest campaign; `confidence`: of the sample's bound."""

    alpha: float
    confidence: float
    flags: tuple[FlagRule, ...]


def load_inspection(get: Reader) -> Inspection:
    """Validate the file. FuxueError names the first key that the code could not use."""
    get.only("", ("alpha", "sample", "flags"))
    get.only("sample", ("confidence",))
    flags = tuple(_flag(one, key) for one, key in get.tables("flags", FLAG))
    for what in ("id", "test"):
        values = [getattr(flag, what) for flag in flags]
        if len(set(values)) < len(values):
            get.fail(f"flags.{what}", "each value once")
    return Inspection(get.share("alpha"), get.share("sample.confidence"), flags)


def _flag(get: Reader, key: str) -> FlagRule:
    test = get.text(f"{key}.test", "|".join(_TESTS))
    params, mentioned = _TESTS[test]
    get.only(f"{key}.params", params)
    return FlagRule(
        id=get.text(f"{key}.id", "S[0-9]{2}"),
        basis=get.text(f"{key}.basis"),
        test=test,
        params={
            name: get.share(f"{key}.params.{name}")
            if name in SHARES
            else get.count(f"{key}.params.{name}", _MOST, 0 if name == "most" else 1)
            for name in params
        },
        message=get.template(f"{key}.message", mentioned),
        message_en=get.template(f"{key}.message_en", mentioned),
    )
