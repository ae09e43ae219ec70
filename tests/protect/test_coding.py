"""The closing table: which figures are exact, and that other tables that fit it would be published alike."""

import random
from collections.abc import Mapping
from dataclasses import replace

import pytest

from etl.exchange.counts import Counts
from etl.exchange.release import CITY
from etl.proof.attacker import Attacker, explore
from etl.proof.tables import structure_of
from etl.protect.coding import CodingTask, code_table
from etl.protect.draft import ReleaseDay
from etl.protect.rerun import not_reproduced, reproduced
from etl.protect.room import Span
from etl.rulebook.campaign import Campaign
from etl.rulebook.publication import Area, Table
from tests.support.small_counts import DAY, make_campaign, make_counts

ROWS = [(0, 60 + at, 14 + at, 8 + at) for at in range(8)] + [
    (0, 50, 9, 3),
    (0, 40, 2, 12),
    (0, 30, 0, 9),
    (0, 45, 7, 1),
]


def table_of(campaign: Campaign, counts: Counts) -> CodingTask:
    day = ReleaseDay(campaign, counts)
    printed = {table.rows: table.measures for table in campaign.publication.tables}
    return CodingTask(structure_of(campaign), campaign.publication, day.values, day.reported, printed)


def coded(
    campaign: Campaign, rows: list[tuple[int, int, int, int]], seed: int = 1
) -> tuple[CodingTask, dict[str, Span]]:
    table = table_of(campaign, make_counts(campaign, rows, random.Random(seed)))
    return table, code_table(table)


def with_units_table(campaign: Campaign, *measures: str, kind: str = "unit") -> Campaign:
    tables = [replace(one, measures=measures) if one.rows == kind else one for one in campaign.publication.tables]
    return replace(campaign, publication=replace(campaign.publication, tables=tuple(tables)))


def broken(campaign: Campaign, table: CodingTask, spans: Mapping[str, Span]) -> list[str]:
    """Small counts that a reader of the table can infer too closely."""
    system = ReleaseDay(campaign, _counts_of(campaign, table)).system
    bounds = [spans.get(cell.id, (table.values[cell.id],) * 2 if cell.known else (0, None)) for cell in system.cells]
    top = campaign.publication.top
    goals = {
        at: campaign.publication.category_k.get(cell.row, campaign.publication.k)
        for at, cell in enumerate(system.cells)
        if not cell.known and table.values[cell.id] <= top(cell.row)
    }
    return [system.cells[at].id for at in explore(Attacker(system, bounds), goals)[1]]


def _counts_of(campaign: Campaign, table: CodingTask) -> Counts:
    rows = [
        tuple(table.values[f"{unit.slug}.{state}"] for state in ("unverified", "deducted", "returned", "still_out"))
        for unit in campaign.units
    ]
    counts = make_counts(campaign, rows, random.Random(1))  # type: ignore[arg-type]
    return Counts(DAY, counts.units, {code: table.values[f"{code}.verified"] for code in counts.categories})


def test_every_printed_figure_of_a_unit_that_has_reported_has_a_span_that_holds_the_truth(campaign: Campaign) -> None:
    few = make_campaign(campaign, 13)
    table, spans = coded(few, [*ROWS, (9, 0, 0, 0)])
    assert {cell.split(".")[0] for cell in spans} == {CITY, *(f"u{at}" for at in range(12)), *"ABCDEFGHIJKLM"}
    assert all(low <= table.values[cell] <= high for cell, (low, high) in spans.items())


def test_a_count_up_to_five_is_zero_to_five_whatever_it_is(campaign: Campaign) -> None:
    few = make_campaign(campaign, 12)
    for small in range(6):
        _, spans = coded(few, [*ROWS[:11], (0, 45, 9, small)])
        assert spans["u11.still_out"] == (0, 5)


def test_a_sensitive_category_is_zero_to_eleven(campaign: Campaign) -> None:
    few = make_campaign(campaign, 12)
    few = replace(few, publication=replace(few.publication, category_k={"I": 10}))
    counts = make_counts(few, ROWS, random.Random(6))
    for small in (0, 6, 11):
        moved = dict(counts.categories)
        moved |= {"I": small, "K": moved["K"] + moved["I"] - small}
        spans = code_table(table_of(few, Counts(DAY, counts.units, moved)))
        assert spans["I.verified"] == (0, 11)


def test_large_counts_are_exact_where_no_small_one_needs_them(campaign: Campaign) -> None:
    few = make_campaign(campaign, 12)
    _, spans = coded(few, [(0, 60 + at, 20 + at, 12 + at) for at in range(12)], seed=3)
    units = [span for cell, span in spans.items() if cell.startswith("u")]
    assert units
    assert all(low == high for low, high in units)


