"""Checks of a column that the contract has not, or records and does not evaluate: correct mode only."""

from __future__ import annotations

import math

from watchkeeper.core.statistics.distances import ALPHA
from watchkeeper.monitors.data_quality_drift import Subject
from watchkeeper.monitors.data_quality_values import FeatureStatistics, NumericalStatistics, Range
from watchkeeper.monitors.finding import SHOWN, Finding
from watchkeeper.monitors.wording import double_text, percent_text

TOLERANCE = 0.5  # of the baseline's width, that a number may lie beyond its extremes
FAR = 3.0  # extremes further out than this many widths of the middle 98 % promise no next extreme


def non_negative(subject: Subject) -> Finding | None:
    """`is_non_negative`, evaluated: the contract only records it."""
    numerical = subject.seen.numerical
    if not subject.asked.is_non_negative or numerical is None or numerical.summary.min >= 0:
        return None
    least, count = numerical.summary.min, numerical.num_negative
    many = "" if count is None else f"{count} of {subject.seen.num_present} values are below it, "
    text = (
        f"Non-negative requirement is not met. Expected: No value below 0.0. "
        f"Observed: {many}the least is {double_text(least)}."
    )
    return Finding(text, least, 0.0)


def out_of_range(subject: Subject) -> Finding | None:
    """New extremes, beyond those of the baseline by the tolerance that its range has."""
    numerical, asked = subject.seen.numerical, subject.asked.range
    if asked is None or numerical is None:
        return None
    low, high = numerical.summary.min, numerical.summary.max
    if asked.low <= low and high <= asked.high:
        return None
    text = (
        f"Numeric range requirement is not met. Expected: {double_text(asked.low)} to "
        f"{double_text(asked.high)}. Observed: {double_text(low)} to {double_text(high)}."
    )
    return Finding(text, low if low < asked.low else high, asked.low if low < asked.low else asked.high)


def vanished(subject: Subject) -> Finding | None:
    """Values common in the baseline of which there is not a single row, where chance cannot be why.

    Of k rows with a value in n + m rows, all lie among the baseline's n with a chance of about
    (n / (n + m)) ** k; that has to be below `ALPHA`.
    """
    before, seen = subject.before, subject.seen
    wanted = subject.constraints.dataset.vanished_share
    if wanted is None or before is None or before.string is None or not seen.string or seen.string.error:
        return None
    n, m = before.string.total, seen.string.total
    there = {value for value, _ in seen.string.counts}
    least = max(wanted * n, -math.log(ALPHA) / math.log((n + m) / n)) if n and m else math.inf
    gone = [(v, count) for v, count in before.string.counts if v not in there and count >= least]
    if not gone:
        return None
    shown = sorted(gone, key=lambda pair: (-pair[1], pair[0]))
    named = ", ".join(f'"{value}" ({percent_text(count / n)})' for value, count in shown[:SHOWN])
    more = f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
    text = (
        f"Vanished values requirement is not met. Expected: Every value with at least {percent_text(wanted)} "
        f"of the baseline. Observed: None of {m} values is {named}{more}."
    )
    return Finding(text, shown[0][1] / n, wanted)


def suggested_range(feature: FeatureStatistics) -> Range | None:
    """The baseline's range and half its width on either side.

    None for a constant column, whose drift says as much, and for one with extremes far out: of such a
    column the next extreme says nothing.
    """
    numerical = feature.numerical
    if numerical is None or not numerical.sketch.weight or _far_out(numerical):
        return None
    low, high = numerical.summary.min, numerical.summary.max
    room = TOLERANCE * (high - low)
    suggested = Range(low - room, high + room)
    return suggested if room > 0 and math.isfinite(suggested.high - suggested.low) else None


def _far_out(numerical: NumericalStatistics) -> bool:
    low, high = numerical.sketch.quantile(0.01), numerical.sketch.quantile(0.99)
    allowed = FAR * (high - low)
    return numerical.summary.min < low - allowed or numerical.summary.max > high + allowed
