"""The closing release: once, true, safe for readers and insiders, refused where that cannot be."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from etl.cli.main import main
from etl.exchange.release import CITY, Cell, Release, Status, exact_cell, write_draft
from etl.findings import FuxueError
from etl.proof.attacker import Attacker, ContradictionError, propagate
from etl.proof.history import reader_of
from etl.proof.reader import unsafe_reason
from etl.proof.tables import structure_of
from etl.protect import closing
from etl.protect.closing import closing_release
from etl.protect.coding import CodingTask
from etl.protect.draft import ReleaseDay, judge
from etl.protect.interim import interim_release
from etl.protect.search import unprotected
from etl.protect.why import Why
from etl.rulebook.campaign import Campaign
from etl.system.home import Home
from etl.vault.record import count as counting
from etl.workflow import releasing
from etl.workflow.run import Run
from tests.support.small_counts import make_campaign, make_counts

SECRET = b"a secret of the tests"
ROWS = [(0, 60 + at, 14 + at, 8 + at) for at in range(8)] + [
    (0, 50, 9, 3),
    (0, 40, 2, 12),
    (0, 30, 0, 9),
    (0, 45, 7, 1),
]


def day_of(campaign: Campaign, rows: list[tuple[int, int, int, int]], seed: int = 1) -> ReleaseDay:
    return ReleaseDay(campaign, make_counts(campaign, rows, random.Random(seed)), (), SECRET)


@pytest.fixture(scope="module")
def twelve(campaign: Campaign) -> ReleaseDay:
    return day_of(make_campaign(campaign, len(ROWS)), ROWS)


@pytest.fixture(scope="module")
def closed(twelve: ReleaseDay) -> Release:
    return closing_release(twelve)


def cells_of(release: Release) -> dict[str, Cell]:
    return {f"{row}.{name}": cell for table in release.tables for (row, name), cell in table.cells.items()}


def test_every_figure_is_published_and_true(twelve: ReleaseDay, closed: Release) -> None:
    cells = cells_of(closed)
    assert {cell.status for cell in cells.values()} == {Status.EXACT, Status.INTERVAL}
    for name, cell in cells.items():
        assert cell.low is not None
        assert cell.high is not None
        assert cell.low <= twelve.values[name] <= cell.high
    assert unsafe_reason(structure_of(twelve.campaign), closed) == ""


def test_no_count_up_to_five_is_exact_and_all_read_alike(twelve: ReleaseDay, closed: Release) -> None:
    small = {name: cell for name, cell in cells_of(closed).items() if twelve.values[name] <= 5}
    assert len(small) >= 4
    assert {(cell.low, cell.high) for cell in small.values()} == {(0, 5)}


def test_a_small_count_keeps_five_values_for_every_reader(twelve: ReleaseDay, closed: Release) -> None:
    reader = reader_of([closed], closed.assumed)
    for cell in reader.system.cells:
        name = cell.id.split("/")[1]
        low, high = reader.infer(reader.system.at[cell.id])
        assert low <= twelve.values[name]
        if twelve.values[name] <= 5 and not cell.known:
            assert high is None or high - low >= 4


def test_a_small_count_keeps_five_values_for_a_unit_that_knows_its_own_row(twelve: ReleaseDay, closed: Release) -> None:
    reader = reader_of([closed], closed.assumed)
    rows: dict[str, dict[int, tuple[int, int]]] = {}
    for at, cell in enumerate(reader.system.cells):
        if cell.kind == "unit":
            rows.setdefault(cell.row, {})[at] = (twelve.values[cell.id.split("/")[1]],) * 2
    small = [at for at, cell in enumerate(reader.system.cells) if twelve.values[cell.id.split("/")[1]] <= 5]
    small = [at for at in small if not reader.system.cells[at].known]
    for known in rows.values():
        with reader.knowing(known):
            for at in set(small) - set(known):
                low, high = reader.extreme({at: 1}, least=True), reader.extreme({at: 1}, least=False)
                assert low is not None
                assert high is None or high[at] - low[at] >= 4


def test_a_unit_that_has_not_reported_shows_its_status_only(campaign: Campaign) -> None:
    few = make_campaign(campaign, 5)
    made = closing_release(day_of(few, [(0, 60, 20, 12)] * 4 + [(25, 0, 0, 0)]))
    units = made.table("units")
    assert {units["u4", name] for name in units.measures} == {Cell(Status.NOT_DUE)}
    assert made.table("city")[CITY, "suspected"] == exact_cell(4 * 92 + 25)


def test_the_only_unit_that_has_not_reported_does_not_follow_from_the_citys_total(campaign: Campaign) -> None:
    few = make_campaign(campaign, 9)
    day = day_of(few, [(0, 60 + at, 14, 8) for at in range(8)] + [(3, 0, 0, 0)])
    made = closing_release(day)
    reader = reader_of([made], made.assumed)
    low, high = reader.infer(reader.system.at["0001/u8.suspected"])
    assert low <= 3
    assert high is None or high - low >= 4


def test_where_all_are_few_only_what_follows_from_rounded_figures_is_published(campaign: Campaign) -> None:
    few = make_campaign(campaign, 2, codes="ABIK", k=3)
    day = day_of(few, [(0, 3, 3, 0), (1, 0, 0, 0)], seed=3)
    made = closing_release(day)
    assert unsafe_reason(structure_of(few), made) == ""
    units = cells_of(made)
    assert Status.EXACT not in {cell.status for name, cell in units.items() if name.startswith("u0.")}


def test_a_group_that_cannot_shelter_its_small_count_leaves_all_other_figures_as_they_are(
    twelve: ReleaseDay, closed: Release
) -> None:
    """All categories of the group lie at the lower ends of their steps, so that together they cannot be much less."""
    sizes = {"I": 156, "J": 3, "K": 38, "L": 36, "M": 42}
    assert sum(sizes.values()) == twelve.values["city.to_return"]
    counts = replace(twelve.counts, categories={**twelve.counts.categories, **sizes})
    cells, others = cells_of(closing_release(replace(twelve, counts=counts))), cells_of(closed)
    assert cells["J.verified"].exact is None
    for at, cell in others.items():
        if at.partition(".")[0] not in sizes and cell.exact is not None:
            assert cells[at].exact is not None, at


def test_one_unit_that_is_the_whole_county_can_be_released(campaign: Campaign) -> None:
    alone = make_campaign(campaign, 1)
    made = closing_release(day_of(alone, [(0, 2, 1, 0)]))
    assert unsafe_reason(structure_of(alone), made) == ""


def test_there_is_one_closing_release_only(twelve: ReleaseDay, closed: Release) -> None:
    with pytest.raises(FuxueError, match=r"release\.closed") as caught:
        closing_release(replace(twelve, earlier=(closed,)))
    assert caught.value.code == 2
    assert interim_release(replace(twelve, earlier=(closed,))).number == 2


def test_a_release_that_fails_the_audit_is_refused(twelve: ReleaseDay, monkeypatch: pytest.MonkeyPatch) -> None:
    def naive(task: CodingTask) -> dict[str, tuple[int, int]]:
        """The classic mistake: small counts alone are hidden."""
        cells = (f"{unit}.{name}" for unit in task.reported for name in task.printed["unit"])
        return {cell: (0, 5) if (count := task.values[cell]) <= 5 else (count, count) for cell in cells}

    with monkeypatch.context() as patched:
        patched.setattr(closing, "code_table", naive)
        patched.setattr(closing, "not_reproduced", lambda *_: [])
        with pytest.raises(FuxueError, match="protect.unsafe") as caught:
            closing_release(twelve)
    assert "0001/u" in str(caught.value.params["cells"])


def test_a_table_that_others_would_not_repeat_is_made_coarser_and_in_the_end_refused(
    twelve: ReleaseDay, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def never(_: ReleaseDay, task: CodingTask, __: object) -> list[str]:
        tried.append((dict(task.coarse), len([*task.opaque])))
        return ["u8.still_out"]

    monkeypatch.setattr(closing, "not_reproduced", never)
    with pytest.raises(FuxueError, match="protect.unsafe") as caught:
        closing_release(twelve)
    assert caught.value.params["cells"] == "u8.still_out"
    assert [coarse.get(CITY, 0) for coarse, _ in tried][:4] == [0, 1, 2, 3]
    assert [opaque for _, opaque in tried] == sorted(opaque for _, opaque in tried)


def test_contradicting_figures_are_an_error_not_a_pass(campaign: Campaign) -> None:
    few = make_campaign(campaign, 2)
    system = day_of(few, [(0, 9, 9, 9)] * 2).system
    bounds = [{"u0.suspected": (3, 3), "u0.verified": (4, 4)}.get(cell.id, (0, None)) for cell in system.cells]
    with pytest.raises(ContradictionError):
        Attacker(system, bounds).infer(system.at["u1.verified"])


def test_bounds_by_addition_are_never_narrower_than_what_a_reader_can_infer(closed: Release) -> None:
    reader = reader_of([closed], closed.assumed)
    for at, (low, high) in enumerate(propagate(reader.system, reader.bounds)):
        least, most = reader.infer(at)
        assert low <= least
        assert high is None or (most is not None and most <= high)


def test_verify_sees_a_leak_a_wide_interval_and_a_wrong_sum(twelve: ReleaseDay, closed: Release) -> None:
    structure = structure_of(twelve.campaign)
    leaky = closed.with_cells({("u8", "still_out"): exact_cell(3, closed.table("units")["u8", "still_out"].rounded)})
    assert "0001/u8.still_out" in unsafe_reason(structure, leaky)
    exact = next(at for at, cell in closed.table("units").cells.items() if cell.exact and at[1] == "returned")
    wide = closed.with_cells({exact: Cell(Status.INTERVAL, 0, 900)})
    assert "too wide" in unsafe_reason(structure, wide)
    wrong = closed.with_cells({(CITY, "returned"): exact_cell(1)})
    assert "contradict" in unsafe_reason(structure, wrong)
    assert "structure" in unsafe_reason(structure_of(make_campaign(twelve.campaign, 3)), closed)
    twice = replace(closed, number=2)
    assert "more than one" in unsafe_reason(structure, twice, [closed])


ROW = st.tuples(st.integers(0, 6), st.integers(0, 60), st.integers(0, 12), st.integers(0, 12))


@pytest.mark.parametrize("examples", [8, pytest.param(60, marks=pytest.mark.prove)])
def test_whatever_the_counts_nothing_small_is_inferred(campaign: Campaign, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, derandomize=True)
    @given(rows=st.lists(ROW, min_size=2, max_size=9), seed=st.integers(0, 99))
    def nothing_small(rows: list[tuple[int, int, int, int]], seed: int) -> None:
        assume(not all(row[0] for row in rows))  # else nothing is to be released
        day = day_of(make_campaign(campaign, len(rows)), rows, seed)
        made = closing_release(day)
        assert judge(day, made, made.assumed).readable == []

    nothing_small()


def test_the_close_needs_a_unit_that_has_reported(campaign: Campaign) -> None:
    few = make_campaign(campaign, 2)
    with pytest.raises(FuxueError, match=r"release\.none_reported"):
        closing_release(day_of(few, [(9, 0, 0, 0), (7, 0, 0, 0)]))


@pytest.mark.parametrize("fault", ["_prove", "unprotected"])
def test_a_dry_run_fails_where_the_release_would(loaded: Run, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    def fails(*_: object) -> list[str]:
        raise FuxueError("protect.unproved", reason="as the test wants", code=3)

    monkeypatch.setattr(releasing, fault, fails)
    with pytest.raises(FuxueError, match=r"protect\.unproved"):
        releasing.release_figures(loaded, dry_run=True)
    assert list(loaded.home.released.iterdir()) == []


def test_a_dry_run_shows_what_is_not_exact_beside_the_last_release_and_why(loaded: Run) -> None:
    first = releasing.release_figures(loaded, closing=False)
    plan = releasing.release_figures(loaded, closing=True, dry_run=True)
    assert plan.last == first.release
    assert not plan.head
    shown = {f"{row}.{name}" for table in plan.release.tables for (row, name), cell in table.cells.items()
             if cell.status in (Status.ROUNDED, Status.INTERVAL)}  # fmt: skip
    assert shown == set(plan.why)
    assert Why.SMALL in plan.why.values()
    assert set(first.why.values()) == {Why.MOVING}
    assert len(list(loaded.home.released.iterdir())) == 1


def test_a_dry_run_prints_every_figure_and_keeps_nothing(loaded: Run) -> None:
    given = ["--home", str(loaded.home.root), "--campaign", str(loaded.campaign_folder), "--json"]

    def call(*arguments: str) -> dict[str, Any]:
        done = CliRunner().invoke(main, [*given, "release", *arguments, "--as-of", loaded.day.isoformat()])
        assert done.exit_code == 0, done.output
        return json.loads(done.output)  # type: ignore[no-any-return]

    for closing_too in ([], ["--closing"]):
        said = call("--dry-run", *closing_too)
        made = releasing.release_figures(loaded, closing=bool(closing_too), dry_run=True).release
        due = {(table.key, *at): cell for table in made.tables for at, cell in table.cells.items()
               if cell.status is not Status.NOT_DUE}  # fmt: skip
        shown = {(one["table"], one["row"], one["measure"]): one["now"] for one in said["cells"]}
        assert shown.keys() == due.keys()
        assert {at: one["rounded"] for at, one in shown.items()} == {at: cell.rounded for at, cell in due.items()}
        assert {at: one["value"] for at, one in shown.items()} == {at: cell.value for at, cell in due.items()}
        assert list(loaded.home.released.iterdir()) == []


def plant(folder: Path, name: str, cell: str, line: str) -> None:
    path = folder / name
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [line if one.startswith(f"{cell},") else one for one in lines]
    assert found != lines
    path.write_text("\n".join(found) + "\n", encoding="utf-8")


def test_what_was_written_is_searched_before_it_counts(loaded: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small count, an interval too narrow or beside the truth, a forgotten file: nothing is released."""
    with loaded.open_vault() as vault:
        counts = counting.count(vault, loaded.campaign, loaded.day)
    small = next(unit for unit in counts.units if 0 < unit.atoms["returned"] < 5)
    cell, count = f"{small.unit},returned", small.atoms["returned"]
    leaks = (f"{cell},exact,{count},{count},{count},", f"{cell},interval,,{count},{count + 1},",
             f"{cell},interval,,{count + 1},{count + 9},", None)  # fmt: skip
    for leak in leaks:

        def prove(_: Home, folder: Path, leak: str | None = leak) -> None:
            if leak is None:
                (folder / "model.lp").write_text("…", encoding="utf-8")
            else:
                plant(folder, "units.csv", cell, leak)

        with monkeypatch.context() as patched:
            patched.setattr(releasing, "_prove", prove)
            with pytest.raises(FuxueError, match=r"release\.unprotected"):
                releasing.release_figures(loaded, closing=True)
        assert list(loaded.home.released.iterdir()) == []
    assert releasing.release_figures(loaded, closing=True).head


def test_a_step_of_the_grid_that_is_cut_short_and_surely_great_is_released(campaign: Campaign, tmp_path: Path) -> None:
    """A step may begin where the figures inside it end, so that fewer than k values are left of a great count."""
    few = replace(campaign, units=campaign.units[:5])
    rows = [(0, 34, 0, 3), (0, 0, 0, 10), (0, 12, 3, 8), (9, 0, 0, 0), (7, 0, 0, 0)]
    day = ReleaseDay(few, make_counts(few, rows, random.Random(301)), (), SECRET)
    made = closing_release(day)
    ends = [(cell.low, cell.high) for cell in cells_of(made).values() if cell.low is not None and cell.high is not None]
    assert any(5 < low < high < low + made.k - 1 for low, high in ends)
    assert unprotected(write_draft(tmp_path, made), made, day) == []
