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


_FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of month", 1, 31),
    ("month", 1, 12),
    ("day of week", 1, 7),
)
_NAMES = {
    "month": ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
    "day of week": ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"),
}


@dataclass(frozen=True, slots=True)
class Cron:
    """A schedule in AWS's six-field form, `cron(minute hour day month weekday year)`, in UTC.

    Fields take numbers, names, `*`, `?`, lists, ranges and steps. As in AWS, 1 is Sunday.
    >>> monthly = Cron.parse("cron(0 0 1 * ? *)")
    >>> monthly.next(datetime(2020, 1, 1, tzinfo=UTC)).isoformat()
    '2020-02-01T00:00:00+00:00'
    """

    text: str
    fields: tuple[frozenset[int], ...]

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Read an expression. Raises ValueError that names the field when one cannot be read."""
        match = re.fullmatch(r"cron\((.*)\)", text.strip())
        parts = match[1].split() if match else []
        if len(parts) not in (5, 6):
            raise ValueError(f'want a schedule such as "cron(0 0 1 * ? *)", got "{text}"')
        if len(parts) == 6 and parts[5] != "*":
            raise ValueError(f'schedule "{text}": the year field wants *, got {parts[5]}')
        values = tuple(_cron_field(part, *field) for part, field in zip(parts, _FIELDS, strict=False))
        return cls(text, values)

    def next(self, after: datetime) -> datetime:
        """The first time of the schedule that is later than `after`."""
        time = after.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        limit = add_months(time, 12 * 5)
        minutes, hours = self.fields[0], self.fields[1]
        while time < limit:
            if not self._on_day(time):
                time = time.replace(hour=0, minute=0) + timedelta(days=1)
            elif time.hour not in hours:
                time = time.replace(minute=0) + timedelta(hours=1)
            elif time.minute not in minutes:
                time += timedelta(minutes=1)
            else:
                return time
        raise ValueError(f"schedule {self.text} never comes due")

    def previous(self, before: datetime) -> datetime:
        """The last time of the schedule that is earlier than `before`."""
        whole = before.astimezone(UTC).replace(second=0, microsecond=0)
        time = whole if whole < before else whole - timedelta(minutes=1)
        limit = add_months(time, -12 * 5)
        minutes, hours = self.fields[0], self.fields[1]
        while time > limit:
            if not self._on_day(time):
                time = time.replace(hour=0, minute=0) - timedelta(minutes=1)
            elif time.hour not in hours:
                time = time.replace(minute=0) - timedelta(minutes=1)
            elif time.minute not in minutes:
                time -= timedelta(minutes=1)
            else:
                return time
        raise ValueError(f"schedule {self.text} never came due")

    def _on_day(self, time: datetime) -> bool:
        weekday = time.isoweekday() % 7 + 1
        return time.day in self.fields[2] and time.month in self.fields[3] and weekday in self.fields[4]

    def __str__(self) -> str:
        return self.text


def _cron_field(text: str, name: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for item in text.split(","):
        body, _, step = item.partition("/")
        first, dash, last = ("*", "", "") if body == "?" else body.partition("-")
        try:
            start = low if first == "*" else _cron_number(first, name, low)
            end = _cron_number(last, name, low) if dash else high if first == "*" or step else start
            by = int(step) if step else 1
        except ValueError:
            raise ValueError(
                f'schedule field {name}: want numbers from {low} to {high}, got "{text}"'
            ) from None
        if not low <= start <= end <= high or by < 1:
            raise ValueError(f'schedule field {name}: want numbers from {low} to {high}, got "{text}"')
        found.update(range(start, end + 1, by))
    return frozenset(found)


def _cron_number(text: str, name: str, low: int) -> int:
    names = _NAMES.get(name, ())
    return names.index(text.upper()) + low if text.upper() in names else int(text)
