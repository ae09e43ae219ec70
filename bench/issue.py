"""What issuing costs: ``python -m bench.issue [--workbooks N] [--rows R]`` prints a table and one line of JSON.

(a) the campaign's units, 1,200 children: built, sealed, and opened again as every issue is;
(b) as many workbooks as a province would hand out (2,000 of 75 rows), by the same pool of processes;
(c) writing one workbook, beside openpyxl writing the very same: same cells, formats, lists, colours, further sheets.

Seconds are those of this machine. What can be compared is the ratio (c), and that of (b) to its floor: what
encryption alone takes of the processors. How much of the machine was ours, others' and idle is told besides.
"""

import argparse
import hashlib
import io
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.styles import NamedStyle

from etl.bundle import Bundle, child_row
from etl.campaign import Campaign, load_campaign
from etl.forms import ANNEX4
from etl.issue.issue import MANIFEST, issue_workbooks
from etl.issue.receipts import RECEIPTS
from etl.issue.workbook import build_workbook
from etl.manifest import Manifest
from etl.processes import end_with_parent, workers
from etl.sealing import seal, unseal
from etl.synthetic.population import make_population
from etl.vault.keys import Keys, demo_master

ROOT = Path(__file__).resolve().parent.parent
SEED, CHILDREN, REPETITIONS = 1, 1200, 15
ISSUE = "20190219-01"
Rows = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Clock:
    """Seconds since some moment: of the wall, of this process, and of the whole machine's busy processors."""

    wall: float
    own: float
    machine: float

    @classmethod
    def now(cls) -> "Clock":
        """Read all three."""
        spent = os.times()
        fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        idle = fields[3] + fields[4]
        return cls(time.perf_counter(), spent.user + spent.system, (sum(fields) - idle) / os.sysconf("SC_CLK_TCK"))


