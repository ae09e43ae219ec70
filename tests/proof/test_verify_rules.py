"""What the citizen's program adds and compares, by hand: a city of two units, and each bound from both sides."""

from pathlib import Path

import pytest

from etl.proof import verify_release
from etl.proof.verify_release import Failed, Release
from tests.support.by_hand import HIGH, LOW, MORE, RULES, STATES, SUMS, about_of, reason, table_of

INF = float("inf")


def test_the_release_made_by_hand_holds(tmp_path: Path) -> None:
    assert reason(tmp_path) == ("", "")


@pytest.mark.parametrize(
    ("k", "own", "top"),
    [(5, 5, 5), (5, 6, 11), (5, 10, 11), (5, 11, 11), (5, 12, 17), (3, 3, 3), (3, 10, 11), (5, 3, 5)],
)
def test_the_top_is_the_end_of_the_step_of_the_grid_that_holds_the_threshold(k: int, own: int, top: int) -> None:
    about = about_of(k=k, category_k={"I": own})
    assert verify_release.top_of(about, "I") == top
    assert verify_release.top_of(about, "K") == k


def test_what_a_sum_is_made_of_is_listed_and_a_circle_is_refused() -> None:
    assert sorted(verify_release.below(SUMS, "suspected")) == sorted([*SUMS, *STATES])
    assert verify_release.below(SUMS, "returned") == ["returned"]
    for circle in ({"a": ["a"]}, {"a": ["b"], "b": ["a"]}, {"a": ["x", "b"], "b": ["c"], "c": ["a"]}):
        with pytest.raises(Failed) as caught:
            verify_release.below(circle, "a")
        assert caught.value.key == "entry"


@pytest.mark.parametrize(
    ("whole", "parts", "after", "left"),
    [
        ([0, INF], [[1, 2], [3, 4]], [4, 6], [[1, 2], [3, 4]]),
        ([5, 5], [[0, INF], [3, 4]], [5, 5], [[1, 2], [3, 4]]),
        ([5, 9], [[0, INF], [0, INF]], [5, 9], [[0, 9], [0, 9]]),
        ([0, INF], [[2, INF], [3, 4]], [5, INF], [[2, INF], [3, 4]]),
        ([7, 7], [[0, 9], [0, 2], [3, 3]], [7, 7], [[2, 4], [0, 2], [3, 3]]),
        ([6, 6], [[0, 3], [0, 3]], [6, 6], [[3, 3], [3, 3]]),
        ([0, 0], [[0, 3], [0, INF]], [0, 0], [[0, 0], [0, 0]]),
    ],
)
def test_a_sum_and_its_parts_narrow_each_other(
    whole: list[float], parts: list[list[float]], after: list[float], left: list[list[float]]
) -> None:
    for _ in parts:
        verify_release.narrow(whole, parts)
    assert (whole, parts) == (after, left)


def test_sums_are_gone_through_until_nothing_follows_any_more() -> None:
    """The city's figure comes down to a unit through areas within areas that are listed from the innermost on."""
    areas = {"in": ["a"], "mid": ["in"], "out": ["mid"], "city": ["out", "b"]}
    about = about_of(structure={**RULES, "areas": areas})
    release = Release(about, {"city.suspected": ("exact", 100, 100), "b.suspected": ("interval", 6, 11)}, set(), {}, "")
    found = verify_release.inferred(release, release.figures)
    assert [found[f"{row}.suspected"] for row in ("out", "mid", "in", "a")] == [[89, 94]] * 4
    assert (found["a.returned"], found["b.returned"], found["I.verified"]) == ([0, 94], [0, 11], [0, 100])
    known = verify_release.inferred(release, ["city.suspected"])
    assert known["b.suspected"] == known["a.verified"] == [0, 100]


def test_who_stops_going_through_sums_asks_for_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_release, "MOST_ROUNDS", 1)
    assert reason(tmp_path)[0] == "narrow"


@pytest.mark.parametrize(("high", "key"), [(3, "narrow"), (4, "")])
def test_a_count_that_is_not_printed_has_k_values_in_the_examples(tmp_path: Path, high: int, key: str) -> None:
    """a.deducted is from 0 to 3 in all examples, or to 4: what is suspected or printed elsewhere is wide enough."""

    def table(deducted: int, returned: int, i: int, still: int) -> dict[str, int]:
        return table_of(
            {"deducted": deducted, "returned": returned, "still_out": still},
            {"deducted": 30 - deducted + (11 if returned else 0), "returned": 6 + returned,
             "still_out": 64 - still - 2 * returned - (11 if returned else 0)},
            i,
        )  # fmt: skip

    found, words = reason(tmp_path, tables=[table(0, 0, 0, 20), table(high, 5, 5, 9), table(1, 0, 2, 0)])
    assert found == key
    assert not key or "0001/a.deducted" in words
    assert not key or "5" in words


