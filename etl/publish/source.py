"""The input of publishing: all releases and the campaign, checked against each other."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

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
        """The days with more than one release, as happens with corrections."""
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

    def rows(self, kind: str) -> Mapping[str, object]:
        """By row name, what each row of a kind describes: the campaign (city), a unit or a category."""
        return {"city": {CITY: self.campaign}, "unit": self.campaign.unit, "category": self.campaign.category}[kind]

    def row_names(self, kind: str, row: str) -> tuple[str, str]:
        """A row's name in Chinese and in English."""
        if kind == "city":
            return self.campaign.county, self.campaign.county_en
        named = self.campaign.unit[row] if kind == "unit" else self.campaign.category[row]
        return named.name, named.name_en


def load_source(released: Path, campaign: Campaign) -> Source:
    """Read all releases. Raises FuxueError if there is none, or if one does not fit the campaign or was not audited."""
    releases = tuple(read_release(folder) for folder in release_folders(released))
    if not releases:
        raise FuxueError("publish.no_release", folder=released.name)
    source = Source(campaign, releases, released)
    for release in releases:
        _fits(source, release)
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
        for row, measure, cell in cells(table):
            _audited(release, row, measure, cell)


def _audited(release: Release, row: str, measure: str, cell: Cell) -> None:
    """Raise FuxueError for a withheld cell that has no audited range or whose range reveals a small count."""
    if cell.status is not Status.SUPPRESSED:
        return
    name = cell_id(row, measure)
    if name not in release.ranges:
        raise FuxueError("publish.unaudited", release=release.name, cell=name)
    low, high = release.ranges[name]
    if high is not None and low >= 1 and high < release.category_k.get(row, release.k):
        raise FuxueError("publish.readable", release=release.name, cell=name)


def cells(table: ReleasedTable) -> Iterator[tuple[str, str, Cell]]:
    """Each (row, measure, cell), in the table's own order."""
    for row in table.rows:
        for measure in table.measures:
            yield row, measure, table[row, measure]
