"""What is new in a release: how many units had reported, its figures by status, and the rows that changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from uuid import NAMESPACE_URL, uuid5

from etl.exchange.release import Release, ReleasedTable, Status
from etl.publish.charts import ShownFigure, past
from etl.publish.source import Source, cells
from etl.publish.views import has_reported, table_of_kind
from etl.rulebook.campaign import Unit


@dataclass(frozen=True)
class _Change:
    """A figure in the release before (None if there is none) and in this one."""

    measure: str
    before: ShownFigure | None
    after: ShownFigure

    @property
    def changed(self) -> bool:
        """Whether the figure or its status differs from before.

        At the close every figure becomes exact or an interval, and after it rounded again: then the rounded figures,
        which all releases carry on, tell whether it has changed.
        """
        if self.before is None:
            return False
        before, after = self.before.cell, self.after.cell
        is_other_kind = (before.status is Status.ROUNDED) is not (after.status is Status.ROUNDED)
        if is_other_kind and before.rounded is not None and after.rounded is not None:
            return before.rounded != after.rounded
        return before != after


@dataclass(frozen=True)
class Revision:
    """Rows of a table in the release's order, (row name, its figures): those that changed; at the close all."""

    table: ReleasedTable
    rows: tuple[tuple[str, tuple[_Change, ...]], ...]

    @property
    def changes(self) -> int:
        """The number of figures that differ from the release before."""
        return sum(one.changed for _, row in self.rows for one in row)


@dataclass(frozen=True)
class Note:
    """All that the pages say about a release, also compared with the one before it (None for the first)."""

    source: Source
    release: Release
    before: Release | None

    @cached_property
    def close(self) -> Release | None:
        """The closing release, if it came before this one."""
        earlier = (one for one in self.source.releases if one.number < self.release.number)
        return next((one for one in earlier if one.closing), None)

    @property
    def by_rounded(self) -> bool:
        """Whether this release or the one before is the closing one, so that their rounded figures are compared."""
        return self.before is not None and self.before.closing is not self.release.closing

    @property
    def twice(self) -> bool:
        """Whether the release before has the same day."""
        return self.before is not None and self.before.as_of == self.release.as_of

    @cached_property
    def figures_by_status(self) -> Mapping[str, int]:
        """The number of figures by status: exact, interval, rounded, not_due."""
        counts = dict.fromkeys((status.value for status in Status), 0)
        for table in self.release.tables:
            for _, _, cell in cells(table):
                counts[cell.status.value] += 1
        return counts

    @cached_property
    def units(self) -> tuple[str, ...]:
        """All units of the release."""
        return table_of_kind(self.release, "unit").rows

    @cached_property
    def reported(self) -> tuple[str, ...]:
        """The units that had reported."""
        table = table_of_kind(self.release, "unit")
        return tuple(row for row in table.rows if has_reported(table, row))

    @cached_property
    def newly(self) -> tuple[Unit, ...]:
        """The units that have reported since the release before."""
        table = table_of_kind(self.before, "unit") if self.before else None
        known = {row for row in table.rows if has_reported(table, row)} if table else set()
        return tuple(self.source.campaign.unit[row] for row in self.reported if row not in known)

    @property
    def waiting(self) -> tuple[Unit, ...]:
        """The units that had not reported."""
        return tuple(self.source.campaign.unit[row] for row in self.units if row not in self.reported)

    @cached_property
    def revisions(self) -> tuple[Revision, ...]:
        """The tables that differ from the release before, each with the rows that changed; at the close with all."""
        before = {table.key: table for table in self.before.tables} if self.before else {}
        tables = [(table, before.get(table.key)) for table in self.release.tables]
        found = (Revision(new, tuple(self._rows(old, new))) for new, old in tables if old or self.release.closing)
        return tuple(revision for revision in found if revision.rows)

    @cached_property
    def changes(self) -> int:
        """The number of figures that differ from the release before."""
        return sum(revision.changes for revision in self.revisions)

    @property
    def urn(self) -> str:
        """A permanent name of this release, independent of the site's address."""
        return uuid5(NAMESPACE_URL, f"{self.release.campaign}/{self.release.name}").urn

    def urn_of_feed(self, language: str) -> str:
        """A permanent name of the feed in a language, for which the first release's note is asked."""
        return uuid5(NAMESPACE_URL, f"{self.release.campaign}/feed/{language}").urn

    def _rows(self, old: ReleasedTable | None, new: ReleasedTable) -> Iterator[tuple[str, tuple[_Change, ...]]]:
        for row in new.rows:
            line = tuple(self._change(old, new, row, measure) for measure in new.measures)
            if self.release.closing or any(one.changed for one in line):
                yield row, line

    def _change(self, old: ReleasedTable | None, new: ReleasedTable, row: str, measure: str) -> _Change:
        is_old = self.before and old and (row, measure) in old.cells
        before = past(self.before, old, row, measure) if is_old and self.before and old else None
        return _Change(measure, before, past(self.release, new, row, measure))


def notes(source: Source) -> tuple[Note, ...]:
    """A note for each release, the newest first."""
    pairs = zip([None, *source.releases], source.releases, strict=False)
    return tuple(Note(source, release, before) for before, release in pairs)[::-1]
