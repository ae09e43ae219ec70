"""A reader who runs the public coding again on every table that fits, and drops those that it publishes otherwise."""

import random
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from etl.exchange.counts import Counts, UnitCounts
from etl.exchange.release import Release, Status, cell_id
from etl.findings import FuxueError
from etl.protect import closing, interim
from etl.protect.closing import closing_release
from etl.protect.coding import CodingTask, code_table
from etl.protect.draft import ReleaseDay, judge
from etl.protect.rerun import LEAST_VALUES
from etl.rulebook.campaign import Campaign
from etl.rulebook.publication import ATOMS
from tests.support import naive
from tests.support.attacks import read, rerun
from tests.support.small_counts import make_campaign
from tests.support.tiny_tables import K, day_of, small

Values = Mapping[str, int]


@dataclass(frozen=True)
class Left:
    """A small count, and its values in all tables that fit, and in those of them that are published alike."""

    count: int
    fit: set[int]
    alike: set[int]

    def is_known(self) -> bool:
        return len(self.alike) == 1

    def is_surely_small(self, top: int) -> bool:
        """Whether it is known to be from 1 to `top`: with 0 among its values, nothing is known of any child."""
        return min(self.alike) > 0 and max(self.alike) <= top


def county(campaign: Campaign, seed: int) -> ReleaseDay:
    """Two or three units, two categories, and in every second county no reader who is a unit."""
    draw, units = random.Random(seed), 2 + seed % 2
    few = make_campaign(campaign, units, codes="AI", k=K)
    few = replace(few, publication=replace(few.publication, insiders=seed % 4 < 2))
    counts = (0, 1, 2, 4, 8, 14, 22, 30)
    return day_of(few, [(0, *(draw.choice(counts) for _ in range(3))) for _ in few.units], seed)  # type: ignore[misc]


def pair(campaign: Campaign, seed: int, *, insiders: bool) -> ReleaseDay:
    """Two units and two categories, with or without readers who are units."""
    draw, few = random.Random(seed), make_campaign(campaign, 2, codes="AI", k=K)
    few = replace(few, publication=replace(few.publication, insiders=insiders))
    counts = (0, 1, 2, 4, 9, 14, 22, 30)
    return day_of(few, [(0, *(draw.choice(counts) for _ in range(3))) for _ in few.units], seed)  # type: ignore[misc]


def released(day: ReleaseDay, patch: pytest.MonkeyPatch) -> tuple[Release, CodingTask] | None:
    """Our closing release, and the task that was coded for it in the end; None if it is refused."""
    tasks: list[CodingTask] = []
    with patch.context() as watched:
        watched.setattr(closing, "code_table", lambda task: tasks.append(task) or code_table(task))  # type: ignore[func-returns-value]
        try:
            release = closing_release(day)
        except FuxueError:
            return None
    return release, tasks[-1]


def tables_of(folder: Path, most: int) -> list[Values]:
    """All tables that fit a release; none if there are more than `most`, or more children than the search takes."""
    puzzle, found = read([folder]), list[Values]()
    names = [name.split("/")[1] for name in puzzle.names]
    for table in puzzle.tables():
        if len(found) == most:
            return []
        found.append(dict(zip(names, table, strict=True)))
    return found


def left_of(
    day: ReleaseDay, folder: Path, engine: Callable[[Values], Hashable], tables: Sequence[Values]
) -> Iterator[Left]:
    """What is left of each small count."""
    alike = rerun(tables, engine, engine(day.values))
    for name, count in small(day, folder).items():
        cell = name.split("/")[1]
        yield Left(count, *({table[cell] for table in way} for way in (tables, alike)))


def ours(task: CodingTask) -> Callable[[Values], Hashable]:
    """Our coding, inside the published rounded figures, as wide as it was in the end."""
    return lambda values: tuple(sorted(code_table(replace(task, values=values)).items()))


def by_size(day: ReleaseDay) -> Callable[[Values], Hashable]:
    """A coding that hides 1 … top, and beside a single one the smallest other of its column; zeros are exact."""

    def engine(values: Values) -> Hashable:
        made = naive.each_table_by_itself(day, values, zeros=True)
        return tuple(sorted(naive.spans_of(made).items()))

    return engine


@dataclass
class Shares:
    """Small counts, how many of them are known exactly, and how many are known to be small though not zero."""

    counties: int = 0
    every: int = 0
    known: int = 0
    small: int = 0
    few: int = 0

    def add(self, found: Sequence[Left]) -> None:
        self.counties += 1
        self.every += len(found)
        self.known += sum(one.is_known() for one in found)
        self.small += sum(one.is_surely_small(K) for one in found)
        self.few += sum(len(one.alike) < LEAST_VALUES for one in found)

    def __str__(self) -> str:
        """In words."""
        known, small = (f"{100 * count / self.every:.1f} %" for count in (self.known, self.small))
        return f"in {self.counties} counties, of {self.every} small counts {known} known exactly, {small} surely small"


