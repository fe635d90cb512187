"""What the cells of a column look like: whole numbers, fractions, booleans or other text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import polars as pl

from watchkeeper.core.statistics.cells import BOOLEANS, NUMBER, Cells, parsed
from watchkeeper.core.statistics.protocol import Kept
from watchkeeper.core.values import ColumnType


@dataclass(frozen=True, slots=True)
class Types:
    """Present cells per class of contract 3.3.

    A number too large for a double counts as text, and so do a NaN and an infinity that came as numbers.
    """

    KEPT_FOR: ClassVar[Kept] = frozenset(ColumnType)

    integral: int = 0
    fractional: int = 0
    boolean: int = 0
    string: int = 0

    @classmethod
    def of(cls, column: pl.Series | Cells) -> Self:
        """Count one part."""
        cells = Cells.of(column)
        held = len(cells.present)
        if cells.is_boolean:
            return cls(boolean=held)
        if cells.is_number:
            finite = cells.numbers.size
            whole = finite if cells.series.dtype.is_integer() else 0
            return cls(whole, finite - whole, 0, held - finite)
        return cls._of_values(cells) if cells.textual else cls._of_text(cells)

    @classmethod
    def _of_text(cls, cells: Cells) -> Self:
        spelled, numbers = cells.candidates
        broken = spelled.filter(numbers.is_finite()).str.contains("[.eE]")
        fractional = int(broken.sum())
        boolean = 0
        if len(spelled) < len(cells.present):
            boolean = int(_booleans(cells.present).sum())
        integral = len(broken) - fractional
        return cls(integral, fractional, boolean, len(cells.present) - len(broken) - boolean)

    @classmethod
    def _of_values(cls, cells: Cells) -> Self:
        """The same from the distinct values and their counts."""
        values, counts = cells.tally
        held = int(counts.sum())
        boolean = int(counts[_booleans(values).to_numpy()].sum())
        like_numbers = values.str.contains(NUMBER)
        if not like_numbers.any():
            return cls(0, 0, boolean, held - boolean)
        spelled, weights = values.filter(like_numbers), counts[like_numbers.to_numpy()]
        finite, broken = np.isfinite(parsed(spelled).to_numpy()), spelled.str.contains("[.eE]").to_numpy()
        integral, fractional = int(weights[finite & ~broken].sum()), int(weights[finite & broken].sum())
        return cls(integral, fractional, boolean, held - integral - fractional - boolean)

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


def _booleans(texts: pl.Series) -> pl.Series:
    true, false = BOOLEANS
    return (texts == true) | (texts == false)