def spent_by(process: int) -> float:
    """Seconds of processor that another process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Issued:
    """One issue as measured. `busy` is the share of the processors that was ours, `others` what the rest had."""

    workbooks: int
    rows: int
    seconds: float
    megabytes: float
    busy: float
    others: float

    @property
    def processor(self) -> float:
        """Seconds of processor that it took, here and in the pool."""
        return self.busy * self.seconds * workers()

    def figures(self) -> dict[str, float]:
        """For the table and the JSON line."""
        return {
            "workbooks": self.workbooks, "rows": self.rows, "seconds": round(self.seconds, 2),
            "workbooks_per_second": round(self.workbooks / self.seconds, 2),
            "rows_per_second": round(self.rows / self.seconds, 1), "megabytes": round(self.megabytes, 2),
            "processor_seconds": round(self.processor, 2),
            "busy": round(self.busy, 3), "others": round(self.others, 3), "idle": round(1 - self.busy - self.others, 3),
        }  # fmt: skip


def issue(campaign: Campaign, bundles: Sequence[Bundle]) -> Issued:
    """Seal the workbooks as `etl/cli/issuing.py` does: forked processes that hold no key, and end with this one."""
    keys = Keys(demo_master(SEED))
    context = multiprocessing.get_context("forkserver")
    with tempfile.TemporaryDirectory() as folder:
        before = Clock.now()
        with ProcessPoolExecutor(workers(), mp_context=context, initializer=end_with_parent) as pool:
            made = issue_workbooks(
                campaign,
                bundles,
                day="2019-02-19",
                mac=lambda data: keys.mac("manifest", data),
                fingerprint=lambda data: keys.mac("handed-file", data),
                password_of=lambda to: keys.password(ISSUE, to),
                outbox=Path(folder),
                executor=pool,
                done=ticker(len(bundles)),
            )
            after = Clock.now()
            # Children of the fork server are not this process's own: asked while they live.
            others = sum(spent_by(child.pid) for child in multiprocessing.active_children() if child.pid)
        files = {path.name: path.stat().st_size for path in made.folder.iterdir()}
        first = bundles[0]
        plain = unseal((made.folder / first.file).read_bytes(), [keys.password(ISSUE, first.recipient)]).plain
    assert set(files) == {b.file for b in bundles} | {RECEIPTS, MANIFEST}
    assert openpyxl.load_workbook(io.BytesIO(plain))[ANNEX4.sheet].max_row == 4 + len(first.rows)
    wall = after.wall - before.wall
    ours, all_ = after.own - before.own + others, after.machine - before.machine
    return Issued(
        len(bundles),
        sum(len(bundle.rows) for bundle in bundles),
        wall,
        sum(files.values()) / 1e6,
        ours / wall / workers(),
        max(all_ - ours, 0) / wall / workers(),
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


def province(campaign: Campaign, workbooks: int, rows: int) -> list[Bundle]:
    """Workbooks of a size, for made-up receivers; the same people serve again under other serials."""
    people = [child_row(person.child) for person in make_population(campaign, max(rows, CHILDREN), SEED)]
    bundles = []
    for number in range(workbooks):
        first = number * rows
        own = [{**people[at % len(people)], "serial": f"{at + 1:06d}"} for at in range(first, first + rows)]
        bundles.append(Bundle(ANNEX4, ISSUE, f"unit-{number:04d}", f"第{number}单位", tuple(own)))
    return bundles


# (c) The peer: openpyxl, told to write what our workbook holds.


@dataclass(frozen=True)
class Plan:
    """All that a workbook holds, read once, outside the time that is measured."""

    source: Any
    sheets: tuple[Any, ...]
    cells: tuple[tuple[tuple[int, int, Any, int], ...], ...]
    styles: Mapping[int, tuple[Any, ...]]


STYLE = ("font", "fill", "border", "alignment", "number_format", "protection")


def plan_of(plain: bytes) -> Plan:
    """Read a workbook: its cells by place, value and style, each style's parts once."""
    source = openpyxl.load_workbook(io.BytesIO(plain))
    styles: dict[int, tuple[Any, ...]] = {}
    cells = []
    for sheet in source.worksheets:
        for cell in (cell for row in sheet.iter_rows() for cell in row):
            if cell.style_id not in styles:
                styles[cell.style_id] = tuple(copy(getattr(cell, part)) for part in STYLE)
        cells.append(
            tuple(
                (cell.row, cell.column, cell.value, cell.style_id)
                for row in sheet.iter_rows()
                for cell in row
                if cell.value is not None or cell.has_style
            )
        )
    return Plan(source, tuple(source.worksheets), tuple(cells), styles)


