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
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from etl.exchange.release import NOTHING, Cell, Release, Status, read_release, write_draft
from etl.findings import FuxueError
from etl.proof import verify_release
from etl.proof.history import reader_of
from etl.proof.prove import make_examples, prove
from etl.proof.reader import ranges_of
from etl.protect.closing import closing_release
from etl.publish.__main__ import publish_site
from etl.rulebook.campaign import Campaign
from etl.workflow import releasing, verifying
from etl.workflow.run import Run
from tests.support.releases import loaded as read_json
from tests.support.releases import sealed_anew, stored, write_proved
from tests.support.sample_release import CAMPAIGN
from tests.support.small_counts import make_campaign, make_counts

ROWS = [(0, 60, 14, 8)] * 3 + [(0, 50, 9, 3), (0, 30, 0, 6), (12, 0, 0, 0)]


@pytest.fixture(scope="module")
def release(campaign: Campaign) -> Release:
    few = make_campaign(campaign, len(ROWS))
    return closing_release(few, make_counts(few, ROWS, random.Random(4)))


@pytest.fixture
def proved(release: Release, tmp_path: Path) -> Path:
    return write_proved(tmp_path, release)


def alone(folder: Path) -> subprocess.CompletedProcess[str]:
    """As a citizen would: a bare interpreter, the folder, nothing of ours."""
    command = [sys.executable, "-I", "-S", str(folder / "verify_release.py")]
    environment = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)


def changed(folder: Path, name: str, change: Callable[[Any], object]) -> None:
    data = read_json(folder / name)
    change(data)
    stored(folder / name, data)
    sealed_anew(folder)


def reason_of(folder: Path) -> tuple[str, str]:
    """Why the citizen's program refuses a release: the reason's key, and its words in English."""
    with pytest.raises(verify_release.Failed) as caught:
        verify_release.check(folder)
    return caught.value.key, str(caught.value).split(" / ")[1]


