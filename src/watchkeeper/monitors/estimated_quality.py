"""The quality of predictions before their labels come: direct loss estimation, with an interval.

A loss model says what error each row's prediction is expected to have, from what such rows' errors were in
the baseline (Kivimäki et al., "Confidence-based estimators for predictive performance in model monitoring",
2024, have the same for classification; NannyML calls this DLE). The interval is how far, among the
baseline's own held-out rows, the error of as many rows came from what was expected of them: by chance, and
from one stretch of time to the next. What changes the relation of inputs to labels while the inputs stay, as
it never did in the baseline, it cannot see.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]

LEVEL = 0.9
RESAMPLES = 1_000
LEAST_ROWS = 100  # of the baseline, and 30 of a window
WINDOW_ROWS = 30
LEAST_BLOCKS = 5
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

    `held_out` are the losses of baseline rows in the order of their time, and what was expected of these by
    a model that had not seen them. Their ratio, over samples of as many rows (drawn with replacement by
    `seed`), takes the estimate's own bias out; with the ratios of contiguous blocks it gives the interval
    (see `half_width`). Raises ValueError for fewer than 100 rows of the baseline or 30 of the window, and
    for a baseline of which no loss at all was expected.
    """
    had, were_expected = held_out
    if had.rows != were_expected.rows or had.rows < LEAST_ROWS:
        raise ValueError(f"want at least {LEAST_ROWS} held-out rows of the baseline, got {had.rows}")
    if expected.rows < WINDOW_ROWS:
        raise ValueError(f"want at least {WINDOW_ROWS} rows to estimate, got {expected.rows}")
    random = np.random.Generator(np.random.PCG64(seed))
    drawn = random.integers(0, had.rows, (RESAMPLES, expected.rows))
    cut = blocks(had.rows, expected.rows)
    size = expected.rows * len(cut) / had.rows
    return (
        _between("mae", _ratios(had.absolute, were_expected.absolute, drawn, cut), expected.absolute, size),
        _between(
            "rmse", _ratios(had.squared, were_expected.squared, drawn, cut), expected.squared, size, np.sqrt
        ),
    )


def blocks(rows: int, size: int) -> list[slice]:
    """Contiguous blocks of about so many rows each, at least five: the stretches of time of a baseline.

    >>> blocks(10, 4)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 6, None), slice(6, 8, None), slice(8, 10, None)]
    """
    ends = np.linspace(0, rows, max(rows // size, LEAST_BLOCKS) + 1).astype(int)
    return [slice(start, stop) for start, stop in pairwise(ends.tolist())]


def half_width(sampled: Floats, stretches: Floats, size: float) -> float:
    """Half of an interval that holds a window's figure in nine of ten cases.

    `sampled` are figures of samples of as many rows, which differ by chance; `stretches` those of
    contiguous blocks, which also differ from one time to the next; `size` is the rows of a window over
    those of a block. The variance that blocks have beyond chance is that between times (by moments, as in
    a one-way random effects model: Searle, Casella and McCulloch, "Variance components", 1992, chapter 3).
    The window is one more such time, and few blocks say how far times differ: the quantile is Student's.
    """
    by_chance = float(sampled.var(ddof=1))
    between = max(0.0, float(stretches.var(ddof=1)) - by_chance * size)
    quantile = float(stdtrit(stretches.size - 1, (1 + LEVEL) / 2))
    return quantile * math.sqrt(by_chance + between * (1 + 1 / stretches.size))


def trust(pairs: Sequence[tuple[Estimated, float]]) -> Trust:
    """How the intervals fared against what came: a one-sided binomial test of their level."""
    missed = sum(not each.low <= came <= each.high for each, came in pairs)
    miss = 1 - LEVEL
    tail = sum(
        math.comb(len(pairs), k) * miss**k * LEVEL ** (len(pairs) - k) for k in range(missed, len(pairs) + 1)
    )
    return Trust(len(pairs), missed, min(tail, 1.0))


def _ratios(
    had: Floats, expected: Floats, drawn: NDArray[np.int64], cut: Sequence[slice]
) -> tuple[Floats, Floats]:
    """Losses over those expected, of each sample and of each block; over the mean where none was expected."""
    whole = expected.mean()
    if not whole > 0:
        raise ValueError("want a baseline of which some loss is expected, got none")

    def ratio(left: Floats, right: Floats) -> Floats:
        found: Floats = left / np.where(right > 0, right, whole)
        return found

    had_of, expected_of = (np.array([side[each].mean() for each in cut]) for side in (had, expected))
    return ratio(had[drawn].mean(axis=1), expected[drawn].mean(axis=1)), ratio(had_of, expected_of)


def _between(
    metric: str,
    ratios: tuple[Floats, Floats],
    expected: Floats,
    size: float,
    unit: Callable[[Floats], Floats] = lambda losses: losses,
) -> Estimated:
    sampled, stretches = (unit(each * expected.mean()) for each in ratios)
    middle, half = float(np.median(sampled)), half_width(sampled, stretches, size)
    return Estimated(metric, middle, max(middle - half, 0.0), middle + half)
