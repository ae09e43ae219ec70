"""The closing tables of a county as tau-ARGUS can take them: units by state, and the city by category.

Both tables hold the city's suspected, deducted and to return. tau-ARGUS here takes one table at a time, so those are
set to be published in both: then neither table tells anything of the other beyond what is published, and each can be
protected by itself. Zeros are published: the engine takes them for empty, and at the first that is to be hidden it
stops. The modular method crashes on a table of one dimension, so that the categories are always protected by the
optimal one. Of every count of 1 to `top` it is asked that 0 and `top` stay possible, the promise of our own table.
"""

import importlib
import importlib.util
import time
from collections.abc import Mapping
from typing import Any

from bench.disclosure.argus import METHODS, SECONDARY, UNSAFE, Costs, Place, Table, Tree, apart, cells_of, read
from etl.exchange.release import CITY, cell_id
from etl.protect.draft import ReleaseDay
from etl.protect.room import Span

#: The engine's numbers for cells that are unsafe, and published whatever happens, by a caller's word.
UNSAFE_BY_WORD, PUBLISHED = 9, 10
#: What is in both tables.
SHARED = ("suspected", "deducted", "to_return")
#: The states of a unit that has reported, under its sums.
STATES: Tree = {
    "suspected": "",
    "deducted": "suspected",
    "to_return": "suspected",
    "returned": "to_return",
    "still_out": "to_return",
}
#: Minutes that a table may take.
MINUTES = 5


def is_here() -> bool:
    """Whether tau-ARGUS is installed."""
    return importlib.util.find_spec("pytauargus") is not None


def argus_figures(day: ReleaseDay, method: str, costs: Costs = "value") -> tuple[dict[str, Span | None], float]:
    """The printed figures by cell id under "optimal" or "modular", None if withheld; seconds of the suppression alone.

    A withheld figure costs its value: where it costs one, the widest figures are withheld, and readers left with more.
    All units of the day must have reported.
    """
    withheld, seconds = set[str](), 0.0
    for (table, places), way in ((_units(day, costs), METHODS[method]), (_categories(day, costs), METHODS["optimal"])):
        tops = {place: day.campaign.publication.top(cell.partition(".")[0]) for place, cell in places.items()}
        shared = [place for place, cell in places.items() if cell in [cell_id(CITY, name) for name in SHARED]]
        found, took = apart(_suppressed, table, way, tops, shared)
        withheld |= {places[place] for place in found}
        seconds += took
    values = {cell.id: day.values[cell.id] for cell in day.system.cells if cell.printed and not cell.known}
    return {cell: None if cell in withheld else (value, value) for cell, value in values.items()}, seconds


def _units(day: ReleaseDay, costs: Costs) -> tuple[Table, dict[Place, str]]:
    """Every unit by state, with our cell by place."""
    units = {CITY: ""} | {unit.slug: CITY for unit in day.campaign.units}
    inner: dict[Place, int] = {
        (unit.slug, state): day.values[cell_id(unit.slug, state)]
        for unit in day.campaign.units
        for state in ("deducted", "returned", "still_out")
    }
    places: dict[Place, str] = {(row, name): cell_id(row, name) for row in units for name in STATES}
    return Table.of((units, STATES), inner, day.campaign.publication.k + 1, costs), places


def _categories(day: ReleaseDay, costs: Costs) -> tuple[Table, dict[Place, str]]:
    """Every category of the city."""
    codes = {"suspected": "", "deducted": "suspected", "to_return": "suspected"}
    codes |= {one.code: one.group for one in day.campaign.categories}
    inner: dict[Place, int] = {
        (one.code,): day.values[cell_id(one.code, "verified")] for one in day.campaign.categories
    }
    places: dict[Place, str] = {
        (code,): cell_id(CITY, code) if code in SHARED else cell_id(code, "verified") for code in codes
    }
    return Table.of((codes,), inner, day.campaign.publication.k + 1, costs), places


def _suppressed(
    table: Table, method: str, tops: Mapping[Place, int], shared: list[Place]
) -> tuple[frozenset[Place], float]:
    """In a process of its own: the places that the engine withholds, and its seconds."""
    engine, back = read(table)
    for at, (place, _) in enumerate(cells_of(engine, back)):
        _prepare(engine._tau, at, tops[place], is_shared=place in shared)
    batch = importlib.import_module("pytauargus.batch")
    began = time.process_time()
    engine.suppress(batch.Suppress(method, 1, opt_max_time=MINUTES, mod_max_time=MINUTES))
    seconds = time.process_time() - began
    return frozenset(place for place, letter in cells_of(engine, back) if letter in (UNSAFE, SECONDARY)), seconds


def _prepare(tau: Any, at: int, top: int, *, is_shared: bool) -> None:
    """Set what the engine is asked for of one cell; the package has no public way to it."""
    value = round(tau.get_table_cell_value(0, at))
    if is_shared:
        tau.set_table_cell_status_cell(0, at, PUBLISHED)
    elif 0 < value <= top:
        tau.set_table_cell_status_cell(0, at, UNSAFE_BY_WORD)
        tau.set_table_cell_protection_levels(0, at, value, top - value)
