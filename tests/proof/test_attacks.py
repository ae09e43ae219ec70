"""Attacks by a stranger, and by a unit, who tries every table: each succeeds on a naive release and fails on ours."""

import itertools
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from etl.exchange.release import NOTHING, Release, Status
from etl.findings import FuxueError
from etl.proof.attacker import Attacker
from etl.proof.history import reader_of
from etl.proof.insiders import readable_by_insiders
from etl.proof.reader import goals_of, readable, unreached
from etl.protect import draft
from etl.protect.closing import closing_release
from etl.protect.draft import ReleaseDay
from etl.protect.interim import interim_release
from etl.rulebook.campaign import Campaign
from tests.support import attacks, naive
from tests.support.attacks import exact_small_ones, exposed, narrowed_further, read
from tests.support.attacks_search import MOST, Guess, Puzzle
from tests.support.homes import ROOT
from tests.support.tiny_tables import Rows, day_of, own_row, small, tiny, with_area

MAKES = {"close": closing_release, "before": interim_release}


def county(campaign: Campaign, seed: int) -> ReleaseDay:
    """Two to four units, every third time with an area over two of them; counts are few, and one in ten is silent."""
    draw, units = random.Random(seed), 2 + seed % 3
    few = with_area(tiny(campaign, max(units, 3))) if seed % 6 == 4 else tiny(campaign, units)
    counts = (0, 0, 1, 2, 3, 4, 5, 7, 9)
    rows: Rows = [
        (draw.choice(counts) * (draw.random() < 0.1), *(draw.choice(counts) for _ in range(3)))  # type: ignore[misc]
        for _ in few.units
    ]
    return day_of(few, rows, seed)


def counties(campaign: Campaign, seeds: Sequence[int], how: str) -> Iterator[tuple[int, ReleaseDay, Release]]:
    """Tiny counties with our release where there is one."""
    for seed in seeds:
        day = county(campaign, seed)
        try:
            yield seed, day, MAKES[how](day)
        except FuxueError as error:
            assert error.key == "protect.unsafe"  # refused, not leaked


def test_the_stranger_knows_nothing_of_the_engine() -> None:
    sources = sorted((ROOT / "tests/support").glob("attacks*.py"))
    assert len(sources) == 3
    for source in sources:
        assert not re.search(r"^\s*(import|from) (etl|highspy|bench)\b", source.read_text(encoding="utf-8"), re.M)


def test_the_search_finds_each_table_once() -> None:
    """Two by two cells with all sums, against plain counting."""
    sums = ((4, (0, 1)), (5, (2, 3)), (6, (0, 2)), (7, (1, 3)), (8, (4, 5)), (8, (6, 7)))
    rules = tuple((((whole, -1), *((part, 1) for part in parts)), 0, 0) for whole, parts in sums)
    for first, row in itertools.product(range(4), range(5)):
        low, high = [0] * 8 + [6], [MOST] * 4 + [row] + [MOST] * 3 + [6]
        low[4], low[6] = row, first
        puzzle = Puzzle(tuple("abcdefghi"), tuple(low), tuple(high), rules, [1] * 9)
        found = sorted(table[:4] for table in puzzle.tables())
        plain = [
            t
            for t in itertools.product(range(7), repeat=4)
            if sum(t) == 6 and sum(t[:2]) == row and t[0] + t[2] >= first
        ]
        assert found == plain
        guess = Guess(puzzle)
        assert [guess.values(cell) for cell in range(4)] == [sorted({t[cell] for t in plain}) for cell in range(4)]


def by_units(day: ReleaseDay, folders: Sequence[Path]) -> list[str]:
    """The small counts of which a unit that knows its own row is left with too few values."""
    counted = small(day, folders[-1])
    every = ((unit.slug, exposed(folders, own=own_row([day], unit.slug))) for unit in day.campaign.units)
    return [f"{name}, by {unit}" for unit, found in every for name in found if name in counted]


def attack_counties(campaign: Campaign, folder: Path, seeds: Sequence[int], how: str) -> tuple[int, int, int]:
    """How many of our releases are safe; how many that only hide small counts a stranger reads, and a unit."""
    ours = strangers = units = 0
    for seed, day, release in counties(campaign, seeds, how):
        written = naive.written(folder / f"ours {seed}", [release])
        assert exposed(written) == [], seed
        assert attacks.unreached(written[0]) == [], seed
        assert exact_small_ones(written) == [], seed
        assert by_units(day, written) == [], seed
        ours += 1
        careless = naive.written(folder / f"naive {seed}", [naive.only_small_ones_hidden(day)])
        strangers += bool(exposed(careless))
        units += bool(by_units(day, careless))
    return ours, strangers, units


