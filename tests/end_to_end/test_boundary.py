"""The boundary: contracts that hold, each shown to fail when a violation is planted."""

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.synthetic.population import Person
from etl.system import keyless
from etl.workflow import publishing
from etl.workflow.run import Run
from tests.support.homes import ROOT

BIN = Path(sys.executable).parent


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(folder)}
    command = [str(BIN / "lint-imports"), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the code alone, to plant violations in."""
    for room in ("etl", "plugins"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contracts_hold() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


PLANTS = [
    ("etl/publish/pages.py", "import etl.vault.store.files", "Publishing cannot reach the private store"),
    ("etl/publish/pages.py", "import etl.exchange.counts", "Publishing cannot reach the private store"),
    ("etl/publish/pages.py", "import openpyxl", "Publishing cannot reach the private store"),
    ("etl/publish/pages.py", "import datasette", "Publishing cannot reach the private store"),
    ("etl/exchange/release.py", "import sqlcipher3", "Publishing cannot reach the private store"),  # through a room
    ("etl/protect/secondary.py", "import etl.vault.record.count", "Protection is handed Counts"),
    ("etl/proof/attacker.py", "import etl.protect.secondary", "worked out without the engine that protects"),
    ("etl/proof/reader.py", "import etl.exchange.counts", "worked out without the engine that protects"),
    ("etl/read/cells.py", "import etl.check.acceptance", "Data flows one way"),
    ("etl/inspect/flags.py", "import etl.check.acceptance", "Data flows one way"),
    ("etl/publish/pages.py", "import etl.proof.reader", "Only protection and the workflow ask the proof"),
    ("etl/check/acceptance.py", "import etl.vault.record.count", "Only the workflow and the staff plugins"),
    ("etl/cli/show.py", "import etl.vault.record.count", "Only the workflow and the staff plugins"),
    ("etl/vault/record/count.py", "import etl.issue.outbox", "Data flows one way"),
    ("etl/protect/interim.py", "import etl.read.cells", "Data flows one way"),
    ("etl/vault/store/open.py", "import etl.proof.tables", "Data flows one way"),
    ("etl/exchange/counts.py", "import etl.proof.tables", "Data flows one way"),
    ("etl/workflow/run.py", "import etl.cli.console", "Data flows one way"),
    ("etl/system/home.py", "import etl.rulebook.campaign", "Data flows one way"),
    ("etl/newroom.py", "", "Data flows one way"),  # a room without a place in the layers
    ("etl/vault/store/open.py", "import etl.vault.record.count", "Within the vault, too"),
    ("etl/vault/newroom.py", "", "Within the vault, too"),
    ("etl/exchange/bundle.py", "import xlsxwriter", "What rooms hand each other are plain types"),
    ("etl/forms/manifest.py", "import sqlcipher3", "Encrypted files have one door"),
    ("plugins/gate.py", "import etl.protect.secondary", "The staff plugins know the vault"),
    ("plugins/gate.py", "import etl.read.cells", "The staff plugins know the vault"),
    ("etl/check/acceptance.py", "import plugins.scope_pages", "Only the workflow starts the staff plugins"),
    ("etl/system/home.py", "import tests.support.homes", "The product needs neither its tests"),
    ("etl/publish/pages.py", "if TYPE_CHECKING:\n    import etl.vault.store.files", "Publishing cannot reach"),
    ("plugins/gate.py", "import bench.common", "The product needs neither its tests"),
]


@pytest.mark.parametrize(("file", "line", "contract"), PLANTS)
def test_a_planted_import_breaks_its_contract(copy: Path, file: str, line: str, contract: str) -> None:
    path = copy / file
    path.write_text((path.read_text(encoding="utf-8") if path.exists() else '"""New."""\n') + f"\n{line}\n")
    done = lint_imports(copy)
    assert done.returncode == 1
    # Long contract names are wrapped in the report.
    report = " ".join(done.stdout.split())
    assert re.search(re.escape(contract) + r"[^✓]*?BROKEN", report) or (
        contract in report and "Missing layers" in report
    )


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("etl/publish/pages.py", "import sqlite3"),
        ("etl/publish/pages.py", "import sqlite_utils"),
        ("etl/issue/outbox.py", "import sqlcipher3"),
        ("plugins/planted.py", "from sqlcipher3 import dbapi2"),
        ("etl/vault/record/submissions.py", "import sqlite3"),
    ],
)
def test_a_database_library_outside_its_room_is_refused_by_ruff(copy: Path, file: str, line: str) -> None:
    path = copy / file
    path.write_text(f'"""Planted."""\n\n{line}\n')
    command = [str(BIN / "ruff"), "check", "--no-cache", "--select", "TID251", file]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "TID251" in done.stdout


#: Modules that are named as text: loaded by another process, or run there.
NAMED = re.compile(r"(?:etl|plugins)(?:\.[a-z0-9_]+)+")


#: Where, and which: import-linter sees none of these.
AS_TEXT = {
    ("etl/system/processes.py", "etl.read.worker"),
    ("etl/workflow/publishing.py", "etl.publish"),
    ("etl/workflow/releasing.py", "etl.proof.prove"),
    ("etl/workflow/serving.py", "etl.publish.server"),
}


def test_every_module_that_is_named_as_text_is_listed_and_there() -> None:
    named = {
        (path.relative_to(ROOT).as_posix(), node.value)
        for room in ("etl", "plugins")
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and NAMED.fullmatch(node.value)
    }
    assert named == AS_TEXT
    assert [name for _, name in sorted(named) if importlib.util.find_spec(name) is None] == []


#: Public names that may be defined twice, and why.
TWICE = {"main": "what runs first in each module that is run by itself"}
#: A program that goes with each release as one file: it imports nothing of ours, and nothing of ours is called like it.
STANDS_ALONE = ROOT / "etl/proof/verify_release.py"


def defined(path: Path) -> Iterator[str]:
    """The public names that a module defines for others."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        for target in [*getattr(node, "targets", []), *([node.target] if isinstance(node, ast.AnnAssign) else [])]:
            yield from (part.id for part in ast.walk(target) if isinstance(part, ast.Name))


def test_a_public_name_means_one_thing_in_the_whole_tree() -> None:
    where: dict[str, list[str]] = {}
    for path in (path for room in ("etl", "plugins") for path in (ROOT / room).rglob("*.py") if path != STANDS_ALONE):
        for name in {name for name in defined(path) if not name.startswith("_")}:
            where.setdefault(name, []).append(path.relative_to(ROOT).as_posix())
    assert {name: found for name, found in where.items() if len(found) > 1 and name not in TWICE} == {}
    assert all(len(where[name]) > 1 for name in TWICE)


def test_a_file_name_means_one_thing_in_the_whole_tree() -> None:
    names = [path.name for room in ("etl", "plugins") for path in (ROOT / room).rglob("*.py")]
    assert {name for name in names if names.count(name) > 1} == {"__init__.py"}


def test_no_test_file_imports_another() -> None:
    """What tests share lies in `tests/support/`."""
    found = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in (ROOT / "tests").rglob("*.py")
        for module in re.findall(r"^\s*from (tests\.\S+) import", path.read_text(encoding="utf-8"), flags=re.M)
        if not module.startswith("tests.support")
    ]
    assert found == []


