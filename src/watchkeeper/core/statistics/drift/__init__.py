"""Ways to say how far a column is from its baseline, from states alone: one small file a family.

To add one, write its file and its line in `METHODS`. A score carries its direction in its type: a
`Distance` grows with the change, a `PValue` falls.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from watchkeeper.core.statistics.distances import Counts
from watchkeeper.core.statistics.drift.chi_squared import CHI_SQUARED
from watchkeeper.core.statistics.drift.comparison import LEAST_ROWS, Comparison, DriftMethod, unknown
from watchkeeper.core.statistics.drift.divergence import JENSEN_SHANNON, PSI
from watchkeeper.core.statistics.drift.greatest_difference import ROBUST, SIMPLE
from watchkeeper.core.statistics.drift.rank_tests import CRAMER_VON_MISES, KOLMOGOROV_SMIRNOV
from watchkeeper.core.statistics.drift.wasserstein import WASSERSTEIN
from watchkeeper.core.statistics.sketch import Sketch

METHODS: Mapping[str, DriftMethod] = MappingProxyType(
    {
        method.name: method
        for method in (
            ROBUST,
            SIMPLE,
            PSI,
            JENSEN_SHANNON,
            WASSERSTEIN,
            KOLMOGOROV_SMIRNOV,
            CRAMER_VON_MISES,
            CHI_SQUARED,
        )
    }
)

__all__ = [
    "LEAST_ROWS",
    "METHODS",
    "Comparison",
    "DriftMethod",
    "compare_numbers",
    "compare_texts",
    "unknown",
]


def compare_numbers(method: DriftMethod, baseline: Sketch, data: Sketch, threshold: float) -> Comparison:
    """Two columns of numbers by one method; a score is Undefined below `LEAST_ROWS` on either side."""
    sizes = baseline.weight, data.weight
    if method.numerical is None:
        return unknown(f"{method.name} compares texts, and these are numbers", *sizes, threshold)
    with np.errstate(all="ignore"):  # what overflows is said below
        found = _few(sizes, threshold) or method.numerical(baseline, data, threshold)
    if found.finite:
        return found.rounded()
    return unknown("the numbers are too far apart, or too close, for doubles", *sizes, threshold)


def compare_texts(method: DriftMethod, baseline: Counts, data: Counts, threshold: float) -> Comparison:
    """Two columns of texts, as values with their counts, by one method; Undefined as in `compare_numbers`."""
    sizes = sum(count for _, count in baseline), sum(count for _, count in data)
    if method.categorical is None:
        return unknown(f"{method.name} compares numbers, and these are texts", *sizes, threshold)
    return _few(sizes, threshold) or method.categorical(baseline, data, threshold).rounded()


def _few(sizes: tuple[int, int], threshold: float) -> Comparison | None:
    if min(sizes) >= LEAST_ROWS:
        return None
    reason = f"too few rows: want at least {LEAST_ROWS} on both sides, got {sizes[0]} and {sizes[1]}"
    return unknown(reason, *sizes, threshold)
