"""Disclosure control: nothing small is readable, whatever a reader computes from all that is printed."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.exchange.counts import Counts
from etl.exchange.release import NOTHING, Cell, Release, Status, cell_id
from etl.findings import FuxueError
from etl.proof.attacker import Attacker, broken_promises
from etl.proof.history import published_bounds, reader_of
from etl.proof.reader import unsafe_reason
from etl.proof.tables import Range, build_system, structure_of
from etl.protect import closing
from etl.protect.closing import closing_release
from etl.protect.primary import find_needs, true_values
from etl.rulebook.campaign import Campaign
from etl.rulebook.publication import ATOMS
from tests.support.small_counts import DAY, make_campaign, make_counts


def printed(release: Release) -> dict[str, int]:
    return {
        cell_id(row, name): cell.value
        for table in release.tables
        for (row, name), cell in table.cells.items()
        if cell.value is not None
    }


def test_printed_figures_are_the_true_ones_and_all_sums_agree(campaign: Campaign) -> None:
    random_ = random.Random(3)
    few = make_campaign(campaign, 8)
    counts = make_counts(few, [(0, 40, 9, 7)] * 3 + [(0, 30, 3, 1)] * 4 + [(6, 0, 0, 0)], random_)
    release = closing_release(few, counts)
    system = build_system(few, {u.unit: u.reported for u in counts.units})
    truth = dict(zip(system.at, true_values(system, counts, few.publication), strict=True))
    figures = printed(release)
    assert figures
    assert all(truth[name] == value for name, value in figures.items())
    assert unsafe_reason(structure_of(few), release) == ""


@pytest.mark.parametrize("small", [1, 2, 3, 4])
def test_a_planted_small_count_is_withheld_and_reaches_zero_and_k(campaign: Campaign, small: int) -> None:
    few = make_campaign(campaign, 6)
    counts = make_counts(few, [(0, 60, 14, 8 + at) for at in range(5)] + [(0, 50, 9, small)], random.Random(1))
    release = closing_release(few, counts)
    system = build_system(few, {u.unit: True for u in counts.units})
    low, high = reader_of([release], NOTHING).infer(system.at["u5.still_out"])
    assert low == 0
    assert high is None or high >= few.publication.k


def test_five_is_not_small_and_is_printed_when_nothing_else_needs_it(campaign: Campaign) -> None:
    few = make_campaign(campaign, 4)
    release = closing_release(few, make_counts(few, [(0, 600, 50, 5)] * 4, random.Random(5)))
    withheld = [name for table in release.tables for (_, name), cell in table.cells.items() if cell.value is None]
    assert "returned" not in withheld


@pytest.mark.parametrize(
    ("row", "part"),
    [
        ((0, 40, 0, 9), "returned"),  # 0 of 9 returned
        ((0, 40, 9, 0), "still_out"),  # 9 of 9 returned
        ((0, 40, 0, 0), "to_return"),  # all deducted
        ((0, 0, 20, 20), "deducted"),  # none deducted
    ],
)
def test_a_whole_group_in_one_part_is_not_readable(
    campaign: Campaign, row: tuple[int, int, int, int], part: str
) -> None:
    few = make_campaign(campaign, 5)
    counts = make_counts(few, [(0, 60, 20, 12)] * 4 + [row], random.Random(2))
    release = closing_release(few, counts)
    system = build_system(few, {u.unit: True for u in counts.units})
    low, high = reader_of([release], NOTHING).infer(system.at[f"u4.{part}"])
    assert low == 0
    assert high is None or high >= 1


def test_zero_returned_is_withheld_where_zero_to_return_is(campaign: Campaign) -> None:
    few = make_campaign(campaign, 5)
    release = closing_release(few, make_counts(few, [(0, 60, 20, 12)] * 4 + [(0, 40, 0, 0)], random.Random(2)))
    assert release.table("units")["u4", "returned"].status is Status.SUPPRESSED


def test_a_unit_that_has_not_reported_shows_its_status_only(campaign: Campaign) -> None:
    few = make_campaign(campaign, 4)
    release = closing_release(few, make_counts(few, [(0, 60, 20, 12)] * 3 + [(25, 0, 0, 0)], random.Random(4)))
    row = {name: release.table("units")["u3", name] for name in ("suspected", "verified", "to_return", "returned")}
    assert row["suspected"] == Cell(Status.PUBLISHED, 25)
    assert {row[name].status for name in ("verified", "to_return", "returned")} == {Status.NOT_DUE}


def test_a_sensitive_category_has_its_own_threshold(campaign: Campaign) -> None:
    few = make_campaign(campaign, 5)
    few = replace(few, publication=replace(few.publication, category_k={"I": 10}))
    counts = make_counts(few, [(0, 200, 40, 40)] * 5, random.Random(6))
    moved = dict(counts.categories) | {"I": 7, "K": counts.categories["K"] + counts.categories["I"] - 7}
    release = closing_release(few, Counts(DAY, counts.units, moved))
    assert release.table("categories")["I", "verified"].status is Status.SUPPRESSED
    low, high = release.ranges["I.verified"]
    assert low == 0
    assert high is None or high >= 10


def test_all_to_return_in_one_category_is_not_readable(campaign: Campaign) -> None:
    few = make_campaign(campaign, 6)
    counts = make_counts(few, [(0, 60, 14, 8)] * 6, random.Random(1))
    to_return = sum(counts.categories[code] for code in "IJKLM")
    moved = dict(counts.categories) | dict.fromkeys("IJKLM", 0) | {"M": to_return}
    release = closing_release(few, Counts(DAY, counts.units, moved))
    system = build_system(few, {u.unit: True for u in counts.units})
    attacker = reader_of([release], NOTHING)
    _, high = attacker.infer_difference(system.at["city.to_return"], system.at["M.verified"])
    assert high is None or high >= 1


def test_small_counts_do_not_hide_behind_children_who_cannot_be_unverified(campaign: Campaign) -> None:
    """A unit that has reported has every child verified (M8): the reader knows, so the audit must."""
    few = make_campaign(campaign, 6)
    counts = make_counts(few, [(25, 0, 0, 0)] + [(0, 60, 14, 8)] * 4 + [(0, 4, 0, 0)], random.Random(1))
    release = closing_release(few, counts)
    system = build_system(few, {u.unit: u.reported for u in counts.units})
    attacker = reader_of([release], NOTHING)
    assert attacker.infer(system.at["u5.unverified"]) == (0, 0)
    low, high = attacker.infer(system.at["u5.suspected"])
    assert low == 0
    assert high is None or high >= few.publication.k


def test_a_units_name_of_one_letter_changes_nothing(campaign: Campaign) -> None:
    few = make_campaign(campaign, 5)
    few = replace(few, units=(*few.units[:4], replace(few.units[4], slug="a")))
    release = closing_release(few, make_counts(few, [(0, 60, 20, 12)] * 4 + [(0, 40, 0, 9)], random.Random(2)))
    assert release.table("units")["a", "returned"].status is Status.SUPPRESSED


def test_verify_sees_a_whole_group_in_one_part(campaign: Campaign) -> None:
    few = make_campaign(campaign, 5)
    counts = make_counts(few, [(0, 60, 20, 12)] * 4 + [(0, 40, 0, 9)], random.Random(2))
    monkey = replace(few, publication=replace(few.publication, groups=(), k=2))
    naive = closing_release(monkey, counts)
    assert "structure" in unsafe_reason(structure_of(few), naive)
    naive = replace(naive, structure=structure_of(few))
    assert naive.table("units")["u4", "returned"].value == 0
    assert "all of 0001/u4.to_return" in unsafe_reason(structure_of(few), naive)


def test_too_few_to_hide_among_is_refused(campaign: Campaign) -> None:
    alone = make_campaign(campaign, 1)
    with pytest.raises(FuxueError, match="protect.impossible") as caught:
        closing_release(alone, make_counts(alone, [(0, 2, 1, 0)], random.Random(1)))
    assert caught.value.code == 3


def test_a_release_that_fails_the_audit_is_refused(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    few = make_campaign(campaign, 6)
    counts = make_counts(few, [(0, 60, 14, 8)] * 5 + [(0, 50, 9, 3)], random.Random(1))
    monkeypatch.setattr(closing, "suppress", lambda *_, **__: set())
    with pytest.raises(FuxueError, match="protect.unsafe") as caught:
        closing_release(few, counts)
    assert "u5.still_out" in caught.value.params["cells"]  # type: ignore[operator]


def test_primary_suppression_alone_fails_the_audit(campaign: Campaign) -> None:
    """The classic mistake: the small cell is withheld, its complement is printed."""
    few = make_campaign(campaign, 6)
    counts = make_counts(few, [(0, 60, 14, 8)] * 5 + [(0, 50, 3, 9)], random.Random(1))
    system = build_system(few, {u.unit: True for u in counts.units})
    values = true_values(system, counts, few.publication)
    figures: dict[str, Range] = {
        c.id: (v, v) for c, v in zip(system.cells, values, strict=True) if c.weight is not None
    }
    del figures["u5.returned"]
    failures = broken_promises(Attacker(system, figures), find_needs(system, values, few.publication))
    assert "u5.returned" in {failure.quantity for failure in failures}


def test_contradicting_figures_are_an_error_not_a_pass(campaign: Campaign) -> None:
    few = make_campaign(campaign, 2)
    system = build_system(few, {"u0": True, "u1": True})
    with pytest.raises(ValueError, match="contradict"):
        Attacker(system, {"u0.suspected": (3, 3), "u0.verified": (4, 4)}).infer(system.at["u1.verified"])


def test_verify_sees_a_leak_a_changed_range_and_a_wrong_sum(campaign: Campaign) -> None:
    few = make_campaign(campaign, 6)
    counts = make_counts(few, [(0, 60, 14, 8)] * 5 + [(0, 50, 9, 3)], random.Random(1))
    release = closing_release(few, counts)
    assert unsafe_reason(structure_of(few), release) == ""
    cells = dict(release.table("units").cells)
    for name, value in (("to_return", 12), ("returned", 9)):
        cells["u5", name] = Cell(Status.PUBLISHED, value)
    leaky = replace(release, tables=(*(t for t in release.tables if t.key != "units"),
                                     replace(release.table("units"), cells=cells)))  # fmt: skip
    assert "0001/u5.still_out" in unsafe_reason(structure_of(few), leaky)
    name = next(iter(release.ranges))
    assert "audit.json" in unsafe_reason(
        structure_of(few), replace(release, ranges=dict(release.ranges) | {name: (0, 1)})
    )
    wrong = {at: Cell(Status.PUBLISHED, 1) if c.value else c for at, c in release.table("city").cells.items()}
    bad = replace(release, tables=(replace(release.table("city"), cells=wrong), *release.tables[1:]))
    assert "contradict" in unsafe_reason(structure_of(few), bad)


ROW = st.tuples(st.integers(0, 6), st.integers(0, 60), st.integers(0, 12), st.integers(0, 12))


@pytest.mark.parametrize("examples", [10, pytest.param(40, marks=pytest.mark.prove)])
def test_whatever_the_counts_nothing_small_is_inferred(campaign: Campaign, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, derandomize=True)
    @given(rows=st.lists(ROW, min_size=3, max_size=9), seed=st.integers(0, 99))
    def nothing_small(rows: list[tuple[int, int, int, int]], seed: int) -> None:
        assert_nothing_small(campaign, rows, seed)

    nothing_small()


def assert_nothing_small(campaign: Campaign, rows: list[tuple[int, int, int, int]], seed: int) -> None:
    few = make_campaign(campaign, len(rows))
    counts = make_counts(few, rows, random.Random(seed))
    try:
        release = closing_release(few, counts)
    except FuxueError as error:
        assert error.key == "protect.impossible"  # refused, not leaked
        return
    system = build_system(few, {u.unit: u.reported for u in counts.units})
    attacker = reader_of([release], NOTHING)
    for cell, value in zip(system.cells, true_values(system, counts, few.publication), strict=True):
        low, high = attacker.infer(system.at[cell.id])
        assert low <= value
        assert high is None or value <= high
        if 0 < value < few.publication.k and not cell.known:
            assert low == 0
            assert high is None or high >= few.publication.k


def _vectors(figures: dict[str, int], campaign: Campaign, unit: str, most: int) -> Iterator[tuple[int, ...]]:
    """All states of one unit that fit its printed figures."""
    for atoms in itertools.product(range(most + 1), repeat=4):
        if sum(atoms) > most:
            continue
        named = dict(zip(ATOMS, atoms, strict=True))
        named["to_return"] = named["returned"] + named["still_out"]
        named["verified"] = named["deducted"] + named["to_return"]
        named["suspected"] = named["unverified"] + named["verified"]
        if all(figures.get(f"{unit}.{name}", value) == value for name, value in named.items()):
            yield atoms


def _brute_force(campaign: Campaign, figures: dict[str, int], most: int) -> dict[str, set[int]]:
    """Every value that each unit's measure takes over all whole-number tables that fit all printed figures."""
    units = [unit.slug for unit in campaign.units]
    groups = {g: [c.code for c in campaign.categories if c.group == g] for g in ("deducted", "to_return")}
    seen: dict[str, set[int]] = {}
    for vectors in itertools.product(*(list(_vectors(figures, campaign, unit, most)) for unit in units)):
        city = [sum(column) for column in zip(*vectors, strict=True)]
        named = dict(zip(ATOMS, city, strict=True))
        named["to_return"] = named["returned"] + named["still_out"]
        named["verified"] = named["deducted"] + named["to_return"]
        named["suspected"] = named["unverified"] + named["verified"]
        if any(figures.get(f"city.{name}", value) != value for name, value in named.items()):
            continue
        if not all(_fits([figures.get(f"{c}.verified") for c in codes], named[g]) for g, codes in groups.items()):
            continue
        for unit, vector in zip(units, vectors, strict=True):
            for atom, value in zip(ATOMS, vector, strict=True):
                seen.setdefault(f"{unit}.{atom}", set()).add(value)
    return seen


