"""HyperLogLog: how many distinct hashes there were, from 2**14 small registers.

Flajolet, Fusy, Gandouet and Meunier (2007); the estimator is Ertl's, "New cardinality estimation
algorithms for HyperLogLog sketches" (2017), which needs no correction for small or large counts.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

PRECISION = 14
REGISTERS = 1 << PRECISION
STANDARD_ERROR = 1.04 / math.sqrt(REGISTERS)  # 0.81 %
_RANKS = 64 - PRECISION  # a register holds 0 to _RANKS + 1


def registers_of(hashes: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Per register the greatest rank: one more than the leading zeros of the bits that did not choose it."""
    place = hashes >> np.uint64(_RANKS)
    rest = (hashes << np.uint64(PRECISION)) | np.uint64(1 << (PRECISION - 1))
    rank = (65 - np.frexp(rest.astype(np.float64))[1]).astype(np.uint8)
    found = np.zeros(REGISTERS, np.uint8)
    np.maximum.at(found, place.astype(np.intp), rank)
    return found


def estimate(registers: NDArray[np.uint8]) -> float:
    """About how many distinct hashes there were; 0.0 for empty registers."""
    counts = np.bincount(registers, minlength=_RANKS + 2).tolist()
    if counts[0] == REGISTERS:
        return 0.0
    spread = REGISTERS * _tau(1.0 - counts[_RANKS + 1] / REGISTERS)
    for rank in range(_RANKS, 0, -1):
        spread = 0.5 * (spread + counts[rank])
    spread += REGISTERS * _sigma(counts[0] / REGISTERS)
    return REGISTERS * REGISTERS / (2.0 * math.log(2.0) * spread)


def _sigma(x: float) -> float:
    """x + the sum over k from 1 of x**(2**k) * 2**(k-1), for x below 1."""
    total, weight, before = x, 1.0, -1.0
    while total != before:
        x, before = x * x, total
        total += x * weight
        weight += weight
    return total


def _tau(x: float) -> float:
    """A third of 1 - x - the sum over k from 1 of (1 - x**(2**-k))**2 * 2**-k."""
    if x in (0.0, 1.0):
        return 0.0
    total, weight, before = 1.0 - x, 1.0, -1.0
    while total != before:
        x, before = math.sqrt(x), total
        weight *= 0.5
        total -= (1.0 - x) ** 2 * weight
    return total / 3.0
