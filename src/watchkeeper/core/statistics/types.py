"""What the cells of a column look like: whole numbers, fractions, booleans or other text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import polars as pl

from watchkeeper.core.statistics.cells import BOOLEAN, FRACTIONAL, INTEGRAL, numbers, present
from watchkeeper.core.values import ColumnType


@dataclass(frozen=True, slots=True)
class Types:
    """Present cells per class of contract 3.3. A number too large for a double counts as text."""

    KEPT_FOR: ClassVar[frozenset[ColumnType]] = frozenset(ColumnType)

    integral: int = 0
    fractional: int = 0
    boolean: int = 0
    string: int = 0

    @classmethod
    def of(cls, column: pl.Series) -> Self:
        """Count one part."""
        text = present(column)
        matching = [int(text.str.contains(pattern).sum()) for pattern in (INTEGRAL, FRACTIONAL, BOOLEAN)]
        integral, fractional, boolean = matching
        if len(numbers(text)) < integral + fractional:
            return cls._with_overflow(text, boolean)
        return cls(integral, fractional, boolean, len(text) - sum(matching))

    @classmethod
    def _with_overflow(cls, text: pl.Series, boolean: int) -> Self:
        integral = len(numbers(text.filter(text.str.contains(INTEGRAL))))
        fractional = len(numbers(text.filter(text.str.contains(FRACTIONAL))))
        return cls(integral, fractional, boolean, len(text) - integral - fractional - boolean)

    def merge(self, other: Self) -> Self:
        """Both parts together; exact."""
        return type(self)(
            self.integral + other.integral,
            self.fractional + other.fractional,
            self.boolean + other.boolean,
            self.string + other.string,
        )

    @property
    def counted(self) -> int:
        """All present cells."""
        return self.integral + self.fractional + self.boolean + self.string

    def of_type(self, type_: ColumnType) -> int:
        """How many cells are of a column type: a whole number is also a fractional one."""
        counts = {
            ColumnType.INTEGRAL: self.integral,
            ColumnType.FRACTIONAL: self.integral + self.fractional,
            ColumnType.STRING: self.boolean + self.string,
        }
        return counts.get(type_, 0)

    def value(self) -> ColumnType:
        """The column's type: one text, or one boolean, makes it String; no cell, Unknown.

        The contract leaves open what an all-boolean column is called; here it is String.
        >>> Types(integral=9, fractional=1).value()
        <ColumnType.FRACTIONAL: 'Fractional'>
        """
        if not self.counted:
            return ColumnType.UNKNOWN
        if self.string or self.boolean:
            return ColumnType.STRING
        return ColumnType.FRACTIONAL if self.fractional else ColumnType.INTEGRAL
