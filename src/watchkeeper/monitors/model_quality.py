"""The model-quality monitor for regression: are the predictions as good as in the baseline?

All sums are taken from the first row to the last within a part, and over parts in their order, so the
contract's digits come out for up to one part of rows, and the same digits for any number of workers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from watchkeeper.core.statistics.moments import left_to_right
from watchkeeper.core.statistics.profiles import PART_ROWS
from watchkeeper.core.values import Metrics, Role, Segment, Undefined, Violation
from watchkeeper.monitors.model_quality_values import (
    Figure,
    MetricConstraint,
    Operator,
    RegressionConstraints,
    RegressionStatistics,
)
from watchkeeper.monitors.monitor import Monitor
from watchkeeper.monitors.wording import double_text

Floats = NDArray[np.float64]
Formula = Callable[[Floats, Floats], float | Undefined]

MONITOR = Monitor("model-quality", frozenset({Role.PREDICTION, Role.LABEL}))

SAMPLES = 5
SAMPLED_SHARE = 0.8
SAMPLED_FROM = 200  # rows below which the contract gives no deviation
SEGMENT_ROWS = 30


@dataclass(frozen=True, slots=True)
class Settings:
    """How strict `check` is.

    `tolerance` is how many times the baseline's error is still allowed, errors being in the label's
    unit: mse, and what r2 lacks of 1, are squared errors and take its square. 1.0 is the contract.
    """

    tolerance: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.tolerance) and self.tolerance > 0):
            raise ValueError(f"a tolerance wants a number above 0, got {self.tolerance}")


def statistics(labels: Floats, predictions: Floats, seed: int) -> RegressionStatistics:
    """mae, mse, rmse and r2 of the predictions, shape (rows,) both (contract 6.2).

    r2 is Undefined when the labels do not vary. The deviation of each figure is that of five random
    samples of 80 % of the rows (with n - 1; the contract leaves open which), drawn by `seed`; below 200
    rows it is Undefined. Raises ValueError when the two differ in length, are empty, or hold a number
    that is not finite.
    """
    y, p = _pair(labels, predictions)
    samples = [(y[rows], p[rows]) for rows in _samples(y.size, seed)]
    mae, mse, rmse, r2 = (Figure(f(y, p), _deviation(f, samples)) for f in (_mae, _mse, _rmse, _r2))
    return RegressionStatistics(y.size, mae, mse, rmse, r2)


def suggest(statistics: RegressionStatistics) -> RegressionConstraints:
    """The baseline's own figures as thresholds (contract 6.3); a figure that is Undefined gets none."""
    return RegressionConstraints(
        tuple(
            MetricConstraint(name, figure.value, Operator.LESS if name == "r2" else Operator.GREATER)
            for name, figure in statistics.figures()
            if not isinstance(figure.value, Undefined)
        )
    )


def check(
    statistics: RegressionStatistics, constraints: RegressionConstraints, settings: Settings
) -> tuple[Violation, ...]:
    """Every figure beyond its threshold (contract 6.4), in the constraints' order.

    A figure that is Undefined, or that regression does not have, is not judged.
    """
    figures = dict(statistics.figures())
    found = []
    for constraint in constraints.metrics:
        figure, limit = figures.get(constraint.metric), _limit(constraint, settings.tolerance)
        if figure is not None and _beyond(figure.value, constraint.comparison_operator, limit):
            found.append(_violation(constraint, figure, limit))
    return tuple(found)


def figures(labels: Floats, predictions: Floats) -> Metrics:
    """rmse, mae, mape, r2 and bias of the predictions, shape (rows,) both; see `core.values.Metrics`.

    Raises ValueError as `statistics` does, and where a figure has no value: mape with a label of 0, r2
    with labels that do not vary, bias with labels whose mean is 0. No row is left out of any of them.
    """
    y, p = _pair(labels, predictions)
    if not y.all():
        raise ValueError(f"mape: want labels other than 0, got 0 in {int((y == 0).sum())} of {y.size} rows")
    r2, total = _r2(y, p), _total(y)
    if isinstance(r2, Undefined):
        raise ValueError(f"r2: {r2.reason}")
    if total == 0:
        raise ValueError("bias: want labels whose mean is not 0")
    return Metrics(
        rows=y.size,
        rmse=_rmse(y, p),
        mae=_mae(y, p),
        mape=_total(np.abs((y - p) / y)) / y.size,
        r2=r2,
        bias=_total(p - y) / total,
    )


