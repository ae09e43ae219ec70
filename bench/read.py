"""What reading costs: ``python -m bench read [--workbooks N] [--rows R]`` prints a table and one line of JSON.

(a) in one process, unsealed workbooks in batches, every way in turn on each batch: a floor (unpack all parts, feed them
to expat), a floor that collects the cells' text, calamine alone, our reading, the same in its bounded child, openpyxl;
(b) the same over all processors: our reading as `load` does it, openpyxl and the floor in a pool of processes.
"""

import io
import json
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from xml.parsers import expat

import openpyxl
import python_calamine

from bench.common import Cost, campaign_here, cost, machine, middle, parser, processes, province, ratios, show, timed
from bench.returned import returned
from etl.forms.definitions import ANNEX4
from etl.read.cells import parse_workbook
from etl.read.worker import read_workbook
from etl.rulebook.limits import Limits
from etl.system.processes import workers

#: Rounds of (b); each takes its share of the workbooks.
ROUNDS = 5
Way = Callable[[bytes], object]


def floor(plain: bytes) -> None:
    """Unpack every part and feed it to expat; nothing is looked at."""
    with zipfile.ZipFile(io.BytesIO(plain)) as package:
        for name in package.namelist():
            part = package.read(name)
            if name.endswith((".xml", ".rels")):
                expat.ParserCreate().Parse(part, True)


def minimal(plain: bytes) -> list[str]:
    """The same with handlers that collect the text of every cell and shared string: the least that a reader does."""
    texts: list[str] = []
    with zipfile.ZipFile(io.BytesIO(plain)) as package:
        for name in package.namelist():
            part = package.read(name)
            if name.endswith((".xml", ".rels")):
                _collect(part, texts)
    return texts


def _collect(part: bytes, texts: list[str]) -> None:
    is_text = False

    def start(tag: str, _: dict[str, str]) -> None:
        nonlocal is_text
        is_text = tag in ("t", "v")

    def end(_: str) -> None:
        nonlocal is_text
        is_text = False

    def data(text: str) -> None:
        if is_text:
            texts.append(text)

    reader = expat.ParserCreate()
    reader.buffer_text = True
    reader.StartElementHandler, reader.EndElementHandler, reader.CharacterDataHandler = start, end, data
    reader.Parse(part, True)


def with_calamine(plain: bytes) -> list[list[list[Any]]]:
    """Every cell of every sheet, as our reading asks calamine for it."""
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(plain))
    return [book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names]


def with_openpyxl(plain: bytes, *, read_only: bool = False) -> list[list[tuple[Any, ...]]]:
    """Every cell's value of every sheet."""
    book = openpyxl.load_workbook(io.BytesIO(plain), read_only=read_only)
    return [list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets]


def in_child(limits: Limits, plain: bytes) -> object:
    """Our reading as `load` does it: in a process of its own, bounded."""
    read = read_workbook(plain, [], limits, allow_unsealed=True)
    assert read.rows, "the workbook was refused"
    return read


def agree(limits: Limits, plain: bytes) -> None:
    """Our reading and openpyxl see the same cells: else their times are not of the same work."""
    read = parse_workbook(plain, limits)
    sheet = openpyxl.load_workbook(io.BytesIO(plain))[ANNEX4.sheet]
    cells = [value for row in read.rows for value in row.values()]
    assert cells
    assert all((sheet[value.cell].value or "") == value.text for value in cells)
    text = "".join(minimal(plain))  # LibreOffice breaks a text where its font changes
    assert all(value.text in text for value in cells)


def one_process(books: Sequence[bytes], limits: Limits, batch: int) -> dict[str, Any]:
    """Milliseconds of processor a workbook, [median, quartiles] of the batches; ratios batch by batch."""
    ways: Mapping[str, Way] = {
        "floor": floor,
        "floor_with_text": minimal,
        "calamine": with_calamine,
        "parse": partial(parse_workbook, limits=limits),
        "openpyxl": with_openpyxl,
        "openpyxl_read_only": partial(with_openpyxl, read_only=True),
    }
    child = partial(in_child, limits)
    child(books[0])  # the server that children are forked from starts once
    taken: dict[str, list[float]] = {name: [] for name in (*ways, "child", "child_wall")}
    for first in range(0, len(books), batch):
        part = books[first : first + batch]
        for name, way in ways.items():
            taken[name].append(1000 * timed(lambda way=way, part=part: each(way, part)) / len(part))  # type: ignore[misc]
        spent = cost(lambda part=part: each(child, part))  # type: ignore[misc]
        taken["child"].append(1000 * spent.processor / len(part))
        taken["child_wall"].append(1000 * spent.wall / len(part))
    return _compared(len(books), taken, ours=("parse", "child"), unit="ms")


