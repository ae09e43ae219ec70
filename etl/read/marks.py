"""Marks: which cells are formulas or errors. The value parser does not say; a scan for each format finds them."""

from dataclasses import dataclass, field

from etl.exchange.submission import Problem

#: The most columns of a sheet, and the most cells that one formula fills; our forms have far fewer.
MOST_COLUMNS = 256
ARRAY_CELLS = 100_000


class Refused(Exception):
    """Reading the workbook is refused; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.rule)
        self.problem = problem


@dataclass
class Marks:
    """The formula cells and the error cells of a sheet, as (row, column) counted from 1."""

    formulas: set[tuple[int, int]] = field(default_factory=set)
    errors: set[tuple[int, int]] = field(default_factory=set)

    def fill(self, top: int, left: int, bottom: int, right: int, rows: int) -> None:
        """Mark every cell of an area that one formula fills. Refused if it has more than `ARRAY_CELLS` cells.

        `rows` is the campaign's limit, which the refusal names.
        """
        if (bottom - top + 1) * (right - left + 1) > ARRAY_CELLS:
            raise too_large(rows)
        self.formulas |= {(r, c) for r in range(top, bottom + 1) for c in range(left, right + 1)}


@dataclass(frozen=True)
class Guarded:
    """A workbook that may be parsed: the marks of each sheet by name, and notes to be recorded with it."""

    sheets: dict[str, Marks]
    notes: tuple[Problem, ...] = ()


def too_large(rows: int) -> Refused:
    """The refusal of a sheet with more than `rows` rows, or too many columns."""
    return Refused(Problem("F05", params={"limit": f"{rows} 行"}))
