"""A release is read back as it was written, and nothing that is not one is read at all."""

import datetime as dt
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from etl.exchange import release_folder
from etl.exchange.release import Cell, Release, Status, earlier_releases, read_draft, read_release, write_draft
from etl.exchange.release_folder import (
    SUMS,
    finish_interrupted_releases,
    place_release,
    printable,
    release_digest,
    release_folders,
    set_aside,
    write_sums,
)
from etl.findings import FuxueError
from tests.support.releases import loaded, stored, write_release
from tests.support.sample_release import sample_release

UNITS = "units.csv"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_release(tmp_path, sample_release())


def refusal(folder: Path) -> tuple[str, dict[str, object]]:
    with pytest.raises(FuxueError) as caught:
        read_release(folder)
    return caught.value.key, caught.value.params


def text(name: str, old: str, new: str) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        before = (folder / name).read_text("utf-8")
        after = re.sub(old, new, before, count=1, flags=re.M)
        assert after != before
        (folder / name).write_text(after, "utf-8", newline="\n")

    return make


def about(change: Callable[[Any], object]) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        data = loaded(folder / "release.json")
        change(data)
        stored(folder / "release.json", data)

    return make


def test_a_release_is_read_back_as_it_was_written(folder: Path, tmp_path: Path) -> None:
    assert read_release(folder) == sample_release()
    draft = write_draft(tmp_path / "drafts", sample_release())
    assert read_draft(draft) == sample_release()
    assert [read_draft(draft).table(key).key for key in ("units", "city")] == ["units", "city"]
    with pytest.raises(FuxueError, match=r"release\.unreadable"):
        read_release(draft)  # it was never sealed


@pytest.mark.parametrize(
    ("cell", "value", "exact"),
    [
        (Cell(Status.EXACT, 7, 7), 7, 7),
        (Cell(Status.EXACT, 7, 7, 6), 7, 7),
        (Cell(Status.INTERVAL, 0, 5, 6), None, None),
        (Cell(Status.ROUNDED, 1, 11, 6), 6, None),
        (Cell(Status.NOT_DUE), None, None),
    ],
)
def test_a_figure_has_one_number_to_print_unless_it_is_an_interval_or_not_due(
    cell: Cell, value: int | None, exact: int | None
) -> None:
    assert (cell.value, cell.exact) == (value, exact)


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("numbers", [(5, 0, None), (-1, 5, None), (None, 5, None), (0, None, None), (None, None, 6)])
def test_numbers_that_do_not_fit_the_status_make_no_cell(
    status: Status, numbers: tuple[int | None, int | None, int | None]
) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        Cell(status, *numbers)


@pytest.mark.parametrize(
    ("status", "numbers"),
    [
        (Status.EXACT, (0, 5, None)),
        (Status.INTERVAL, (5, 5, None)),
        (Status.ROUNDED, (1, 11, None)),
        (Status.ROUNDED, (6, 6, 6)),
        (Status.NOT_DUE, (0, 5, None)),
    ],
)
def test_a_status_with_the_numbers_of_another_makes_no_cell(
    status: Status, numbers: tuple[int | None, int | None, int | None]
) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        Cell(status, *numbers)


