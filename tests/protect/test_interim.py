"""Releases before the close and after: no combination of all that was ever published narrows a small count."""

import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.disclosure.campaigns import REALISTIC, days
from etl.exchange.counts import Counts
from etl.exchange.release import CITY, NOTHING, Cell, Release, Status, exact_cell
from etl.findings import FuxueError
from etl.proof import verify_release
from etl.proof.history import place, reader_of
from etl.proof.reader import unsafe_reason as verify
from etl.proof.tables import structure_of
from etl.protect import rounding
from etl.protect.closing import closing_release
from etl.protect.draft import ReleaseDay
from etl.protect.interim import interim_release
from etl.publish.__main__ import publish_site
from etl.rulebook.campaign import Campaign
from etl.workflow import publishing, releasing
from etl.workflow.run import Run
from tests.support.releases import proved_anew, write_proved
from tests.support.sample_release import CAMPAIGN
from tests.support.small_counts import make_campaign, make_counts
from tests.support.written import written

SECRET = b"a secret of the tests"
ROWS = [(0, 60, 14, 8)] * 3 + [(0, 50, 9, 3), (0, 30, 0, 6), (12, 0, 0, 0)]
LATER = [(0, 60, 16, 6)] * 3 + [(0, 50, 9, 3), (0, 30, 1, 5), (0, 7, 1, 4)]


def truth(campaign: Campaign, counts: Counts) -> Mapping[str, int]:
    return ReleaseDay(campaign, counts).values


def day(campaign: Campaign, rows: list[tuple[int, int, int, int]], earlier: Sequence[Release] = ()) -> ReleaseDay:
    return ReleaseDay(campaign, make_counts(campaign, rows, random.Random(4)), tuple(earlier), SECRET)


@pytest.fixture(scope="module")
def published(campaign: Campaign) -> tuple[Campaign, list[Release]]:
    """Two interim releases of six units and the closing one."""
    few = make_campaign(campaign, len(ROWS))
    made: list[Release] = []
    for rows, make in ((ROWS, interim_release), (LATER, interim_release), (LATER, closing_release)):
        made.append(make(day(few, rows, made)))
    return few, made


def test_a_row_is_published_as_a_whole_and_rounded_once_its_unit_has_reported(
    published: tuple[Campaign, list[Release]],
) -> None:
    units = published[1][0].table("units")
    assert {units["u5", name] for name in units.measures} == {Cell(Status.NOT_DUE)}
    assert {units["u0", name].status for name in units.measures} == {Status.ROUNDED}
    assert published[1][1].table("units")["u4", "returned"].status is Status.ROUNDED


def test_a_rounded_figure_is_a_multiple_and_at_most_k_from_the_truth(campaign: Campaign) -> None:
    few = make_campaign(campaign, 9)
    for seed in range(20):
        draw = random.Random(seed)
        counts = make_counts(
            few, [(0, draw.randrange(60), draw.randrange(15), draw.randrange(9)) for _ in range(9)], draw
        )
        exact = truth(few, counts)
        for table in interim_release(ReleaseDay(few, counts, (), SECRET)).tables:
            for (row, name), cell in table.cells.items():
                if cell.status is Status.ROUNDED:
                    assert cell.value is not None
                    assert cell.value % 6 == 0
                    assert abs(cell.value - exact[f"{row}.{name}"]) <= 5


def test_rounded_rows_add_up(published: tuple[Campaign, list[Release]]) -> None:
    for release in published[1][:2]:
        city = release.table("city")
        parts = [city[CITY, name].value or 0 for name in ("returned", "still_out")]
        assert city[CITY, "to_return"].value == sum(parts)


def test_a_row_keeps_its_figures_while_they_hold(published: tuple[Campaign, list[Release]]) -> None:
    """Nobody can average errors away that never change."""
    few, made = published
    again = interim_release(day(few, ROWS, made[:1]))
    assert again.tables == made[0].tables
    other = interim_release(replace(day(few, ROWS), secret=b"another secret"))
    assert other.tables != made[0].tables


def test_before_the_close_every_count_keeps_k_values(published: tuple[Campaign, list[Release]]) -> None:
    for upto in (1, 2):
        releases = published[1][:upto]
        attacker = reader_of(releases, releases[-1].assumed)
        for at, cell in enumerate(attacker.system.cells):
            low, high = attacker.infer(at)
            assert cell.known or high is None or high - low >= 4


