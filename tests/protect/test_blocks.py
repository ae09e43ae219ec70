"""Geographies protected block by block: what is withheld hides every small count in the whole, and the audit sees."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bench.disclosure.block_audit import unsafe
from bench.disclosure.blocks import protect_block, suppress_blocks
from bench.disclosure.cubes import campaign_cube
from bench.disclosure.geography import Block, Geography
from bench.disclosure.places import geography_of
from etl.findings import FuxueError
from etl.proof.attacker import Attacker, explore
from etl.proof.tables import System, SystemCell

K = 5
#: Parts by level; the last are units.
SHAPES = [(9,), (5, 4), (3, 2, 4), (2, 9)]


def made(seed: int, *widths: int, costs: str = "count") -> tuple[Geography, list[Block]]:
    geography = geography_of(campaign_cube(seed, *widths), K, costs)
    return geography, list(suppress_blocks(geography))


def readable(geography: Geography, blocks: list[Block]) -> list[str]:
    """What a reader of the rest sees through, by one linear programme over the whole."""
    places, width = geography.counts.shape
    ids = [f"{place}.{column}" for place in range(places) for column in range(width)]
    cells = tuple(SystemCell(name, "unit", "", "", 1, False, False) for name in ids)
    starts = range(0, places * width, width)
    sums = [(at + whole, tuple(at + part for part in parts)) for at in starts for whole, parts in geography.sums]
    for place, parts in geography.parts.items():
        sums += [(place * width + column, tuple(part * width + column for part in parts)) for column in range(width)]
    hidden = {
        int(geography.parts[block.place][row] * width + column)
        for block in blocks
        for row, column in np.argwhere(block.withheld)
    }
    values = geography.counts.reshape(-1).tolist()
    published = {ids[at]: (value, value) for at, value in enumerate(values) if at not in hidden}
    goals = {int(at): int(geography.goals.flat[at]) for at in np.flatnonzero(geography.goals)}
    attacker = Attacker(System(cells, tuple(sums), ()), published)
    _, unmet = explore(attacker, goals, lambda seen, k: min(seen) == 0 and max(seen) >= k)
    return [ids[at] for at in unmet]


@pytest.mark.parametrize("widths", SHAPES)
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.prove) for seed in (1, 2))])
def test_no_small_count_can_be_read_from_all_blocks_together(widths: tuple[int, ...], seed: int) -> None:
    geography, blocks = made(seed, *widths)
    assert (geography.goals > 0).sum() > 20
    assert list(unsafe(geography, blocks)) == []
    assert readable(geography, blocks) == []


def test_a_block_published_alone_is_read() -> None:
    geography, blocks = made(1, 5, 4)
    bare = [replace(block, withheld=np.zeros_like(block.withheld)) for block in blocks]
    assert len(readable(geography, bare)) == (geography.goals > 0).sum()


def test_a_small_place_of_which_the_parts_are_small_changes_with_them() -> None:
    """A part cannot reach its goal while its place's own small count stays as it is."""
    _, blocks = made(0, 3, 2, 4)
    of = {block.place: block for block in blocks}
    changed = [place for place, block in of.items() if len(block.carried)]
    assert changed
    assert all((block.carried[:, 0] != 0).any(axis=1).all() for block in of.values() if len(block.carried))


def test_processes_side_by_side_find_the_same() -> None:
    geography, alone = made(2, 5, 4)
    with ProcessPoolExecutor(2) as pool:
        together = list(suppress_blocks(geography, pool))
    assert [block.place for block in alone] == [block.place for block in together]
    assert all((one.withheld == other.withheld).all() for one, other in zip(alone, together, strict=True))


def test_sparing_withholds_less_and_stays_safe() -> None:
    geography, blocks = made(1, 2, 9)
    fewer = list(suppress_blocks(geography, sparing=True))
    assert list(unsafe(geography, fewer)) == []
    assert sum(block.withheld.sum() for block in fewer) < sum(block.withheld.sum() for block in blocks)


def test_what_is_known_stays_published() -> None:
    geography = geography_of(campaign_cube(1, 30), K, "count", as_argus=True)
    (block,) = suppress_blocks(geography)
    assert list(unsafe(geography, [block])) == []
    assert not block.withheld[geography.counts[list(geography.parts[0])] == 0].any()


def test_a_count_that_cannot_be_hidden_is_named() -> None:
    counts = np.array([[7], [3], [4]])
    geography = Geography({0: (1, 2)}, counts, (), np.array([[0], [9], [0]]), np.ones_like(counts))
    with pytest.raises(FuxueError) as caught:
        list(suppress_blocks(geography))
    assert caught.value.params["cell"] == "1.0"


def test_a_change_from_above_that_no_part_can_carry_is_refused() -> None:
    """The parts are known to everybody, so their sum cannot be another one."""
    counts = np.array([[7], [3], [4]])
    known = Geography({0: (1, 2)}, counts, (), np.zeros_like(counts), np.array([[1], [0], [0]]))
    with pytest.raises(FuxueError, match=r"protect\.impossible") as caught:
        protect_block(known, 0, np.array([[5]]))
    assert caught.value.code == 3


def _tampered(blocks: list[Block]) -> Iterator[tuple[str, list[Block]]]:
    """Blocks spoilt, and what the audit must say."""
    at = next(number for number, block in enumerate(blocks) if len(block.carried))
    block = blocks[at]
    row, column = np.argwhere(block.withheld)[0]

    def spoilt(**changes: Any) -> list[Block]:
        return [*blocks[:at], replace(block, **changes), *blocks[at + 1 :]]

    def moved(rows: slice, by: int) -> list[Block]:
        own = block.own.copy()
        own[0, rows, 0] += by
        return spoilt(own=own)

    withheld = block.withheld.copy()
    withheld[row, column] = False
    yield "a published or known count changes", spoilt(withheld=withheld)
    yield "count ", spoilt(own=block.own[:0], carried=block.carried[:1])
    yield "a change from above is not carried", spoilt(carried=block.carried[:0])
    yield "rows do not add up", moved(slice(1, 2), 1)
    yield "columns do not add up", moved(slice(1, 2), 1)
    yield "a count below zero", moved(slice(1, None), -(10**6))
    yield "the place's row changes", moved(slice(0, 2), 1)
    yield "not there", [*blocks[:at], *blocks[at + 1 :]]
    yield "not expected", [*blocks, blocks[-1]]
    yield "not expected", blocks[::-1]


def test_the_audit_says_what_is_wrong_with_blocks() -> None:
    geography, blocks = made(0, 3, 2, 4)
    for words, bad in _tampered(blocks):
        assert any(words in line for line in unsafe(geography, bad)), words
    stricter = replace(geography, goals=np.maximum(geography.goals, np.eye(*geography.goals.shape, dtype=np.int64)))
    assert "block 0: its own row is published" in list(unsafe(stricter, blocks))
    known = replace(geography, prices=np.zeros_like(geography.prices))
    assert any("known count changes" in line for line in unsafe(known, blocks))
    off = replace(geography, counts=geography.counts + np.eye(*geography.counts.shape, dtype=np.int64))
    assert any("true counts" in line for line in unsafe(off, blocks))
