"""A reader who runs the public program on every table that fits, and drops those that it would publish otherwise."""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from bench.common import campaign_here
from bench.disclosure.closing import county, printed, task_of
from bench.disclosure.reading import reader_of_table, small_counts, spread
from bench.disclosure.suppression.priced import needs_of_day, priced
from bench.disclosure.suppression.secondary import loners_of, suppress
from bench.disclosure.tiny import Tiny, Values
from etl.exchange.release import CITY
from etl.findings import FuxueError
from etl.proof.attacker import Attacker, ContradictionError, explore, propagate
from etl.proof.reader import public_values
from etl.proof.tables import BY_CODE, Range, structure_of
from etl.protect.coding import CodingTask, code_table
from etl.protect.draft import ReleaseDay
from etl.protect.rerun import LEAST_VALUES
from etl.protect.room import Span
from etl.rulebook.campaign import Campaign

#: (units, children) of small systems: 3,003 tables each, and 20,349, too many for the former engine.
COUNTIES = ((2, 10), (3, 6), (2, 16))
LARGE = ((2, 16),)
#: How often steps and room are made wider before nothing is published at all.
COARSER = 3
#: Whole counties, and other tables of each that are tried.
WHOLE, OTHERS = 10, 60
#: What is published of each table of a small system; None if nothing is.
Engine = Callable[[Tiny], list[Hashable]]


# Small systems, all tables of them


@dataclass(frozen=True)
class Left:
    """What is left of small counts in all tables of one small system, by one method.

    Shares of the counts of 1 to `top` of all tables, printed or not: `known`, one value is left; `surely_small`, all
    values left are from 1 to `top`. `known_with_zeros` is of the counts of 0 to `top`. `silent` is the share of tables
    of which nothing is published (in place of it there would be rounded figures); `known_by_silence` and
    `surely_small_by_silence` are the shares that are known from that alone.
    """

    units: int
    children: int
    method: str
    tables: int
    publications: int
    silent: float
    small: int
    known: float
    surely_small: float
    known_with_zeros: float
    known_by_silence: float
    surely_small_by_silence: float
    seconds: float


class Coding:
    """Our coding of any table of a small system, with both of its checks: the audit, and what a rerun would leave.

    An interval of which an end is out of reach is let through here, since a narrower one would tell no less.
    """

    def __init__(self, tiny: Tiny) -> None:
        """Each table is coded in each width; then every one is given the first that is safe for it."""
        publication = tiny.campaign.publication
        shown = {table.rows: table.measures for table in publication.tables}
        self.tiny, self.tables = tiny, list(tiny.tables())
        self.task = CodingTask(structure_of(tiny.campaign), publication, {}, tiny.reported, shown)
        self.found = dict[int, Hashable]()
        for turn in range(COARSER + 1):
            self._accept(turn)

    def _accept(self, turn: int) -> None:
        """Publish, in this width, the tables that are not published yet and for which it is safe."""
        coarse = dict.fromkeys((CITY, *BY_CODE), turn) if turn else {}
        groups = defaultdict[tuple[tuple[str, Span], ...], list[int]](list)
        for at, values in enumerate(self.tables):
            groups[tuple(sorted(code_table(replace(self.task, values=values, coarse=coarse)).items()))].append(at)
        for spans, members in groups.items():
            waiting = [at for at in members if at not in self.found]
            if waiting and self._is_safe(dict(spans)):
                left_ = self._values_left(members)
                self.found |= {at: spans for at in waiting if self._survives(self.tables[at], left_)}

    def _is_safe(self, spans: Mapping[str, Span]) -> bool:
        """The audit: whether each count keeps k values, unless it is surely large."""
        system, known = self.tiny.system, self.tiny.known
        bounds: list[Range] = [
            (known[cell.id],) * 2 if cell.known else spans.get(cell.id, (0, None)) for cell in system.cells
        ]
        values, sure = public_values(system, bounds), propagate(system, bounds)
        k, top = self.tiny.campaign.publication.k, self.tiny.top
        goals = {at: min(k, most) for at, most in enumerate(values) if most > 1 and sure[at][0] <= top}
        return not explore(Attacker(system, bounds), goals)[1]

    def _values_left(self, members: Sequence[int]) -> dict[str, int]:
        """How many values each count has in tables that are coded alike."""
        cells = [cell.id for cell in self.tiny.system.cells if not cell.known]
        return {cell: len({self.tables[at][cell] for at in members}) for cell in cells}

    def _survives(self, table: Values, values_left: Mapping[str, int]) -> bool:
        """Whether each small count of a table keeps enough values for a reader who runs the coding again."""
        return all(count >= LEAST_VALUES or table[cell] > self.tiny.top for cell, count in values_left.items())

    def published(self) -> list[Hashable]:
        """What is published of each table, None for nothing."""
        return [self.found.get(at) for at in range(len(self.tables))]


def room(tiny: Tiny) -> list[Hashable]:
    """What our coding publishes of each table, None for nothing."""
    return Coding(tiny).published()


def suppression(tiny: Tiny) -> list[Hashable]:
    """The same of the former engine, asked to hide counts of 1 to `top`, as ours does."""
    system = priced(tiny.system, formerly=False)
    publication = replace(tiny.campaign.publication, k=tiny.top + 1)
    printed_ = [at for at, cell in enumerate(system.cells) if cell.weight is not None and not cell.known]

    def engine(table: Values) -> Hashable:
        values = [table[cell.id] for cell in system.cells]
        needs = needs_of_day(tiny.system, values, publication)
        try:
            withheld = suppress(system, values, needs, loners=loners_of(system, values))
        except FuxueError:  # too few children to hide among
            return None
        return tuple((system.cells[at].id, values[at]) for at in printed_ if at not in withheld)

    return [engine(table) for table in tiny.tables()]


