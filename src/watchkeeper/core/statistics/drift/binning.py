"""A column's two distributions over the same bins, for the methods that compare counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from watchkeeper.core.statistics.distances import Counts
from watchkeeper.core.statistics.sketch import Sketch

PARTS = 10

Bins = tuple[NDArray[np.float64], NDArray[np.float64]]


def of_numbers(baseline: Sketch, data: Sketch) -> Bins:
    """Counts over the baseline's tenths: shape (bins,) each; bins empty on both sides are left out.

    Cut points are the nine deciles of the baseline, each once; the outer bins are open. Where the first
    decile is the least value, what lies below it has a bin of its own, so a constant column has three. The
    extremes themselves are no cut points: a compacted sketch has not kept them.
    """
    before, now = baseline.ranks(), data.ranks()
    steps = np.ceil(np.arange(1, PARTS) / PARTS * before.total)
    cuts = np.unique(before.values[np.searchsorted(before.weights, steps, side="left")])
    least = cuts[:1] if cuts[0] == before.values[0] else cuts[:0]
    counts = [
        np.diff(np.concatenate([[0.0], ranks.below(least), ranks.up_to(cuts), [ranks.total]]))
        for ranks in (before, now)
    ]
    return _filled(counts[0], counts[1])


def of_texts(baseline: Counts, data: Counts) -> Bins:
    """Counts by value, in the order of the values: shape (values,) each."""
    before, now = dict(baseline), dict(data)
    values = sorted({*before, *now})
    return _filled(
        np.array([before.get(value, 0) for value in values], dtype=np.float64),
        np.array([now.get(value, 0) for value in values], dtype=np.float64),
    )


def smoothed(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares with half a count added to each bin, so that an empty one stays finite."""
    raised = counts + 0.5
    return np.asarray(raised / raised.sum())


def _filled(before: NDArray[np.float64], now: NDArray[np.float64]) -> Bins:
    held = (before > 0) | (now > 0)
    return before[held], now[held]