def test_a_rows_sum_is_exact_only_if_the_rest_of_it_is_surely_not_small(campaign: Campaign) -> None:
    """Suspected, returned and still out are printed; what is left, the deducted, may be small."""
    few = make_campaign(campaign, 14)
    rows = [*ROWS, (0, 3, 20, 15), (0, 8, 2, 15)]
    _, spans = coded(few, rows)
    assert spans["u13.returned"] == (0, 5)
    for unit in ("u12", "u13"):
        low, high = (spans[f"{unit}.returned"][end] + spans[f"{unit}.still_out"][end] for end in (0, 1))
        # Up to five deducted, beside what is not exact; if that can hide six, smaller sums are told from larger ones.
        cut = low + 6 if high - low > 5 else low
        assert spans[f"{unit}.suspected"] == (cut, high + 5)
    assert spans["u0.suspected"] in ((82, 82), (78, 83))


@pytest.mark.parametrize("seed", range(6))
def test_no_small_count_is_narrowed_and_tables_that_fit_are_published_alike(campaign: Campaign, seed: int) -> None:
    draw = random.Random(seed)
    few = make_campaign(campaign, 16)
    rows = [(0, draw.randrange(60), draw.randrange(15), draw.randrange(15)) for _ in range(16)]
    counts = make_counts(few, rows, draw)
    table = table_of(few, counts)
    spans = code_table(table)
    assert broken(few, table, spans) == []
    day = ReleaseDay(few, counts)
    assert not_reproduced(day, table, spans) == []
    assert all(len(values) >= 3 for values in reproduced(day, table, spans).values())


@pytest.mark.parametrize(
    "measures",
    [
        ("suspected",),
        ("returned",),
        ("suspected", "to_return", "returned"),
        ("suspected", "verified", "to_return", "returned", "still_out"),
        ("suspected", "deducted", "returned", "still_out"),
    ],
)
def test_any_measures_that_nest_can_be_printed(campaign: Campaign, measures: tuple[str, ...]) -> None:
    few = with_units_table(make_campaign(campaign, 12), *measures)
    table, spans = coded(few, ROWS)
    assert {cell.split(".")[1] for cell in spans if cell.startswith("u0.")} == set(measures)
    assert all(low <= table.values[cell] <= high for cell, (low, high) in spans.items())
    if "to_return" in measures and "still_out" in measures:
        assert spans["u8.to_return"] == tuple(spans["u8.returned"][end] + spans["u8.still_out"][end] for end in (0, 1))


def with_areas(campaign: Campaign) -> Campaign:
    """Twelve units in three areas, two of them in a greater one."""
    slugs = [unit.slug for unit in campaign.units]
    areas = [Area(f"a{at}", f"片{at}", f"Area {at}", tuple(slugs[at * 4 : at * 4 + 4])) for at in range(3)]
    areas.append(Area("north", "北", "North", ("a0", "a1")))
    table = Table("areas", "area", ("suspected", "returned", "still_out"), "片区", "Areas")
    publication = campaign.publication
    return replace(campaign, publication=replace(publication, areas=tuple(areas), tables=(*publication.tables, table)))


@pytest.mark.parametrize("seed", range(4))
def test_areas_between_the_city_and_its_units_are_protected_with_them(campaign: Campaign, seed: int) -> None:
    few = with_areas(make_campaign(campaign, 12))
    draw = random.Random(seed)
    rows = [(0, draw.randrange(9, 60), draw.randrange(12), draw.randrange(12)) for _ in range(12)]
    table, spans = coded(few, rows, seed)
    assert {"a0.returned", "north.still_out", "a2.suspected"} <= set(spans)
    assert all(low <= table.values[cell] <= high for cell, (low, high) in spans.items())
    assert broken(few, table, spans) == []


def test_an_opaque_row_shows_nothing_but_what_is_known_of_it_anyway(campaign: Campaign) -> None:
    few = make_campaign(campaign, 12)
    table, _ = coded(few, ROWS)
    known = {"u0.suspected": (79, 89), "u0.returned": (9, 19), "u0.still_out": (4, 14)}
    spans = code_table(replace(table, bounds=known, opaque={"u0"}))
    assert {cell: spans[cell] for cell in known} == known


def test_wider_steps_and_more_room_make_no_figure_more_exact(campaign: Campaign) -> None:
    few = make_campaign(campaign, 12)
    table, spans = coded(few, ROWS)
    exact = [sum(low == high for low, high in spans.values())]
    for level in (1, 2, 3):
        found = code_table(replace(table, coarse={CITY: level, "deducted": level, "to_return": level}))
        exact.append(sum(low == high for low, high in found.values()))
    assert exact == sorted(exact, reverse=True)
    assert exact[-1] < exact[0]
