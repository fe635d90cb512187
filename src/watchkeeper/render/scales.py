"""Axes: round numbers and round times, and where they stand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from watchkeeper.core.windows import add_months
from watchkeeper.render import text

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_MONTHLY = (1, 3, 6, 12, 24, 60)
_DAILY = (1, 2, 7, 14)


class Style(StrEnum):
    """How an axis writes its numbers."""

    NUMBER = "number"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on an axis, at a fraction of its length."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Scale:
    """A range of numbers whose ends are round."""

    low: float
    high: float
    step: float

    def at(self, value: float) -> float:
        """The value's place as a fraction of the axis, 0 at the low end."""
        return (value - self.low) / (self.high - self.low)

    def ticks(self, style: Style = Style.NUMBER) -> tuple[Tick, ...]:
        """Every step from end to end."""
        count = round((self.high - self.low) / self.step)
        values = [self.low + self.step * index for index in range(count + 1)]
        return tuple(Tick(self.at(value), axis_number(value, self.step, style)) for value in values)


def scale(values: Sequence[float], *, zero: bool = False, intervals: int = 5) -> Scale:
    """The tightest round range over the values, in about `intervals` steps.

    `zero` begins (or ends) at zero. No values, or equal ones, give a range around them.
    """
    low, high = min(values, default=0.0), max(values, default=1.0)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low <= abs(high) * 1e-9:
        room = abs(high) / 2 or 0.5
        low, high = low - room, high + room
    step = round_step((high - low) / intervals)
    return Scale(math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, step)


def round_step(rough: float) -> float:
    """The least of 1, 2, 2.5, 5 times a power of ten that is not below `rough`.

    >>> round_step(23.0)
    25.0
    """
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in _STEPS if step * power >= rough * (1 - 1e-9))


def axis_number(value: float, step: float, style: Style = Style.NUMBER) -> str:
    """A number on an axis, with no more places than its step needs: `20k`, `1970`, `0.75`, `5%`."""
    value = 0.0 if abs(value) < step / 1e6 else value
    if style is Style.SHARE:
        return text.share(value, _places(step * 100))
    for size, suffix in ((1e6, "m"), (1e3, "k")):
        if step > size / 10 and abs(value) >= size:
            return text.decimal(value / size, _places(step / size)) + suffix
    plain = text.decimal(value, _places(step))
    return plain if abs(value) >= 10_000 else plain.replace(",", "")  # 1970 may be a year


def _places(step: float) -> int:
    return next((places for places in range(10) if math.isclose(round(step, places), step, rel_tol=1e-6)), 10)


@dataclass(frozen=True, slots=True)
class TimeScale:
    """A range of time; one moment alone stands in the middle."""

    start: datetime
    end: datetime

    def at(self, time: datetime) -> float:
        """The time's place as a fraction of the axis."""
        length = (self.end - self.start).total_seconds()
        return (time - self.start).total_seconds() / length if length else 0.5

    def ticks(self, most: int = 6) -> tuple[Tick, ...]:
        """At most about `most` round times within the range: months, days or hours, whichever fits."""
        times, label = self._round_times(most)
        return tuple(
            Tick(self.at(time), label(time, first)) for time, first in zip(times, _firsts(times), strict=True)
        )

    def _round_times(self, most: int) -> tuple[list[datetime], Callable[[datetime, bool], str]]:
        days = (self.end - self.start).total_seconds() / 86400
        if days < 2:
            return self._hours(most), _hour_label
        if days < 62:
            step = next((step for step in _DAILY if days / step <= most), _DAILY[-1])
            return self._days(step), _day_label
        months = days / 30.44
        step = next((step for step in _MONTHLY if months / step <= most), _MONTHLY[-1])
        return self._months(step), _month_label

    def _hours(self, most: int) -> list[datetime]:
        hours = (self.end - self.start).total_seconds() / 3600
        step = next((step for step in (1, 2, 3, 6, 12) if hours / step <= most), 12)
        first = self.start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return [
            t
            for n in range(0, 73)
            if self.start <= (t := first + timedelta(hours=n)) <= self.end and t.hour % step == 0
        ]

    def _days(self, step: int) -> list[datetime]:
        first = self.start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        first += timedelta(days=first < self.start)
        return [t for n in range(0, 63, step) if (t := first + timedelta(days=n)) <= self.end]

    def _months(self, step: int) -> list[datetime]:
        year = self.start.astimezone(UTC).replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
        count = (self.end.year - year.year + 1) * 12
        return [t for n in range(0, count + 1, step) if self.start <= (t := add_months(year, n)) <= self.end]


def _firsts(times: Sequence[datetime]) -> list[bool]:
    return [index == 0 for index in range(len(times))]


def _hour_label(time: datetime, first: bool) -> str:
    return f"{text.day_text(time)}, {time:%H:%M}" if first else f"{time:%H:%M}"


def _day_label(time: datetime, first: bool) -> str:
    return text.day_text(time) if first else text.day_text(time).rsplit(" ", 1)[0]


def _month_label(time: datetime, first: bool) -> str:
    name = text.MONTHS[time.month - 1][:3]
    return f"{name} {time.year}" if first or time.month == 1 else name
