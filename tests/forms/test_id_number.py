"""ID numbers (GB 11643) against python-stdnum as oracle, where the oracle is right."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from stdnum.cn import ric

from etl.forms import id_number as identity
from tests.support.books import id_number

#: Regions that the oracle knows (it fails on others), each only since a certain year.
REGIONS = ("110101", "210281", "440106")
steady = hypothesis_settings(derandomize=True, max_examples=150, deadline=None, database=None)
births = st.dates(dt.date(1990, 1, 1), dt.date(2019, 12, 31))


@steady
@given(births, st.integers(0, 999), st.sampled_from(REGIONS))
def test_a_made_number_is_valid_by_the_oracle_too(birth: dt.date, order: int, region: str) -> None:
    number = id_number(f"{birth:%Y%m%d}", order, region)
    assert ric.is_valid(number)
    assert identity.is_valid(number)
    assert identity.birth_of(number) == birth == ric.get_birth_date(number)
    assert identity.sex_of(number) == "女男"[order % 2]


@steady
@given(births, st.integers(0, 999), st.sampled_from(REGIONS), st.integers(6, 17), st.sampled_from("0123456789X"))
def test_one_changed_sign_is_judged_as_the_oracle_judges_it(
    birth: dt.date, order: int, region: str, at: int, char: str
) -> None:
    number = id_number(f"{birth:%Y%m%d}", order, region)
    changed = number[:at] + char + number[at + 1 :]
    expected = ric.is_valid(changed)
    assert identity.is_valid(changed) == expected
    if changed != number:
        assert not identity.is_valid(changed)  # MOD 11-2 catches every single error


@steady
@given(births, st.integers(0, 999), st.integers(0, 15))
def test_two_neighbours_swapped_are_caught(birth: dt.date, order: int, at: int) -> None:
    number = id_number(f"{birth:%Y%m%d}", order)
    swapped = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    assert identity.is_valid(swapped) == (swapped == number)


@steady
@given(st.text(max_size=20) | st.from_regex(r"[0-9０-９]{17}[0-9Xx]", fullmatch=True))
def test_wild_text_is_judged_without_an_exception(text: str) -> None:
    assert identity.is_valid(text) in (True, False)
    if identity.is_valid(text):
        assert len(text) == 18
        assert text.isascii()


def test_a_region_that_the_oracle_does_not_know_is_the_campaigns_business() -> None:
    assert identity.is_valid(id_number("20060115", 1, "990101"))


@pytest.mark.parametrize("number", [
    "",
    "99010120060115001",                      # a character short
    id_number("20060115", 1) + "0",
    id_number("20060115", 1).replace("9", "９"),   # full width
    id_number("20060115", 1, "090101"),       # no province
    id_number("20060230", 1),                 # 30 February
    id_number("20061301", 1),
    id_number("20060000", 1),
    id_number("00000101", 1),
    " " + id_number("20060115", 1),
    id_number("20060115", 1) + "\n",
])  # fmt: skip
def test_what_is_no_number_is_refused(number: str) -> None:
    assert not identity.is_valid(number)


def test_the_check_digit_x_is_a_capital_letter() -> None:
    number = next(n for order in range(1, 200) if (n := id_number("20060115", order)).endswith("X"))
    assert identity.is_valid(number)
    assert not identity.is_valid(number.lower())


@pytest.mark.parametrize(("birth", "day", "age"), [
    (dt.date(2004, 2, 29), dt.date(2020, 2, 28), 15),
    (dt.date(2004, 2, 29), dt.date(2020, 2, 29), 16),
    (dt.date(2004, 2, 29), dt.date(2019, 2, 28), 14),
    (dt.date(2004, 2, 29), dt.date(2019, 3, 1), 15),
    (dt.date(2004, 3, 10), dt.date(2020, 3, 9), 15),
    (dt.date(2004, 3, 10), dt.date(2020, 3, 10), 16),
    (dt.date(2020, 3, 10), dt.date(2020, 3, 10), 0),
])  # fmt: skip
def test_years_are_completed_on_the_birthday(birth: dt.date, day: dt.date, age: int) -> None:
    assert identity.age_on(birth, day) == age


def test_a_masked_number_keeps_region_and_year_only() -> None:
    number = id_number("20060115", 1)
    assert identity.mask(number) == "9901012006********"
    assert identity.mask(number[:17]) == "990101" + "*" * 11
    assert identity.mask(number[:12]) == "990101******"
    assert identity.mask("12") == "12"
