"""Steps that every release shares, before and at the close: putting its tables together, and auditing it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from etl.exchange.counts import Counts
from etl.exchange.release import CITY, Cell, Release, ReleasedTable
from etl.proof.attacker import Attacker
from etl.proof.history import reader_of
from etl.proof.reader import ranges_of, readable
from etl.proof.tables import structure_of
from etl.rulebook.campaign import Campaign
from etl.rulebook.publication import Assumption, Table


@dataclass(frozen=True)
class Draft:
    """A release that may still change, with all before it (oldest first).

    `attacker` is the reader against whom it was audited; `readable` names the counts that this reader can infer.
    """

    release: Release
    earlier: Sequence[Release]
    attacker: Attacker
    readable: Sequence[str]

    def finished(self) -> Release:
        """The release, completed by the feasibility interval of each cell that it withholds."""
        return replace(self.release, ranges=ranges_of(self.attacker, self.release))


def make_release(
    campaign: Campaign,
    counts: Counts,
    earlier: Sequence[Release],
    cell: Callable[[str, str], Cell],
    *,
    closing: bool,
) -> Release:
    """The release after `earlier`; `cell` gives each cell by row and measure. It has no ranges yet."""
    return Release(
        number=1 + (earlier[-1].number if earlier else 0),
        campaign=campaign.id,
        as_of=counts.as_of,
        closing=closing,
        k=campaign.publication.k,
        category_k=campaign.publication.category_k,
        known=campaign.publication.known,
        structure=structure_of(campaign),
        tables=tuple(_table(campaign, table, cell) for table in campaign.publication.tables),
        ranges={},
    )


def _table(campaign: Campaign, table: Table, cell: Callable[[str, str], Cell]) -> ReleasedTable:
    rows = {
        "city": [CITY],
        "unit": [unit.slug for unit in campaign.units],
        "category": [category.code for category in campaign.categories],
    }[table.rows]
    cells = {(row, name): cell(row, name) for row in rows for name in table.measures}
    return ReleasedTable(table.key, table.rows, tuple(rows), table.measures, cells, table.title, table.title_en)


def judge(campaign: Campaign, release: Release, earlier: Sequence[Release]) -> Draft:
    """Audit a release against a reader of it and all before it, under the strongest assumption that the figures allow.

    A table that fits under a strong assumption also fits under each weaker one, so a reader who assumes less cannot
    infer more. Raises ValueError if the figures contradict each other under every assumption.
    """
    reason = ValueError("no assumption")
    for assumed in campaign.publication.assumptions:
        try:
            return judge_under(assumed, release, earlier)
        except ValueError as error:
            reason = error
    raise reason


def judge_under(assumed: Assumption, release: Release, earlier: Sequence[Release]) -> Draft:
    """Audit a release under one assumption. Raises ValueError if the figures contradict it."""
    release = replace(release, assumed=assumed)
    attacker = reader_of([*earlier, release], assumed)
    return Draft(release, earlier, attacker, readable(attacker, [*earlier, release]))