@pytest.mark.parametrize(("line", "key"), [("interval,,6,11,", ""), ("exact,8,8,8,", "fits")])
def test_every_example_has_an_exact_figure_as_it_is(tmp_path: Path, line: str, key: str) -> None:
    assert reason(tmp_path, {"b.returned": line})[0] == key


@pytest.mark.parametrize(("count", "closing", "key"), [(6, True, ""), (5, True, "narrow"), (6, False, "narrow")])
def test_a_count_is_exact_only_above_top_and_at_the_close(tmp_path: Path, count: int, closing: bool, key: str) -> None:
    def moved(table: dict[str, int]) -> dict[str, int]:
        step = count - table["b.returned"]
        states = {state: table[f"b.{state}"] for state in STATES}
        states |= {"returned": count, "still_out": states["still_out"] - step}
        return table_of({state: table[f"a.{state}"] for state in STATES}, states, table["I.verified"])

    tables = [moved(table) for table in (LOW, HIGH, MORE)]
    found, words = reason(tmp_path, {"b.returned": f"exact,{count},{count},{count},"}, tables, closing=closing)
    assert found == key
    assert not key or "0001/b.returned" in words


@pytest.mark.parametrize(("k", "key"), [(6, ""), (7, "narrow")])
def test_a_sensitive_category_has_its_own_threshold(tmp_path: Path, k: int, key: str) -> None:
    found, words = reason(tmp_path, category_k={"I": k})
    assert found == key
    assert not key or ("I.verified" in words and "7" in words)


@pytest.mark.parametrize(
    ("line", "key"),
    [("interval,,0,5,", ""), ("interval,,0,6,", "end"), ("interval,,1,5,", "fits"), ("interval,,0,4,", "fits"),
     ("interval,,0,9,0", ""), ("interval,,0,9,6", "fits"), ("interval,,0,8,", "end")],
)  # fmt: skip
def test_both_ends_of_an_interval_are_reached_and_cut_off_by_its_rounded_figure(
    tmp_path: Path, line: str, key: str
) -> None:
    found, words = reason(tmp_path, {"a.returned": line})
    assert found == key
    assert not key or "a.returned" in words


@pytest.mark.parametrize(
    ("line", "key"),
    [("rounded,0,0,5,0", ""), ("rounded,6,1,11,6", "fits"), ("rounded,0,0,6,0", "line"), ("rounded,5,0,10,5", "line"),
     ("rounded,0,0,5,", "line"), ("interval,,0,5,0", "")],
)  # fmt: skip
def test_a_rounded_figure_is_a_multiple_and_at_most_top_from_the_count(tmp_path: Path, line: str, key: str) -> None:
    assert reason(tmp_path, {"a.returned": line}, closing=False)[0] == key


@pytest.mark.parametrize(
    ("line", "key"), [("interval,,0,5,0", ""), ("interval,,0,9,0", "end"), ("interval,,0,5,6", "line")]
)
def test_a_sensitive_category_is_rounded_by_its_own_step(tmp_path: Path, line: str, key: str) -> None:
    assert reason(tmp_path, {"I.verified": line}, category_k={"I": 6})[0] == key


def test_there_is_no_rounded_figure_in_a_closing_release(tmp_path: Path) -> None:
    assert reason(tmp_path, {"a.returned": "rounded,0,0,5,0"})[0] == "line"


OUT = {"a.returned": "not_due,,,,", "K.verified": "interval,,0,200,"}


def test_who_has_not_reported_has_no_child_but_unverified_ones(tmp_path: Path) -> None:
    def silent(a: int, b: dict[str, int], i: int) -> dict[str, int]:
        return table_of({"unverified": a}, b, i)

    tables = [
        silent(20, {"deducted": 30, "returned": 6, "still_out": 44}, 0),
        silent(30, {"deducted": 41, "returned": 11, "still_out": 18}, 5),
    ]
    assert reason(tmp_path / "fit", OUT, tables)[0] == "end"  # none reaches 200
    for number, states in enumerate(({"deducted": 1}, {"returned": 1}, {"still_out": 1})):
        wrong = table_of({"unverified": 19} | states, {"deducted": 30, "returned": 6, "still_out": 44}, 0)
        assert reason(tmp_path / str(number), OUT, [*tables, wrong])[0] == "fits"


def test_who_has_reported_has_no_unverified_child(tmp_path: Path) -> None:
    wrong = table_of(
        {"unverified": 1, "deducted": 10, "still_out": 19}, {"deducted": 20, "returned": 6, "still_out": 44}, 0
    )
    assert reason(tmp_path, tables=[LOW, HIGH, MORE, wrong])[0] == "fits"


@pytest.mark.parametrize("name", sorted(LOW))
def test_every_sum_is_added_up(tmp_path: Path, name: str) -> None:
    assert reason(tmp_path, tables=[LOW, HIGH, {**MORE, name: MORE[name] + 1}])[0] == "fits"
