"""Whether what is told of a geography leaves its small counts open: blocks checked by adding up their tables.

Shares no code with what made the blocks. A table of a block is the counts with one of its changes. It is a table of the
whole geography if each part carries its row on below; that is so if the part's own block has a table for it, and so on.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from etl.proof.geography import Block, CountMatrix, Geography, Mask


def unsafe(geography: Geography, blocks: Iterable[Block]) -> Iterator[str]:
    """What is wrong, a line each: a count of which too much is told, or a block that does not hold together.

    A block must come after the one that it lies in; ``count 7.3`` is the count of place 7 in column 3.
    """
    left, demands = set(geography.parts), {0: set[bytes]()}
    if geography.goals[0].any():
        yield "block 0: its own row is told"
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
    """Tables that are none, or that differ from the true one in what a reader knows."""
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
        yield "what is told or known changes"


def _readable(geography: Geography, block: Block) -> Iterator[str]:
    """Small counts of the parts that are told, or that no table takes to zero, or none to their goal."""
    parts = geography.parts[block.place]
    counts, goals = geography.counts[list(parts)], geography.goals[list(parts)]
    tables = counts + np.concatenate([block.own, block.carried])[:, 1:]
    is_open: Mask = block.withheld & (tables == 0).any(axis=0) & (tables >= goals).any(axis=0)
    for row, column in np.argwhere((goals > 0) & ~is_open):
        yield f"count {parts[row]}.{column}"


def _distinct(changes: CountMatrix) -> set[bytes]:
    """Changes of a row, each once, without that of nothing."""
    return {change.tobytes() for change in np.ascontiguousarray(changes, dtype=np.int64) if change.any()}
