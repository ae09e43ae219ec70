"""What issuing costs: ``python -m bench issue [--workbooks N] [--rows R]`` prints a table and one line of JSON.

(a) the campaign's units, 1,200 children: built, sealed, and opened again as every issue is;
(b) as many workbooks as a province would hand out (2,000 of 75 rows), by the same pool of processes;
(c) writing one workbook, beside openpyxl writing the very same: same cells, formats, lists, colours, further sheets.

Seconds are those of this machine. What can be compared is the ratio (c), and that of (b) to its floor: what
encryption alone takes of the processors. How much of the machine was ours, others' and idle is printed too.
"""

import hashlib
import io
import json
import multiprocessing
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl

from bench.common import CHILDREN, ISSUE, KEYS, SEED, Cost, campaign_here, cost, machine, parser, province, show, timed
from bench.peer_issue import content, plan_of, write_with_openpyxl
from etl.exchange.bundle import Bundle, child_row
from etl.forms.definitions import ANNEX4
from etl.forms.manifest import Manifest
from etl.issue.outbox import MANIFEST, Handout, issue_workbooks
from etl.issue.receipts import RECEIPTS
from etl.issue.workbook import build_workbook
from etl.rulebook.campaign import Campaign
from etl.synthetic.population import make_population
from etl.system.processes import end_with_parent, workers
from etl.system.sealing import seal, unseal

REPETITIONS = 15


@dataclass(frozen=True)
class Issued:
    """One issue as measured."""

    workbooks: int
    rows: int
    megabytes: float
    cost: Cost

    def figures(self) -> dict[str, float]:
        """For the table and the JSON line. `busy` is the share of the processors that was ours."""
        seconds, busy, others = self.cost.wall, self.cost.busy, self.cost.others
        return {
            "workbooks": self.workbooks, "rows": self.rows, "seconds": round(seconds, 2),
            "workbooks_per_second": round(self.workbooks / seconds, 2),
            "rows_per_second": round(self.rows / seconds, 1), "megabytes": round(self.megabytes, 2),
            "processor_seconds": round(self.cost.processor, 2),
            "busy": round(busy, 3), "others": round(others, 3), "idle": round(1 - busy - others, 3),
        }  # fmt: skip


def issue(campaign: Campaign, bundles: Sequence[Bundle]) -> Issued:
    """Seal the workbooks into a folder that is thrown away, and look whether they are what they should be."""
    with tempfile.TemporaryDirectory() as folder:
        made: list[Handout] = []
        taken = cost(lambda: made.append(_issue(campaign, bundles, Path(folder))))
        files = {path.name: path.stat().st_size for path in made[0].folder.iterdir()}
        first = bundles[0]
        sealed = (made[0].folder / first.file).read_bytes()
    plain = unseal(sealed, [KEYS.password(ISSUE, first.recipient)]).plain
    assert set(files) == {b.file for b in bundles} | {RECEIPTS, MANIFEST}
    assert openpyxl.load_workbook(io.BytesIO(plain))[ANNEX4.sheet].max_row == 4 + len(first.rows)
    return Issued(len(bundles), sum(len(bundle.rows) for bundle in bundles), sum(files.values()) / 1e6, taken)


def _issue(campaign: Campaign, bundles: Sequence[Bundle], outbox: Path) -> Handout:
    """As `etl/workflow/issuing.py` does: forked processes that hold no key, and end with this one."""
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(workers(), mp_context=context, initializer=end_with_parent) as pool:
        return issue_workbooks(
            campaign,
            bundles,
            day="2019-02-19",
            mac=lambda data: KEYS.mac("manifest", data),
            fingerprint=lambda data: KEYS.mac("handed-file", data),
            password_of=lambda to: KEYS.password(ISSUE, to),
            outbox=outbox,
            executor=pool,
            done=ticker(len(bundles)),
        )


def ticker(total: int) -> Callable[[], None]:
    """Says every hundredth workbook on stderr."""
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        if done % 100 == 0:
            print(f"  {done} / {total}", file=sys.stderr, flush=True)

    return tick


def county(campaign: Campaign) -> list[Bundle]:
    """The workbooks of the campaign's own units, as a list of 1,200 children fills them."""
    children = [person.child for person in make_population(campaign, CHILDREN, SEED)]
    return [
        Bundle(ANNEX4, ISSUE, u.slug, u.name, tuple(child_row(child) for child in children if child.unit == u.slug))
        for u in campaign.units
    ]


def one_workbook(campaign: Campaign, rows: int) -> dict[str, float]:
    """Medians of interleaved repetitions, in milliseconds of processor, and their ratio."""
    bundle = province(campaign, 1, rows)[0].bundle
    manifest = Manifest(ANNEX4.key, ISSUE, bundle.recipient, bundle.keys, hashlib.sha256(b"").hexdigest())
    plain = build_workbook(campaign, bundle, manifest)
    plan = plan_of(plain)
    ways: dict[str, Callable[[], object]] = {
        "build": lambda: build_workbook(campaign, bundle, manifest),
        "openpyxl": lambda: write_with_openpyxl(plan),
        "openpyxl_named": lambda: write_with_openpyxl(plan, is_named=True),
        "seal_and_open": lambda: seal(plain, "bench"),
    }
    for is_named in (False, True):
        assert content(write_with_openpyxl(plan, is_named=is_named)) == content(plain)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(REPETITIONS):
        for name, way in ways.items():
            times[name].append(timed(way))
    medians = {name: 1000 * statistics.median(taken) for name, taken in times.items()}
    ratios = {f"to_{peer}": medians["build"] / medians[peer] for peer in ("openpyxl", "openpyxl_named")}
    return (
        {"rows": rows}
        | {f"{name}_ms": round(value, 1) for name, value in medians.items()}
        | {name: round(value, 3) for name, value in ratios.items()}
    )


def main() -> None:
    """Measure and print."""
    options = parser("issue", __doc__)
    options.add_argument("--workbooks", type=int, default=2000, help="workbooks of (b); 0 leaves it out")
    options.add_argument("--rows", type=int, default=75, help="rows of each in (b), and of the one in (c)")
    given = options.parse_args()
    campaign = campaign_here()
    result: dict[str, Any] = machine()
    result["c"] = one_workbook(campaign, given.rows)
    show(f"(c) one workbook of {given.rows} rows, processor time", result["c"])
    result["a"] = issue(campaign, county(campaign)).figures()
    show("(a) a county", result["a"])
    if given.workbooks:
        made = issue(campaign, [one.bundle for one in province(campaign, given.workbooks, given.rows)])
        # The floor: the same encryption, and opening it again, with nothing else done.
        floor = result["c"]["seal_and_open_ms"] / 1000 * given.workbooks
        result["b"] = made.figures() | {
            "floor_processor_seconds": round(floor, 2),
            "to_floor": round(made.cost.processor / floor, 3),
        }
        show(f"(b) {given.workbooks} workbooks of {given.rows} rows", result["b"])
    print(json.dumps(result, ensure_ascii=False))
