"""How far a column's distribution is from the baseline's (contract 5.3).

`COMPATIBLE` computes what the closed analyzer computes, in which repeated values count once (5.4), so
that a column of few distinct values can never drift. `CORRECT` adds the weights of equal values up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from watchkeeper.core.statistics.sketch import Sketch
from watchkeeper.core.values import Undefined


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
    """0 for equal distributions, at most 1; larger is further apart."""

    value: float


def numerical(left: Sketch, right: Sketch, method: Method, mode: Mode) -> Distance | Undefined:
    """Kolmogorov-Smirnov: the greatest difference of the two cumulative shares over all values of either.

    Undefined when one of the two is empty.

    >>> numerical(Sketch(((1, 2, 3, 4),)), Sketch(((2, 3, 4, 5),)), Method.SIMPLE, Mode.CORRECT)
    Distance(value=0.25)
    """
    if not left.weight or not right.weight:
        return Undefined("no numbers to compare")
    ours, theirs = (sketch.ranks(collapse=mode is Mode.COMPATIBLE) for sketch in (left, right))
    keys = np.union1d(ours.values, theirs.values)
    apart = np.abs(ours.up_to(keys) / ours.total - theirs.up_to(keys) / theirs.total)
    return _distance(float(apart.max()), (ours.total, theirs.total), method, mode)


def categorical(
    left: Sequence[tuple[str, int]], right: Sequence[tuple[str, int]], method: Method, mode: Mode
) -> Distance | Undefined:
    """Greatest difference of a value's two shares, over the values of either.

    `left` and `right` are values with their counts; Undefined when one has none.
    """
    ours, theirs = dict(left), dict(right)
    n, m = sum(ours.values()), sum(theirs.values())
    if not n or not m:
        return Undefined("no values to compare")
    apart = max(abs(ours.get(value, 0) / n - theirs.get(value, 0) / m) for value in sorted({*ours, *theirs}))
    return _distance(apart, (n, m), method, mode)


def _distance(simple: float, sizes: tuple[float, float], method: Method, mode: Mode) -> Distance:
    n, m = sizes
    found = simple
    if method is Method.ROBUST:
        found = max(0.0, simple - 1.8 * math.sqrt((n + m) / (n * m)))
    return Distance(found if mode is Mode.COMPATIBLE else float(f"{found:.12g}"))
