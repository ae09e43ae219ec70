"""What a reader can infer, by hand: a city of two units, and each bound from both sides."""

from typing import Any

import pytest

from etl.proof import verify_release
from etl.proof.verify_release import Failed, Line, Release, Seen

RULES = {
    "units": ["a", "b"],
    "states": ["unverified", "deducted", "returned", "still_out"],
    "sums": {
        "suspected": ["unverified", "verified"],
        "verified": ["deducted", "to_return"],
        "to_return": ["returned", "still_out"],
    },
    "groups": [["verified", ["deducted", "to_return"]], ["to_return", ["returned", "still_out"]]],
    "categories": {"deducted": ["A"], "to_return": ["I", "K"]},
}
MEASURES = [*RULES["sums"], *RULES["states"]]
ZEROS = [name for name in MEASURES if name not in ("suspected", "unverified")]


def release(out: str = "", ranges: Any = None, withheld: tuple[str, ...] = (), **entries: Any) -> Release:
    """A release in which the units of `out` have not reported and some figures are withheld."""
    about = {"release": "0001", "structure": RULES, "k": 5, "category_k": {"I": 10}, "known": [], "closing": True}
    lines = [Line(unit, "verified", None, "not_due" if unit in out else "suppressed") for unit in "ab"]
    lines = [line for line in lines if line.status == "not_due"]
    lines += [Line(name.split(".")[0], name.split(".")[1], None, "suppressed") for name in withheld]
    return Release(about | entries, {"units.csv": lines}, ranges or {}, None, "", "")


def reason(judge: Any, *given: Any) -> str:
    """The key of the reason for which it is refused, empty if it is not."""
    try:
        judge(*given)
    except Failed as failed:
        return failed.key
    return ""


@pytest.mark.parametrize(
    ("name", "k"), [("I.verified", 10), ("K.verified", 5), ("a.verified", 5), ("city.I", 5), ("verified.I", 5)]
)
def test_the_threshold_is_that_of_the_row(name: str, k: int) -> None:
    assert verify_release.threshold(release().about, name) == k


def test_what_follows_where_nobody_has_reported() -> None:
    """Everything but how many are listed is zero; that they are not verified follows where the list is known."""
    zeros = {f"{row}.{name}" for row in ("a", "b", "city") for name in ZEROS}
    zeros |= {"A.verified", "I.verified", "K.verified"}
    assert verify_release.follows(release("ab")) == zeros
    published = release("ab", known=["city.suspected"])
    assert verify_release.follows(published) == zeros | {"city.suspected", "city.unverified"}


def test_what_follows_where_one_has_reported() -> None:
    found = verify_release.follows(release("b"))
    assert found == {f"b.{name}" for name in ZEROS} | {"a.unverified"}
    found = verify_release.follows(release("b", known=["city.suspected"]))
    assert found == {f"b.{name}" for name in ZEROS} | {"a.unverified", "city.suspected"}


def test_what_follows_where_all_have_reported() -> None:
    found = verify_release.follows(release("", known=["city.suspected"]))
    unverified = {"a.unverified", "b.unverified", "city.unverified"}
    assert found == unverified | {"city.suspected", "city.verified"}
    found = verify_release.follows(release("", known=["city.suspected", "city.deducted", "city.returned"]))
    assert found == unverified | {
        f"city.{name}" for name in ("suspected", "verified", "deducted", "returned", "to_return", "still_out")
    } | {"A.verified"}  # fmt: skip


ASSUMED = {"fixed": ["deducted"], "grows": ["verified", "returned"]}
MOVES = {
    "nothing moves": ({}, ""),
    "what is fixed grows": ({"a.deducted": 1}, "moves"),
    "what is fixed falls": ({"a.deducted": -1}, "moves"),
    "what grows grows": ({"a.returned": 1}, ""),
    "what grows falls": ({"a.returned": -1}, "moves"),
    "what is free falls": ({"a.still_out": -1}, ""),
    "a category grows": ({"K.verified": 1}, ""),
    "a category falls": ({"K.verified": -1}, "moves"),
}


def days_of(changes: dict[str, int], at: int) -> list[dict[str, int]]:
    names = [f"{row}.{name}" for row in ("a", "b", "city") for name in MEASURES]
    days = [dict.fromkeys([*names, "A.verified", "I.verified", "K.verified"], 7) for _ in range(3)]
    for day in days[at:]:
        for name, change in changes.items():
            day[name] += change
    return days


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("at", [1, 2])
def test_what_moves_from_day_to_day_is_held_against_the_assumption(name: str, at: int) -> None:
    changes, key = MOVES[name]
    days = days_of(changes, at)
    assert reason(verify_release.moves, 1, days, [release()] * 3, ASSUMED) == key


def test_only_who_had_reported_on_both_days_is_held_to_an_assumption() -> None:
    for at in (1, 2):
        days = days_of({"b.deducted": 1}, at)
        for silent in range(3):
            releases = [release("b" if day == silent else "") for day in range(3)]
            between = silent in (at - 1, at)
            assert reason(verify_release.moves, 1, days, releases, ASSUMED) == ("" if between else "moves")


def test_categories_move_freely_where_verified_is_not_assumed_to_grow() -> None:
    days = days_of({"K.verified": -1}, 1)
    assert reason(verify_release.moves, 1, days, [release()] * 3, {"fixed": [], "grows": ["returned"]}) == ""


