"""The bias metrics of SageMaker Clarify as functions of one table of counts (contract 7.4).

The group in question is d, the others are a. Counting first makes every metric exact, a table the state of
any number of rows, and a bootstrap one draw of counts. `divide` is the contract's: 0/0 is 0, x/0 infinite.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from watchkeeper.core.values import Undefined

Counts = NDArray[np.int64]
Value = float | Undefined
OTHERS, GROUP = 0, 1
NO_FEATURES = Undefined("no features were given")
NO_GROUP_VARIABLE = Undefined("Group variable is empty or not provided")


@dataclass(frozen=True, slots=True, eq=False)
class BiasTable:
    """Rows counted by group variable, facet, label and prediction, shape (groups, 2, labels, 2).

    The second axis is a, then d; the last is predicted negative, then positive (all negative where nothing is
    predicted). `positive`, shape (labels,), says which labels are positive. `flips` are the rows of d that
    the model and their nearest neighbours in a see differently: 1 against 0, and the reverse.
    """

    counts: Counts
    positive: NDArray[np.bool_]
    grouped: bool = False
    flips: tuple[int, int] | Undefined = NO_FEATURES
    _sides: tuple[Side, Side] = field(init=False, repr=False)  # counted once, for every metric

    def __post_init__(self) -> None:
        of_label = self.counts.sum(axis=0)
        positive, negative = of_label[:, self.positive].sum(axis=1), of_label[:, ~self.positive].sum(axis=1)
        sides = tuple(
            Side(*map(float, (tp, fp, tn, fn)))
            for (fn, tp), (tn, fp) in zip(positive.tolist(), negative.tolist(), strict=True)
        )
        object.__setattr__(self, "_sides", sides)

    def side(self, facet: int) -> Side:
        """One side's rows."""
        return self._sides[facet]

    def drawn(self, counts: Counts, flips: tuple[int, int] | Undefined) -> BiasTable:
        """Other counts of the same categories."""
        return BiasTable(counts, self.positive, self.grouped, flips)


@dataclass(frozen=True, slots=True)
class Side:
    """True and false positives and negatives of one side."""

    tp: float
    fp: float
    tn: float
    fn: float

    @property
    def rows(self) -> float:
        return self.tp + self.fp + self.tn + self.fn

    @property
    def positive(self) -> float:
        return self.tp + self.fn

    @property
    def negative(self) -> float:
        return self.tn + self.fp

    @property
    def said_positive(self) -> float:
        return self.tp + self.fp

    @property
    def said_negative(self) -> float:
        return self.tn + self.fn


def divide(part: float, whole: float) -> float:
    """Part over whole, with the contract's values where there is no whole.

    >>> divide(0, 0), divide(1, 0), divide(-1, 0)
    (0.0, inf, -inf)
    """
    if whole == 0:
        return 0.0 if part == 0 else math.copysign(math.inf, part)
    return part / whole


def _sides(of: Callable[[Side, Side], float], table: BiasTable) -> Value:
    """A metric of both sides, a first; without rows on one of them there is nothing to compare."""
    a, d = table.side(OTHERS), table.side(GROUP)
    if not a.rows or not d.rows:
        return Undefined(
            "no row is in the facet's group" if not d.rows else "every row is in the facet's group"
        )
    return of(a, d)


def _difference(of: Callable[[Side], float], table: BiasTable) -> Value:
    """The others' figure less the group's."""
    return _sides(lambda a, d: of(a) - of(d), table)


def _reverse(of: Callable[[Side], float], table: BiasTable) -> Value:
    """The group's figure less the others'."""
    return _sides(lambda a, d: _less(of(d), of(a)), table)


def _less(left: float, right: float) -> float:
    return 0.0 if left == right else left - right  # two equal infinities differ by nothing


def _shares(table: BiasTable) -> tuple[NDArray[np.float64], NDArray[np.float64]] | Undefined:
    """The distribution of labels among a and among d."""
    of_label = table.counts.sum(axis=(0, 3)).astype(np.float64)
    rows = of_label.sum(axis=1)
    if not rows.all():
        return Undefined("one of the facet's groups has no row")
    return of_label[OTHERS] / rows[OTHERS], of_label[GROUP] / rows[GROUP]


def _distance(of: Callable[[NDArray[np.float64], NDArray[np.float64]], float], table: BiasTable) -> Value:
    shares = _shares(table)
    return shares if isinstance(shares, Undefined) else of(*shares)


