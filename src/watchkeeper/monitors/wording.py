"""Numbers as the contract's texts and files spell them."""

from __future__ import annotations

import math
from decimal import Decimal


def double_text(value: float) -> str:
    """The shortest text that reads back as this double, spelled as the JVM does (contract 0.4).

    At least one decimal; from 1e7 on, and below 1e-3, with `E` and an exponent without a plus.
    Raises ValueError for NaN and infinities.

    >>> double_text(231), double_text(1e-05), double_text(12345678.0)
    ('231.0', '1.0E-5', '1.2345678E7')
    """
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"spell a number: want a finite one, got {number}")
    if number == 0.0 or 1e-3 <= abs(number) < 1e7:
        return repr(number)  # Python spells these alike
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    text = "".join(map(str, digits))
    return f"{'-' if sign else ''}{text[0]}.{text[1:] or '0'}E{int(exponent) + len(digits) - 1}"


def percent_text(share: float) -> str:
    """A share of 0 to 1 as the contract's texts print it.

    >>> percent_text(1970 / 1977)
    '99.64592817400101%'
    """
    return f"{double_text(100 * share)}%"