def test_the_closing_release_stands_beside_the_rounded_figures_of_its_day(
    published: tuple[Campaign, list[Release]],
) -> None:
    few, made = published
    exact = truth(few, make_counts(few, LATER, random.Random(4)))
    cells = {f"{row}.{name}": c for table in made[2].tables for (row, name), c in table.cells.items()}
    assert {c.status for c in cells.values()} == {Status.EXACT, Status.INTERVAL}
    for name, cell in cells.items():
        assert cell.low is not None
        assert cell.high is not None
        assert cell.low <= exact[name] <= cell.high
        assert cell.rounded is None or abs(cell.rounded - exact[name]) <= 5
    before = {f"{row}.{name}": c for table in made[1].tables for (row, name), c in table.cells.items()}
    assert all(cells[name].rounded == cell.rounded for name, cell in before.items())  # nothing has changed since


def test_each_release_is_verified_and_proved_with_all_before_it(
    published: tuple[Campaign, list[Release]], tmp_path: Path
) -> None:
    few, made = published
    read = written(tmp_path, made)
    for at, release in enumerate(read):
        assert verify(structure_of(few), release, read[:at]) == ""
        command = [sys.executable, "-I", "-S", str(tmp_path / release.name / "verify_release.py")]
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_a_proof_needs_the_releases_that_it_was_made_after(
    published: tuple[Campaign, list[Release]], tmp_path: Path
) -> None:
    written(tmp_path, published[1])
    shutil.rmtree(tmp_path / "0001")
    with pytest.raises(verify_release.Failed, match="0001"):
        verify_release.check(tmp_path / "0002")
    with pytest.raises(FuxueError, match=r"release\.earlier"):
        proved_anew(tmp_path / "0003")


def with_city(release: Release, name: str, change: Callable[[int], Cell]) -> Release:
    city = release.table("city")
    cells = dict(city.cells) | {(CITY, name): change(city[CITY, name].value or 0)}
    return replace(release, tables=tuple(replace(t, cells=cells) if t is city else t for t in release.tables))


def test_an_exact_figure_before_the_close_is_reported(
    published: tuple[Campaign, list[Release]], tmp_path: Path
) -> None:
    few, made = published
    leaky = with_city(made[0], "returned", lambda _: exact_cell(51))
    assert "0001/city.returned" in verify(structure_of(few), leaky)
    with pytest.raises(ValueError, match=r"city\.returned"):
        written(tmp_path, [leaky])


def test_exact_city_sums_expose_the_unit_that_reported_alone_and_ours_do_not(campaign: Campaign) -> None:
    """The day with one reporting unit: the change of the city's exact sums is that unit's row."""
    few = make_campaign(campaign, len(ROWS))
    before = [*ROWS[:5], (12, 0, 0, 0)]
    days_ = [make_counts(few, rows, random.Random(4)) for rows in (before, [*ROWS[:5], (0, 9, 1, 2)])]
    exact = [truth(few, counts) for counts in days_]
    assert exact[1]["city.returned"] - exact[0]["city.returned"] == 1
    ours: list[Release] = []
    for counts in days_:
        ours.append(interim_release(ReleaseDay(few, counts, tuple(ours), SECRET)))
    attacker = reader_of(ours, ours[1].assumed)
    low, high = attacker.infer(attacker.system.at[place(ours[1], "u5.returned")])
    assert high is None or high - low >= 4


def test_without_secrets_the_sum_of_the_units_never_passes_the_city(campaign: Campaign) -> None:
    few = make_campaign(campaign, 9)
    for seed in range(10):
        made = interim_release(replace(day(few, [(0, 3, 1, 2)] * 9), secret=bytes([seed])))
        units, city = made.table("units"), made.table("city")
        least = sum(max((units[row, "returned"].value or 0) - 5, 0) for row in units.rows)
        assert city[CITY, "returned"].value is None or (city[CITY, "returned"].value or 0) >= least


def test_nobody_has_reported_yet(campaign: Campaign) -> None:
    few = make_campaign(campaign, 3)
    made = interim_release(day(few, [(9, 0, 0, 0)] * 3))
    assert {cell.status for cell in made.table("units").cells.values()} == {Status.NOT_DUE}
    assert made.table("city")[CITY, "verified"] == exact_cell(0)
    assert made.table("city")[CITY, "suspected"] == exact_cell(27)


