"""What the benches share: what work costs, repetitions side by side, and the workbooks that a province hands out."""

import argparse
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from etl.exchange.bundle import Bundle, child_row
from etl.forms.definitions import ANNEX4
from etl.forms.id_number import check_digit
from etl.rulebook.campaign import Campaign, Unit, load_campaign
from etl.synthetic.population import Person, make_population
from etl.system.processes import end_with_parent, workers
from etl.vault.store.keys import Keys, demo_master

ROOT = Path(__file__).resolve().parent.parent
SEED, CHILDREN = 1, 1200
ISSUE = "20190219-01"
KEYS = Keys(demo_master(SEED))
TICK = os.sysconf("SC_CLK_TCK")


def campaign_here() -> Campaign:
    """The campaign that is measured."""
    return load_campaign(ROOT / "campaign")


# What work costs.


@dataclass(frozen=True)
class Clock:
    """Seconds since some moment: of the wall, of this process and all below it, of the whole machine's processors."""

    wall: float
    own: float
    machine: float

    @classmethod
    def now(cls) -> "Clock":
        """Read all three."""
        fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        idle = fields[3] + fields[4]
        return cls(time.perf_counter(), tree_seconds(), (sum(fields) - idle) / TICK)


def tree_seconds() -> float:
    """Seconds of processor of this process, of every process below it, and of those below that have ended."""
    spent: dict[int, float] = {}
    below: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile: whoever waited for it has its time
            continue
        number = int(path.parent.name)
        spent[number] = sum(map(int, fields[11:15])) / TICK
        below.setdefault(int(fields[1]), []).append(number)
    own = os.times()
    total, left = own.user + own.system + own.children_user + own.children_system, below.get(os.getpid(), [])
    while left:
        number = left.pop()
        total += spent[number]
        left = left + below.get(number, [])
    return total


@dataclass(frozen=True)
class Cost:
    """Seconds of the wall and of all processors that work took; `others` is the share that other programs had."""

    wall: float
    processor: float
    others: float

    @property
    def busy(self) -> float:
        """The share of all processors that was ours."""
        return self.processor / self.wall / workers()


def cost(work: Callable[[], object]) -> Cost:
    """What some work takes, in this process and in those that it starts."""
    before = Clock.now()
    work()
    after = Clock.now()
    wall, ours = after.wall - before.wall, after.own - before.own
    return Cost(wall, ours, max(after.machine - before.machine - ours, 0) / wall / workers())


def timed(work: Callable[[], object]) -> float:
    """Seconds of processor of this process alone: another's load on the machine counts for little."""
    before = time.process_time()
    work()
    return time.process_time() - before


def middle(values: Sequence[float], digits: int = 2) -> list[float]:
    """Median and both quartiles."""
    low, mid, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else list(values) * 3
    return [round(mid, digits), round(low, digits), round(high, digits)]


def ratios(taken: Sequence[float], base: Sequence[float]) -> list[float]:
    """Median and quartiles of how often `base` goes into `taken`, repetition by repetition."""
    return middle([one / other for one, other in zip(taken, base, strict=True)])


def processes() -> ProcessPoolExecutor:
    """A process for each processor. Spawned: a fork server that ran already would lack what our reading preloads."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers(), mp_context=context, initializer=end_with_parent)


# Questions and answers.


def parser(name: str, doc: str | None) -> argparse.ArgumentParser:
    """A bench's options."""
    return argparse.ArgumentParser(prog=f"python -m bench {name}", description=(doc or "").splitlines()[0])


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    return {"processors": workers(), "load_before": [round(value, 2) for value in os.getloadavg()]}


def show(title: str, figures: Mapping[str, Any]) -> None:
    """A block of the table."""
    print(title)
    for name, value in figures.items():
        text = "{:>12,}   {:,} – {:,}".format(*value) if isinstance(value, list) else f"{value:>12,}"
        print(f"  {name:<24}{text}", flush=True)


# What a province hands out.


@dataclass(frozen=True)
class Handed:
    """A workbook's content, and what a visit would find of its children."""

    bundle: Bundle
    people: tuple[Person, ...]


def province(campaign: Campaign, workbooks: int, rows: int) -> list[Handed]:
    """Workbooks of a size for made-up units; the same people serve again, under other serials and ID numbers."""
    people = make_population(campaign, max(rows, CHILDREN), SEED)
    handed = []
    for number in range(workbooks):
        slug = f"unit-{number:04d}"
        own = tuple(_again(people, at, slug) for at in range(number * rows, (number + 1) * rows))
        bundle = Bundle(ANNEX4, ISSUE, slug, f"第{number}单位", tuple(child_row(person.child) for person in own))
        handed.append(Handed(bundle, own))
    return handed


def _again(people: Sequence[Person], at: int, slug: str) -> Person:
    turn, which = divmod(at, len(people))
    person = people[which]
    first17 = f"{210000 + turn:06d}{person.child.id_number[6:17]}"  # another region makes it another number
    child = replace(person.child, serial=f"{at + 1:06d}", unit=slug, id_number=first17 + check_digit(first17))
    return replace(person, child=child)


def of_province(campaign: Campaign, handed: Sequence[Handed]) -> Campaign:
    """The campaign with these recipients as its units."""
    bundles = [one.bundle for one in handed]
    units = tuple(Unit(b.recipient, b.name, "镇", b.recipient.title(), ()) for b in bundles)
    return replace(campaign, units=units)