def _fits(parts: list[int | None], total: int) -> bool:
    known = sum(part for part in parts if part is not None)
    return known == total or (known < total and None in parts)


def _attack(campaign: Campaign, seed: int) -> bool:
    """One random tiny county, k = 3: the audit's ranges are those of enumeration. True if it could be released."""
    random_ = random.Random(seed)
    few = make_campaign(campaign, 2, codes="ABIK", k=3)
    rows = [tuple(random_.choice((0, 0, 1, 2, 3, 4)) for _ in range(4)) for _ in range(2)]
    counts = make_counts(few, rows, random_)  # type: ignore[arg-type]
    try:
        release = closing_release(few, counts)
    except FuxueError as error:
        assert error.key == "protect.impossible"
        return False
    system = build_system(few, {u.unit: u.reported for u in counts.units})
    figures = {cell: low for cell, (low, high) in published_bounds(release, system).items() if low == high}
    attacker = reader_of([release], NOTHING)
    truth = _brute_force(few, figures, sum(map(sum, rows)))
    for name, values in truth.items():
        assert attacker.infer(system.at[name]) == (min(values), max(values))
    for unit in counts.units:
        for atom, value in unit.atoms.items():
            if 0 < value < 3:
                assert min(truth[f"{unit.unit}.{atom}"]) == 0
                assert max(truth[f"{unit.unit}.{atom}"]) >= 3
    return True


def test_the_audit_infers_what_enumeration_finds(campaign: Campaign) -> None:
    assert sum(_attack(campaign, seed) for seed in range(8)) >= 3


@pytest.mark.prove
def test_the_audit_infers_what_enumeration_finds_in_hundreds_of_counties(campaign: Campaign) -> None:
    assert sum(_attack(campaign, seed) for seed in range(8, 308)) >= 100
