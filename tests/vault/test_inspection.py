"""The base is locked once; the inspectorate's workbook and sample come from the record, sealed and on record."""

import datetime as dt
import io
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import comb

import openpyxl
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from etl.cli.main import main
from etl.exchange.current_answer import CurrentAnswer
from etl.exchange.sample import Key
from etl.findings import FuxueError
from etl.inspect.revisit import draw_sample
from etl.rulebook.campaign import load_campaign
from etl.system.sealing import unseal
from etl.vault.record import inspection
from etl.workflow import inspecting, loading
from etl.workflow.run import Run
from tests.support import books
from tests.support.books import UNIT, setting

BY = "督导测试员"


def invoke(run: Run, *arguments: str) -> Result:
    options = ["--home", str(run.home.root), "--campaign", str(run.campaign_folder)]
    return CliRunner().invoke(main, [*options, *arguments, "--as-of", run.day.isoformat()])


def fetch(run: Run, query: str) -> list[tuple[object, ...]]:
    with run.open_vault() as vault:
        return list(vault.connection.execute(query).fetchall())


def reported(run: Run) -> list[CurrentAnswer]:
    with run.open_vault() as vault:
        return inspection.current_answers(vault, run.day)


def test_locking_keeps_the_sums_the_day_and_the_person_and_happens_once(loaded: Run) -> None:
    asked = invoke(loaded, "lock-base", "--by", BY)
    assert (asked.exit_code, "还缺复学凭据" in asked.output) == (2, True), "no child's return is shown yet"
    assert fetch(loaded, "SELECT count(*) FROM base_lock") == [(0,)]
    said = invoke(loaded, "--json", "lock-base", "--by", BY, "--yes")
    assert said.exit_code == 0, said.output
    lock = json.loads(said.output)
    rows = reported(loaded)
    deducted = sum(row.code < "I" for row in rows)
    assert (lock["suspected"], lock["deducted"], lock["to_return"]) == (len(rows), deducted, len(rows) - deducted)
    assert (lock["returned"], lock["unverified"]) == (sum(row.returned == "是" for row in rows), 0)
    again = invoke(replace(loaded, day=loaded.day + dt.timedelta(1)), "lock-base", "--by", "别人")
    assert again.exit_code == 2
    assert BY in again.output
    assert fetch(loaded, "SELECT locked_on, locked_by FROM base_lock") == [(loaded.day.isoformat(), BY)]


def test_what_is_not_verified_yet_is_reported_when_the_base_is_locked(run: Run) -> None:
    loading.load_files(run, [run.home.inbox / f"{UNIT}.xlsx"])
    lock = inspecting.lock_base(run, BY)
    assert lock.unverified == lock.suspected - len(books.issued(run, UNIT))


def test_a_change_after_the_lock_is_seen_beside_what_was_locked(loaded: Run) -> None:
    before = {row.serial: row.code for row in reported(loaded)}
    assert {row.locked for row in reported(loaded)} == {""}
    inspecting.lock_base(loaded, BY)
    first = books.issued(loaded)[0].serial
    now = "A" if before[first] != "A" else "B"
    label = loaded.campaign.category[now].label
    changed = books.put(loaded, books.edit(books.plain(loaded), setting(I4=label, J4="无")))
    assert [one.outcome for one in loading.load_files(loaded, [changed])] == ["accepted"]
    after = {row.serial: row for row in reported(loaded)}
    assert (after[first].code, after[first].locked) == (now, before[first])
    assert all(row.locked == row.code for serial, row in after.items() if serial != first)


def test_what_moves_the_base_after_its_lock_is_listed_with_who_when_and_from_what_to_what(loaded: Run) -> None:
    with pytest.raises(FuxueError, match=r"base\.open"):
        inspecting.base_changes(loaded)
    before = {row.serial: row.code for row in reported(loaded)}
    locked = inspecting.lock_base(loaded, BY)
    assert inspecting.base_changes(loaded) == (locked, [])
    rows = {child.serial: 4 + at for at, child in enumerate(books.issued(loaded))}
    out = next(serial for serial in rows if before[serial] >= "I")
    inside = next(serial for serial in rows if before[serial] < "H")
    labels = {code: loaded.campaign.category[code].label for code in "FH"}
    # Out of the base; and from one deduction to another, which does not move it.
    cells = {f"I{rows[out]}": labels["F"], f"J{rows[out]}": "无", f"I{rows[inside]}": labels["H"]}
    later = replace(loaded, day=loaded.day + dt.timedelta(3))
    loading.load_files(later, [books.put(loaded, books.edit(books.plain(loaded), setting(**cells)))])
    _, changes = inspecting.base_changes(loaded)
    assert [(c.day, c.unit, c.serial, c.earlier, c.code) for c in changes] == [(later.day, UNIT, out, before[out], "F")]
    assert changes[0].filler
    said = CliRunner().invoke(
        main, ["--home", str(loaded.home.root), "--campaign", str(loaded.campaign_folder), "report", "changes"]
    )
    assert (said.exit_code, "有 1 处改动涉及底数" in said.output) == (0, True), said.output


