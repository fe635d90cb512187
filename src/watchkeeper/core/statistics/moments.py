"""Count, sum, mean, population standard deviation and extremes of a column's numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from watchkeeper.core.statistics.cells import Cells
from watchkeeper.core.statistics.protocol import Kept
from watchkeeper.core.values import NUMERIC, Undefined


@dataclass(frozen=True, slots=True)
class Summary:
    """What `Moments` says: std_dev is the population's; all in the column's unit."""

    mean: float
    sum: float
    std_dev: float
    min: float
    max: float


def left_to_right(values: NDArray[np.float64]) -> float:
    """The sum by plain addition from the first value to the last, as the contract's digits want it.

    NumPy's own `sum` adds in pairs and differs in the last digits. Shape (n,); 0.0 for none, and not
    finite when a double cannot hold it.
    """
    if not values.size:
        return 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.cumsum(values)[-1]) + 0.0


@dataclass(frozen=True, slots=True)
class Moments:
    """Number of numbers, their sum, mean, sum of squared deviations, and extremes (0.0 without numbers).

    Within a part `of` takes the sum and then the squared deviations from the mean, each over one
    contiguous array, so that it is the same however many threads there are. `in_row_order` is the
    contract's one-pass recipe and gives its digits to the last bit (3.4), some 20 times slower. Parts are
    merged by Chan, Golub and LeVeque (1979): the squared deviations of both, and the squared distance of
    the means times n*m/(n+m).
    """

    KEPT_FOR: ClassVar[Kept] = NUMERIC

    n: int = 0
    total: float = 0.0
    average: float = 0.0
    squares: float = 0.0
    low: float = 0.0
    high: float = 0.0

    @classmethod
    def of(cls, column: pl.Series | Cells) -> Self:
        """One part; cells that are no numbers are left out."""
        values = Cells.of(column).numbers
        if not values.size:
            return cls()
        with np.errstate(over="ignore", invalid="ignore"):
            total = float(np.sum(values))
            average = total / values.size
            squares = float(np.sum(np.square(values - average)))
        return cls(values.size, total, average, squares, float(values.min()), float(values.max()))

    @classmethod
    def in_row_order(cls, column: pl.Series | Cells) -> Self:
        """One part by the contract's recipe, one number after the other."""
        values = Cells.of(column).numbers
        if not values.size:
            return cls()
        average, squares = _one_pass(values)
        low, high = float(values.min()), float(values.max())
        return cls(values.size, left_to_right(values), average, squares, low, high)

    def merge(self, other: Self) -> Self:
        """Both parts together."""
        if not self.n or not other.n:
            return self if self.n else other
        n = self.n + other.n
        apart = other.average - self.average
        return type(self)(
            n,
            self.total + other.total,
            self.average + apart * (other.n / n),
            self.squares + other.squares + apart * apart * (self.n * (other.n / n)),
            min(self.low, other.low),
            max(self.high, other.high),
        )

    def value(self) -> Summary | Undefined:
        """Mean, sum, deviation, extremes; Undefined without numbers or when they exceed doubles.

        >>> Moments.of(pl.Series(["1", "3", "x"])).value()
        Summary(mean=2.0, sum=4.0, std_dev=1.0, min=1.0, max=3.0)
        """
        if not self.n:
            return Undefined("no numbers")
        deviation = math.sqrt(self.squares / self.n)
        if not (math.isfinite(self.total) and math.isfinite(deviation)):
            return Undefined("the sum or the squares are too large for a double")
        return Summary(self.total / self.n, self.total, deviation, self.low, self.high)


def _one_pass(values: NDArray[np.float64]) -> tuple[float, float]:
    """Running mean and squared deviations; only the mean's recurrence has to go one by one."""
    averages = np.empty(values.size + 1)
    averages[0] = average = 0.0
    for count, value in enumerate(values.tolist(), start=1):
        average += (value - average) / count
        averages[count] = average
    with np.errstate(over="ignore", invalid="ignore"):
        deviations: Any = values - averages[:-1]
        steps = deviations * (deviations - deviations / np.arange(1, values.size + 1))
        return average, left_to_right(steps)
