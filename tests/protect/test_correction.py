"""Corrections after the close: exact again, but what two exact figures would reveal by their difference is withheld."""

import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from etl.exchange.release import Cell, Release, Status
from etl.findings import FuxueError
from etl.proof.history import place, reader_of
from etl.proof.reader import readable
from etl.proof.reader import unsafe_reason as verify
from etl.proof.tables import structure_of
from etl.protect.closing import closing_release
from etl.protect.interim import interim_release
from etl.protect.why import Why
from etl.rulebook.campaign import Campaign
from etl.system.home import Home
from etl.vault.record import count as counting
from etl.workflow import releasing
from etl.workflow.run import Run
from tests.support.small_counts import make_campaign, make_counts
from tests.support.written import written

SECRET = b"a secret of the tests"
K = 5
#: Children not verified, deducted, returned, still out, of each unit; then two more returned; then many more.
AT_CLOSE = [(0, 60, 16, 6)] * 3 + [(0, 50, 9, 3), (0, 30, 1, 5), (0, 7, 1, 4)]
TWO_MORE = [(0, 60, 18, 4), *AT_CLOSE[1:]]
MANY_MORE = [(0, 60, 22, 0), *AT_CLOSE[1:]]
Rows = list[tuple[int, int, int, int]]


def closings(campaign: Campaign, *days: Rows, seed: int = 4) -> list[Release]:
    few = make_campaign(campaign, len(days[0]))
    made: list[Release] = []
    for rows in days:
        made.append(closing_release(few, make_counts(few, rows, random.Random(seed)), made, SECRET))
    return made


def days_of(campaign: Campaign, *days: Rows, correction: bool = False) -> list[Release]:
    """Releases of these days before the close, or closing ones."""
    few, made = make_campaign(campaign, len(days[0])), list[Release]()
    for rows in days:
        make = closing_release if correction else interim_release
        made.append(make(few, make_counts(few, rows, random.Random(4)), made, SECRET))
    return made


def assuming(campaign: Campaign, *keys: str) -> Campaign:
    """The campaign in which a reader assumes these things alone."""
    kept = tuple(one for one in campaign.publication.assumptions if one.key in keys)
    assert len(kept) == len(keys)
    return replace(campaign, publication=replace(campaign.publication, assumptions=kept))


@pytest.mark.parametrize(("later", "assumed"), [
    ((0, 60, 40, 20), "still"), ((0, 160, 90, 90), "grows"), ((0, 60, 0, 60), "none"),
])  # fmt: skip
def test_a_reader_assumes_as_much_as_the_figures_of_all_days_allow(
    campaign: Campaign, later: tuple[int, int, int, int], assumed: str
) -> None:
    """Nothing changes but who is back; more children are on the list; many are not back after all."""
    made = days_of(campaign, [(0, 60, 30, 30)] * 4, [later, *[(0, 60, 30, 30)] * 3])
    assert made[-1].assumed.key == assumed


@pytest.mark.parametrize("correction", [False, True])
def test_figures_that_contradict_all_that_is_assumed_are_an_error_not_a_pass(
    campaign: Campaign, correction: bool
) -> None:
    days = [(0, 60, 30, 30)] * 4, [(0, 60, 0, 60), *[(0, 60, 30, 30)] * 3]
    assert len(days_of(assuming(campaign, "grows", "none"), *days, correction=correction)) == 2
    with pytest.raises(ValueError, match=r"no assumption" if correction else r"contradict"):
        days_of(assuming(campaign, "grows"), *days, correction=correction)


def revealed_changes(releases: list[Release]) -> list[tuple[str, int]]:
    """Every change of 1 … k-1 from one exact figure to another that a reader of all releases is certain of."""
    attacker = reader_of(releases, releases[-1].assumed)
    found = []
    for later in releases[1:]:
        for sooner in releases[: releases.index(later)]:
            for cell in [c for c in attacker.system.cells if c.id.startswith(f"{later.name}/") and not c.known]:
                name = cell.id.split("/")[1]
                new, old = (attacker.system.at[place(release, name)] for release in (later, sooner))
                low, high = attacker.infer_difference(new, old)
                if low is not None and low == high and 0 < abs(low) < later.threshold(cell.row):
                    found.append((cell.id, low))
    return found


def test_a_small_correction_is_not_published_and_what_did_not_change_is(campaign: Campaign) -> None:
    before, after = closings(campaign, AT_CLOSE, TWO_MORE)
    assert before.table("units")["u0", "returned"] == Cell(Status.PUBLISHED, 16)
    assert after.table("units")["u0", "returned"] == Cell(Status.SUPPRESSED)
    assert after.table("city")["city", "returned"] == Cell(Status.SUPPRESSED)
    assert after.table("units")["u1", "returned"] == Cell(Status.PUBLISHED, 16)
    assert not revealed_changes([before, after])


