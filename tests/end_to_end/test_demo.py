"""The main job end to end through the command line: what a newcomer runs, what leaks, what repeats to the byte."""

import csv
import io
import json
import re
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from etl.exchange.release import CITY, Status, read_release
from etl.exchange.release_folder import SUMS, write_sums
from etl.forms.id_number import is_valid
from etl.proof.history import units_reported
from etl.rulebook.campaign import Campaign
from etl.synthetic.population import make_population
from etl.vault.store.keys import read_key
from etl.vault.store.open import open_vault
from tests.support import warm
from tests.support.homes import ROOT

CHILDREN = 60


def build(folder: Path, campaign: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return warm.run(["--home", str(folder), "--campaign", str(campaign), *arguments], cwd=folder.parent)


def make_demo(folder: Path, campaign: Path, seed: str = "5") -> subprocess.CompletedProcess[str]:
    """A demo by a Python that was started for it alone: one demo does not know how another's sets were ordered."""
    common = ["--home", str(folder), "--campaign", str(campaign)]
    command = [sys.executable, str(ROOT / "build.py"), *common, "demo", "--seed", seed, "--children", str(CHILDREN)]
    return subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, small_folder: Path) -> tuple[Path, str]:
    """The home and everything that was said while the demo ran."""
    home = tmp_path_factory.mktemp("demo") / "var"
    done = build(home, small_folder, "demo", "--seed", "5", "--children", str(CHILDREN))
    assert done.returncode == 0, done.stderr
    return home, done.stdout + done.stderr


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_demo_leaves_a_site_and_a_database_and_says_where(demo: tuple[Path, str]) -> None:
    home, said = demo
    assert (home / "public/site/index.html").is_file()
    assert (home / "public/fuxue.db").is_file()
    for word in ("index.html", "fuxue.db", "make serve", "演示账号"):
        assert word in said


def test_the_demo_leaves_nothing_private_unencrypted(demo: tuple[Path, str], small: Campaign) -> None:
    content = b"".join(files(demo[0] / "private").values())
    for person in make_population(small, CHILDREN, 5):
        assert person.child.id_number.encode() not in content
        assert person.child.name.encode() not in content
    plain = [name for name, data in files(demo[0] / "private").items() if data.startswith((b"PK", b"SQLite"))]
    assert {Path(name).name for name in plain} == {"receipts.xlsx"}  # to be printed: they say nothing of any child
    for name in plain:
        with zipfile.ZipFile(demo[0] / "private" / name) as package:
            content = b"".join(map(package.read, package.namelist()))
        assert "领取单位".encode() in content
        for person in make_population(small, CHILDREN, 5):
            assert person.child.id_number.encode() not in content
            assert person.child.name.encode() not in content


def test_two_demos_with_one_seed_publish_the_same_bytes(
    demo: tuple[Path, str], tmp_path: Path, small_folder: Path
) -> None:
    home, _ = demo
    again = tmp_path / "elsewhere"
    assert make_demo(again, small_folder).returncode == 0
    assert files(again / "public") == files(home / "public")
    assert files(again / "released") == files(home / "released")


@pytest.mark.prove
def test_a_demo_over_a_demo_begins_anew_and_another_seed_differs(
    demo: tuple[Path, str], tmp_path: Path, small: Campaign, small_folder: Path
) -> None:
    first, _ = demo  # of seed 5
    home, fresh = tmp_path / "var", tmp_path / "fresh"
    for folder, seed in ((home, "5"), (home, "6"), (fresh, "6")):
        assert make_demo(folder, small_folder, seed).returncode == 0
    for zone in ("released", "public"):
        assert files(home / zone) == files(fresh / zone)  # nothing of the first demo is left
    assert figures(home) != figures(first)
    assert not people_in(home, small) & people_in(first, small)


def figures(home: Path) -> dict[tuple[str, str, str], object]:
    """Every published figure by table, row and measure: what chance protected, and what was counted."""
    release = read_release(home / "released" / "0001")
    return {(table.key, *at): cell.value for table in release.tables for at, cell in table.cells.items()}


def people_in(home: Path, campaign: Campaign) -> set[str]:
    """The ID numbers in a demo's record."""
    with open_vault(home / "private/vault.db", read_key(home / "private/demo.key"), campaign) as vault:
        return {row[0] for row in vault.connection.execute("SELECT id_number FROM child")}


def test_a_demo_never_touches_a_home_that_is_none(tmp_path: Path, small_folder: Path) -> None:
    home = tmp_path / "var"
    (home / "private").mkdir(parents=True)
    (home / "private" / "vault.db").write_bytes(b"real")
    done = build(home, small_folder, "demo")
    assert done.returncode == 2
    assert "演示" in done.stderr
    assert files(home) == {"private/vault.db": b"real"}


