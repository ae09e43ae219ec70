"""The room rule: what it makes exact, that it decides by published figures alone, and that enough room is left."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.protect.room import Summand, make_exact, room_for, total_of

TOP = 2


def part(name: str, value: int) -> Summand:
    """A count on a grid of three, small up to two."""
    low = value // 3 * 3
    return Summand(name, value, low, low + 2, stays=value <= TOP)


def parts_of(values: tuple[int, ...]) -> list[Summand]:
    return [part(f"p{at}", value) for at, value in enumerate(values)]


def test_without_a_small_count_all_parts_are_exact() -> None:
    parts = parts_of((3, 9, 100))
    assert room_for(parts, TOP, insiders=True, extra=5) == 0
    assert make_exact((112, 112), parts, 0, insiders=True) == {"p0": (3, 3), "p1": (9, 9), "p2": (100, 100)}


def test_a_small_count_alone_keeps_another_part_an_interval() -> None:
    parts = parts_of((1, 4, 7, 10, 100))
    found = make_exact((122, 122), parts, room_for(parts, TOP, insiders=False, extra=0), insiders=False)
    assert found["p0"] == (0, 2)
    assert sum(low < high for low, high in found.values()) >= 2


def test_the_largest_parts_stay_intervals() -> None:
    """A step of the grid costs those who read a large figure least."""
    parts = parts_of((1, 4, 7, 10, 100))
    found = make_exact((122, 122), parts, 2, insiders=False)
    hidden = [at for at in ("p1", "p2", "p3", "p4") if found[at][0] < found[at][1]]
    assert hidden == ["p1", "p2", "p3", "p4"][-len(hidden) :]


def test_insiders_need_the_room_of_one_more_part() -> None:
    parts = parts_of((1, 4, 7, 10, 13, 16, 100))
    alone, with_them = (room_for(parts, TOP, insiders=insiders, extra=0) for insiders in (False, True))
    assert (alone, with_them) == (2, 4)
    exact = [
        sum(low == high for low, high in make_exact((151, 151), parts, room, insiders=False).values())
        for room in (alone, with_them)
    ]
    assert exact[0] > exact[1]


def test_what_is_known_anyway_leaves_less_room() -> None:
    free, held = part("a", 4), Summand("a", 4, 3, 5, stays=False, known=(4, 9))
    assert (free.least, free.most, free.width) == (3, 5, 2)
    assert (held.least, held.most, held.width) == (4, 5, 1)


def test_a_hidden_total_keeps_parts_intervals_although_none_is_small() -> None:
    """If all parts were exact, so would be their sum."""
    parts = parts_of((4, 7, 10))
    assert all(low == high for low, high in make_exact((21, 21), parts, 0, insiders=False).values())
    found = make_exact((20, 22), parts, 0, insiders=False)
    assert sum(low < high for low, high in found.values()) >= 1


@pytest.mark.parametrize("value", range(13))
def test_a_total_is_exact_only_where_its_parts_have_room(value: int) -> None:
    parts = [Summand(f"p{at}", 1, 0, 2, stays=True) for at in range(6)]
    own = part("all", value)
    found = total_of(own, 0, TOP + 1, parts, 4)
    assert found.stays is not (4 < value < 12 - 4)
    assert found.low <= value <= found.high


def same(values: tuple[int, ...], insiders: bool) -> dict[str, tuple[int, int]]:
    parts = parts_of(values)
    room = room_for(parts, TOP, insiders=insiders, extra=0)
    return make_exact((sum(values), sum(values)), parts, room, insiders=insiders)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 14), min_size=3, max_size=6), st.booleans())
def test_whatever_fits_what_is_published_would_have_been_published_alike(values: list[int], insiders: bool) -> None:
    given_ = tuple(values)
    published = same(given_, insiders)
    spans = [range(low, high + 1) for low, high in published.values()]
    for other in itertools.product(*spans):
        if sum(other) == sum(given_):
            assert same(other, insiders) == published


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 14), min_size=4, max_size=7))
def test_a_small_count_keeps_all_its_values_where_the_rule_made_anything_exact(values: list[int]) -> None:
    given_ = tuple(values)
    published = same(given_, insiders=False)
    exact = [name for name, (low, high) in published.items() if low == high]
    spans = [range(low, high + 1) for low, high in published.values()]
    fitting = [other for other in itertools.product(*spans) if sum(other) == sum(given_)]
    for at, value in enumerate(given_):
        if value <= TOP and exact:
            assert {other[at] for other in fitting} == {0, 1, 2}
