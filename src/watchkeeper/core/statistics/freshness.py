"""The earliest and the latest of a column's times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from watchkeeper.core.statistics.cells import Cells
from watchkeeper.core.statistics.protocol import Kept
from watchkeeper.core.statistics.times import moments, to_moment
from watchkeeper.core.values import Role, Undefined


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """From when to when, in UTC, and how many cells are no times."""

    earliest: datetime
    latest: datetime
    num_unreadable: int


@dataclass(frozen=True, slots=True)
class Freshness:
    """Cells that are times (see `times.moments`) and cells that are not, and the extremes of the former."""

    KEPT_FOR: ClassVar[Kept] = frozenset({Role.TIME})

    num_times: int = 0
    num_unreadable: int = 0
    earliest: datetime | None = None
    latest: datetime | None = None

    @classmethod
    def of(cls, column: pl.Series | Cells) -> Self:
        """One part; missing cells are left out."""
        cells = Cells.of(column)
        if cells.textual:
            return cls._of(*cells.tally)
        return cls._of(cells.filled, np.ones(len(cells.filled), np.int64))

    @classmethod
    def _of(cls, values: pl.Series, counts: NDArray[np.int64]) -> Self:
        found = moments(values)
        readable = found.is_not_null().to_numpy()
        num_times, num_cells = int(counts[readable].sum()), int(counts.sum())
        times = found.drop_nulls().to_physical().to_numpy()
        if not times.size:
            return cls(num_unreadable=num_cells)
        extremes = to_moment(int(times.min())), to_moment(int(times.max()))
        return cls(num_times, num_cells - num_times, *extremes)

    def merge(self, other: Self) -> Self:
        """Both parts together; exact."""
        early = [each for each in (self.earliest, other.earliest) if each is not None]
        late = [each for each in (self.latest, other.latest) if each is not None]
        return type(self)(
            self.num_times + other.num_times,
            self.num_unreadable + other.num_unreadable,
            min(early, default=None),
            max(late, default=None),
        )

    def value(self) -> TimeSpan | Undefined:
        """Undefined without times.

        >>> span = Freshness.of(pl.Series(["2022-03", "2022-01-31T08:00:00+08:00", "soon"])).value()
        >>> span.earliest.isoformat(), span.latest.isoformat(), span.num_unreadable
        ('2022-01-31T00:00:00+00:00', '2022-03-01T00:00:00+00:00', 1)
        """
        if self.earliest is None or self.latest is None:
            return Undefined("no times")
        return TimeSpan(self.earliest, self.latest, self.num_unreadable)
