"""What a quantile sketch knows: ranks, shares, quantiles and the contract's ten buckets."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BUCKETS = 10


@dataclass(frozen=True, slots=True)
class Bucket:
    """Rows in `[lower_bound, upper_bound)`; the last bucket includes its upper bound."""

    lower_bound: float
    upper_bound: float
    count: float


@dataclass(frozen=True, slots=True)
class Ranks:
    """Distinct values, ascending, and the weight of all values up to and including each."""

    values: NDArray[np.float64]
    weights: NDArray[np.float64]

    @property
    def total(self) -> float:
        """The weight of all values: about the number of rows, 0.0 when there are none."""
        return float(self.weights[-1]) if self.weights.size else 0.0

    def up_to(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weight of the values at or below each point, shape (points,)."""
        return np.concatenate([[0.0], self.weights])[np.searchsorted(self.values, points, side="right")]

    def below(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weight of the values strictly below each point, shape (points,)."""
        return np.concatenate([[0.0], self.weights])[np.searchsorted(self.values, points, side="left")]


@dataclass(frozen=True, slots=True)
class Sketch:
    """A sketch's levels as the contract's files hold them; a value at level h weighs 2**h."""

    levels: tuple[tuple[float, ...], ...]

    @property
    def weight(self) -> int:
        """How many rows the sketch stands for; compacting keeps it exact."""
        return sum(len(level) << height for height, level in enumerate(self.levels))

    def ranks(self, *, collapse: bool = False) -> Ranks:
        """Ranks with the weights of equal values added up.

        With `collapse` equal values count once, with the weight of the highest level they are found
        in: what Deequ up to 2.0.2, and so the closed analyzer, does (contract 5.4).
        """
        items = np.concatenate([np.array(level, dtype=np.float64) for level in self.levels])
        weights = np.repeat([2.0**h for h in range(len(self.levels))], [len(level) for level in self.levels])
        values, group = np.unique(items, return_inverse=True)
        each = np.zeros(values.size)
        (np.maximum if collapse else np.add).at(each, group, weights)
        return Ranks(values, np.cumsum(each))

    def share(self, point: float) -> float:
        """The share of rows at or below `point`, 0 to 1. Raises ValueError for an empty sketch."""
        ranks = self._filled()
        return float(ranks.up_to(np.array([point]))[0]) / ranks.total

    def quantile(self, share: float) -> float:
        """The smallest value that at least this share of the rows do not exceed.

        Raises ValueError for an empty sketch, and for a share outside 0 to 1.
        >>> Sketch(((4.0, 1.0, 3.0, 2.0),)).quantile(0.5)
        2.0
        """
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"quantile: want a share from 0 to 1, got {share}")
        ranks = self._filled()
        return float(
            ranks.values[np.searchsorted(ranks.weights, math.ceil(share * ranks.total), side="left")]
        )

    def buckets(self, low: float, high: float) -> tuple[Bucket, ...]:
        """Ten equal buckets between the column's extremes (contract 3.6).

        The last one takes every row that is left: its upper bound may round to less than `high`.
        """
        bounds = np.array([low + (high - low) * i / BUCKETS for i in range(BUCKETS + 1)])
        ranks = self.ranks()
        reached = ranks.below(bounds)
        reached[-1] = ranks.total
        edges, counts = bounds.tolist(), np.diff(reached).tolist()
        return tuple(Bucket(edges[i], edges[i + 1], counts[i]) for i in range(BUCKETS))

    def _filled(self) -> Ranks:
        if not self.weight:
            raise ValueError("an empty sketch has no distribution")
        return self.ranks()
