"""The proof of a release: witnesses, i.e. complete tables that fit every figure published so far.

Together they reach both ends of each interval and show enough values of each count. Any of them could be the true
table for all a reader knows. ``python -m etl.proof.prove FOLDER`` sees only released files; `verify_release.py` checks
the proof by comparing and adding.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from etl.exchange.release import NOTHING, Release, earlier_releases, read_draft
from etl.exchange.release_folder import VERIFIER, sha256, write_sums, write_through
from etl.proof import verify_release
from etl.proof.attacker import Attacker, explore
from etl.proof.history import reader_of
from etl.proof.reader import goals_of, intervals_of

_PROOF = "proof.json"


def make_examples(releases: Sequence[Release]) -> list[dict[str, int]]:
    """Examples (counts by name) that prove what `verify_release.py` requires: first of all releases, then of the last.

    Raises ValueError if there is no proof: an end of an interval is not reached, or a count can be inferred.
    """
    last = releases[-1]
    attacker, alone = reader_of(releases, last.assumed), reader_of([last], NOTHING)
    tables, unmet = explore(attacker, goals_of(attacker, releases))
    if unmet:
        raise ValueError(f"{attacker.system.cells[unmet[0]].id} can be read")
    if not tables:
        tables = [table for table in [attacker.extreme({0: 1}, least=True)] if table is not None]
    found = [*tables_by_name(attacker, tables)]
    own = [[one[cell.id] for cell in alone.system.cells] for one in found]
    others = len(own)
    goals = dict(intervals_of(alone, last))
    for end, least in ((0, True), (1, False)):
        _reach(alone, own, {cell: ends[end] for cell, ends in goals.items()}, least=least)
    return [*found, *tables_by_name(alone, own[others:])]


def tables_by_name(attacker: Attacker, tables: Sequence[Sequence[int]]) -> Iterator[dict[str, int]]:
    """Each of these tables once, as counts by name."""
    for table in dict.fromkeys(map(tuple, tables)):
        yield {cell.id: count for cell, count in zip(attacker.system.cells, table, strict=True)}


def _reach(attacker: Attacker, tables: list[list[int]], goals: dict[int, int | None], *, least: bool) -> None:
    """Add tables until each cell (by index) has its goal in one; each table serves as many goals as it can."""
    left = {cell: goal for cell, goal in goals.items() if all(table[cell] != goal for table in tables)}
    while left:
        table = attacker.extreme(dict.fromkeys(left, 1), least=least)
        if table is None or all(table[cell] != goal for cell, goal in left.items()):
            table = attacker.extreme({next(iter(left)): 1}, least=least)
        before = len(left)
        left = {cell: goal for cell, goal in left.items() if table is None or table[cell] != goal}
        if table is None or len(left) == before:
            raise ValueError("an interval of which an end is out of reach")
        tables.append(table)


def proof(folder: Path, releases: Sequence[Release]) -> bytes:
    """The content of proof.json, the same for the same releases: the names of all counts, and examples of them.

    An example gives all counts, or those of the last release, which are the last names.
    """
    examples = make_examples(releases)
    places = sorted(examples[0], key=lambda name: name.split("/"))
    rows = [[one[name] for name in places if name in one] for one in examples]
    about = {
        "release": releases[-1].name,
        "sha256": sha256((folder / "release.json").read_bytes()),
        "counts": places,
        "examples": rows,
    }
    return (json.dumps(about, separators=(",", ":"), sort_keys=True) + "\n").encode()


def prove(folder: Path) -> int:
    """Add to a draft the proof, the program that checks it, and SHA256SUMS; return the number of examples.

    Earlier releases are read from the folders beside it. Raises verify_release.Failed if the program refuses the proof.
    """
    release = read_draft(folder)
    write_through(folder / _PROOF, proof(folder, [*earlier_releases(folder.parent, release), release]))
    write_through(folder / "verify_release.py", VERIFIER.read_bytes())
    write_sums(folder)
    return int(str(verify_release.check(folder)["examples"]))


def main() -> int:
    """Prove the release in the folder argument; this runs as a process that is given no key. Exit code 3: no proof."""
    try:
        print(prove(Path(sys.argv[1])))
    except (ValueError, verify_release.Failed) as error:
        print(error, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
