"""The inspectorate's flags (M19): planted fraud is found with its reason, honest campaigns are left alone."""

import random
from collections.abc import Sequence
from dataclasses import replace
from math import comb

import pytest

from etl.exchange.current_answer import CurrentAnswer
from etl.inspect.chance import as_far, at_least, at_most
from etl.inspect.flags import find_flags
from etl.rulebook.campaign import Campaign
from etl.synthetic.population import make_population

DAYS, TEAMS, MOVED = 8, 4, 0.02


def honest(campaign: Campaign, seed: int, children: int = 1200) -> list[CurrentAnswer]:
    """What 30 honest units report: four teams each, eight days, the police's word on all missing, few later changes."""
    random_ = random.Random(f"honest:{seed}")
    rows = []
    for person in make_population(campaign, children, seed):
        unit, code = person.child.unit, person.category
        is_moved = code in "AF" and random_.random() < MOVED
        returned = "无" if code < "I" else "是" if person.is_back else "否"
        team = f"{unit}{random_.randrange(TEAMS)}"
        locked = "K" if is_moved else code
        rows.append(
            CurrentAnswer(unit, "1", person.child.serial, code, returned, team, DAYS, locked, has_police_ref=True)
        )
    return rows


@pytest.fixture(scope="module")
def rows(campaign: Campaign) -> list[CurrentAnswer]:
    return honest(campaign, 1)


def largest(rows: Sequence[CurrentAnswer], at: int = 0) -> str:
    units = sorted({row.unit for row in rows}, key=lambda unit: -sum(row.unit == unit for row in rows))
    return units[at]


def planted(rows: Sequence[CurrentAnswer], unit: str, **changed: object) -> list[CurrentAnswer]:
    """The rows with all of a unit's changed."""
    return [replace(row, **changed) if row.unit == unit else row for row in rows]  # type: ignore[arg-type]


def flagged(rows: Sequence[CurrentAnswer], campaign: Campaign) -> set[tuple[str, str]]:
    return {(flag.rule, flag.unit) for flag in find_flags(rows, campaign)}


def test_an_honest_campaign_is_left_alone(rows: list[CurrentAnswer], campaign: Campaign) -> None:
    assert flagged(rows, campaign) == set()


def test_nothing_reported_is_nothing_flagged(campaign: Campaign) -> None:
    assert find_flags([], campaign) == []


def test_a_unit_that_deducts_far_less_or_more_than_its_peers_is_flagged(campaign: Campaign) -> None:
    rows = honest(campaign, 2)
    unit = largest(rows, 3)
    random_ = random.Random(2)
    kept = [replace(r, code="M", returned="否") if r.unit == unit and random_.random() < 0.5 else r for r in rows]
    flags = [flag for flag in find_flags(kept, campaign) if flag.rule == "S01"]
    assert [flag.unit for flag in flags] == [unit]
    share = round(100 * sum(r.code < "I" for r in kept if r.unit == unit) / sum(r.unit == unit for r in kept))
    assert f"核减占 {share}%" in flags[0].message
    # The other way round: elsewhere half is to be returned, here nobody.
    most = [replace(r, code="M", returned="否") if random_.random() < 0.5 else r for r in rows]
    assert ("S01", unit) in flagged(planted(most, unit, code="B", returned="无"), campaign)


def test_a_share_that_is_far_only_by_chance_or_only_a_little_is_not_flagged(campaign: Campaign) -> None:
    rows = honest(campaign, 2)
    small = next(u for u in campaign.unit if 1 <= sum(r.unit == u for r in rows) <= 9)
    own = [r for r in rows if r.unit == small]
    assert ("S01", small) not in flagged(
        [replace(r, code="M", returned="否") if r is own[0] else r for r in rows], campaign
    )
    narrow = replace(campaign, inspection=replace(campaign.inspection, flags=tuple(
        replace(rule, params={"least_difference": 0.95}) if rule.id == "S01" else rule
        for rule in campaign.inspection.flags)))  # fmt: skip
    unit = largest(rows)
    assert ("S01", unit) in flagged(planted(rows, unit, code="M", returned="否"), campaign)
    assert ("S01", unit) not in flagged(planted(rows, unit, code="M", returned="否"), narrow)


