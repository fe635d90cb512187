"""The chance that a row is positive: trees on the model's features that start from its own score.

So a score is calibrated, and otherwise where the baseline's rows with such features came out otherwise: when
the window has more rows of these than the baseline had, a calibration by score alone would be off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from watchkeeper.model.loss_model import FOLDS, TREES, rounds

Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]

EDGE = 1e-3  # scores nearer to 0 or 1 start from here


@dataclass(frozen=True, slots=True)
class ChanceModel:
    """The trees, and the chances of the baseline's rows by trees fitted without them, shape (rows,)."""

    trees: xgb.Booster
    held_out: Floats

    def chances(self, matrix: Matrix, scores: Floats) -> Floats:
        """The chance of each row: its features, shape (rows, features), and its score."""
        return _answers(self.trees, matrix, scores)


def fit(matrix: Matrix, scores: Floats, labels: Floats, seed: int) -> ChanceModel:
    """Fit the trees on all rows, and on all but each of five folds, cut by place, for `held_out`.

    `labels` are 0 and 1. Raises ValueError for any other, and for scores outside 0 to 1.
    """
    if not np.isin(labels, (0.0, 1.0)).all() or not ((scores >= 0) & (scores <= 1)).all():
        raise ValueError("fit chances: want labels of 0 and 1 and scores from 0 to 1")
    folds, held_out = np.arange(labels.size) * FOLDS // labels.size, np.empty(labels.size)
    for fold in range(FOLDS):
        own = folds == fold
        trees = _trees(matrix[~own], scores[~own], labels[~own], seed)
        held_out[own] = _answers(trees, matrix[own], scores[own])
    return ChanceModel(_trees(matrix, scores, labels, seed), held_out)


def _trees(matrix: Matrix, scores: Floats, labels: Floats, seed: int) -> xgb.Booster:
    data = xgb.DMatrix(_inputs(matrix, scores), labels, base_margin=_margin(scores), nthread=1)
    settings = {**TREES, "objective": "binary:logistic", "seed": seed}
    return xgb.train(settings, data, rounds(labels.size))


def _answers(trees: xgb.Booster, matrix: Matrix, scores: Floats) -> Floats:
    data = xgb.DMatrix(_inputs(matrix, scores), base_margin=_margin(scores), nthread=1)
    return np.clip(np.asarray(trees.predict(data), dtype=np.float64), 0.0, 1.0)


def _inputs(matrix: Matrix, scores: Floats) -> Matrix:
    return np.column_stack([matrix, _margin(scores).astype(np.float32)])


def _margin(scores: Floats) -> Floats:
    inside = np.clip(scores, EDGE, 1 - EDGE)
    found: Floats = np.log(inside / (1 - inside))
    return found
