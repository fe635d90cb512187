"""Tail probabilities and critical values, in plain arithmetic: no more than the drift methods need."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np

_RAREST = 1e-12  # no probability below it is told from another


def chi_squared_tail(statistic: float, freedom: int) -> float:
    """The chance of a chi-squared value above `statistic`, 0 to 1, for `freedom` >= 1 degrees of freedom.

    Formula: Abramowitz and Stegun 26.4.4 and 26.4.5, finite sums of positive terms.

    >>> round(chi_squared_tail(3.841458820694124, 1), 12), round(chi_squared_tail(5.991464547107979, 2), 12)
    (0.05, 0.05)
    """
    half = statistic / 2
    if half <= 0:
        return 1.0
    odd = freedom % 2
    tail = math.erfc(math.sqrt(half)) if odd else 0.0
    for step in range((freedom - odd) // 2):
        power = step + odd / 2
        tail += math.exp(power * math.log(half) - half - math.lgamma(power + 1))
    return min(1.0, tail)


def chi_squared_critical(freedom: int, chance: float) -> float:
    """The chi-squared value that chance exceeds with this probability.

    To 12 digits up to 200 degrees of freedom; beyond, by Wilson and Hilferty (1931), to some five.

    >>> round(chi_squared_critical(1, 0.05), 9), round(chi_squared_critical(10_000, 0.05), 0)
    (3.841458821, 10234.0)
    """
    if freedom <= 200:
        return critical(lambda x: chi_squared_tail(x, freedom), chance)
    part = 2 / (9 * freedom)
    normal = NormalDist().inv_cdf(1 - min(1 - _RAREST, max(_RAREST, chance)))
    return freedom * math.pow(1 - part + normal * math.sqrt(part), 3)


def kolmogorov_tail(scaled: float) -> float:
    """The chance that the limit of sqrt(n) * D exceeds `scaled`, 0 to 1 (Kolmogorov 1933).

    Two series for the same function: the alternating one converges fast above 1, the other below.

    >>> round(kolmogorov_tail(1.3580986393225505), 12)
    0.05
    """
    if scaled < 0.04:
        return 1.0
    if scaled < 1.0:
        terms = (math.exp(-(((2 * k - 1) * math.pi / scaled) ** 2) / 8) for k in range(1, 20))
        return max(0.0, 1.0 - math.sqrt(2 * math.pi) / scaled * math.fsum(terms))
    signed = ((1 if k % 2 else -1) * math.exp(-2 * (k * scaled) ** 2) for k in range(1, 20))
    return min(1.0, max(0.0, 2 * math.fsum(signed)))


def cramer_von_mises_tail(statistic: float) -> float:
    """The chance that the limit of the Cramér-von Mises statistic exceeds `statistic`, 0 to 1.

    Formula: Csörgő and Faraway (1996), (1.2). Far out the difference from 1 leaves some 1e-15.

    >>> round(cramer_von_mises_tail(0.46136), 4)
    0.05
    """
    if statistic < 0.003:
        return 1.0
    total = 0.0
    for k in range(40):
        y = 4 * k + 1
        q = y * y / (16 * statistic)
        if q > 40:  # exp(-2q) is below 1e-34
            break
        weight = math.exp(math.lgamma(k + 0.5) - math.lgamma(k + 1)) * math.sqrt(y)
        total += weight * _bessel_quarter(q)
    return min(1.0, max(0.0, 1.0 - total / (math.pi * math.sqrt(math.pi * statistic))))


def critical(tail: Callable[[float], float], chance: float) -> float:
    """The value at which a falling tail probability is `chance`, by halving; `chance` is held to 1e-12 … 1.

    >>> round(critical(lambda x: chi_squared_tail(x, 1), 0.05), 9)
    3.841458821
    """
    low, high, chance = 0.0, 1.0, min(1.0, max(_RAREST, chance))
    while tail(high) > chance:
        low, high = high, 2 * high
    while high - low > 1e-13 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle) > chance else (low, middle)
    return high


def _bessel_quarter(q: float) -> float:
    """exp(-q) times the modified Bessel function of the second kind of order 1/4, by its integral.

    Abramowitz and Stegun 9.6.24; the trapezoid rule is exact to rounding for such an integrand.
    """
    t = np.linspace(0.0, math.acosh(1 + 700 / q), 400)
    heights = np.exp(-q * (1 + np.cosh(t))) * np.cosh(t / 4)
    heights[0] /= 2
    return float(heights.sum() * (t[1] - t[0]))