def test_all_have_reported_then_all_are_verified(campaign: Campaign) -> None:
    few = make_campaign(campaign, 6)
    made = interim_release(day(few, [(0, 60, 14, 8)] * 6))
    assert made.table("city")[CITY, "verified"] == made.table("city")[CITY, "suspected"] == exact_cell(492)


def test_releases_go_on_rounded_after_the_close_and_hold_what_held(published: tuple[Campaign, list[Release]]) -> None:
    few, made = published
    after = interim_release(day(few, LATER, made))
    cells = {at: cell for table in made[2].tables for at, cell in table.cells.items()}
    for table in after.tables:
        for at, cell in table.cells.items():
            assert cell.status in (Status.ROUNDED, Status.EXACT)
            assert cell.rounded == cells[at].rounded
    assert verify(structure_of(few), after, made) == ""


def test_what_is_corrected_after_the_close_changes_later_rounded_figures_alone(
    published: tuple[Campaign, list[Release]],
) -> None:
    few, made = published
    corrected = [(0, 40, 30, 12), *LATER[1:]]
    after = interim_release(day(few, corrected, made))
    assert after.table("units")["u0", "returned"].rounded in (30, 24, 36)
    assert after.table("units")["u1", "returned"].rounded == made[2].table("units")["u1", "returned"].rounded
    assert verify(structure_of(few), after, made) == ""


def test_what_the_command_releases_day_by_day_is_verified_and_published(loaded: Run) -> None:
    first = releasing.release_figures(loaded, closing=False).release
    last = releasing.release_figures(loaded, closing=True).release
    assert (first.closing, last.closing) == (False, True)
    assert sorted(last.earlier) == ["0001"]
    publishing.publish(loaded.home, loaded.campaign_folder)
    site = loaded.home.public / "site"
    assert (site / "data" / "0001" / "units.csv").is_file()
    with zipfile.ZipFile(site / "data" / "latest" / "proof.zip") as packed:
        assert {name.split("/")[0] for name in packed.namelist()} == {"0001", "0002"}


def test_rounded_figures_read_as_such_on_the_pages(campaign: Campaign, tmp_path: Path) -> None:
    draw = random.Random(6)
    rows = [(0, draw.randrange(60), draw.randrange(15), draw.randrange(9)) for _ in campaign.units]
    made = interim_release(ReleaseDay(campaign, make_counts(campaign, rows, draw), (), SECRET))
    write_proved(tmp_path / "released", made)
    publish_site(tmp_path / "released", tmp_path / "public", CAMPAIGN)
    page = (tmp_path / "public" / "site" / "index.html").read_text(encoding="utf-8")
    figure = made.table("city")[CITY, "to_return"].value
    assert f'data-cell="city.city.to_return" data-status="rounded">约 {figure}<' in page


@pytest.mark.parametrize("examples", [4, pytest.param(12, marks=pytest.mark.prove)])
def test_whatever_comes_day_by_day_all_releases_together_are_safe(campaign: Campaign, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, derandomize=True)
    @given(rows=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9), st.integers(0, 9)), min_size=4, max_size=8),
           seed=st.integers(0, 99))  # fmt: skip
    def safe(rows: list[tuple[int, int, int]], seed: int) -> None:
        assert_safe_day_by_day(campaign, rows, seed)

    safe()


def assert_safe_day_by_day(campaign: Campaign, rows: list[tuple[int, int, int]], seed: int) -> None:
    few, draw = make_campaign(campaign, len(rows)), random.Random(seed)
    arrives = [draw.randrange(3) for _ in rows]
    releases: list[Release] = []
    for number in range(4):
        now = []
        for at, (deducted, returned, out) in enumerate(rows):
            back = min(out, number * draw.randrange(2))
            late = number < arrives[at]
            now.append((deducted + returned + out, 0, 0, 0) if late else (0, deducted, returned + back, out - back))
        make = closing_release if number == 3 else interim_release
        releases.append(make(ReleaseDay(few, make_counts(few, now, random.Random(1)), tuple(releases), SECRET)))
        assert verify(structure_of(few), releases[-1], releases[:-1]) == ""


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(6))
def test_a_campaign_of_fifteen_days_is_published_on_every_day(campaign: Campaign, seed: int) -> None:
    releases: list[Release] = []
    for number, counts in enumerate(days(campaign, REALISTIC, seed), 1):
        make = closing_release if number == 15 else interim_release
        releases.append(make(ReleaseDay(campaign, counts, tuple(releases), SECRET)))
        units = releases[-1].table("units").cells.values()
        assert number == 15 or {cell.status for cell in units} <= {Status.ROUNDED, Status.NOT_DUE}
        assert verify(structure_of(campaign), releases[-1], releases[:-1]) == ""


