"""What the model-quality files hold for regression (contract 6.2 and 6.3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from watchkeeper.core.values import Undefined


class Operator(StrEnum):
    """The condition that is a violation; equality never is."""

    GREATER = "GreaterThanThreshold"
    LESS = "LessThanThreshold"


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric's value, and its standard deviation over the contract's five samples."""

    value: float | Undefined
    standard_deviation: float | Undefined


@dataclass(frozen=True, slots=True)
class RegressionStatistics:
    """Figures of a set of rows: mae and rmse in the label's unit, mse in its square, r2 without one.

    `evaluation_time` is kept as text when a file has it.
    """

    item_count: int
    mae: Figure
    mse: Figure
    rmse: Figure
    r2: Figure
    evaluation_time: str | None = None

    def figures(self) -> tuple[tuple[str, Figure], ...]:
        """Name and figure, in the file's order."""
        return (("mae", self.mae), ("mse", self.mse), ("rmse", self.rmse), ("r2", self.r2))


@dataclass(frozen=True, slots=True)
class MetricConstraint:
    """One line not to be crossed."""

    metric: str
    threshold: float
    comparison_operator: Operator


@dataclass(frozen=True, slots=True)
class RegressionConstraints:
    """A baseline's `constraints.json`, in the file's order."""

    metrics: tuple[MetricConstraint, ...]
