"""Time: durations with months, half-open windows, cron schedules. All times are aware UTC."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_UNITS = {
    "s": ("seconds", 1), "second": ("seconds", 1),
    "m": ("seconds", 60), "minute": ("seconds", 60),
    "h": ("seconds", 3600), "hour": ("seconds", 3600),
    "d": ("seconds", 86400), "day": ("seconds", 86400),
    "w": ("seconds", 604800), "week": ("seconds", 604800),
    "month": ("months", 1), "year": ("months", 12),
}  # fmt: skip
_DURATION = re.compile(r"\s*(\d+)\s*(?:([a-z])|([a-z]{3,}?)s?)\s*")
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time: whole calendar months, then seconds.

    >>> Duration.parse("36 months")
    Duration(months=36, seconds=0)
    >>> Duration.parse("5m").after(datetime(2020, 1, 1, tzinfo=UTC)).isoformat()
    '2020-01-01T00:05:00+00:00'
    """

    months: int = 0
    seconds: int = 0

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read `"5m"`, `"7 days"`, `"1 month"`. Raises ValueError when the text is none of these."""
        match = _DURATION.fullmatch(text)
        unit = _UNITS.get(match[2] or match[3]) if match else None
        if match is None or unit is None:
            raise ValueError(
                f'want a duration such as "5m", "12 hours", "7 days" or "3 months", got "{text}"'
            )
        count = int(match[1]) * unit[1]
        return cls(months=count) if unit[0] == "months" else cls(seconds=count)

    def after(self, time: datetime) -> datetime:
        """The moment this long after `time`; a day past the month's end becomes its last day."""
        return add_months(time, self.months) + timedelta(seconds=self.seconds)

    def before(self, time: datetime) -> datetime:
        """The moment this long before `time`."""
        return add_months(time, -self.months) - timedelta(seconds=self.seconds)

    def __str__(self) -> str:
        if not self.seconds:
            return _plural(self.months, "month")
        sizes = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
        name, size = next(each for each in sizes if self.seconds % each[1] == 0)
        rest = _plural(self.seconds // size, name)
        return f"{_plural(self.months, 'month')} and {rest}" if self.months else rest


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def add_months(time: datetime, months: int) -> datetime:
    """`time` moved by calendar months; 31 January plus one month is the last day of February.

    >>> add_months(parse_utc("2020-01-31T00:00:00Z"), 1).isoformat()
    '2020-02-29T00:00:00+00:00'
    """
    index = time.year * 12 + time.month - 1 + months
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return time.replace(year=year, month=month + 1, day=min(time.day, last))


def month_start(month: str) -> datetime:
    """First moment of a month written `YYYY-MM`. Raises ValueError for any other text.

    >>> month_start("2020-02").isoformat()
    '2020-02-01T00:00:00+00:00'
    """
    match = _MONTH.fullmatch(month)
    if match is None:
        raise ValueError(f'want a month as YYYY-MM, got "{month}"')
    return datetime(int(match[1]), int(match[2]), 1, tzinfo=UTC)


def month_of(time: datetime) -> str:
    """The month of a time, as `YYYY-MM`.

    >>> month_of(parse_utc("2020-02-29T23:59:59Z"))
    '2020-02'
    """
    return f"{time.year:04d}-{time.month:02d}"


def shift_month(month: str, by: int) -> str:
    """The month `by` months after `month`.

    >>> shift_month("2020-01", -2)
    '2019-11'
    """
    return month_of(add_months(month_start(month), by))


def months_between(first: str, last: str) -> tuple[str, ...]:
    """All months from `first` to `last`, both included; empty when `last` comes before `first`.

    >>> months_between("2019-12", "2020-02")
    ('2019-12', '2020-01', '2020-02')
    """
    found = []
    month = first
    while month <= last:
        found.append(month)
        month = shift_month(month, 1)
    return tuple(found)


def utc_text(time: datetime) -> str:
    """A time as the contract writes it: UTC, `2020-01-31T23:59:59Z`, fractions only when there are any.

    >>> utc_text(parse_utc("2020-01-31T08:00:00+08:00"))
    '2020-01-31T00:00:00Z'
    """
    if time.tzinfo is None:
        raise ValueError(f"want an aware time, got {time.isoformat()} without a zone")
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_utc(text: str) -> datetime:
    """Read a time with a zone, `Z` included. Raises ValueError for any other text."""
    wanted = f'want a time with a zone such as 2020-01-31T23:59:59Z, got "{text}"'
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is None:
            raise ValueError(wanted)
        return time.astimezone(UTC)
    except (ValueError, OverflowError):  # OverflowError: its zone takes it out of the years 1 to 9999
        raise ValueError(wanted) from None


def time_folder(time: datetime) -> str:
    """The folder of a schedule's time: the contract's hour, and below it the minute of one within the hour.

    >>> time_folder(parse_utc("2020-01-31T07:00:00Z")), time_folder(parse_utc("2020-01-31T07:15:00Z"))
    ('2020/01/31/07', '2020/01/31/07/m15')
    """
    return f"{hour_folder(time)}/m{time.minute:02d}" if time.minute else hour_folder(time)


def hour_folder(time: datetime) -> str:
    """The contract's folder of a time: `yyyy/mm/dd/hh` in UTC.

    >>> hour_folder(parse_utc("2020-01-31T07:05:00Z"))
    '2020/01/31/07'
    """
    return time.astimezone(UTC).strftime("%Y/%m/%d/%H")


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Half-open range of time, `start <= t < end`."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window's ends want aware times")
        if self.end <= self.start:
            raise ValueError(
                f"a window wants its end after its start, got {utc_text(self.start)} to {utc_text(self.end)}"
            )

    def __contains__(self, time: datetime) -> bool:
        return self.start <= time < self.end

    def hours(self) -> Iterator[datetime]:
        """Every clock hour the window touches."""
        hour = self.start.replace(minute=0, second=0, microsecond=0)
        while hour < self.end:
            yield hour
            hour += timedelta(hours=1)

    def __str__(self) -> str:
        return f"{utc_text(self.start)} to {utc_text(self.end)}"