def test_anyone_can_check_a_release_with_python_alone(proved: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "a citizen's stick"
    shutil.copytree(proved, elsewhere)
    done = alone(elsewhere)
    assert (done.returncode, done.stderr) == (0, "")
    assert "已证实" in done.stdout
    assert "不能证实" in done.stdout
    assert "Not proved" in done.stdout


def test_the_program_knows_the_standard_library_alone_and_is_short() -> None:
    source = Path(verify_release.__file__).read_text(encoding="utf-8")
    assert len(source.splitlines()) < 700
    tree = ast.parse(source)
    imported = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    imported |= {node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= set(sys.stdlib_module_names)


def test_the_proof_names_no_cell_that_had_to_be_hidden(proved: Path) -> None:
    """Which withheld figures are small and which only shelter them stays unknown: the same is shown of all."""
    data = json.loads((proved / "proof.json").read_text())
    assert sorted(data) == ["release", "sha256", "tables"]


def test_the_same_release_has_the_same_proof(release: Release, proved: Path, tmp_path: Path) -> None:
    again = write_proved(tmp_path / "again", release)
    assert (again / "proof.json").read_bytes() == (proved / "proof.json").read_bytes()


SHAPE = "is not a complete table of whole numbers"
#: Ways to change a proof, and what is said of each.
CHANGES: dict[str, tuple[Callable[[Any], object], str, str]] = {
    "an example left out": (
        lambda data: data["tables"].pop(),
        "range", "no examples show the range of u3.returned in audit.json",
    ),
    "one example": (
        lambda data: data.update(tables=data["tables"][:1]),
        "group", "a reader can infer that all of u3.to_return are u3.returned",
    ),
    "a short example": (lambda data: data["tables"][0].pop(), "shape", f"example 1 {SHAPE}"),
    "a negative count": (lambda data: data["tables"][0].__setitem__(0, -1), "file", "proof.json cannot be read"),
    "a fraction": (lambda data: data["tables"][0].__setitem__(0, 1.0), "file", "proof.json cannot be read"),
    "a truth value": (lambda data: data["tables"][0].__setitem__(0, True), "shape", f"example 1 {SHAPE}"),
    "a text": (lambda data: data["tables"][0].__setitem__(0, "1"), "shape", f"example 1 {SHAPE}"),
    "no list": (lambda data: data["tables"].__setitem__(1, 7), "shape", f"example 1 {SHAPE}"),
    "a change outside": (lambda data: data["tables"][1].append([10_000, 1]), "shape", f"example 2 {SHAPE}"),
    "a change just outside": (
        lambda data: data["tables"][1].append([len(data["tables"][0]), 1]), "shape", f"example 2 {SHAPE}",
    ),
    "a change given twice": (
        lambda data: data["tables"][1].append(data["tables"][1][-1]), "shape", f"example 2 {SHAPE}",
    ),
    "a change to a text": (lambda data: data["tables"][1][0].__setitem__(1, "1"), "shape", f"example 2 {SHAPE}"),
    "a change of three": (lambda data: data["tables"][1][0].append(1), "shape", f"example 2 {SHAPE}"),
    "no examples": (lambda data: data.__setitem__("tables", []), "shape", f"example 1 {SHAPE}"),
    "no entry": (lambda data: data.pop("tables"), "file", "proof.json cannot be read"),
    "another entry": (lambda data: data.update(note=1), "file", "proof.json cannot be read"),
    "another number": (lambda data: data.update(release="0002"), "other", "proof.json belongs to another release"),
    "not reported and yet verified": (
        lambda data: data["tables"][0].__setitem__(21, data["tables"][0][21] + 1),
        "city", "example 1: categories do not add up to the city's deducted",
    ),
    "reported and not verified": (
        lambda data: data["tables"][0].__setitem__(0, data["tables"][0][0] + 1),
        "figure", "example 1 does not fit the published city.suspected",
    ),
    "another figure": (
        lambda data: data["tables"][0].__setitem__(1, data["tables"][0][1] + 1),
        "city", "example 1: categories do not add up to the city's deducted",
    ),
    "another category": (
        lambda data: data["tables"][0].__setitem__(-1, data["tables"][0][-1] + 1),
        "city", "example 1: categories do not add up to the city's to_return",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_proof_is_refused_for_its_own_reason(proved: Path, name: str) -> None:
    change, key, words = CHANGES[name]
    changed(proved, "proof.json", change)
    assert reason_of(proved)[0] == key
    assert reason_of(proved)[1].startswith(words)


def test_a_refused_release_ends_with_one_and_says_why_in_both_languages(proved: Path) -> None:
    changed(proved, "proof.json", lambda data: data.update(release="0002"))
    done = alone(proved)
    assert (done.returncode, done.stderr) == (1, "")
    reason = "proof.json 是另一次公布的证明 / proof.json belongs to another release"
    assert done.stdout == f"不成立 / does not hold: {reason}\n"


def test_every_reason_has_words_of_its_own() -> None:
    for language in (0, 1):
        texts = [reason[language] for reason in verify_release.SAYS.values()]
        assert len({text[:14] for text in texts} | {text[-14:] for text in texts}) > len(texts)
        assert len(set(texts)) == len(texts)


def test_a_changed_table_is_refused(proved: Path) -> None:
    (proved / "units.csv").write_bytes((proved / "units.csv").read_bytes().replace(b"published", b"suppressed", 1))
    assert reason_of(proved) == ("changed", "units.csv was changed")


@pytest.mark.parametrize(("end", "step"), [(0, 1), (0, -1), (1, 1), (1, -1)])
def test_a_range_that_is_too_narrow_or_too_wide_is_refused(proved: Path, end: int, step: int) -> None:
    def move(data: Any) -> None:
        data["ranges"]["u2.returned"][end] += step

    changed(proved, "audit.json", move)
    assert reason_of(proved) == ("range", "no examples show the range of u2.returned in audit.json")


LEAKS: dict[str, tuple[dict[tuple[str, str], int], str]] = {
    "a small count": ({("u4", "returned"): 3, ("u4", "to_return"): 6}, "0001/u4.returned can be read"),
    "its complement": ({("u3", "to_return"): 12, ("u3", "returned"): 9}, "0001/u3.still_out can be read"),
    "a group in one part": (
        {("u4", "returned"): 6, ("u4", "to_return"): 6}, "all of 0001/u4.to_return are 0001/u4.returned",
    ),
}  # fmt: skip


@pytest.mark.parametrize("leak", LEAKS)
def test_a_planted_leak_of_each_kind_has_no_proof(release: Release, tmp_path: Path, leak: str) -> None:
    figures, reason = LEAKS[leak]
    cells = dict(release.table("units").cells) | {at: Cell(Status.PUBLISHED, n) for at, n in figures.items()}
    tables = tuple(replace(t, cells=cells) if t.key == "units" else t for t in release.tables)
    leaky = replace(release, tables=tables)
    leaky = replace(leaky, ranges=ranges_of(reader_of([leaky], NOTHING), leaky))
    draft = write_draft(tmp_path, leaky)
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}$"):
        prove(draft)


@pytest.mark.parametrize("seed", range(8))
def test_every_release_can_be_proved(campaign: Campaign, tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    few = make_campaign(campaign, 9)
    rows = [(0, draw.randrange(60), draw.randrange(15), draw.randrange(9)) for _ in range(8)] + [
        (draw.randrange(1, 40), 0, 0, 0)
    ]
    made = closing_release(few, make_counts(few, rows, draw))
    draft = write_draft(tmp_path, made)
    assert prove(draft) == len(make_examples([read_release(draft)])[1])
    assert alone(draft).returncode == 0


def test_what_cannot_be_proved_is_not_released(loaded: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def leaky(*given: Any) -> Release:
        made = closing_release(*given)
        return replace(made, ranges={cell: (0, 1) for cell in made.ranges})

    monkeypatch.setattr(releasing, "closing_release", leaky)
    with pytest.raises(FuxueError, match=r"protect\.unproved") as caught:
        releasing.release_figures(loaded)
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
    made = closing_release(campaign, make_counts(campaign, rows, draw))
    write_proved(tmp_path / "released", made)
    publish_site(tmp_path / "released", tmp_path / "public", CAMPAIGN)
    site = tmp_path / "public" / "site"
    with zipfile.ZipFile(site / "data" / "latest" / "proof.zip") as packed:
        packed.extractall(tmp_path / "unpacked")
    assert alone(tmp_path / "unpacked" / "0001").returncode == 0
    for language in ("", "en"):
        assert "0001/verify_release.py" in (site / language / "data" / "index.html").read_text(encoding="utf-8")
