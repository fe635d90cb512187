"""One column in the baseline and in the data, as a page draws it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from watchkeeper.core.statistics.sketch import Ranks
from watchkeeper.monitors import data_quality
from watchkeeper.monitors.data_quality_values import (
    FeatureStatistics,
    NumericalStatistics,
    StringStatistics,
)
from watchkeeper.render.charts import Distribution

BINS = 20


def column_distribution(
    before: FeatureStatistics, now: FeatureStatistics, note: str = "", most: int = data_quality.DOMAIN_VALUES
) -> Distribution | None:
    """One column twice; None where nothing can be compared: one value throughout, more than `most` texts."""
    if before.numerical is not None and now.numerical is not None:
        return _numeric(now.name, before.numerical, now.numerical, note)
    if before.string is not None and now.string is not None:
        found = _categorical(now.name, before.string, now.string, note)
        return found if found and len(found.labels) <= most else None
    return None


def _numeric(
    name: str, before: NumericalStatistics, now: NumericalStatistics, note: str
) -> Distribution | None:
    low = min(before.summary.min, now.summary.min)
    high = max(before.summary.max, now.summary.max)
    if low == high:
        return None
    edges = np.linspace(low, high, BINS + 1)
    return Distribution(
        column=name,
        kind="numeric",
        baseline=_binned(before.sketch.ranks(), edges),
        window=_binned(now.sketch.ranks(), edges),
        edges=tuple(edges.tolist()),
        note=note,
    )


def _categorical(
    name: str, before: StringStatistics, now: StringStatistics, note: str
) -> Distribution | None:
    earlier, later = dict(before.counts), dict(now.counts)
    labels = tuple(sorted(earlier.keys() | later.keys()))
    if not earlier or not later:
        return None
    return Distribution(
        column=name,
        kind="categorical",
        baseline=tuple(earlier.get(label, 0) / before.total for label in labels),
        window=tuple(later.get(label, 0) / now.total for label in labels),
        labels=labels,
        note=note,
    )


def _binned(ranks: Ranks, edges: NDArray[np.float64]) -> tuple[float, ...]:
    """Share of the weight in each bin; the last bin has its upper edge too."""
    below = ranks.below(edges)
    below[-1] = ranks.total
    return tuple((np.diff(below) / ranks.total).tolist())
