"""Texts as they come in a file or a request, read as numbers.

Each function takes one text that is not empty and returns a finite float, or raises ValueError.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
_YEARS = re.compile(r"(\d{1,3})(?: years?(?: (\d{1,2}) months?)?)?")
_BAND = re.compile(r"(\d{1,3}) TO (\d{1,3})")
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


def number(text: str) -> float:
    """A decimal number; `nan`, `inf` and digit separators, which Python would take, are none, nor is 1e999.

    >>> number("44.5")
    44.5
    """
    if not _NUMBER.fullmatch(text) or not math.isfinite(value := float(text)):
        raise ValueError(f'want a number, got "{text}"')
    return value


def json_number(text: str) -> int | float:
    """A number as JSON would say it: a whole one without a point, however it is written.

    >>> json_number("044"), json_number("4.50"), json_number("4e3")
    (44, 4.5, 4000.0)
    """
    value = number(text)
    digits = text.strip().lstrip("+-")
    return int(text) if digits.isdigit() and len(digits) < 16 else value


def years(text: str) -> float:
    """Years of a span, in each of the spellings HDB has used.

    >>> [years(t) for t in ("61 years 06 months", "61 years 03 months", "61 years", "61")]
    [61.5, 61.25, 61.0, 61.0]
    """
    match = _YEARS.fullmatch(text)
    months = int(match[2] or 0) if match else 12
    if match is None or months > 11:
        raise ValueError(f'want a span such as "61 years 04 months", "61 years" or "61", got "{text}"')
    return int(match[1]) + months / 12


def band(text: str) -> float:
    """Middle of a band, both ends included.

    >>> band("04 TO 06")
    5.0
    """
    match = _BAND.fullmatch(text)
    if match is None or int(match[1]) > int(match[2]):
        raise ValueError(f'want a band such as "04 TO 06", got "{text}"')
    return (int(match[1]) + int(match[2])) / 2


def month(text: str) -> float:
    """Months since the year 0, so that neighbouring months differ by one.

    >>> month("2020-01") - month("2019-12")
    1.0
    """
    match = _MONTH.fullmatch(text)
    if match is None:
        raise ValueError(f'want a month as YYYY-MM, got "{text}"')
    return float(int(match[1]) * 12 + int(match[2]) - 1)


PARSERS: Mapping[str, Callable[[str], float]] = {
    "number": number,
    "years": years,
    "band": band,
    "month": month,
}