@pytest.mark.parametrize("how", MAKES)
def test_every_count_keeps_k_values_for_strangers_and_units_by_trying_all_tables(
    campaign: Campaign, tmp_path: Path, how: str
) -> None:
    ours, strangers, units = attack_counties(campaign, tmp_path, range(12), how)
    assert ours >= 9
    assert min(strangers, units) >= 6


@pytest.mark.prove
@pytest.mark.parametrize("how", MAKES)
@pytest.mark.parametrize("batch", range(8))
def test_every_count_keeps_k_values_for_strangers_and_units_in_thousands_of_counties(
    campaign: Campaign, tmp_path: Path, batch: int, how: str
) -> None:
    seeds = range(1000 + 300 * batch, 1300 + 300 * batch)
    ours, strangers, units = attack_counties(campaign, tmp_path, seeds, how)
    print(
        f"{how}: of 300 counties {ours} released, none read by a stranger or a unit; with small counts alone hidden"
        f" {strangers} read by a stranger, {units} by a unit"
    )
    assert ours >= 240
    assert min(strangers, units) >= 150


@pytest.mark.parametrize("how", MAKES)
def test_a_unit_that_knows_how_few_children_another_has_learns_nothing_more_of_them(
    campaign: Campaign, tmp_path: Path, how: str
) -> None:
    day = day_of(tiny(campaign, 2), [(0, 0, 1, 0), (0, 3, 1, 3)], 261)
    written = naive.written(tmp_path, [MAKES[how](day)])
    assert narrowed_further(written, own_row([day], "u1")) == []


@pytest.mark.parametrize("row", [(0, 4, 0, 5), (0, 4, 5, 0), (0, 8, 0, 0), (0, 0, 4, 4), (0, 9, 9, 1)])
def test_where_all_of_a_unit_are_in_one_state_is_read_from_naive_figures_and_not_from_ours(
    campaign: Campaign, tmp_path: Path, row: tuple[int, int, int, int]
) -> None:
    day = day_of(tiny(campaign, 3), [(0, 9, 5, 4), (0, 8, 4, 6), row])
    found = exposed(naive.written(tmp_path / "naive", [naive.only_small_ones_hidden(day)]))
    assert any(name.startswith("0001/u2.") for name in found)
    ours = naive.written(tmp_path / "ours", [closing_release(day)])
    assert exposed(ours) == []
    assert by_units(day, ours) == []


def test_a_county_in_which_one_unit_has_no_child_is_released(campaign: Campaign) -> None:
    release = interim_release(day_of(tiny(campaign, 3), [(0, 9, 5, 4), (0, 8, 4, 6), (0, 0, 0, 0)]))
    assert readable(reader_of([release], release.assumed), [release]) == []
    assert {cell.status for cell in release.table("units").cells.values()} == {Status.ROUNDED}


def test_figures_that_each_lie_in_their_step_of_the_grid_narrow_each_other_unless_protected_together(
    campaign: Campaign, tmp_path: Path
) -> None:
    narrowed = 0
    for seed, day, release in counties(campaign, range(8), "close"):
        careless = naive.written(tmp_path / f"naive {seed}", [naive.each_figure_on_the_grid(day)])
        narrowed += bool(attacks.unreached(careless[0]))
        assert attacks.unreached(naive.written(tmp_path / f"ours {seed}", [release])[0]) == []
    assert narrowed >= 4


def test_tables_that_share_sums_are_read_together_unless_protected_together(campaign: Campaign, tmp_path: Path) -> None:
    few, leaky = tiny(campaign, 3), 0
    for seed in range(6):
        draw = random.Random(seed)
        day = day_of(few, [(0, *(draw.randrange(3, 12) for _ in range(3))) for _ in range(3)], seed)  # type: ignore[misc]
        leaky += bool(exposed(naive.written(tmp_path / f"naive {seed}", [naive.each_table_by_itself(day)])))
        assert exposed(naive.written(tmp_path / f"ours {seed}", [closing_release(day)])) == []
    assert leaky >= 2


def attack_by_units(campaign: Campaign, folder: Path, seeds: Sequence[int], patch: pytest.MonkeyPatch) -> int:
    """How many counties a unit reads, where neither coding nor audit thinks of units."""
    leaky = 0
    for seed, day, release in counties(campaign, seeds, "close"):
        assert by_units(day, naive.written(folder / f"ours {seed}", [release])) == [], seed
        few = replace(day.campaign, publication=replace(day.campaign.publication, insiders=False))
        with patch.context() as careless:
            careless.setattr(draft, "_by_insiders", lambda *_: [])
            try:
                other = closing_release(replace(day, campaign=few))
            except FuxueError:
                continue
        leaky += bool(by_units(day, naive.written(folder / f"naive {seed}", [other])))
    return leaky


