"""The input of publishing: all releases and the campaign, checked against each other."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from etl.exchange.release import CITY, Cell, Release, ReleasedTable, Status, cell_id, read_release
from etl.exchange.release_folder import release_folders
from etl.findings import FuxueError
from etl.publish.reuse import digest_of_parts, print_of
from etl.rulebook.campaign import Campaign


@dataclass(frozen=True)
class Source:
    """The campaign, all its releases (oldest first), and the folder of the releases."""

    campaign: Campaign
    releases: tuple[Release, ...]
    released: Path

    @property
    def latest(self) -> Release:
        """The newest release."""
        return self.releases[-1]

    @cached_property
    def twice(self) -> frozenset[dt.date]:
        """The days with more than one release, as when the closing one follows a rounded one."""
        days = Counter(release.as_of for release in self.releases)
        return frozenset(day for day, number in days.items() if number > 1)

    @cached_property
    def prints(self) -> Mapping[str, str]:
        """By release name, one digest of its folder and all earlier ones, which determine everything on its page."""
        found: dict[str, str] = {}
        before = ""
        for release in self.releases:
            before = digest_of_parts([before.encode(), print_of(self.released / release.name).encode()])
            found[release.name] = before
        return found

    @cached_property
    def _rows(self) -> Mapping[str, Mapping[str, Any]]:
        areas = {area.key: area for area in self.campaign.publication.areas}
        named = {"unit": self.campaign.unit, "category": self.campaign.category}
        return {"city": {CITY: self.campaign}, "area": areas, **named}

    def rows(self, kind: str) -> Mapping[str, Any]:
        """By row name, what each row of a kind describes: the campaign (city), an area, a unit or a category."""
        return self._rows.get(kind, {})

    def row_names(self, kind: str, row: str) -> tuple[str, str]:
        """A row's name in Chinese and in English."""
        if kind == "city":
            return self.campaign.county, self.campaign.county_en
        named = self.rows(kind)[row]
        return (named.title, named.title_en) if kind == "area" else (named.name, named.name_en)


def load_source(released: Path, campaign: Campaign) -> Source:
    """Read all releases. FuxueError if there is none, or if one does not fit the campaign or is not fit to publish."""
    releases = tuple(read_release(folder) for folder in release_folders(released))
    if not releases:
        raise FuxueError("publish.no_release", folder=released.name)
    source = Source(campaign, releases, released)
    for release in releases:
        _fits(source, release)
        _says_too_much(release)
    return source


def _fits(source: Source, release: Release) -> None:
    if release.campaign != source.campaign.id:
        raise FuxueError("publish.other_campaign", release=release.name, campaign=release.campaign)
    for table in release.tables:
        known = source.rows(table.kind)
        for row in table.rows:
            if row not in known:
                raise FuxueError("publish.unknown_row", release=release.name, table=table.key, row=row)
        for measure in table.measures:
            if measure not in source.campaign.publication.measures:
                raise FuxueError("publish.unknown_row", release=release.name, table=table.key, row=measure)


def _says_too_much(release: Release) -> None:
    """FuxueError ``publish.readable`` for the first figure that says more of a small count than any may."""
    for table in release.tables:
        for row, measure, cell in cells(table):
            if _is_readable(release, table.kind, row, measure, cell):
                raise FuxueError("publish.readable", release=release.name, cell=cell_id(row, measure))


def _is_readable(release: Release, kind: str, row: str, measure: str, cell: Cell) -> bool:
    """Whether a figure says more of a small count than any may.

    That is: an exact figure that is small, or any figure that may be small and leaves fewer values than the threshold
    asks for. What is public anyway is no such figure: known totals and figures of the city equal to them, and zeros
    that say no more than that no unit has reported. Nor can there be more values than a known total leaves.
    """
    if cell.low is None or cell.high is None or cell_id(row, measure) in release.known:
        return False
    if cell.status is Status.EXACT:
        is_public = cell.high == 0 and _nothing_reported(release, kind, row)
        return cell.high <= release.top(row) and not is_public and not (row == CITY and cell.high in _totals(release))
    enough = min(release.threshold(row), *(total + 1 for total in _totals(release)), 10**9)
    return cell.low <= release.top(row) and cell.high - cell.low + 1 < enough


def _totals(release: Release) -> set[int]:
    """The known totals of the city."""
    named = {cell_id(row, name): cell for table in release.tables for row, name, cell in cells(table)}
    return {total for name in release.known if name in named and (total := named[name].exact) is not None}


def _nothing_reported(release: Release, kind: str, row: str) -> bool:
    """Whether no unit of a row (for a category: of the city) has reported."""
    inside, units = [row if kind == "area" else CITY], set[str]()
    while inside:
        name = inside.pop()
        inside += release.structure.areas.get(name, ())
        units |= {name} & set(release.structure.units)
    table = next((table for table in release.tables if table.kind == "unit"), None)
    return (
        kind != "unit"
        and table is not None
        and all(cell.status is Status.NOT_DUE for (unit, _), cell in table.cells.items() if unit in units)
    )


def cells(table: ReleasedTable) -> Iterator[tuple[str, str, Cell]]:
    """Each (row, measure, cell), in the table's own order."""
    for row in table.rows:
        for measure in table.measures:
            yield row, measure, table[row, measure]
