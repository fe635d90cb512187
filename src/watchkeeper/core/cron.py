"""Schedules: cron expressions of AWS and of Unix, in any time zone.

Sources: docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html for `cron(...)`, the
man page crontab(5) for five bare fields.
"""

from __future__ import annotations

import calendar
import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_BOUNDS = {
    "minute": (0, 59),
    "hour": (0, 23),
    "day of month": (1, 31),
    "month": (1, 12),
    "day of week": (1, 7),
    "weekday": (0, 7),
    "year": (1970, 2199),
}
_NAMES = {
    "month": ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
    "day of week": ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"),
    "weekday": ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"),
}
_NICKNAMES = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip
_SEARCH = 366 * 9  # days that are looked through: 29 February may be eight years away
_WANTED = 'want a schedule such as "cron(0 0 1 * ? *)" or "0 0 1 * *", a time zone after it or none'

DayRule = Callable[[date], bool]


@dataclass(frozen=True, slots=True)
class Cron:
    """A schedule: AWS's `cron(minute hour day month weekday year)`, Unix' five fields, or `@daily`.

    Fields take numbers, names, `*`, `?`, lists, ranges and steps; in AWS's form days also `L` (the last),
    `L-3`, `15W` (the nearest weekday), `LW`, weekdays also `6L` (the last Friday) and `MON#1` (the first
    Monday). In AWS's form 1 is Sunday and a day must fit both day fields; in Unix' 0 and 7 are, and a day
    fits when it fits either of two that are restricted. The name of a time zone may follow; without one it is
    UTC. A local time that a change of clocks skips does not come; one that comes twice comes the first time.

    >>> monthly = Cron.parse("cron(0 0 1 * ? *)")
    >>> monthly.next(datetime(2020, 1, 1, tzinfo=UTC)).isoformat()
    '2020-02-01T00:00:00+00:00'
    >>> Cron.parse("0 8 * * 1-5 Asia/Singapore").next(datetime(2020, 1, 4, tzinfo=UTC)).isoformat()
    '2020-01-06T00:00:00+00:00'
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Read an expression. Raises ValueError that names the field when one cannot be read."""
        _read(text)
        return cls(text)

    def next(self, after: datetime) -> datetime:
        """The first time of the schedule that is later than `after`, in UTC."""
        plan = _plan(self.text)
        with contextlib.suppress(OverflowError):  # beyond the years that there are
            day = after.astimezone(plan.zone).date() - timedelta(days=1)  # a zone's clock may be set back
            for _ in range(_SEARCH):
                for time in plan.times_of(day):
                    if time > after:
                        return time
                day += timedelta(days=1)
        raise ValueError(f"schedule {self.text} never comes due")

    def previous(self, before: datetime) -> datetime:
        """The last time of the schedule that is earlier than `before`, in UTC."""
        plan = _plan(self.text)
        with contextlib.suppress(OverflowError):
            day = before.astimezone(plan.zone).date() + timedelta(days=1)
            for _ in range(_SEARCH):
                for time in reversed(plan.times_of(day)):
                    if time < before:
                        return time
                day -= timedelta(days=1)
        raise ValueError(f"schedule {self.text} never came due")

    def for_scheduler(self) -> tuple[str, str]:
        """The expression as EventBridge Scheduler takes it, and the time zone.

        Raises ValueError where it cannot say it: of two day fields one must be open there.

        >>> Cron.parse("0 8 * * 1-5 Asia/Singapore").for_scheduler()
        ('cron(0 8 ? * MON,TUE,WED,THU,FRI *)', 'Asia/Singapore')
        """
        fields, zone, of_aws = _fields(self.text)
        minutes, hours, days, months, weekdays = fields[:5]
        year = fields[5] if fields[5:] else "*"
        if not of_aws and weekdays != "*":
            numbers = sorted({each % 7 for each in _values(weekdays, "weekday")})
            weekdays = "*" if len(numbers) == 7 else ",".join(_NAMES["weekday"][each] for each in numbers)
        if weekdays in ("*", "?"):
            days, weekdays = ("*" if days == "?" else days), "?"
        elif days in ("*", "?"):
            days = "?"
        else:
            raise ValueError(
                f'schedule "{self.text}": EventBridge Scheduler takes a day of the month or of the week, '
                "not both"
            )
        return f"cron({minutes} {hours} {days} {months} {weekdays} {year})", zone or "UTC"

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class _Plan:
    """An expression, read: which days, at which times of them, in which zone."""

    on_day: DayRule
    hours: tuple[int, ...]
    minutes: tuple[int, ...]
    zone: ZoneInfo

    def times_of(self, day: date) -> tuple[datetime, ...]:
        """The times of a local day, in order, in UTC."""
        if not self.on_day(day):
            return ()
        found = []
        for hour in self.hours:
            for minute in self.minutes:
                local = datetime.combine(day, time_of_day(hour, minute), self.zone)
                time = local.astimezone(UTC)
                if time.astimezone(self.zone).replace(tzinfo=None) == local.replace(tzinfo=None):
                    found.append(time)
        return tuple(sorted(found))


_PLANS: dict[str, _Plan] = {}


def _plan(text: str) -> _Plan:
    """Each expression is read once; a schedule is asked for its times again and again."""
    if text not in _PLANS:
        _PLANS[text] = _read(text)
    return _PLANS[text]


def _read(text: str) -> _Plan:
    fields, zone, of_aws = _fields(text)
    return (_aws if of_aws else _unix)(fields, _zone(zone, text))


