"""The 附件5 that a unit hands in beside its 附件4: found by its thirteen headings, its figures with addresses."""

import re
from collections.abc import Mapping, Sequence

from etl.exchange.submission import Figure, Summary
from etl.forms.definitions import ANNEX5
from etl.forms.sheet import Grid, cell_address, same_heading

CODES = tuple(column.key for column in ANNEX5.columns if len(column.key) == 1)
#: A category's heading: the code, alone or with its name behind a dot.
_HEADING = re.compile(r"([A-Z])(?:[.、,].*)?")
_OTHERS = {same_heading(column.heading): column.key for column in ANNEX5.columns if column.key not in CODES}
#: Rows above the thirteen headings in which the other headings may stand (they span two rows), and rows of figures.
_ABOVE, BELOW = 2, 40

_TOTAL = "总计"


def read_annex5(grids: Mapping[str, Grid]) -> Summary | None:
    """The first sheet with the form's header and its rows of figures; None if there is none."""
    for number, (name, grid) in enumerate(grids.items(), start=1):
        for index, row in enumerate(grid[:30]):
            at = _categories(row)
            if at is not None:
                at |= _others(grid[max(index - _ABOVE, 0) : index + 1])
                shown = name if name == ANNEX5.sheet else f"第{number}张表"
                return Summary(shown, _rows(grid, index + 1, at))
    return None


def _categories(row: Sequence[object]) -> dict[str, int] | None:
    if len(row) < len(CODES):
        return None
    found = [_HEADING.fullmatch(same_heading(str(value))) for value in row]
    codes = [match[1] if match else "" for match in found]
    return {code: codes.index(code) for code in CODES} if all(codes.count(code) == 1 for code in CODES) else None


def _others(rows: Grid) -> dict[str, int]:
    """Columns of the headings besides the thirteen, by key."""
    found = {}
    for row in rows:
        for at, value in enumerate(row):
            key = _OTHERS.get(same_heading(str(value)))
            if key:
                found[key] = at
    return found


def _rows(grid: Grid, first: int, at: Mapping[str, int]) -> tuple[Mapping[str, Figure], ...]:
    """Rows in which a category's cell is filled or has been meant to be: those that begin with a place or 总计."""
    rows: list[Mapping[str, Figure]] = []
    for index, row in enumerate(grid[first : first + BELOW], start=first):
        texts = [same_heading(str(value)) for value in row]
        if sum(text.endswith(":") for text in texts) >= 2:  # the footer's labels
            break
        # The first row is meant to hold figures even if nobody calculated them.
        is_meant = not rows and any(texts)
        if is_meant or _TOTAL in texts or any(_number(row[at[code]]) is not None for code in CODES):
            rows.append({key: Figure(_number(row[column]), cell_address(index, column))
                         for key, column in at.items() if key in (*CODES, "suspected", "returned")})  # fmt: skip
    return tuple(rows)


def _number(value: object) -> int | None:
    """A whole number, also one that was typed as text; None if it is none."""
    text = str(value).strip()
    if isinstance(value, float) and value.is_integer():
        text = str(int(value))
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None