def test_days_and_team_are_those_of_the_first_accepted_workbook(loaded: Run) -> None:
    first = books.issued(loaded)[0].serial
    team = next(row.first_team for row in reported(loaded) if row.serial == first)
    changed = books.put(loaded, books.edit(books.plain(loaded), setting(K4="别的测试员")))
    later = replace(loaded, day=loaded.day + dt.timedelta(5))
    loading.load_files(later, [changed])
    row = next(row for row in reported(later) if row.serial == first)
    assert (row.first_team, row.days) == (team, (loaded.day - dt.date(2020, 3, 2)).days + 1)


def test_the_workbook_is_sealed_lists_the_flags_and_holds_the_children_drawn(loaded: Run) -> None:
    found = inspecting.look_through(loaded, 9, 5, BY)
    assert found.sample is not None
    data = found.file.read_bytes()
    book = openpyxl.load_workbook(io.BytesIO(unseal(data, [inspecting.password(loaded)]).plain))
    assert book.sheetnames == ["疑点", "抽查名单"]
    drawn = [row for row in book["抽查名单"].iter_rows(min_row=5, values_only=True) if row[1]]
    assert len(drawn) == 9
    names = {child.serial: child.name for unit in loaded.campaign.unit for child in books.issued(loaded, unit)}
    assert all(names[str(row[1])] == row[2] for row in drawn)
    heading = "".join(str(cell) for row in book["抽查名单"].iter_rows(max_row=3, values_only=True) for cell in row)
    assert "种子 5" in heading
    assert BY in heading
    reasons = [row[2] for row in book["疑点"].iter_rows(min_row=3, values_only=True)]
    assert reasons == ([flag.message for flag in found.flags] or ["没有发现疑点。"])


def test_a_sample_is_recorded_and_its_seed_draws_it_again(loaded: Run) -> None:
    drawn = inspecting.look_through(loaded, 9, None, BY).sample
    assert drawn is not None
    first = drawn.sample
    again = inspecting.look_through(loaded, 9, first.seed, BY).sample
    assert again is not None
    assert (drawn.number, again.number, again.sample) == (1, 2, first)
    assert (
        fetch(loaded, "SELECT drawn_on, drawn_by, seed FROM revisit") == [(loaded.day.isoformat(), BY, first.seed)] * 2
    )
    rows = fetch(loaded, "SELECT issue, serial FROM revisit_child WHERE revisit = 1 ORDER BY serial")
    assert rows == sorted((key for own in first.chosen.values() for key in own), key=lambda key: key[1])


@pytest.mark.parametrize(("arguments", "word"), [
    (("--sample", "2", "--by", BY), "抽查人数须在 3"),
    (("--sample", "46", "--by", BY), "至 45"),
    (("--sample", "9"), "--by"),
])  # fmt: skip
def test_an_impossible_sample_is_reported_and_nothing_is_recorded(
    loaded: Run, arguments: tuple[str, ...], word: str
) -> None:
    said = invoke(loaded, "report", "flags", *arguments)
    assert said.exit_code == 2
    assert word in said.output
    assert fetch(loaded, "SELECT count(*) FROM revisit") == [(0,)]
    assert not list(loaded.home.reports.glob("inspection*"))


def test_the_terminal_lists_the_flags_and_names_no_child(loaded: Run) -> None:
    missing = setting(I4="G.失踪失联", J4="无")
    loading.load_files(loaded, [books.put(loaded, books.edit(books.plain(loaded), missing))])
    for options in ((), ("--json",)):
        said = invoke(loaded, *options, "report", "flags", "--sample", "9", "--by", BY)
        assert said.exit_code == 0, said.output
        assert "S06" in said.output
        for unit in loaded.campaign.unit:
            for child in books.issued(loaded, unit):
                assert child.name not in said.output
                assert child.id_number not in said.output


