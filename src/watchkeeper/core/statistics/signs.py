"""How many of a column's numbers are zero or negative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import polars as pl

from watchkeeper.core.statistics.cells import Cells
from watchkeeper.core.statistics.protocol import Kept
from watchkeeper.core.values import NUMERIC


@dataclass(frozen=True, slots=True)
class Signs:
    """Numbers by sign; a negative zero is a zero."""

    KEPT_FOR: ClassVar[Kept] = NUMERIC

    negative: int = 0
    zero: int = 0
    positive: int = 0

    @classmethod
    def of(cls, column: pl.Series | Cells) -> Self:
        """Count one part; cells that are no numbers are left out."""
        values = Cells.of(column).numbers
        negative, zero = int(np.count_nonzero(values < 0)), int(np.count_nonzero(values == 0))
        return cls(negative, zero, values.size - negative - zero)

    def merge(self, other: Self) -> Self:
        """Both parts together; exact."""
        return type(self)(
            self.negative + other.negative, self.zero + other.zero, self.positive + other.positive
        )

    def value(self) -> Self:
        """The counts themselves.

        >>> Signs.of(pl.Series(["-1", "0", "-0.0", "2", "x"])).value()
        Signs(negative=1, zero=2, positive=1)
        """
        return self
