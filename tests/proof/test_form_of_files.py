"""The one form that each value in a release may have: whatever is of another kind, or beyond a bound, is refused."""

import copy
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from etl.exchange.release_folder import write_sums
from etl.proof import verify_release
from etl.protect.closing import closing_release
from etl.protect.draft import ReleaseDay
from etl.rulebook import publication
from etl.rulebook.campaign import Campaign
from tests.support.releases import loaded, sealed_anew, stored, write_proved
from tests.support.small_counts import make_campaign, make_counts

ROWS = [(0, 60, 14, 8)] * 3 + [(0, 50, 9, 3), (0, 30, 0, 6), (12, 0, 0, 0)]
#: A value of each JSON type.
KINDS: tuple[Any, ...] = (None, True, 7, "x", [], ["x"], [["x"]], {}, {"x": "x"}, [7], [None, {}])


@pytest.fixture(scope="module")
def proved(campaign: Campaign, tmp_path_factory: pytest.TempPathFactory) -> Path:
    few = make_campaign(campaign, len(ROWS))
    made = closing_release(ReleaseDay(few, make_counts(few, ROWS, random.Random(4))))
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


#: What `check` takes for a fault of the files.
FAULTS = (OSError, ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, verify_release.Failed)


def is_refused(judge: Callable[[Any], object], data: Any) -> bool:
    """Whether it is refused: nothing else may come out of it."""
    try:
        judge(data)
    except FAULTS:
        return True
    return False


def test_nothing_in_release_json_may_be_of_another_kind(about: Any) -> None:
    """`earlier` is held against the folders beside the release."""
    verify_release.hold(about)
    seen = 0
    for changed, place, value in others(about):
        assert place == ("earlier",) or is_refused(verify_release.hold, changed), (place, value)
        seen += 1
    assert seen > 500
    assert all(is_refused(verify_release.hold, value) for value in KINDS)


def test_a_terminal_that_knows_no_chinese_gets_the_result_all_the_same(proved: Path) -> None:
    command = [sys.executable, str(proved / "verify_release.py")]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    stage = "已证实".encode("ascii", "backslashreplace").decode()
    assert (done.returncode, "Proved: " in done.stdout, stage in done.stdout) == (0, True, True)


def test_nothing_in_a_proof_may_be_of_another_kind(proved: Path, tmp_path: Path) -> None:
    folder = tmp_path / "release"
    shutil.copytree(proved, folder)
    proof = loaded(folder / "proof.json")

    def judge(data: Any) -> None:
        stored(folder / "proof.json", data)
        write_sums(folder)
        verify_release.check(folder)

    judge(proof)
    few = proof | {"counts": proof["counts"][:2], "examples": [proof["examples"][0][:2]]}
    for changed, place, value in others(few):
        whole = copy.deepcopy(proof)
        if place[0] == "counts" and len(place) > 1:
            whole["counts"][place[1]] = value
        elif place[0] == "examples" and len(place) > 1:
            whole, _ = put(whole, place, value)
        else:
            whole = proof | {place[0]: changed[place[0]]}
        with pytest.raises(verify_release.Failed):
            judge(whole)


@pytest.mark.parametrize(("key", "value"), [("known", {}), ("known", ""), ("earlier", []), ("earlier", "")])
def test_what_is_empty_is_of_the_right_kind_too(campaign: Campaign, tmp_path: Path, key: str, value: Any) -> None:
    few = make_campaign(campaign, len(ROWS))
    few = replace(few, publication=replace(few.publication, known=()))
    folder = write_proved(tmp_path, closing_release(ReleaseDay(few, make_counts(few, ROWS, random.Random(4)))))
    stored(folder / "release.json", loaded(folder / "release.json") | {key: value})
    sealed_anew(folder)
    with pytest.raises(verify_release.Failed):
        verify_release.check(folder)


def test_a_list_in_an_empty_place_holds_nothing_but_names(about: Any) -> None:
    for value in KINDS:
        for key in ("fixed", "grows"):
            changed, _ = put(about, ("assumed", key), value)
            assert is_refused(verify_release.hold, changed) is not (value == [])
        changed, _ = put(about, ("category_k",), {"A": value})
        assert is_refused(verify_release.hold, changed) or value == 7