@pytest.mark.parametrize(("count", "is_flagged"), [(29, True), (10, False)])
def test_hundred_percent_returned_is_flagged_where_the_others_rate_makes_it_unlikely(
    campaign: Campaign, count: int, is_flagged: bool
) -> None:
    rows = honest(campaign, 3)
    unit = largest(rows)
    own = [at for at, row in enumerate(rows) if row.unit == unit]
    for number, at in enumerate(own):
        code = "K" if number < count else "B"
        rows[at] = replace(rows[at], code=code, returned="是" if code == "K" else "无")
    assert (("S02", unit) in flagged(rows, campaign)) is is_flagged
    rows[own[0]] = replace(rows[own[0]], returned="否")
    assert ("S02", unit) not in flagged(rows, campaign)


@pytest.mark.parametrize(("team", "days", "is_flagged"), [
    (("甲、乙", "乙、甲", "甲 乙", "乙，甲"), 2, True),  # the same people in whatever order
    (("甲、乙", "甲、丙"), 2, False),
    (("甲、乙",), 90, False), (("甲、乙",), 1, True),
])  # fmt: skip
def test_a_team_is_its_members_and_its_days_are_those_of_the_visits(
    campaign: Campaign, rows: list[CurrentAnswer], team: tuple[str, ...], days: int, is_flagged: bool
) -> None:
    unit = campaign.units[0].slug
    one = next(row for row in rows if row.unit == unit)
    signed = [replace(one, serial=str(n), first_team=team[n % len(team)], days=days) for n in range(61)]
    others = [row for row in rows if row.unit != unit]
    assert (("S03", unit) in flagged([*others, *signed], campaign)) is is_flagged


def test_days_after_the_visits_were_due_give_a_team_no_more_doors(
    campaign: Campaign, rows: list[CurrentAnswer]
) -> None:
    unit = campaign.units[0].slug
    visiting = (campaign.verification_due - campaign.noticed).days + 1
    one = next(row for row in rows if row.unit == unit)
    for count, is_flagged in ((30 * visiting, False), (30 * visiting + 1, True)):
        signed = [replace(one, serial=str(n), first_team="甲、乙", days=visiting + 60) for n in range(count)]
        others = [row for row in rows if row.unit != unit]
        assert (("S03", unit) in flagged([*others, *signed], campaign)) is is_flagged


@pytest.mark.parametrize(("days", "is_flagged"), [(1, True), (2, True), (3, False)])
def test_one_team_for_more_doors_than_its_days_hold_is_flagged(
    campaign: Campaign, rows: list[CurrentAnswer], days: int, is_flagged: bool
) -> None:
    unit = largest(rows)
    own = [row for row in rows if row.unit == unit][:61]
    others = [row for row in rows if row.unit != unit]
    signed = [replace(row, first_team="甲、乙", days=days) for row in own]
    flags = [flag for flag in find_flags([*others, *signed], campaign) if flag.rule == "S03"]
    assert bool(flags) is is_flagged
    for flag in flags:
        assert flag.unit == unit
        assert "甲" not in flag.message
        assert f"共 {days} 天，每天至少 {-(-61 // days)} 人" in flag.message


def test_thirty_doors_a_day_are_just_possible(campaign: Campaign, rows: list[CurrentAnswer]) -> None:
    unit = largest(rows)
    own = [row for row in rows if row.unit == unit][:60]
    others = [row for row in rows if row.unit != unit]
    assert ("S03", unit) not in flagged([*others, *(replace(r, first_team="甲", days=2) for r in own)], campaign)


@pytest.mark.parametrize(("length", "is_flagged"), [(40, True), (6, False)])
def test_answers_copied_down_in_a_long_run_are_flagged(
    campaign: Campaign, rows: list[CurrentAnswer], length: int, is_flagged: bool
) -> None:
    unit = largest(rows)
    own = [row for row in rows if row.unit == unit]
    copied = [replace(row, code="B", returned="无") if at < length else row for at, row in enumerate(own)]
    others = [row for row in rows if row.unit != unit]
    assert (("S04", unit) in flagged([*others, *copied], campaign)) is is_flagged


def test_a_run_is_broken_by_one_other_answer(campaign: Campaign, rows: list[CurrentAnswer]) -> None:
    unit = largest(rows)
    own = [row for row in rows if row.unit == unit]
    mixed = [replace(row, code="AB"[at % 2], returned="无") for at, row in enumerate(own)]
    assert ("S04", unit) not in flagged([*(row for row in rows if row.unit != unit), *mixed], campaign)


