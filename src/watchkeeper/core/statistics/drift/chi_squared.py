"""Pearson's chi-squared test, as the closed analyzer's library does it and as two samples want it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from watchkeeper.core.statistics.distances import Counts, PValue
from watchkeeper.core.statistics.drift.binning import Bins, of_numbers, of_texts
from watchkeeper.core.statistics.drift.comparison import Comparison, DriftMethod, unknown
from watchkeeper.core.statistics.drift.probability import chi_squared_critical, chi_squared_tail
from watchkeeper.core.statistics.sketch import Sketch
from watchkeeper.core.values import Undefined

FEW, FEW_OF_TWO = 5, 10  # expected counts below these are small
SMALL_SHARE = 0.2  # of more than two categories this share may be small


@dataclass(frozen=True, slots=True)
class PearsonTest:
    """A chi-squared statistic, its p-value and degrees of freedom."""

    statistic: float
    p_value: PValue
    freedom: int


def goodness_of_fit(baseline: Counts, data: Counts) -> PearsonTest | Undefined:
    """The contract's test (5.3): the data against the baseline's shares, taken as exact.

    Baseline counts are scaled to the data's sum over the categories the baseline has; new categories
    do not count. Small categories are merged into the next smallest, in both. Undefined when fewer than
    two are left.

    >>> goodness_of_fit([("a", 50), ("b", 50)], [("a", 60), ("b", 40)]).statistic
    4.0
    """
    counted = dict(data)
    known = sum(counted.get(value, 0) for value, _ in baseline)
    total = sum(count for _, count in baseline)
    if not known or not total:
        return Undefined("no values to compare")
    expected = {value: count / total * known for value, count in baseline}
    observed = {value: float(counted.get(value, 0)) for value in expected}
    _regroup(expected, observed)
    if len(expected) < 2:
        return Undefined("fewer than two categories are large enough to compare")
    return _pearson(expected, observed)


def _regroup(expected: dict[str, float], observed: dict[str, float]) -> None:
    """Merge the smallest category into the next smallest until few enough are small.

    Of two categories none may be below 10 (Cochran 1952); of more, a fifth below 5 (Yates, Moore and
    McCabe 1999).
    """
    while len(expected) >= 2 and _too_many_small(expected):
        smallest = _smallest(expected)
        count, seen = expected.pop(smallest), observed.pop(smallest)
        next_smallest = _smallest(expected)
        expected[next_smallest] += count
        observed[next_smallest] += seen


def _too_many_small(expected: dict[str, float]) -> bool:
    two = len(expected) == 2
    small = sum(count < (FEW_OF_TWO if two else FEW) for count in expected.values())
    return small > (0 if two else int(SMALL_SHARE * len(expected)))


def _smallest(expected: dict[str, float]) -> str:
    return min(expected, key=lambda value: (expected[value], value))


def _pearson(expected: dict[str, float], observed: dict[str, float]) -> PearsonTest:
    statistic = sum((observed[value] - count) ** 2 / count for value, count in expected.items())
    freedom = len(expected) - 1
    below = 1.0 - chi_squared_tail(statistic, freedom)  # the library goes by the lower tail, and loses digits
    return PearsonTest(statistic, PValue(1.0 - below), freedom)


def homogeneity(bins: Bins) -> PearsonTest | Undefined:
    """Two samples over the same bins: do both come from one distribution?

    `bins` are two counts per bin, shape (bins,). Bins whose expected count is below 5 on either side are
    put together, smallest first. Undefined when fewer than two are left. Formula: Pearson (1911).

    >>> found = homogeneity((np.array([50.0, 50.0]), np.array([60.0, 40.0])))
    >>> round(found.statistic, 6)
    2.020202
    """
    before, now = _pooled(*bins)
    if before.size < 2:
        return Undefined("fewer than two groups are large enough to compare")
    both, rows = before + now, float(before.sum() + now.sum())
    statistic = 0.0
    for counts in (before, now):
        expected = both * (float(counts.sum()) / rows)
        statistic += float(((counts - expected) ** 2 / expected).sum())
    freedom = before.size - 1
    return PearsonTest(statistic, PValue(chi_squared_tail(statistic, freedom)), freedom)


def _pooled(before: np.ndarray, now: np.ndarray) -> Bins:
    """Bins in the order of their size, the small ones put together from the smallest on."""
    order = np.argsort(before + now, kind="stable")
    before, now = before[order], now[order]
    least = FEW * float(before.sum() + now.sum()) / min(float(before.sum()), float(now.sum()))
    first = int(np.searchsorted(np.cumsum(before + now), least))
    if first + 1 >= before.size:
        return before.sum(keepdims=True), now.sum(keepdims=True)
    groups = np.concatenate([[0], np.arange(first + 1, before.size)])
    return np.add.reduceat(before, groups), np.add.reduceat(now, groups)


def _compared(bins: Bins, threshold: float) -> Comparison:
    n, m = float(bins[0].sum()), float(bins[1].sum())
    sizes = round(n), round(m)
    found = homogeneity(bins)
    if isinstance(found, Undefined):
        return unknown(found.reason, *sizes, threshold)
    least = chi_squared_critical(found.freedom, threshold)
    return Comparison(found.p_value, threshold, *sizes, math.sqrt(least * (n + m) / (n * m)))


def _numerical(baseline: Sketch, data: Sketch, threshold: float) -> Comparison:
    return _compared(of_numbers(baseline, data), threshold)


def _categorical(baseline: Counts, data: Counts, threshold: float) -> Comparison:
    return _compared(of_texts(baseline, data), threshold)


CHI_SQUARED = DriftMethod(
    "ChiSquared",
    PValue,
    0.003,
    "root of the sum over values of (difference of shares) squared over the common share",
    _numerical,
    _categorical,
)
