"""How much worse a regression model is for a group of rows: error gaps, which the contract has none of.

Its metrics cut label and prediction in two at a threshold; an error that crosses none is not seen by them.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from watchkeeper.core.values import Undefined
from watchkeeper.monitors.bias_values import BiasMetric

Floats = NDArray[np.float64]


def error_gaps(labels: Floats, predictions: Floats, group: NDArray[np.bool_]) -> tuple[BiasMetric, ...]:
    """The group's mean error less the others', as shares of the label: its size, and with its sign.

    All have shape (rows,). The standard error is that of a difference of two independent means (Welch, 1947);
    of a side with fewer than two rows there is none. Undefined where a label is 0 or a side is empty.
    """
    errors: Floats | Undefined = Undefined("a label is 0, of which no error is a share")
    if labels.all():
        errors = (predictions - labels) / np.abs(labels)
    return (
        _gap("MAPED", "Mean Absolute Percentage Error Difference (MAPED)", _size(errors), group),
        _gap("MPED", "Mean Percentage Error Difference (MPED)", errors, group),
    )


def _size(errors: Floats | Undefined) -> Floats | Undefined:
    return errors if isinstance(errors, Undefined) else np.abs(errors)


def _gap(name: str, description: str, errors: Floats | Undefined, group: NDArray[np.bool_]) -> BiasMetric:
    if isinstance(errors, Undefined):
        return BiasMetric(name, description, errors, errors)
    d, a = errors[group], errors[~group]
    if not d.size or not a.size:
        nobody = Undefined("one of the facet's groups has no row")
        return BiasMetric(name, description, nobody, nobody)
    value = float(d.mean() - a.mean())
    if min(d.size, a.size) < 2:
        return BiasMetric(name, description, value, Undefined("one row alone has no spread"))
    return BiasMetric(name, description, value, math.sqrt(d.var(ddof=1) / d.size + a.var(ddof=1) / a.size))