#: What no release says, sealed: every one of these is read as no release at all.
MALFORMED: dict[str, Callable[[Path], object]] = {
    "a status that there is not": text(UNITS, ",interval,", ",hidden,"),
    "a number in an interval": text(UNITS, ",interval,,", ",interval,3,"),
    "no number where there must be one": text(UNITS, r",exact,\d+,", ",exact,,"),
    "another number than the one of its ends": text(UNITS, r",exact,\d+,", ",exact,9999,"),
    "a rounded figure without its number": text(UNITS, r",rounded,(\d+),(\d+),(\d+),\d+", r",rounded,\1,\2,\3,"),
    "a figure that is not due and has numbers": text(UNITS, ",not_due,,,,", ",not_due,,0,5,"),
    "an interval of one value": text(UNITS, r",interval,,(\d+),\d+,", r",interval,,\1,\1,"),
    "a figure with a zero before it": text(UNITS, r",exact,(\d+),", r",exact,0\1,"),
    "a figure in other digits": text(UNITS, ",170,", ",１７０,"),
    "a figure of ten digits": text(UNITS, ",170,", ",1234567890,"),
    "a negative figure": text(UNITS, ",170,", ",-170,"),
    "a fraction": text(UNITS, ",170,", ",170.0,"),
    "a line twice": text(UNITS, "^(xinhua,suspected.*\n)", r"\1\1"),
    "a line left out": text(UNITS, "^xinhua,suspected.*\n", ""),
    "a measure that there is not": text(UNITS, "^xinhua,suspected", "xinhua,names"),
    "a fifth column": text(UNITS, "^(xinhua,suspected.*)", r"\1,more"),
    "a third column alone": text(UNITS, "^(xinhua,suspected,[a-z]+).*", r"\1"),
    "another heading": text(UNITS, "^row", "unit"),
    "a heading alone": lambda folder: (folder / UNITS).write_text(
        "row,measure,status,value,low,high,rounded\n", "utf-8"
    ),
    "a row that steers the terminal": text(UNITS, "xinhua", "\x1b[2J"),
    "an open quote": text(UNITS, "xinhua", '"xinhua'),
    "no JSON": lambda folder: (folder / "release.json").write_text("x", "utf-8"),
    "text of another encoding": lambda folder: (folder / "release.json").write_bytes(b"\xff\xfe{}"),
    "brackets without end": lambda folder: (folder / "release.json").write_bytes(b"[" * 100_000),
    "a list": lambda folder: (folder / "release.json").write_text("[]", "utf-8"),
    "a campaign that steers the terminal": about(lambda data: data.update(campaign="\x1b]0;x\x07")),
    "a unit that steers the terminal": about(lambda data: data["structure"]["units"].append("\u202e")),
    "a sum that steers the terminal": about(lambda data: data["structure"]["sums"].update({"\x1b": []})),
    "a day that there is not": about(lambda data: data.update(as_of="2019-02-30")),
    "no k": about(lambda data: data.pop("k")),
    "tables as a number": about(lambda data: data.update(tables=7)),
    "a table without a file": about(lambda data: data["tables"].append(data["tables"][0] | {"key": "more"})),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_release_is_not_read(folder: Path, name: str) -> None:
    MALFORMED[name](folder)
    write_sums(folder)
    key, params = refusal(folder)
    assert key == "release.unreadable"
    assert all(str(one).isprintable() for one in params.values())


LISTS: dict[str, Callable[[str], str]] = {
    "a line twice": lambda lines: lines + lines.splitlines(True)[0],
    "a list that breaks off": lambda lines: lines[:-1],
    "a list that ends in blanks": lambda lines: lines + " ",
    "capitals": str.upper,
    "a path": lambda lines: lines.replace("  units", "  ../units"),
    "one blank": lambda lines: lines.replace("  units", " units"),
    "a digest too short": lambda lines: lines[1:],
    "letters of another script": lambda lines: lines.replace("units", "únits"),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_files_that_makes_no_sense_is_not_read(folder: Path, name: str) -> None:
    (folder / SUMS).write_text(LISTS[name]((folder / SUMS).read_text("utf-8")), "utf-8")
    assert refusal(folder)[0] == "release.bad_list"


def test_a_link_to_a_release_is_none(folder: Path) -> None:
    folder.rename(folder.parent / "real")
    folder.symlink_to(folder.parent / "real")
    assert refusal(folder)[0] == "release.no_plain_file"


def test_each_of_the_files_that_every_release_holds_must_be_there(folder: Path) -> None:
    for name in sorted(release_folder.ALWAYS):
        content = (folder / name).read_bytes()
        (folder / name).unlink()
        write_sums(folder)
        assert refusal(folder) == ("release.missing_file", {"release": "0001", "file": name})
        (folder / name).write_bytes(content)


def test_a_release_under_another_name_is_not_read(folder: Path) -> None:
    for name in ("0002", ".0002.new", "0001.new"):
        shutil.copytree(folder, folder.parent / name)
        assert refusal(folder.parent / name) == ("release.renamed", {"release": name, "name": "0001"})
    shutil.copytree(folder, folder.parent / ".0001.new")
    assert read_release(folder.parent / ".0001.new") == sample_release()


def test_the_releases_before_one_are_those_that_it_was_made_after(tmp_path: Path) -> None:
    first = write_release(tmp_path, sample_release())
    write_release(tmp_path, sample_release(3))
    second = Release(**{**vars(sample_release(2, dt.date(2019, 2, 27))), "earlier": {"0001": release_digest(first)}})
    assert earlier_releases(tmp_path, second) == [sample_release()]
    (first / "note.txt").write_text("…", "utf-8")
    with pytest.raises(FuxueError, match=r"release\.earlier"):
        earlier_releases(tmp_path, second)


def test_a_release_is_found_by_its_name_and_in_order(tmp_path: Path) -> None:
    assert release_folders(tmp_path / "none") == []
    for name in ("0002", "0001", "00003", ".0004.new", "x"):
        (tmp_path / name).mkdir()
    (tmp_path / "0005").write_text("")
    assert [path.name for path in release_folders(tmp_path)] == ["0001", "0002"]


def test_an_existing_release_is_never_overwritten(folder: Path) -> None:
    with pytest.raises(FuxueError, match=r"release\.exists"):
        write_draft(folder.parent, sample_release())


def test_what_an_interrupted_run_left_aside_is_ended_or_deleted(tmp_path: Path) -> None:
    recorded = {}
    for name in ("0001", "0002", "0003"):
        fresh = set_aside(tmp_path, name, {"release.json": name.encode()})
        recorded[name] = write_sums(fresh)
    place_release(tmp_path, "0001")
    set_aside(tmp_path, "0004", {"release.json": b"never sealed"})
    shutil.copytree(tmp_path / "0001", tmp_path / ".0001.new")
    finish_interrupted_releases(tmp_path, {name: digest for name, digest in recorded.items() if name != "0003"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0001", "0002"]


def test_a_draft_begins_anew_where_one_was_left(tmp_path: Path) -> None:
    set_aside(tmp_path, "0001", {"a.csv": b"1", "b.csv": b"2"})
    fresh = set_aside(tmp_path, "0001", {"a.csv": b"3"})
    assert {path.name: path.read_bytes() for path in fresh.iterdir()} == {"a.csv": b"3"}


def test_the_digest_of_a_folder_is_that_of_all_that_lies_in_it(tmp_path: Path) -> None:
    assert release_digest(tmp_path / "0001") == ""
    fresh = set_aside(tmp_path, "0001", {"a.csv": b"1"})
    unsealed = release_digest(fresh)
    sealed = write_sums(fresh)
    assert sealed == release_digest(fresh) != unsealed
    (fresh / "b").symlink_to(fresh / "a.csv")
    assert release_digest(fresh) != sealed
    (fresh / "b").unlink()
    (fresh / "b").mkdir()
    assert release_digest(fresh) != sealed
    (fresh / "b").rmdir()
    assert release_digest(fresh) == sealed


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("units.csv", "units.csv"),
        ("复学", "复学"),
        ("a\x1b[2J", r"a\x1b[2J"),
        ("\u202e", r"\u202e"),
        ("\udcff", r"\udcff"),
    ],
)
def test_what_could_steer_a_terminal_is_written_as_an_escape(given: str, expected: str) -> None:
    assert printable(given) == expected
    assert printable(given).isprintable()


def test_release_json_holds_all_that_is_known_of_a_release(folder: Path) -> None:
    data = json.loads((folder / "release.json").read_text("utf-8"))
    assert (
        (folder / "release.json")
        .read_text("utf-8")
        .startswith('{\n "as_of": "2019-02-26",\n "assumed": {\n  "fixed": [],')
    )
    rules = {"k", "category_k", "known", "structure", "assumed"}
    assert data.keys() == rules | {"release", "campaign", "as_of", "closing", "earlier", "tables"}
