"""The staff instance under load, beside Datasette alone: ``python -m bench staff [--seconds 120] [--children 100000]``.

Twenty people at once, each with an account of its own, ask for one row, a page of rows, a search by two characters of a
name, and JSON: one kind for a quarter of the time, then the next, each as soon as the last was answered. Ours is
encrypted, asks who may see what, and puts every look on record; the peer is the same Datasette over the same rows as a
plain file, without plugins.
"""

import asyncio
import contextlib
import json
import random
import socket
import sqlite3  # noqa: TID251 - the peer's plain file of made-up people
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from bench.common import KEYS, ROOT, SEED, machine, parser
from etl.synthetic.fill import made_up_name
from etl.system.home import Home
from etl.vault.store.files import connect, scope_key, scope_path
from etl.vault.store.keys import demo_master, new_key
from plugins.accounts import add_account

SCOPE, ISSUE, PASSWORD = "xutun", "20190219-01", "correct-horse-staple"
PEOPLE = 20
SERVE = f"""
import sys
from pathlib import Path
from etl.rulebook.campaign import load_campaign
from etl.synthetic.fill import made_up_name
from etl.system.home import Home
from etl.vault.store.keys import read_key
from plugins.launch import run_staff_server
home = Home(Path(sys.argv[1]))
run_staff_server(home, read_key(home.demo_key), load_campaign(Path({str(ROOT / "campaign")!r})), port=int(sys.argv[2]))
"""


@dataclass(frozen=True)
class Load:
    """What one server answered, by kind: requests a second, the median and 99th percentile in milliseconds."""

    requests: int
    errors: dict[str, int]
    per_second: dict[str, float]
    median: dict[str, float]
    last: dict[str, float]
    megabytes: tuple[int, ...]


def kinds(number: int, draw: random.Random) -> dict[str, str]:
    """A path of each kind, below the database's name."""
    serial = f"{draw.randrange(number):06}"
    name = made_up_name(draw)[:2]
    return {
        "row": f"/children/{ISSUE},{serial}",
        "table": f"/children?serial__gte={serial}" if draw.random() < 0.5 else "/children",
        "search": f"/children?name__contains={name}",
        "json": f"/children.json?_sort=serial&_size=50&serial__gt={serial}",
    }


def fill(connection: Any, number: int) -> None:
    """The scope's tables with so many children."""
    draw = random.Random(SEED)  # noqa: S311 - made-up people
    connection.executescript((ROOT / "etl/vault/store/scope.sql").read_text(encoding="utf-8"))
    letters = {"K": "打工务农", "B": "在校有学籍", "A": "户籍原因"}
    rows = []
    for at in range(number):
        code = draw.choice("KBA")
        name = made_up_name(draw)
        rows.append((f"{at:06}", ISSUE, SCOPE, name, draw.choice("男女"), "210281********123X", "2005-06-07",
                     f"许屯镇某村 {at}", code, letters[code], "否" if code == "K" else "无", "某甲、某乙",
                     "2019-02-19"))  # fmt: skip
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO children VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)", rows)
    connection.execute("COMMIT")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@contextlib.contextmanager
def served(command: list[str], port: int) -> Iterator[int]:
    """A server in a process of its own; its process number."""
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


@dataclass
class Crowd:
    """Twenty people at a server, and what was measured of their asking: milliseconds by kind, faults, megabytes."""

    number: int
    pid: int
    kind: str = ""
    end: float = 0.0
    taken: dict[str, list[float]] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    memory: list[int] = field(default_factory=list)

    async def person(self, client: httpx2.AsyncClient, at: int) -> None:
        """Ask on and on; what is asked is the same for both servers."""
        draw = random.Random(at)  # noqa: S311
        while time.perf_counter() < self.end:
            began = time.perf_counter()
            answer = await client.get(f"/{SCOPE}{kinds(self.number, draw)[self.kind]}")
            self.taken.setdefault(self.kind, []).append(1000 * (time.perf_counter() - began))
            if answer.status_code != 200:
                self.faults[f"{self.kind} {answer.status_code}"] += 1

    async def look(self, every: float) -> None:
        """How much memory the server has, now and then."""
        while time.perf_counter() < self.end:
            self.memory.append(_megabytes(self.pid))
            await asyncio.sleep(every)


async def ask(port: int, number: int, seconds: float, pid: int, *, login: bool) -> Load:
    """Twenty people for some seconds, each with its own session; each finishes its round."""
    async with contextlib.AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60))
            for _ in range(PEOPLE)
        ]
        for at, client in enumerate(clients if login else ()):
            body = {"username": f"clerk{at}", "password": PASSWORD}
            (await client.post("/-/login/api/authenticate", json=body)).raise_for_status()
        crowd, took = Crowd(number, pid), {}
        for kind in kinds(number, random.Random(0)):  # noqa: S311
            began = time.perf_counter()
            crowd.kind, crowd.end = kind, began + seconds / 4
            people = (crowd.person(client, at) for at, client in enumerate(clients))
            await asyncio.gather(crowd.look(seconds / 12), *people)
            took[kind] = time.perf_counter() - began
    return Load(
        requests=sum(map(len, crowd.taken.values())),
        errors=dict(crowd.faults),
        per_second={kind: round(len(of) / took[kind], 1) for kind, of in crowd.taken.items()},
        median={kind: round(statistics.median(of), 1) for kind, of in crowd.taken.items()},
        last={kind: round(statistics.quantiles(of, n=100)[98], 1) for kind, of in crowd.taken.items()},
        megabytes=tuple(crowd.memory),
    )


def _megabytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024


def main() -> None:
    """Ours, then the peer, in one run."""
    options = parser("staff", __doc__)
    options.add_argument("--seconds", type=float, default=120)
    options.add_argument("--children", type=int, default=100_000)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="staff-") as folder:
        home = Home(Path(folder) / "var")
        home.prepare()
        new_key(home.demo_key, demo_master(SEED))
        ours = connect(scope_path(home.scopes, SCOPE), scope_key(KEYS, SCOPE), create=True)
        fill(ours, given.children)
        ours.close()
        for at in range(PEOPLE):
            add_account(home, KEYS, f"clerk{at}", SCOPE, PASSWORD)
        plain = Path(folder) / f"{SCOPE}.db"
        with contextlib.closing(sqlite3.connect(plain, isolation_level=None)) as peer:
            fill(peer, given.children)
        port = free_port()
        with served(["-c", SERVE, str(home.root), str(port)], port) as pid:
            loads = {"ours": asyncio.run(ask(port, given.children, given.seconds, pid, login=True))}
        port = free_port()
        with served(["-m", "datasette", "serve", str(plain), "--port", str(port)], port) as pid:
            loads["peer"] = asyncio.run(ask(port, given.children, given.seconds, pid, login=False))
    mine, theirs = loads["ours"], loads["peer"]
    ratios = {kind: round(of / theirs.per_second[kind], 2) for kind, of in mine.per_second.items()}
    results = {name: vars(load) for name, load in loads.items()}
    print(json.dumps(results | {"machine": machine(), "ours_to_peer": ratios}, indent=1))
