"""A peer for disclosure control: tau-ARGUS, through `pytauargus` 0.6.0 (EUPL-1.2; it brings its engine and HiGHS).

`pip install pytauargus==0.6.0` (Linux, glibc 2.28 or newer); nothing else of the bench needs it. What it asks of a
caller, all of it seen here, none of it in its documentation:

- A fresh working directory and process for each run. The engine writes logs, and for MOD the state of its backtracking,
  into the working directory, and reads what lies there at the next run: it then crashes, or finds another pattern.
- A time limit, in minutes: of the table for OPT, of each of its subtables for MOD. The default, 0, is not "none": the
  engine stops after its first heuristic.
- Zeros marked safe, not "non-structural": at the first of those that is to be hidden the engine stops, silently.

Hypercube and network are not in this package. Zeros are published and known, unless a caller allows them to
be hidden.
MOD looks at one subtable at a time, and now and then leaves a count short of [0, 2x]; `argus_audit` finds those. It
crashes on a dimension with but one leaf.
"""

import importlib
import importlib.util
import itertools
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal, TypeVar

Place = tuple[str, ...]
Tree = Mapping[str, str]
Costs = Literal["count", "value"]
Result = TypeVar("Result")

METHODS = {"optimal": "OPT", "modular": "MOD"}
#: Each cell costs one; or, with no variable named, its value, which the engine scales to at most 20,000 and rounds.
COST = {"count": "-2", "value": ""}
TOTAL = "Total"
#: The engine's number for a cell that may be published; its letters for cells that its rule hides, that it hides to
#: protect others, and that are empty.
SAFE = 1
UNSAFE, SECONDARY, EMPTY = "U", "M", "E"


@dataclass(frozen=True)
class Protected:
    """What tau-ARGUS suppresses. A cell is a code of each dimension; totals stand under the dimension's top code.

    `seconds` are those of secondary suppression alone. `is_proven`: OPT had the time to prove that nothing cheaper is
    safe; always false for MOD, which does not try.
    """

    cells: frozenset[Place]
    primary: frozenset[Place]
    seconds: float
    is_proven: bool = False


@dataclass(frozen=True)
class Table:
    """A table as handed over; `inner` by tuples of leaf codes, what is not in it being a structural zero."""

    dimensions: tuple[Tree, ...]
    inner: Mapping[Place, int]
    k: int
    costs: Costs = "count"

    @staticmethod
    def of(dimensions: Sequence[Tree], inner: Mapping[Place, int], k: int, costs: Costs = "count") -> "Table":
        """A copy that another process can be sent."""
        return Table(tuple(map(dict, dimensions)), dict(inner), k, costs)


def protect(
    dimensions: Sequence[Tree],
    inner: Mapping[Place, int],
    k: int,
    method: str,
    *,
    costs: Costs = "count",
    zeros: bool = False,
    minutes: int = 10,
) -> Protected:
    """Suppress every count of 1 … k-1, and what else keeps a reader from narrowing it down to less than [0, 2x].

    `dimensions`: each code's parent, the top's is "". `method`: "optimal" or "modular". tau-ARGUS publishes every zero
    and lets the reader know it; with `zeros` it may suppress those in `inner`, and sums of nothing but those.
    """
    return apart(_protect, Table.of(dimensions, inner, k, costs), METHODS[method], zeros, minutes)


def apart(work: Callable[..., Result], *given: object) -> Result:
    """Work in a process of its own, in an empty directory that goes with it; a crash comes as BrokenProcessPool."""
    if importlib.util.find_spec("pytauargus") is None:
        raise ModuleNotFoundError("tau-ARGUS is not here: pip install pytauargus==0.6.0")
    with (
        tempfile.TemporaryDirectory(prefix="argus-") as home,
        ProcessPoolExecutor(1, get_context("spawn"), _settle, (home,)) as pool,
    ):
        return pool.submit(work, *given).result()


def _settle(home: str) -> None:
    os.chdir(home)
    tempfile.tempdir = home  # MOD leaves files beside what it takes for its temporary directory.


