"""A synthetic population of suspected children; the same seed, count and profile give the same people."""

import datetime as dt
import random
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from etl.exchange.child import Child
from etl.forms.id_number import check_digit
from etl.rulebook.campaign import Campaign, Unit
from etl.synthetic.profiles import PROFILES

RETURN_RATE = 0.72
VILLAGES = ("东", "西", "南", "北", "大", "小", "前", "后")
PLACES = ("山村", "河村", "庙村", "屯村", "沟村", "岭村")


@dataclass(frozen=True)
class Person:
    """A child with what a visit would find: `category` (A–M), and whether the child is back in school."""

    child: Child
    category: str = field(repr=False)
    is_back: bool = field(repr=False)


@cache
def chinese_faker() -> Any:
    """The shared generator of Chinese names. Typed Any, because Faker's types lack methods of its locales."""
    from faker import Factory  # imported here, because it is slow and only synthetic data needs it

    return Factory.create("zh_CN")


def make_population(campaign: Campaign, count: int, seed: int, profile: str = "default") -> list[Person]:
    """Make `count` people, spread unevenly over the units, with serials from 0001 and distinct valid ID numbers."""
    fake = chinese_faker()
    fake.seed_instance(seed)
    random_ = random.Random(f"population:{seed}")
    units = random_.choices(campaign.units, weights=unit_weights(campaign, seed), k=count)
    shares = PROFILES[profile]
    numbers: set[str] = set()
    people = []
    for at in range(count):
        category = random_.choices(list(shares), weights=list(shares.values()))[0]
        birth = _birth(random_, campaign, category)
        number = _number(random_, campaign.region, birth, numbers)
        child = Child(
            serial=f"{at + 1:04d}",
            unit=units[at].slug,
            province=campaign.province,
            city=campaign.city,
            county=campaign.county,
            name=fake.name_male() if int(number[16]) % 2 else fake.name_female(),
            sex="男" if int(number[16]) % 2 else "女",
            id_number=number,
            household=_household(random_, campaign, units[at]),
        )
        is_back = campaign.category[category].group == "to_return" and random_.random() < RETURN_RATE
        people.append(Person(child, category, is_back))
    return people


def unit_weights(campaign: Campaign, seed: int) -> list[float]:
    """Weights of the units: log-normal, so that a few units have most children; one unit in ten has none."""
    random_ = random.Random(f"units:{seed}")
    weights = [random_.lognormvariate(0, 1.1) for _ in campaign.units]
    for at in random_.sample(range(len(weights)), k=len(weights) // 10):
        weights[at] = 0.0
    return weights


def _birth(random_: random.Random, campaign: Campaign, category: str) -> dt.date:
    first, last = campaign.births_first, campaign.births_last
    reference, ages = campaign.ages.reference, campaign.ages
    if category == "F":  # over age on the reference date
        last = min(last, reference.replace(year=reference.year - ages.over_age))
    elif category == "E":  # the youngest of the list
        first = max(first, last.replace(year=last.year - 1))
    span = max((last - first).days, 0)
    # Older children are more frequent, so earlier births are more likely.
    return first + dt.timedelta(days=round(span * random_.betavariate(1.0, 1.6)))


def _number(random_: random.Random, region: str, birth: dt.date, taken: set[str]) -> str:
    while True:
        first17 = f"{region}{birth:%Y%m%d}{random_.randrange(1, 1000):03d}"
        if first17 not in taken:
            taken.add(first17)
            return first17 + check_digit(first17)


def _household(random_: random.Random, campaign: Campaign, unit: Unit) -> str:
    name = random_.choice((unit.name, unit.name, unit.name, *unit.aliases))
    village = random_.choice(VILLAGES) + random_.choice(PLACES)
    return f"{campaign.province}{campaign.county}{name}{village}{random_.randrange(1, 200)}号"
