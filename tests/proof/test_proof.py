"""The proof of a release: made from the released files alone, checked by a program that knows nothing but addition."""

import ast
import json
import os
import random
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from etl.exchange.release import Release, exact_cell, interval_cell, read_release, write_draft
from etl.findings import FuxueError
from etl.proof import verify_release
from etl.proof.prove import make_examples, prove
from etl.protect.closing import closing_release
from etl.protect.draft import ReleaseDay
from etl.protect.interim import interim_release
from etl.publish.__main__ import publish_site
from etl.rulebook.campaign import Campaign
from etl.workflow import releasing, verifying
from etl.workflow.run import Run
from tests.support.homes import ROOT
from tests.support.naive import after
from tests.support.releases import loaded as read_json
from tests.support.releases import sealed_anew, stored, write_proved
from tests.support.small_counts import make_campaign, make_counts

ROWS = [(0, 60, 14, 8)] * 3 + [(0, 50, 9, 3), (0, 30, 0, 6), (12, 0, 0, 0)]


@pytest.fixture(scope="module")
def release(campaign: Campaign) -> Release:
    few = make_campaign(campaign, len(ROWS))
    return closing_release(ReleaseDay(few, make_counts(few, ROWS, random.Random(4))))


@pytest.fixture
def proved(release: Release, tmp_path: Path) -> Path:
    return write_proved(tmp_path, release)


def alone(folder: Path) -> subprocess.CompletedProcess[str]:
    """As a citizen would: a bare interpreter, the folder, nothing of ours."""
    command = [sys.executable, "-I", "-S", str(folder / "verify_release.py")]
    environment = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)


