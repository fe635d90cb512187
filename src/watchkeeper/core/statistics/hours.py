"""How many rows came in each hour."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Self

import polars as pl

from watchkeeper.core.statistics.cells import Cells
from watchkeeper.core.statistics.frequent import Bound, Frequencies
from watchkeeper.core.statistics.protocol import Kept
from watchkeeper.core.statistics.times import moments, to_moment
from watchkeeper.core.windows import utc_text

BOUND = Bound(values=65_536, characters=16_777_216)  # seven years of hours
HOUR = 3_600_000_000  # microseconds
CAPTURED = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-5][0-9]:[0-5][0-9](\.[0-9]+)?Z$"


@dataclass(frozen=True, slots=True)
class RowsByHour:
    """The start of each hour that has rows, as `2022-03-01T05:00:00Z`, with their number, in order of time.

    `num_timeless` rows have no readable time. The counts are exact while `error` is 0, and may be too
    low by as much otherwise.
    """

    hours: tuple[tuple[str, int], ...]
    num_timeless: int
    error: int


@dataclass(frozen=True, slots=True)
class Hours:
    """Rows by the hour of their capture time: what volume and missing hours are judged by."""

    KEPT_FOR: ClassVar[Kept] = frozenset()

    found: Frequencies = field(default_factory=Frequencies)
    num_timeless: int = 0

    @classmethod
    def of(cls, column: pl.Series | Cells) -> Self:
        """One part's times (see `times.moments`); a missing or unreadable one is counted as such."""
        cells = Cells.of(column)
        starts, counts = _by_hour(cells.filled)
        found: dict[str, int] = {}
        for start, count in zip(moments(starts).to_physical().to_list(), counts.to_list(), strict=True):
            if start is not None:
                hour = utc_text(to_moment(start // HOUR * HOUR))
                found[hour] = found.get(hour, 0) + count
        return cls(Frequencies.of(found, BOUND), len(cells.series) - sum(found.values()))

    def merge(self, other: Self) -> Self:
        """Both parts together."""
        return type(self)(self.found.merge(other.found, BOUND), self.num_timeless + other.num_timeless)

    def value(self) -> RowsByHour:
        """The hours that have rows.

        >>> Hours.of(pl.Series(["2022-03-01T05:59:59Z", "2022-03-01 05:00", ""])).value()
        RowsByHour(hours=(('2022-03-01T05:00:00Z', 2),), num_timeless=1, error=0)
        """
        return RowsByHour(self.found.counts, self.num_timeless, self.found.error)


def _by_hour(times: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Times and how many rows are of each; those spelled as captures are by the start of their hour alone."""
    if times.dtype == pl.String:
        captured = times.str.contains(CAPTURED)
        times = pl.concat([times.filter(captured).str.head(13) + ":00Z", times.filter(~captured)])
    elif times.dtype.is_temporal():
        times = moments(times).dt.truncate("1h")
    counted = times.alias("time").value_counts(name="count")
    return counted["time"], counted["count"]
