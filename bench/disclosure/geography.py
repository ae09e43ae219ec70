"""A hierarchy of places that is too large for one programme, and its blocks: what is withheld, and the witnesses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CountMatrix = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Geography:
    """A hierarchy of places, all counted in the same columns.

    `parts` gives the parts of each place (by index; place 0 is the whole). `counts`, `goals` and `prices` are places ×
    columns. A sum is a column with the columns that add up to it. A goal above 0 is a need: the count must be able to
    be 0, and to be at least its goal. A price is what withholding the count costs; 0 marks a count that is known to
    everybody. The row of place 0 is published as it is.
    """

    parts: Mapping[int, tuple[int, ...]]
    counts: CountMatrix
    sums: Sequence[tuple[int, tuple[int, ...]]]
    goals: CountMatrix
    prices: CountMatrix


@dataclass(frozen=True)
class Block:
    """A place with its parts. `withheld` (parts × columns) marks the cells that are not published.

    `own` and `carried` are changes of the true table that give other valid tables, each changes × rows × columns (the
    place first, then its parts). Those in `own` leave the place's row unchanged; those in `carried` change it, one for
    each change that the block above makes of it. Together they bring every small count of the parts to both ends.
    """

    place: int
    withheld: Mask
    own: CountMatrix
    carried: CountMatrix

    def demands(self, row: int) -> CountMatrix:
        """The distinct non-zero changes of a part's row (parts count from row 1): changes × columns."""
        changes = np.unique(np.concatenate([self.own, self.carried])[:, row], axis=0)
        return changes[changes.any(axis=1)]