def attack(
    campaign: Campaign, folder: Path, seeds: Sequence[int], most: int, patch: pytest.MonkeyPatch
) -> tuple[dict[str, Shares], int]:
    """The shares for ours and for naive codings in the same counties; in how many ours is not rounded figures alone."""
    shares, coded = {name: Shares() for name in ("ours", "small ones by size", "exact")}, 0
    for seed in seeds:
        day = county(campaign, seed)
        made = released(day, patch)
        if made is None:
            continue
        (written,) = naive.written(folder / f"ours {seed}", [made[0]])
        tables = tables_of(written, most)
        if not tables:
            continue
        shares["ours"].add(list(left_of(day, written, ours(made[1]), tables)))
        coded += not made[1].opaque
        for name, release, engine in (
            ("small ones by size", naive.each_table_by_itself(day, day.values, zeros=True), by_size(day)),
            ("exact", naive.unprotected(day), lambda values: tuple(sorted(values.items()))),
        ):
            (other,) = naive.written(folder / f"{name} {seed}", [release])
            shares[name].add(list(left_of(day, other, engine, tables_of(other, most))))
    return shares, coded


def test_running_the_coding_again_leaves_three_values_of_each_small_count(
    campaign: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares, coded = attack(campaign, tmp_path, range(60), 300, monkeypatch)
    assert shares["ours"].every >= 20
    assert coded >= 1
    assert (shares["ours"].known, shares["ours"].few) == (0, 0)
    assert shares["exact"].known == shares["exact"].every
    assert 4 * shares["small ones by size"].known >= shares["small ones by size"].every
    assert 2 * shares["ours"].small < shares["exact"].small


@pytest.mark.prove
def test_what_is_left_by_running_the_coding_again_in_many_counties(
    campaign: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares, coded = attack(campaign, tmp_path, range(1000, 1400), 3000, monkeypatch)
    for name, share in shares.items():
        print(f"{name}: {share}")
    print(f"{coded} of ours have more than rounded figures")
    assert (shares["ours"].known, shares["ours"].few) == (0, 0)
    assert shares["ours"].every >= 200


class Whole:
    """The whole engine, not its coding alone, run on other tables with the same rounded figures.

    It also decides by the true rows of units: whether rounded figures hold against them, and how wide intervals are.
    """

    def __init__(self, day: ReleaseDay, patch: pytest.MonkeyPatch) -> None:
        self.day, self.patch, self.rounded = day, patch, interim.round_until_safe(day)
        self.figures = {cell_id(*at): one for table in self.rounded.release.tables for at, one in table.cells.items()}

    def __call__(self, values: Values) -> Hashable:
        """What it would have released; None if it would not have released these rounded figures."""
        if any(not (one.low or 0) <= values[name] <= (one.high or 0) for name, one in self.figures.items()):
            return None
        units = tuple(
            UnitCounts(unit.slug, True, {state: values[f"{unit.slug}.{state}"] for state in ATOMS})
            for unit in self.day.campaign.units
        )
        codes = {one.code: values[f"{one.code}.verified"] for one in self.day.campaign.categories}
        other = replace(self.day, counts=Counts(self.day.counts.as_of, units, codes))
        again = other.release(self.figures.__getitem__, closing=False)
        draft = judge(other, again, self.rounded.release.assumed)
        if draft.readable:
            return None
        with self.patch.context() as held:
            held.setattr(closing, "round_until_safe", lambda *_: draft)
            try:
                return tuple(sorted(naive.spans_of(closing_release(other)).items()))
            except FuxueError:
                return None


def attack_whole(days: Sequence[ReleaseDay], folder: Path, most: int, patch: pytest.MonkeyPatch) -> Shares:
    """What is left of small counts by running the whole engine again, where every figure is rounded before."""
    shares = Shares()
    for number, day in enumerate(days):
        made = released(day, patch)
        if made is None or any(one.status is Status.INTERVAL for one in Whole(day, patch).figures.values()):
            continue
        (written,) = naive.written(folder / str(number), [made[0]])
        if tables := tables_of(written, most):
            shares.add(list(left_of(day, written, Whole(day, patch), tables)))
    return shares


@pytest.mark.prove
def test_what_is_left_by_running_the_whole_engine_again_in_many_counties(
    campaign: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is known exactly. That three values are left is promised of the closing table alone."""
    for insiders in (True, False):
        days = [pair(campaign, seed, insiders=insiders) for seed in range(0, 100, 2)]
        shares = attack_whole(days, tmp_path / str(insiders), 300, monkeypatch)
        readers = "strangers and units" if insiders else "strangers"
        print(f"{readers}, the whole engine again: {shares}, {shares.few} left with fewer than {LEAST_VALUES} values")
        assert shares.known == 0
        assert shares.every >= 10
