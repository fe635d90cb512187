"""How far chance may carry the figures of a regression: percentile bootstrap intervals.

Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 13.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchkeeper.monitors.answers import Answers

Floats = NDArray[np.float64]

LEVEL = 0.95
LEAST_RESAMPLES = 100
_CELLS = 4_000_000  # counts of rows in samples that are held at a time


@dataclass(frozen=True, slots=True)
class Interval:
    """The ends between which a figure lies in 95 of 100 samples of as many rows."""

    metric: str
    low: float
    high: float


def intervals(labels: Floats, predictions: Floats, resamples: int, seed: int) -> tuple[Interval, ...]:
    """Intervals of mae, rmse, mape, r2 and bias (see `core.values.Metrics`), shape (rows,) both.

    Samples of as many rows are drawn with replacement by `seed`. Left out is a figure that has no value in
    some sample: mape with a label of 0, r2 where a sample's labels do not vary, bias where their mean is 0.
    Raises ValueError as `Answers.of_numbers` does, and for fewer than 100 resamples.
    """
    if resamples < LEAST_RESAMPLES:
        raise ValueError(f"bootstrap: want at least {LEAST_RESAMPLES} resamples, got {resamples}")
    answers = Answers.of_numbers(labels, predictions)
    y, error = answers.labels, answers.predictions - answers.labels
    shares = np.abs(error / y) if y.all() else np.full(y.size, np.nan)
    middle = y - y.mean()  # so that squares lose no digits
    terms = np.column_stack(
        [np.abs(error), np.square(error), np.nan_to_num(shares), error, y, middle, np.square(middle)]
    )
    sums = _sampled_sums(terms, resamples, seed)
    absolute, squared, shared, signed, total, first, second = sums.T
    rows = y.size
    with np.errstate(divide="ignore", invalid="ignore"):
        found = {
            "rmse": np.sqrt(squared / rows),
            "mae": absolute / rows,
            "mape": shared / rows if y.all() else shares,
            "r2": 1 - squared / (second - np.square(first) / rows),
            "bias": signed / total,
        }
    tail = (1 - LEVEL) / 2
    return tuple(
        Interval(name, *np.quantile(values, [tail, 1 - tail]).tolist())
        for name, values in found.items()
        if np.isfinite(values).all()
    )


def _sampled_sums(terms: Floats, resamples: int, seed: int) -> Floats:
    """Each sample's sums, shape (resamples, terms): how often each row is in it, times the terms."""
    random, rows = np.random.Generator(np.random.PCG64(seed)), len(terms)
    at_once = max(1, _CELLS // rows)
    found = []
    for start in range(0, resamples, at_once):
        count = min(at_once, resamples - start)
        drawn = random.integers(0, rows, (count, rows)) + rows * np.arange(count)[:, None]
        often = np.bincount(drawn.ravel(), minlength=count * rows).reshape(count, rows)
        found.append(often.astype(np.float64) @ terms)
    return np.concatenate(found)
