"""The closing table of a county alone: by the room rule, by a fixed ladder, by cell suppression, and by tau-ARGUS."""

import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from bench.common import campaign_here
from bench.disclosure.argus_tables import argus_figures, is_here
from bench.disclosure.campaigns import REALISTIC, days
from bench.disclosure.ladder import climb
from bench.disclosure.reading import broken, broken_for_insiders, of_interest, reader_of_table, spread, widths
from bench.disclosure.suppression.exact import suppress_exactly
from bench.disclosure.suppression.priced import needs_of_day, priced
from bench.disclosure.suppression.secondary import loners_of, suppress
from etl.proof.tables import structure_of
from etl.protect.coding import CodingTask, code_table
from etl.protect.draft import ReleaseDay
from etl.protect.room import Span
from etl.rulebook.campaign import Campaign

#: Every printed figure that is not public anyway, by cell id; None if it is withheld.
Figures = Mapping[str, Span | None]


@dataclass(frozen=True)
class Closing:
    """One county under one method.

    `figures` are all that the tables print and that are not public anyway, `small` those up to `top`. `exact` is the
    share of the others that is published exactly; a withheld figure is not. `width` adds up how far the counts that
    matter can move for a reader, the same ones whatever is printed; `width_printed` those of the figures alone.
    `median` and `widest` are how many values a reader has for a figure that is not exact. `broken` are counts of the
    day, printed or not, that should be anything from 0 to `top` for a reader, or an insider, and are not.
    """

    seed: int
    method: str
    figures: int
    small: int
    exact: float
    width: int
    width_printed: int
    median: float
    widest: int
    broken: int
    broken_not_zero: int
    broken_for_insiders: int
    protect_seconds: float
    audit_seconds: float
    audit_with_insiders_seconds: float


def county(campaign: Campaign, seed: int) -> ReleaseDay:
    """The last day of a made-up campaign, when all units have reported."""
    return ReleaseDay(campaign, list(days(campaign, REALISTIC, seed))[-1])


def task_of(day: ReleaseDay) -> CodingTask:
    """The closing table of a day without any release before it."""
    printed = {table.rows: table.measures for table in day.campaign.publication.tables}
    return CodingTask(structure_of(day.campaign), day.campaign.publication, day.values, day.reported, printed)


def printed(day: ReleaseDay, figures: Figures) -> Figures:
    """The figures of the day's tables that are not public anyway; None for those that are not given."""
    return {cell.id: figures.get(cell.id) for cell in day.system.cells if cell.printed and not cell.known}


def suppressed(day: ReleaseDay, *, formerly: bool) -> Figures:
    """The figures that the former engine publishes of the same tables or of its own; None for what it withholds."""
    system, values = priced(day.system, formerly=formerly), [day.values[cell.id] for cell in day.system.cells]
    needs = needs_of_day(day.system, values, day.campaign.publication)
    pattern = suppress_exactly(system, values, needs, seconds=10)
    withheld = suppress(system, values, needs, loners=loners_of(system, values), start=sorted(pattern.withheld))
    shown = [at for at, cell in enumerate(system.cells) if cell.weight is not None and not cell.known]
    return {system.cells[at].id: None if at in withheld else (values[at],) * 2 for at in shown}


def methods(day: ReleaseDay) -> Iterator[tuple[str, Figures, float]]:
    """Each method's figures and seconds; tau-ARGUS only if it is installed."""
    ways: dict[str, Callable[[], Figures]] = {
        "room": lambda: printed(day, code_table(task_of(day))),
        "ladder": lambda: printed(day, climb(day)),
        "suppression": lambda: suppressed(day, formerly=False),
        "suppression_own_tables": lambda: suppressed(day, formerly=True),
    }
    for method, protect in ways.items():
        began = time.process_time()
        figures = protect()
        yield method, figures, time.process_time() - began
    for method, name in (("OPT", "optimal"), ("MOD", "modular")) if is_here() else ():
        yield method, *argus_figures(day, name)


def measured(seed: int, method: str, day: ReleaseDay, figures: Figures, seconds: float) -> Closing:
    """What a reader of these figures has."""
    reader, began = reader_of_table(day, figures), time.process_time()
    plain, half = broken(day, reader), time.process_time()
    inside, ended = broken_for_insiders(day, reader), time.process_time()
    top = day.campaign.publication.top
    large = [cell for cell in figures if day.values[cell] > top(cell.partition(".")[0])]
    moves = widths(day, reader)
    open_ = [moves[cell] + 1 for cell, span in figures.items() if span != (day.values[cell],) * 2] or [1]
    return Closing(
        seed=seed,
        method=method,
        figures=len(figures),
        small=len(figures) - len(large),
        exact=round(sum(figures[cell] == (day.values[cell],) * 2 for cell in large) / len(large), 3),
        width=sum(moves[cell] for cell in of_interest(day)),
        width_printed=sum(moves[cell] for cell in figures),
        median=statistics.median(open_),
        widest=max(open_),
        broken=len(plain),
        broken_not_zero=sum(day.values[cell] > 0 for cell in plain),
        broken_for_insiders=len(inside),
        protect_seconds=round(seconds, 4),
        audit_seconds=round(half - began, 3),
        audit_with_insiders_seconds=round(ended - began, 3),
    )


def show(found: Sequence[Closing]) -> None:
    """Medians and spread of each method, and how much wider the others' figures are, county by county."""
    by_method = {one.method: [row for row in found if row.method == one.method] for one in found}
    for method, rows in by_method.items():
        for name in list(asdict(rows[0]))[2:]:
            print(f"{method} {name}: {spread([getattr(one, name) for one in rows])}")
    for method in [*by_method][1:]:
        for name in ("width", "width_printed"):
            pairs = zip(by_method["room"], by_method[method], strict=True)
            print(f"{name} of room / {method}: {spread([getattr(a, name) / getattr(b, name) for a, b in pairs])}")


def run(seeds: int) -> None:
    """Every method on the same counties; medians and spread by method, then all as JSON."""
    campaign, found = campaign_here(), list[Closing]()
    for seed in range(1, seeds + 1):
        day = county(campaign, seed)
        for method, figures, seconds in methods(day):
            found.append(measured(seed, method, day, figures, seconds))
            print(found[-1], flush=True)
    show(found)
    print(json.dumps([*map(asdict, found)]))