@pytest.mark.parametrize("make", [interim_release, closing_release])
@pytest.mark.parametrize(
    "rows",
    [
        [(0, 0, 0, 0), (12, 0, 0, 0)],
        [(8, 0, 0, 0), (0, 0, 0, 0), (87, 0, 0, 0)],
        [(0, 1, 0, 0), (5, 0, 0, 0), (7, 0, 0, 0)],
        [(0, 0, 0, 4)],
        [(0, 1, 2, 0)],
        [(0, 31, 10, 5), (0, 0, 0, 0), (0, 51, 7, 10)],
        [(0, 2, 0, 0), *[(9, 0, 0, 0)] * 29],
    ],
)
def test_the_first_reports_of_a_small_county_can_be_released(
    campaign: Campaign, rows: list[tuple[int, int, int, int]], make: Callable[[ReleaseDay], Release]
) -> None:
    """Categories I and J need ten values, while a row without a child can only be rounded to zero, which leaves six."""
    few = replace(campaign, units=make_campaign(campaign, len(rows)).units)
    counts = make_counts(few, rows, random.Random(4))
    for number in range(6):
        release = make(ReleaseDay(few, counts, (), f"secret {number}".encode()))
        assert verify(structure_of(few), release) == ""
        units = release.table("units").cells.values()
        assert (Status.NOT_DUE in {cell.status for cell in units}) is any(row[0] for row in rows)


def test_the_row_of_the_only_unit_that_reported_and_has_no_child_is_left_out(campaign: Campaign) -> None:
    few = replace(campaign, units=make_campaign(campaign, 2).units)
    release = interim_release(day(few, [(0, 0, 0, 0), (12, 0, 0, 0)]))
    units = release.table("units")
    assert {units["u0", name] for name in units.measures} == {Cell(Status.INTERVAL, 0, 12)}


def test_without_a_known_total_no_figure_is_published_that_has_no_upper_end(campaign: Campaign) -> None:
    few = replace(campaign, units=make_campaign(campaign, 2).units)
    few = replace(few, publication=replace(few.publication, known=()))
    with pytest.raises(FuxueError, match=r"protect\.open") as caught:
        interim_release(day(few, [(0, 0, 0, 0), (12, 0, 0, 0)]))
    assert (caught.value.code, "city.suspected" in str(caught.value.params)) == (3, True)
    assert interim_release(day(few, [(0, 60, 16, 6), (0, 50, 9, 3)])).name == "0001"


def test_rounding_draws_without_bias() -> None:
    row = rounding.RoundedRow({f"c{at}": 13 for at in range(4000)}, {f"c{at}": 6 for at in range(4000)}, ())
    drawn = rounding.draw_multiples(row, SECRET, 0).values()
    assert set(drawn) == {12, 18}
    assert abs(sum(drawn) / 4000 - 13) < 0.15
    assert NOTHING.fixed == ()


def test_a_county_of_one_unit_whose_known_total_changes_is_not_said_to_be_still(campaign: Campaign) -> None:
    """All counts are surely large there, so that none needs protection; the assumption is contradicted all the same."""
    few = make_campaign(campaign, 1, codes="AK", k=4)
    close = closing_release(ReleaseDay(few, make_counts(few, [(0, 7, 9, 7)], random.Random(1)), (), b"secret"))
    later = make_counts(few, [(0, 11, 14, 6)], random.Random(1))
    made = [close, interim_release(ReleaseDay(few, later, (close,), b"secret"))]
    reader = reader_of(made, made[-1].assumed)
    assert reader.infer(reader.system.at[place(made[-1], "city.suspected")]) == (31, 31)