def _fields(text: str) -> tuple[list[str], str, bool]:
    """An expression's fields, the name of its time zone, and whether it is in AWS's form."""
    stripped = text.strip()
    aws = re.fullmatch(r"cron\((.*)\)\s*(\S*)", stripped)
    words = aws[1].split() if aws else stripped.split()
    if not aws and words and words[0] in _NICKNAMES:
        words = [*_NICKNAMES[words[0]].split(), *words[1:]]
    if len(words) not in (5, 6):
        raise ValueError(f'{_WANTED}, got "{text}"')
    return (words, aws[2], True) if aws else (words[:5], "".join(words[5:]), False)


def _zone(name: str, text: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f'schedule "{text}": want the name of a time zone such as Asia/Singapore, got "{name}"'
        ) from None


def _aws(fields: list[str], zone: ZoneInfo) -> _Plan:
    minutes, hours, days, months, weekdays = fields[:5]
    in_month = _values(months, "month")
    in_year = None if fields[5:] in ([], ["*"], ["?"]) else _values(fields[5], "year")
    rules = [_any(days, _day_of_month, "day of month"), _any(weekdays, _day_of_week, "day of week")]

    def on_day(day: date) -> bool:
        return (
            day.month in in_month
            and (in_year is None or day.year in in_year)
            and all(rule(day) for rule in rules)
        )

    return _Plan(on_day, _sorted(hours, "hour"), _sorted(minutes, "minute"), zone)


def _unix(fields: list[str], zone: ZoneInfo) -> _Plan:
    minutes, hours, days, months, weekdays = fields
    in_month, in_days = _values(months, "month"), _values(days, "day of month")
    in_week = {each % 7 for each in _values(weekdays, "weekday")}
    either = not days.startswith("*") and not weekdays.startswith("*")

    def on_day(day: date) -> bool:
        fits = (day.day in in_days, day.isoweekday() % 7 in in_week)
        return day.month in in_month and (any(fits) if either else all(fits))

    return _Plan(on_day, _sorted(hours, "hour"), _sorted(minutes, "minute"), zone)


def _any(text: str, reads: Callable[[str], DayRule | None], name: str) -> DayRule:
    """A day that fits one of a list's items: those that only days have, or plain numbers."""
    plain, rules = [], []
    for item in text.split(","):
        rule = reads(item.upper())
        if rule is None:
            plain.append(item)
        else:
            rules.append(rule)
    numbers = _values(",".join(plain), name) if plain else frozenset[int]()
    place = (lambda day: day.day) if name == "day of month" else _weekday
    return lambda day: place(day) in numbers or any(rule(day) for rule in rules)


def _day_of_month(item: str) -> DayRule | None:
    if item == "LW":
        return lambda day: day == _nearest_weekday(_last(day), day)
    if match := re.fullmatch(r"L(?:-(\d{1,2}))?", item):
        back = int(match[1] or 0)
        return lambda day: day.day == _last(day) - back
    if match := re.fullmatch(r"(\d{1,2})W", item):
        number = _within(int(match[1]), "day of month", item)
        return lambda day: number <= _last(day) and day == _nearest_weekday(number, day)
    return None


def _day_of_week(item: str) -> DayRule | None:
    if item == "L":
        return lambda day: _weekday(day) == 7
    if match := re.fullmatch(r"(\w+)L", item):
        last = _within(_number(match[1], "day of week", item), "day of week", item)
        return lambda day: _weekday(day) == last and day.day > _last(day) - 7
    if match := re.fullmatch(r"(\w+)#([1-5])", item):
        wanted, number = _within(_number(match[1], "day of week", item), "day of week", item), int(match[2])
        return lambda day: _weekday(day) == wanted and (day.day - 1) // 7 + 1 == number
    return None


def _weekday(day: date) -> int:
    """AWS's number of a weekday: 1 is Sunday."""
    return day.isoweekday() % 7 + 1


def _last(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_weekday(number: int, month: date) -> date:
    """The weekday nearest to a day of a month, within that month."""
    day = month.replace(day=number)
    if day.isoweekday() == 6:
        return day - timedelta(days=1) if number > 1 else day + timedelta(days=2)
    if day.isoweekday() == 7:
        return day + timedelta(days=1) if number < _last(month) else day - timedelta(days=2)
    return day


def _sorted(text: str, name: str) -> tuple[int, ...]:
    return tuple(sorted(_values(text, name)))


def _values(text: str, name: str) -> frozenset[int]:
    """The numbers that a field of lists, ranges and steps has."""
    low, high = _BOUNDS[name]
    return frozenset(number for item in text.split(",") for number in _item(item, name, low, high))


def _item(text: str, name: str, low: int, high: int) -> Iterator[int]:
    body, slash, step = text.partition("/")
    first, dash, last = ("*", "", "") if body == "?" else body.partition("-")
    start = low if first == "*" else _number(first, name, text)
    end = _number(last, name, text) if dash else high if first == "*" or slash else start
    by = _number(step, name, text) if slash else 1
    if not low <= start <= end <= high or by < 1:
        raise ValueError(f'schedule field {name}: want numbers from {low} to {high}, got "{text}"')
    yield from range(start, end + 1, by)


def _within(number: int, name: str, text: str) -> int:
    low, high = _BOUNDS[name]
    if not low <= number <= high:
        raise ValueError(f'schedule field {name}: want numbers from {low} to {high}, got "{text}"')
    return number


def _number(text: str, name: str, item: str) -> int:
    names = _NAMES.get(name, ())
    if text.upper() in names:
        return names.index(text.upper()) + _BOUNDS[name][0]
    if not re.fullmatch(r"\d{1,4}", text):
        low, high = _BOUNDS[name]
        raise ValueError(f'schedule field {name}: want numbers from {low} to {high}, got "{item}"')
    return int(text)
