"""How often each value of a text column occurs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Self

import polars as pl

from watchkeeper.core.statistics.cells import Cells
from watchkeeper.core.statistics.frequent import Bound, Frequencies
from watchkeeper.core.statistics.protocol import Kept
from watchkeeper.core.values import ColumnType

BOUND = Bound(values=65_536, characters=16_777_216)


@dataclass(frozen=True, slots=True)
class Categories:
    """Distinct values with their counts, sorted by value.

    Exact up to 65,536 values of 16 million characters together, and beyond it the most frequent ones with
    the error of their counts.
    """

    KEPT_FOR: ClassVar[Kept] = frozenset({ColumnType.STRING})

    found: Frequencies = field(default_factory=Frequencies)

    @classmethod
    def of(cls, column: pl.Series | Cells) -> Self:
        """Count one part; missing cells are left out."""
        values, counts = Cells.of(column).tally
        return cls(Frequencies.of(dict(zip(values.to_list(), counts.tolist(), strict=True)), BOUND))

    def merge(self, other: Self) -> Self:
        """Both parts together."""
        return type(self)(self.found.merge(other.found, BOUND))

    @property
    def counts(self) -> tuple[tuple[str, int], ...]:
        """Value and count, sorted by value."""
        return self.found.counts

    @property
    def exact(self) -> bool:
        """Whether every value is there, with its exact count."""
        return self.found.error == 0

    def value(self) -> Frequencies:
        """Values with their counts, and how far these may be too low.

        >>> Categories.of(pl.Series(["b", "a", "b", ""])).value()
        Frequencies(counts=(('a', 1), ('b', 2)), error=0)
        """
        return self.found
