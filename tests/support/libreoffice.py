"""The clerk's side of the LibreOffice fixture. `python -m tests.support.libreoffice` makes the fixture anew."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from etl.rulebook.campaign import Campaign, load_campaign
from etl.system.home import Home
from etl.vault.store.keys import demo_master, new_key
from etl.workflow import issuing, standing, synthesizing
from etl.workflow.run import Run
from tests.support.homes import CHILDREN, ROOT, SEED, silent_bar

HERE = Path(__file__).resolve().parent
UNIT, ISSUE = "xiling", "20200302-01"
FIXTURE = HERE / f"{UNIT}-libreoffice.xlsx"
#: The same workbook by "save as": name, LibreOffice's filter, whether its password was set.
COPIES = {
    "xls": (f"{UNIT}-libreoffice.xls", "MS Excel 97", False),
    "sealed xls": (f"{UNIT}-libreoffice-sealed.xls", "MS Excel 97", True),
    "ods": (f"{UNIT}-libreoffice.ods", "calc8", False),
    "sealed ods": (f"{UNIT}-libreoffice-sealed.ods", "calc8", True),
    "plain xlsx": (f"{UNIT}-libreoffice-plain.xlsx", "Calc MS Excel 2007 XML", False),
}
FOOTER = {"填报人": "测试员甲", "联系电话": "00000000", "主管领导": "测试员乙"}


def answers(campaign: Campaign, count: int) -> list[list[str]]:
    """核查结果, 复学情况, 备注 of each row: every category in turn, 是 and 否 in turn."""
    rows = []
    for at in range(count):
        category = campaign.categories[at % len(campaign.categories)]
        returned = "无" if category.group == "deducted" else "是否"[at % 2]
        rows.append([category.label, returned, "测试员丙、测试员丁"])
    return rows


def job(campaign: Campaign, password: str, count: int) -> dict[str, Any]:
    """What the script reads from its standard input."""
    return {
        "password": password,
        "rows": answers(campaign, count),
        "footer": FOOTER,
        "copies": [list(copy) for copy in COPIES.values()],
    }


def find_python() -> str | None:
    """A Python that can talk to an installed LibreOffice, or None."""
    python = shutil.which("python3", path=os.defpath)
    if python is None or shutil.which("soffice") is None:
        return None
    asked = subprocess.run([python, "-c", "import uno"], capture_output=True, check=False, env={"PATH": os.defpath})
    return python if asked.returncode == 0 else None


def fill(python: str, source: Path, target: Path, given: dict[str, Any]) -> None:
    """Run the script; raises CalledProcessError if it fails."""
    with tempfile.TemporaryDirectory() as home:
        subprocess.run(
            [python, str(HERE / "make_libreoffice.py"), str(source), str(target)],
            input=json.dumps(given), text=True, check=True, timeout=180, capture_output=True,
            env={"PATH": os.defpath, "HOME": home, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip


def refresh() -> None:
    """Issue the tests' small list, fill one workbook in LibreOffice, keep it beside this file."""
    python = find_python()
    assert python is not None, "LibreOffice with python3-uno is not installed"
    with tempfile.TemporaryDirectory() as folder:
        campaign_folder = Path(folder) / "qingshi"
        shutil.copytree(ROOT / "campaign", campaign_folder)
        shutil.copytree(ROOT / "tests/support/campaigns" / "qingshi", campaign_folder, dirs_exist_ok=True)
        campaign = load_campaign(campaign_folder)
        home = Home(Path(folder) / "var")
        home.prepare()
        keys = new_key(home.demo_key, demo_master(SEED))
        run = Run(home, campaign_folder, campaign, keys, campaign.noticed, silent_bar)
        synthesizing.synthesize_list(campaign, home.private / "list.xlsx", CHILDREN, SEED, "default")
        issuing.issue_list(run, home.private / "list.xlsx")
        count = next(status.children for status in standing.standing_of(run).units if status.unit == UNIT)
        given = job(campaign, keys.password(ISSUE, UNIT), count)
        fill(python, home.outbox / ISSUE / f"{UNIT}.xlsx", FIXTURE, given)


if __name__ == "__main__":
    refresh()
