"""Drawing a sample for second visits, stratified by units, with the bounds that it gives on wrong reports (M4, M19)."""

import math
import random
from collections.abc import Mapping, Sequence
from statistics import NormalDist

from etl.exchange.sample import Key, Sample
from etl.findings import FuxueError


def draw_sample(children: Mapping[str, Sequence[Key]], size: int, seed: int, confidence: float) -> Sample:
    """Draw `size` children: from each unit in proportion, but at least one (Cochran 1977, section 5.4).

    `children` are the keys of all children with an answer, by unit. The same `seed` gives the same sample. `confidence`
    (0 to 1) is that of the bounds. FuxueError if `size` exceeds the number of children or is below that of units.
    """
    strata = {unit: sorted(own) for unit, own in children.items() if own}
    population = sum(map(len, strata.values()))
    if not len(strata) <= size <= population or not strata:
        raise FuxueError("flags.sample_size", least=len(strata), most=population)
    sizes = _allocate({unit: len(own) for unit, own in strata.items()}, size)
    random_ = random.Random(f"revisit:{seed}")  # noqa: S311 - unpredictable only if the seed is
    chosen = {unit: tuple(sorted(random_.sample(own, sizes[unit]))) for unit, own in strata.items()}
    counts = {unit: (len(own), sizes[unit]) for unit, own in strata.items()}
    return Sample(seed, chosen, population, _margin(counts, confidence), _if_none(counts, confidence))


def _allocate(strata: Mapping[str, int], size: int) -> dict[str, int]:
    """Allocate `size` to units in proportion to their numbers of children, at least 1 each (largest remainders)."""
    population = sum(strata.values())
    sizes = {unit: min(own, max(1, own * size // population)) for unit, own in strata.items()}
    while sum(sizes.values()) != size:
        step = 1 if sum(sizes.values()) < size else -1
        short = {u: strata[u] * size / population - sizes[u] for u in strata
                 if (sizes[u] < strata[u] if step > 0 else sizes[u] > 1)}  # fmt: skip
        sizes[max(short, key=lambda unit: (step * short[unit], unit))] += step
    return sizes


def _margin(counts: Mapping[str, tuple[int, int]], confidence: float) -> float:
    """The half-width of the confidence interval of the share, in the worst case of one half wrong in every unit.

    `counts` are (children, drawn) by unit. Normal approximation of stratified sampling, corrected for finite numbers.
    """
    population = sum(own for own, _ in counts.values())
    variance = sum(
        (own / population) ** 2 * 0.25 / taken * (own - taken) / max(own - 1, 1) for own, taken in counts.values()
    )
    return NormalDist().inv_cdf((1 + confidence) / 2) * math.sqrt(variance)


def _if_none(counts: Mapping[str, tuple[int, int]], confidence: float) -> float:
    """The upper bound of the share of wrong reports if the sample has none; `counts` are (children, drawn) by unit.

    If w of a unit's N reports are wrong, n drawn ones miss all of them with probability ≤ (1 − w/N)^n ≤ e^(−wn/N).
    Over all units that is ≤ e^(−W·f), with W the number of wrong reports and f the smallest n/N. Hence, at the given
    confidence, W ≤ −ln(1 − confidence) / f.
    """
    population = sum(own for own, _ in counts.values())
    least = min(taken / own for own, taken in counts.values())
    return 0.0 if least == 1 else min(1.0, -math.log(1 - confidence) / least / population)