def test_without_answers_there_is_nothing_to_look_through(run: Run) -> None:
    found = inspecting.look_through(run, None, None, "")
    assert (found.flags, found.answers, found.sample) == ([], 0, None)


Units = Mapping[str, Sequence[Key]]
units = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 40), min_size=1).filter(
    lambda d: sum(d.values()) > 0
)


def children(sizes: Mapping[str, int]) -> dict[str, list[Key]]:
    return {unit: [(unit, f"{number:04d}") for number in range(size)] for unit, size in sizes.items()}


@given(units, st.data(), st.integers(0, 99))
def test_a_sample_has_its_size_everybody_once_and_somebody_from_every_unit(
    sizes: dict[str, int], data: st.DataObject, seed: int
) -> None:
    filled = {unit: size for unit, size in sizes.items() if size}
    size = data.draw(st.integers(len(filled), sum(filled.values())))
    sample = draw_sample(children(sizes), size, seed, 0.95)
    assert sample.size == size
    assert set(sample.chosen) == set(filled)
    for unit, own in sample.chosen.items():
        assert len(set(own)) == len(own) >= 1
        assert set(own) <= set(children(sizes)[unit])
        # Proportional but for the one that every unit has, and for rounding.
        assert len(own) <= max(1, -(-size * filled[unit] // sum(filled.values())) + 1)
    assert draw_sample(children(sizes), size, seed, 0.95) == sample


def test_other_seeds_draw_others() -> None:
    many = children({"a": 30, "b": 40})
    assert len({tuple(draw_sample(many, 10, seed, 0.95).chosen.values()) for seed in range(5)}) == 5


def miss(own: int, wrong: int, taken: int) -> float:
    return comb(own - wrong, taken) / comb(own, taken) if taken <= own - wrong else 0.0


@given(units, st.data())
def test_the_bound_when_none_is_wrong_holds_however_the_wrong_ones_lie(
    sizes: dict[str, int], data: st.DataObject
) -> None:
    filled = {unit: size for unit, size in sizes.items() if size}
    size = data.draw(st.integers(len(filled), sum(filled.values())))
    sample = draw_sample(children(filled), size, 1, 0.95)
    wrong = {unit: data.draw(st.integers(0, own)) for unit, own in filled.items()}
    chance = 1.0
    for unit, own in filled.items():
        chance *= miss(own, wrong[unit], len(sample.chosen[unit]))
    if sum(wrong.values()) / sample.population > sample.if_none + 1e-9:
        assert chance <= 0.05 + 1e-9


def test_all_children_drawn_leave_no_doubt() -> None:
    sample = draw_sample(children({"a": 3, "b": 5}), 8, 1, 0.95)
    assert (sample.margin, sample.if_none) == (0.0, 0.0)


def test_a_simple_sample_has_the_textbooks_margin() -> None:
    """One unit of 10,001, 385 of them: ±5 % at 95 %, with the correction for finite numbers."""
    sample = draw_sample(children({"a": 10_001}), 385, 1, 0.95)
    assert sample.margin == pytest.approx(1.96 * 0.5 / 385**0.5 * (9616 / 10_000) ** 0.5, abs=1e-4)


@pytest.mark.parametrize("edit", [
    lambda text: text.replace("alpha = 0.01", "alpha = 1.5"),
    lambda text: text.replace('test = "no_police"', 'test = "no_such"'),
    lambda text: text.replace("{share}", "{name}"),
    lambda text: text.replace("most_per_day = 30", 'most_per_day = "30"'),
    lambda text: text.replace("least = 10", "least = 10, more = 1"),
    lambda text: text.replace('id = "S02"', 'id = "S01"'),
    lambda text: text + "\n[more]\n",
])  # fmt: skip
def test_a_wrong_value_of_the_file_is_named(loaded: Run, tmp_path_factory: pytest.TempPathFactory,
                                            edit: Callable[[str], str]) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("campaign") / "c"
    shutil.copytree(loaded.campaign_folder, folder)
    path = folder / "inspection.toml"
    changed = edit(path.read_text(encoding="utf-8"))
    assert changed != path.read_text(encoding="utf-8")
    path.write_text(changed, encoding="utf-8")
    with pytest.raises(FuxueError) as error:
        load_campaign(folder)
    assert error.value.params["file"] == "inspection.toml"