def write_with_openpyxl(plan: Plan, *, is_named: bool = False) -> bytes:
    """The same workbook, cell by cell: each cell is given its font, fill and so on, or (quicker) a named style."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    if is_named:
        for number, style in plan.styles.items():
            book.add_named_style(NamedStyle(f"style{number}", **dict(zip(STYLE, style, strict=True))))
    for old, cells in zip(plan.sheets, plan.cells, strict=True):
        sheet = book.create_sheet(old.title)
        for row, column, value, number in cells:
            cell = sheet.cell(row, column)
            cell.value = value
            if number and is_named:
                cell.style = f"style{number}"
            elif number:
                _dress(cell, plan.styles[number])
        _furnish(sheet, old)
        _lay_out(sheet, old)
    for name, defined in plan.source.defined_names.items():
        book.defined_names[name] = copy(defined)
    book.properties.title = plan.source.properties.title
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _dress(cell: Any, style: tuple[Any, ...]) -> None:
    cell.font, cell.fill, cell.border, cell.alignment, cell.number_format, cell.protection = style


def _furnish(sheet: Any, old: Any) -> None:
    """Sizes, merged cells, lists, colours."""
    for letter, column in old.column_dimensions.items():
        sheet.column_dimensions[letter].width = column.width
    for number, row in old.row_dimensions.items():
        if row.height is not None:
            sheet.row_dimensions[number].height = row.height
    for area in old.merged_cells.ranges:
        sheet.merged_cells.add(area.coord)
    for rule in old.data_validations.dataValidation:
        sheet.add_data_validation(copy(rule))
    for area in old.conditional_formatting:
        for rule in area.rules:
            sheet.conditional_formatting.add(str(area.sqref), copy(rule))


def _lay_out(sheet: Any, old: Any) -> None:
    """Lock and print layout."""
    sheet.freeze_panes = old.freeze_panes
    sheet.sheet_state = old.sheet_state
    sheet.protection = copy(old.protection)
    sheet.page_setup = copy(old.page_setup)
    sheet.page_margins = copy(old.page_margins)
    sheet.print_options = copy(old.print_options)
    sheet.sheet_properties.pageSetUpPr = copy(old.sheet_properties.pageSetUpPr)
    sheet.oddFooter.left.text, sheet.oddFooter.right.text = old.oddFooter.left.text, old.oddFooter.right.text
    if old.print_title_rows:
        sheet.print_title_rows = old.print_title_rows
    if old.print_area:
        sheet.print_area = old.print_area


def content(plain: bytes) -> list[Any]:
    """What a workbook holds, to be compared: every cell with its format, and all that lies over the cells."""
    book = openpyxl.load_workbook(io.BytesIO(plain))
    found: list[Any] = [sorted((name, defined.value) for name, defined in book.defined_names.items())]
    for sheet in book.worksheets:
        cells = [
            (cell.coordinate, cell.value or None, *(repr(getattr(cell, part)) for part in STYLE if cell.has_style))
            for row in sheet.iter_rows()
            for cell in row
        ]
        rules = [(str(area.sqref), rule.formula, repr(rule.dxf)) for area in sheet.conditional_formatting
                 for rule in area.rules]  # fmt: skip
        lists = [(str(one.sqref), one.type, one.formula1, one.prompt) for one in sheet.data_validations.dataValidation]
        found.append((sheet.title, sheet.sheet_state, cells, sorted(map(str, sheet.merged_cells.ranges)), rules, lists,
                      sheet.protection.sheet, sheet.freeze_panes, sheet.print_area, sheet.print_title_rows,
                      {number: row.height for number, row in sheet.row_dimensions.items()}))  # fmt: skip
    return found


def timed(work: Callable[[], object]) -> float:
    """Seconds of processor: another's load on the machine counts for little."""
    before = time.process_time()
    work()
    return time.process_time() - before


def one_workbook(campaign: Campaign, rows: int) -> dict[str, float]:
    """Medians of interleaved repetitions, in milliseconds of processor, and their ratio."""
    (bundle,) = province(campaign, 1, rows)
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


def show(title: str, figures: Mapping[str, float]) -> None:
    """A block of the table."""
    print(title)
    for name, value in figures.items():
        print(f"  {name:<24}{value:>12,}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.issue", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--workbooks", type=int, default=2000, help="workbooks of (b); 0 leaves it out")
    parser.add_argument("--rows", type=int, default=75, help="rows of each in (b), and of the one in (c)")
    given = parser.parse_args()
    campaign = load_campaign(ROOT / "campaign")
    result: dict[str, Any] = {"processors": workers(), "load_before": [round(value, 2) for value in os.getloadavg()]}
    result["c"] = one_workbook(campaign, given.rows)
    show(f"(c) one workbook of {given.rows} rows, processor time", result["c"])
    result["a"] = issue(campaign, county(campaign)).figures()
    show("(a) a county", result["a"])
    if given.workbooks:
        made = issue(campaign, province(campaign, given.workbooks, given.rows))
        # The floor: the same encryption, and opening it again, with nothing else done.
        floor = result["c"]["seal_and_open_ms"] / 1000 * given.workbooks
        result["b"] = made.figures() | {
            "floor_processor_seconds": round(floor, 2),
            "to_floor": round(made.processor / floor, 3),
        }
        show(f"(b) {given.workbooks} workbooks of {given.rows} rows", result["b"])
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