def test_a_correction_of_k_and_more_is_published(campaign: Campaign) -> None:
    after = closings(campaign, AT_CLOSE, MANY_MORE)[1]
    assert after.table("city")["city", "returned"].exact == 71 - 6


def test_two_exact_tables_made_apart_would_reveal_it(campaign: Campaign) -> None:
    few = make_campaign(campaign, len(AT_CLOSE))
    made = [closing_release(few, make_counts(few, rows, random.Random(4)), (), SECRET) for rows in (AT_CLOSE, TWO_MORE)]
    cells = [release.table("city")["city", "returned"].exact for release in made]
    assert None not in cells
    assert 0 < abs(cells[1] - cells[0]) < K  # type: ignore[operator]


def test_a_correction_taken_back_reveals_no_more(campaign: Campaign) -> None:
    made = closings(campaign, AT_CLOSE, TWO_MORE, AT_CLOSE)
    assert not revealed_changes(made)
    assert not readable(reader_of(made, made[-1].assumed), made)


@pytest.mark.parametrize("seed", [0, 2, *(pytest.param(one, marks=pytest.mark.prove) for one in (1, 3, 4, 5))])
def test_whatever_is_corrected_all_releases_together_are_safe(campaign: Campaign, seed: int) -> None:
    draw = random.Random(seed)
    rows = [(0, draw.randrange(60), draw.randrange(15), draw.randrange(9)) for _ in range(6)]
    days = [rows]
    for _ in range(2):
        days.append([(0, d, max(0, r + draw.choice((0, 0, 1, 3, 7))), o) for _, d, r, o in days[-1]])
    try:
        made = closings(campaign, *days, seed=seed)
    except FuxueError as error:
        assert error.code == 3
        assert error.key in {"protect.impossible", "protect.unsafe"}
        return
    assert not revealed_changes(made)
    assert not readable(reader_of(made, made[-1].assumed), made)


def test_a_correction_after_rounded_releases_is_proved_with_all_of_them(campaign: Campaign, tmp_path: Path) -> None:
    few = make_campaign(campaign, len(AT_CLOSE))
    made: list[Release] = []
    for rows, make in ((AT_CLOSE, interim_release), (AT_CLOSE, closing_release), (TWO_MORE, closing_release)):
        made.append(make(few, make_counts(few, rows, random.Random(4)), made, SECRET))
    read = written(tmp_path, made)
    assert not verify(structure_of(few), read[-1], read[:-1])
    done = subprocess.run(
        [sys.executable, "-I", tmp_path / "0003" / "verify_release.py"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert not revealed_changes(read)


def test_nothing_is_released_again_while_nothing_has_changed(loaded: Run) -> None:
    releasing.release_figures(loaded)
    with pytest.raises(FuxueError, match=r"release\.unchanged"):
        releasing.release_figures(loaded)
    with pytest.raises(FuxueError, match=r"release\.closed") as caught:
        releasing.release_figures(loaded, closing=False)
    assert caught.value.code == 3
    assert [path.name for path in loaded.home.released.iterdir()] == ["0001"]


def test_a_dry_run_shows_what_is_not_exact_beside_the_last_release_and_why(loaded: Run) -> None:
    first = releasing.release_figures(loaded, closing=False)
    plan = releasing.release_figures(loaded, dry_run=True)
    assert plan.last == first.release
    assert not plan.head
    hidden = {
        f"{row}.{measure}"
        for table in plan.release.tables
        for (row, measure), cell in table.cells.items()
        if cell.status in (Status.ROUNDED, Status.SUPPRESSED)
    }
    assert hidden == set(plan.why)
    assert Why.SMALL in plan.why.values()
    assert set(first.why.values()) == {Why.EARLY}
    assert len(list(loaded.home.released.iterdir())) == 1


def plant(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_what_was_written_is_searched_before_it_counts(loaded: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small count, a figure beside a withheld cell, a forgotten file: nothing is released."""
    with loaded.open_vault() as vault:
        counts = counting.count(vault, loaded.campaign, loaded.day)
    small = next(unit for unit in counts.units if 0 < unit.atoms["returned"] < K)
    for leak in (str(small.atoms["returned"]), None):

        def prove(_: Home, folder: Path, leak: str | None = leak) -> None:
            if leak is None:
                (folder / "model.lp").write_text("…", encoding="utf-8")
            else:
                plant(
                    folder, "units.csv", f"{small.unit},returned,,suppressed", f"{small.unit},returned,{leak},published"
                )

        with monkeypatch.context() as patched:
            patched.setattr(releasing, "_prove", prove)
            with pytest.raises(FuxueError, match=r"release\.unprotected"):
                releasing.release_figures(loaded)
        assert list(loaded.home.released.iterdir()) == []
    assert releasing.release_figures(loaded).head
