"""What a training run is told, parsed once."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

from watchkeeper.core.values import Metrics
from watchkeeper.core.windows import Duration
from watchkeeper.model.features import FeatureSpec, check_spec
from watchkeeper.model.level import LevelSpec

FIGURES = tuple(field.name for field in fields(Metrics) if field.name != "rows")

_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
_THRESHOLD = re.compile(r"\s*(>=|<=|>|<)\s*([+-]?\d+(?:\.\d+)?)\s*")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A figure of the test months, and what it has to be.

    >>> str(Threshold.parse("r2", ">= 0.90"))
    'r2 >= 0.9'
    """

    metric: str
    operator: str
    value: float

    @classmethod
    def parse(cls, metric: str, text: str) -> Threshold:
        """Read `">= 0.90"`. Raises ValueError for another form or a figure that is not computed."""
        match = _THRESHOLD.fullmatch(text)
        if match is None:
            raise ValueError(f'accept {metric}: want a comparison such as ">= 0.90", got "{text}"')
        if metric not in FIGURES:
            raise ValueError(f'accept: want a figure of {", ".join(FIGURES)}, got "{metric}"')
        return cls(metric, match[1], float(match[2]))

    def holds(self, metrics: Metrics) -> bool:
        """Whether the figure meets it."""
        return _OPERATORS[self.operator](getattr(metrics, self.metric), self.value)

    def __str__(self) -> str:
        return f"{self.metric} {self.operator} {self.value:g}"


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How to train: which months, how long to search, what to accept, what the model reads.

    `window` reaches back from the newest month with labels; its last months are `test`, those
    before them `validation`. `segments` names the columns by whose values figures are also given,
    `level` how the target's level by month is found, where it is to be taken out.
    """

    window: Duration
    validation: Duration
    test: Duration
    trials: int
    seed: int
    accept: tuple[Threshold, ...]
    features: tuple[FeatureSpec, ...]
    segments: tuple[str, ...] = ()
    level: LevelSpec | None = None

    def __post_init__(self) -> None:
        for name in ("window", "validation", "test"):
            length: Duration = getattr(self, name)
            if length.seconds or length.months < 1:
                raise ValueError(f"training {name}: want whole months, got {length}")
        if self.window.months <= self.validation.months + self.test.months:
            raise ValueError(
                f"training window: want more than validation and test together, got {self.window}"
            )
        if self.trials < 1:
            raise ValueError(f"training trials: want at least 1, got {self.trials}")
        check_spec(self.features)
