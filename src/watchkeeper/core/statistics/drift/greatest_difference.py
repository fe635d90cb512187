"""The contract's distances on true counts: the greatest difference of two (cumulative) shares."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from watchkeeper.core.statistics import distances
from watchkeeper.core.statistics.distances import Counts, Distance, Method, Mode, chance
from watchkeeper.core.statistics.drift.comparison import Comparison, DriftMethod, unknown
from watchkeeper.core.statistics.sketch import Sketch
from watchkeeper.core.values import Undefined

_EFFECT = (
    "greatest difference of cumulative shares (numbers) or of shares (texts), before chance is taken off"
)


def _numerical(method: Method, baseline: Sketch, data: Sketch, threshold: float) -> Comparison:
    found = distances.numerical(baseline, data, method, Mode.CORRECT)
    return _judged(method, found, (baseline.weight, data.weight), threshold)


def _categorical(method: Method, baseline: Counts, data: Counts, threshold: float) -> Comparison:
    found = distances.categorical(baseline, data, method, Mode.CORRECT)
    sizes = sum(count for _, count in baseline), sum(count for _, count in data)
    return _judged(method, found, sizes, threshold)


def _judged(
    method: Method, found: Distance | Undefined, sizes: tuple[int, int], threshold: float
) -> Comparison:
    """Undefined where not even two distributions without a common value would be drift."""
    smallest = threshold + (chance(*sizes) if method is Method.ROBUST else 0.0)
    if method is Method.ROBUST and threshold < 1.0 <= smallest:
        reason = f"too few rows: no difference of {sizes[0]} and {sizes[1]} rows could be told from chance"
        return unknown(reason, *sizes, threshold)
    return Comparison(found, threshold, *sizes, smallest)


def _method(method: Method) -> DriftMethod:
    numbers: Callable[[Sketch, Sketch, float], Comparison] = partial(_numerical, method)
    texts: Callable[[Counts, Counts, float], Comparison] = partial(_categorical, method)
    return DriftMethod(method.value, Distance, 0.1, _EFFECT, numbers, texts)


SIMPLE = _method(Method.SIMPLE)
ROBUST = _method(Method.ROBUST)
