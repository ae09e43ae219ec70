"""A made-up county of any size for `python -m bench site`: a campaign with its releases, as publishing reads them."""

import datetime as dt
import shutil
from pathlib import Path

from etl.exchange.release import (
    Cell,
    Release,
    ReleasedTable,
    Status,
    exact_cell,
    interval_cell,
    rounded_cell,
    write_draft,
)
from etl.exchange.release_folder import VERIFIER, place_release, write_sums, write_through
from etl.proof.tables import structure_of
from etl.rulebook.campaign import Campaign, load_campaign

WAITING = Cell(Status.NOT_DUE)
FIRST = dt.date(2019, 2, 20)


def make(folder: Path, campaign: Path, units: int, releases: int) -> tuple[Path, Path]:
    """Write a campaign folder with so many units and so many releases of it; returns both folders."""
    made, released = folder / "campaign", folder / "released"
    shutil.copytree(campaign, made)
    head, first = (made / "units.csv").read_text(encoding="utf-8").splitlines()[:2]
    kind = first.split(",")[2]
    lines = [f"u{n:05},第{n}{kind},{kind},Town {n}," for n in range(1, units + 1)]
    (made / "units.csv").write_text("\n".join([head, *lines, ""]), encoding="utf-8")
    here = load_campaign(made)
    for number in range(1, releases + 1):
        _write(released, _release(here, number, number == releases))
    return made, released


def _write(released: Path, release: Release) -> None:
    """A sealed release with a file in the place of its proof: publishing does not look into it."""
    fresh = write_draft(released, release)
    write_through(fresh / "proof.json", b"{}\n")
    write_through(fresh / "verify_release.py", VERIFIER.read_bytes())
    write_sums(fresh)
    place_release(released, release.name)


def _release(campaign: Campaign, number: int, closing: bool) -> Release:
    rows = {"city": ("city",), "unit": tuple(campaign.unit), "category": tuple(campaign.category)}
    tables = tuple(
        ReleasedTable(
            key=table.key,
            kind=table.rows,
            rows=rows[table.rows],
            measures=table.measures,
            cells={
                (row, measure): _cell(campaign, table.rows, row, at, place, number, closing)
                for at, row in enumerate(rows[table.rows])
                for place, measure in enumerate(table.measures)
            },
            title=table.title,
            title_en=table.title_en,
        )
        for table in campaign.publication.tables
    )
    return Release(
        number=number,
        campaign=campaign.id,
        as_of=FIRST + dt.timedelta(days=number),
        closing=closing,
        k=campaign.publication.k,
        category_k=campaign.publication.category_k,
        known=campaign.publication.known,
        structure=structure_of(campaign),
        tables=tables,
    )


def _cell(campaign: Campaign, kind: str, row: str, at: int, place: int, number: int, closing: bool) -> Cell:
    """Of every kind some: a unit in nine has not reported yet, a figure in three of the close is an interval."""
    if kind == "unit" and (at + number) % 9 == 0 and not closing:
        return WAITING
    people, top = (37 + at * 17 % 170) // (1 + place), campaign.publication.top(row)
    step = people // (top + 1) * (top + 1)
    if not closing:
        return rounded_cell(step, top)
    if people <= top or (kind != "city" and (at + place) % 3 == 0):
        return interval_cell(step, step + top, step)
    return exact_cell(people, step)