def test_no_name_or_number_is_released_published_or_said(demo: tuple[Path, str], small: Campaign) -> None:
    home, said = demo
    content = said + "\n".join(
        data.decode("utf-8", "replace") for zone in ("released", "public") for data in files(home / zone).values()
    )
    people = make_population(small, CHILDREN, 5)
    assert len({person.child.name for person in people}) > 40
    for person in people:
        assert person.child.id_number not in content
        assert person.child.name not in content
    # No other number of the kind either.
    assert not [number for number in re.findall(r"\d{17}[\dX]", content) if is_valid(number)]


def test_the_demo_tells_of_several_days(demo: tuple[Path, str]) -> None:
    home, said = demo
    made = [read_release(folder) for folder in sorted((home / "released").iterdir())]
    assert [release.closing for release in made] == [False] * 4 + [True]
    assert len({release.as_of for release in made}) == 5
    reported = [sum(units_reported(release).values()) for release in made]
    assert reported == sorted(reported)
    assert 0 < reported[0] < reported[-1] == len(made[0].structure.units)
    returned = [release.table("city")[CITY, "returned"].rounded or 0 for release in made]
    assert returned == sorted(returned)
    assert returned[0] < returned[-1]
    assert all(f"{release.as_of}：填报、核对" in said for release in made)


def test_a_small_count_is_an_interval_everywhere(demo: tuple[Path, str]) -> None:
    home, _ = demo
    release = read_release(home / "released" / "0005")
    hidden = {
        f"{table.key}.{row}.{name}": cell
        for table in release.tables
        for (row, name), cell in table.cells.items()
        if cell.status is Status.INTERVAL
    }
    assert hidden
    pages = "\n".join(path.read_text(encoding="utf-8") for path in (home / "public/site").rglob("*.html"))
    shown = set()
    for name, text in re.findall(
        r'<td[^>]*data-cell="([^"]+)" data-status="interval"[^>]*>(.*?)</td>', pages, flags=re.S
    ):
        # The share beside a figure is made of the ends of both figures; the tests of the pages compare it.
        plain = re.sub(r'<svg.*?</svg>|<span class="share">.*?</span>|<[^>]+>', " ", text, flags=re.S)
        numbers = {int(one) for one in re.findall(r"\d+", plain)}
        ends = hidden[name]
        assert ends.low is not None
        assert ends.high is not None
        assert numbers <= {ends.low, ends.high, ends.high + 1}, name
        shown.add(name)
    assert shown
    for path in (home / "public/site/data/latest").glob("*.csv"):
        for line in csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))):
            assert (line["value"] == "") is (line["status"] in ("interval", "not_due"))
    db = sqlite3.connect(home / "public" / "fuxue.db")
    rows = db.execute(
        "SELECT count(*), count(value) FROM cell WHERE status = 'interval' AND release = '0005'"
    ).fetchone()
    assert rows == (len(hidden), 0)


def test_a_release_verifies_and_a_changed_one_does_not(
    demo: tuple[Path, str], tmp_path: Path, small_folder: Path
) -> None:
    home, _ = demo
    release = home / "released" / "0001"
    assert build(home, small_folder, "verify", str(release)).returncode == 0
    copy = tmp_path / "0001"
    copy.mkdir()
    for name, data in files(release).items():
        (copy / name).write_bytes(data.replace(b"suspected,exact,60,60,60,", b"suspected,exact,61,61,61,"))
    done = build(home, small_folder, "verify", str(copy))
    assert done.returncode == 2
    assert "city.csv" in done.stderr


def test_a_failed_publication_leaves_the_old_pages(demo: tuple[Path, str], tmp_path: Path, small_folder: Path) -> None:
    home = tmp_path / "var"
    for zone in ("released", "public"):
        for name, data in files(demo[0] / zone).items():
            path = home / zone / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    (home / "released/0001/units.csv").write_text("row,measure,value,status\n", encoding="utf-8")
    before = files(home / "public")
    done = build(home, small_folder, "publish")
    assert done.returncode == 2
    assert "units.csv" in done.stderr
    assert files(home / "public") == before


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["status"], 2, "主密钥"),
        (["publish"], 2, "build.py release"),
        (["release"], 2, "主密钥"),
        (["check", "missing.xlsx"], 2, "missing.xlsx"),
        (["--key-file", "missing.key", "status"], 2, "missing.key"),
        (["--campaign", "nowhere", "publish"], 2, "build.py release"),
    ],
)
def test_what_cannot_go_on_says_why_and_exits_with_its_code(
    tmp_path: Path, small_folder: Path, arguments: list[str], code: int, word: str
) -> None:
    done = build(tmp_path / "var", small_folder, *arguments)
    assert done.returncode == code
    assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_results_come_as_json_when_asked(demo: tuple[Path, str], small_folder: Path) -> None:
    home, _ = demo
    done = build(home, small_folder, "--json", "status", "--as-of", "2020-03-16")
    said = json.loads(done.stdout)
    assert said["result"] == "status"
    assert said["days_left"] == 0
    assert sum(unit["children"] for unit in said["units"]) == CHILDREN
    assert all(unit["is_complete"] for unit in said["units"])