def _protect(table: Table, method: str, zeros: bool, minutes: int) -> Protected:
    engine, back = read(table)
    if zeros:
        possible, empty = _values(table), enumerate(cells_of(engine, back))
        mark(engine, {at: SAFE for at, (cell, letter) in empty if letter == EMPTY and cell in possible})
    batch = importlib.import_module("pytauargus.batch")
    began = time.perf_counter()
    engine.suppress(batch.Suppress(method, 1, opt_max_time=minutes, mod_max_time=minutes))
    seconds = time.perf_counter() - began
    found = list(cells_of(engine, back))
    return Protected(
        cells=frozenset(cell for cell, letter in found if letter in (UNSAFE, SECONDARY)),
        primary=frozenset(cell for cell, letter in found if letter == UNSAFE),
        seconds=seconds,
        is_proven=_is_proven(),
    )


def read(table: Table) -> tuple[Any, list[dict[str, str]]]:
    """An engine that has read the table and marked what is primary; for each dimension, our code by the engine's."""
    meta, back, codes = ['<SEPARATOR> ";"'], list[dict[str, str]](), list[dict[str, str]]()
    for number, tree in enumerate(table.dimensions):
        top, *lines = _lines(tree)
        codes.append({top[0]: TOTAL} | {code: f"{at:06}" for at, (code, _) in enumerate(lines)})
        back.append({name: code for code, name in codes[-1].items()})
        Path(f"{number}.hrc").write_text("".join(f"{'@' * (deep - 1)}{codes[-1][code]}\n" for code, deep in lines))
        meta += [f"D{number}", "<RECODEABLE>", f'<TOTCODE> "{TOTAL}"', "<HIERARCHICAL>"]
        meta += [f'<HIERCODELIST> "{number}.hrc"', '<HIERLEADSTRING> "@"']
    meta += ["Value", "<NUMERIC>", "<DECIMALS> 0", "Children", "<FREQUENCY>"]
    Path("table.rda").write_text("\n".join(meta) + "\n")
    rows = (
        ";".join([*(names[code] for names, code in zip(codes, place, strict=True)), f"{value};{value}\n"])
        for place, value in _values(table).items()
        if value
    )
    Path("table.tab").write_text("".join(rows))
    names = "".join(f'"D{number}"' for number in range(len(codes)))
    Path("table.arb").write_text(
        f'<OPENTABLEDATA> "table.tab"\n<OPENMETADATA> "table.rda"\n'
        f'<SPECIFYTABLE> {names}|"Value"||"{COST[table.costs]}"\n<SAFETYRULE> FREQ({table.k},100)\n<READTABLE>\n'
    )
    return importlib.import_module("pytauargus.engine").run_batch("table.arb"), back


def _lines(tree: Tree) -> Iterator[tuple[str, int]]:
    """Each code with its depth, every one before its parts."""
    parts: dict[str, list[str]] = {}
    for code, parent in tree.items():
        parts.setdefault(parent, []).append(code)
    open_ = [(code, 0) for code in parts[""]]
    while open_:
        code, deep = open_.pop()
        yield code, deep
        open_ += [(part, deep + 1) for part in reversed(parts.get(code, []))]


def cells_of(engine: Any, back: Sequence[Mapping[str, str]]) -> Iterator[tuple[Place, str]]:
    """Every cell and the letter of its status, in the order in which the engine numbers cells."""
    engine.write_intermediate_table(0, "cells.tab", simple=True)
    for line in Path("cells.tab").read_text().splitlines():
        fields = line.split(";")
        place = tuple(names[field.strip('"').strip()] for names, field in zip(back, fields, strict=False))
        yield place, fields[-3]


def mark(engine: Any, marks: Mapping[int, int]) -> None:
    """Set statuses by a cell's number."""
    for at, status in marks.items():
        engine._tau.set_table_cell_status_cell(0, at, status)  # the package has no public way to an empty cell


def _values(table: Table) -> dict[Place, int]:
    """The value of every cell, sums included: the engine itself cannot add up a code that has but one part."""
    values: dict[Place, int] = {}
    for place, value in table.inner.items():
        for cell in itertools.product(*map(_above, table.dimensions, place)):
            values[cell] = values.get(cell, 0) + value
    return values


def _above(tree: Tree, code: str) -> Iterator[str]:
    while code:
        yield code
        code = tree[code]


def _is_proven() -> bool:
    log = Path("FullJJ.log")
    bounds = re.search(r"Objectvalues:\s*(\d+) and\s*(\d+)", log.read_text()) if log.exists() else None
    return bounds is not None and bounds[1] == bounds[2]
