"""Places with their parts, counted by the same columns; what is withheld of them block by block, and its tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CountMatrix = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Geography:
    """Places with their parts (by index, place 0 is the whole), counts by place and column, sums of columns.

    A sum is a column with the columns that add up to it. `goals` says, by place and column, which counts are to be
    hidden: each must be able to be 0, and to be its goal; 0 for no need. `prices` says what withholding each costs;
    what has no price is known. The whole's own row is told as it is.
    """

    parts: Mapping[int, tuple[int, ...]]
    counts: CountMatrix
    sums: Sequence[tuple[int, tuple[int, ...]]]
    goals: CountMatrix
    prices: CountMatrix


@dataclass(frozen=True)
class Block:
    """A place with its parts. `withheld` (parts × columns) says which of their cells are not told.

    `own` are changes that leave a table that fits (… × rows × columns, the place first, then its parts) and the
    place's row as it is; between them every small count of the parts reaches both ends. `carried` has one for each
    change of the place's row that is demanded from above.
    """

    place: int
    withheld: Mask
    own: CountMatrix
    carried: CountMatrix

    def demands(self, row: int) -> CountMatrix:
        """The changes of a part (by its row here, from 1) in the block's tables, each once, without that of nothing."""
        changes = np.unique(np.concatenate([self.own, self.carried])[:, row], axis=0)
        return changes[changes.any(axis=1)]
