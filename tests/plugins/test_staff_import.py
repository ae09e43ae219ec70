"""`staff import`: all accounts of a list or none, passwords lie sealed, every fault is named by its row."""

import asyncio
import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner, Result

from etl.cli.main import main
from etl.system.sealing import unseal
from etl.workflow import issuing
from etl.workflow.run import Run
from plugins.accounts import list_accounts
from plugins.launch import build_staff
from plugins.staff import StaffDatasette
from tests.support.homes import ROOT
from tests.support.staff_instance import COOKIE

UNIT = "xiling"


def staff_list(path: Path, *rows: tuple[object, ...], heads: tuple[str, ...] = ("姓名", "账号", "范围")) -> Path:
    book = openpyxl.Workbook()
    for row in (heads, *rows):
        book.active.append(row)
    book.save(path)
    return path


def staff(run: Run, *arguments: str) -> Result:
    common = ("--home", str(run.home.root), "--campaign", str(run.campaign_folder), "--json")
    return CliRunner().invoke(main, [*common, "staff", *arguments], env={"COLUMNS": "300"})


def names(run: Run) -> list[str]:
    return [account.username for account in list_accounts(run.home, run.keys)]


@pytest.fixture
def ready(run: Run) -> Run:
    """A home whose scopes are built."""
    assert staff(run, "list").exit_code == 0
    return run


def test_every_account_of_a_list_is_made_and_its_password_lies_sealed(ready: Run, tmp_path: Path) -> None:
    rows = [
        ("张三", "zhang.san", UNIT),
        (None, None, None),
        ("李四", "li.si", "bureau"),
        ("王五", "wang5", "custodian"),
    ]
    done = staff(ready, "import", str(staff_list(tmp_path / "staff.xlsx", *rows)))
    assert done.exit_code == 0, done.output
    (file,) = ready.home.reports.glob("staff-*.xlsx")
    sealed = file.read_bytes()
    assert not sealed.startswith(b"PK")
    book = openpyxl.load_workbook(io.BytesIO(unseal(sealed, [issuing.bureau_password(ready)]).plain))
    passwords = {row[0]: row[2] for row in book.active.iter_rows(min_row=4, values_only=True)}
    assert sorted(passwords) == names(ready) == ["li.si", "wang5", "zhang.san"]
    assert not [password for password in passwords.values() if password in done.output]
    datasette = build_staff(ready.home, ready.keys, ready.campaign, ROOT)
    try:
        login = {"username": "zhang.san", "password": passwords["zhang.san"]}
        answer = _ask(datasette, login)
        assert answer.json()["must_change_password"]
        assert COOKIE in answer.cookies
    finally:
        datasette.close()


def _ask(datasette: StaffDatasette, login: dict[str, str]) -> Any:
    async def ask() -> Any:
        await datasette.invoke_startup()
        return await datasette.client.post("/-/login/api/authenticate", json=login)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("x", "fine.name", UNIT), ("x", "坏名", UNIT)], "第 3 行"),
        ([("x", "fine.name", "nowhere")], "nowhere"),
        ([("x", "fine.name", UNIT), ("x", "Fine.Name", UNIT)], "已被使用"),
        ([("x", "fine.name", "../vault")], "第 2 行"),
        ([], "没有一行账号"),
    ],
)
def test_one_fault_and_no_account_is_made(
    ready: Run, tmp_path: Path, rows: list[tuple[object, ...]], said: str
) -> None:
    done = staff(ready, "import", str(staff_list(tmp_path / "staff.xlsx", *rows)))
    assert done.exit_code == 1
    assert said in done.output
    assert names(ready) == []
    assert list(ready.home.reports.glob("staff-*")) == []


def test_a_name_that_is_taken_stays_with_its_holder(ready: Run, tmp_path: Path) -> None:
    assert staff(ready, "add", "zhang.san", "--scope", UNIT).exit_code == 0
    rows = [("x", "new.one", UNIT), ("x", "zhang.san", "bureau")]
    done = staff(ready, "import", str(staff_list(tmp_path / "staff.xlsx", *rows)))
    assert done.exit_code == 1
    assert [(a.username, a.scopes) for a in list_accounts(ready.home, ready.keys)] == [("zhang.san", (UNIT,))]


@pytest.mark.parametrize("content", [b"", b"not a workbook", b"PK\x03\x04 broken"])
def test_what_is_no_workbook_is_said_to_be_none(ready: Run, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "staff.xlsx").write_bytes(content)
    done = staff(ready, "import", str(tmp_path / "staff.xlsx"))
    assert done.exit_code == 1
    assert "Traceback" not in done.output
    assert names(ready) == []


def test_headings_are_asked_for(ready: Run, tmp_path: Path) -> None:
    path = staff_list(tmp_path / "staff.xlsx", ("a", "b"), heads=("姓名", "单位"))
    done = staff(ready, "import", str(path))
    assert done.exit_code == 1
    assert "两个标题" in done.output
