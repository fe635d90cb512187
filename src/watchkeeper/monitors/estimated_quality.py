"""The quality of predictions before their labels come: direct loss estimation, with an interval.

A loss model says what error each row's prediction is expected to have, from what such rows' errors were in
the baseline (Kivimäki et al., "Confidence-based estimators for predictive performance in model monitoring",
2024, have the same for classification; NannyML calls this DLE). The interval is how far, among the
baseline's own held-out rows, the error of as many rows came from what was expected of them. What changes
the relation of inputs to labels while the inputs stay, it cannot see.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEVEL = 0.9
RESAMPLES = 1_000
LEAST_ROWS = 100  # of the baseline, and 30 of a window
WINDOW_ROWS = 30
SURPRISE = 0.01  # of a binomial test, below which intervals miss more often than they promise


@dataclass(frozen=True, slots=True)
class Losses:
    """What error rows have, or are expected to have, shape (rows,) both; `squared` in the unit's square."""

    absolute: Floats
    squared: Floats

    def __post_init__(self) -> None:
        for values in (self.absolute, self.squared):
            if values.ndim != 1 or values.shape != self.absolute.shape:
                raise ValueError(f"want two columns of losses of one length, got {self.squared.shape}")
            if not (np.isfinite(values) & (values >= 0)).all():
                raise ValueError("want losses that are finite and not negative")

    @property
    def rows(self) -> int:
        """How many rows."""
        return self.absolute.size


@dataclass(frozen=True, slots=True)
class Estimated:
    """A figure's estimate with its interval, which holds the figure in nine of ten cases (`LEVEL`)."""

    metric: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Trust:
    """How often intervals have missed what came; `surprise` is the chance of as many misses or more."""

    judged: int
    missed: int
    surprise: float

    @property
    def untrustworthy(self) -> bool:
        """Whether the intervals miss more often than they promise, and chance is no explanation."""
        return self.surprise < SURPRISE


def losses(labels: Floats, predictions: Floats) -> Losses:
    """The losses of labelled rows. Raises ValueError for numbers that are not finite."""
    error = labels - predictions
    return Losses(np.abs(error), np.square(error))


def estimate(expected: Losses, held_out: tuple[Losses, Losses], seed: int) -> tuple[Estimated, ...]:
    """mae and rmse of rows whose labels nobody knows, from what losses are expected of them.

    `held_out` are the losses of baseline rows, and what was expected of these by a model that had not seen
    them. Their ratio, over samples of as many rows (drawn with replacement by `seed`), takes the estimate's
    own bias out and gives the interval. Raises ValueError for fewer than 100 rows of the baseline or 30
    of the window, and for a baseline of which no loss at all was expected.
    """
    had, were_expected = held_out
    if had.rows != were_expected.rows or had.rows < LEAST_ROWS:
        raise ValueError(f"want at least {LEAST_ROWS} held-out rows of the baseline, got {had.rows}")
    if expected.rows < WINDOW_ROWS:
        raise ValueError(f"want at least {WINDOW_ROWS} rows to estimate, got {expected.rows}")
    random = np.random.Generator(np.random.PCG64(seed))
    drawn = random.integers(0, had.rows, (RESAMPLES, expected.rows))
    mae = _ratios(had.absolute, were_expected.absolute, drawn) * expected.absolute.mean()
    mse = _ratios(had.squared, were_expected.squared, drawn) * expected.squared.mean()
    return _between("mae", mae), _between("rmse", np.sqrt(mse))


def trust(pairs: Sequence[tuple[Estimated, float]]) -> Trust:
    """How the intervals fared against what came: a one-sided binomial test of their level."""
    missed = sum(not each.low <= came <= each.high for each, came in pairs)
    miss = 1 - LEVEL
    tail = sum(
        math.comb(len(pairs), k) * miss**k * LEVEL ** (len(pairs) - k) for k in range(missed, len(pairs) + 1)
    )
    return Trust(len(pairs), missed, min(tail, 1.0))


def _ratios(had: Floats, expected: Floats, drawn: NDArray[np.int64]) -> Floats:
    whole = expected.mean()
    if not whole > 0:
        raise ValueError("want a baseline of which some loss is expected, got none")
    sums = expected[drawn].mean(axis=1)
    found: Floats = had[drawn].mean(axis=1) / np.where(sums > 0, sums, whole)
    return found


def _between(metric: str, values: Floats) -> Estimated:
    tail = (1 - LEVEL) / 2
    low, middle, high = np.quantile(values, [tail, 0.5, 1 - tail]).tolist()
    return Estimated(metric, middle, low, high)
