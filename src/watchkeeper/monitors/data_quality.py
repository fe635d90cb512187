"""The data-quality monitor: do the rows look as they did in the baseline?

Roles decide what is looked at: `feature` and `prediction` columns get every check, `text` columns
completeness and the share of unseen values, `time` columns are only described, the others not even that.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from watchkeeper.core.statistics import Categories, Kll, Moments, Presence, Types
from watchkeeper.core.statistics.profiles import ColumnProfile
from watchkeeper.core.statistics.profiles import profile as column_profiles
from watchkeeper.core.values import NUMERIC, Column, ColumnType, Role, Schema, Undefined
from watchkeeper.monitors.data_quality_checks import check
from watchkeeper.monitors.data_quality_drift import Drift, Unseen, drift, unseen
from watchkeeper.monitors.data_quality_values import (
    TEXT_UNSEEN_THRESHOLD,
    DataQualityConstraints,
    DataQualityStatistics,
    FeatureConstraints,
    FeatureStatistics,
    MonitoringConfig,
    NumericalStatistics,
    StringStatistics,
)
from watchkeeper.monitors.monitor import Monitor

__all__ = [
    "MONITOR",
    "Drift",
    "Unseen",
    "check",
    "drift",
    "inferred_schema",
    "profile",
    "statistics",
    "suggest",
    "unseen",
]

MONITOR = Monitor("data-quality", frozenset({Role.FEATURE, Role.TIME, Role.TEXT, Role.PREDICTION}))

DOMAIN_VALUES = 120  # Deequ's limit for a histogram, and so for a suggested domain
DOMAIN_SINGLES = 0.1  # at most this share of the rows may hold a value that occurs once
_WIDTH = (ColumnType.UNKNOWN, ColumnType.INTEGRAL, ColumnType.FRACTIONAL, ColumnType.STRING)


def inferred_schema(frame: pl.DataFrame) -> Schema:
    """A schema for data that came without one: every column a feature of the type its cells look like."""
    return Schema(0, tuple(Column(name, ColumnType.UNKNOWN, Role.FEATURE) for name in frame.columns))


def profile(frame: pl.DataFrame, schema: Schema) -> DataQualityStatistics:
    """Statistics of a frame of text cells; null and empty text are missing.

    Columns the schema names come first, in its order, but those of roles that are not watched; then
    columns it does not name, as what their cells look like. A column the frame lacks is left out, and
    `check` reports it.
    """
    named = {column.name: column for column in schema.columns}
    watched = [column for column in schema.columns if column.role in MONITOR.roles]
    known = [column for column in watched if column.name in frame.columns]
    extra = [Column(name, ColumnType.UNKNOWN, Role.FEATURE) for name in frame.columns if name not in named]
    return statistics(frame.height, column_profiles(frame, [*known, *extra]))


def statistics(rows: int, profiles: Sequence[ColumnProfile]) -> DataQualityStatistics:
    """What merged profiles of `rows` rows say."""
    return DataQualityStatistics(rows, tuple(_feature(profile) for profile in profiles))


def suggest(
    statistics: DataQualityStatistics, schema: Schema, known: DataQualityStatistics | None = None
) -> DataQualityConstraints:
    """Constraints that these statistics meet (contract 4.2).

    A column's type is the wider of the declared and the seen one: a few rows without a fraction do not
    make a Fractional column Integral. `known` may be statistics of a longer run of rows, for the
    domains alone: a rare category that a few months lack is then no surprise. With it `text` columns get
    domains too, of any size. Raises ValueError when there are no rows to learn from.
    """
    if not statistics.item_count:
        raise ValueError("suggest constraints: want statistics of at least one row, got none")
    columns = {column.name: column for column in schema.columns}
    described = [feature for feature in statistics.features if feature.name in columns]
    features = tuple(_constraints(feature, columns[feature.name], known) for feature in described)
    has_text = any(columns[feature.name].role is Role.TEXT for feature in features)
    config = MonitoringConfig(text_unseen_threshold=TEXT_UNSEEN_THRESHOLD if has_text else None)
    return DataQualityConstraints(features, config)


def _feature(profile: ColumnProfile) -> FeatureStatistics:
    presence, types = profile.state(Presence) or Presence(), profile.state(Types) or Types()
    categories = profile.state(Categories)
    return FeatureStatistics(
        name=profile.name,
        inferred_type=types.value(),
        num_present=presence.num_present,
        num_missing=presence.num_missing,
        types=types,
        numerical=_numerical(profile),
        string=StringStatistics(float(len(categories.counts)), categories.counts) if categories else None,
    )


def _numerical(profile: ColumnProfile) -> NumericalStatistics | None:
    moments, kll = profile.state(Moments), profile.state(Kll)
    summary = moments.value() if moments else Undefined("not a column of numbers")
    if isinstance(summary, Undefined) or kll is None:
        return None
    sketch = kll.value()
    return NumericalStatistics(summary, sketch.buckets(summary.min, summary.max), sketch)


def _constraints(
    feature: FeatureStatistics, column: Column, known: DataQualityStatistics | None
) -> FeatureConstraints:
    expected = max(column.type, feature.inferred_type, key=_WIDTH.index)
    non_negative = feature.numerical.summary.min >= 0 if feature.numerical and expected in NUMERIC else None
    return FeatureConstraints(
        name=feature.name,
        inferred_type=expected,
        completeness=feature.num_present / (feature.num_present + feature.num_missing),
        is_non_negative=non_negative,
        domains=_domains(feature, column, known),
    )


def _domains(
    feature: FeatureStatistics, column: Column, known: DataQualityStatistics | None
) -> tuple[str, ...] | None:
    longer = known.feature(feature.name) if known else None
    found = _values(feature.string, longer.string if longer else None)
    if column.role is Role.TEXT and known is not None:
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
