"""Can a classifier tell a window's rows from the baseline's? If it can, they are not of one population.

Classifier two-sample test: Lopez-Paz and Oquab, "Revisiting classifier two-sample tests", 2017. It sees what
changed in columns together, and costs a second or two for 2,000 rows on either side: trees are fitted five
times.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from watchkeeper.core.values import Violation
from watchkeeper.model.loss_model import FOLDS
from watchkeeper.monitors.multivariate import CHECK, SUBJECT

Floats = npt.NDArray[np.float64]

LEAST_ROWS = 100  # on either side
_QUANTILE = 2.3263478740408408  # of the normal distribution, 1 % on one side
_TREES = 60
_SETTINGS = {
    "objective": "binary:logistic",
    "tree_method": "hist",
    "max_depth": 4,
    "learning_rate": 0.1,
    "min_child_weight": 10,
    "subsample": 0.8,
    "nthread": 1,
}


@dataclass(frozen=True, slots=True)
class Told:
    """The area under the ROC curve of telling sides apart, 0.5 when they are alike.

    `limit` is what chance exceeds in one of a hundred cases; `by` are the columns that trees split by, with
    their share of the gain.
    """

    auc: float
    limit: float
    by: tuple[tuple[str, float], ...]

    @property
    def drifted(self) -> bool:
        """Whether chance is no explanation."""
        return self.auc > self.limit

    @property
    def violation(self) -> Violation:
        """As the other checks' are."""
        named = ", ".join(f"{name} ({share:.0%})" for name, share in self.by[:3])
        return Violation(
            SUBJECT,
            CHECK,
            f"A classifier tells the window's rows from the baseline's with an AUC of {self.auc:.3f}, chance "
            f"exceeds {self.limit:.3f} in one of a hundred cases: by {named}",
            self.auc,
            self.limit,
        )


def tell_apart(before: Floats, now: Floats, columns: Sequence[str], seed: int = 0) -> Told:
    """Fit trees to tell the rows of two sides apart, on all but one fold, and ask them about that.

    Both are of shape (rows, columns). The limit is by the AUC's standard error when sides are alike (Mann and
    Whitney, 1947). Raises ValueError for fewer than 100 rows on a side.
    """
    sides = len(before), len(now)
    if min(sides) < LEAST_ROWS:
        raise ValueError(f"want at least {LEAST_ROWS} rows on both sides, got {sides[0]} and {sides[1]}")
    rows = np.vstack([before, now]).astype(np.float32)
    side = np.repeat([0.0, 1.0], sides)
    random = np.random.Generator(np.random.PCG64(seed))
    folds = np.empty(len(rows), dtype=int)
    for value in (0.0, 1.0):
        places = np.flatnonzero(side == value)
        folds[places] = random.permutation(places.size) % FOLDS
    scores, gains = np.empty(len(rows)), np.zeros(len(columns))
    for fold in range(FOLDS):
        own = folds == fold
        settings = {**_SETTINGS, "seed": seed}
        trees = xgb.train(settings, xgb.QuantileDMatrix(rows[~own], side[~own]), _TREES)
        scores[own] = trees.inplace_predict(rows[own])
        for name, gain in trees.get_score(importance_type="total_gain").items():
            gains[int(name.removeprefix("f"))] += float(np.mean(gain))
    shares = gains / (gains.sum() or 1.0)
    order = np.argsort(-shares, kind="stable").tolist()
    return Told(
        _auc(scores, side == 1.0),
        0.5 + _QUANTILE * math.sqrt((sum(sides) + 1) / (12 * math.prod(sides))),
        tuple((columns[place], float(shares[place])) for place in order if shares[place] > 0),
    )


def _auc(scores: Floats, positive: npt.NDArray[np.bool_]) -> float:
    """The chance that a positive row's score is above another's; equal scores count half."""
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (counts.cumsum() - (counts - 1) / 2)[places]
    above, below = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - above * (above + 1) / 2) / (above * below))
