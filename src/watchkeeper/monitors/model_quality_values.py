"""What the model-quality files hold, for every problem type (contract 6.2 and 6.3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from watchkeeper.core.problems import ProblemType
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
class ConfusionMatrix:
    """How many rows of each class, a row here, were given which class, a column here."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of a curve: the names of its two coordinates, and the numbers of each."""

    names: tuple[str, str]
    points: tuple[tuple[float, ...], tuple[float, ...]]


Measure: TypeAlias = Figure | ConfusionMatrix | Curve


@dataclass(frozen=True, slots=True)
class QualityStatistics:
    """What was measured of a set of rows, by name, in the file's order.

    `evaluation_time` is kept as text when a file has it.
    """

    problem: ProblemType
    item_count: int
    measures: tuple[tuple[str, Measure], ...]
    evaluation_time: str | None = None

    def figures(self) -> tuple[tuple[str, Figure], ...]:
        """Name and figure of those measures that are one number."""
        return tuple((name, each) for name, each in self.measures if isinstance(each, Figure))

    def figure(self, name: str) -> Figure:
        """One figure; Undefined for one that is not among the measures."""
        absent = Undefined(f"there is no {name} here")
        return dict(self.figures()).get(name, Figure(absent, absent))


@dataclass(frozen=True, slots=True)
class MetricConstraint:
    """One line not to be crossed."""

    metric: str
    threshold: float
    comparison_operator: Operator


@dataclass(frozen=True, slots=True)
class QualityConstraints:
    """A baseline's `constraints.json`, in the file's order."""

    problem: ProblemType
    metrics: tuple[MetricConstraint, ...]
