"""Population stability index and Jensen-Shannon distance: shares over the same bins."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from watchkeeper.core.statistics.distances import ALPHA, Counts, Distance
from watchkeeper.core.statistics.drift.binning import Bins, of_numbers, of_texts, smoothed
from watchkeeper.core.statistics.drift.comparison import Comparison, DriftMethod
from watchkeeper.core.statistics.drift.probability import chi_squared_critical
from watchkeeper.core.statistics.sketch import Sketch

Counted = NDArray[np.float64]


def population_stability_index(expected: Counted, actual: Counted) -> float:
    """Population stability index (PSI) of `actual` against `expected`, in nats, at least 0.

    Both are counts per bin over the same bins, shape (bins,). Half a count is added to each bin.
    Formula: Yurdakul (2018), the sum over bins of (a - e) * ln(a / e), a and e being shares.

    >>> population_stability_index(np.array([10.0, 20.0, 30.0]), np.array([10.0, 20.0, 30.0]))
    0.0
    """
    e, a = smoothed(expected), smoothed(actual)
    return float(((a - e) * np.log(a / e)).sum())


def jensen_shannon_distance(expected: Counted, actual: Counted) -> float:
    """Root of the Jensen-Shannon divergence to base 2: 0 for equal shares, 1 for none in common.

    Both are counts per bin over the same bins, shape (bins,). Formula: Endres and Schindelin (2003).

    >>> jensen_shannon_distance(np.array([5.0, 0.0]), np.array([0.0, 5.0]))
    1.0
    """
    p, q = expected / expected.sum(), actual / actual.sum()
    middle = (p + q) / 2
    return math.sqrt(max(0.0, (_entropy(p, middle) + _entropy(q, middle)) / 2))


def _entropy(shares: Counted, against: Counted) -> float:
    held = shares > 0
    return float((shares[held] * np.log2(shares[held] / against[held])).sum())


def _psi_by_chance(bins: Bins) -> float:
    """PSI / (1/n + 1/m) is about chi-squared with bins - 1 degrees of freedom (Yurdakul 2018)."""
    return _critical_by_chance(bins)


def _jensen_shannon_by_chance(bins: Bins) -> float:
    """For small differences the divergence in bits is PSI / (8 ln 2)."""
    return math.sqrt(_critical_by_chance(bins) / (8 * math.log(2)))


def _critical_by_chance(bins: Bins) -> float:
    freedom = bins[0].size - 1
    if not freedom:
        return 0.0
    each = 1 / float(bins[0].sum()) + 1 / float(bins[1].sum())
    return each * chi_squared_critical(freedom, ALPHA)


def _method(
    name: str, measure: Callable[[Counted, Counted], float], by_chance: Callable[[Bins], float], of: float
) -> DriftMethod:
    def compared(bins: Bins, threshold: float) -> Comparison:
        limit = max(threshold, by_chance(bins))
        sizes = round(float(bins[0].sum())), round(float(bins[1].sum()))
        return Comparison(Distance(measure(*bins)), limit, *sizes, limit)

    def numbers(baseline: Sketch, data: Sketch, threshold: float) -> Comparison:
        return compared(of_numbers(baseline, data), threshold)

    def texts(baseline: Counts, data: Counts, threshold: float) -> Comparison:
        return compared(of_texts(baseline, data), threshold)

    return DriftMethod(name, Distance, of, "the score itself", numbers, texts)


PSI = _method("PSI", population_stability_index, _psi_by_chance, 0.2)
JENSEN_SHANNON = _method("JensenShannon", jensen_shannon_distance, _jensen_shannon_by_chance, 0.1)
