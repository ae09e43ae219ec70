"""What a cell is besides its text: marks that a parser of values does not give, made by each format's own scan."""

from dataclasses import dataclass, field

from etl.exchange.submission import Problem

#: Columns and filled cells of one formula that no form of ours comes near.
MOST_COLUMNS = 256
ARRAY_CELLS = 100_000


class Refused(Exception):
    """The workbook is not read on; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.rule)
        self.problem = problem


@dataclass
class Marks:
    """Cells of a sheet, as (row, column) counted from 1, whose text alone would not tell what they are."""

    formulas: set[tuple[int, int]] = field(default_factory=set)
    errors: set[tuple[int, int]] = field(default_factory=set)

    def fill(self, top: int, left: int, bottom: int, right: int, rows: int) -> None:
        """Mark every cell of an area that one formula fills; Refused if it is beyond all measure."""
        if (bottom - top + 1) * (right - left + 1) > ARRAY_CELLS:
            raise too_large(rows)
        self.formulas |= {(r, c) for r in range(top, bottom + 1) for c in range(left, right + 1)}


@dataclass(frozen=True)
class Guarded:
    """A workbook that may be parsed: the marks of each sheet by name, and what goes on record with it."""

    sheets: dict[str, Marks]
    notes: tuple[Problem, ...] = ()


def too_large(rows: int) -> Refused:
    """The refusal of a sheet that goes beyond the campaign's rows, or our columns."""
    return Refused(Problem("F05", params={"limit": f"{rows} 行"}))
