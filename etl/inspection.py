"""What the inspectorate looks at (M19), as data: loads and validates `inspection.toml`."""

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from etl.datafile import Reader

#: Of each test: its parameters, and what its message may mention.
TESTS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "deductions": (("least_difference",), ("count", "of", "share", "peers", "chance")),
    "all_returned": (("least", "plausible"), ("of", "peers", "chance")),
    "same_team": (("most_per_day",), ("count", "days", "rate", "most")),
    "copied_down": (("least",), ("count", "least", "chance")),
    "after_lock": (("least", "plausible"), ("count", "of", "changes")),
    "no_police": (("most",), ("count", "of")),
}
#: Parameters that are shares; the others are whole numbers.
SHARES = ("least_difference", "plausible")


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
    for key in get.data:
        if key not in ("alpha", "sample", "flags"):
            get.fail(key, "alpha|sample|flags")
    tables = get.value("flags", "[[flags]] …")
    if not isinstance(tables, list) or not all(isinstance(table, Mapping) for table in tables):
        get.fail("flags", "[[flags]] …")
    names = [f"flags[{number}]" for number in range(1, len(tables) + 1)]
    flags = tuple(_flag(Reader(get.path, {name: one}), name) for name, one in zip(names, tables, strict=True))
    for what in ("id", "test"):
        values = [getattr(flag, what) for flag in flags]
        if len(set(values)) < len(values):
            get.fail(f"flags.{what}", "each value once")
    return Inspection(_share(get, "alpha"), _share(get, "sample.confidence"), flags)


def _flag(get: Reader, key: str) -> FlagRule:
    flag = FlagRule(
        id=get.text(f"{key}.id", r"S[0-9]{2}"),
        basis=get.text(f"{key}.basis"),
        test=get.text(f"{key}.test", "|".join(TESTS)),
        params=_params(get, key),
        message=get.text(f"{key}.message"),
        message_en=get.text(f"{key}.message_en"),
    )
    for name in ("message", "message_en"):
        mentioned = {field for _, field, _, _ in string.Formatter().parse(getattr(flag, name)) if field is not None}
        if not mentioned <= set(TESTS[flag.test][1]):
            get.fail(f"{key}.{name}", " ".join(f"{{{field}}}" for field in TESTS[flag.test][1]))
    return flag


def _params(get: Reader, key: str) -> Mapping[str, float]:
    given: Any = get.value(f"{key}.params", "{ … }")
    wanted = TESTS[get.text(f"{key}.test", "|".join(map(re.escape, TESTS)))][0]
    if not isinstance(given, Mapping) or set(given) != set(wanted):
        get.fail(f"{key}.params", ", ".join(wanted))
    return {name: _share(get, f"{key}.params.{name}") if name in SHARES else _whole(get, f"{key}.params.{name}")
            for name in wanted}  # fmt: skip


def _share(get: Reader, key: str) -> float:
    value = get.value(key, "a number between 0 and 1")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        get.fail(key, "a number between 0 and 1")
    return float(value)


def _whole(get: Reader, key: str) -> int:
    value = get.value(key, "a whole number")
    if type(value) is not int or value < 0:
        get.fail(key, "a whole number")
    return value
