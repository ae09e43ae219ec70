"""The brief for the leading group as a page: what `print/brief.typ` is given (texts: `brief.toml`)."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etl.report.letters import Reminder

#: How many units the chart and the table have room for, and how many days.
MOST_BARS, MOST_LATE, MOST_POINTS = 12, 17, 15


@dataclass(frozen=True)
class Brief:
    """The figures of a brief: by measure; still out by unit's name; (day, verified, returned) by day; who is late."""

    figures: Mapping[str, int]
    by_unit: Sequence[tuple[str, int]]
    by_day: Sequence[tuple[str, int, int]]
    late: Sequence[tuple[str, Reminder]]


def brief_page(brief: Brief, title: str, organiser: str, day: str, days_left: int) -> dict[str, Any]:
    """The data of the template; `days_left` until the reports are due, negative afterwards."""
    words = tomllib.loads((Path(__file__).parent / "brief.toml").read_text(encoding="utf-8"))
    when = words["when_left" if days_left >= 0 else "when_over"].format(days=abs(days_left))
    last = brief.by_day[-1] if brief.by_day else ("", 0, 0)
    rows = [(name, _late(words, reminder)) for name, reminder in brief.late if reminder.is_due]
    more = len(rows) - MOST_LATE
    bars = [pair for pair in sorted(brief.by_unit, key=lambda pair: -pair[1]) if pair[1]][:MOST_BARS]
    return {
        "title": words["title"].format(title=title),
        "subtitle": words["subtitle"].format(organiser=organiser, day=day, when=when),
        "sign": words["sign"],
        "figures": [_figure(words, brief.figures, key) for key in words["figures"]],
        "by_unit": {"title": words["by_unit"].format(count=len(bars)), "rows": bars},
        "by_day": {
            "title": words["by_day"],
            "legend": words["legend"].format(verified=last[1], returned=last[2]),
            "rows": list(brief.by_day),
        },
        "late": {
            "title": words["late"],
            "heads": words["heads"],
            "none": words["none"],
            "rows": rows[:MOST_LATE],
            "more": words["more"].format(count=more) if more > 0 else "",
        },
    }


def _figure(words: Mapping[str, Any], figures: Mapping[str, int], key: str) -> tuple[str, int, str]:
    of = words["of"].get(key)
    if of is None or not figures[of]:
        return words["figures"][key], figures[key], ""
    percent = f"{100 * figures[key] / figures[of]:.1f}"
    return words["figures"][key], figures[key], words["share"].format(of=words["figures"][of], percent=percent)


def _late(words: Mapping[str, Any], reminder: Reminder) -> str:
    return "、".join(words[key].format(number=number) for key, number in reminder.numbers.items() if number)


def spread(days: Sequence[Any]) -> list[Any]:
    """At most `MOST_POINTS` of some days, evenly spread, the last among them."""
    if len(days) <= MOST_POINTS:
        return list(days)
    step = (len(days) - 1) / (MOST_POINTS - 1)
    return [days[round(number * step)] for number in range(MOST_POINTS)]
