"""Releases made by common unsafe methods, on which the attacks succeed; and functions that write any release."""

import random
import re
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from etl.exchange.counts import Counts, measure
from etl.exchange.release import NOTHING, Cell, Release, Status, cell_id
from etl.exchange.release_folder import release_digest
from etl.protect.closing import closing_release
from etl.protect.draft import make_release
from etl.rulebook.campaign import Campaign
from etl.rulebook.publication import Assumption
from tests.support.releases import loaded, stored, write_release


def exact_values(campaign: Campaign, counts: Counts) -> dict[str, int]:
    """Every count by its name, such as ``u0.returned``."""
    publication = campaign.publication
    rows = {unit.unit: unit.atoms for unit in counts.units}
    rows["city"] = {state: sum(unit.atoms[state] for unit in counts.units) for state in next(iter(rows.values()))}
    values = {
        cell_id(row, name): measure(atoms, publication, name)
        for row, atoms in rows.items()
        for name in publication.measures
    }
    return values | {cell_id(code, "verified"): count for code, count in counts.categories.items()}


def unprotected(
    campaign: Campaign,
    counts: Counts,
    earlier: Sequence[Release] = (),
    hidden: Collection[str] = (),
    *,
    closing: bool = True,
    assumed: Assumption = NOTHING,
) -> Release:
    """A release with every figure exact except the cells in `hidden`; units that have not reported show as not due."""
    values = exact_values(campaign, counts)
    silent = {unit.unit for unit in counts.units if not unit.reported}

    def cell(row: str, name: str) -> Cell:
        if row in silent and name != "suspected":
            return Cell(Status.NOT_DUE)
        at = cell_id(row, name)
        return Cell(Status.SUPPRESSED) if at in hidden else Cell(Status.PUBLISHED, values[at])

    return replace(make_release(campaign, counts, earlier, cell, closing=closing), assumed=assumed)


def only_small_ones_hidden(campaign: Campaign, counts: Counts, earlier: Sequence[Release] = ()) -> Release:
    """The classic mistake: the small count is withheld and its complement printed."""
    small = {at for at, value in exact_values(campaign, counts).items() if 0 < value < campaign.publication.k}
    return unprotected(campaign, counts, earlier, small - set(campaign.publication.known))


def written(folder: Path, releases: Sequence[Release]) -> list[Path]:
    """The folders of releases written below `folder` in order, each with the digests of those before it."""
    made: list[Path] = []
    for release in releases:
        made.append(write_release(folder, replace(release, earlier={path.name: release_digest(path) for path in made})))
    return made


def noise_anew(campaign: Campaign, counts: Counts, earlier: Sequence[Release], draw: random.Random) -> Release:
    """A release with noise of at most k in each figure, drawn anew each day, so that a reader can average it away."""
    exact, k = unprotected(campaign, counts, earlier, closing=False), campaign.publication.k

    def noisy(at: tuple[str, str], cell: Cell) -> Cell:
        if cell.value is None or cell_id(*at) in exact.known:
            return cell
        return Cell(Status.ROUNDED, max(cell.value + draw.randint(-k, k), 0))

    return _with_cells(exact, noisy)


def each_table_by_itself(campaign: Campaign, counts: Counts) -> Release:
    """Each table protected as if it were the only one, though they share sums."""
    alone = list[Any]()
    for table in campaign.publication.tables:
        publication = replace(campaign.publication, tables=(table,))
        alone += closing_release(replace(campaign, publication=publication), counts).tables
    return replace(unprotected(campaign, counts), tables=tuple(alone))


def _with_cells(release: Release, change: Callable[[tuple[str, str], Cell], Cell]) -> Release:
    return replace(
        release,
        tables=tuple(
            replace(table, cells={at: change(at, cell) for at, cell in table.cells.items()}) for table in release.tables
        ),
    )


def blanked(page: str, withheld: Collection[str]) -> str:
    """The page with ※ in place of the numbers of the `withheld` cells; bars and shares are left as they were."""
    for at in withheld:
        cell = rf'(data-cell="{re.escape(at)}"[^>]*data-status=")published("[^>]*>\s*(?:<[^>]*>)*)[\d,]+'
        page = re.sub(cell, r"\1suppressed\2※", page)
    return page


def in_order(page: str, key: Callable[[str], int]) -> str:
    """The page with the rows of its units sorted by `key`, which gives a number for a unit."""
    parts = re.split(r"(<tr>.*?</tr>)", page, flags=re.S)
    lines = [at for at, part in enumerate(parts) if part.startswith("<tr>") and 'data-cell="units.' in part]
    ordered = sorted(
        (parts[at] for at in lines), key=lambda line: key(line.split('data-cell="units.')[1].split(".")[0])
    )
    for at, line in zip(lines, ordered, strict=True):
        parts[at] = line
    return "".join(parts)


def deleted_from(path: Path, private: Mapping[str, int], how: str) -> None:
    """Write private counts into a database, then delete them with the SQL statement `how`."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA secure_delete = OFF")
    connection.execute("CREATE TABLE draft (zone TEXT, cell TEXT, value INTEGER)")
    connection.executemany("INSERT INTO draft VALUES ('private', ?, ?)", private.items())
    connection.commit()
    connection.execute(how)
    connection.commit()
    connection.close()


def after(release: Release, folders: Sequence[Path]) -> Release:
    """The release with the digests of these folders as those of the releases before it."""
    return replace(release, earlier={folder.name: release_digest(folder) for folder in folders})


def printed(folder: Path, lines: Collection[tuple[str, str, str]], status: str = "published") -> None:
    """Write figures (row, measure, value) into a release's tables, and remove these cells' ranges from its audit."""
    figures = {f"{row},{name}": f"{row},{name},{value},{status}" for row, name, value in lines}
    for table in loaded(folder / "release.json")["tables"]:
        path = folder / f"{table['key']}.csv"
        changed = [figures.get(line.rsplit(",", 2)[0], line) for line in path.read_text("utf-8").splitlines()]
        path.write_text("\n".join(changed) + "\n", encoding="utf-8")
    audit = loaded(folder / "audit.json")
    for row, name, _ in lines:
        audit["ranges"].pop(cell_id(row, name), None)
    stored(folder / "audit.json", audit)


def published_figure(folder: Path, row: str, name: str) -> int:
    """The figure that a release publishes for one measure of a unit."""
    lines = (folder / "units.csv").read_text(encoding="utf-8").splitlines()
    return next(int(line.split(",")[2]) for line in lines if line.startswith(f"{row},{name},"))
