"""Whether a 附件5 that another county hands in keeps the invariants of M12, cell by cell."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from etl.exchange.submission import CountyRow, Figure
from etl.forms.definitions import ANNEX5

_KEYS = tuple(column.key for column in ANNEX5.columns[2:])
_CODES, _TO_RETURN = _KEYS[1:-1], "IJKLM"


@dataclass(frozen=True)
class RollupFault:
    """Why a file cannot be added up: its name, sheet, cell, the place concerned, a key of the texts with parameters."""

    file: str
    key: str
    sheet: str = ""
    cell: str = ""
    place: str = ""
    params: dict[str, Any] = field(default_factory=dict)


def form_faults(file: str, sheet: str, rows: Sequence[CountyRow]) -> Iterator[RollupFault]:
    """All that is wrong with a form: what is missing; rows against their sums; 总计 against the rows above."""
    if not rows or not rows[-1].is_total or len(rows) < 2:
        yield RollupFault(file, "rollup.no_total", sheet)
        return
    if lacking := [key for key in _KEYS if key not in rows[-1].figures]:
        headings = "、".join(ANNEX5.column(key).heading for key in lacking)
        yield RollupFault(file, "rollup.no_column", sheet, params={"columns": headings})
        return
    for row in rows:
        yield from _of_row(file, sheet, row)
    if all(figure.number is not None for row in rows for figure in row.figures.values()):
        yield from _of_total(file, sheet, rows)


def _of_row(file: str, sheet: str, row: CountyRow) -> Iterator[RollupFault]:
    place, figures = "总计" if row.is_total else f"{row.city} {row.county}".strip(), row.figures
    if not row.is_total and not row.county:
        yield RollupFault(file, "rollup.no_place", sheet, figures["suspected"].cell)
    if bare := [figure.cell for figure in figures.values() if figure.number is None]:
        yield from (RollupFault(file, "rollup.no_number", sheet, cell, place) for cell in bare)
        return
    found, summed = _value(figures["suspected"]), sum(_value(figures[code]) for code in _CODES)
    if found != summed:
        params = {"found": found, "sum": summed}
        yield RollupFault(file, "rollup.wrong_sum", sheet, figures["suspected"].cell, place, params)
    returned, to_return = _value(figures["returned"]), sum(_value(figures[code]) for code in _TO_RETURN)
    if returned > to_return:
        params = {"found": returned, "sum": to_return}
        yield RollupFault(file, "rollup.too_many_returned", sheet, figures["returned"].cell, place, params)


def _of_total(file: str, sheet: str, rows: Sequence[CountyRow]) -> Iterator[RollupFault]:
    *own, total = rows
    for key in _KEYS:
        found, summed = _value(total.figures[key]), sum(_value(row.figures[key]) for row in own)
        if found != summed:
            params = {"found": found, "sum": summed}
            yield RollupFault(file, "rollup.wrong_total", sheet, total.figures[key].cell, "总计", params)


def _value(figure: Figure) -> int:
    return figure.number or 0