@pytest.mark.parametrize(
    ("ends", "key"),
    [((0, 1), ""), ((1, 4), "small"), ((4, 4), "small"), ((1, 5), ""), ((5, 9), ""), ((0, 0), ""), ((4, 5), "")],
)
def test_at_the_close_a_count_may_be_none_or_k_or_more(ends: tuple[int, int], key: str) -> None:
    seen = Seen(release())
    seen.least, seen.most, seen.alike = {"a.returned": ends[0]}, {"a.returned": ends[1]}, []
    assert reason(seen.unread, True) == key


@pytest.mark.parametrize(("ends", "key"), [((7, 10), "narrow"), ((7, 11), ""), ((0, 3), "narrow"), ((0, 4), "")])
def test_before_the_close_a_count_may_be_one_of_k_values(ends: tuple[int, int], key: str) -> None:
    seen = Seen(release(closing=False))
    seen.least, seen.most = {"a.returned": ends[0]}, {"a.returned": ends[1]}
    assert reason(seen.unread, False) == key


@pytest.mark.parametrize(("ends", "key"), [((1, 9), "small"), ((1, 10), ""), ((0, 9), "")])
def test_a_sensitive_category_has_its_own_threshold(ends: tuple[int, int], key: str) -> None:
    seen = Seen(release())
    seen.least, seen.most, seen.alike = {"I.verified": ends[0]}, {"I.verified": ends[1]}, []
    assert reason(seen.unread, True) == key


def test_what_is_said_of_a_small_count_names_its_bounds() -> None:
    seen = Seen(release())
    seen.least, seen.most, seen.alike = {"a.returned": 1}, {"a.returned": 4}, []
    with pytest.raises(Failed, match=r"a reader can infer that 0001/a\.returned lies within 1 … 4$"):
        seen.unread(True)
    seen.most = {"a.returned": 3}
    with pytest.raises(Failed, match=r"0001/a\.returned to fewer than 5 values$"):
        seen.unread(False)


@pytest.mark.parametrize(
    ("whole", "part", "key"),
    [
        ((6, 6), (6, 6), "group"),
        ((1, 1), (1, 1), "group"),
        ((0, 6), (0, 6), ""),
        ((6, 6), (5, 6), ""),
        ((6, 6), (6, 5), ""),
    ],
)
def test_not_all_of_a_group_may_be_in_one_part_in_every_example(
    whole: tuple[int, int], part: tuple[int, int], key: str
) -> None:
    seen = Seen(release())
    seen.alike = [("a.to_return", "a.returned")]
    for one, other in zip(whole, part, strict=True):
        seen.add({"a.to_return": one, "a.returned": other})
    seen.least = {}
    assert reason(seen.unread, True) == key


def test_groups_are_those_of_units_of_the_city_and_of_its_categories() -> None:
    groups = set(Seen(release()).alike)
    assert groups == {
        *((f"{row}.verified", f"{row}.{part}") for row in ("a", "b", "city") for part in ("deducted", "to_return")),
        *((f"{row}.to_return", f"{row}.{part}") for row in ("a", "b", "city") for part in ("returned", "still_out")),
        *(("city.verified", f"{code}.verified") for code in "AIK"),
        ("city.deducted", "A.verified"), ("city.to_return", "I.verified"), ("city.to_return", "K.verified"),
    }  # fmt: skip
    assert Seen(release(closing=False)).alike == []


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ([2, 8], ""), ([1, 8], "range"), ([3, 8], "range"), ([2, 7], "range"), ([2, 9], "range"), ([2, None], ""),
        ([None, 8], "range"), ([2], "range"), ([2, 8, 8], "range"), (28, "range"), ("28", "range"),
    ],
)  # fmt: skip
def test_both_ends_of_a_range_are_shown(given: Any, key: str) -> None:
    seen = Seen(release("", {"a.returned": given}, ("a.returned",)))
    seen.least, seen.most = {"a.returned": 2}, {"a.returned": 8}
    assert reason(seen.reached) == key


@pytest.mark.parametrize(("most", "key"), [(4, "range"), (5, ""), (6, "")])
def test_a_range_without_a_greatest_value_is_shown_to_reach_k(most: int, key: str) -> None:
    seen = Seen(release("", {"a.returned": [0, None]}, ("a.returned",)))
    seen.least, seen.most = {"a.returned": 0}, {"a.returned": most}
    assert reason(seen.reached) == key


def test_a_range_of_one_or_none_is_distinguished_from_true_and_false() -> None:
    for ends, least, most in (([0, True], 0, 1), ([False, 1], 0, 1)):
        seen = Seen(release("", {"a.returned": ends}, ("a.returned",)))
        seen.least, seen.most = {"a.returned": least}, {"a.returned": most}
        assert reason(seen.reached) == "range"


def test_a_change_may_be_given_for_every_place_of_an_example() -> None:
    size = 2 * 4 + 3
    first = list(range(size))
    for at in range(size):
        (_, (one,)), (_, (other,)) = verify_release.examples({"tables": [first, [[at, 99]]]}, RULES, 1)
        values = [value for row in other.values() for value in row.values()]
        assert values == [99 if place == at else value for place, value in enumerate(first)]
        assert [value for row in one.values() for value in row.values()] == first
