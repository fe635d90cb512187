"""How often each value of a text column occurs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import polars as pl

from watchkeeper.core.statistics.cells import present
from watchkeeper.core.values import ColumnType


@dataclass(frozen=True, slots=True)
class Categories:
    """Every distinct value with its count, sorted by value. Exact, and as large as the values are many."""

    KEPT_FOR: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.STRING})

    counts: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, column: pl.Series) -> Self:
        """Count one part; missing cells are left out."""
        counted = present(column).alias("value").value_counts(name="count").sort("value")
        return cls(tuple(zip(counted["value"].to_list(), counted["count"].to_list(), strict=True)))

    def merge(self, other: Self) -> Self:
        """Both parts together; exact."""
        found = dict(self.counts)
        for value, count in other.counts:
            found[value] = found.get(value, 0) + count
        return type(self)(tuple(sorted(found.items())))

    def value(self) -> tuple[tuple[str, int], ...]:
        """Value and count, sorted by value.

        >>> Categories.of(pl.Series(["b", "a", "b", ""])).value()
        (('a', 1), ('b', 2))
        """
        return self.counts
