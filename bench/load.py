"""What loading costs: ``python -m bench load`` prints a table and one line of JSON.

Whole `load`, from files in the inbox to an encrypted record with a file for each scope, beside `bench/peer_load.py`, in
one process and in a pool; sealed and unsealed apart. First both load a set with every kind of fault planted, and must
accept and refuse the same files with the same (rule, cell) findings.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench import peer_load
from bench.common import (
    ISSUE,
    KEYS,
    ROOT,
    Cost,
    Handed,
    campaign_here,
    cost,
    machine,
    middle,
    of_province,
    parser,
    province,
    ratios,
    show,
)
from bench.returned import KINDS, cut, returned, sealed
from etl.exchange.child import Child
from etl.rulebook.campaign import Campaign
from etl.synthetic.faults import RESEALED
from etl.system.home import Home
from etl.system.processes import workers
from etl.vault.record import issued
from etl.vault.store.open import open_vault
from etl.workflow import loading
from etl.workflow.run import Run

#: By file: whether it is accepted, and every (rule, cell) that was found.
Outcome = Mapping[str, tuple[bool, Collection[tuple[str, str]]]]


@dataclass(frozen=True)
class Desk:
    """Everything as it is before loading: a home and a peer's database that know what was handed out, and the inbox."""

    campaign: Campaign
    folder: Path
    known: peer_load.Known
    is_sealed: bool

    @property
    def paths(self) -> list[Path]:
        """The returned files."""
        return sorted((self.folder / "inbox").iterdir())

    def ours(self, fresh: Path) -> Outcome:
        """Our `load`, in a folder of its own."""
        run = Run(
            Home(fresh / "home"), ROOT / "campaign", self.campaign, KEYS, self.campaign.noticed, lambda _, __: _no_tick
        )
        loaded = loading.load_files(run, self.paths, allow_unsealed=not self.is_sealed)
        found = [(one.checked.file, one.outcome == "accepted", one.checked.findings) for one in loaded]
        return {file: (accepted, _sorted((f.rule, f.cell) for f in findings)) for file, accepted, findings in found}

    def peer(self, fresh: Path, *, processes: int = 1) -> Outcome:
        """The peer's."""
        results = peer_load.load(fresh / "peer.db", self.paths, self.known, processes)
        return {one.file: (one.is_accepted, _sorted((f[0], f[2]) for f in one.findings)) for one in results}


def _no_tick() -> None:
    pass


def _sorted(found: Iterable[tuple[str, str]]) -> Collection[tuple[str, str]]:
    return sorted(found)


def hand_out(home: Home, campaign: Campaign, handed: Sequence[Handed]) -> list[Child]:
    """Put the issue on record in a new home; the children who are in it."""
    bundles = [one.bundle for one in handed]
    children = [person.child for one in handed for person in one.people]
    home.prepare()
    with open_vault(home.vault, KEYS, campaign, create=True) as vault:
        marks = {bundle.recipient: KEYS.mac("handed-file", bundle.recipient.encode()) for bundle in bundles}
        issued.record_issue(vault, campaign.noticed, ISSUE, bundles, marks, children)
    return children


def set_up(folder: Path, campaign: Campaign, handed: Sequence[Handed], faults: Sequence[str], *, seal: bool) -> Desk:
    """Record an issue with ours and with the peer, and lay the filled workbooks into the inbox."""
    campaign = of_province(campaign, handed)
    bundles = [one.bundle for one in handed]
    children = hand_out(Home(folder / "home"), campaign, handed)
    peer_load.prepare(folder / "peer.db", (asdict(child) for child in children))
    (folder / "inbox").mkdir()
    contents = returned(campaign, handed, faults)
    contents = sealed(handed, contents, faults) if seal else contents
    for bundle, content in zip(bundles, cut(contents, faults), strict=True):
        (folder / "inbox" / bundle.file).write_bytes(content)
    passwords = {bundle.recipient: KEYS.password(ISSUE, bundle.recipient) for bundle in bundles}
    names = {bundle.recipient: bundle.name for bundle in bundles}
    rules = {rule.id: (rule.severity.value, rule.message) for rule in campaign.rules}
    return Desk(campaign, folder, peer_load.Known(ISSUE, passwords, names, partial(KEYS.mac, "manifest"), rules), seal)


