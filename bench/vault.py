"""What the record costs at a province's size: ``python -m bench vault`` prints a table and one line of JSON.

100,000 children in 2,000 unsealed workbooks are loaded, each time by a process of its own, into SQLCipher and, in turn,
into plain SQLite: the same library without a key, the same statements. Then, of the encrypted one: what `status`,
counting and `vault verify` take, and bytes a child.
"""

import json
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlcipher3 import dbapi2 as sqlcipher  # noqa: TID251 - the plain peer has no key, and made-up data

from bench.common import KEYS, ROOT, campaign_here, machine, middle, of_province, parser, province, ratios, show
from bench.load import hand_out
from bench.returned import returned
from etl.system.home import Home
from etl.system.processes import end_with_parent
from etl.vault.record import submissions
from etl.vault.record.count import count
from etl.vault.store.files import Connection
from etl.workflow import loading, recovery, standing, upkeep
from etl.workflow.run import Run

#: Kibibytes that `ru_maxrss` counts in.
UNIT = 1024


def connect_plain(path: Path, _: bytes, *, create: bool = False, readonly: bool = False) -> Connection:
    """As `etl.vault.store.files.connect`, without a key."""
    mode = "rwc" if create else "ro" if readonly else "rw"
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlcipher.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    for pragma in ("temp_store = MEMORY", "secure_delete = ON", "foreign_keys = ON", "busy_timeout = 10000"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


@contextmanager
def kept(*, plain: bool) -> Iterator[None]:
    """Every file of the record and its scopes is encrypted, or none is."""
    with ExitStack() as stack:
        for module in ("store.open", "scopes.scope_files") if plain else ():
            stack.enter_context(patch(f"etl.vault.{module}.connect", connect_plain))
        yield


@contextmanager
def timed(spent: dict[str, float], **functions: tuple[object, str]) -> Iterator[None]:
    """Add up the seconds of the wall that functions take, each by the name it is given here."""

    def watch(name: str, function: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                spent[name] = spent.get(name, 0) + time.perf_counter() - start

        return call

    with ExitStack() as stack:
        for name, (owner, attribute) in functions.items():
            stack.enter_context(patch.object(owner, attribute, watch(name, getattr(owner, attribute))))
        yield


def _run(home: Path, workbooks: int) -> Run:
    campaign = of_province(campaign_here(), province(campaign_here(), workbooks, 0))
    return Run(Home(home), ROOT / "campaign", campaign, KEYS, campaign.reports_due, lambda _, __: lambda: None)


def load(home: Path, inbox: Path, workbooks: int, plain: bool) -> dict[str, float]:
    """Load all files, in a process of its own: seconds in all, of recording and of writing scopes; its memory."""
    run, spent = _run(home, workbooks), dict[str, float]()
    parts = {
        "record": (submissions, "record_workbook"),
        "scopes": (recovery, "build_scopes"),
        "load": (loading, "load_files"),
    }
    with kept(plain=plain), timed(spent, **parts):
        loaded = loading.load_files(run, sorted(inbox.iterdir()), allow_unsealed=True)
    assert all(one.outcome == "accepted" for one in loaded)
    return spent | {"megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT / 1e6}


def ask(home: Path, workbooks: int) -> dict[str, float]:
    """Seconds that `status`, counting and verifying take of the encrypted record, opening it included."""
    run, spent = _run(home, workbooks), dict[str, float]()
    with timed(spent, status=(standing, "standing_of"), verify=(upkeep, "verify_record"), open=(Run, "open_vault")):
        standing.standing_of(run)
        upkeep.verify_record(run)
    with run.open_vault() as vault:
        start = time.perf_counter()
        sums = count(vault, run.campaign, run.day)
        spent["count"] = time.perf_counter() - start
    assert all(unit.reported for unit in sums.units)
    return {name: round(value, 3) for name, value in spent.items() if name != "open"}


def sizes(home: Path, children: int) -> dict[str, float]:
    """Bytes a child: of the record, and of all scopes' files."""
    made = Home(home)
    scopes = sum(path.stat().st_size for path in made.scopes.rglob("*.db"))
    return {"vault_bytes": round(made.vault.stat().st_size / children), "scope_bytes": round(scopes / children)}


def measure(folder: Path, workbooks: int, rows: int, repetitions: int) -> dict[str, Any]:
    """All figures; encrypted and plain in turn."""
    handed = province(campaign_here(), workbooks, rows)
    campaign = of_province(campaign_here(), handed)
    (folder / "inbox").mkdir()
    for one, content in zip(handed, returned(campaign, handed, ()), strict=True):
        (folder / "inbox" / one.bundle.file).write_bytes(content)
    for plain in (False, True):
        with kept(plain=plain):
            hand_out(Home(folder / f"plain-{plain}"), campaign, handed)
    taken: Mapping[bool, list[dict[str, float]]] = {False: [], True: []}
    asked: list[dict[str, float]] = []
    for turn in range(repetitions):
        for plain in (False, True):
            home = folder / "home"
            shutil.copytree(folder / f"plain-{plain}", home)
            taken[plain].append(_apart(load, home, folder / "inbox", workbooks, plain))
            if not plain:
                asked.append(_apart(ask, home, workbooks))
                kept_bytes = sizes(home, workbooks * rows)
            shutil.rmtree(home)
            print(f"{turn + 1}/{repetitions} {'plain' if plain else 'encrypted'}", file=sys.stderr, flush=True)
    figures: dict[str, Any] = {"children": workbooks * rows, "workbooks": workbooks} | kept_bytes
    for name in ("load", "record", "scopes", "megabytes"):
        ours, theirs = ([one[name] for one in taken[plain]] for plain in (False, True))
        figures |= {name: middle(ours), f"{name}_plain": middle(theirs), f"{name}_to_plain": ratios(ours, theirs)}
    figures["rows_per_second"] = round(workbooks * rows / figures["load"][0])
    return figures | {name: middle([one[name] for one in asked], 3) for name in asked[0]}


def _apart(work: Callable[..., dict[str, float]], *arguments: object) -> dict[str, float]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=end_with_parent) as alone:
        return alone.submit(work, *arguments).result()


def main() -> None:
    """Measure and print."""
    options = parser("vault", __doc__)
    options.add_argument("--workbooks", type=int, default=2000)
    options.add_argument("--rows", type=int, default=50, help="rows of each")
    options.add_argument("--repetitions", type=int, default=3)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), given.workbooks, given.rows, given.repetitions)
    show(f"{given.workbooks} workbooks of {given.rows} rows; seconds of the wall", figures)
    print(json.dumps(machine() | figures, ensure_ascii=False))
