"""The quality of a binary classification before its labels come: confidence-based estimation.

Each row's chance of being positive, once calibrated, is what it adds to the expected confusion matrix; the
figures are read off that (CBPE: Kivimäki et al., "Confidence-based estimators for predictive performance in
model monitoring", 2024). The interval is how far, in samples of as many held-out rows of the baseline and
from one stretch of its time to the next, the figure came from its estimate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchkeeper.core.values import Undefined
from watchkeeper.monitors.estimated_quality import (
    LEAST_BLOCKS,
    LEAST_ROWS,
    WINDOW_ROWS,
    Estimated,
    blocks,
    half_width,
)

Floats = NDArray[np.float64]

RESAMPLES = 400


@dataclass(frozen=True, slots=True, eq=False)
class Chances:
    """Of each row, shape (rows,): its chance of being positive, whether it was answered so, and its score.

    Labels that are known are chances of 0 and 1. Raises ValueError for chances or scores outside 0 to 1.
    """

    chance: Floats
    answered: NDArray[np.bool_]
    scores: Floats

    def __post_init__(self) -> None:
        if not self.chance.shape == self.answered.shape == self.scores.shape or self.chance.ndim != 1:
            raise ValueError("want chances, answers and scores of one length")
        for name, values in (("chances", self.chance), ("scores", self.scores)):
            if outside := int((~((values >= 0) & (values <= 1))).sum()):
                raise ValueError(f"want {name} from 0 to 1, got {outside} of {values.size} that are not")

    @property
    def rows(self) -> int:
        """How many rows."""
        return self.chance.size

    def take(self, rows: NDArray[np.int64]) -> Chances:
        """Some of the rows."""
        return Chances(self.chance[rows], self.answered[rows], self.scores[rows])


def figures(of: Chances) -> Mapping[str, float | Undefined]:
    """accuracy, precision, recall, f1 and auc as expected of the rows, exact where the chances are labels."""
    hit = float(of.chance[of.answered].sum())
    answered, positive = float(of.answered.sum()), float(of.chance.sum())
    right = hit + float((1 - of.chance[~of.answered]).sum())
    return {
        "accuracy": right / of.rows if of.rows else Undefined("there is no row"),
        "precision": hit / answered if answered else Undefined("no answer is the positive class"),
        "recall": hit / positive if positive else Undefined("no row is of the positive class"),
        "f1": 2 * hit / (answered + positive) if answered + positive else Undefined("no row is positive"),
        "auc": _auc(of),
    }


def estimate(window: Chances, held_out: tuple[Chances, Floats], seed: int) -> tuple[Estimated, ...]:
    """Figures of rows whose labels nobody knows; those without a value are left out.

    `held_out` are baseline rows in the order of their time, with chances by a model that had not seen
    them, and their labels (0 or 1). Raises ValueError for fewer than 100 of these or 30 rows of the window.
    """
    before, labels = held_out
    if before.rows < LEAST_ROWS or before.rows != labels.size:
        raise ValueError(f"want at least {LEAST_ROWS} held-out rows of the baseline, got {before.rows}")
    if window.rows < WINDOW_ROWS:
        raise ValueError(f"want at least {WINDOW_ROWS} rows to estimate, got {window.rows}")
    random = np.random.Generator(np.random.PCG64(seed))
    truth = Chances(labels, before.answered, before.scores)
    samples = (random.integers(0, before.rows, window.rows) for _ in range(RESAMPLES))
    by_chance = _missed(truth, before, samples)
    cut = blocks(before.rows, window.rows)
    size = window.rows * len(cut) / before.rows
    by_time = _missed(truth, before, (np.arange(each.start, each.stop) for each in cut))
    return tuple(
        _between(name, value, half_width(by_chance[name], by_time[name], size))
        for name, value in figures(window).items()
        if not isinstance(value, Undefined)
        and len(by_chance.get(name, ())) >= RESAMPLES / 2
        and len(by_time.get(name, ())) >= LEAST_BLOCKS
    )


def _missed(truth: Chances, expected: Chances, samples: Iterable[NDArray[np.int64]]) -> dict[str, Floats]:
    """By how much each figure came out above its estimate, in each sample in which it has both."""
    found: dict[str, list[float]] = {}
    for rows in samples:
        estimates = figures(expected.take(rows))
        for name, value in figures(truth.take(rows)).items():
            estimated = estimates[name]
            if not isinstance(value, Undefined) and not isinstance(estimated, Undefined):
                found.setdefault(name, []).append(value - estimated)
    return {name: np.array(values) for name, values in found.items()}


def _between(name: str, value: float, half: float) -> Estimated:
    return Estimated(name, value, max(value - half, 0.0), min(value + half, 1.0))


def _auc(of: Chances) -> float | Undefined:
    """Area under the expected ROC curve, by trapezoids over every distinct score."""
    positive = float(of.chance.sum())
    negative = of.rows - positive
    if not positive or not negative:
        return Undefined("the rows are of one class")
    order = np.argsort(-of.scores, kind="stable")
    scores, chance = of.scores[order], of.chance[order]
    last = np.append(np.flatnonzero(np.diff(scores)), scores.size - 1)
    hits = np.insert(np.cumsum(chance)[last], 0, 0.0)
    falses = np.insert(np.cumsum(1 - chance)[last], 0, 0.0)
    return float(np.trapezoid(hits / positive, falses / negative))
