"""How many distinct values a column holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from watchkeeper.core.statistics import hashing
from watchkeeper.core.statistics.cells import Cells
from watchkeeper.core.statistics.hyperloglog import REGISTERS, STANDARD_ERROR, estimate, registers_of
from watchkeeper.core.statistics.protocol import Kept
from watchkeeper.core.values import NUMERIC, ColumnType

EXACT = REGISTERS // 8  # as many hashes as take the room of the registers


@dataclass(frozen=True, slots=True)
class DistinctCount:
    """How many, and the standard error as a share of it: 0.0 when the number is exact."""

    count: int
    error: float


@dataclass(frozen=True, slots=True)
class Distinct:
    """Hashes of the values, ascending, while there are at most 2,048; then HyperLogLog's registers.

    Numbers are told apart as doubles, whatever they were spelled like; in a String column values are
    told apart as text. Both are kept as bytes (little-endian words; one byte a register).
    """

    KEPT_FOR: ClassVar[Kept] = NUMERIC | {ColumnType.STRING}

    hashes: bytes = b""
    registers: bytes = b""

    @classmethod
    def of(cls, column: pl.Series | Cells) -> Self:
        """One part; missing cells are left out, and of a column of numbers what is no number."""
        cells = Cells.of(column)
        hashes = hashing.of_texts(cells.tally[0]) if cells.textual else hashing.of_numbers(cells.numbers)
        return cls._of(hashes)

    @classmethod
    def _of(cls, hashes: NDArray[np.uint64]) -> Self:
        some = hashing.distinct(hashes[: 2 * EXACT])[0]
        if some.size <= EXACT:
            some = hashing.distinct(hashes)[0] if hashes.size > 2 * EXACT else some
        if some.size <= EXACT:
            return cls(hashes=some.astype("<u8").tobytes())
        return cls(registers=registers_of(hashes).tobytes())

    def merge(self, other: Self) -> Self:
        """Both parts together: the same as of the whole, to the bit."""
        if not self.registers and not other.registers:
            return self._of(np.concatenate([self._words(), other._words()]))
        return type(self)(registers=np.maximum(self._reached(), other._reached()).tobytes())

    def value(self) -> DistinctCount:
        """The number of distinct values.

        >>> Distinct.of(pl.Series(["a", "b", "a", ""])).value()
        DistinctCount(count=2, error=0.0)
        """
        if not self.registers:
            return DistinctCount(len(self.hashes) // 8, 0.0)
        return DistinctCount(round(estimate(self._reached())), STANDARD_ERROR)

    def _words(self) -> NDArray[np.uint64]:
        return np.frombuffer(self.hashes, dtype="<u8").astype(np.uint64, copy=False)

    def _reached(self) -> NDArray[np.uint8]:
        return np.frombuffer(self.registers, np.uint8) if self.registers else registers_of(self._words())
