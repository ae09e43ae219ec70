"""Attacks by a stranger who tries every table: each succeeds on a naive release and fails on ours."""

import itertools
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from etl.exchange.counts import Counts
from etl.exchange.release import NOTHING, Release
from etl.findings import FuxueError
from etl.proof.history import reader_of
from etl.proof.reader import readable
from etl.protect import closing
from etl.protect.closing import closing_release
from etl.rulebook.campaign import Campaign
from tests.support import naive
from tests.support.attacks import exposed, read, ruled_out
from tests.support.attacks_search import MOST, Guess, Puzzle
from tests.support.homes import ROOT
from tests.support.small_counts import make_counts
from tests.support.tiny_tables import SECRET, K, Rows, small, tiny


def county(few: Campaign, seed: int) -> Counts:
    """Children not verified, deducted, returned, still out of each unit: few, and often none."""
    draw = random.Random(seed)
    return make_counts(few, [tuple(draw.choice((0, 0, 1, 2, 3, 4)) for _ in range(4)) for _ in few.units], draw)  # type: ignore[misc]


def counties(campaign: Campaign, seeds: Sequence[int]) -> Iterator[tuple[Campaign, Counts, Release]]:
    """Tiny counties of two units and of three, with our closing release where there is one."""
    for seed in seeds:
        few = tiny(campaign, 2 + seed % 2)
        counts = county(few, seed)
        try:
            yield few, counts, closing_release(few, counts, (), SECRET)
        except FuxueError as error:
            assert error.key == "protect.impossible"  # refused, not leaked


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


def attack_counties(campaign: Campaign, folder: Path, seeds: Sequence[int]) -> tuple[int, int]:
    """How many of our releases are safe, and how many that hide small counts alone are exposed."""
    ours = read_ = 0
    for number, (few, counts, release) in enumerate(counties(campaign, seeds)):
        written = naive.written(folder / f"ours {number}", [release])
        assert exposed(written) == []
        guess = Guess(read(written))
        for name in small(few, counts, written[0]):
            low, high = guess.ends(guess.puzzle.at(name))
            assert low == 0
            assert high >= K
        ours += 1
        read_ += bool(exposed(naive.written(folder / f"naive {number}", [naive.only_small_ones_hidden(few, counts)])))
    return ours, read_


def test_every_small_count_can_be_zero_and_k_by_trying_all_tables(campaign: Campaign, tmp_path: Path) -> None:
    ours, leaky = attack_counties(campaign, tmp_path, range(12))
    assert ours >= 10
    assert leaky >= 6


@pytest.mark.prove
@pytest.mark.parametrize("batch", range(8))
def test_every_small_count_can_be_zero_and_k_in_thousands_of_counties(
    campaign: Campaign, tmp_path: Path, batch: int
) -> None:
    ours, leaky = attack_counties(campaign, tmp_path, range(1000 + 300 * batch, 1300 + 300 * batch))
    print(f"of 300 counties ours {ours}, exposed none; small counts alone hidden: exposed {leaky}")
    assert ours >= 250
    assert leaky >= 150


@pytest.mark.parametrize("row", [(0, 4, 0, 5), (0, 4, 5, 0), (0, 8, 0, 0), (0, 0, 4, 4)])
def test_a_group_seen_to_be_all_in_one_part_is_revealed_by_exact_figures_and_not_by_ours(
    campaign: Campaign, tmp_path: Path, row: tuple[int, int, int, int]
) -> None:
    few = tiny(campaign, 3)
    counts = make_counts(few, [(0, 9, 5, 4), (0, 8, 4, 6), row], random.Random(1))
    found = exposed(naive.written(tmp_path / "naive", [naive.only_small_ones_hidden(few, counts)]))
    assert any(name.startswith("0001/u2.") and ": u2." in name for name in found)
    assert exposed(naive.written(tmp_path / "ours", [closing_release(few, counts, (), SECRET)])) == []