def _kl(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    both = (p > 0) & (q > 0)
    return float((p[both] * np.log(p[both] / q[both])).sum())


def _js(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    middle = (p + q) / 2
    return (_kl(p, middle) + _kl(q, middle)) / 2


def _disparity(positive: Callable[[BiasTable], tuple[Counts, Counts]], table: BiasTable) -> Value:
    """Within each value of the group variable: d's share of the rejected less its share of the accepted."""
    if not table.grouped:
        return NO_GROUP_VARIABLE
    accepted, rejected = positive(table)  # (groups, 2) each
    rows = (accepted + rejected).sum(axis=1)
    if not rows.sum():
        return Undefined("there is no row")
    gaps = [
        _share(rejected[place], rejected[place].sum()) - _share(accepted[place], accepted[place].sum())
        for place in range(len(rows))
    ]
    return float(np.dot(rows, gaps) / rows.sum())


def _share(pair: Counts, whole: float) -> float:
    return float(pair[GROUP]) / float(whole) if whole else 0.0


def _by_label(table: BiasTable) -> tuple[Counts, Counts]:
    of_label = table.counts.sum(axis=3)
    return of_label[:, :, table.positive].sum(axis=2), of_label[:, :, ~table.positive].sum(axis=2)


def _by_prediction(table: BiasTable) -> tuple[Counts, Counts]:
    said = table.counts.sum(axis=2)
    return said[:, :, 1], said[:, :, 0]


def _flip_test(table: BiasTable) -> Value:
    """Rows of d that the model treats better than their neighbours in a, less those treated worse."""
    if isinstance(table.flips, Undefined):
        return table.flips
    better, worse = table.flips
    return _sides(lambda _, d: (better - worse) / d.rows, table)


def _entropy(table: BiasTable) -> Value:
    """Generalised entropy of order 2 of the benefits prediction - label + 1 (Speicher et al., 2018)."""
    a, d = table.side(OTHERS), table.side(GROUP)
    benefits = {1.0: a.tp + a.tn + d.tp + d.tn, 2.0: a.fp + d.fp, 0.0: a.fn + d.fn}
    rows = sum(benefits.values())
    mean = sum(benefit * count for benefit, count in benefits.items()) / rows if rows else 0.0
    if not mean:
        return Undefined("no row gets any benefit")
    return sum(count * ((benefit / mean) ** 2 - 1) for benefit, count in benefits.items()) / (2 * rows)


@dataclass(frozen=True, slots=True)
class Formula:
    """A metric's words, and what it is of a table."""

    description: str
    of: Callable[[BiasTable], Value]


PRE_TRAINING: Mapping[str, Formula] = MappingProxyType(
    {
        "CDDL": Formula("Conditional Demographic Disparity in Labels (CDDL)", partial(_disparity, _by_label)),
        "CI": Formula(
            "Class Imbalance (CI)",
            partial(_sides, lambda a, d: (a.rows - d.rows) / (a.rows + d.rows)),
        ),
        "DPL": Formula(
            "Difference in Positive Proportions in Labels (DPL)",
            partial(_difference, lambda side: divide(side.positive, side.rows)),
        ),
        "JS": Formula("Jensen-Shannon Divergence (JS)", partial(_distance, _js)),
        "KL": Formula("Kullback-Liebler Divergence (KL)", partial(_distance, _kl)),
        "KS": Formula(
            "Kolmogorov-Smirnov Distance (KS)", partial(_distance, lambda p, q: float(np.abs(p - q).max()))
        ),
        "LP": Formula(
            "L-p Norm (LP)", partial(_distance, lambda p, q: math.sqrt(float(((p - q) ** 2).sum())))
        ),
        "TVD": Formula(
            "Total Variation Distance (TVD)", partial(_distance, lambda p, q: float(np.abs(p - q).sum()) / 2)
        ),
    }
)
POST_TRAINING: Mapping[str, Formula] = MappingProxyType(
    {
        "AD": Formula(
            "Accuracy Difference (AD)",
            partial(_difference, lambda side: divide(side.tp + side.tn, side.rows)),
        ),
        "CDDPL": Formula(
            "Conditional Demographic Disparity in Predicted Labels (CDDPL)",
            partial(_disparity, _by_prediction),
        ),
        "DAR": Formula(
            "Difference in Acceptance Rates (DAR)",
            partial(_difference, lambda side: divide(side.tp, side.said_positive)),
        ),
        "DCA": Formula(
            "Difference in Conditional Acceptance (DCA)",
            partial(
                _sides,
                lambda a, d: _less(divide(a.positive, a.said_positive), divide(d.positive, d.said_positive)),
            ),
        ),
        "DCR": Formula(
            "Difference in Conditional Rejection (DCR)",
            partial(_reverse, lambda side: divide(side.negative, side.said_negative)),
        ),
        "DI": Formula(
            "Disparate Impact (DI)",
            partial(
                _sides, lambda a, d: divide(divide(d.said_positive, d.rows), divide(a.said_positive, a.rows))
            ),
        ),
        "DPPL": Formula(
            "Difference in Positive Proportions in Predicted Labels (DPPL)",
            partial(_difference, lambda side: divide(side.said_positive, side.rows)),
        ),
        "DRR": Formula(
            "Difference in Rejection Rates (DRR)",
            partial(_reverse, lambda side: divide(side.tn, side.said_negative)),
        ),
        "FT": Formula("Flip Test (FT)", _flip_test),
        "GE": Formula("Generalized Entropy (GE)", _entropy),
        "RD": Formula(
            "Recall Difference (RD)", partial(_difference, lambda side: divide(side.tp, side.positive))
        ),
        "SD": Formula(
            "Specificity Difference (SD)", partial(_reverse, lambda side: divide(side.tn, side.negative))
        ),
        "TE": Formula("Treatment Equality (TE)", partial(_reverse, lambda side: divide(side.fn, side.fp))),
    }
)
