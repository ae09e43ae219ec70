"""The proof of a release: made from the released files alone, checked by a program that knows nothing but addition."""

import ast
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from etl.campaign import Campaign
from etl.cli import releasing
from etl.cli.run import Run
from etl.findings import FuxueError
from etl.protect import verify_release
from etl.protect.closing import closing_release
from etl.protect.prove import examples, prove
from etl.publish.__main__ import publish
from etl.released import Cell, Release, Status, read_release, write_release
from tests.test_protect import make_campaign, make_counts
from tests.test_publish_sample import CAMPAIGN

ROWS = [(0, 60, 14, 8)] * 3 + [(0, 50, 9, 3), (0, 30, 0, 6), (12, 0, 0, 0)]


@pytest.fixture(scope="module")
def release(campaign: Campaign) -> Release:
    few = make_campaign(campaign, len(ROWS))
    return closing_release(few, make_counts(few, ROWS, random.Random(4)))


@pytest.fixture
def proved(release: Release, tmp_path: Path) -> Path:
    folder = write_release(tmp_path, release)
    prove(folder)
    return folder


def alone(folder: Path) -> subprocess.CompletedProcess[str]:
    """As a citizen would: a bare interpreter, the folder, nothing of ours."""
    command = [sys.executable, "-I", "-S", str(folder / "verify_release.py")]
    environment = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)


def sealed_anew(folder: Path) -> None:
    """Digests as they would be had the files been released so."""
    about = json.loads((folder / "release.json").read_text())
    about["sha256"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in about["sha256"]}
    (folder / "release.json").write_text(json.dumps(about))
    told = json.loads((folder / "proof.json").read_text())
    told["sha256"] = hashlib.sha256((folder / "release.json").read_bytes()).hexdigest()
    (folder / "proof.json").write_text(json.dumps(told))


def changed(folder: Path, name: str, change: Callable[[Any], None]) -> None:
    told = json.loads((folder / name).read_text())
    change(told)
    (folder / name).write_text(json.dumps(told))
    sealed_anew(folder)


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
    assert len(source.splitlines()) < 300
    tree = ast.parse(source)
    imported = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    imported |= {node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= set(sys.stdlib_module_names)


def test_the_proof_names_no_cell_that_had_to_be_hidden(proved: Path) -> None:
    """Which withheld figures are small and which only shelter them stays unknown: the same is shown of all."""
    told = json.loads((proved / "proof.json").read_text())
    assert sorted(told) == ["release", "sha256", "tables"]


def test_the_same_release_has_the_same_proof(release: Release, proved: Path, tmp_path: Path) -> None:
    again = write_release(tmp_path / "again", release)
    prove(again)
    assert (again / "proof.json").read_bytes() == (proved / "proof.json").read_bytes()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda told: told["tables"].pop(), "range"),
        (lambda told: told.update(tables=told["tables"][:1]), "group"),
        (lambda told: told["tables"][0].pop(), "shape"),
        (lambda told: told["tables"][0].__setitem__(0, -1), "shape"),
        (lambda told: told["tables"][0].__setitem__(0, 1.0), "shape"),
        (lambda told: told["tables"][0].__setitem__(0, True), "shape"),
        (lambda told: told["tables"][0].__setitem__(0, told["tables"][0][0] + 1), "status"),
        (lambda told: told["tables"][0].__setitem__(1, told["tables"][0][1] + 1), "figure"),
        (lambda told: told["tables"][0].__setitem__(-1, told["tables"][0][-1] + 1), "city"),
        (lambda told: told["tables"][1].append([10_000, 1]), "shape"),
        (lambda told: told.__setitem__("tables", []), "shape"),
        (lambda told: told.pop("tables"), "file"),
    ],
)
def test_a_changed_proof_is_refused(proved: Path, change: Callable[[Any], None], reason: str) -> None:
    changed(proved, "proof.json", change)
    done = alone(proved)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    told = verify_release.SAYS[reason][1].split("{")[0]
    assert told in done.stdout or reason == "status", done.stdout


def test_a_proof_of_another_release_is_refused(proved: Path) -> None:
    (proved / "proof.json").write_text(json.dumps(json.loads((proved / "proof.json").read_text()) | {"sha256": "0"}))
    assert "another release" in alone(proved).stdout


