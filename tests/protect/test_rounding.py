"""Rounding one row, and what is published of the city if its row would give a count away."""

import random
from dataclasses import replace
from typing import Any

import pytest

from etl.exchange.release import CITY, Status
from etl.protect import interim
from etl.protect.draft import Draft, judge
from etl.protect.interim import completed, interim_release
from etl.protect.rounding import RoundedRow, draw_multiples, round_again, round_first
from etl.rulebook.campaign import Campaign
from tests.support.small_counts import make_campaign, make_counts

SECRET = b"a secret of the tests"
#: A sum of two counts, all rounded to multiples of six.
ROW = RoundedRow({"all": 20, "a": 13, "b": 7}, dict.fromkeys(("all", "a", "b"), 6), (("all", ("a", "b")),))


def test_a_sum_that_was_not_told_follows_from_its_parts_and_a_part_from_the_sum() -> None:
    whole = {"all": 24, "a": 12, "b": 12}
    assert completed(ROW, {"a": 12, "b": 12}) == completed(ROW, {"all": 24, "a": 12}) == whole
    assert completed(ROW, {"a": 12}) == {"a": 12}
    assert completed(ROW, {"another row's": 6}) == {}


def test_no_figures_are_made_where_the_least_is_more_than_a_count_can_be_rounded_to() -> None:
    assert round_first(ROW, SECRET, 0, {"all": 24}) == {"all": 24, "a": 12, "b": 12}
    assert round_first(ROW, SECRET, 0, {"all": 25}) is None


def test_no_figures_are_made_where_none_add_up() -> None:
    """Two counts whose sum, rounded more coarsely, is too far from whatever they are rounded to."""
    near = ({"all": -1, "a": 1, "b": 1}, None, -7)
    assert round_first(replace(ROW, sums=(), near=(near,)), SECRET, 0, {}) is None


def test_a_figure_that_holds_is_kept_and_one_that_was_not_told_before_follows_the_draw() -> None:
    """Of three counts without a sum one was published before."""
    row = replace(ROW, sums=())
    for secret in (b"x", b"y", b"z"):
        drawn = draw_multiples(row, secret, 1)
        for before in ({"a": 12}, {"a": 18}):
            assert round_again(row, before, secret, 1, {}) == drawn | before


def test_a_city_that_would_give_a_count_away_is_withheld_and_the_units_stay_as_they_are(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = make_campaign(campaign, 4)
    counts = make_counts(few, [(0, 60, 14, 8)] * 3 + [(0, 50, 9, 3)], random.Random(4))
    tried = list[Status]()

    def harsh(*given: Any) -> Draft:
        draft = judge(*given)
        city = draft.release.table("city")
        tried.append(city[CITY, "returned"].status)
        published = ("0001/city.returned", "0001/u0.returned")
        return replace(draft, readable=published) if tried[-1] is Status.ROUNDED else draft

    with monkeypatch.context() as patched:
        patched.setattr(interim, "judge", harsh)
        made = interim_release(few, counts, (), SECRET)
    assert Status.ROUNDED in tried
    assert made.table("city")[CITY, "returned"].status is Status.SUPPRESSED
    assert made.table("units") == interim_release(few, counts, (), SECRET).table("units")