def test_anyone_can_check_a_release_with_python_alone(proved: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "a citizen's stick"
    shutil.copytree(proved, elsewhere)
    done = alone(elsewhere)
    assert (done.returncode, done.stderr) == (0, "")
    found = verify_release.check(elsewhere)
    for text in (*verify_release.PROVED, *verify_release.NOT_PROVED):
        assert text.format(**found) in done.stdout


def test_the_program_knows_the_standard_library_alone_and_is_short() -> None:
    source = Path(verify_release.__file__).read_text(encoding="utf-8")
    assert len(source.splitlines()) < 500
    tree = ast.parse(source, feature_version=(3, 9))
    imported = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    imported |= {node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= set(sys.stdlib_module_names)
    assert not any(isinstance(node, ast.Match) for node in ast.walk(tree))


def test_the_proof_says_the_same_of_every_count(proved: Path) -> None:
    """Which intervals hide a small count and which only shelter one stays unknown: the same is shown of all."""
    data = json.loads((proved / "proof.json").read_text())
    assert sorted(data) == ["counts", "examples", "release", "sha256"]
    rows, codes = ["city", *(f"u{at}" for at in range(len(ROWS)))], "ABCDEFGHIJKLM"
    measures = ("suspected", "verified", "to_return", "unverified", "deducted", "returned", "still_out")
    every = [f"0001/{row}.{name}" for row in rows for name in measures] + [f"0001/{code}.verified" for code in codes]
    assert sorted(data["counts"]) == sorted(every)


def test_the_examples_are_not_the_truth(release: Release, campaign: Campaign) -> None:
    """They are found from what is published: that the true table is not among them tells nothing, either."""
    few = make_campaign(campaign, len(ROWS))
    day = ReleaseDay(few, make_counts(few, ROWS, random.Random(4)))
    truth = {f"{release.name}/{cell}": count for cell, count in day.values.items()}
    examples = make_examples([release])
    assert examples
    assert truth.keys() == examples[0].keys()
    assert truth not in examples


def test_the_same_release_has_the_same_proof(release: Release, proved: Path, tmp_path: Path) -> None:
    again = write_proved(tmp_path / "again", release)
    assert (again / "proof.json").read_bytes() == (proved / "proof.json").read_bytes()


def stack(few: Campaign, folder: Path, rows: Sequence[Sequence[tuple[int, int, int, int]]]) -> list[Path]:
    """Rounded releases with their proofs, and a closing one."""
    made, folders = list[Release](), list[Path]()
    for number, one in enumerate(rows, 1):
        make = closing_release if number == len(rows) else interim_release
        made.append(make(ReleaseDay(few, make_counts(few, [*one], random.Random(4)), tuple(made), b"secret")))
        folders.append(write_proved(folder, after(made[-1], folders)))
    return folders


def test_a_proof_concerns_all_releases_if_counts_are_assumed_to_hold_and_else_the_last_alone(
    campaign: Campaign, tmp_path: Path
) -> None:
    few = make_campaign(campaign, len(ROWS))
    grown = [(0, row[1], row[2] + 1, row[3] - 1) if row[3] else (0, 7, 1, 4) for row in ROWS]
    seen = set()
    for folder in stack(few, tmp_path, [ROWS, grown, grown]):
        assumed = read_release(folder).assumed
        concerned = {name.split("/")[0] for name in read_json(folder / "proof.json")["counts"]}
        every = {f"{number:04}" for number in range(1, int(folder.name) + 1)}
        assert concerned == (every if assumed.fixed or assumed.grows else {folder.name})
        seen.add(bool(assumed.fixed or assumed.grows))
        assert alone(folder).returncode == 0
    assert True in seen


def test_a_refused_release_ends_with_one_and_says_why_in_both_languages(proved: Path) -> None:
    proof = read_json(proved / "proof.json")
    proof["examples"][0][0] = -1
    stored(proved / "proof.json", proof)
    sealed_anew(proved)
    done = alone(proved)
    assert (done.returncode, done.stderr) == (1, "")
    chinese, english = (text.format(1) for text in verify_release.SAYS["shape"])
    assert done.stdout == f"不成立 / does not hold: {chinese} / {english}\n"


def test_every_reason_has_words_of_its_own_in_both_languages() -> None:
    for texts in zip(*verify_release.SAYS.values(), strict=True):
        assert len(set(texts)) == len(texts)
    for chinese, english in verify_release.SAYS.values():
        assert re.search("[\u4e00-\u9fff]", chinese)
        assert english.isascii()
        assert sorted(re.findall(r"{\d}", chinese)) == sorted(re.findall(r"{\d}", english))


def test_a_changed_table_is_refused(proved: Path) -> None:
    (proved / "units.csv").write_bytes((proved / "units.csv").read_bytes().replace(b"interval", b"exact", 1))
    with pytest.raises(verify_release.Failed, match=r"units\.csv") as caught:
        verify_release.check(proved)
    assert caught.value.key == "sums"


#: Ends put in the place of a unit's figures, and why there is no proof.
LEAKS: Mapping[str, tuple[Mapping[str, tuple[int, int]], str]] = {
    "a small count": ({"u4.returned": (0, 0)}, "0001/u4.returned can be read"),
    "an interval of fewer than k values": ({"u3.still_out": (2, 5)}, "0001/u3.still_out can be read"),
    "what all others and the city leave": (
        {f"u{at}.still_out": (8, 8) for at in range(3)} | {"u4.still_out": (6, 6), "city.still_out": (33, 33)},
        "0001/u3.still_out can be read",
    ),
    "an interval that is too wide": ({"u3.still_out": (0, 500)}, "an interval of which an end is out of reach"),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_planted_leak_of_each_kind_has_no_proof(release: Release, tmp_path: Path, leak: str) -> None:
    ends, reason = LEAKS[leak]
    cells = {tuple(at.split(".")): exact_cell(low) if low == high else interval_cell(low, high)
             for at, (low, high) in ends.items()}  # fmt: skip
    draft = write_draft(tmp_path, release.with_cells(cells))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}$"):
        prove(draft)


@pytest.mark.parametrize("seed", range(8))
def test_every_release_can_be_proved(campaign: Campaign, tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    few = make_campaign(campaign, 9)
    rows = [(0, draw.randrange(60), draw.randrange(15), draw.randrange(9)) for _ in range(8)] + [
        (draw.randrange(1, 40), 0, 0, 0)
    ]
    made = closing_release(ReleaseDay(few, make_counts(few, rows, draw)))
    draft = write_draft(tmp_path, made)
    assert prove(draft) == len(make_examples([read_release(draft)]))
    assert alone(draft).returncode == 0


def test_what_cannot_be_proved_is_not_released(loaded: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def leaky(day: ReleaseDay) -> Release:
        made = closing_release(day)
        at = next(at for at, cell in made.table("units").cells.items() if cell.exact is None and cell.low == 0)
        count = day.values[".".join(at)]
        return made.with_cells({at: interval_cell(max(count - 1, 0), max(count - 1, 0) + 2)})

    monkeypatch.setattr(releasing, "closing_release", leaky)
    with pytest.raises(FuxueError, match=r"protect\.unproved") as caught:
        releasing.release_figures(loaded, closing=True)
    assert caught.value.code == 3
    assert list(loaded.home.released.glob("*")) + list(loaded.home.released.glob(".*")) == []


def test_a_release_without_its_proof_is_not_verified(loaded: Run) -> None:
    folder = loaded.home.released / releasing.release_figures(loaded).release.name
    assert alone(folder).returncode == 0
    verifying.verify_release_folder(loaded.campaign, folder)
    (folder / "proof.json").unlink()
    with pytest.raises(FuxueError, match=r"release\.missing_file .*'proof\.json'"):
        verifying.verify_release_folder(loaded.campaign, folder)


def test_the_site_offers_the_release_with_its_proof_and_it_checks_out(campaign: Campaign, tmp_path: Path) -> None:
    draw = random.Random(6)
    rows = [(0, draw.randrange(60), draw.randrange(15), draw.randrange(9)) for _ in campaign.units]
    made = closing_release(ReleaseDay(campaign, make_counts(campaign, rows, draw)))
    write_proved(tmp_path / "released", made)
    publish_site(tmp_path / "released", tmp_path / "public", ROOT / "campaign")
    site = tmp_path / "public" / "site"
    with zipfile.ZipFile(site / "data" / "latest" / "proof.zip") as packed:
        packed.extractall(tmp_path / "unpacked")
    assert alone(tmp_path / "unpacked" / "0001").returncode == 0
    for language in ("", "en"):
        assert "0001/verify_release.py" in (site / language / "data" / "index.html").read_text(encoding="utf-8")


def test_after_the_close_a_supplement_is_released_and_proved(campaign: Campaign, tmp_path: Path) -> None:
    """The supplement contradicts every assumption, so that the proof concerns the last release alone."""
    few, folders = make_campaign(campaign, 12), list[Path]()
    rows = [(0, 40 + 3 * at, 4 + at % 7, at % 5) for at in range(12)]
    first = make_counts(few, rows, random.Random(4))
    more = make_counts(few, [(0, 41, 4, 0), *rows[1:]], random.Random(4))
    categories = {**first.categories, "A": first.categories["A"] + 1}
    made = [closing_release(ReleaseDay(few, first, (), b"secret"))]
    made.append(interim_release(ReleaseDay(few, replace(more, categories=categories), tuple(made), b"secret")))
    for one in made:
        folders.append(write_proved(tmp_path, after(one, folders)))
        assert alone(folders[-1]).returncode == 0
    assert made[-1].assumed.key == "none"