def segments(
    frame: pl.DataFrame, labels: Floats, predictions: Floats, columns: Sequence[str]
) -> tuple[Segment, ...]:
    """Figures per value of each of the columns, highest rmse first, then by column and value.

    Rows of `frame` are those of `labels`. Values with fewer than 30 rows, missing values, and values
    for which a figure has no value (see `figures`) are left out.
    """
    y, p = _pair(labels, predictions)
    if frame.height != y.size:
        raise ValueError(f"segments: want one label per row, got {y.size} for {frame.height} rows")
    found = []
    for column in columns:
        values = frame[column].cast(pl.String).fill_null("").to_numpy()
        for value, count in zip(*np.unique(values, return_counts=True), strict=True):
            rows = values == value
            if value and count >= SEGMENT_ROWS and _has_figures(y[rows]):
                found.append(Segment(column, str(value), figures(y[rows], p[rows])))
    return tuple(sorted(found, key=lambda segment: (-segment.metrics.rmse, segment.column, segment.value)))


def _pair(labels: Floats, predictions: Floats) -> tuple[Floats, Floats]:
    y, p = np.ascontiguousarray(labels, dtype=np.float64), np.ascontiguousarray(predictions, dtype=np.float64)
    if y.shape != p.shape or y.ndim != 1:
        raise ValueError(f"want one prediction per label, got shapes {p.shape} and {y.shape}")
    if not y.size:
        raise ValueError("want at least one label with its prediction, got none")
    for name, values in (("labels", y), ("predictions", p)):
        if others := int((~np.isfinite(values)).sum()):
            raise ValueError(f"want finite {name}, got {others} of {values.size} that are not")
    return y, p


def _total(values: Floats) -> float:
    """The sum: left to right within each part, then part after part."""
    return sum(left_to_right(values[start : start + PART_ROWS]) for start in range(0, values.size, PART_ROWS))


def _mae(y: Floats, p: Floats) -> float:
    return _total(np.abs(y - p)) / y.size


def _mse(y: Floats, p: Floats) -> float:
    return _total((y - p) ** 2) / y.size


def _rmse(y: Floats, p: Floats) -> float:
    return math.sqrt(_mse(y, p))


def _r2(y: Floats, p: Floats) -> float | Undefined:
    around_mean = _total((y - _total(y) / y.size) ** 2)
    if y.min() == y.max() or around_mean == 0:
        return Undefined("the labels do not vary")
    return 1 - _total((y - p) ** 2) / around_mean


def _samples(rows: int, seed: int) -> list[NDArray[np.intp]]:
    """Row numbers of each sample, ascending. Only PCG64's raw stream is used: NumPy promises that one."""
    if rows < SAMPLED_FROM:
        return []
    stream = np.random.PCG64(seed)
    size = round(SAMPLED_SHARE * rows)
    return [np.sort(np.argsort(stream.random_raw(rows), kind="stable")[:size]) for _ in range(SAMPLES)]


def _deviation(formula: Formula, samples: Sequence[tuple[Floats, Floats]]) -> float | Undefined:
    if not samples:
        return Undefined(f"fewer than {SAMPLED_FROM} rows")
    values = [formula(y, p) for y, p in samples]
    numbers = [value for value in values if not isinstance(value, Undefined)]
    if len(numbers) < len(values):
        return Undefined("the labels of a sample do not vary")
    mean = sum(numbers) / len(numbers)
    return math.sqrt(sum((value - mean) ** 2 for value in numbers) / (len(numbers) - 1))


def _limit(constraint: MetricConstraint, tolerance: float) -> float:
    if tolerance == 1.0:
        return constraint.threshold
    if constraint.comparison_operator is Operator.LESS:
        return 1 - (1 - constraint.threshold) * tolerance**2
    return constraint.threshold * (tolerance**2 if constraint.metric == "mse" else tolerance)


def _beyond(value: float | Undefined, operator: Operator, limit: float) -> bool:
    if isinstance(value, Undefined):
        return False
    return value > limit if operator is Operator.GREATER else value < limit


def _violation(constraint: MetricConstraint, figure: Figure, limit: float) -> Violation:
    value, deviation = _text(figure.value), _text(figure.standard_deviation)
    operator = constraint.comparison_operator
    text = f"Metric {constraint.metric} with {value} +/- {deviation} was {operator} '{double_text(limit)}'"
    return Violation(constraint.metric, operator.value, text)


def _text(value: float | Undefined) -> str:
    return "NaN" if isinstance(value, Undefined) else double_text(value)


def _has_figures(y: Floats) -> bool:
    return bool(y.all()) and float(y.min()) < float(y.max()) and _total(y) != 0