def each(way: Way, books: Sequence[bytes]) -> None:
    """One after the other."""
    for book in books:
        way(book)


def over_all(books: Sequence[bytes], limits: Limits) -> dict[str, Any]:
    """Milliseconds of the wall a workbook with all processors at work, [median, quartiles] of the rounds."""
    with processes() as pool, ThreadPoolExecutor(workers()) as threads:
        # Answers are thrown away where they are made: a peer does not pay for sending them.
        ways: Mapping[str, tuple[Executor, Callable[[Sequence[bytes]], None]]] = {
            "floor": (pool, partial(each, floor)),
            "child": (threads, partial(each, partial(in_child, limits))),
            "openpyxl": (pool, partial(each, with_openpyxl)),
            "openpyxl_read_only": (pool, partial(each, partial(with_openpyxl, read_only=True))),
        }
        for executor, way in ways.values():  # processes and imports
            list(executor.map(way, [books[:1]] * 2 * workers()))
        size = max(len(books) // ROUNDS, 1)
        spent: dict[str, list[Cost]] = {name: [] for name in ways}
        for first in range(0, size * ROUNDS, size):
            parts = [books[at : at + 10] for at in range(first, first + size, 10)]
            for name, (executor, way) in ways.items():
                spent[name].append(cost(lambda e=executor, w=way, p=parts: list(e.map(w, p))))  # type: ignore[misc]
    walls = {name: [1000 * one.wall / size for one in costs] for name, costs in spent.items()}
    figures = _compared(size * ROUNDS, walls, ours=("child",), unit="wall_ms")
    costs = {f"{name}_processor_ms": middle([1000 * c.processor / size for c in all_]) for name, all_ in spent.items()}
    return figures | costs | {"others": round(sum(c.others for all_ in spent.values() for c in all_) / 4 / ROUNDS, 3)}


def _compared(count: int, taken: Mapping[str, Sequence[float]], *, ours: Sequence[str], unit: str) -> dict[str, Any]:
    figures: dict[str, Any] = {"workbooks": count}
    figures |= {f"{name}_{unit}": middle(values) for name, values in taken.items()}
    for our in ours:
        for name, values in taken.items():
            if name.startswith("floor"):
                figures[f"{our}_to_{name}"] = ratios(taken[our], values)
            elif name.startswith("openpyxl"):
                figures[f"{name}_to_{our}"] = ratios(values, taken[our])
    return figures


def saved_by_libreoffice(books: Sequence[bytes]) -> list[bytes]:
    """The same workbooks opened and saved by LibreOffice: shared strings, its own styles, all formulas calculated."""
    program = shutil.which("soffice")
    if program is None:
        raise SystemExit("soffice is not installed")
    with tempfile.TemporaryDirectory() as folder:
        source, saved = Path(folder, "source"), Path(folder, "saved")
        source.mkdir()
        for number, book in enumerate(books):
            (source / f"{number:04d}.xlsx").write_bytes(book)
        command = [program, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", "xlsx"]
        command += ["--outdir", str(saved), *map(str, sorted(source.iterdir()))]
        subprocess.run(command, check=True, capture_output=True)
        return [path.read_bytes() for path in sorted(saved.iterdir())]


def main() -> None:
    """Measure and print."""
    options = parser("read", __doc__)
    options.add_argument("--workbooks", type=int, default=2000, help="workbooks that every way reads")
    options.add_argument("--distinct", type=int, default=40, help="so many different ones, over and over: one batch")
    options.add_argument("--rows", type=int, default=75, help="rows of each")
    options.add_argument("--libreoffice", action="store_true", help="let LibreOffice save them first")
    given = options.parse_args()
    campaign = campaign_here()
    result: dict[str, Any] = machine() | {"rows": given.rows, "distinct": given.distinct}
    books = returned(campaign, province(campaign, given.distinct, given.rows))
    books = saved_by_libreoffice(books) if given.libreoffice else books
    for book in books:
        agree(campaign.limits, book)
    books = (books * (given.workbooks // len(books) + 1))[: given.workbooks]
    result["a"] = one_process(books, campaign.limits, given.distinct)
    show(f"(a) {given.workbooks} workbooks of {given.rows} rows, one process, a workbook", result["a"])
    result["b"] = over_all(books, campaign.limits)
    show(f"(b) the same over {workers()} processors, a workbook", result["b"])
    print(json.dumps(result, ensure_ascii=False))
