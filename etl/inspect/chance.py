"""Exact binomial tail probabilities, computed with logarithms so that terms do not underflow for thousands of rows."""

import math


def at_least(count: int, of: int, share: float) -> float:
    """P(X ≥ count) of a binomial X of `of` trials with `share`, 0 < share < 1."""
    return min(1.0, math.fsum(_term(k, of, share) for k in range(max(count, 0), of + 1)))


def at_most(count: int, of: int, share: float) -> float:
    """P(X ≤ count) of a binomial X of `of` trials with `share`, 0 < share < 1."""
    return min(1.0, math.fsum(_term(k, of, share) for k in range(min(count, of) + 1)))


def as_far(count: int, of: int, share: float) -> float:
    """Two-sided p-value: twice the smaller tail, at most 1 (the exact test of Clopper and Pearson, 1934)."""
    return min(1.0, 2 * min(at_least(count, of, share), at_most(count, of, share)))


def _term(count: int, of: int, share: float) -> float:
    ways = math.lgamma(of + 1) - math.lgamma(count + 1) - math.lgamma(of - count + 1)
    return math.exp(ways + count * math.log(share) + (of - count) * math.log1p(-share))
