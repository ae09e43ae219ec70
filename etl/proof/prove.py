"""The proof of a release: witnesses, i.e. complete tables that fit every figure published so far.

Together they reach both ends of each feasibility interval. Any of them could be the true table for all a reader knows.
``python -m etl.proof.prove FOLDER`` sees only released files; `verify_release.py` checks the proof by addition.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from etl.exchange.release import Release, cell_id, earlier_releases, read_draft
from etl.exchange.release_folder import VERIFIER, sha256, write_sums, write_through
from etl.proof import verify_release
from etl.proof.attacker import Attacker, explore, free, wide
from etl.proof.history import place, reader_of
from etl.proof.reader import closing_groups, goals_of

_Table = tuple[int, ...]
_PROOF = "proof.json"


class _Examples:
    """The tables found so far, each with one whole number per cell of the system."""

    def __init__(self, attacker: Attacker) -> None:
        self.attacker = attacker
        self.tables: list[_Table] = []

    def add(self, table: Iterable[int] | None) -> _Table:
        """Add a table and return it; ValueError for None, which means that a quantity has no bound."""
        if table is None:
            raise ValueError("no bound")
        self.tables.append(tuple(table))
        return self.tables[-1]

    def reach(self, goals: dict[int, int], *, least: bool) -> None:
        """Add tables until each cell (by index) has its goal in one; each table serves as many goals as it can."""
        left = {cell: goal for cell, goal in goals.items() if all(t[cell] != goal for t in self.tables)}
        while left:
            table = self.attacker.extreme(dict.fromkeys(left, 1), least=least)
            if table is None or all(table[cell] != goal for cell, goal in left.items()):
                table = self.attacker.extreme({next(iter(left)): 1}, least=least)
            found = self.add(table)
            before = len(left)
            left = {cell: goal for cell, goal in left.items() if found[cell] != goal}
            if len(left) == before:
                raise ValueError("a range that is not what a reader infers")


def make_examples(releases: Sequence[Release]) -> tuple[Attacker, list[_Table]]:
    """The model of a reader of all releases, and tables that prove every range and that no small count can be inferred.

    Raises ValueError if there is no proof: an end of a range is not reached, or a small count can be inferred.
    """
    last = releases[-1]
    attacker = reader_of(releases, last.assumed)
    names, found = [cell.id for cell in attacker.system.cells], _Examples(attacker)
    ranges = {attacker.system.at[place(last, cell)]: ends for cell, ends in sorted(last.ranges.items())}
    found.reach({cell: low for cell, (low, _) in ranges.items()}, least=True)
    found.reach({cell: high for cell, (_, high) in ranges.items() if high is not None}, least=False)
    for cell, (_, high) in ranges.items():
        k = last.threshold(attacker.system.cells[cell].row)
        if high is None and all(table[cell] < k for table in found.tables):
            found.add(attacker.at_least(cell, k))
    tables, unmet = explore(attacker, goals_of(attacker, releases), free if last.closing else wide)
    if unmet:
        raise ValueError(f"{names[unmet[0]]} can be read")
    for table in tables:
        found.add(table)
    for whole, part in closing_groups(attacker, releases):
        _divide(found, whole, part)
    return attacker, list(dict.fromkeys(found.tables)) or [found.add(attacker.extreme({0: 1}, least=True))]


def _divide(found: _Examples, whole: int, part: int) -> None:
    """Ensure a table in which the whole is empty or not all in that part; ValueError if there is none."""
    if any(t[whole] == 0 or t[whole] != t[part] for t in found.tables):
        return
    table = found.add(found.attacker.extreme({whole: 1, part: -1}, least=False))
    if table[whole] == table[part] and found.add(found.attacker.extreme({whole: 1}, least=True))[whole]:
        raise ValueError(f"all of {found.attacker.system.cells[whole].id} are {found.attacker.system.cells[part].id}")


def proof(folder: Path, releases: Sequence[Release]) -> bytes:
    """The content of proof.json, the same for the same releases.

    A table lists, for each release (oldest first), the states of all units, then the categories. The first table is
    written in full, every other as its differences from the first: [index, value].
    """
    attacker, tables = make_examples(releases)
    places = [
        attacker.system.at[place(release, cell)]
        for release in releases
        for cell in (
            *(cell_id(unit, state) for unit in release.structure.units for state in release.structure.states),
            *(cell_id(code, "verified") for codes in release.structure.categories.values() for code in codes),
        )
    ]
    rows = [[table[place] for place in places] for table in tables]
    written: list[object] = [rows[0]]
    for row in rows[1:]:
        written.append([[at, new] for at, (old, new) in enumerate(zip(rows[0], row, strict=True)) if old != new])
    about = {
        "release": releases[-1].name,
        "sha256": sha256((folder / "release.json").read_bytes()),
        "tables": written,
    }
    return (json.dumps(about, separators=(",", ":"), sort_keys=True) + "\n").encode()


def prove(folder: Path) -> int:
    """Add to a draft the proof, the program that checks it, and SHA256SUMS; return the number of tables.

    Earlier releases are read from the folders beside it. Raises verify_release.Failed if the program refuses the proof.
    """
    release = read_draft(folder)
    write_through(folder / _PROOF, proof(folder, [*earlier_releases(folder.parent, release), release]))
    write_through(folder / "verify_release.py", VERIFIER.read_bytes())
    write_sums(folder)
    return int(str(verify_release.check(folder)["tables"]))


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
