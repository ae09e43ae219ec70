"""The one form that each value in a release may have: whatever is of another kind, or beyond a bound, is refused."""

import copy
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from etl.proof import verify_release
from etl.protect.closing import closing_release
from etl.rulebook.campaign import Campaign
from tests.support.releases import loaded, sealed_anew, stored, write_proved
from tests.support.small_counts import make_campaign, make_counts

ROWS = [(0, 60, 14, 8)] * 3 + [(0, 50, 9, 3), (0, 30, 0, 6), (12, 0, 0, 0)]
#: A value of each JSON type.
KINDS: tuple[Any, ...] = (None, True, 7, "x", [], ["x"], [["x"]], {}, {"x": "x"}, [7], [None, {}])


@pytest.fixture(scope="module")
def proved(campaign: Campaign, tmp_path_factory: pytest.TempPathFactory) -> Path:
    few = make_campaign(campaign, len(ROWS))
    made = closing_release(few, make_counts(few, ROWS, random.Random(4)))
    return write_proved(tmp_path_factory.mktemp("released"), made)


@pytest.fixture
def about(proved: Path) -> Any:
    return loaded(proved / "release.json")


def places(data: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The keys that lead to each value in JSON, from outside in."""
    if before:
        yield before
    for key in data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ():
        yield from places(data[key], (*before, key))


def put(data: Any, place: tuple[Any, ...], value: Any) -> tuple[Any, Any]:
    """A copy with another value in a place, and the value that stood there."""
    changed = copy.deepcopy(data)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    old, inner[place[-1]] = inner[place[-1]], value
    return changed, old


def others(data: Any) -> Iterator[tuple[Any, tuple[Any, ...], Any]]:
    """Copies with a value of another type in one place."""
    for place in places(data):
        for value in KINDS:
            changed, old = put(data, place, value)
            if type(old) is not type(value):
                yield changed, place, value


def is_refused(judge: Callable[[Any], object], data: Any) -> bool:
    """Whether it is refused, and for a reason: nothing else may come out of it."""
    try:
        judge(data)
    except verify_release.Failed:
        return True
    return False


def test_nothing_in_release_json_may_be_of_another_kind(about: Any) -> None:
    verify_release.hold(about)
    seen = 0
    for changed, *place in others(about):
        assert is_refused(verify_release.hold, changed), place
        seen += 1
    assert seen > 500
    assert all(is_refused(verify_release.hold, value) for value in KINDS)


def test_a_terminal_that_knows_no_chinese_gets_the_result_all_the_same(proved: Path) -> None:
    command = [sys.executable, str(proved / "verify_release.py")]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    stage = "，最终公布，".encode("ascii", "backslashreplace").decode()
    assert (done.returncode, ", the close," in done.stdout, stage in done.stdout) == (0, True, True)


def test_nothing_in_a_proof_may_be_of_another_kind(proved: Path) -> None:
    release = verify_release.load(proved)
    proof = {"tables": [release.proof["tables"][0], release.proof["tables"][1][:2]]}
    for changed, *place in others(proof):
        assert is_refused(lambda one: list(verify_release.examples(one, release.about["structure"], 1)), changed), place
    list(verify_release.examples(proof, release.about["structure"], 1))


def test_nothing_in_the_ranges_may_be_of_another_kind(proved: Path) -> None:
    release = verify_release.load(proved)
    rules = release.about["structure"]
    days = [rows[0] for _, rows in verify_release.examples(release.proof, rules, 1)]

    def judge(ranges: Any) -> None:
        seen = verify_release.Seen(release._replace(ranges=ranges))
        for rows in days:
            seen.add(verify_release.figures_of(1, rows, rules))
        seen.reached()

    judge(release.ranges)
    for changed, place, value in others(dict(release.ranges)):
        is_open = value is None and place[-1] == 1  # no greatest value is claimed, and one of k or more is shown
        assert is_refused(judge, changed) is not is_open, (place, value)


def test_a_list_in_an_empty_place_holds_nothing_but_names(about: Any) -> None:
    for value in KINDS:
        for key in ("fixed", "grows"):
            changed, _ = put(about, ("assumed", key), value)
            assert is_refused(verify_release.hold, changed) or value == []
        changed, _ = put(about, ("category_k",), {"A": value})
        assert is_refused(verify_release.hold, changed) or value == 7
        changed, _ = put(about, ("earlier",), {"0001": value})
        assert is_refused(verify_release.hold, changed)


@pytest.mark.parametrize("part", [("structure", "units"), ("structure", "states"), ("tables", 0, "measures")])
def test_a_name_that_is_none_is_refused_wherever_it_stands(about: Any, part: tuple[Any, ...]) -> None:
    for name in ("", "-a", "a b", "a.b", "ä", "a\n", "\x1b", "a" * 61, "名"):
        changed, _ = put(about, (*part, 0), name)
        assert is_refused(verify_release.hold, changed), name


def test_rules_that_take_all_that_there_is_are_accepted(about: Any) -> None:
    """The bounds are reached by releases that hold: every category with its own k, every measure in its place."""
    rules = about["structure"]
    measures = [*rules["sums"], *rules["states"]]
    codes = [code for held in rules["categories"].values() for code in held]
    about["category_k"] = dict.fromkeys(codes, 3)
    about["k"] = 3
    about["assumed"] = {"key": "all", "fixed": measures, "grows": measures}
    rules["groups"].append(["suspected", [name for name in measures if name != "suspected"]])
    about["tables"][0]["measures"] = measures
    verify_release.hold(about)
    groups = [["verified", ["returned"]]] * (verify_release.MOST_SUMS - len(rules["groups"]))
    rules["groups"] += groups
    verify_release.hold(about)
    rules["groups"].append(rules["groups"][0])
    assert is_refused(verify_release.hold, about)


def test_sums_may_be_given_in_any_order(about: Any) -> None:
    before = verify_release.states_of(about["structure"])
    sums = about["structure"]["sums"]
    about["structure"]["sums"] = dict(sorted(sums.items(), reverse=True))
    assert verify_release.states_of(about["structure"]) == before
    about["structure"]["sums"] = dict(sorted(sums.items()))
    assert verify_release.states_of(about["structure"]) == before


def test_a_count_is_a_whole_number_that_can_be() -> None:
    assert [verify_release.is_number(one) for one in (0, 1, 10**9 - 1)] == [True] * 3
    assert [verify_release.is_number(one) for one in (-1, 10**9, True, 1.0, "1", None)] == [False] * 6


def test_texts_and_lists_are_bounded_and_no_less_than_that(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [verify_release.is_title("t" * size) for size in (0, 1, 200, 201)] == [False, True, True, False]
    assert [verify_release.is_names(["n" * size]) for size in (0, 1, 60, 61)] == [False, True, True, False]
    assert verify_release.plain("x" * 201) == "x" * 200
    assert verify_release.plain("a\x1b\u202e\nb") == "a???b"
    monkeypatch.setattr(verify_release, "MOST_ROWS", 2)
    assert [verify_release.is_names([*"abc"[:size]]) for size in (0, 2, 3)] == [True, True, False]
    assert [verify_release.is_title(one) for one in (7, None, ["t"])] == [False] * 3


def test_a_release_may_lie_in_a_folder_of_any_name_but_that_of_another(proved: Path, tmp_path: Path) -> None:
    for name in ("download", "0001 (1)", "00011"):
        (tmp_path / name).mkdir()
        for path in proved.iterdir():
            (tmp_path / name / path.name).write_bytes(path.read_bytes())
        verify_release.check(tmp_path / name)
    (tmp_path / "download").rename(tmp_path / "0002")
    with pytest.raises(verify_release.Failed, match="release in release.json"):
        verify_release.check(tmp_path / "0002")
    for other in (tmp_path / "none", proved / "units.csv"):
        with pytest.raises(verify_release.Failed):
            verify_release.check(other)


def test_a_change_of_any_file_without_a_new_seal_is_named(proved: Path, tmp_path: Path) -> None:
    folder = tmp_path / "release"
    folder.mkdir()
    for path in proved.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    for path in sorted(folder.iterdir()):
        if path.name != "SHA256SUMS":
            content = path.read_bytes()
            path.write_bytes(content + b" ")
            with pytest.raises(verify_release.Failed, match=f"{path.name} was changed"):
                verify_release.check(folder)
            path.write_bytes(content)
    stored(folder / "release.json", loaded(folder / "release.json"))
    sealed_anew(folder)
    verify_release.check(folder)
