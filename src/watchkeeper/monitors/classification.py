"""Figures, matrices and curves of a classification (contract 6.2), in the files' order.

A ratio without a denominator is Undefined; within a weighted mean over classes it counts as 0, as in AWS's
documented sample, where the best constant classifier never answers one of the classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from watchkeeper.core.values import Undefined
from watchkeeper.monitors.answers import Answers, Floats
from watchkeeper.monitors.model_quality_values import ConfusionMatrix, Curve

Counts = NDArray[np.int64]
Value = float | Undefined
Part = tuple[float, float]  # numerator and denominator

MOST_POINTS = 1_000  # of a curve; more distinct scores are thinned, the area is of all of them
NO_SCORES = Undefined("no probabilities are known")


def counts(answers: Answers) -> Counts:
    """Rows by class (first axis) and by the class they were given, shape (classes, classes)."""
    size = len(answers.classes)
    cells = answers.labels.astype(np.intp) * size + answers.predictions.astype(np.intp)
    return np.bincount(cells, minlength=size * size).reshape(size, size)


def confusion_matrix(answers: Answers) -> ConfusionMatrix:
    """The counts as a value."""
    return ConfusionMatrix(answers.classes, tuple(map(tuple, counts(answers).tolist())))


def accuracy(answers: Answers) -> float:
    """Share of the answers that are right."""
    return float(np.trace(counts(answers))) / answers.size


def recall(answers: Answers) -> Value:
    """True positives over positive rows."""
    (_, _), (missed, hit) = counts(answers)
    return _ratio(hit, hit + missed, "no row is of the positive class")


def precision(answers: Answers) -> Value:
    """True positives over positive answers."""
    (_, false), (_, hit) = counts(answers)
    return _ratio(hit, hit + false, "no answer is the positive class")


def false_positive_rate(answers: Answers) -> Value:
    """False positives over negative rows."""
    (right, false), (_, _) = counts(answers)
    return _ratio(false, right + false, "no row is of the negative class")


def f_measure(beta: float, answers: Answers) -> Value:
    """(1 + b²) P R / (b² P + R): van Rijsbergen, "Information retrieval" (1979), chapter 7."""
    p, r = precision(answers), recall(answers)
    if isinstance(p, Undefined) or isinstance(r, Undefined):
        return p if isinstance(p, Undefined) else r
    return _f(p, r, beta)


def constant(answers: Answers) -> Answers:
    """The same labels, all answered with the last class.

    That is how both documented samples of AWS come out; what its rule is in general is not known (6.2).
    """
    last = np.full(answers.size, float(len(answers.classes) - 1))
    return Answers(answers.problem, answers.labels, last, answers.classes)


def auc(answers: Answers) -> Value:
    """Area under the ROC curve by trapezoids over every distinct score: the Mann–Whitney statistic."""
    curve = _thresholds(answers)
    if isinstance(curve, Undefined):
        return curve
    hits, falses = curve
    if not hits[-1] or not falses[-1]:
        return Undefined("the labels are of one class")
    return float(np.trapezoid(hits / hits[-1], falses / falses[-1]))


def roc_curve(answers: Answers) -> Curve | Undefined:
    """False and true positive rates from (0, 0) to (1, 1), a point for each score, the highest first."""
    curve = _thresholds(answers)
    if isinstance(curve, Undefined):
        return curve
    rates = [_thin(each / max(float(each[-1]), 1.0)) for each in curve]
    hits, falses = (np.append(each, 1.0) for each in rates)
    return Curve(("false_positive_rates", "true_positive_rates"), (_points(falses), _points(hits)))


def precision_recall_curve(answers: Answers) -> Curve | Undefined:
    """Precisions and recalls, a point for each score, the highest first; before them recall 0."""
    curve = _thresholds(answers)
    if isinstance(curve, Undefined):
        return curve
    hits, falses = (_thin(each)[1:] for each in curve)
    precisions, recalls = hits / (hits + falses), hits / max(float(hits[-1]), 1.0)
    return Curve(
        ("precisions", "recalls"),
        (_points(np.insert(precisions, 0, precisions[0])), _points(np.insert(recalls, 0, 0.0))),
    )


def weighted(of_class: Callable[[Part, Part], float], answers: Answers) -> float:
    """A figure of each class by its precision and recall, weighted by the class's share of the rows."""
    table = counts(answers)
    rows, given, right = table.sum(axis=1), table.sum(axis=0), np.diagonal(table)
    pairs = zip(right.tolist(), given.tolist(), rows.tolist(), strict=True)
    parts = (of_class((hit, all_), (hit, there)) * there / answers.size for hit, all_, there in pairs)
    return float(sum(parts))


