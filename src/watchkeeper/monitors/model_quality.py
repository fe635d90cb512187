"""The model-quality monitor: are the predictions as good as in the baseline?

One set of functions for every problem type: `core.problems` names the figures, `regression` and
`classification` have their formulas.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import polars as pl
from numpy.typing import NDArray

from watchkeeper.core.problems import PROBLEMS, Better, Problem, ProblemType
from watchkeeper.core.values import Metrics, Role, Segment, Undefined, Violation
from watchkeeper.monitors import classification, regression
from watchkeeper.monitors.answers import Answers, Floats
from watchkeeper.monitors.model_quality_values import (
    ConfusionMatrix,
    Curve,
    Figure,
    Measure,
    MetricConstraint,
    Operator,
    QualityConstraints,
    QualityStatistics,
)
from watchkeeper.monitors.monitor import Monitor
from watchkeeper.monitors.wording import double_text

Formula = Callable[[Answers], float | Undefined | ConfusionMatrix | Curve]
FORMULAS: Mapping[ProblemType, Mapping[str, Formula]] = MappingProxyType(
    {
        ProblemType.REGRESSION: regression.FORMULAS,
        ProblemType.BINARY: classification.BINARY,
        ProblemType.MULTICLASS: classification.MULTICLASS,
    }
)  # in the order of the files

MONITOR = Monitor("model-quality", frozenset({Role.PREDICTION, Role.LABEL}))

SAMPLES = 5
SAMPLED_SHARE = 0.8
SAMPLED_FROM = 200  # rows below which the contract gives no deviation
SEGMENT_ROWS = 30
_OPERATORS = {Better.LOWER: Operator.GREATER, Better.HIGHER: Operator.LESS}


@dataclass(frozen=True, slots=True)
class Settings:
    """How strict `check` is.

    `tolerance` is how many times the baseline's error is still allowed: for a score, what it lacks of 1;
    mse, and what r2 lacks of 1, are squared errors and take its square. 1.0 is the contract.
    """

    tolerance: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.tolerance) and self.tolerance > 0):
            raise ValueError(f"a tolerance wants a number above 0, got {self.tolerance}")


def statistics(answers: Answers, seed: int) -> QualityStatistics:
    """Every measure of the answers' problem type (contract 6.2), in the file's order.

    A figure that has no value is Undefined and says why; a curve that cannot be drawn is left out. The
    deviation of each figure is that of five random samples of 80 % of the rows (with n - 1; the contract
    leaves open which), drawn by `seed`; below 200 rows it is Undefined.
    """
    samples = [answers.take(rows) for rows in _samples(answers.size, seed)]
    found = (
        (name, _measure(formula, answers, samples)) for name, formula in FORMULAS[answers.problem].items()
    )
    measures = tuple((name, each) for name, each in found if each is not None)
    return QualityStatistics(answers.problem, answers.size, measures)


def suggest(statistics: QualityStatistics) -> QualityConstraints:
    """The baseline's own figures as thresholds (contract 6.3).

    A figure that is Undefined gets none, nor does one that only describes.
    """
    problem = PROBLEMS[statistics.problem]
    found = []
    for name, figure in statistics.figures():
        metric = problem.metric(name)
        if metric is not None and metric.better is not None and not isinstance(figure.value, Undefined):
            found.append(MetricConstraint(name, figure.value, _OPERATORS[metric.better]))
    return QualityConstraints(statistics.problem, tuple(found))


def check(
    statistics: QualityStatistics, constraints: QualityConstraints, settings: Settings
) -> tuple[Violation, ...]:
    """Every figure beyond its threshold (contract 6.4), in the constraints' order.

    A figure that is Undefined, or that the problem type does not have, is not judged. Raises ValueError
    for constraints of another problem type.
    """
    if statistics.problem is not constraints.problem:
        raise ValueError(
            f"check model quality: want constraints of {statistics.problem}, got {constraints.problem}"
        )
    figures, problem = dict(statistics.figures()), PROBLEMS[statistics.problem]
    found = []
    for constraint in constraints.metrics:
        figure, limit = figures.get(constraint.metric), _limit(problem, constraint, settings.tolerance)
        if figure is not None and _beyond(figure.value, constraint.comparison_operator, limit):
            found.append(_violation(constraint, figure, limit))
    return tuple(found)


def named_figures(labels: Floats, predictions: Floats) -> dict[str, float]:
    """Every figure of a regression that is exposed, by name, shape (rows,) both; no row is left out of any.

    Raises ValueError as `Answers.of_numbers` does, and where a figure has no value: mape with a label of 0,
    r2 with labels that do not vary, bias_ratio with labels whose mean is 0.

    >>> named_figures(np.array([1.0, 3.0]), np.array([2.0, 3.0]))
    {'rmse': 0.7071067811865476, 'mae': 0.5, 'mape': 0.5, 'r2': 0.5, 'bias_ratio': 0.25}
    """
    answers = Answers.of_numbers(labels, predictions)
    found = {}
    for name, formula in regression.FIGURES.items():
        value = formula(answers)
        if isinstance(value, Undefined):
            raise ValueError(f"{name}: {value.reason}")
        found[name] = value
    return found


def figures(labels: Floats, predictions: Floats) -> Metrics:
    """rmse, mae, mape, r2 and bias of a regression; see `core.values.Metrics`, and `named_figures`."""
    found = named_figures(labels, predictions)
    return Metrics(
        rows=labels.size,
        rmse=found["rmse"],
        mae=found["mae"],
        mape=found["mape"],
        r2=found["r2"],
        bias=found["bias_ratio"],
    )


def segments(
    frame: pl.DataFrame,
    labels: Floats,
    predictions: Floats,
    columns: Sequence[str],
    least: int = SEGMENT_ROWS,
) -> tuple[Segment, ...]:
    """Figures per value of each of the columns, highest rmse first, then by column and value.

    Rows of `frame` are those of `labels`. Values with fewer than `least` rows, missing values, and values
    for which a figure has no value (see `figures`) are left out.
    """
    answers = Answers.of_numbers(labels, predictions)
    y, p = answers.labels, answers.predictions
    if frame.height != y.size:
        raise ValueError(f"segments: want one label per row, got {y.size} for {frame.height} rows")
    found = []
    for column in columns:
        values = frame[column].cast(pl.String).fill_null("").to_numpy()
        for value, count in zip(*np.unique(values, return_counts=True), strict=True):
            rows = values == value
            if value and count >= least and _has_figures(y[rows]):
                found.append(Segment(column, str(value), figures(y[rows], p[rows])))
    return tuple(sorted(found, key=lambda segment: (-segment.metrics.rmse, segment.column, segment.value)))


def _measure(formula: Formula, answers: Answers, samples: Sequence[Answers]) -> Measure | None:
    value = formula(answers)
    if isinstance(value, ConfusionMatrix | Curve):
        return value
    if isinstance(value, Undefined) and value is classification.NO_SCORES:
        return None
    return Figure(value, _deviation(formula, samples))


def _samples(rows: int, seed: int) -> list[NDArray[np.intp]]:
    """Row numbers of each sample, ascending. Only PCG64's raw stream is used: NumPy promises that one."""
    if rows < SAMPLED_FROM:
        return []
    stream = np.random.PCG64(seed)
    size = round(SAMPLED_SHARE * rows)
    return [np.sort(np.argsort(stream.random_raw(rows), kind="stable")[:size]) for _ in range(SAMPLES)]


def _deviation(formula: Formula, samples: Sequence[Answers]) -> float | Undefined:
    if not samples:
        return Undefined(f"fewer than {SAMPLED_FROM} rows")
    values = [formula(sample) for sample in samples]
    numbers = [value for value in values if isinstance(value, float)]
    if len(numbers) < len(values):
        undefined = next(value for value in values if isinstance(value, Undefined))
        return Undefined(f"in a sample {undefined.reason}")
    mean = sum(numbers) / len(numbers)
    return math.sqrt(sum((value - mean) ** 2 for value in numbers) / (len(numbers) - 1))


def _limit(problem: Problem, constraint: MetricConstraint, tolerance: float) -> float:
    if tolerance == 1.0:
        return constraint.threshold
    metric = problem.metric(constraint.metric)
    allowed = tolerance ** (metric.power if metric else 1)
    if constraint.comparison_operator is Operator.LESS:
        return 1 - (1 - constraint.threshold) * allowed
    return constraint.threshold * allowed


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
    return bool(y.all()) and float(y.min()) < float(y.max()) and regression.total(y) != 0