# Runs publishing with an audit hook that ends the process at any look below the private folder, and lists environment
# names: what it must not be given.
WATCHED = """
import os, runpy, sys
private = os.path.realpath(sys.argv[1])
def watch(event, args):
    if event in ("open", "os.listdir", "os.scandir", "sqlite3.connect", "os.chdir") and args:
        target = args[0]
        if isinstance(target, bytes):
            target = target.decode()
        if isinstance(target, (str, os.PathLike)) and os.path.realpath(target).startswith(private):
            sys.stderr.write("TOUCHED PRIVATE\\n"); sys.stderr.flush(); os._exit(77)
sys.addaudithook(watch)
planted = sys.argv[2]
if planted:
    exec(planted)
sys.argv = ["etl.publish", *sys.argv[3:]]
runpy.run_module("etl.publish", run_name="__main__")
"""


def publish_watched(run: Run, planted: str = "") -> subprocess.CompletedProcess[str]:
    arguments = ["--released", str(run.home.released), "--public", str(run.home.public)]
    arguments += ["--campaign", str(run.campaign_folder)]
    command = [sys.executable, "-c", WATCHED, str(run.home.private), planted, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_publishing_never_looks_below_private(released: Run) -> None:
    done = publish_watched(released)
    assert done.returncode == 0, done.stderr
    assert (released.home.public / "site" / "index.html").exists()


@pytest.mark.parametrize("look", ["open({path!r})", "import sqlite3; sqlite3.connect({path!r})"])
def test_a_look_below_private_is_seen_by_the_watch(released: Run, look: str) -> None:
    done = publish_watched(released, look.format(path=str(released.home.vault)))
    assert (done.returncode, done.stderr) == (77, "TOUCHED PRIVATE\n")


def test_publishing_is_given_no_key(released: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, object] = {}

    def spy(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        seen.update(options, command=command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setenv("FUXUE_KEY_FILE", "/media/stick/master.key")
    monkeypatch.setattr(publishing, "run_module", keyless.run_module)  # which tests replace otherwise
    monkeypatch.setattr(subprocess, "run", spy)
    publishing.publish(released.home, released.campaign_folder)
    assert set(seen["env"]) <= {"PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT"}  # type: ignore[call-overload]
    assert not any("key" in str(part) for part in seen["command"])  # type: ignore[attr-defined]


def zone_bytes(*folders: Path) -> bytes:
    return b"\n".join(path.read_bytes() for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())


def test_no_name_or_number_leaves_the_private_zone(released: Run, people: list[Person]) -> None:
    """The canary: every synthetic person, searched for in all that was released and published."""
    publishing.publish(released.home, released.campaign_folder)
    content = zone_bytes(released.home.released, released.home.public)
    assert len(content) > 10_000
    for person in people:
        assert person.child.id_number.encode() not in content
        assert person.child.name.encode() not in content
        assert person.child.household.encode() not in content