@pytest.mark.parametrize("part", [("structure", "units"), ("structure", "states"), ("tables", 0, "measures")])
def test_a_name_that_is_none_is_refused_wherever_it_stands(about: Any, part: tuple[Any, ...]) -> None:
    for name in ("", "-a", "a b", "a.b", "ä", "a\n", "\x1b", "a" * 61, "名"):
        changed, _ = put(about, (*part, 0), name)
        assert is_refused(verify_release.hold, changed), name


def test_rules_that_take_all_that_there_is_are_accepted(about: Any) -> None:
    """The bounds are reached by releases that hold: every category with its own k, every measure in its place."""
    rules = about["structure"]
    measures = [*rules["sums"], *rules["states"]]
    about["category_k"] = dict.fromkeys((code for held in rules["categories"].values() for code in held), 3)
    about["k"] = 3
    about["known"] = [f"city.{name}" for name in measures]
    about["assumed"] = {"key": "all", "fixed": measures, "grows": measures}
    about["tables"][0]["measures"] = measures
    rules["areas"] = {"city": ["north", *rules["units"][2:]], "north": rules["units"][:2]}
    about["tables"].append(about["tables"][1] | {"key": "areas", "rows": "area"})
    verify_release.hold(about)
    about["tables"].append(about["tables"][1] | {"key": "more", "rows": "area"})
    assert is_refused(verify_release.hold, about)


@pytest.mark.parametrize(("more", "is_good"), [(9, True), (10, False)])
def test_a_row_has_as_many_sums_as_the_rules_may_declare_and_no_more(about: Any, more: int, is_good: bool) -> None:
    sums = about["structure"]["sums"]
    sums |= {f"s{number}": ["returned", "deducted"] for number in range(more)}
    assert is_refused(verify_release.hold, about) is not is_good
    assert (len(sums) <= publication._MOST_SUMS) is is_good


def test_sums_may_be_given_in_any_order(about: Any) -> None:
    sums = about["structure"]["sums"]
    for order in (dict(sorted(sums.items())), dict(sorted(sums.items(), reverse=True))):
        about["structure"]["sums"] = order
        assert not is_refused(verify_release.hold, about)


@pytest.mark.parametrize(("size", "is_good"), [(0, False), (1, True), (60, True), (61, False)])
def test_names_are_bounded_and_no_less_than_that(about: Any, size: int, is_good: bool) -> None:
    for part in (("campaign",), ("structure", "sums", "suspected", 0)):
        changed, _ = put(about, part, "n" * size)
        if part == ("campaign",):
            assert is_refused(verify_release.hold, changed) is not is_good
        else:
            assert is_refused(verify_release.hold, changed)  # no state


@pytest.mark.parametrize(("size", "is_good"), [(0, False), (1, True), (200, True), (201, False)])
def test_titles_are_bounded_and_no_less_than_that(about: Any, size: int, is_good: bool) -> None:
    for place in (("tables", 0, "title"), ("tables", 1, "title_en"), ("assumed", "key")):
        changed, _ = put(about, place, "t" * size)
        assert is_refused(verify_release.hold, changed) is not is_good


def test_a_reason_never_steers_the_terminal() -> None:
    failed = verify_release.Failed("file", "a\x1b\u202e\nb" + "x" * 300)
    assert str(failed).isprintable()
    assert "x" * 201 not in str(failed)


def test_a_release_may_lie_in_a_folder_of_any_name(proved: Path, tmp_path: Path) -> None:
    for name in ("download", "0001 (1)", "00011"):
        shutil.copytree(proved, tmp_path / name)
        verify_release.check(tmp_path / name)
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
            with pytest.raises(verify_release.Failed, match=path.name) as caught:
                verify_release.check(folder)
            assert caught.value.key == ("program" if path.name == "verify_release.py" else "sums")
            path.write_bytes(content)
    stored(folder / "release.json", loaded(folder / "release.json"))
    sealed_anew(folder)
    verify_release.check(folder)
