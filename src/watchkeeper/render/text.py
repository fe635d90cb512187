"""Numbers, dates and lists as people read them. Machines get `core.encoding` instead."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from watchkeeper.core.windows import Window, add_months, month_start

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
MINUS, DASH = "\u2212", "\u2013"
_LONG_NUMBER = re.compile(r"-?\d+\.\d{4,}(?:[eE][-+]?\d+)?")


def whole(value: float) -> str:
    """A count or an amount without its fraction: `1,065`, `26,431`, `−12`.

    >>> whole(1234.5)
    '1,234'
    """
    return _sign(f"{value:,.0f}")


def decimal(value: float, places: int = 3) -> str:
    """A number with a fixed count of places: `0.958`.

    >>> decimal(0.12345)
    '0.123'
    """
    return _sign(f"{value:,.{places}f}")


def share(value: float, places: int = 1) -> str:
    """A share as per cent: 0.0513 is `5.1%`.

    >>> share(0.051)
    '5.1%'
    """
    return _sign(f"{value * 100:,.{places}f}%")


def signed_share(value: float, places: int = 1) -> str:
    """A share as per cent with its sign: `+1.2%`, `−0.4%`; what rounds to nothing has none.

    >>> signed_share(-0.02)
    '−2.0%'
    """
    text = share(value, places)
    return (
        text if text.startswith(MINUS) or not value or float(text[:-1].replace(",", "")) == 0 else f"+{text}"
    )


def times(value: float) -> str:
    """A ratio to a baseline: `1.31×`.

    >>> times(1.314)
    '1.31×'
    """
    return f"{decimal(value, 2)}×"


def amount(value: float, unit: str = "") -> str:
    """An amount with three significant digits or more, and its unit: `26,431 SGD`, `0.132`.

    >>> amount(28740.2, "SGD")
    '28,740 SGD'
    """
    size = abs(value)
    text = whole(value) if size >= 100 else decimal(value, 1 if size >= 10 else 2 if size >= 1 else 3)
    return f"{text} {unit}".strip()


def count(number: int, noun: str, plural: str = "") -> str:
    """A count and its noun: `1 alert`, `2 alerts`, `no alerts`.

    >>> count(1, "row"), count(2, "row")
    ('1 row', '2 rows')
    """
    several = plural or f"{noun}s"
    return f"{whole(number) if number else 'no'} {noun if number == 1 else several}"


def spelled(number: int, noun: str, plural: str = "") -> str:
    """As `count`, for running text: up to nine in words, `one alert`, `12 alerts`.

    >>> spelled(3, "alert")
    'three alerts'
    """
    said = count(number, noun, plural)
    return f"{NUMBERS[number - 1]} {said.split(' ', 1)[1]}" if 1 <= number <= len(NUMBERS) else said


def sentence(said: str) -> str:
    """The text with a capital first letter.

    >>> sentence("two checks did not hold")
    'Two checks did not hold'
    """
    return said[:1].upper() + said[1:]


def listing(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`.

    >>> listing(["a", "b", "c"])
    'a, b and c'
    """
    *head, last = items or ("",)
    return f"{', '.join(head)} and {last}" if head else last


def month_text(month: str) -> str:
    """`2020-01` as `January 2020`.

    >>> month_text("2020-01")
    'January 2020'
    """
    time = month_start(month)
    return f"{MONTHS[time.month - 1]} {time.year}"


def month_short(month: str) -> str:
    """`2020-01` as `Jan 2020`.

    >>> month_short("2020-01")
    'Jan 2020'
    """
    time = month_start(month)
    return f"{MONTHS[time.month - 1][:3]} {time.year}"


def months_text(first: str, last: str) -> str:
    """`January 2020`, or `January 2020 to December 2022`.

    >>> months_text("2020-01", "2020-06")
    'January 2020 to June 2020'
    """
    return month_text(first) if first == last else f"{month_text(first)} to {month_text(last)}"


def day_text(time: datetime) -> str:
    """`1 Mar 2020`, in UTC."""
    utc = time.astimezone(UTC)
    return f"{utc.day} {MONTHS[utc.month - 1][:3]} {utc.year}"


def time_text(time: datetime) -> str:
    """`1 Mar 2020, 00:00` in UTC; the page says once that all times are UTC."""
    return f"{day_text(time)}, {time.astimezone(UTC):%H:%M}"


def window_text(window: Window) -> str:
    """A calendar month by its name; any other window by its two ends."""
    start, end = window.start.astimezone(UTC), window.end.astimezone(UTC)
    begins = (start.day, start.hour, start.minute, start.second, start.microsecond) == (1, 0, 0, 0, 0)
    if begins and add_months(start, 1) == end:
        return f"{MONTHS[start.month - 1]} {start.year}"
    return f"{time_text(start)} {DASH} {time_text(end)}"


def seconds_text(seconds: float) -> str:
    """`0.4 s`, `12.3 s`, `3 min 05 s`.

    >>> seconds_text(90.0)
    '1 min 30 s'
    """
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def short_hash(digest: str) -> str:
    """The first ten characters of a digest, enough to compare by eye.

    >>> short_hash("0123456789abcdef" * 4)
    '0123456789'
    """
    return digest.removeprefix("sha256:")[:10]


def rounded(description: str) -> str:
    """A contract description with its long fractions cut to three significant digits, or as many as tell
    them apart.

    >>> rounded("Baseline drift distance: 0.30791265775509713 exceeds threshold: 0.1")
    'Baseline drift distance: 0.308 exceeds threshold: 0.1'
    >>> rounded("Expected: 98.99394230769231%. Observed: Only 98.99328846153847%.")
    'Expected: 98.994%. Observed: Only 98.993%.'
    """
    numbers = {float(number) for number in _LONG_NUMBER.findall(description)}
    enough = (n for n in range(3, 17) if len({_significant(each, n) for each in numbers}) == len(numbers))
    digits = next(enough, 17)
    return _LONG_NUMBER.sub(lambda match: _significant(float(match[0]), digits), description)


def words(name: str) -> str:
    """A name in camel case as words: `AwaitingLabels` is `awaiting labels`.

    >>> words("num_missing")
    'num_missing'
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _significant(value: float, digits: int) -> str:
    return _sign(f"{value:,.0f}" if abs(value) >= 10**digits else f"{value:,.{digits}g}")


def _sign(text: str) -> str:
    if text.startswith("-") and not any(c in "123456789" for c in text):
        return text[1:]
    return text.replace("-", MINUS, 1) if text.startswith("-") else text
