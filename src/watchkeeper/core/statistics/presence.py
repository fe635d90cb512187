"""How many rows hold a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import polars as pl

from watchkeeper.core.statistics.cells import Cells
from watchkeeper.core.statistics.protocol import Kept
from watchkeeper.core.values import ColumnType, Undefined


@dataclass(frozen=True, slots=True)
class Presence:
    """Rows that hold a value and rows that do not; null and empty text are missing, NaN is not."""

    KEPT_FOR: ClassVar[Kept] = frozenset(ColumnType)

    num_present: int = 0
    num_missing: int = 0

    @classmethod
    def of(cls, column: pl.Series | Cells) -> Self:
        """Count one part."""
        cells = Cells.of(column)
        held = len(cells.present)
        return cls(held, len(cells.series) - held)

    def merge(self, other: Self) -> Self:
        """Both parts together; exact."""
        return type(self)(self.num_present + other.num_present, self.num_missing + other.num_missing)

    def value(self) -> float | Undefined:
        """Completeness: the share of rows that hold a value, 0 to 1; Undefined without rows.

        >>> Presence(3, 1).value()
        0.75
        """
        rows = self.num_present + self.num_missing
        return self.num_present / rows if rows else Undefined("no rows")
