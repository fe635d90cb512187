"""How far a column's distribution is from the baseline's, by the contract's own measures (5.3).

`COMPATIBLE` computes what the closed analyzer computes, in which repeated values count once (5.4), so
that a column of few distinct values can never drift. `CORRECT` adds the weights of equal values up.
The methods beyond the contract's are in the folder `drift`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from watchkeeper.core.statistics.sketch import Sketch
from watchkeeper.core.values import Undefined

CHANCE = 1.8  # c(0.003), rounded as Deequ has it
ALPHA = 0.003  # how often chance alone may say drift


class Mode(StrEnum):
    """Whose arithmetic: the closed analyzer's, or the right one."""

    CORRECT = "correct"
    COMPATIBLE = "compatible"


class Method(StrEnum):
    """The contract's comparison methods: `Robust` takes off what chance alone may give."""

    SIMPLE = "Simple"
    ROBUST = "Robust"


@dataclass(frozen=True, slots=True, order=True)
class Distance:
    """0 for equal distributions; larger is further apart."""

    value: float


@dataclass(frozen=True, slots=True, order=True)
class PValue:
    """How often chance alone gives a difference this large, 0 to 1; smaller is further apart."""

    value: float


Counts = Sequence[tuple[str, int]]


def numerical(
    left: Sketch, right: Sketch, method: Method, mode: Mode, alpha: float | None = None
) -> Distance | Undefined:
    """Kolmogorov-Smirnov: the greatest difference of the two cumulative shares over all values of either.

    `alpha` is for `Robust`: how often chance alone may exceed what is taken off; None is the contract's
    constant 1.8, about 0.003. Undefined when one of the two is empty.

    >>> numerical(Sketch(((1, 2, 3, 4),)), Sketch(((2, 3, 4, 5),)), Method.SIMPLE, Mode.CORRECT)
    Distance(value=0.25)
    """
    if not left.weight or not right.weight:
        return Undefined("no numbers to compare")
    ours, theirs = (sketch.ranks(collapse=mode is Mode.COMPATIBLE) for sketch in (left, right))
    keys = np.union1d(ours.values, theirs.values)
    apart = np.abs(ours.up_to(keys) / ours.total - theirs.up_to(keys) / theirs.total)
    taken_off = chance(ours.total, theirs.total, alpha) if method is Method.ROBUST else 0.0
    return _distance(float(apart.max()), taken_off, mode)


def categorical(
    left: Counts, right: Counts, method: Method, mode: Mode, alpha: float | None = None
) -> Distance | Undefined:
    """Greatest difference of a value's two shares, over the values of either.

    `left` and `right` are values with their counts; Undefined when one has none. `alpha` as in `numerical`.
    """
    ours, theirs = dict(left), dict(right)
    n, m = sum(ours.values()), sum(theirs.values())
    if not n or not m:
        return Undefined("no values to compare")
    apart = max(abs(ours.get(value, 0) / n - theirs.get(value, 0) / m) for value in sorted({*ours, *theirs}))
    return _distance(apart, chance(n, m, alpha) if method is Method.ROBUST else 0.0, mode)


def chance(n: float, m: float, alpha: float | None = None) -> float:
    """The difference of cumulative shares that two samples of one distribution exceed with chance `alpha`.

    `n` and `m` are rows, above 0. Formula: Knuth, The Art of Computer Programming 2, 3.3.1 (15),
    c(alpha) * sqrt((n + m) / (n * m)) with c(alpha) = sqrt(-ln(alpha / 2) / 2).

    >>> round(chance(500, 500), 4), round(chance(500, 500, alpha=0.003), 4)
    (0.1138, 0.114)
    """
    factor = CHANCE if alpha is None else math.sqrt(-math.log(alpha / 2) * 1 / 2)
    return factor * math.sqrt((n + m) / (n * m))


def verdict_digits(value: float) -> float:
    """The 12 significant digits that a figure of a verdict carries in correct mode."""
    return float(f"{value:.12g}")


def _distance(simple: float, taken_off: float, mode: Mode) -> Distance:
    found = max(0.0, simple - taken_off)
    return Distance(found if mode is Mode.COMPATIBLE else verdict_digits(found))
