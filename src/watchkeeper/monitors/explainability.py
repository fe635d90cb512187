"""The explainability monitor: does the model still look at what it looked at? (contract 7.7)

Two verdicts stand side by side. NDCG against the baseline's order of features is AWS's; it is blind to a
top feature that falls to a quarter, since the order of the others stays. The calibrated one asks how far
the importances of as many rows of the baseline's own would have come by chance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from watchkeeper.core.values import Role
from watchkeeper.monitors.explainability_values import (
    CHECK,
    Aggregation,
    AttributionDrift,
    Attributions,
    AttributionViolation,
    Moved,
)
from watchkeeper.monitors.monitor import Monitor

Floats = NDArray[np.float64]

MONITOR = Monitor("explainability", frozenset({Role.FEATURE, Role.TEXT, Role.TIME, Role.ID}))

NDCG_LIMIT = 0.9
ALPHA = 0.05
RESAMPLES = 2_000
_AT_ONCE = 200  # samples: their matrix has so many lines
LEAST_ROWS = 30
_AGGREGATES: Mapping[Aggregation, Callable[[Floats], Floats]] = MappingProxyType(
    {
        Aggregation.MEAN_ABS: lambda values: np.abs(values).mean(axis=0),
        Aggregation.MEAN_SQ: lambda values: np.square(values).mean(axis=0),
        Aggregation.MEDIAN: lambda values: np.median(values, axis=0),
    }
)


def importances(values: Floats, aggregation: Aggregation = Aggregation.MEAN_ABS) -> Floats:
    """Global importance of each feature, shape (features,), from attributions of shape (rows, features).

    Mean |phi|, mean phi² or the signed median (contract 7.3). Raises ValueError without a row and for an
    attribution that is not finite.
    """
    if values.ndim != 2 or not values.shape[0]:
        raise ValueError(f"want attributions of at least one row, got shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"want finite attributions, got {int((~np.isfinite(values)).sum())} that are not")
    found: Floats = _AGGREGATES[aggregation](values)
    return found


def ndcg(current: Sequence[tuple[str, float]], baseline: Sequence[tuple[str, float]]) -> float:
    """Normalised discounted cumulative gain of the features' order now, by their importance then (7.7).

    Features are matched by name; of equal importances the one that comes first in the baseline is taken
    first. Raises ValueError where the two are not of the same features, and for a baseline whose
    importances add up to nothing. Järvelin and Kekäläinen (2002).

    >>> round(ndcg([("a", 0.10), ("b", 0.20), ("c", 0.70)], [("a", 0.70), ("b", 0.50), ("c", 0.05)]), 4)
    0.6876
    """
    gains, now = dict(baseline), dict(current)
    if gains.keys() != now.keys():
        odd = sorted(gains.keys() ^ now.keys())
        raise ValueError(
            f"compare attributions: want the same features on both sides, {', '.join(odd)} is on one"
        )
    best = _gain(sorted(gains.values(), reverse=True))
    if best <= 0:
        raise ValueError("compare attributions: want a baseline in which some feature counts, got none")
    order = sorted(gains, key=lambda name: -now[name])
    return _gain([gains[name] for name in order]) / best


def check(
    current: Attributions, baseline: Attributions, drift: AttributionDrift | None = None
) -> tuple[AttributionViolation, ...]:
    """The contract's verdict (NDCG below 0.90) and, with `drift`, the calibrated one beside it.

    Raises ValueError as `ndcg` does.
    """
    found = []
    score = ndcg(current.importances, baseline.importances)
    if score < NDCG_LIMIT:
        text = f"Feature attribution drift {score!r} exceeds threshold {NDCG_LIMIT}"
        found.append(AttributionViolation(current.label, CHECK, text, score, NDCG_LIMIT))
    if drift is not None and drift.drifted:
        named = ", ".join(
            f"{each.feature} {each.baseline:.4g} to {each.current:.4g}" for each in drift.moved[:3]
        )
        text = (
            f"Feature importances moved by {drift.score:.3g} standard errors, chance gives more than "
            f"{drift.limit:.3g} in {drift.alpha:.0%} of samples of {drift.rows:,} rows: {named}"
        )
        found.append(AttributionViolation(current.label, CHECK, text, drift.score, drift.limit))
    return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class Chance:
    """What importances the baseline's own rows give: of all of them, and of samples of `rows` of them.

    `scores` are those of the samples, ascending, shape (2000,).
    """

    features: tuple[str, ...]
    means: Floats
    spreads: Floats  # squared standard errors
    rows: int
    scores: Floats

    @property
    def limit(self) -> float:
        """What chance exceeds in 5 of 100 samples."""
        return float(self.scores[math.ceil((1 - ALPHA) * self.scores.size) - 1])


def chance(baseline: Floats, features: Sequence[str], rows: int, seed: int) -> Chance:
    """How far samples of so many rows of the baseline's own come by chance, drawn by `seed`.

    `baseline` holds attributions, shape (rows, features). A sample's score is the greatest difference of a
    feature's mean |phi| from that of a second sample, in standard errors of the two. Both are drawn with
    replacement (Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 16); the greatest
    studentised difference holds its level over all features together (Westfall and Young, 1993).
    Raises ValueError for fewer than 30 rows.
    """
    before = _checked(baseline, len(features), "the baseline")
    if rows < LEAST_ROWS:
        raise ValueError(f"compare attributions: want samples of at least {LEAST_ROWS} rows, got {rows}")
    spreads = before.var(axis=0, ddof=1) / len(before)
    return Chance(tuple(features), before.mean(axis=0), spreads, rows, np.sort(_null(before, rows, seed)))


def compare(by: Chance, current: Floats) -> AttributionDrift:
    """Whether the importances of the current rows could be those of a sample of the baseline's.

    `current` holds attributions, shape (by.rows, features); raises ValueError for any other.
    """
    now = _checked(current, len(by.features), "the current rows")
    if len(now) != by.rows:
        raise ValueError(f"compare attributions: want {by.rows} current rows, got {len(now)}")
    means, spreads = now.mean(axis=0), now.var(axis=0, ddof=1) / len(now)
    scores = _scores(means - by.means, spreads + by.spreads)
    found = zip(by.features, by.means.tolist(), means.tolist(), scores.tolist(), strict=True)
    score = float(scores.max())
    return AttributionDrift(
        score=score,
        limit=by.limit,
        p_value=float(((by.scores >= score).sum() + 1) / (by.scores.size + 1)),
        alpha=ALPHA,
        rows=len(now),
        moved=tuple(sorted((Moved(*each) for each in found), key=lambda each: -each.score)),
    )


def _checked(values: Floats, features: int, whose: str) -> Floats:
    """The sizes of the attributions."""
    if values.ndim != 2 or values.shape[1] != features or len(values) < LEAST_ROWS:
        raise ValueError(
            f"compare attributions: want at least {LEAST_ROWS} rows of {features} features in {whose}, "
            f"got shape {values.shape}"
        )
    if not np.isfinite(values).all():
        raise ValueError(f"compare attributions: want finite ones in {whose}")
    return np.abs(values)


def _gain(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(place + 2) for place, gain in enumerate(gains))


def _scores(differences: Floats, spreads: Floats) -> Floats:
    """Differences of means in standard errors; of a feature that never varies, 0 or as far as can be."""
    errors = np.sqrt(spreads)
    with np.errstate(divide="ignore", invalid="ignore"):
        varying = np.where(errors > 0, np.abs(differences) / errors, np.finfo(float).max)
    return np.where(differences == 0, 0.0, varying)


def _null(before: Floats, rows: int, seed: int) -> Floats:
    """The greatest score of each pair of samples of the baseline's own rows.

    A sample is how often each row is in it, so that sums over many samples are one product of matrices.
    """
    random = np.random.Generator(np.random.PCG64(seed))
    size = min(len(before), 4 * rows)  # both errors are in the score, so that its law hardly depends on this
    powers = np.hstack([before, np.square(before)])
    found = []
    for _ in range(0, RESAMPLES, _AT_ONCE):
        sides = [_moments(random.integers(0, len(before), (_AT_ONCE, each)), powers) for each in (size, rows)]
        (left, of_left), (right, of_right) = sides
        found.append(_scores(right - left, of_left + of_right).max(axis=1))
    return np.concatenate(found)


def _moments(drawn: NDArray[np.int64], powers: Floats) -> tuple[Floats, Floats]:
    """Each sample's means, and the squares of their standard errors, shape (samples, features) both."""
    samples, size = drawn.shape
    places = drawn + len(powers) * np.arange(samples)[:, None]
    often = np.bincount(places.ravel(), minlength=samples * len(powers)).reshape(samples, len(powers))
    means, squares = np.split(often.astype(np.float64) @ powers / size, 2, axis=1)
    return means, np.maximum(squares - np.square(means), 0.0) / (size - 1)
