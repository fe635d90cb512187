"""Figures of a regression (contract 6.2).

All sums are taken from the first row to the last within a part, and over parts in their order, so the
contract's digits come out for up to one part of rows, and the same digits for any number of workers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from watchkeeper.core.statistics.moments import left_to_right
from watchkeeper.core.statistics.profiles import PART_ROWS
from watchkeeper.core.values import Undefined
from watchkeeper.monitors.answers import Answers, Floats


def total(values: Floats) -> float:
    """The sum: left to right within each part, then part after part.

    >>> total(np.array([0.1, 0.2, 0.3]))
    0.6000000000000001
    """
    return sum(left_to_right(values[start : start + PART_ROWS]) for start in range(0, values.size, PART_ROWS))


def mae(answers: Answers) -> float:
    """Mean absolute error, in the label's unit.

    >>> mae(Answers.of_numbers(np.array([1.0, 2.0]), np.array([2.0, 4.0])))
    1.5
    """
    return total(np.abs(answers.labels - answers.predictions)) / answers.size


def mse(answers: Answers) -> float:
    """Mean squared error, in the square of the label's unit.

    >>> mse(Answers.of_numbers(np.array([1.0, 2.0]), np.array([2.0, 4.0])))
    2.5
    """
    return total((answers.labels - answers.predictions) ** 2) / answers.size


def rmse(answers: Answers) -> float:
    """Root mean squared error, in the label's unit.

    >>> rmse(Answers.of_numbers(np.array([1.0, 2.0]), np.array([4.0, 6.0])))
    3.5355339059327378
    """
    return math.sqrt(mse(answers))


def r2(answers: Answers) -> float | Undefined:
    """Coefficient of determination, at most 1; Undefined when the labels do not vary.

    >>> r2(Answers.of_numbers(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0])))
    0.5
    """
    y = answers.labels
    around_mean = total((y - total(y) / y.size) ** 2)
    if y.min() == y.max() or around_mean == 0:
        return Undefined("the labels do not vary")
    return 1 - total((y - answers.predictions) ** 2) / around_mean


def mape(answers: Answers) -> float | Undefined:
    """Mean absolute error as a share of the label; Undefined with a label of 0.

    >>> mape(Answers.of_numbers(np.array([1.0, 2.0]), np.array([2.0, 4.0])))
    1.0
    """
    y = answers.labels
    if not y.all():
        return Undefined(f"want labels other than 0, got 0 in {int((y == 0).sum())} of {y.size} rows")
    return total(np.abs((y - answers.predictions) / y)) / y.size


def bias_ratio(answers: Answers) -> float | Undefined:
    """Mean of prediction minus label over the mean label; Undefined where that mean is 0.

    >>> bias_ratio(Answers.of_numbers(np.array([1.0, 3.0]), np.array([2.0, 4.0])))
    0.5
    """
    labels = total(answers.labels)
    if labels == 0:
        return Undefined("want labels whose mean is not 0")
    return total(answers.predictions - answers.labels) / labels


Formula = Callable[[Answers], float | Undefined]
FORMULAS: Mapping[str, Formula] = MappingProxyType({"mae": mae, "mse": mse, "rmse": rmse, "r2": r2})

# What is exposed as `watchkeeper_model_quality_…`, each declared in `core.metrics`.
FIGURES: Mapping[str, Formula] = MappingProxyType(
    {
        "rmse": rmse,
        "mae": mae,
        "mape": mape,
        "r2": r2,
        "bias_ratio": bias_ratio,
    }
)
