"""What case files cost: ``python -m bench documents`` prints a table and one line of JSON.

Case files of children who are made up here, volume by volume, as `report cases` writes them: pages a second, how much
of the time is setting and how much sealing, and the memory of the process after a tenth of them and at the end.
"""

import datetime as dt
import json
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.common import KEYS, ROOT, campaign_here, machine, parser
from etl.exchange.case_file import CaseFile
from etl.rulebook.campaign import Campaign
from etl.system.home import Home
from etl.workflow import case_filing, documents
from etl.workflow.run import Run

_VOLUME = 150


def made_up(unit: str, number: int) -> CaseFile:
    """A case file as full as those of a real campaign."""
    child = {
        "serial": f"{number:06d}", "name": f"王小{'一二三四五六七八九十'[number % 10]}", "sex": "男",
        "id_number": "21028120050607123X", "household": f"瓦房店市某镇某村 {number} 号",
    }  # fmt: skip
    work = {
        "measure": "帮扶救助", "department": "民政局", "person": "李主任", "schooling": "普通班就读",
        "school": "第三小学", "date": "2019-03-01", "carer": "赵老师",
    }  # fmt: skip
    events = [(f"2019-02-{day}", "报送结果：K.打工务农，复学：否", "张三、李四、王五") for day in range(20, 26)]
    papers = [(kind, "批评教育笔录", "2019-02-25", "二号柜三层") for kind in ("criticism", "enrolment")]
    signed = [("verification", "2019-02-27", "张三、李四")]
    return CaseFile("20190219-01", unit, child, "K", "是", "张三、李四", True, work, events, papers, signed)


def memory() -> int:
    """The most memory so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def volumes(campaign: Campaign, children: int) -> Iterator[tuple[str, list[CaseFile]]]:
    """Children in volumes, unit after unit."""
    units = list(campaign.unit)
    for first in range(0, children, _VOLUME):
        unit = units[first // _VOLUME % len(units)]
        yield unit, [made_up(unit, number) for number in range(first, min(first + _VOLUME, children))]


@contextmanager
def clocked(spent: dict[str, float], **functions: object) -> Iterator[None]:
    """Add up the seconds that functions take, given as name=module, by their name."""
    with ExitStack() as stack:
        for name, module in functions.items():
            usual = getattr(module, name)

            def timed(*given: Any, _usual: Any = usual, _name: str = name) -> Any:
                begun = time.perf_counter()
                try:
                    return _usual(*given)
                finally:
                    spent[_name] += time.perf_counter() - begun

            stack.enter_context(patch.object(module, name, timed))
        yield


def main() -> None:
    """Write the case files of ``--children``, delete each when it is counted, and print the figures."""
    given = parser("documents", __doc__)
    given.add_argument("--children", type=int, default=3_000)
    children, campaign = given.parse_args().children, campaign_here()
    spent: dict[str, float] = {"print_pdf": 0.0, "seal_pdf": 0.0}
    pages = written = early = 0
    with tempfile.TemporaryDirectory() as folder, clocked(spent, print_pdf=case_filing, seal_pdf=documents):
        home = Home(Path(folder) / "var")
        home.prepare()
        run = Run(home, ROOT / "campaign", campaign, KEYS, dt.date(2019, 3, 4), lambda *_: lambda: None)
        begun = time.perf_counter()
        for number, (unit, files) in enumerate(volumes(campaign, children), start=1):
            for one in case_filing.write_volume(run, unit, files, number):
                pages += len(files) + 1 if "volume" in one.file.name else 2
                written += 1
                one.file.unlink()
            if not early and number * _VOLUME * 10 >= children:
                early = memory()
        seconds = time.perf_counter() - begun
    found = {
        "children": children, "documents": written, "pages": pages, "seconds": round(seconds, 1),
        "pages_per_second": round(pages / seconds, 1), "share_of_setting": round(spent["print_pdf"] / seconds, 2),
        "share_of_sealing": round(spent["seal_pdf"] / seconds, 2), "memory_early_mb": early,
        "memory_end_mb": memory(),
    }  # fmt: skip
    for name, value in found.items():
        print(f"{name:>18}  {value}")
    print(json.dumps({"bench": "documents", **machine(), **found}))
