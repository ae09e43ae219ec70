"""Reading 附件5, which a unit hands in with 附件4: found by its thirteen headings; figures with cell addresses."""

import re
from collections.abc import Iterator, Mapping, Sequence

from etl.exchange.submission import CountyRow, Figure, Summary
from etl.forms.definitions import ANNEX5
from etl.forms.sheet import Grid, cell_address, same_heading

CODES = tuple(column.key for column in ANNEX5.columns if len(column.key) == 1)
#: A category's heading: the code, alone or followed by a dot and the name.
_HEADING = re.compile(r"([A-Z])(?:[.、,].*)?")
_OTHERS = {same_heading(column.heading): column.key for column in ANNEX5.columns if column.key not in CODES}
#: How many rows above the thirteen headings may have the other headings; the most rows of figures below them.
_ABOVE, BELOW = 2, 40

_TOTAL = "总计"


def read_annex5(grids: Mapping[str, Grid]) -> Summary | None:
    """The first sheet with the form's header, with its rows of figures; None if there is none. `grids` are by name."""
    found = _find_form(grids)
    return Summary(found[0], _rows(*found[1:])) if found else None


def read_places(grids: Mapping[str, Grid], most: int) -> tuple[str, tuple[CountyRow, ...]] | None:
    """(the sheet's name, its rows with places and figures); None if no sheet has the form's header.

    Rows end with 总计, or after `most`. A figure that is no whole number is None.
    """
    found = _find_form(grids)
    return (found[0], tuple(_places(*found[1:], most))) if found else None


def _find_form(grids: Mapping[str, Grid]) -> tuple[str, Grid, int, dict[str, int]] | None:
    """(the sheet's name to show, its cells, index of the first row of figures, column index by key)."""
    for number, (name, grid) in enumerate(grids.items(), start=1):
        for index, row in enumerate(grid[:30]):
            at = _categories(row)
            if at is not None:
                at |= _others(grid[max(index - _ABOVE, 0) : index + 1])
                return name if name == ANNEX5.sheet else f"第{number}张表", grid, index + 1, at
    return None


def _places(grid: Grid, first: int, at: Mapping[str, int], most: int) -> Iterator[CountyRow]:
    keys = [key for key in ("suspected", *CODES, "returned") if key in at]
    for index, row in enumerate(grid[first : first + most], start=first):
        texts = [same_heading(str(value)) for value in row]
        is_total = _TOTAL in texts
        if sum(text.endswith(":") for text in texts) >= 2 or not (any(texts) or is_total):
            return
        figures = {key: Figure(_number(row[at[key]]), cell_address(index, at[key])) for key in keys}
        if not is_total and all(figure.number is None for figure in figures.values()):
            return  # a remark below the table
        city, county = (str(row[at[key]]).strip() if key in at else "" for key in ("city", "county"))
        yield CountyRow(city, county, figures, is_total)
        if is_total:
            return


def _categories(row: Sequence[object]) -> dict[str, int] | None:
    if len(row) < len(CODES):
        return None
    found = [_HEADING.fullmatch(same_heading(str(value))) for value in row]
    codes = [match[1] if match else "" for match in found]
    return {code: codes.index(code) for code in CODES} if all(codes.count(code) == 1 for code in CODES) else None


def _others(rows: Grid) -> dict[str, int]:
    """Column index by key of the headings other than the thirteen."""
    found = {}
    for row in rows:
        for at, value in enumerate(row):
            key = _OTHERS.get(same_heading(str(value)))
            if key:
                found[key] = at
    return found


def _rows(grid: Grid, first: int, at: Mapping[str, int]) -> tuple[Mapping[str, Figure], ...]:
    """The rows of figures: the first row with any text, rows with 总计, and rows with a number for a category."""
    rows: list[Mapping[str, Figure]] = []
    for index, row in enumerate(grid[first : first + BELOW], start=first):
        texts = [same_heading(str(value)) for value in row]
        if sum(text.endswith(":") for text in texts) >= 2:  # the footer's labels
            break
        # The first row counts even without figures: its formulas may never have been calculated.
        is_meant = not rows and any(texts)
        if is_meant or _TOTAL in texts or any(_number(row[at[code]]) is not None for code in CODES):
            rows.append({key: Figure(_number(row[column]), cell_address(index, column))
                         for key, column in at.items() if key in (*CODES, "suspected", "returned")})  # fmt: skip
    return tuple(rows)


def _number(value: object) -> int | None:
    """The whole number in a cell, also one typed as text; None if there is none."""
    text = str(value).strip()
    if isinstance(value, float) and value.is_integer():
        text = str(int(value))
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None
