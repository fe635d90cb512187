"""The contract's deterministic KLL quantile sketch (3.5), without randomness.

Levels hold values; one at level h stands for 2**h rows. Level 0 is in arrival order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from watchkeeper.core.statistics.cells import Cells
from watchkeeper.core.statistics.protocol import Kept
from watchkeeper.core.statistics.sketch import Sketch
from watchkeeper.core.values import NUMERIC

SIZE = 2048  # the contract's k
SHRINKING = 0.64  # the contract's c


@dataclass(frozen=True, slots=True)
class Kll:
    """The sketch's levels, and how often each has been compacted, which decides its next offset.

    Merging concatenates levels and condenses; it keeps the left side's counts. So it is exact for the
    number of rows, and the same bits come out only when parts are merged in the same order. The levels are
    kept as the bytes of their doubles, which a merge reads without a copy.
    """

    KEPT_FOR: ClassVar[Kept] = NUMERIC

    packed: tuple[bytes, ...] = (b"",)
    runs: tuple[int, ...] = (0,)

    @classmethod
    def of(cls, column: pl.Series | Cells) -> Self:
        """One part's numbers, put in one after the other in row order."""
        building = _Building([np.empty(0)], [0], capacity(0))
        building.insert(Cells.of(column).numbers)
        return cls(*building.frozen())

    def merge(self, other: Self) -> Self:
        """Both parts together."""
        levels = _arrays(self.packed)
        building = _Building(levels, list(self.runs), sum(capacity(h) - x.size for h, x in enumerate(levels)))
        building.absorb(_arrays(other.packed))
        return type(self)(*building.frozen())

    @property
    def levels(self) -> tuple[tuple[float, ...], ...]:
        """The values of each level in their order."""
        return tuple(tuple(level.tolist()) for level in _arrays(self.packed))

    def value(self) -> Sketch:
        """What the sketch knows of the distribution."""
        return Sketch(self.levels)


@cache
def capacity(level: int) -> int:
    """How many values a level holds before it is compacted: 2050, 1314, 842 …

    >>> [capacity(level) for level in range(4)]
    [2050, 1314, 842, 540]
    """
    return 2 * (math.ceil(SIZE * SHRINKING**level / 2) + 1)


def _arrays(packed: tuple[bytes, ...]) -> list[NDArray[np.float64]]:
    return [np.frombuffer(level, dtype=np.float64) for level in packed]


@dataclass(slots=True)
class _Building:
    """`room` is for how many more values there is place in all levels; -1 when one too many is held."""

    levels: list[NDArray[np.float64]]
    runs: list[int]
    room: int

    def insert(self, values: NDArray[np.float64]) -> None:
        """As one by one: values go in until one more than the capacity is held, then one level condenses.

        Level 0, empty at first, is always the run of values that came last: a view of them, never a copy.
        """
        end = 0
        while end < values.size:
            taken = min(self.room + 1, values.size - end)
            start = end - self.levels[0].size
            end += taken
            self.levels[0] = values[start:end]
            self.room -= taken
            if self.room < 0:
                self._condense()

    def absorb(self, levels: Sequence[NDArray[np.float64]]) -> None:
        while len(self.levels) < len(levels):
            self._expand()
        for height, level in enumerate(levels):
            self.levels[height] = np.concatenate([self.levels[height], level])
            self.room -= level.size
        while self.room <= 0:
            self._condense()

    def frozen(self) -> tuple[tuple[bytes, ...], tuple[int, ...]]:
        return tuple(level.tobytes() for level in self.levels), tuple(self.runs)

    def _condense(self) -> None:
        full = next(height for height, level in enumerate(self.levels) if level.size >= capacity(height))
        if full + 1 == len(self.levels):
            self._expand()
        self.levels[full + 1] = np.concatenate([self.levels[full + 1], self._compact(full)])

    def _expand(self) -> None:
        self.room += capacity(len(self.levels))
        self.levels.append(np.empty(0))
        self.runs.append(0)

    def _compact(self, height: int) -> NDArray[np.float64]:
        """Every second of the level's sorted values; of an odd number the last to arrive stays behind."""
        level = self.levels[height]
        even = level.size - level.size % 2
        offset = (self.runs[height] + 1) // 2 % 2  # 0, 1, 1, 0, 0, 1, 1, 0 …
        self.levels[height] = level[even:]
        self.runs[height] += 1
        self.room += even // 2
        return np.sort(level[:even])[offset::2]
