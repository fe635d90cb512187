"""The contract's deterministic KLL quantile sketch (3.5), without randomness.

Levels hold values; one at level h stands for 2**h rows. Level 0 is in arrival order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from watchkeeper.core.statistics.cells import numbers
from watchkeeper.core.statistics.sketch import Sketch
from watchkeeper.core.values import NUMERIC, ColumnType

SIZE = 2048  # the contract's k
SHRINKING = 0.64  # the contract's c


@dataclass(frozen=True, slots=True)
class Kll:
    """The sketch's levels, and how often each has been compacted, which decides its next offset.

    Merging concatenates levels and condenses; it keeps the left side's counts. So it is exact for the
    number of rows, and the same bits come out only when parts are merged in the same order.
    """

    KEPT_FOR: ClassVar[frozenset[ColumnType]] = NUMERIC

    levels: tuple[tuple[float, ...], ...] = ((),)
    runs: tuple[int, ...] = (0,)

    @classmethod
    def of(cls, column: pl.Series) -> Self:
        """One part's numbers, put in one after the other in row order."""
        building = _Building([np.empty(0)], [0])
        building.insert(numbers(column).to_numpy())
        return cls(*building.frozen())

    def merge(self, other: Self) -> Self:
        """Both parts together."""
        building = _Building([np.array(level, dtype=np.float64) for level in self.levels], list(self.runs))
        building.absorb(other.levels)
        return type(self)(*building.frozen())

    def value(self) -> Sketch:
        """What the sketch knows of the distribution."""
        return Sketch(self.levels)


def capacity(level: int) -> int:
    """How many values a level holds before it is compacted: 2050, 1314, 842 …"""
    return 2 * (math.ceil(SIZE * SHRINKING**level / 2) + 1)


@dataclass(slots=True)
class _Building:
    levels: list[NDArray[np.float64]]
    runs: list[int]

    def insert(self, values: NDArray[np.float64]) -> None:
        """As one by one: values go in until one more than the capacity is held, then one level condenses."""
        start = 0
        while start < values.size:
            room = self._room() + 1
            self.levels[0] = np.concatenate([self.levels[0], values[start : start + room]])
            start += room
            if self._room() < 0:
                self._condense()

    def absorb(self, levels: Sequence[Sequence[float]]) -> None:
        while len(self.levels) < len(levels):
            self._expand()
        for height, level in enumerate(levels):
            self.levels[height] = np.concatenate([self.levels[height], np.array(level, dtype=np.float64)])
        while self._room() <= 0:
            self._condense()

    def frozen(self) -> tuple[tuple[tuple[float, ...], ...], tuple[int, ...]]:
        return tuple(tuple(level.tolist()) for level in self.levels), tuple(self.runs)

    def _room(self) -> int:
        return sum(capacity(height) - level.size for height, level in enumerate(self.levels))

    def _condense(self) -> None:
        full = next(height for height, level in enumerate(self.levels) if level.size >= capacity(height))
        if full + 1 == len(self.levels):
            self._expand()
        self.levels[full + 1] = np.concatenate([self.levels[full + 1], self._compact(full)])

    def _expand(self) -> None:
        self.levels.append(np.empty(0))
        self.runs.append(0)

    def _compact(self, height: int) -> NDArray[np.float64]:
        """Every second of the level's sorted values; of an odd number the last to arrive stays behind."""
        level = self.levels[height]
        even = level.size - level.size % 2
        offset = (self.runs[height] + 1) // 2 % 2  # 0, 1, 1, 0, 0, 1, 1, 0 …
        self.levels[height] = level[even:]
        self.runs[height] += 1
        return np.sort(level[:even])[offset::2]
