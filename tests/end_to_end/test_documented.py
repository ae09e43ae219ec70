"""Every command that the documentation shows is run through the command line, and every command is shown."""

import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from openpyxl import Workbook

from etl.cli.main import main
from etl.rulebook.campaign import BUREAU
from etl.vault.store import chain
from etl.vault.store.audit_log import Log, Look, log_path
from etl.workflow import inspecting, releasing
from etl.workflow.documents import document_password
from etl.workflow.run import Run
from tests.support.fonts import needs_fonts
from tests.support.homes import ROOT

#: What the pages say of another county, and what it is in the one that they are run in.
NAMES = {"xutun": "xiling", "trial/var/": ""}
#: Commands that are run by tests of their own: servers, the demo, an older record.
RECORD, STAFF = ROOT / "docs" / "vault.md", ROOT / "docs" / "staff.md"
DELIVERABLES = ROOT / "docs" / "deliverables.md"
ELSEWHERE = {"demo", "record release", "serve", "serve staff", "serve public", "vault upgrade"}


def blocks(page: Path) -> list[list[list[str]]]:
    """The commands of each block of a page, as lists of their arguments, without comments."""
    found = re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.S)
    lines = [[shlex.split(line, comments=True) for line in block.splitlines()] for block in found]
    return [[arguments[2:] for arguments in block if arguments[:2] == ["python", "build.py"]] for block in lines]


def shown() -> Iterator[list[str]]:
    """The commands of the pages that are run: here, and in `tests/end_to_end/test_readme.py`."""
    for page in (ROOT / "README.md", RECORD, STAFF, DELIVERABLES):
        for block in blocks(page):
            yield from block


def names(group: click.Group, path: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from names(command, f"{path}{name} ")
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield f"{path}{name}"


@pytest.fixture
def home(loaded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A home in which everything has been done that the pages take for granted."""
    inspecting.lock_base(loaded, "WANG")
    releasing.release_figures(loaded)
    shutil.copy(loaded.home.demo_key, tmp_path / "master.key")
    book = Workbook()
    for row in (("账号", "范围"), ("a.clerk", "xiling")):
        book.worksheets[0].append(row)
    book.save(tmp_path / "staff.xlsx")
    with closing(Log(log_path(loaded.home.staff), loaded.keys, create=True)) as log:
        log.append(Look("2020-03-16T08:00:00", "a.clerk", "127.0.0.1", "GET", "/xiling", "", 200))
    monkeypatch.chdir(tmp_path)
    return loaded


def run(given: Run, arguments: list[str], key: str) -> str:
    with given.open_vault() as vault:
        head = chain.head(vault.connection)
    assert head is not None
    replaced = {**NAMES, "3f2a 91c0 …": chain.printed(head.seal)}
    arguments = [replaced.get(word, word) for word in arguments]
    common = ["--home", str(given.home.root), "--campaign", str(given.campaign_folder), "--key-file", key]
    day = ["--as-of", given.day.isoformat()] if arguments[0] in ("record", "report", "vault") else []
    known = {"history", "verify", "trace", "changes", "standing"}
    done = CliRunner().invoke(
        main, [*common, *arguments, *([] if arguments[1] in known else day)], input="青石县东港镇\n"
    )
    assert done.exit_code == 0, (arguments, done.output)
    return done.output


def test_the_records_commands_run_as_they_stand(home: Run) -> None:
    (commands,) = blocks(RECORD)
    assert len(commands) >= 18
    turn = commands.index(["vault", "purge", "--before", "2030-01-01", "--by", "WANG"])
    for arguments in commands[:turn]:
        run(home, arguments, "master.key")
    given = ["--home", str(home.home.root), "--campaign", str(home.campaign_folder), "--key-file", "new.key"]
    turn = next(at for at, arguments in enumerate(commands) if arguments[:2] == ["vault", "purge"])
    for arguments in commands[turn:]:  # the new key opens the record
        done = CliRunner().invoke(main, [*given, *arguments])
        assert done.exit_code == 0 or arguments == ["doctor"], (arguments, done.output)


@needs_fonts
def test_the_commands_that_make_documents_run_as_they_stand(home: Run) -> None:
    commands, (rollup,) = blocks(DELIVERABLES)
    for arguments in commands:
        run(home, arguments, "master.key")
    kinds = {path.parent.name for path in home.home.reports.rglob("*.pdf")}
    assert kinds == {"annex4", "annex5", "cases", "notices", "brief", "standing"}, "nobody is late on the due day"
    Path("words.txt").write_text(document_password(home, BUREAU), encoding="utf-8")
    given = [str(home.home.root / word) if "/" in word else word for word in rollup]
    done = CliRunner().invoke(main, ["--campaign", str(home.campaign_folder), *given])
    assert (done.exit_code, "1 个地方" in done.output) == (0, True), done.output


def test_the_staff_instances_commands_run_as_they_stand(home: Run) -> None:
    (commands,) = blocks(STAFF)
    with closing(Log(log_path(home.home.staff), home.keys)) as log:
        head = chain.printed(log.head()[1])
    given = ["--home", str(home.home.root), "--campaign", str(home.campaign_folder), "--key-file", "master.key"]
    for arguments in (arguments for arguments in commands if arguments[0] != "serve"):
        named = [{**NAMES, "3f2a 91…": head}.get(word, word) for word in arguments]
        done = CliRunner().invoke(main, [*given, *named])
        assert done.exit_code == 0, (arguments, done.output)


def test_every_command_is_shown_by_a_page_whose_commands_are_run() -> None:
    documented = {" ".join(arguments[:depth]) for arguments in shown() for depth in (1, 2, 3)}
    assert set(names(main)) - documented - ELSEWHERE == set()
