"""Made-up people: valid, inside the campaign, consistent, uneven, near the profile, and the same for the same seed."""

import collections
from pathlib import Path

import pytest

from etl.forms import id_number
from etl.issue.assign import match_units
from etl.rulebook.campaign import Campaign
from etl.synthetic.faults import FAULTS, RESEALED
from etl.synthetic.fill import choose_faults
from etl.synthetic.list_workbook import write_list
from etl.synthetic.population import Person, make_population
from etl.synthetic.profiles import PROFILES
from tests.support.books import read_and_split

COUNT, SEED = 1200, 1


@pytest.fixture(scope="module")
def city(campaign: Campaign) -> list[Person]:
    return make_population(campaign, COUNT, SEED)


def test_every_number_is_valid_of_the_region_and_met_once(campaign: Campaign, city: list[Person]) -> None:
    numbers = [person.child.id_number for person in city]
    assert len(set(numbers)) == COUNT
    for person in city:
        assert id_number.is_valid(person.child.id_number)
        assert person.child.id_number.startswith(campaign.region)
        assert id_number.sex_of(person.child.id_number) == person.child.sex


def test_every_birth_lies_in_the_window_and_more_in_its_older_half(campaign: Campaign, city: list[Person]) -> None:
    births = [birth for person in city if (birth := id_number.birth_of(person.child.id_number))]
    assert len(births) == COUNT
    assert all(campaign.births_first <= birth <= campaign.births_last for birth in births)
    middle = campaign.births_first + (campaign.births_last - campaign.births_first) / 2
    assert sum(birth < middle for birth in births) > 0.55 * COUNT


def test_over_age_and_deferred_follow_from_the_birth_date(campaign: Campaign, city: list[Person]) -> None:
    ages = {"E": [], "F": []}  # type: dict[str, list[int]]
    for person in city:
        birth = id_number.birth_of(person.child.id_number)
        assert birth is not None
        if person.category in ages:
            ages[person.category].append(id_number.age_on(birth, campaign.ages.reference))
    assert min(ages["F"]) >= campaign.ages.over_age
    youngest = id_number.age_on(campaign.births_last, campaign.ages.reference)
    assert max(ages["E"]) <= youngest + 1


def test_units_are_very_uneven(campaign: Campaign, city: list[Person]) -> None:
    sizes = collections.Counter(person.child.unit for person in city)
    assert 1 <= len(campaign.units) - len(sizes) <= 6
    assert max(sizes.values()) > 150


def test_category_shares_are_near_the_profile(city: list[Person]) -> None:
    found = collections.Counter(person.category for person in city)
    assert sum(PROFILES["default"].values()) == pytest.approx(100)
    for code, share in PROFILES["default"].items():
        spread = (COUNT * share / 100 * (1 - share / 100)) ** 0.5
        assert abs(found[code] - COUNT * share / 100) <= 3 * spread + 1, code


def test_only_those_to_be_returned_are_back(campaign: Campaign, city: list[Person]) -> None:
    assert all(campaign.category[p.category].group == "to_return" for p in city if p.is_back)
    to_return = [p for p in city if campaign.category[p.category].group == "to_return"]
    assert 0.5 < sum(p.is_back for p in to_return) / len(to_return) < 0.9


def test_an_address_names_its_unit_alone(campaign: Campaign, city: list[Person]) -> None:
    for person in city:
        assert [unit.slug for unit in match_units(person.child.household, campaign.units)] == [person.child.unit]


def test_the_same_seed_gives_the_same_people_and_another_gives_others(campaign: Campaign, city: list[Person]) -> None:
    assert make_population(campaign, COUNT, SEED) == city
    other = {person.child.id_number for person in make_population(campaign, COUNT, SEED + 1)}
    assert len(other & {person.child.id_number for person in city}) < COUNT // 20


def test_a_person_shows_serial_only(city: list[Person]) -> None:
    for person in city[:50]:
        for secret in (person.child.name, person.child.id_number, person.child.household, person.child.unit):
            assert secret not in repr(person)


@pytest.mark.parametrize("seed", [1, 2, 7])
def test_a_list_is_read_back_without_a_finding(small: Campaign, tmp_path: Path, seed: int) -> None:
    people = make_population(small, 60, seed)
    write_list(tmp_path / "list.xlsx", people)
    assert read_and_split(tmp_path / "list.xlsx", small) == ([person.child for person in people], [])


def test_faults_are_seeded_and_every_kind_comes_up(campaign: Campaign, city: list[Person]) -> None:
    chosen = choose_faults(campaign, city, 0.5, SEED)
    assert chosen == choose_faults(campaign, city, 0.5, SEED)
    assert len(chosen) == 15
    assert set(chosen.values()) == {*FAULTS, RESEALED}
    assert set(chosen) <= {person.child.unit for person in city}
    assert choose_faults(campaign, city, 0.0, SEED) == {}