def afresh(desk: Desk, work: Callable[[Path], Outcome]) -> tuple[Cost, Outcome]:
    """What a load costs that begins with nothing loaded; copying the desk is not counted."""
    found: list[Outcome] = []
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        shutil.copytree(desk.folder / "home", fresh / "home")
        shutil.copy(desk.folder / "peer.db", fresh / "peer.db")
        taken = cost(lambda: found.append(work(fresh)))
    return taken, found[0]


def compare(desk: Desk) -> dict[str, Any]:
    """Both come to the same outcome of every file, finding by finding; else their times are not of the same work."""
    _, ours = afresh(desk, desk.ours)
    for processes in (1, workers()):
        _, theirs = afresh(desk, partial(desk.peer, processes=processes))
        different = {file: (ours[file], theirs[file]) for file in ours if ours[file] != theirs[file]}
        assert not different, different
    rules = {rule for _, findings in ours.values() for rule, _ in findings}
    refused = sum(not accepted for accepted, _ in ours.values())
    findings = sum(len(findings) for _, findings in ours.values())
    return {"workbooks": len(ours), "refused": refused, "findings": findings, "rules": len(rules)}


def measure(desk: Desk, repetitions: int) -> dict[str, Any]:
    """Seconds, [median, quartiles] of interleaved repetitions, and the peer's as ratios to ours."""
    ways: Mapping[str, Callable[[Path], Outcome]] = {
        "ours": desk.ours,
        "peer": desk.peer,
        "peer_pool": partial(desk.peer, processes=workers()),
    }
    taken: dict[str, list[Cost]] = {name: [] for name in ways}
    for _ in range(repetitions):
        found = []
        for name, way in ways.items():
            spent, outcome = afresh(desk, way)
            taken[name].append(spent)
            found.append(outcome)
        assert found[0] == found[1] == found[2]
        assert all(accepted for accepted, _ in found[0].values())
    figures: dict[str, Any] = {"workbooks": len(desk.paths)}
    for kind in ("wall", "processor"):
        seconds = {name: [getattr(one, kind) for one in costs] for name, costs in taken.items()}
        figures |= {f"{name}_{kind}": middle(values) for name, values in seconds.items()}
        figures |= {f"{name}_to_ours_{kind}": ratios(seconds[name], seconds["ours"]) for name in ("peer", "peer_pool")}
    return figures | {"others": round(max(one.others for costs in taken.values() for one in costs), 3)}


def main() -> None:
    """Measure and print."""
    options = parser("load", __doc__)
    options.add_argument("--sealed", type=int, default=200, help="sealed workbooks; 0 leaves them out")
    options.add_argument("--unsealed", type=int, nargs="*", default=[200, 2000], help="unsealed workbooks: a home each")
    options.add_argument("--rows", type=int, default=75, help="rows of each")
    options.add_argument("--repetitions", type=int, default=5)
    given = options.parse_args()
    campaign = campaign_here()
    result: dict[str, Any] = machine() | {"rows": given.rows}
    faults = [*KINDS, RESEALED]
    for seal, title in ((False, "unsealed"), (True, "sealed")):
        with tempfile.TemporaryDirectory() as folder:
            kinds = faults if seal else faults[:-1]
            handed = province(campaign, len(faults) + 5, given.rows)
            result[f"same_{title}"] = compare(set_up(Path(folder), campaign, handed, kinds, seal=seal))
        show(f"the same outcome with faults, {title}", result[f"same_{title}"])
    for count, seal in [(count, False) for count in given.unsealed] + [(given.sealed, True)] * bool(given.sealed):
        name = f"{'sealed' if seal else 'unsealed'}_{count}"
        with tempfile.TemporaryDirectory() as folder:
            desk = set_up(Path(folder), campaign, province(campaign, count, given.rows), (), seal=seal)
            # The larger a load, the steadier: a repetition of 2,000 stands for several.
            result[name] = measure(desk, given.repetitions if count <= 200 else 1)
        show(f"{count} {'sealed' if seal else 'unsealed'} workbooks of {given.rows} rows, seconds", result[name])
    print(json.dumps(result, ensure_ascii=False))
