"""What comparing a column with its baseline comes to, and what every drift method is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from watchkeeper.core.statistics.distances import Counts, Distance, PValue, verdict_digits
from watchkeeper.core.statistics.sketch import Sketch
from watchkeeper.core.values import Undefined

LEAST_ROWS = 30  # below it no method says anything
MOST_ROWS = 100_000  # a p-value from a compacted sketch counts no more: past it the sketch's own error speaks


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far one column is from its baseline, from `n` rows there and `m` rows here.

    A `Distance` is drift above `limit`, a `PValue` below it. `limit` is the threshold asked for, or what
    chance alone may give at these sizes where that is more. `smallest` is the least change in these rows
    that would have been drift, in the method's `effect`; Undefined where the score is.
    """

    score: Distance | PValue | Undefined
    limit: float
    n: int
    m: int
    smallest: float | Undefined

    @property
    def exceeded(self) -> bool:
        """Whether it is drift; what could not be measured is not, and `score` has the reason."""
        match self.score:
            case Distance(value):
                return value > self.limit
            case PValue(value):
                return value < self.limit
        return False

    @property
    def finite(self) -> bool:
        """Whether no figure of it overflowed or is no number."""
        figures = (self.limit, getattr(self.score, "value", 0.0), self.smallest)
        return all(isinstance(each, Undefined) or math.isfinite(each) for each in figures)

    def rounded(self) -> Comparison:
        """The same in the 12 digits that a verdict carries."""
        score, smallest = self.score, self.smallest
        return replace(
            self,
            score=score if isinstance(score, Undefined) else type(score)(verdict_digits(score.value)),
            smallest=smallest if isinstance(smallest, Undefined) else verdict_digits(smallest),
            limit=verdict_digits(self.limit),
        )


def unknown(reason: str, n: int, m: int, threshold: float) -> Comparison:
    """A comparison that says nothing, and why."""
    return Comparison(Undefined(reason), threshold, n, m, Undefined(reason))


@dataclass(frozen=True, slots=True)
class DriftMethod:
    """One way to compare. Each function takes baseline, data and threshold, `LEAST_ROWS` or more a side.

    None where the method does not go with that kind of column. `effect` says what `smallest` is in.
    """

    name: str
    score: type[Distance] | type[PValue]
    threshold: float  # when none is given
    effect: str
    numerical: Callable[[Sketch, Sketch, float], Comparison] | None = None
    categorical: Callable[[Counts, Counts, float], Comparison] | None = None


def rows_counted(sketch: Sketch) -> float:
    """Rows that a p-value may count: all when the sketch holds each value, else at most `MOST_ROWS`."""
    return float(sketch.weight if len(sketch.levels) == 1 else min(sketch.weight, MOST_ROWS))
