"""Rounding one row, and what is published of the city if its row would give a count away."""

import random
from dataclasses import replace
from typing import Any

import pytest

from etl.exchange.release import CITY, Status
from etl.protect import interim
from etl.protect.draft import Draft, ReleaseDay, judge
from etl.protect.interim import interim_release
from etl.protect.rounding import RoundedRow, draw_multiples, round_again, round_first
from etl.rulebook.campaign import Campaign
from tests.support.small_counts import make_campaign, make_counts

SECRET = b"a secret of the tests"
#: A sum of two counts, all rounded to multiples of six.
ROW = RoundedRow({"all": 20, "a": 13, "b": 7}, dict.fromkeys(("all", "a", "b"), 6), (("all", ("a", "b")),))


def test_no_figures_are_made_where_the_least_is_more_than_a_count_can_be_rounded_to() -> None:
    assert round_first(ROW, SECRET, 0, {"all": 24}) == {"all": 24, "a": 12, "b": 12}
    assert round_first(ROW, SECRET, 0, {"all": 25}) is None


def test_no_figures_are_made_where_none_add_up() -> None:
    """Two counts whose sum, rounded more coarsely, is too far from whatever they are rounded to."""
    near = ({"all": -1, "a": 1, "b": 1}, None, -7)
    assert round_first(replace(ROW, sums=(), near=(near,)), SECRET, 0, {}) is None


def test_a_figure_that_holds_is_kept_and_one_that_was_not_published_before_follows_the_draw() -> None:
    """Of three counts without a sum one was published before."""
    row = replace(ROW, sums=())
    for secret in (b"x", b"y", b"z"):
        drawn = draw_multiples(row, secret, 1)
        for before in ({"a": 12}, {"a": 18}):
            assert round_again(row, before, secret, 1, {}) == drawn | before


def test_a_city_that_would_give_a_count_away_shows_what_follows_from_the_units(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = make_campaign(campaign, 4)
    day = ReleaseDay(few, make_counts(few, [(0, 60, 14, 8)] * 3 + [(0, 50, 9, 3)], random.Random(4)), (), SECRET)
    tried = list[Status]()

    def harsh(*given: Any) -> Draft:
        draft = judge(*given)
        tried.append(draft.release.table("city")[CITY, "returned"].status)
        published = ("0001/city.returned", "0001/u0.returned")
        return replace(draft, readable=published) if tried[-1] is Status.ROUNDED else draft

    with monkeypatch.context() as patched:
        patched.setattr(interim, "judge", harsh)
        made = interim_release(day)
    assert Status.ROUNDED in tried
    city, units = made.table("city")[CITY, "returned"], made.table("units")
    assert city.status is Status.INTERVAL
    assert (city.low, city.high) == tuple(
        sum(getattr(units[row, "returned"], end) for row in units.rows) for end in ("low", "high")
    )
    assert units == interim_release(day).table("units")
