"""The audit of a geography that was suppressed in blocks, done by adding up the blocks' tables.

It shares no code with what made the blocks. A table of a block is the true counts plus one of the block's changes. It
extends to a table of the whole geography if, for each part whose row it changes, the part's own block has a table that
changes the row in the same way, and so on downwards.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from bench.disclosure.geography import Block, CountMatrix, Geography, Mask


def unsafe(geography: Geography, blocks: Iterable[Block]) -> Iterator[str]:
    """One line for each fault: a small count that can be inferred, or a block that is inconsistent.

    Each block must come after the block that contains it. ``count 7.3`` is the count of place 7 in column 3.
    """
    left, demands = set(geography.parts), {0: set[bytes]()}
    if geography.goals[0].any():
        yield "block 0: its own row is published"
    for block in blocks:
        if block.place not in left or block.place not in demands:
            yield f"block {block.place}: not expected"
            continue
        left.remove(block.place)
        yield from (f"block {block.place}: {fault}" for fault in _faults(geography, block))
        if demands.pop(block.place) - _distinct(block.carried[:, 0]):
            yield f"block {block.place}: a change from above is not carried"
        yield from _readable(geography, block)
        for row, part in enumerate(geography.parts[block.place], 1):
            demands[part] = _distinct(block.own[:, row]) | _distinct(block.carried[:, row])
    yield from (f"block {place}: not there" for place in sorted(left))


def _faults(geography: Geography, block: Block) -> Iterator[str]:
    """Faults of tables that are not valid, or that differ from the true one in a cell that the reader knows."""
    rows = [block.place, *geography.parts[block.place]]
    counts, known = geography.counts[rows], geography.prices[rows[1:]] == 0
    every = np.concatenate([np.zeros_like(counts)[None], block.own, block.carried])
    if (counts + every < 0).any():
        yield "a count below zero"
    if any((every[:, :, whole] != every[:, :, list(parts)].sum(axis=2)).any() for whole, parts in geography.sums):
        yield "columns do not add up"
    if any((counts[:, whole] != counts[:, list(parts)].sum(axis=1)).any() for whole, parts in geography.sums):
        yield "columns of the true counts do not add up"
    if (every[:, 0] != every[:, 1:].sum(axis=1)).any() or (counts[0] != counts[1:].sum(axis=0)).any():
        yield "rows do not add up"
    if block.own[:, 0].any():
        yield "the place's row changes"
    if (every[:, 1:].any(axis=0) & (~block.withheld | known)).any():
        yield "a published or known count changes"


def _readable(geography: Geography, block: Block) -> Iterator[str]:
    """Small counts of the parts that are published, or that no table shows as zero, or none at their goal or above."""
    parts = geography.parts[block.place]
    counts, goals = geography.counts[list(parts)], geography.goals[list(parts)]
    tables = counts + np.concatenate([block.own, block.carried])[:, 1:]
    is_open: Mask = block.withheld & (tables == 0).any(axis=0) & (tables >= goals).any(axis=0)
    for row, column in np.argwhere((goals > 0) & ~is_open):
        yield f"count {parts[row]}.{column}"


def _distinct(changes: CountMatrix) -> set[bytes]:
    """The distinct changes of a row, without the zero change."""
    return {change.tobytes() for change in np.ascontiguousarray(changes, dtype=np.int64) if change.any()}
