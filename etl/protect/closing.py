"""The closing release: one exact table, in which just enough figures are withheld that no small count can be inferred.

If earlier releases were rounded, a figure that must not be exact is published rounded, since readers know its rounding
interval anyway. All earlier releases are part of the same system, so that exact figures and older rounding intervals
together still hide small counts. A correction after the close is another such release. A small difference between two
exact figures is hidden like a small count; in a correction, figures are withheld and not rounded.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from etl.exchange.counts import Counts
from etl.exchange.release import NOTHING, Cell, Release, ReleasedTable, Status, cell_id
from etl.findings import FuxueError
from etl.proof.attacker import Attacker, broken_for_loners, broken_promises
from etl.proof.history import place, reader_of
from etl.proof.tables import Need, Range, System, build_system
from etl.protect.draft import judge_under, make_release
from etl.protect.exact import suppress_exactly
from etl.protect.interim import round_until_safe
from etl.protect.primary import find_needs, true_values
from etl.protect.secondary import loners_of, suppress
from etl.rulebook.campaign import Campaign
from etl.rulebook.publication import Assumption


@dataclass(frozen=True)
class Stack:
    """All releases as one system; the cells of this release come last.

    `values` are this release's true counts, preceded by counts of earlier releases that fit what was published.
    `bounds` are the published bounds of each cell, with this release's figures rounded or withheld; `before` is a
    reader of exactly these bounds.
    """

    system: System
    values: Sequence[int]
    needs: Sequence[Need]
    bounds: Sequence[Range]
    before: Attacker


def closing_release(
    campaign: Campaign, counts: Counts, earlier: Sequence[Release] = (), secret: bytes = b""
) -> Release:
    """The closing release, or a correction of it; `earlier` are the releases before it, oldest first.

    A figure that cannot be exact is rounded if earlier releases were, otherwise withheld. `secret` varies prices and
    draws. Raises FuxueError with exit code 3 if a small count cannot be hidden or the audit finds one that is not.
    """
    system = build_system(campaign, {unit.unit: unit.reported for unit in counts.units})
    values = true_values(system, counts, campaign.publication)
    needs = find_needs(system, values, campaign.publication)
    if not earlier:
        hidden, assumed = _all_withheld(campaign, counts, (), system, values), NOTHING
        stack = Stack(system, values, needs, (), reader_of([hidden], NOTHING))
    else:
        if any(release.closing for release in earlier):
            hidden = _all_withheld(campaign, counts, earlier, system, values)
        else:
            hidden = round_until_safe(campaign, counts, system, values, earlier, secret).release
        assumed, stack = _stack(campaign, hidden, earlier, system, values, needs)
    more: list[Need] | None = None
    while more is None or more:
        names = {system.cells[at - stack.system.own].id for at in _withheld(campaign, stack, secret)}
        draft = judge_under(assumed, _unfold(hidden, system, values, names), earlier)
        changes = (_within(stack.before, need) for need in _published_changes(draft.attacker, earlier))
        more = [need for need in changes if need not in stack.needs]
        stack = replace(stack, needs=[*stack.needs, *more])
    if failures := [*draft.readable, *_unmet(draft.attacker, stack)]:
        # Only the name of the quantity: its range would reveal the value.
        raise FuxueError("protect.unsafe", cells=", ".join(failures[:5]), code=3)
    return draft.finished()


def _withheld(campaign: Campaign, stack: Stack, secret: bytes) -> set[int]:
    """Indices of the cells to withhold: the cheapest pattern, extended until all needs also hold against loners."""
    given = (stack.system, stack.values, stack.needs, stack.bounds, secret)
    pattern = suppress_exactly(*given, seconds=campaign.publication.seconds)
    loners = loners_of(stack.system, stack.values)
    return suppress(*given, loners=loners, start=sorted(pattern.withheld))


def _all_withheld(
    campaign: Campaign, counts: Counts, earlier: Sequence[Release], system: System, values: Sequence[int]
) -> Release:
    """The release that publishes nothing but what everybody knows anyway."""
    silent = {unit.unit for unit in counts.units if not unit.reported}

    def cell(row: str, name: str) -> Cell:
        at = system.at[cell_id(row, name)]
        if row in silent and system.cells[at].is_zero:
            return Cell(Status.NOT_DUE)
        return Cell(Status.PUBLISHED, values[at]) if system.cells[at].known else Cell(Status.SUPPRESSED)

    return make_release(campaign, counts, earlier, cell, closing=True)


def _stack(
    campaign: Campaign,
    hidden: Release,
    earlier: Sequence[Release],
    system: System,
    values: Sequence[int],
    needs: Sequence[Need],
) -> tuple[Assumption, Stack]:
    """All releases as one system, under the strongest assumption that is true.

    Needs are limited to what the rounded figures leave possible (see `_within`). The counts of earlier days need not
    be the true ones: with any counts that fit, the set of possible tables is the same.
    """
    for assumed in campaign.publication.assumptions:
        attacker = reader_of([*earlier, hidden], assumed)
        own = attacker.system.own
        try:
            stacked = attacker.completed(dict(enumerate(values, own)))
        except ValueError:
            continue
        cells = list(attacker.system.cells)
        cells[own:] = [replace(cell, weight=ours.weight) for cell, ours in zip(cells[own:], system.cells, strict=True)]
        return assumed, Stack(
            replace(attacker.system, cells=tuple(cells)),
            stacked,
            [_within(attacker, need.shifted(own)) for need in needs],
            attacker.bounds,
            attacker,
        )
    raise ValueError("no assumption")


def _published_changes(attacker: Attacker, earlier: Sequence[Release]) -> list[Need]:
    """Needs for changes of 1 … k-1 since an earlier exact figure that a reader can infer: 0 and k must be possible."""
    found, system = [], attacker.system
    for at, cell in enumerate(system.cells[system.own :], system.own):
        for release in earlier if not cell.known else ():
            if release.closing:
                sooner, k = system.at[place(release, cell.id.split("/")[1])], release.threshold(cell.row)
                low, high = attacker.infer_difference(at, sooner)
                if low is not None and high is not None and (0 < low <= high < k or -k < low <= high < 0):
                    found.append(Need(at, 0, k, sooner) if low > 0 else Need(at, -k, 0, sooner))
    return found


def _within(attacker: Attacker, need: Need) -> Need:
    """A need, shifted into the quantity's feasibility interval and cut off at its greatest value.

    Its low end rises to the least value that published figures allow; its high end rises so that as many values remain.
    """
    low, high = attacker.infer_difference(need.cell, need.minus)
    least = need.low if low is None else max(need.low, low)
    most = max(need.high, least + need.high - need.low - 1)
    return replace(need, low=least, high=most if high is None else min(most, high))


def _unfold(release: Release, system: System, values: Sequence[int], withheld: Collection[str]) -> Release:
    """The closing release: every figure exact, except those in `withheld`, which stay as they are in `release`."""

    def cell(row: str, name: str, hidden: Cell) -> Cell:
        at = system.at[cell_id(row, name)]
        is_silent = hidden.status is Status.NOT_DUE
        if is_silent and system.cells[at].is_zero:
            return hidden
        if system.cells[at].id in withheld:
            return Cell(Status.SUPPRESSED) if is_silent else hidden
        return Cell(Status.PUBLISHED, values[at])

    def unfolded(table: ReleasedTable) -> ReleasedTable:
        return replace(table, cells={at: cell(*at, hidden) for at, hidden in table.cells.items()})

    return replace(release, closing=True, tables=tuple(unfolded(table) for table in release.tables))


def _unmet(attacker: Attacker, stack: Stack) -> list[str]:
    loners = {at: stack.values[at] for at in loners_of(stack.system, stack.values)}
    return [
        *(failure.quantity for failure in broken_promises(attacker, stack.needs)),
        *broken_for_loners(attacker, stack.needs, loners, stack.before),
    ]
