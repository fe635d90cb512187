"""Checks of the rows as a whole, in correct mode: repeated rows, age, volume, hours without a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from watchkeeper.core.values import Violation
from watchkeeper.core.windows import utc_text
from watchkeeper.monitors.data_quality_values import (
    Circumstances,
    DataQualityConstraints,
    DataQualityStatistics,
    Range,
)
from watchkeeper.monitors.finding import SHOWN
from watchkeeper.monitors.wording import double_text, percent_text

ROWS = "_rows"  # the subject of what is about no column
WINDOWS_TO_COMPARE = 3  # earlier windows it takes to know what volume is usual
VOLUME_FACTOR = 10.0  # this many times fewer or more rows than ever before are not usual
AGE_FACTOR = 2.0  # window lengths that the newest time may be old


def table_violations(
    statistics: DataQualityStatistics, constraints: DataQualityConstraints, given: Circumstances
) -> Iterator[Violation]:
    """What is wrong with the rows as a whole, as far as it is known."""
    for look in TABLE_CHECKS.values():
        yield from look(statistics, constraints, given)


def _duplicates(
    statistics: DataQualityStatistics, constraints: DataQualityConstraints, given: Circumstances
) -> Iterator[Violation]:
    allowed, rows = constraints.dataset.duplicate_share, statistics.item_count
    if allowed is None or given.duplicates is None or not rows or given.duplicates / rows <= allowed:
        return
    share = given.duplicates / rows
    text = (
        f"Duplicate rows requirement is not met. Expected: At most {percent_text(allowed)}. "
        f"Observed: {percent_text(share)} of rows repeat an earlier one."
    )
    yield Violation(ROWS, "duplicate_rows_check", text, share, allowed)


def _volume(
    statistics: DataQualityStatistics, constraints: DataQualityConstraints, given: Circumstances
) -> Iterator[Violation]:
    usual, rows = constraints.dataset.rows or usual_rows(given.earlier_rows), statistics.item_count
    if usual is None or usual.low <= rows <= usual.high:
        return
    asked = usual.low if rows < usual.low else usual.high
    text = (
        f"Volume requirement is not met. Expected: {double_text(usual.low)} to {double_text(usual.high)} "
        f"rows. Observed: {rows}."
    )
    yield Violation(ROWS, "volume_check", text, float(rows), asked)


def usual_rows(earlier: tuple[int, ...]) -> Range | None:
    """From a tenth of the fewest to ten times the most rows of the windows before; None for few windows.

    >>> usual_rows((1800, 2200, 2000))
    Range(low=180.0, high=22000.0)
    """
    if len(earlier) < WINDOWS_TO_COMPARE:
        return None
    return Range(min(earlier) / VOLUME_FACTOR, max(earlier) * VOLUME_FACTOR)


def _freshness(
    statistics: DataQualityStatistics, constraints: DataQualityConstraints, given: Circumstances
) -> Iterator[Violation]:
    """The newest time of each `time` column, not too long before the window's end and not after it."""
    if given.window is None:
        return
    asked = constraints.dataset.max_age_seconds
    length = (given.window.end - given.window.start).total_seconds()
    allowed = AGE_FACTOR * length if asked is None else asked
    for feature in statistics.features:
        if feature.time is None:
            continue
        newest, end = feature.time.latest, given.window.end
        age = (end - newest).total_seconds()
        if 0 <= age <= allowed:
            continue
        first = utc_text(end - timedelta(seconds=allowed))
        text = (
            f"Freshness requirement is not met. Expected: The newest time from {first} to {utc_text(end)}. "
            f"Observed: {utc_text(newest)}."
        )
        yield Violation(feature.name, "freshness_check", text, age, allowed if age > 0 else 0.0)


def _hours(
    _: DataQualityStatistics, constraints: DataQualityConstraints, given: Circumstances
) -> Iterator[Violation]:
    allowed = constraints.dataset.missing_hours_share
    if allowed is None or given.window is None or given.empty_hours is None:
        return
    hours = tuple(given.window.hours())
    empty = sorted(set(given.empty_hours) & set(hours))
    share = len(empty) / len(hours)
    if share <= allowed:
        return
    named = ", ".join(utc_text(hour) for hour in empty[:SHOWN])
    more = f" and {len(empty) - SHOWN} more" if len(empty) > SHOWN else ""
    text = (
        f"Missing hours requirement is not met. Expected: At most {percent_text(allowed)}. "
        f"Observed: {len(empty)} of {len(hours)} hours have no row: {named}{more}."
    )
    yield Violation(ROWS, "missing_hours_check", text, share, allowed)


Look = Callable[[DataQualityStatistics, DataQualityConstraints, Circumstances], Iterator[Violation]]

# Adding a check of the rows as a whole: a function and a line here.
TABLE_CHECKS: dict[str, Look] = {
    "duplicate_rows_check": _duplicates,
    "volume_check": _volume,
    "freshness_check": _freshness,
    "missing_hours_check": _hours,
}
