"""Kolmogorov-Smirnov and Cramér-von Mises: p-values from two cumulative distributions."""

from __future__ import annotations

import math

import numpy as np

from watchkeeper.core.statistics.distances import PValue
from watchkeeper.core.statistics.drift.comparison import Comparison, DriftMethod, rows_counted
from watchkeeper.core.statistics.drift.probability import (
    cramer_von_mises_tail,
    critical,
    kolmogorov_tail,
)
from watchkeeper.core.statistics.sketch import Sketch


def kolmogorov_smirnov(baseline: Sketch, data: Sketch) -> tuple[float, float]:
    """Statistic D, the greatest difference of the cumulative shares, and its two-sided p-value.

    With e = nm / (n + m), p is Kolmogorov's limit at D * (sqrt(e) + 0.12 + 0.11 / sqrt(e)), Stephens'
    (1970) correction for finite samples. Values that repeat make p too large, never too small.
    """
    before, now = baseline.ranks(), data.ranks()
    keys = np.union1d(before.values, now.values)
    statistic = float(np.abs(before.up_to(keys) / before.total - now.up_to(keys) / now.total).max())
    return statistic, kolmogorov_tail(statistic * _stephens(_effective(baseline, data)))


def cramer_von_mises(baseline: Sketch, data: Sketch) -> tuple[float, float]:
    """Statistic T, the summed squared difference of the cumulative shares, and its p-value.

    T = nm / (n + m)**2 times the sum of (F - G)**2 over all values of both; p is the limit's tail at T
    brought to the limit's mean and variance (Anderson 1962). Meant for values that hardly repeat.
    """
    before, now = baseline.ranks(), data.ranks()
    keys = np.union1d(before.values, now.values)
    f, g = before.up_to(keys) / before.total, now.up_to(keys) / now.total
    n, m = rows_counted(baseline), rows_counted(data)
    share = (n * np.diff(f, prepend=0.0) + m * np.diff(g, prepend=0.0)) / (n + m)
    statistic = n * m / (n + m) * float((share * (f - g) ** 2).sum())
    return statistic, cramer_von_mises_tail(_standardised(statistic, n, m))


def _standardised(statistic: float, n: float, m: float) -> float:
    mean, deviation = _moments(n, m)
    return 1 / 6 + (statistic - mean) / (math.sqrt(45) * deviation)


def _moments(n: float, m: float) -> tuple[float, float]:
    """Mean and standard deviation of T for two samples of one distribution (Anderson 1962, 14 and 15)."""
    rows, product = n + m, n * m
    variance = (rows + 1) * (4 * product * rows - 3 * (n * n + m * m) - 2 * product)
    return (1 + 1 / rows) / 6, math.sqrt(variance / (45 * rows * rows * 4 * product))


def _effective(baseline: Sketch, data: Sketch) -> float:
    n, m = rows_counted(baseline), rows_counted(data)
    return n * m / (n + m)


def _stephens(effective: float) -> float:
    root = math.sqrt(effective)
    return root + 0.12 + 0.11 / root


def _by_kolmogorov(baseline: Sketch, data: Sketch, threshold: float) -> Comparison:
    _, chance = kolmogorov_smirnov(baseline, data)
    smallest = critical(kolmogorov_tail, threshold) / _stephens(_effective(baseline, data))
    return Comparison(PValue(chance), threshold, baseline.weight, data.weight, smallest)


def _by_cramer(baseline: Sketch, data: Sketch, threshold: float) -> Comparison:
    _, chance = cramer_von_mises(baseline, data)
    n, m = rows_counted(baseline), rows_counted(data)
    least = critical(lambda t: cramer_von_mises_tail(_standardised(t, n, m)), threshold)
    smallest = math.sqrt(least * (n + m) / (n * m))
    return Comparison(PValue(chance), threshold, baseline.weight, data.weight, smallest)


KOLMOGOROV_SMIRNOV = DriftMethod(
    "KolmogorovSmirnov", PValue, 0.003, "greatest difference of cumulative shares", _by_kolmogorov
)
CRAMER_VON_MISES = DriftMethod(
    "CramerVonMises", PValue, 0.003, "root mean square difference of cumulative shares", _by_cramer
)