def unprotected(tiny: Tiny) -> list[Hashable]:
    """The same where every figure is printed as it is."""
    names = [cell.id for cell in tiny.system.cells if cell.printed]
    return [tuple(table[name] for name in names) for table in tiny.tables()]


def left(tiny: Tiny, method: str, engine: Engine) -> Left:
    """Run an engine on all tables, and see what each publication leaves."""
    began, groups = time.process_time(), defaultdict[Hashable, list[Values]](list)
    for table, published in zip(tiny.tables(), engine(tiny), strict=True):
        groups[published].append(table)
    sums = {published: _sums_of(tiny, tables) for published, tables in groups.items()}
    small, known, sure, zeros, known_zeros = np.sum([*sums.values()], axis=0).tolist()
    silent, tables_ = sums.get(None, (0,) * 5), sum(map(len, groups.values()))
    return Left(
        units=len(tiny.campaign.units),
        children=tiny.children,
        method=method,
        tables=tables_,
        publications=len(groups),
        silent=round(len(groups.get(None, [])) / tables_, 4),
        small=small,
        known=round(known / small, 4),
        surely_small=round(sure / small, 4),
        known_with_zeros=round((known + known_zeros) / (small + zeros), 4),
        known_by_silence=round(silent[1] / small, 4),
        surely_small_by_silence=round(silent[2] / small, 4),
        seconds=round(time.process_time() - began, 1),
    )


def _sums_of(tiny: Tiny, tables: Sequence[Values]) -> tuple[int, ...]:
    """Of tables published alike: the counts of 1 to `top`, those known, those surely small; zeros, and those known."""
    found = np.zeros(5, dtype=int)
    for cell in (cell.id for cell in tiny.system.cells if not cell.known):
        values = [table[cell] for table in tables]
        few, zeros = sum(0 < value <= tiny.top for value in values), values.count(0)
        is_known = len(set(values)) == 1
        is_small = min(values) > 0 and max(values) <= tiny.top
        found += np.array([few, few * is_known, few * is_small, zeros, zeros * is_known])
    return tuple(found.tolist())


# Whole counties, other tables at random


@dataclass(frozen=True)
class Reproduced:
    """One county: of how many of the other tables tried each was published alike (`alike`).

    `values` are the fewest that any small count has in tables published alike; `small` how many of them there are.
    """

    seed: int
    small: int
    values: int
    tried: int
    alike: float
    seconds: float


class Others:
    """Tables that fit a county's closing table."""

    def __init__(self, day: ReleaseDay) -> None:
        """Nothing is tried yet."""
        self.day, self.task = day, task_of(day)
        self.spans = code_table(self.task)
        self.reader = reader_of_table(day, printed(day, self.spans))
        self.draw = np.random.default_rng(0)

    def one(self, known: dict[int, Range]) -> list[int] | None:
        """A table at a random corner of those that fit, some cells being known; None if none does."""
        terms = dict(enumerate(self.draw.choice([-1, 1], len(self.day.system.cells)).tolist()))
        with self.reader.knowing(known):
            try:
                return self.reader.extreme(terms, least=True)
            except ContradictionError:
                return None

    def is_alike(self, table: Sequence[int]) -> bool:
        """Whether a table would be published with the very same figures."""
        values = {cell.id: table[at] for at, cell in enumerate(self.day.system.cells)}
        return code_table(replace(self.task, values=values)) == self.spans


def reproduced(campaign: Campaign, seed: int) -> Reproduced:
    """Try every value of each small count, and other tables at random."""
    began, day = time.process_time(), county(campaign, seed)
    others, small = Others(day), small_counts(day)
    random = [table for table in (others.one({}) for _ in range(OTHERS)) if table is not None]
    alike = [table for table in random if others.is_alike(table)]
    values = {at: {table[at] for table in alike} | {day.values[day.system.cells[at].id]} for at in small}
    for at, most in small.items():
        for value in set(range(most)) - values[at]:
            table = others.one({at: (value, value)})
            if table is not None and others.is_alike(table):
                values[at].add(value)
    return Reproduced(
        seed=seed,
        small=len(small),
        values=min(map(len, values.values())),
        tried=len(random),
        alike=round(len(alike) / len(random), 3),
        seconds=round(time.process_time() - began, 1),
    )


def _lefts(campaign: Campaign) -> Iterator[Left]:
    for units, children in COUNTIES:
        tiny = Tiny.of(campaign, units, children)
        engines: dict[str, Engine] = {"room": room, "unprotected": unprotected}
        if (units, children) not in LARGE:
            engines["suppression"] = suppression
        for method, engine in engines.items():
            yield left(tiny, method, engine)


def run(seeds: int) -> None:
    """All tables of small systems, then other tables of at most ten whole counties; all as JSON in the end."""
    campaign, lefts, whole = campaign_here(), list[Left](), list[Reproduced]()
    for one in _lefts(campaign):
        lefts.append(one)
        print(one, flush=True)
    for seed in range(1, min(seeds, WHOLE) + 1):
        whole.append(reproduced(campaign, seed))
        print(whole[-1], flush=True)
    for name in ("values", "alike"):
        print(f"whole counties, {name}: {spread([getattr(one, name) for one in whole])}")
    print(json.dumps([*map(asdict, lefts), *map(asdict, whole)]))