@pytest.mark.prove
def test_every_result_is_one_json_document(demo: tuple[Path, str], tmp_path: Path, small_folder: Path) -> None:
    home, _ = demo
    accepted = sorted((home / "private/received").rglob("*.xlsx"))
    bad = tmp_path / "bad.xlsx"
    bad.write_text("no list", encoding="utf-8")
    calls: dict[str, tuple[list[str], int]] = {
        "status": (["status"], 0),
        "passwords": (["passwords"], 0),
        "check": (["check", str(accepted[0])], 0),
        "load": (["load", str(accepted[0])], 0),
        "load.nothing": (["load"], 0),
        "verify.ok": (["verify", str(home / "released/0001")], 0),
        "staff": (["staff", "list"], 0),
        "publish.done": (["publish"], 0),
        "synthetic.list": (["synthesize", "list", str(tmp_path / "list.xlsx"), "--children", "3"], 0),
        "error": (["issue", str(bad)], 1),
    }
    for kind, (arguments, code) in calls.items():
        done = build(home, small_folder, *arguments, "--json")
        assert done.returncode == code, done.stderr
        assert json.loads(done.stdout)["result"] == kind
    refused = json.loads(build(home, small_folder, "--json", "issue", str(bad)).stdout)
    assert [finding["rule"] for finding in refused["findings"]] == ["L08"]
    assert refused["key"] == "issue.refused"


def test_quiet_says_nothing_when_all_is_well(demo: tuple[Path, str], small_folder: Path) -> None:
    done = build(demo[0], small_folder, "--quiet", "publish")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_wrong_key_makes_no_files_of_its_own(demo: tuple[Path, str], tmp_path: Path, small_folder: Path) -> None:
    home = tmp_path / "var"
    (home / "private").mkdir(parents=True)
    (home / "private/vault.db").write_bytes((demo[0] / "private/vault.db").read_bytes())
    wrong = tmp_path / "wrong.key"
    assert build(home, small_folder, "vault", "keygen", str(wrong)).returncode == 0
    done = build(home, small_folder, "--key-file", str(wrong), "staff", "list")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 2  # the message in two languages, and nothing of the library's
    assert not list(home.rglob("staff.db"))


@pytest.mark.parametrize("zone", ["released/0001", "public/site"])
def test_a_demo_never_touches_zones_whose_key_is_elsewhere(tmp_path: Path, small_folder: Path, zone: str) -> None:
    (tmp_path / "var" / zone).mkdir(parents=True)
    assert build(tmp_path / "var", small_folder, "demo", "--children", "5").returncode == 2
    assert (tmp_path / "var" / zone).is_dir()


def test_a_small_count_planted_in_a_release_is_not_published(
    demo: tuple[Path, str], tmp_path: Path, small_folder: Path
) -> None:
    home = tmp_path / "var"
    folder = home / "released/0001"
    folder.mkdir(parents=True)
    content = files(demo[0] / "released/0001")
    name = "units.csv"
    lines = content[name].decode().splitlines()
    at = next(n for n, line in enumerate(lines) if ",rounded," in line)
    lines[at] = ",".join([*lines[at].split(",")[:2], "exact", "3", "3", "3", ""])
    content[name] = ("\n".join(lines) + "\n").encode()
    for file, data in content.items():
        (folder / file).write_bytes(data)
    write_sums(folder)
    done = build(home, small_folder, "publish")
    assert done.returncode == 3
    assert not (home / "public").exists()


def test_a_release_that_names_a_file_elsewhere_is_refused(
    demo: tuple[Path, str], tmp_path: Path, small_folder: Path
) -> None:
    folder = tmp_path / "var/released/0001"
    folder.mkdir(parents=True)
    for file, data in files(demo[0] / "released/0001").items():
        (folder / file).write_bytes(data)
    with (folder / SUMS).open("a", encoding="utf-8") as sums:
        sums.write(f"{'0' * 64}  ../../private/x.csv\n")
    assert build(tmp_path / "var", small_folder, "verify", str(folder)).returncode == 2
