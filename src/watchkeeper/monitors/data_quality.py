"""The data-quality monitor: do the rows look as they did in the baseline?

Roles decide what is looked at: `feature` and `prediction` columns get every check, `text` columns
completeness and the share of unseen values, `time` columns are only described, the others not even that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from watchkeeper.core.statistics import Categories, Kll, Moments, Presence, Types
from watchkeeper.core.statistics.distances import Mode
from watchkeeper.core.statistics.drift.wasserstein import WASSERSTEIN
from watchkeeper.core.statistics.freshness import Freshness
from watchkeeper.core.statistics.profiles import ColumnProfile
from watchkeeper.core.statistics.profiles import profile as column_profiles
from watchkeeper.core.statistics.signs import Signs
from watchkeeper.core.values import NUMERIC, Column, ColumnType, Role, Schema, Undefined
from watchkeeper.monitors.data_quality_checks import check
from watchkeeper.monitors.data_quality_diff import Change, diff
from watchkeeper.monitors.data_quality_drift import Drift, Unseen, drift, unseen
from watchkeeper.monitors.data_quality_own_checks import suggested_range
from watchkeeper.monitors.data_quality_slas import overlay
from watchkeeper.monitors.data_quality_values import (
    TEXT_UNSEEN_THRESHOLD,
    Circumstances,
    DataQualityConstraints,
    DataQualityStatistics,
    DatasetConstraints,
    DriftRule,
    FeatureConstraints,
    FeatureStatistics,
    MonitoringConfig,
    NumericalStatistics,
    Sla,
    StringStatistics,
    TimeStatistics,
)
from watchkeeper.monitors.monitor import Monitor

__all__ = [
    "MONITOR",
    "Change",
    "Circumstances",
    "Drift",
    "Sla",
    "Unseen",
    "check",
    "diff",
    "drift",
    "inferred_schema",
    "overlay",
    "profile",
    "statistics",
    "suggest",
    "unseen",
]

MONITOR = Monitor("data-quality", frozenset({Role.FEATURE, Role.TIME, Role.TEXT, Role.PREDICTION}))

DOMAIN_VALUES = 120  # Deequ's limit for a histogram, and so for a suggested domain
DOMAIN_SINGLES = 0.1  # at most this share of the rows may hold a value that occurs once
HOURLY, HOURS_ROOM = 0.5, 0.05  # a baseline with fewer empty hours is hourly; so much more may be missing
VANISHED_SHARE = 0.01  # a value with this share of the baseline has to be there
DUPLICATE_SHARE = 0.05  # at most this share of the rows may repeat an earlier one, or twice the baseline's
_AS_GIVEN = Circumstances()
_WIDTH = (ColumnType.UNKNOWN, ColumnType.INTEGRAL, ColumnType.FRACTIONAL, ColumnType.STRING)


def inferred_schema(frame: pl.DataFrame) -> Schema:
    """A schema for data that came without one: every column a feature of the type its cells look like."""
    return Schema(0, tuple(Column(name, ColumnType.UNKNOWN, Role.FEATURE) for name in frame.columns))


def profile(frame: pl.DataFrame, schema: Schema, mode: Mode = Mode.CORRECT) -> DataQualityStatistics:
    """Statistics of a frame of text cells; null and empty text are missing.

    Columns the schema names come first, in its order, but those of roles that are not watched; then
    columns it does not name, as what their cells look like. A column the frame lacks is left out, and
    `check` reports it. In compatible mode every column is what its cells look like.
    """
    named = {column.name: column for column in schema.columns}
    watched = [column for column in schema.columns if column.role in MONITOR.roles]
    known = [column for column in watched if column.name in frame.columns]
    if mode is Mode.COMPATIBLE:
        known = [Column(column.name, ColumnType.UNKNOWN, column.role) for column in known]
    extra = [Column(name, ColumnType.UNKNOWN, Role.FEATURE) for name in frame.columns if name not in named]
    return statistics(frame.height, column_profiles(frame, [*known, *extra], mode))


def statistics(rows: int, profiles: Sequence[ColumnProfile]) -> DataQualityStatistics:
    """What merged profiles of `rows` rows say."""
    return DataQualityStatistics(rows, tuple(_feature(profile) for profile in profiles))


def suggest(
    statistics: DataQualityStatistics,
    schema: Schema,
    known: DataQualityStatistics | None = None,
    given: Circumstances = _AS_GIVEN,
) -> DataQualityConstraints:
    """Constraints that these statistics meet (contract 4.2), and in correct mode what is asked besides.

    A column's type is the wider of the declared and the seen one: a few rows without a fraction do not
    make a Fractional column Integral. `known` may be statistics of a longer run of rows, for the
    domains alone: a rare category that a few months lack is then no surprise. With it `text` columns get
    domains too, of any size. `given` tells of the rows what the statistics do not. In compatible mode
    there is nothing that the closed analyzer does not write. Raises ValueError when there are no rows.
    """
    if not statistics.item_count:
        raise ValueError("suggest constraints: want statistics of at least one row, got none")
    columns = {column.name: column for column in schema.columns}
    described = [feature for feature in statistics.features if feature.name in columns]
    longer = {feature.name: feature for feature in known.features} if known else None
    features = tuple(_constraints(feature, columns[feature.name], longer) for feature in described)
    if given.mode is Mode.COMPATIBLE:
        return DataQualityConstraints(features)
    has_text = any(columns[feature.name].role is Role.TEXT for feature in features)
    config = MonitoringConfig(text_unseen_threshold=TEXT_UNSEEN_THRESHOLD if has_text else None)
    return DataQualityConstraints(
        tuple(
            _with_ours(asked, feature, columns[asked.name])
            for asked, feature in zip(features, described, strict=True)
        ),
        config,
        DatasetConstraints(
            vanished_share=VANISHED_SHARE,
            duplicate_share=_duplicate_share(statistics.item_count, given),
            missing_hours_share=_missing_hours_share(given),
        ),
    )


def _with_ours(asked: FeatureConstraints, feature: FeatureStatistics, column: Column) -> FeatureConstraints:
    """A column of numbers is asked for a range, and compared by how far its numbers moved."""
    if feature.numerical is None or column.role not in (Role.FEATURE, Role.PREDICTION):
        return asked
    rule = DriftRule(WASSERSTEIN.name, WASSERSTEIN.threshold)
    return replace(asked, range=suggested_range(feature), drift=rule)


def _duplicate_share(rows: int, given: Circumstances) -> float | None:
    if given.duplicates is None:
        return None
    return min(1.0, max(DUPLICATE_SHARE, 2 * given.duplicates / rows))


def _missing_hours_share(given: Circumstances) -> float | None:
    """None for a baseline that is itself not one of hours: at least half of its hours have no row."""
    if given.window is None or given.empty_hours is None:
        return None
    share = len(given.empty_hours) / len(tuple(given.window.hours()))
    return share + HOURS_ROOM if share < HOURLY else None


def _feature(profile: ColumnProfile) -> FeatureStatistics:
    presence, types = profile.state(Presence) or Presence(), profile.state(Types) or Types()
    return FeatureStatistics(
        name=profile.name,
        inferred_type=types.value(),
        num_present=presence.num_present,
        num_missing=presence.num_missing,
        types=types,
        numerical=_numerical(profile),
        string=_string(profile),
        time=_time(profile),
    )


def _numerical(profile: ColumnProfile) -> NumericalStatistics | None:
    moments, kll, signs = profile.state(Moments), profile.state(Kll), profile.state(Signs)
    summary = moments.value() if moments else Undefined("not a column of numbers")
    if isinstance(summary, Undefined) or kll is None:
        return None
    sketch = kll.value()
    negative = signs.negative if signs else None
    return NumericalStatistics(summary, sketch.buckets(summary.min, summary.max), sketch, negative)


def _string(profile: ColumnProfile) -> StringStatistics | None:
    categories = profile.state(Categories)
    if categories is None:
        return None
    distinct = profile.distinct()
    count = distinct.count if distinct else len(categories.counts)
    return StringStatistics(float(count), categories.counts, categories.found.error)


def _time(profile: ColumnProfile) -> TimeStatistics | None:
    freshness = profile.state(Freshness)
    span = freshness.value() if freshness else Undefined("not a column of times")
    return None if isinstance(span, Undefined) else TimeStatistics(span.earliest, span.latest)


def _constraints(
    feature: FeatureStatistics, column: Column, longer: Mapping[str, FeatureStatistics] | None
) -> FeatureConstraints:
    expected = max(column.type, feature.inferred_type, key=_WIDTH.index)
    non_negative = feature.numerical.summary.min >= 0 if feature.numerical and expected in NUMERIC else None
    return FeatureConstraints(
        name=feature.name,
        inferred_type=expected,
        completeness=feature.num_present / (feature.num_present + feature.num_missing),
        is_non_negative=non_negative,
        domains=_domains(feature, column, longer),
    )


def _domains(
    feature: FeatureStatistics, column: Column, longer: Mapping[str, FeatureStatistics] | None
) -> tuple[str, ...] | None:
    also = longer.get(feature.name) if longer else None
    found = _values(feature.string, also.string if also else None)
    if column.role is Role.TEXT and longer is not None:
        return tuple(sorted(found)) or None
    if column.role not in (Role.FEATURE, Role.PREDICTION) or not 0 < len(found) <= DOMAIN_VALUES:
        return None
    singles = sum(count == 1 for count in found.values())
    return tuple(sorted(found)) if singles <= DOMAIN_SINGLES * sum(found.values()) else None


def _values(*strings: StringStatistics | None) -> dict[str, int]:
    """Each value with its greatest count: the runs of rows may overlap."""
    found: dict[str, int] = {}
    for value, count in (pair for string in strings if string for pair in string.counts):
        found[value] = max(count, found.get(value, 0))
    return found