def test_a_unit_that_knows_its_own_row_reads_another_only_where_nobody_thought_of_units(
    campaign: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert attack_by_units(campaign, tmp_path, range(12), monkeypatch) >= 1


@pytest.mark.prove
def test_a_unit_that_knows_its_own_row_reads_no_other_in_hundreds_of_counties(
    campaign: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaky = attack_by_units(campaign, tmp_path, range(5000, 5500), monkeypatch)
    print(f"of 500 counties ours: none read by a unit; without regard to units: {leaky}")
    assert leaky >= 50


def random_pattern(campaign: Campaign, seed: int, folder: Path) -> tuple[ReleaseDay, Release, list[Path]]:
    day, draw = county(campaign, seed), random.Random(seed)
    release = naive.unprotected(day, naive.random_spans(day, draw), closing=draw.random() < 0.5)
    return day, release, naive.written(folder / str(seed), [release])


def compare_with_audit(campaign: Campaign, folder: Path, seeds: Sequence[int]) -> tuple[int, int]:
    """Random patterns, most of them unsafe: audit and trial name the same counts. How many were safe, how many not.

    The audit may also name counts that are surely not small, where this takes more than adding and subtracting.
    """
    safe = unsafe = 0
    for seed in seeds:
        _, release, written = random_pattern(campaign, seed, folder)
        reader, guess, day = reader_of([release], NOTHING), Guess(read(written)), attacks.Day(written[0])
        found, audited = exposed(written), readable(reader, [release])
        assert set(found) <= set(audited), seed
        for name in set(audited) - set(found):
            low, high = guess.ends(guess.puzzle.at(name))
            assert release.closing, seed
            assert high - low < day.k(name.split("/")[1]) - 1, seed
            assert low > day.top(name.split("/")[1]), seed
        assert unreached(release) == attacks.unreached(written[0]), seed
        safe, unsafe = safe + (not found), unsafe + bool(found)
    return safe, unsafe


def test_the_audit_finds_what_trying_all_tables_finds_in_random_patterns(campaign: Campaign, tmp_path: Path) -> None:
    safe, unsafe = compare_with_audit(campaign, tmp_path, range(60))
    assert safe >= 8
    assert unsafe >= 15


@pytest.mark.prove
def test_the_audit_finds_what_trying_all_tables_finds_in_thousands_of_patterns(
    campaign: Campaign, tmp_path: Path
) -> None:
    safe, unsafe = compare_with_audit(campaign, tmp_path, range(10_000, 12_000))
    print(f"2,000 random patterns: {safe} safe, {unsafe} not, audit and trial agree on every count")
    assert min(safe, unsafe) >= 200


def compare_with_audit_of_units(campaign: Campaign, folder: Path, seeds: Sequence[int]) -> int:
    """Random patterns, read by units that know their own rows: audit and trial name the same counts. How many."""
    pairs = 0
    for seed in seeds:
        day, release, written = random_pattern(campaign, seed, folder)
        reader, cells, k = reader_of([release], NOTHING), day.system.cells, release.k
        rows = {
            unit.slug: {at: day.values[one.id] for at, one in enumerate(cells) if one.row == unit.slug}
            for unit in day.campaign.units
        }
        goals = goals_of(reader, [release])
        found = set(readable_by_insiders(Attacker(day.system, reader.bounds), rows, goals)[0])
        for unit in rows:
            guess = Guess(attacks.knowing(read(written), own_row([day], unit)))
            narrow = {
                f"{cells[at].id}, by {unit}"
                for at in goals
                if cells[at].row != unit and guess.width(f"0001/{cells[at].id}") < k - 1
            }
            assert {one for one in found if one.endswith(f", by {unit}")} == narrow, seed
            pairs += len(narrow)
    return pairs


def test_the_audit_of_units_finds_what_trying_all_tables_finds(campaign: Campaign, tmp_path: Path) -> None:
    assert compare_with_audit_of_units(campaign, tmp_path, range(20)) >= 50


@pytest.mark.prove
def test_the_audit_of_units_finds_what_trying_all_tables_finds_in_hundreds_of_patterns(
    campaign: Campaign, tmp_path: Path
) -> None:
    pairs = compare_with_audit_of_units(campaign, tmp_path, range(20_000, 20_500))
    print(f"500 random patterns: audit and trial agree on all {pairs} counts that units can read")