def lock_moves(rows: Sequence[CurrentAnswer], unit: str, moved: int, of: int, now: str = "F") -> list[CurrentAnswer]:
    """`of` of a unit's children were K when the base was locked; so many of them are now deducted."""
    own = [at for at, row in enumerate(rows) if row.unit == unit]
    changed = list(rows)
    for number, at in enumerate(own):
        if number < of:
            code = now if number < moved else "K"
            changed[at] = replace(rows[at], locked="K", code=code, returned="无" if code < "I" else "否")
        else:
            changed[at] = replace(rows[at], locked="B", code="B", returned="无")
    return changed


@pytest.mark.parametrize(("moved", "of", "is_flagged"), [(12, 15, True), (4, 5, True), (2, 2, False), (3, 60, False)])
def test_children_deducted_after_the_lock_are_flagged(
    campaign: Campaign, rows: list[CurrentAnswer], moved: int, of: int, is_flagged: bool
) -> None:
    unit = largest(rows)
    flags = [f for f in find_flags(lock_moves(rows, unit, moved, of), campaign) if f.rule == "S05"]
    assert bool(flags) is is_flagged
    for flag in flags:
        assert (flag.unit, f"K→F {moved}" in flag.message) == (unit, True)


def test_before_the_lock_or_within_those_to_return_no_change_is_flagged(
    campaign: Campaign, rows: list[CurrentAnswer]
) -> None:
    unit = largest(rows)
    unlocked = [replace(row, locked="") for row in lock_moves(rows, unit, 12, 15)]
    for changed in (unlocked, lock_moves(rows, unit, 12, 15, now="M")):
        assert "S05" not in {rule for rule, _ in flagged(changed, campaign)}


def test_missing_beyond_what_the_police_confirmed_is_flagged(campaign: Campaign, rows: list[CurrentAnswer]) -> None:
    unit = largest(rows)
    own = [at for at, row in enumerate(rows) if row.unit == unit]
    confirmed = [replace(row, code="G", returned="无") if at in own[:4] else row for at, row in enumerate(rows)]
    assert "S06" not in {rule for rule, _ in flagged(confirmed, campaign)}
    confirmed[own[0]] = replace(confirmed[own[0]], has_police_ref=False)
    (flag,) = [flag for flag in find_flags(confirmed, campaign) if flag.rule == "S06"]
    missing = sum(row.code == "G" and row.unit == unit for row in confirmed)
    assert f"{missing} 人中，有 1 人" in flag.message


def test_a_flag_never_names_anybody(campaign: Campaign, rows: list[CurrentAnswer]) -> None:
    unit = largest(rows)
    bad = [replace(row, first_team="王小明", days=1, has_police_ref=False) if row.unit == unit else row for row in rows]
    flags = find_flags(planted(bad, unit, code="G", returned="无", locked="K"), campaign)
    assert {flag.rule for flag in flags} >= {"S03", "S04", "S05", "S06"}
    for flag in flags:
        assert "王小明" not in flag.message + flag.message_en


def alarms(campaign: Campaign, seeds: Sequence[int]) -> dict[str, int]:
    """Honest campaigns with a flag, in all and by rule."""
    found: dict[str, int] = {"any": 0}
    for seed in seeds:
        rules = {flag.rule for flag in find_flags(honest(campaign, seed), campaign)}
        found["any"] += bool(rules)
        for rule in rules:
            found[rule] = found.get(rule, 0) + 1
    return found


@pytest.mark.prove
def test_of_forty_honest_campaigns_at_most_two_are_flagged(campaign: Campaign) -> None:
    assert alarms(campaign, range(100, 140))["any"] <= 2


@pytest.mark.prove
def test_fewer_than_five_in_a_hundred_honest_campaigns_are_flagged(campaign: Campaign) -> None:
    found = alarms(campaign, range(1000))
    print(f"honest campaigns with a flag: {found} of 1000")
    assert found["any"] < 50


@pytest.mark.parametrize(("count", "of", "share"), [(0, 1, 0.3), (3, 10, 0.3), (10, 10, 0.9), (2, 40, 0.05)])
def test_tails_are_the_sums_of_the_binomial(count: int, of: int, share: float) -> None:
    """Against the definition, by whole-number ways."""
    upper = sum(comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(count, of + 1))
    lower = sum(comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(count + 1))
    assert at_least(count, of, share) == pytest.approx(upper)
    assert at_most(count, of, share) == pytest.approx(lower)
    assert as_far(count, of, share) == pytest.approx(min(1, 2 * min(upper, lower)))


def test_tails_of_thousands_of_rows_are_exact_enough() -> None:
    assert at_least(5000, 10_000, 0.5) + at_most(4999, 10_000, 0.5) == pytest.approx(1)
    assert 0 < at_least(6000, 10_000, 0.5) < 1e-80