def test_a_changed_table_is_refused(proved: Path) -> None:
    (proved / "units.csv").write_bytes((proved / "units.csv").read_bytes().replace(b"published", b"suppressed", 1))
    assert "units.csv" in alone(proved).stdout


def test_a_range_that_is_too_narrow_or_too_wide_is_refused(proved: Path) -> None:
    def narrow(told: Any) -> None:
        name = next(iter(told["ranges"]))
        told["ranges"][name][0] += 1

    changed(proved, "audit.json", narrow)
    assert "audit.json" in alone(proved).stdout


@pytest.mark.parametrize("status", ["a small count", "its complement", "a group in one part"])
def test_a_planted_leak_of_each_kind_has_no_proof(release: Release, tmp_path: Path, status: str) -> None:
    cells = dict(release.table("units").cells)
    figures = {
        "a small count": {("u4", "returned"): 3, ("u4", "to_return"): 6},
        "its complement": {("u3", "to_return"): 12, ("u3", "returned"): 9},
        "a group in one part": {("u4", "returned"): 6, ("u4", "to_return"): 6},
    }[status]
    cells |= {at: Cell(Status.PUBLISHED, value) for at, value in figures.items()}
    tables = tuple(replace(t, cells=cells) if t.key == "units" else t for t in release.tables)
    withheld = {f"{row}.{name}" for t in tables for (row, name), c in t.cells.items() if c.status is Status.SUPPRESSED}
    ranges = {cell: ends for cell, ends in release.ranges.items() if cell in withheld}
    folder = write_release(tmp_path, replace(release, tables=tables, ranges=ranges))
    with pytest.raises((ValueError, verify_release.Failed)):
        prove(folder)


@pytest.mark.parametrize("seed", range(8))
def test_every_release_can_be_proved(campaign: Campaign, tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    few = make_campaign(campaign, 9)
    rows = [(0, draw.randrange(60), draw.randrange(15), draw.randrange(9)) for _ in range(8)] + [
        (draw.randrange(1, 40), 0, 0, 0)
    ]
    made = closing_release(few, make_counts(few, rows, draw))
    folder = write_release(tmp_path, made)
    assert prove(folder) == len(examples([read_release(folder)])[1])
    assert alone(folder).returncode == 0


def test_what_cannot_be_proved_is_not_released(loaded: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def leaky(*given: Any) -> Release:
        made = closing_release(*given)
        return replace(made, ranges={cell: (0, 1) for cell in made.ranges})

    monkeypatch.setattr(releasing, "closing_release", leaky)
    with pytest.raises(FuxueError, match=r"protect\.unproved") as caught:
        releasing.release(loaded)
    assert caught.value.code == 3
    assert list(loaded.home.released.glob("*")) + list(loaded.home.released.glob(".*")) == []


def test_a_release_without_its_proof_is_not_verified(loaded: Run) -> None:
    folder = loaded.home.released / releasing.release(loaded).release.name
    assert alone(folder).returncode == 0
    releasing.verify(loaded.campaign, folder)
    (folder / "proof.json").unlink()
    with pytest.raises(FuxueError, match=r"verify\.bad"):
        releasing.verify(loaded.campaign, folder)


def test_the_site_offers_the_release_with_its_proof_and_it_checks_out(campaign: Campaign, tmp_path: Path) -> None:
    draw = random.Random(6)
    rows = [(0, draw.randrange(60), draw.randrange(15), draw.randrange(9)) for _ in campaign.units]
    made = closing_release(campaign, make_counts(campaign, rows, draw))
    prove(write_release(tmp_path / "released", made))
    publish(tmp_path / "released", tmp_path / "public", CAMPAIGN)
    site = tmp_path / "public" / "site"
    with zipfile.ZipFile(site / "data" / "latest" / "proof.zip") as packed:
        packed.extractall(tmp_path / "unpacked")
    assert alone(tmp_path / "unpacked" / "0001").returncode == 0
    for language in ("", "en"):
        assert "0001/verify_release.py" in (site / language / "data" / "index.html").read_text(encoding="utf-8")
