"""Releases made by common unsafe methods, on which the attacks succeed; and functions that write any release."""

import random
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from etl.exchange.release import CITY, Cell, Release, cell_id, exact_cell, interval_cell, rounded_cell
from etl.exchange.release_folder import release_digest
from etl.protect.closing import closing_release
from etl.protect.draft import ReleaseDay
from tests.support.releases import write_release

#: An interval that says nothing of a tiny county.
ANYTHING = (0, 999)
Span = tuple[int, int]


def unprotected(day: ReleaseDay, spans: Mapping[str, Span] | None = None, *, closing: bool = True) -> Release:
    """A release with every figure exact, except the intervals in `spans`, by cell id."""
    hidden = spans or {}
    return day.release(lambda at: interval_cell(*hidden.get(at, (day.values[at],) * 2)), closing=closing)


def only_small_ones_hidden(day: ReleaseDay) -> Release:
    """The classic mistake: the small count is an interval, and its complement exact."""
    return unprotected(
        day, {cell: step_of(day, cell) for cell, value in day.values.items() if value <= _top(day, cell)}
    )


def each_figure_on_the_grid(day: ReleaseDay) -> Release:
    """Every figure as the step of the grid that holds it, though sums narrow each other's steps."""
    return unprotected(day, {cell: step_of(day, cell) for cell in day.values})


def step_of(day: ReleaseDay, cell: str, count: int | None = None) -> Span:
    """The step of k + 1 values that holds a count, by default the day's; the lowest one goes up to its top."""
    value, step, top = day.values[cell] if count is None else count, day.campaign.publication.k + 1, _top(day, cell)
    low = value // step * step
    return (0, top) if value <= top else (low, low + step - 1)


def random_spans(day: ReleaseDay, draw: random.Random) -> dict[str, Span]:
    """Of each count at random: its exact figure, its step of the grid, a few steps, or any interval that holds it."""
    chance, step = draw.choice((0.5, 0.8, 0.95, 1)), day.campaign.publication.k + 1
    found = {}
    for cell, value in day.values.items():
        low, high = step_of(day, cell)
        wide = max(low - step * draw.randrange(3), 0), high + step * draw.randrange(3)
        loose = max(value - draw.randrange(6), 0), value + draw.randrange(6)
        if draw.random() < chance:
            found[cell] = draw.choice(((low, high), wide, loose, ANYTHING, ANYTHING))
    return found


def _top(day: ReleaseDay, cell: str) -> int:
    return day.campaign.publication.top(cell.split(".")[0])


def written(folder: Path, releases: Sequence[Release]) -> list[Path]:
    """The folders of releases written below `folder` in order, each with the digests of those before it."""
    made: list[Path] = []
    for release in releases:
        made.append(write_release(folder, replace(release, earlier={path.name: release_digest(path) for path in made})))
    return made


def noise_anew(day: ReleaseDay, draw: random.Random) -> Release:
    """A release with noise of at most k in each figure, drawn anew each day, so that a reader can average it away."""
    k = day.campaign.publication.k

    def noisy(cell: str) -> Cell:
        return rounded_cell(max(day.values[cell] + draw.randint(-k, k), 0), k)

    return day.release(noisy, closing=False)


def exact_city(day: ReleaseDay) -> Release:
    """The city's exact sums, and which units have reported; nothing is said of units and categories."""
    return unprotected(day, {cell: ANYTHING for cell in day.values if not cell.startswith(f"{CITY}.")}, closing=False)


def alone(day: ReleaseDay) -> Release:
    """A closing release protected as if it were the only release there is."""
    return replace(closing_release(replace(day, earlier=())), number=day.number)


def each_table_by_itself(day: ReleaseDay, values: Mapping[str, int] | None = None, *, zeros: bool = False) -> Release:
    """In each column of each table the small counts as intervals, and never one interval alone: tables share sums.

    `values` are other counts than the day's, by cell id; with `zeros`, zeros are exact.
    """
    counts = day.values if values is None else values
    spans: dict[str, Span] = {}
    for table in day.campaign.publication.tables:
        rows = {"city": [CITY], "unit": [*day.campaign.unit], "category": [*day.campaign.category]}[table.rows]
        for name in table.measures:
            cells = sorted((cell_id(row, name) for row in rows), key=lambda cell: (counts[cell], cell))
            cells = cells if not zeros else [cell for cell in cells if counts[cell]]
            few = sum(counts[cell] <= _top(day, cell) for cell in cells)
            spans |= {cell: step_of(day, cell, counts[cell]) for cell in cells[: 2 if few == 1 else few]}
    known = {cell.id for cell in day.system.cells if cell.known}
    return day.release(
        lambda at: exact_cell(counts[at]) if at in known else interval_cell(*spans.get(at, (counts[at],) * 2)),
        closing=True,
    )


def spans_of(release: Release) -> dict[str, Span]:
    """The ends of each figure of a release, by cell id."""
    return {
        cell_id(*at): (cell.low, cell.high)
        for table in release.tables
        for at, cell in table.cells.items()
        if cell.low is not None and cell.high is not None
    }


def blanked(page: str, withheld: Mapping[str, Span]) -> str:
    """The page with intervals in place of the exact figures of the cells in `withheld`; bars and shares stay."""
    for at, (low, high) in withheld.items():
        text = f'<span class="range">{low}–{high}</span>' if low else f'<span class="fewer">少于{high + 1}人</span>'
        exact = rf'(data-cell="{re.escape(at)}" data-status=")exact"'
        cell = exact + r'(?: data-low="\d+" data-high="\d+")?(>(?:<[^>]*>)*)[\d,]+'
        page = re.sub(cell, rf'\1interval"\2{text}', page)
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


def printed(folder: Path, lines: Mapping[str, str]) -> None:
    """Write figures into a release's tables: by cell id, the rest of the line, such as ``exact,3,3,3,``."""
    for path in sorted(folder.glob("*.csv")):
        changed = [
            f"{row},{name},{lines.get(cell_id(row, name), rest)}"
            for row, name, rest in (line.split(",", 2) for line in path.read_text("utf-8").splitlines())
        ]
        path.write_text("\n".join(changed) + "\n", encoding="utf-8")


def rounded_figure(folder: Path, cell: str) -> int:
    """The rounded figure that a release publishes of a count, by cell id."""
    lines = (line.split(",") for path in sorted(folder.glob("*.csv")) for line in path.read_text("utf-8").splitlines())
    return next(int(line[-1]) for line in lines if cell_id(*line[:2]) == cell)