def test_tables_that_share_sums_are_read_together_unless_protected_together(campaign: Campaign, tmp_path: Path) -> None:
    few, leaky = tiny(campaign, 3), 0
    for seed in range(5):
        draw = random.Random(seed)
        rows: Rows = [(0, draw.randrange(5), draw.randrange(5), draw.randrange(5)) for _ in range(3)]
        counts = make_counts(few, rows, draw)
        leaky += bool(exposed(naive.written(tmp_path / f"naive {seed}", [naive.each_table_by_itself(few, counts)])))
        assert exposed(naive.written(tmp_path / f"ours {seed}", [closing_release(few, counts, (), SECRET)])) == []
    assert leaky >= 2


def known_to_one(folder: Path, few: Campaign, counts: Counts, release: Release) -> list[str]:
    """All that any one who is of a count of one or two can rule out of the others."""
    (written,) = naive.written(folder, [release])
    counted = small(few, counts, written)
    return [
        name
        for own in counted.items()
        for name in ruled_out([written], own, {name: K for name in counted if name != own[0]})
    ]


def attack_by_families(campaign: Campaign, folder: Path, seeds: Sequence[int], patch: pytest.MonkeyPatch) -> int:
    """How many counties a family of one or two reads, where suppression forgets that they know their count."""
    leaky = 0
    for number, (few, counts, release) in enumerate(counties(campaign, seeds)):
        assert known_to_one(folder / f"ours {number}", few, counts, release) == []
        with patch.context() as forgetful:
            forgetful.setattr(closing, "loners_of", lambda *_: [])
            other = closing_release(few, counts, (), SECRET)
        leaky += bool(known_to_one(folder / f"naive {number}", few, counts, other))
    return leaky


def test_a_family_that_knows_its_own_count_learns_no_other(
    campaign: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert attack_by_families(campaign, tmp_path, range(4), monkeypatch) >= 1


@pytest.mark.prove
def test_a_family_that_knows_its_own_count_learns_no_other_in_hundreds_of_counties(
    campaign: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaky = attack_by_families(campaign, tmp_path, range(5000, 5500), monkeypatch)
    print(f"of 500 counties ours: none read by a family; without regard to families: {leaky}")
    assert leaky >= 100


def compare_with_audit(campaign: Campaign, folder: Path, seeds: Sequence[int]) -> tuple[int, int]:
    """Random patterns, most of them unsafe: audit and trial name the same cells. How many were safe, how many not."""
    safe = unsafe = 0
    for seed in seeds:
        draw, few = random.Random(seed), tiny(campaign, 2 + seed % 2)
        counts = county(few, seed)
        share = draw.choice((0.2, 0.5, 0.8, 0.95))
        hidden = {at for at in naive.exact_values(few, counts) if draw.random() < share} - set(few.publication.known)
        release = naive.unprotected(few, counts, (), hidden)
        found = exposed(naive.written(folder / str(seed), [release]))
        groups = [line.split(" ") for line in readable(reader_of([release], NOTHING), [release])]
        audited = [f"{words[2]}: {words[4].split('/')[1]}" if len(words) > 1 else words[0] for words in groups]
        assert sorted(found) == sorted(audited), seed
        safe, unsafe = safe + (not found), unsafe + bool(found)
    return safe, unsafe


def test_the_audit_finds_what_trying_all_tables_finds_in_random_patterns(campaign: Campaign, tmp_path: Path) -> None:
    safe, unsafe = compare_with_audit(campaign, tmp_path, range(60))
    assert safe >= 15
    assert unsafe >= 15


@pytest.mark.prove
def test_the_audit_finds_what_trying_all_tables_finds_in_thousands_of_patterns(
    campaign: Campaign, tmp_path: Path
) -> None:
    safe, unsafe = compare_with_audit(campaign, tmp_path, range(10_000, 13_000))
    print(f"3,000 random patterns: {safe} safe, {unsafe} not, audit and trial agree on every cell")
    assert min(safe, unsafe) >= 500