def _class_f(beta: float, precision: Part, recall: Part) -> float:
    return _f(_or_zero(precision), _or_zero(recall), beta)


def _f(p: float, r: float, beta: float) -> float:
    return (1 + beta**2) * p * r / (beta**2 * p + r) if p and r else 0.0


def _or_zero(part: Part) -> float:
    return part[0] / part[1] if part[1] else 0.0


def _ratio(part: float, whole: float, why_not: str) -> Value:
    return float(part) / float(whole) if whole else Undefined(why_not)


def _complement(of: Callable[[Answers], Value], answers: Answers) -> Value:
    found = of(answers)
    return found if isinstance(found, Undefined) else 1 - found


def _constantly(of: Callable[[Answers], Value], answers: Answers) -> Value:
    return of(constant(answers))


def _thresholds(answers: Answers) -> tuple[Floats, Floats] | Undefined:
    """Of each distinct score, the highest first: positive and negative rows at or above it; 0 before them."""
    if answers.scores is None:
        return NO_SCORES
    order = np.argsort(-answers.scores, kind="stable")
    scores, positive = answers.scores[order], answers.labels[order] == 1
    last = np.append(np.flatnonzero(np.diff(scores)), scores.size - 1)
    hits = np.cumsum(positive)[last]
    return (
        np.insert(hits, 0, 0).astype(np.float64),
        np.insert(last + 1 - hits, 0, 0).astype(np.float64),
    )


def _thin(points: Floats) -> Floats:
    """At most so many of the points, evenly spread, both ends kept."""
    if points.size <= MOST_POINTS:
        return points
    return points[np.linspace(0, points.size - 1, MOST_POINTS).round().astype(np.intp)]


def _points(values: Floats) -> tuple[float, ...]:
    return tuple(values.tolist())


_F = {"f0_5": 0.5, "f1": 1.0, "f2": 2.0}
_SIMPLE: Mapping[str, Callable[[Answers], Value]] = MappingProxyType(
    {"recall": recall, "precision": precision, "accuracy": accuracy}
)
_F_BINARY = {name: partial(f_measure, beta) for name, beta in _F.items()}
_WEIGHTED: Mapping[str, Callable[[Answers], Value]] = MappingProxyType(
    {
        "accuracy": accuracy,
        "weighted_recall": partial(weighted, lambda _, recall: _or_zero(recall)),
        "weighted_precision": partial(weighted, lambda precision, _: _or_zero(precision)),
        **{f"weighted_{name}": partial(weighted, partial(_class_f, beta)) for name, beta in _F.items()},
    }
)
_BEST = "_best_constant_classifier"

Formula = Callable[[Answers], Value | ConfusionMatrix | Curve]
BINARY: Mapping[str, Formula] = MappingProxyType(
    {
        "confusion_matrix": confusion_matrix,
        **_SIMPLE,
        **{name + _BEST: partial(_constantly, of) for name, of in _SIMPLE.items()},
        "true_positive_rate": recall,
        "true_negative_rate": partial(_complement, false_positive_rate),
        "false_positive_rate": false_positive_rate,
        "false_negative_rate": partial(_complement, recall),
        "receiver_operating_characteristic_curve": roc_curve,
        "precision_recall_curve": precision_recall_curve,
        "auc": auc,
        **_F_BINARY,
        **{name + _BEST: partial(_constantly, of) for name, of in _F_BINARY.items()},
    }
)
MULTICLASS: Mapping[str, Formula] = MappingProxyType(
    {
        "confusion_matrix": confusion_matrix,
        **_WEIGHTED,
        **{name + _BEST: partial(_constantly, of) for name, of in _WEIGHTED.items()},
    }
)
