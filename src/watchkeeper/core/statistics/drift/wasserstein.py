"""Wasserstein distance: how far numbers have to be moved on average, in the baseline's own spread."""

from __future__ import annotations

import math

import numpy as np

from watchkeeper.core.statistics.distances import Distance
from watchkeeper.core.statistics.drift.comparison import Comparison, DriftMethod
from watchkeeper.core.statistics.sketch import Ranks, Sketch

_NORMAL = 2.9677379253417833  # |standard normal| is above it with a chance of ALPHA, 0.003
_IQR_OF_NORMAL = 1.3489795003921634


def wasserstein(baseline: Sketch, data: Sketch) -> tuple[float, float]:
    """Distance between two non-empty sketches, and how much of it chance alone may give.

    Both are in units of the baseline's spread: the smaller of its standard deviation and its
    interquartile range over 1.349 (as in Silverman's rule, so that a few far values do not hide a change
    of all others); of a constant baseline, the standard deviation of both together.

    Formula: W1 is the integral of |F - G|. Of two samples of one distribution, sqrt(nm / (n + m)) * W1
    tends to the integral of |B(F)|, B a Brownian bridge (del Barrio, Giné and Matrán 1999); the
    integral is never further spread than |Z| times J, the integral of sqrt(F(1 - F)), Z standard normal.

    >>> wasserstein(Sketch(((0.0, 1.0, 2.0, 3.0),)), Sketch(((2.0, 3.0, 4.0, 5.0),)))[0] > 1.3
    True
    """
    before, now = baseline.ranks(), data.ranks()
    keys = np.union1d(before.values, now.values)
    widths = np.diff(keys)
    f, g = before.up_to(keys)[:-1] / before.total, now.up_to(keys)[:-1] / now.total
    moved = float((np.abs(f - g) * widths).sum())
    n, m = before.total, now.total
    both = np.clip((n * f + m * g) / (n + m), 0.0, 1.0)
    bridge = float((np.sqrt(both * (1 - both)) * widths).sum())
    spread = _spread(baseline, before) or _deviation(keys, np.diff(both, prepend=0.0, append=1.0))
    if not spread:
        return 0.0, 0.0
    return moved / spread, _NORMAL * bridge * math.sqrt((n + m) / (n * m)) / spread


def _spread(sketch: Sketch, ranks: Ranks) -> float:
    deviation = _deviation(ranks.values, np.diff(ranks.weights, prepend=0.0) / ranks.total)
    quartiles = (sketch.quantile(0.75) - sketch.quantile(0.25)) / _IQR_OF_NORMAL
    return min(deviation, quartiles) if quartiles > 0 else deviation


def _deviation(values: np.ndarray, shares: np.ndarray) -> float:
    """Standard deviation of values with their shares, shape (values,) each."""
    centred = values - values[0]
    mean = float((centred * shares).sum())
    return math.sqrt(max(0.0, float((shares * (centred - mean) ** 2).sum())))


def _numerical(baseline: Sketch, data: Sketch, threshold: float) -> Comparison:
    distance, by_chance = wasserstein(baseline, data)
    limit = max(threshold, by_chance)
    return Comparison(Distance(distance), limit, baseline.weight, data.weight, limit)


WASSERSTEIN = DriftMethod(
    "Wasserstein", Distance, 0.3, "the score itself, in spreads of the baseline", numerical=_numerical
)
