"""How many rows are there more than once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from watchkeeper.core.statistics import hashing
from watchkeeper.core.statistics.cells import Cells
from watchkeeper.core.statistics.protocol import Kept

SAMPLE = 32_768


@dataclass(frozen=True, slots=True)
class DuplicateRows:
    """Of `rows`, how many repeat one that was there before, with the standard error of that number.

    `rate` is the share of distinct rows that were looked at: with 1.0 the number is exact and the error 0.0.
    """

    rows: int
    duplicates: int
    error: float
    rate: float


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The hashes of distinct rows and how often each was there: all, or a consistent sample of them.

    Wegman's adaptive sampling (Flajolet, 1990; Gibbons, "Distinct sampling", 2001): of a row either every
    copy is in the sample or none, as its hash begins with `level` zero bits or not; whenever the sample
    outgrows 32,768 hashes, one more zero is asked for. `hashes` and `counts` are little-endian words, in
    ascending order of the hashes.
    """

    KEPT_FOR: ClassVar[Kept] = frozenset()

    rows: int = 0
    level: int = 0
    hashes: bytes = b""
    counts: bytes = b""

    @classmethod
    def of(cls, column: pl.Series | Cells) -> Self:
        """One part's rows: a series of structs (`frame.to_struct()`), or one column's cells.

        Missing is a value here. Two spellings of one number are two values.
        """
        rows = Cells.of(column).series
        return cls._within(len(rows), 0, hashing.distinct(hashing.of_rows(rows)))

    def merge(self, other: Self) -> Self:
        """Both parts together: the same as of the whole, to the bit."""
        level = max(self.level, other.level)
        (ours, counts), (theirs, more) = (_asked_for(side._sample(), level) for side in (self, other))
        place = np.searchsorted(ours, theirs)
        known = ours[np.minimum(place, ours.size - 1)] == theirs if ours.size else np.zeros(theirs.size, bool)
        counts = counts.copy()
        counts[place[known]] += more[known]
        new = place[~known]
        both = np.insert(ours, new, theirs[~known]), np.insert(counts, new, more[~known])
        return self._within(self.rows + other.rows, level, both)

    def value(self) -> DuplicateRows:
        """The number of duplicates, from the sample scaled up when it is one.

        A row so frequent that it weighs more than the rest is seldom in a sample: when the number of
        distinct rows, estimated from the sample's size, leaves place for many more duplicates than the
        sample shows (by four standard errors), that estimate is taken.
        >>> Duplicates.of(pl.Series(["a", "b", "a", "a"])).value()
        DuplicateRows(rows=4, duplicates=2, error=0.0, rate=1.0)
        """
        counts, rate = self._sample()[1], 0.5**self.level
        extra = (counts - 1).astype(np.float64)
        seen, error = float(extra.sum()) / rate, math.sqrt(float(np.square(extra).sum()) * (1 - rate)) / rate
        missing = self.rows - counts.size / rate
        spread = math.sqrt(counts.size * (1 - rate)) / rate
        if missing - seen > 4 * spread > 0:
            seen, error = missing, spread
        return DuplicateRows(self.rows, round(min(seen, max(self.rows - 1, 0))), error, rate)

    def copies(self, column: pl.Series | Cells) -> NDArray[np.int64]:
        """How often each of these rows is there in all, shape (rows,); 0 for one outside the sample.

        >>> Duplicates.of(pl.Series(["a", "b", "a"])).copies(pl.Series(["b", "a", "c"])).tolist()
        [1, 2, 0]
        """
        hashes, counts = self._sample()
        asked = hashing.of_rows(Cells.of(column).series)
        if not hashes.size:
            return np.zeros(asked.size, np.int64)
        place = np.minimum(np.searchsorted(hashes, asked), hashes.size - 1)
        return np.where(hashes[place] == asked, counts[place], 0)

    @classmethod
    def _within(cls, rows: int, level: int, sample: tuple[NDArray[np.uint64], NDArray[np.int64]]) -> Self:
        while sample[0].size > SAMPLE:
            level += 1
            sample = _asked_for(sample, level)
        return cls(rows, level, sample[0].astype("<u8").tobytes(), sample[1].astype("<i8").tobytes())

    def _sample(self) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        hashes, counts = np.frombuffer(self.hashes, "<u8"), np.frombuffer(self.counts, "<i8")
        return hashes.astype(np.uint64, copy=False), counts.astype(np.int64, copy=False)


def _asked_for(
    sample: tuple[NDArray[np.uint64], NDArray[np.int64]], level: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The part of an ascending sample whose hashes begin with so many zero bits."""
    end = int(np.searchsorted(sample[0], np.uint64(1 << (64 - level)))) if level else sample[0].size
    return sample[0][:end], sample[1][:end]
