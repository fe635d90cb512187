"""Problem types, and what the quality of each is measured by.

Files, metric names, pages and tests derive from here. The names are the contract's
(6.1, 6.2); `monitors/` has a formula for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class ProblemType(StrEnum):
    """What a model answers: a number, one of two classes, one of several."""

    REGRESSION = "Regression"
    BINARY = "BinaryClassification"
    MULTICLASS = "MulticlassClassification"


class Better(StrEnum):
    """Which way a figure gets better."""

    LOWER = "lower"
    HIGHER = "higher"


@dataclass(frozen=True, slots=True)
class QualityMetric:
    """One figure of quality. `power` is 2 for one in the error's square.

    `better` is None for a figure that only describes, of which no constraint is suggested.
    """

    name: str
    better: Better | None
    help: str
    power: int = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem type: the name its blocks in the files begin with, and its figures in the files' order."""

    type: ProblemType
    block: str
    metrics: tuple[QualityMetric, ...]

    def metric(self, name: str) -> QualityMetric | None:
        """The figure of that name, None where this problem type has none such."""
        return next((each for each in self.metrics if each.name == name), None)


_LOWER, _HIGHER = Better.LOWER, Better.HIGHER
_CONSTANT = "of a model that always answers the last class"


def _f(beta: str) -> str:
    return f"F-measure that weighs recall {beta} as much as precision"


PROBLEMS: Mapping[ProblemType, Problem] = MappingProxyType(
    {
        ProblemType.REGRESSION: Problem(
            ProblemType.REGRESSION,
            "regression",
            (
                QualityMetric("mae", _LOWER, "Mean absolute error, in the label's unit"),
                QualityMetric("mse", _LOWER, "Mean squared error, in the square of the label's unit", 2),
                QualityMetric("rmse", _LOWER, "Root mean squared error, in the label's unit"),
                QualityMetric("r2", _HIGHER, "Coefficient of determination, at most 1", 2),
            ),
        ),
        ProblemType.BINARY: Problem(
            ProblemType.BINARY,
            "binary_classification",
            (
                QualityMetric("recall", _HIGHER, "Share of the positive rows that are answered positive"),
                QualityMetric("precision", _HIGHER, "Share of the positive answers that are right"),
                QualityMetric("accuracy", _HIGHER, "Share of the answers that are right"),
                QualityMetric("recall_best_constant_classifier", None, f"Recall {_CONSTANT}"),
                QualityMetric("precision_best_constant_classifier", None, f"Precision {_CONSTANT}"),
                QualityMetric("accuracy_best_constant_classifier", None, f"Accuracy {_CONSTANT}"),
                QualityMetric("true_positive_rate", _HIGHER, "Share of the positive rows answered positive"),
                QualityMetric("true_negative_rate", _HIGHER, "Share of the negative rows answered negative"),
                QualityMetric("false_positive_rate", _LOWER, "Share of the negative rows answered positive"),
                QualityMetric("false_negative_rate", _LOWER, "Share of the positive rows answered negative"),
                QualityMetric("auc", _HIGHER, "Area under the receiver operating characteristic curve"),
                QualityMetric("f0_5", _HIGHER, _f("half")),
                QualityMetric("f1", _HIGHER, _f("just")),
                QualityMetric("f2", _HIGHER, _f("twice")),
                QualityMetric("f0_5_best_constant_classifier", None, f"F0.5 {_CONSTANT}"),
                QualityMetric("f1_best_constant_classifier", None, f"F1 {_CONSTANT}"),
                QualityMetric("f2_best_constant_classifier", None, f"F2 {_CONSTANT}"),
            ),
        ),
        ProblemType.MULTICLASS: Problem(
            ProblemType.MULTICLASS,
            "multiclass_classification",
            (
                QualityMetric("accuracy", _HIGHER, "Share of the answers that are right"),
                QualityMetric("weighted_recall", _HIGHER, "Recall of each class, by the class's share"),
                QualityMetric("weighted_precision", _HIGHER, "Precision of each class, by the class's share"),
                QualityMetric("weighted_f0_5", _HIGHER, "F0.5 of each class, by the class's share"),
                QualityMetric("weighted_f1", _HIGHER, "F1 of each class, by the class's share"),
                QualityMetric("weighted_f2", _HIGHER, "F2 of each class, by the class's share"),
                QualityMetric("accuracy_best_constant_classifier", None, f"Accuracy {_CONSTANT}"),
                QualityMetric("weighted_recall_best_constant_classifier", None, f"Recall {_CONSTANT}"),
                QualityMetric("weighted_precision_best_constant_classifier", None, f"Precision {_CONSTANT}"),
                QualityMetric("weighted_f0_5_best_constant_classifier", None, f"F0.5 {_CONSTANT}"),
                QualityMetric("weighted_f1_best_constant_classifier", None, f"F1 {_CONSTANT}"),
                QualityMetric("weighted_f2_best_constant_classifier", None, f"F2 {_CONSTANT}"),
            ),
        ),
    }
)
