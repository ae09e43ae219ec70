"""What the citizen's program takes for possible from day to day, by hand: three releases of a city of two units."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from etl.exchange.release_folder import sha256
from etl.proof import verify_release
from etl.proof.verify_release import Failed
from tests.support.by_hand import FIGURES, HIGH, LOW, MORE, STATES, about_of, table_of, written

ASSUMED = {"key": "x", "fixed": ["deducted"], "grows": ["verified", "returned"]}
MOVES: Mapping[str, tuple[Mapping[str, int], str]] = {
    "nothing moves": ({}, ""),
    "what is fixed grows": ({"deducted": 1, "still_out": -1}, "fits"),
    "what is fixed falls": ({"deducted": -1, "still_out": 1}, "fits"),
    "what grows grows": ({"returned": 1, "still_out": -1}, ""),
    "what grows falls": ({"returned": -1, "still_out": 1}, "fits"),
    "a sum that grows grows": ({"still_out": 1}, ""),
    "a sum that grows falls": ({"still_out": -1}, "fits"),
}


def days(folder: Path, moved: Mapping[str, int], i: int, assumed: Any, out: tuple[int, ...] = ()) -> tuple[str, str]:
    """The last of three rounded releases: in all examples, b's states and category I have moved on the last day.

    On the days of `out`, unit b has not reported.
    """
    names, rows, digests = sorted(LOW), list[list[int]](), dict[str, str]()
    for one in (LOW, HIGH, MORE):
        row = []
        for day in (1, 2, 3):
            states = {state: one[f"b.{state}"] + (moved.get(state, 0) if day == 3 else 0) for state in STATES}
            states = {"unverified": sum(states.values())} if day in out else states
            table = table_of({state: one[f"a.{state}"] for state in STATES}, states, one["I.verified"] + i * (day == 3))
            row += [table[name] for name in names]
        rows.append(row)
    counts = [f"000{day}/{name}" for day in (1, 2, 3) for name in names]
    for day in (1, 2, 3):
        lines = dict.fromkeys(FIGURES, "interval,,0,200,") | ({"b.returned": "not_due,,,,"} if day in out else {})
        about = about_of(day, closing=False, known=[], earlier=dict(digests), assumed=assumed)
        here = written(folder, about, lines, [row[: day * len(names)] for row in rows], counts[: day * len(names)])
        digests[f"000{day}"] = sha256((here / "SHA256SUMS").read_bytes())
    try:
        verify_release.check(here)
    except Failed as failed:
        return failed.key, str(failed)
    return "", ""


@pytest.mark.parametrize("name", MOVES)
def test_what_moves_from_day_to_day_is_held_against_the_assumption(tmp_path: Path, name: str) -> None:
    """What is left to say otherwise is that the examples are too much alike to prove anything."""
    moved, key = MOVES[name]
    found = days(tmp_path, moved, 0, ASSUMED)[0]
    assert found in ("fits", "narrow")
    assert (found == "fits") is bool(key)


@pytest.mark.parametrize(
    ("step", "grows", "key"), [(0, ["verified"], "narrow"), (1, ["verified"], "fits"), (1, ["returned"], "narrow")]
)
def test_categories_do_not_fall_where_verified_is_assumed_to_grow(
    tmp_path: Path, step: int, grows: list[str], key: str
) -> None:
    """A category can only rise if another falls, as long as the city's sum stays."""
    assert days(tmp_path, {}, step, {"grows": grows, "fixed": [], "key": "x"})[0] == key


@pytest.mark.parametrize(("out", "key"), [((), "fits"), ((1,), "fits"), ((2,), "narrow"), ((3,), "narrow")])
def test_only_who_had_reported_on_both_days_is_held_to_an_assumption(
    tmp_path: Path, out: tuple[int, ...], key: str
) -> None:
    """Unit b's deducted change from the second day to the third; categories are free."""
    assumed = {"key": "x", "fixed": ["deducted"], "grows": ["returned"]}
    assert days(tmp_path, {"deducted": 1, "still_out": -1}, 0, assumed, out)[0] == key
