"""Fifteen days, then the close, under our policy and others: what is published, and what a reader of all can infer.

Prints a line for each campaign and policy, and as its last line the same figures as JSON.
"""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from bench.common import campaign_here
from bench.disclosure.campaigns import REALISTIC, STRESS, Style, days
from bench.disclosure.policies import Published, everybody, printed, values_of
from etl.exchange.release import NOTHING, Status
from etl.proof.attacker import Attacker
from etl.proof.history import place, reader_of, units_reported
from etl.protect.primary import threshold
from etl.rulebook.campaign import Campaign
from etl.rulebook.publication import Assumption


@dataclass(frozen=True)
class Result:
    """One campaign under one policy.

    `published` is the share of non-zero cells, before the close, of rows that had reported. Narrow are true counts, and
    true changes of a cell from one day to the next, of 1 … k-1 that a reader of all figures can infer to be one of
    fewer than k values: of `small` and `small_changes`. The assumed ones are those of a reader who takes for granted,
    too, what our closing release is judged by. `exact` is the share of non-zero cells that are exact at the close.
    """

    style: str
    seed: int
    policy: str
    published: float
    worst_error: int
    mean_error: float
    small: int
    narrow: int
    small_changes: int
    narrow_changes: int
    assumed: str
    narrow_assumed: int
    narrow_changes_assumed: int
    exact: float
    slowest_release: float
    closing: float


def measure(
    campaign: Campaign, style: Style, seed: int, published: Published, values: Sequence[dict[str, int]]
) -> Result:
    """One policy's figures."""
    cells = [
        (figures.get(at), exact[at])
        for release, figures, exact in list(zip(published.releases, published.figures, values, strict=True))[:-1]
        for at in printed(release)
        if exact[at]
    ]
    errors = [abs(figure - exact) for figure, exact in cells if figure is not None]
    last = [cell for at, cell in printed(published.releases[-1]).items() if values[-1][at]]
    is_ours = published.policy == "ours"
    assumed = published.releases[-1].assumed if is_ours else NOTHING
    (small, narrow), (small_changes, narrow_changes) = narrowed(campaign, published, NOTHING, values)
    (_, more), (_, more_changes) = narrowed(campaign, published, assumed, values)
    return Result(
        style=style.name,
        seed=seed,
        policy=published.policy,
        published=_share([figure is not None for figure, _ in cells]),
        worst_error=max(errors),
        mean_error=round(statistics.fmean(errors), 3),
        small=small,
        narrow=narrow,
        small_changes=small_changes,
        narrow_changes=narrow_changes,
        assumed=assumed.key,
        narrow_assumed=more,
        narrow_changes_assumed=more_changes,
        exact=_share([cell.status is Status.PUBLISHED for cell in last]) if is_ours else 0.0,
        slowest_release=round(max(published.seconds[:-1], default=0.0), 2),
        closing=round(published.seconds[-1], 2) if published.seconds else 0.0,
    )


def _share(marks: Sequence[bool]) -> float:
    return round(sum(marks) / len(marks), 4)


def narrowed(
    campaign: Campaign, published: Published, assumed: Assumption, values: Sequence[dict[str, int]]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Small counts and those of them that can be inferred too closely; the same of small changes."""
    attacker = Attacker(reader_of(published.releases, assumed).system, published.ranges)
    stocks, changes = list[bool](), list[bool]()
    for day, (release, exact) in enumerate(zip(published.releases, values, strict=True)):
        for name, value in exact.items():
            row, at = name.rsplit(".", 1)[0], attacker.system.at[place(release, name)]
            k = threshold(campaign.publication, row)
            if attacker.system.cells[at].known:
                continue
            if 0 < value < k:
                stocks.append(_is_narrow(attacker, k, at))
            sooner = published.releases[day - 1]
            if day and 0 < abs(value - values[day - 1][name]) < k and units_reported(sooner).get(row, True):
                changes.append(_is_narrow(attacker, k, at, attacker.system.at[place(sooner, name)]))
    return (len(stocks), sum(stocks)), (len(changes), sum(changes))


def _is_narrow(attacker: Attacker, k: int, cell: int, minus: int | None = None) -> bool:
    low, high = attacker.infer_difference(cell, minus)
    return low is not None and high is not None and high - low < k - 1


def run(seeds: int) -> None:
    """Both styles, several seeds."""
    results, campaign = [], campaign_here()
    for style in (REALISTIC, STRESS):
        for seed in range(1, seeds + 1):
            truth = list(days(campaign, style, seed))
            values = [values_of(campaign, counts) for counts in truth]
            for published in everybody(campaign, truth):
                results.append(measure(campaign, style, seed, published, values))
                print(results[-1], flush=True)
    print(json.dumps([asdict(result) for result in results]))
